"""Money moves or is being written down: nothing to touch, and that is said."""

from kivy.properties import StringProperty

from kiosk.views import Paying, View
from ui.formats import money
from ui.widgets.page import Page

ICONS = {"asking_payer": "cellphone-nfc", "booking": "text-box-check", "returning": "cash-refund"}


class PayingScreen(Page):
    amount = StringProperty("")
    doing = StringProperty("")
    icon = StringProperty("")

    def show(self, view: View) -> None:
        page = view.page
        assert isinstance(page, Paying)
        self.amount, self.icon = money(page.amount_fen), ICONS[page.stage]
        self.doing = self.words.say(f"paying.{page.stage}")


Screen = PayingScreen
