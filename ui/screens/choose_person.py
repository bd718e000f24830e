"""For whom: the people this card may act for, or another card."""

from kiosk.views import ChoosePerson, View
from ui.people import dress
from ui.widgets.cards import PersonRow
from ui.widgets.page import Page, refill


class ChoosePersonScreen(Page):
    def show(self, view: View) -> None:
        page = view.page
        assert isinstance(page, ChoosePerson)
        rows = refill(self.ids.people, len(page.people), PersonRow)
        for row, person in zip(rows, page.people, strict=True):
            dress(row, self.words, person, "account" if self.roomy else "")
        self.ids.pager.show(self.words, page.number, page.of)


Screen = ChoosePersonScreen
