"""What can be looked up; bills lie behind a curtain until they are asked for."""

from kivy.properties import StringProperty

from kiosk.views import AccountCard, Inquiry, View
from ui.formats import day, money, plain
from ui.widgets.cards import Card
from ui.widgets.page import Page, refill

ICONS = {"account": "receipt-text", "trail": "history", "reports": "printer"}


class InquiryScreen(Page):
    heading = StringProperty("")
    closes = StringProperty("")

    def show(self, view: View) -> None:
        page, words = view.page, self.words
        assert isinstance(page, Inquiry)
        cards = refill(self.ids.choices, len(page.choices), Card)
        for card, name in zip(cards, page.choices, strict=True):
            card.target, card.icon = f"choose:{name}", ICONS[name]
            card.title = words.say(f"inquiry.choose_{name}")
            card.detail = words.say(f"inquiry.detail_{name}")
        is_open = page.open_left_s > 0
        self.heading = words.say("inquiry.bills") if page.bills else ""
        self.closes = words.count("inquiry.closes", page.open_left_s) if is_open else ""
        for curtain in refill(self.ids.curtain, 1 if page.bills and not is_open else 0, Card):
            curtain.target, curtain.icon = "curtain", "eye-off"
            curtain.title = words.say("inquiry.open")
            curtain.detail = words.say("inquiry.covered")
            curtain.title_size = self.look.button
        bills = page.bills if is_open else ()
        for card, bill in zip(refill(self.ids.bills, len(bills), Card), bills, strict=True):
            self._dress(card, bill, view)
        self.ids.pager.show(words, page.number, page.of if is_open else 1)

    def _dress(self, card: Card, bill: AccountCard, view: View) -> None:
        words = self.words
        card.target, card.title = f"bill:{bill.id}", plain(bill.title)
        on = day(words, bill.day, view.frame.clock.date()) if bill.day is not None else ""
        state = words.say("inquiry.paid" if bill.paid else "inquiry.unpaid")
        card.detail = self.joined(on, money(bill.total_fen), state)
        card.icon = "check-circle" if bill.paid else "cash-multiple"
        card.title_size = self.look.button


Screen = InquiryScreen
