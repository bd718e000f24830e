"""Which department: last time's first, six to a page."""

from kiosk.views import ChooseDepartment, DepartmentCard, View
from ui.formats import name_of
from ui.widgets.cards import Card
from ui.widgets.page import Page, refill


class ChooseDepartmentScreen(Page):
    def show(self, view: View) -> None:
        page = view.page
        assert isinstance(page, ChooseDepartment)
        last = (page.last,) if page.last is not None else ()
        for card, department in zip(refill(self.ids.last, len(last), Card), last, strict=True):
            self._dress(card, department)
            card.target, card.title_size = "last", self.look.section
            card.detail = self.joined(self.words.say("register.last"), card.detail)
        cards = refill(self.ids.cards, len(page.cards), Card)
        for card, department in zip(cards, page.cards, strict=True):
            self._dress(card, department)
            card.target = f"department:{department.id}"
        self.ids.pager.show(self.words, page.number, page.of)

    def _dress(self, card: Card, department: DepartmentCard) -> None:
        words = self.words
        card.icon = (department.icon or "hospital-box") if self.roomy else ""
        card.title = name_of(words, department.name)
        left = words.count("register.left", department.left)
        floor = words.say("register.floor", floor=department.floor) if department.floor else ""
        none_left = department.left == 0
        card.detail = words.say("register.none_today") if none_left else self.joined(left, floor)


Screen = ChooseDepartmentScreen
