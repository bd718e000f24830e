"""Nothing can be done here: where to go instead."""

from kivy.properties import StringProperty

from kiosk.views import OutOfService, View
from ui.widgets.page import Page


class OutOfServiceScreen(Page):
    said = StringProperty("")

    def show(self, view: View) -> None:
        page = view.page
        assert isinstance(page, OutOfService)
        self.said = self.words.either(f"out.reason_{page.reason}", "out.reason_general")


Screen = OutOfServiceScreen
