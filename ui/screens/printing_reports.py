"""Reports on their way to paper: which one, how many, what comes later."""

from kivy.properties import NumericProperty, StringProperty

from kiosk.views import PrintingReports, View
from ui.formats import moment, plain
from ui.widgets.page import Page

SHARE = {"fetching": 0.1, "sending": 0.4, "paused": 0.6, "printing": 0.7}
"""How far one report is at each stage: the bar never stands still and never lies far."""


class PrintingReportsScreen(Page):
    headline = StringProperty("")
    title = StringProperty("")
    stage = StringProperty("")
    later = StringProperty("")
    done = NumericProperty(0.0)

    def show(self, view: View) -> None:
        page, words = view.page, self.words
        assert isinstance(page, PrintingReports)
        self.headline = words.say("reports.printing", number=page.number, of=page.of)
        self.title = plain(page.title)
        stage = "paper_out" if page.stage == "printing" else page.stage
        self.stage = words.say(f"reports.{stage}")
        self.done = (page.number - 1 + SHARE[page.stage]) / max(1, page.of)
        self.later = ""
        if page.later_title and page.later_at is not None:
            when = moment(words, page.later_at, view.frame.clock.date())
            self.later = words.say("reports.next", title=plain(page.later_title), when=when)


Screen = PrintingReportsScreen
