"""The volunteer's page: who waits, who is being helped, and the questions."""

from kivy.properties import BooleanProperty, NumericProperty, StringProperty

from kiosk.views import Green, View, WaitingCard
from ui.formats import name_of, plain, stopwatch
from ui.widgets.cards import BigKey, Card, Tile
from ui.widgets.page import Page, refill

SUBSTITUTES = {
    "paper": "file-document",
    "relative": "account-multiple-plus",
    "dependants": "human-male-female-child",
    "by_hand": "pencil",
}


class GreenScreen(Page):
    now = StringProperty("")
    now_detail = StringProperty("")
    now_label = StringProperty("")
    waiting_heading = StringProperty("")
    question = StringProperty("")
    queued = StringProperty("")
    busy_with_one = BooleanProperty(False)
    asking = BooleanProperty(False)
    tile_cols = NumericProperty(4)

    def show(self, view: View) -> None:
        page = view.page
        assert isinstance(page, Green)
        self.asking = page.stage == 2
        self.tile_cols = 4 if self.look.size_name == "normal" else 2
        self._show_current(page)
        self._show_waiting(page)
        self._show_questions(page)
        self._show_look_up(page)
        self._show_substitutes(page)
        words = self.words
        self.queued = words.count("green.queued", page.queued) if page.queued else ""

    def _show_current(self, page: Green) -> None:
        words, current = self.words, page.current
        self.busy_with_one = current is not None
        if current is None:
            self.now = words.say("green.nobody")
            self.now_detail = self.now_label = ""
            return
        age = words.say("green.age", n=current.age) if current.age is not None else ""
        self.now = " ".join(part for part in (plain(current.name), age) if part)
        known = words.say(f"green.substitute_{page.substitute}") if page.substitute else ""
        others = words.count("green.others", page.others) if page.others else ""
        self.now_detail = "\n".join(part for part in (known, others) if part)
        self.now_label = words.say("green.now", time=stopwatch(current.since_s))

    def _show_waiting(self, page: Green) -> None:
        words = self.words
        self.waiting_heading = words.count("green.waiting", page.waiting_count)
        rows = refill(self.ids.waiting, len(page.waiting), Card)
        for row, person in zip(rows, page.waiting, strict=True):
            row.target = f"waiting:{person.key}"
            row.title, row.trail = self._person(person), stopwatch(person.since_s)
            row.title_size, row.floor = self.look.body, self.look.touch_min
            row.icon = "alert-circle" if person.alarm else ""
            row.icon_size = self.look.icon_small
            row.padding = [self.look.gap, self.look.tiny]

    def _person(self, person: WaitingCard) -> str:
        words = self.words
        shows_age = person.age is not None and self.roomy
        age = words.say("green.age", n=person.age) if shows_age else ""
        noted = (
            words.say(f"green.noted_{person.noted}") if person.noted and person.age is None else ""
        )
        parts = (str(person.number), plain(person.name), age, noted)
        return " ".join(part for part in parts if part)

    def _show_questions(self, page: Green) -> None:
        words = self.words
        asked = page.questions if self.asking else ()
        said = words.say("green.question", n=page.lookback_days)
        self.question = said if self.asking else words.say("green.put_card")
        rows = refill(self.ids.questions, len(asked), Card)
        for row, question in zip(rows, asked, strict=True):
            row.target, row.icon = f"question:{question.id}", question.icon
            row.title = name_of(words, question.text)
            row.chosen = question.yes
            row.trail_icon = "check-bold" if question.yes else ""
        any_yes = any(question.yes for question in asked)
        keys = refill(self.ids.go_on, 1 if self.asking else 0, BigKey)
        for key in keys:
            key.target = "yes_next" if any_yes else "none"
            key.title = words.say(f"green.{key.target}")
            key.icon = "arrow-right" if any_yes else "check-bold"

    def _show_look_up(self, page: Green) -> None:
        """The way to ask for the health code; its answer takes the key's place, in words."""
        words, code = self.words, page.health_code
        shown = page.look_up or bool(code)
        for key in refill(self.ids.look_up, 1 if shown else 0, Card):
            key.target = "look_up" if page.look_up else ""
            key.icon, key.title = "shield-check", words.say("green.look_up")
            if code:
                key.title = words.either(f"green.code_{code}", "green.code_general")
            key.title_size, key.floor = self.look.button, self.look.touch_min
            key.icon_size = self.look.icon_small

    def _show_substitutes(self, page: Green) -> None:
        shown = SUBSTITUTES.items()
        tiles = refill(self.ids.substitutes, len(shown), Tile if self.roomy else Card)
        for tile, (name, icon) in zip(tiles, shown, strict=True):
            tile.target, tile.icon = name, icon
            tile.title = self.words.say(f"green.{name}")
            tile.title_size = self.look.body
            tile.floor = self.look.keypad_key if self.roomy else self.look.touch_min


Screen = GreenScreen
