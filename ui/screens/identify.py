"""Who is it? Any credential does; nothing has to be chosen."""

from kivy.properties import BooleanProperty, StringProperty

from kiosk.views import Identify, View
from ui.formats import plain
from ui.widgets.page import Page


class IdentifyScreen(Page):
    question = StringProperty("")
    goal = StringProperty("")
    reading = BooleanProperty(False)

    def show(self, view: View) -> None:
        page, words = view.page, self.words
        assert isinstance(page, Identify)
        self.reading = page.reading
        if page.relative:
            self.question = words.say("identify.relative")
            own = plain(page.own_read)
            self.goal = words.say("identify.relative_for", name=own) if own else ""
        else:
            self.question = words.say("identify.who")
            self.goal = words.either(f"identify.goal_{page.goal}", "identify.goal_general")


Screen = IdentifyScreen
