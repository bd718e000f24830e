"""Everything about the number on one page, and one key that says yes."""

from kivy.properties import StringProperty

from kiosk.views import ConfirmRegistration, View
from ui.formats import day_range, minus, money, name_of, place, plain, stopwatch
from ui.widgets.cards import Card
from ui.widgets.page import Page, refill


class ConfirmRegistrationScreen(Page):
    who = StringProperty("")
    when = StringProperty("")
    where = StringProperty("")
    fee = StringProperty("")
    insurance = StringProperty("")
    own = StringProperty("")
    held = StringProperty("")

    def show(self, view: View) -> None:
        page, words = view.page, self.words
        assert isinstance(page, ConfirmRegistration)
        self.who = self.joined(
            name_of(words, page.department),
            " ".join(part for part in (plain(page.doctor), plain(page.title)) if part),
        )
        self.when = day_range(words, page.starts, page.ends, view.frame.clock.date())
        self.where = words.say("register.where", floor=page.floor, room=plain(page.room))
        self.fee, self.own = money(page.fee_fen), money(page.own_fen)
        self.insurance = minus(page.insurance_fen)
        if page.pay_later:
            self.own = words.say("register.at_window")
            self.insurance = words.say("register.not_settled")
        held = page.held_left_s
        self.held = words.say("register.held", time=stopwatch(held)) if held is not None else ""
        if page.pay_later:
            window = place(words, page.window)
            self.held = words.say(f"register.{page.pay_later}", window=window)
        choices = ("yes", "no") if page.can_be_insured else ()
        for key, answer in zip(refill(self.ids.insured, len(choices), Card), choices, strict=True):
            key.target, key.title = f"insured:{answer}", words.say(f"register.insured_{answer}")
            key.chosen = (answer == "yes") == page.insured
            key.trail_icon = "check-bold" if key.chosen else ""
            key.icon_size, key.title_size = self.look.icon_small, self.look.button


Screen = ConfirmRegistrationScreen
