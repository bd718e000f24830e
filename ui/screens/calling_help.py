"""Help was called: who comes, how long it has been, and what else can be done."""

from kivy.properties import StringProperty

from kiosk.views import CallingHelp, View
from ui.formats import plain, stopwatch
from ui.widgets.page import Page


class CallingHelpScreen(Page):
    icon = StringProperty("hand-wave")
    headline = StringProperty("")
    said = StringProperty("")
    since = StringProperty("")
    hotline = StringProperty("")

    def show(self, view: View) -> None:
        page, words = view.page, self.words
        assert isinstance(page, CallingHelp)
        hotline = plain(page.hotline)
        self.since = words.say("calling.since", time=stopwatch(page.since_s))
        self.hotline = words.say("calling.hotline", hotline=hotline) if hotline else ""
        if not page.reached:
            self.icon, self.headline = "alert-circle", words.say("calling.not_reached")
            self.said = words.say("calling.not_reached_do", hotline=hotline) if hotline else ""
            self.hotline = ""
            return
        coming = plain(page.state.coming)
        self.icon = "run" if coming else "hand-wave"
        title = words.say("calling.title")
        self.headline = words.say("calling.coming", name=coming) if coming else title
        parts = [words.say("calling.wait")]
        if page.state.escalated and not coming:
            parts.append(words.say("calling.escalated"))
        if page.state.emergency:
            parts.append(words.say("calling.emergency_sent"))
        self.said = words.say("sentence_gap").join(parts)


Screen = CallingHelpScreen
