"""Core is not there (yet): said plainly, nothing to touch."""

from kiosk.views import View
from ui.widgets.page import Page


class StartingScreen(Page):
    def show(self, view: View) -> None:
        """Its words are in the .kv: they need nothing from the view."""


Screen = StartingScreen
