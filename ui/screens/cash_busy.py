"""Notes go in one by one; no change, and that is said before the first."""

from kivy.properties import StringProperty

from kiosk.views import CashBusy, View
from ui.formats import money, place
from ui.widgets.page import Page


class CashBusyScreen(Page):
    to_pay = StringProperty("")
    doing = StringProperty("")
    left = StringProperty("")
    takes = StringProperty("")
    not_enough = StringProperty("")

    def show(self, view: View) -> None:
        page, words = view.page, self.words
        assert isinstance(page, CashBusy)
        self.to_pay = words.say("pay.title", amount=money(page.amount_fen))
        self.doing = words.say(f"cash.{page.stage}")
        self.left = words.say("cash.left", amount=money(page.amount_fen - page.taken_fen))
        self.takes = words.say("cash.no_change")
        if page.notes_fen:
            notes = words.say("comma_list").join(f"{fen // 100}" for fen in page.notes_fen)
            self.takes = words.say("cash.takes", notes=notes)
        taken, window = money(page.taken_fen), place(words, page.window)
        self.not_enough = words.say("cash.back_at", window=window)
        if page.taken_fen:
            self.not_enough = words.say("cash.taken", amount=taken, window=window)


Screen = CashBusyScreen
