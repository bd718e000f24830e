"""The bench's window. Imported only once Kivy has been configured.

Rule: it shows what the demo says and sends what is pressed; nothing is decided here.
"""

from __future__ import annotations

from typing import Any

from kivy.app import App
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.button import Button
from kivy.uix.gridlayout import GridLayout
from kivy.uix.image import Image
from kivy.uix.label import Label
from kivy.uix.scrollview import ScrollView
from kivy.uix.widget import Widget
from kivy.utils import get_color_from_hex

from ui.assets import font
from ui.bench.protocol import CODES, NOTES_YUAN, PAD_ANSWERS, BenchClient, BenchLost
from ui.bench.words import Language, catalogue
from ui.theme import PALETTES

LOOK_EVERY_S = 1.0
GAP, ROW, TEXT = 6, 42, 20
FACE = str(font("NotoSansSC-Regular"))


def colour(name: str) -> Any:
    return get_color_from_hex(getattr(PALETTES["light"], name))


class Bench(App):
    def __init__(self, client: BenchClient, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._client = client
        self._language: Language = "zh"
        self._people: list[dict[str, str]] = []
        self._who = ""
        self._slips: list[str] = []
        self._at = 0

    def open_settings(self, *_: Any) -> bool:
        return False

    def build(self) -> Any:
        Window.clearcolor = colour("bg")
        self._root = BoxLayout(orientation="horizontal", padding=GAP, spacing=GAP)
        self._draw()
        Clock.schedule_interval(lambda _: self._look(), LOOK_EVERY_S)
        return self._root

    # --- what is drawn

    def _draw(self) -> None:
        self._root.clear_widgets()
        left = GridLayout(cols=1, spacing=GAP, size_hint_y=None)
        left.bind(minimum_height=left.setter("height"))
        for part in self._parts():
            left.add_widget(part)
        scroll = ScrollView()
        scroll.add_widget(left)
        self._root.add_widget(scroll)
        self._root.add_widget(self._paper())

    def _parts(self) -> list[Widget]:
        say = self._words.__getitem__
        people = [
            (
                f"{one['name']} · {one['note']}",
                lambda one=one: self._choose(one["id"]),
                one["id"],
            )
            for one in self._people
        ]
        codes = [
            (say(f"code.{kind}"), lambda kind=kind: self._show_code(kind), "") for kind in CODES
        ]
        pad = [
            (say(f"pad.{how}"), lambda how=how: self._do("pad_answers", how=how), "")
            for how in PAD_ANSWERS
        ]
        there = [
            ("receipt_out", "receipt_paper", False),
            ("receipt_in", "receipt_paper", True),
            ("report_out", "report_paper", False),
            ("report_in", "report_paper", True),
            ("cut", "network", False),
            ("mend", "network", True),
        ]
        paper = [
            (say(key), lambda do=do, is_there=is_there: self._do(do, there=is_there), "")
            for key, do, is_there in there
        ]
        card = [
            (say("lay"), lambda: self._do("lay_card", person=self._who), ""),
            (say("lift"), lambda: self._do("lift_card"), ""),
            (say("put_social"), lambda: self._do("put_social_card", person=self._who), ""),
            (say("pull_social"), lambda: self._do("pull_social_card"), ""),
        ]
        notes = [
            (
                say("note").format(yuan=yuan),
                lambda yuan=yuan: self._do("insert_note", yuan=yuan),
                "",
            )
            for yuan in NOTES_YUAN
        ]
        bank = (say("bank_card"), lambda: self._do("bank_card"), "")
        phone = (say("phone"), lambda: self._do("phone_pays"), "")
        return [
            self._heading("title"),
            self._keys([(say("language"), self._other_language, "")]),
            self._heading("people"),
            self._keys(people),
            self._keys(card),
            self._heading("codes"),
            self._keys([*codes, phone], 3),
            self._heading("pad"),
            self._keys([bank, *pad], 3),
            self._heading("cash"),
            self._keys(notes, 6),
            self._heading("paper"),
            self._keys(paper, 3),
        ]

    def _paper(self) -> Widget:
        box = BoxLayout(orientation="vertical", spacing=GAP)
        say = self._words.__getitem__
        box.add_widget(self._heading("slips" if self._slips else "none"))
        if self._slips:
            at = max(0, min(self._at, len(self._slips) - 1))
            box.add_widget(Image(source=self._slips[-1 - at], fit_mode="contain"))
        keys = [
            (say("newer"), lambda: self._turn(-1), ""),
            (say("older"), lambda: self._turn(1), ""),
        ]
        box.add_widget(self._keys(keys))
        return box

    def _heading(self, key: str) -> Widget:
        label = Label(text=self._words[key], font_name=FACE, font_size=TEXT, bold=False)
        label.color, label.size_hint_y, label.height = colour("ink"), None, ROW * 0.7
        label.bind(size=lambda it, size: setattr(it, "text_size", size))
        label.halign, label.valign = "left", "bottom"
        return label

    def _keys(self, keys: list[tuple[str, Any, str]], across: int = 2) -> Widget:
        grid = GridLayout(cols=across, spacing=GAP, size_hint_y=None, row_default_height=ROW)
        grid.row_force_default = True
        grid.height = -(-len(keys) // across) * (ROW + GAP)
        for text, act, key in keys:
            chosen = bool(key) and key == self._who
            button = Button(text=text, font_name=FACE, font_size=TEXT * 0.9)
            button.background_normal = button.background_down = ""
            button.background_color = colour("primary" if chosen else "surface")
            button.color = colour("surface" if chosen else "ink")
            button.bind(on_release=lambda _, act=act: act())
            grid.add_widget(button)
        return grid

    # --- what is pressed

    @property
    def _words(self) -> dict[str, str]:
        return catalogue(self._language)

    def _choose(self, person: str) -> None:
        self._who = person
        self._draw()

    def _other_language(self) -> None:
        self._language = "en" if self._language == "zh" else "zh"
        self._draw()

    def _show_code(self, kind: str) -> None:
        self._do("show_code", kind=kind, person=self._who)

    def _turn(self, by: int) -> None:
        self._at = max(0, min(self._at + by, len(self._slips) - 1))
        self._draw()

    def _do(self, what: str, **facts: Any) -> dict[str, Any]:
        try:
            return self._client.say(what, **facts)
        except BenchLost:
            self.stop()
            return {}

    def _look(self) -> None:
        seen = self._do("look")
        people, slips = seen.get("people", self._people), seen.get("slips", self._slips)
        if (people, slips) == (self._people, self._slips):
            return
        self._people, self._slips, self._at = people, slips, 0
        self._who = self._who or (people[0]["id"] if people else "")
        self._draw()
