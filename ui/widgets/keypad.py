"""Twelve keys for digits: ours, so that no other keyboard ever opens."""

from typing import Any

from kivy.properties import BooleanProperty, ColorProperty, StringProperty

from ui.widgets.cards import Touchable
from ui.widgets.layout import Cells


class KeypadKey(Touchable):
    """One digit, or an icon with a word."""

    word = StringProperty("")
    icon = StringProperty("")
    strong = BooleanProperty(False)
    fill = ColorProperty("#FFFFFF")
    edge = ColorProperty("#000000")
    ink = ColorProperty("#000000")


class Keypad(Cells):
    """1–9, then X or nothing, 0, erase. `letters`: X is offered."""

    letters = BooleanProperty(False)
    locked = BooleanProperty(False)
    erase_word = StringProperty("")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cols = 3
        for digit in "123456789":
            self.add_widget(KeypadKey(target=f"key:{digit}", word=digit))
        self._x = KeypadKey(target="key:X", word="X")
        self._erase = KeypadKey(target="erase", icon="backspace-outline")
        self.add_widget(self._x)
        self.add_widget(KeypadKey(target="key:0", word="0"))
        self.add_widget(self._erase)
        for name in ("letters", "locked", "erase_word"):
            self.fbind(name, self._dress)
        self._dress()

    def _dress(self, *_: Any) -> None:
        for key in self.children:
            key.enabled = not self.locked
        self._x.opacity = 1 if self.letters else 0
        self._x.enabled = self.letters and not self.locked
        self._erase.word = self.erase_word
