"""Which certificate the volunteer saw, and until when it holds."""

from kivy.properties import BooleanProperty

from kiosk.views import GreenPaper, View
from ui.widgets.cards import Card
from ui.widgets.page import Page, refill

ICONS = {
    "negative_test": "test-tube",
    "vaccination": "needle",
    "discharge": "exit-to-app",
    "community": "home-group",
    "other": "file-document",
}


class GreenPaperScreen(Page):
    complete = BooleanProperty(False)

    def show(self, view: View) -> None:
        page, words = view.page, self.words
        assert isinstance(page, GreenPaper)
        cards = refill(self.ids.kinds, len(page.kinds), Card)
        for card, key in zip(cards, page.kinds, strict=True):
            card.target, card.title = f"kind:{key}", words.say(f"paper.{key}")
            card.icon, card.chosen = ICONS.get(key, ICONS["other"]), key == page.kind
            card.trail_icon = "check-bold" if card.chosen else ""
            card.title_size, card.icon_size = self.look.button, self.look.icon_small
        cards = refill(self.ids.validities, len(page.validities), Card)
        for card, key in zip(cards, page.validities, strict=True):
            card.target, card.title = f"valid:{key}", words.say(f"valid.{key}")
            card.chosen = key == page.validity
            card.trail_icon = "check-bold" if card.chosen else ""
            card.title_size, card.icon_size = self.look.button, self.look.icon_small
            card.floor = self.look.touch_min
        self.complete = bool(page.kind and page.validity)


Screen = GreenPaperScreen
