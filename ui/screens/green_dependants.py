"""Who came along with the holder: touched one by one."""

from kivy.properties import StringProperty

from kiosk.views import GreenDependants, View
from ui.formats import plain
from ui.people import dress
from ui.widgets.cards import PersonRow
from ui.widgets.page import Page, refill


class GreenDependantsScreen(Page):
    question = StringProperty("")

    def show(self, view: View) -> None:
        page = view.page
        assert isinstance(page, GreenDependants)
        self.question = self.words.say("dependants.title", holder=plain(page.holder))
        rows = refill(self.ids.people, len(page.people), PersonRow)
        for row, person in zip(rows, page.people, strict=True):
            dress(row, self.words, person, "account" if self.roomy else "")


Screen = GreenDependantsScreen
