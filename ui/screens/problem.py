"""It cannot be done here and now: why, that nothing is lost, and the other way."""

from kivy.properties import StringProperty

from kiosk.views import Problem, View
from ui.formats import place
from ui.widgets.cards import Card
from ui.widgets.page import Page, refill


class ProblemScreen(Page):
    headline = StringProperty("")
    said = StringProperty("")

    def show(self, view: View) -> None:
        page, words = view.page, self.words
        assert isinstance(page, Problem)
        self.headline = words.say(f"problem.{page.code}")
        self.said = words.say(f"problem_do.{page.code}")
        keys = ["again", "window"] if page.can_retry else ["window"]
        window = place(words, page.window)
        cards = refill(self.ids.ways, len(keys), Card)
        for card, name in zip(cards, keys, strict=True):
            card.target, card.title = name, words.say(f"problem.{name}", window=window)
            card.icon = "refresh" if name == "again" else "account-tie"
            card.floor = self.look.primary_key


Screen = ProblemScreen
