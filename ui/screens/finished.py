"""A task is done: what happened, what to take, where to go, and whether there is more to do."""

from kivy.properties import ColorProperty, StringProperty

from kiosk.views import Finished, View
from ui import tasks
from ui.formats import moment, place, plain
from ui.widgets.cards import Card
from ui.widgets.page import Page, refill

ICONS = {"reports_failed": "alert-circle", "handed_over": "account-tie"}


class FinishedScreen(Page):
    icon = StringProperty("")
    icon_ink = ColorProperty("#000000")
    headline = StringProperty("")
    said = StringProperty("")
    go_to = StringProperty("")
    go_to_detail = StringProperty("")
    number = StringProperty("")
    slip = StringProperty("")
    later = StringProperty("")
    ends = StringProperty("")

    def show(self, view: View) -> None:
        page, words = view.page, self.words
        assert isinstance(page, Finished)
        self.icon = ICONS.get(page.what, "check-circle")
        self.icon_ink = self.look.warn if page.what == "reports_failed" else self.look.green
        self.headline, self.said = self._outcome(page)
        self.go_to = tasks.title(words, page.task) if page.task is not None else ""
        today = view.frame.clock.date()
        self.go_to_detail = tasks.detail(words, page.task, today) if page.task is not None else ""
        number = plain(page.slip_number)
        self.number = words.say("result.number", number=number) if number else ""
        self.slip = "" if page.slip == "none" else words.say(f"result.slip_{page.slip}")
        self.later = self._later(page, view)
        self.ends = words.count("result.seconds", page.left_s)
        for key, name in zip(refill(self.ids.after, 2, Card), ("home", "end"), strict=True):
            key.target, key.title = name, words.say(f"finished.{name}")
            key.icon = "dots-grid" if name == "home" else "exit-to-app"
            key.title_size, key.icon_size = self.look.button, self.look.icon

    def _outcome(self, page: Finished) -> tuple[str, str]:
        words = self.words
        window = place(words, page.window)
        match page.what:
            case "checked_in" if page.offline:
                return words.say("finished.checked_in_offline"), words.say("finished.offline")
            case "registered":
                fee = "finished.treat_first" if page.treat_first else "finished.pay_first"
                return words.say("finished.registered"), words.say(fee, window=window)
            case "checked_in":
                return words.say("finished.checked_in"), self._queue(page)
            case "reports_printed":
                done = words.count("finished.reports_printed", page.count)
                return done, words.say("finished.reports_do")
            case "reports_failed":
                some = words.count("finished.reports_failed_some", page.count)
                go = words.say("finished.go_window", window=window) + words.say("stop")
                return words.say("finished.reports_failed"), words.say("sentence_gap").join(
                    (some, go)
                )
            case "handed_over":
                headline = words.say("finished.handed_over", window=window)
                return headline, words.say("finished.handed_over_do")
        return words.say(f"finished.{page.what}"), words.say("finished.take")

    def _queue(self, page: Finished) -> str:
        words = self.words
        ahead = ""
        if page.ahead is not None:
            none = page.ahead == 0
            ahead = (
                words.say("finished.next_is_you")
                if none
                else words.count("finished.ahead", page.ahead)
            )
        minutes = words.count("finished.minutes", page.minutes) if page.minutes else ""
        return self.joined(ahead, minutes)

    def _later(self, page: Finished, view: View) -> str:
        if not page.later_title or page.later_at is None:
            return ""
        when = moment(self.words, page.later_at, view.frame.clock.date())
        return self.words.say("finished.later", title=plain(page.later_title), when=when)


Screen = FinishedScreen
