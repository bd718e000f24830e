"""The top bar (where, who, which step, language) and the bottom bar (four fixed keys)."""

from typing import Any

from kivy.properties import ColorProperty, ListProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from ui.widgets.cards import Tile, Touchable

ICONS = {
    "back": "arrow-left",
    "end": "exit-to-app",
    "quit": "close",
    "help": "hand-wave",
    "window": "account-tie",
    "large": "format-size",
    "voice": "volume-high",
    "low": "arrow-collapse-down",
    "hold": "pause",
    "nurse": "account-voice",
    "lock": "lock",
}


class LanguageKey(Touchable):
    """The other language, named in its own script."""

    own_name = StringProperty("")
    ink = ColorProperty("#FFFFFF")


class TopBar(BoxLayout):
    heading = StringProperty("")
    aside = StringProperty("")
    language_target = StringProperty("")
    language_name = StringProperty("")


class BarKey(Tile):
    """One key of the bottom bar."""


class BottomBar(BoxLayout):
    """`keys`: (target, word, on) from left to right."""

    keys = ListProperty([])

    def on_keys(self, *_: Any) -> None:
        cells = self.ids.cells
        if [key.target for key in cells.children[::-1]] != [key[0] for key in self.keys]:
            cells.clear_widgets()
            for target, _word, _on in self.keys:
                cells.add_widget(BarKey(target=target, icon=ICONS[target]))
        for key, (_target, word, on) in zip(cells.children[::-1], self.keys, strict=True):
            key.title, key.chosen = word, on
        cells.cols = max(1, len(self.keys))
