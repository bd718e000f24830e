"""Four results and never two: paid, not charged, being checked, owed back."""

from kivy.properties import ColorProperty, StringProperty

from kiosk.views import PaymentResult, View
from ui import tasks
from ui.formats import money, place, plain
from ui.widgets.cards import BigKey, Card
from ui.widgets.page import Page, refill

LOOKS = {
    "settled": ("check-circle", "green"),
    "not_charged": ("close-circle", "ink"),
    "reversed": ("cash-refund", "ink"),
    "checking": ("progress-clock", "warn"),
    "refund_due": ("alert-circle", "error"),
}
"""Icon and its ink. Never a coloured page: red, yellow and green mean a health code here."""

AGAIN = ("not_charged", "reversed")


class PaymentResultScreen(Page):
    icon = StringProperty("")
    icon_ink = ColorProperty("#000000")
    headline = StringProperty("")
    said = StringProperty("")
    number = StringProperty("")
    slip = StringProperty("")
    go_to = StringProperty("")
    go_to_detail = StringProperty("")
    ends = StringProperty("")

    def show(self, view: View) -> None:
        page, words = view.page, self.words
        assert isinstance(page, PaymentResult)
        self.icon, ink = LOOKS[page.result]
        self.icon_ink = getattr(self.look, ink)
        outcome = "unheard" if page.unheard else page.result
        if page.result == "refund_due" and page.reason.startswith("cash_"):
            outcome = "refund_due_cash"  # given up before it was whole: what is in the box
        self.headline = words.say(f"result.{outcome}", amount=money(page.amount_fen))
        window = place(words, page.window)
        what_next = words.say(f"result.{outcome}_do", window=window)
        reason = words.either(f"result.reason_{page.reason}", "result.reason_general")
        shows_reason = page.reason and page.result in AGAIN
        self.said = (
            words.say("sentence_gap").join((reason, what_next)) if shows_reason else what_next
        )
        number = plain(page.slip_number)
        self.number = words.say("result.number", number=number) if number else ""
        self.slip = words.say(f"result.slip_{page.slip}")
        self._show_registered(page, view)
        self.ends = words.count("result.seconds", page.left_s)
        again = 1 if page.result in AGAIN else 0
        for key in refill(self.ids.again, again, BigKey):
            key.target, key.icon, key.title = "again", "refresh", words.say("result.again")
        for key, name in zip(refill(self.ids.after, 2, Card), ("home", "end"), strict=True):
            key.target, key.title = name, words.say(f"result.{name}")
            key.icon = "dots-grid" if name == "home" else "exit-to-app"
            key.title_size, key.icon_size = self.look.button, self.look.icon

    def _show_registered(self, page: PaymentResult, view: View) -> None:
        task = page.registered
        self.go_to = tasks.title(self.words, task) if task is not None else ""
        today = view.frame.clock.date()
        self.go_to_detail = tasks.detail(self.words, task, today) if task is not None else ""


Screen = PaymentResultScreen
