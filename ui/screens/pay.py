"""One bill: what it is made of, who pays which part, and two ways for the own part at once."""

from kivy.properties import BooleanProperty, NumericProperty, StringProperty

from kiosk.views import Pay, View
from ui.formats import minus, money, name_of, plain
from ui.widgets.cards import Card
from ui.widgets.money import MoneyRow
from ui.widgets.page import Page, refill

LINES_MAX = {"normal": 4, "large": 3, "extra": 1}
"""Core sends no more; if it does, the rest is counted in words and the total stays true."""


class PayScreen(Page):
    to_pay = StringProperty("")
    more = StringProperty("")
    total = StringProperty("")
    own = StringProperty("")
    code_word = StringProperty("")
    code_hint = StringProperty("")
    scan_word = StringProperty("")
    scan_hint = StringProperty("")
    url = StringProperty("")
    scanning = BooleanProperty(True)
    turning = BooleanProperty(False)
    qr_side = NumericProperty(0)
    code_cols = NumericProperty(2)

    def show(self, view: View) -> None:
        page = view.page
        assert isinstance(page, Pay)
        words = self.words
        amount = money(page.own_fen)
        self.to_pay = words.say("pay.title", amount=amount)
        if page.for_whom:
            self.to_pay = words.say("pay.for_whom", name=plain(page.for_whom), amount=amount)
        self._show_lines(page, LINES_MAX[self.look.size_name])
        self.total, self.own = money(page.total_fen), money(page.own_fen)
        parts = (("basic", page.basic_fen), ("serious", page.serious_fen), ("aid", page.aid_fen))
        shown = parts if page.insured else ()
        for row, (name, fen) in zip(
            refill(self.ids.insurers, len(shown), MoneyRow), shown, strict=True
        ):
            row.what, row.amount = words.say(f"pay.{name}"), minus(fen)
        self.ids.no_insurance.text = "" if page.insured else words.say("pay.no_insurance")
        self._show_ways(page)
        if view.frame.busy in ("asking", "booking"):  # a code was shown or scanned: it goes on
            self.code_word, self.scan_word = words.say("pay.asking"), words.say("pay.follow_phone")

    def _show_lines(self, page: Pay, lines_max: int) -> None:
        words, lines = self.words, page.lines[:lines_max]
        for row, line in zip(refill(self.ids.lines, len(lines), MoneyRow), lines, strict=True):
            name = name_of(words, line.name)
            many = line.quantity != 1
            row.what = words.say("pay.quantity", name=name, n=line.quantity) if many else name
            row.amount = money(line.amount_fen)
        hidden = page.more_lines + len(page.lines) - len(lines)
        says_more = hidden and (self.roomy or not page.more_lines)
        self.more = words.count("pay.more_lines", hidden) if says_more else ""
        turns = ("lines_previous", "lines_following") if page.more_lines else ()
        self.turning = bool(turns)
        self.qr_side = self.look.qr_small if turns or not self.roomy else self.look.qr
        for key, target in zip(refill(self.ids.turns, len(turns), Card), turns, strict=True):
            key.target, key.title = target, words.say(f"pay.{target}")
            key.icon = "chevron-left" if target == "lines_previous" else "chevron-right"
            key.floor, key.title_size = self.look.touch_min, self.look.button
            key.icon_size = self.look.icon_small

    def _show_ways(self, page: Pay) -> None:
        words = self.words
        self.url, self.scanning = page.url, page.scanning
        self.code_word = words.say("pay.scan_this" if page.url else "pay.making_code")
        self.code_hint = words.say("pay.wallets") if page.url and self.hints else ""
        self.scan_word = words.say("pay.show_code" if page.scanning else "pay.scanner_off")
        self.scan_hint = words.say("pay.scanner_lit") if page.scanning and self.hints else ""
        self._show_machines(page)

    def _show_machines(self, page: Pay) -> None:
        """Beside the phone: the pad, and the slot for notes where there is one."""
        say, at = self.words.say, [("card", "credit-card", page.card, "pay.card")]
        details = {"card": "" if page.card else say("pay.no_card")}
        if page.cash:
            at.append(("cash", "cash-multiple", page.cash == "offered", "pay.cash"))
            details["cash"] = say(f"pay.cash_{page.cash}")
        made = refill(self.ids.machines, len(at), Card)
        for card, (target, icon, enabled, key) in zip(made, at, strict=True):
            card.target, card.enabled, card.icon = target, enabled, icon
            card.title, card.detail = say(key), details[target]
            card.title_size = self.look.button if len(at) > 1 else self.look.card


Screen = PayScreen
