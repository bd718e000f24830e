"""Digits by our own keypad: what is asked, what is typed, what is wrong with it."""

from kivy.properties import BooleanProperty, StringProperty

from kiosk.views import TypeIn, View
from ui.formats import plain
from ui.widgets.cards import Card
from ui.widgets.page import Page, refill

GROUPS = {"id_number": (6, 4, 4, 4), "phone": (3, 4, 4)}
"""Long numbers are read back in groups, as they are spoken."""


def grouped(shown: str, groups: tuple[int, ...]) -> str:
    parts, at = [], 0
    for length in groups:
        parts.append(shown[at : at + length])
        at += length
    return " ".join(part for part in (*parts, shown[at:]) if part)


class TypeInScreen(Page):
    asked = StringProperty("")
    hint = StringProperty("")
    entry = StringProperty("")
    counted = StringProperty("")
    wrong = StringProperty("")
    left = StringProperty("")
    locked = BooleanProperty(False)
    letters = BooleanProperty(False)

    def show(self, view: View) -> None:
        page, words = view.page, self.words
        assert isinstance(page, TypeIn)
        self.asked = words.say(f"type_in.title_{page.what}")
        shown = plain(page.shown)
        self.entry = grouped(shown, GROUPS.get(page.what, ())) or " "
        helps = self.roomy or not page.error
        typed = {"n": len(shown), "length": page.length}
        self.counted = words.say("type_in.entered", **typed) if page.length and helps else ""
        error = words.either(f"type_in.error_{page.error}", "type_in.error_general")
        self.wrong = error if page.error else ""
        self.left = self._left(page)
        self.hint = words.say(f"type_in.hint_{page.what}") if helps else ""
        self.locked, self.letters = page.wait_s > 0, page.letters
        skips = refill(self.ids.skip, 1 if page.optional else 0, Card)
        for skip in skips:
            skip.target, skip.icon, skip.title = "skip", "arrow-right", words.say("type_in.skip")

    def _left(self, page: TypeIn) -> str:
        if page.wait_s > 0:
            return self.words.count("type_in.wait", page.wait_s)
        if page.tries_left is not None:
            return self.words.count("type_in.tries_left", page.tries_left)
        return ""


Screen = TypeInScreen
