"""The person is at the payment pad; the picture shows where it is."""

from kivy.properties import StringProperty

from kiosk.views import PadBusy, View
from ui.formats import money
from ui.widgets.page import Page


class PadBusyScreen(Page):
    to_pay = StringProperty("")
    doing = StringProperty("")

    def show(self, view: View) -> None:
        page = view.page
        assert isinstance(page, PadBusy)
        self.to_pay = self.words.say("pay.title", amount=money(page.amount_fen))
        self.doing = self.words.say(f"pad.{page.progress}")


Screen = PadBusyScreen
