"""What the other person is to the one who acts."""

from kivy.properties import StringProperty

from kiosk.views import ChooseRelation, View
from ui.formats import plain
from ui.people import relation
from ui.widgets.cards import Card
from ui.widgets.page import Page, refill

ICONS = {
    "child": "human-child",
    "parent": "human-cane",
    "spouse": "account-heart",
    "grandchild": "baby-face-outline",
    "neighbour": "home-group",
    "other": "account-question",
}


class ChooseRelationScreen(Page):
    question = StringProperty("")
    by = StringProperty("")

    def show(self, view: View) -> None:
        page, words = view.page, self.words
        assert isinstance(page, ChooseRelation)
        self.question = words.say("relation.title", whom=plain(page.whom))
        self.by = words.say("relation.by", by=plain(page.by)) if page.by else ""
        cards = refill(self.ids.choices, len(page.choices), Card)
        for card, key in zip(cards, page.choices, strict=True):
            card.target, card.title = f"relation:{key}", relation(words, key)
            card.icon = ICONS.get(key, ICONS["other"])
            card.title_size, card.floor = self.look.button, self.look.primary_key


Screen = ChooseRelationScreen
