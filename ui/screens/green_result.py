"""May go in, or where to go; one slip a person."""

from kivy.properties import ColorProperty, StringProperty

from kiosk.views import GreenResult, View
from ui.formats import name_of, plain, stopwatch
from ui.widgets.money import MoneyRow
from ui.widgets.page import Page, refill


class GreenResultScreen(Page):
    icon = StringProperty("")
    icon_ink = ColorProperty("#000000")
    headline = StringProperty("")
    said = StringProperty("")
    slip = StringProperty("")
    took = StringProperty("")
    following = StringProperty("")

    def show(self, view: View) -> None:
        page, words = view.page, self.words
        assert isinstance(page, GreenResult)
        if page.passed or page.route is None:
            self.icon, self.icon_ink = "check-circle", self.look.green
            self.headline, self.said = (
                words.say("green_result.passed"),
                words.say("green_result.take"),
            )
        else:
            self.icon, self.icon_ink = "walk", self.look.ink
            self.headline = words.say("green_result.routed", route=name_of(words, page.route))
            self.said = words.say("green_result.nurse")
        rows = refill(self.ids.names, len(page.names), MoneyRow)
        numbers = (*page.slip_numbers, *("" for _ in page.names))
        for row, name, number in zip(rows, page.names, numbers, strict=False):
            row.what, row.amount = plain(name), plain(number)
        self.slip = words.say(f"green_result.slip_{page.slip}")
        self.took = words.say("green_result.took", time=stopwatch(page.took_s))
        self.following = words.count("green_result.seconds", page.left_s)


Screen = GreenResultScreen
