"""A drawing of this very machine, with arrows to the parts that are meant."""

from typing import Any, NamedTuple

from kivy.app import App
from kivy.clock import Clock
from kivy.graphics import Color, SmoothLine, SmoothRoundedRectangle, Triangle
from kivy.properties import ListProperty, StringProperty
from kivy.uix.widget import Widget


class Box(NamedTuple):
    """In hundredths of the picture's side, from its lower left corner."""

    x: float
    y: float
    width: float
    height: float


BODY = Box(22, 1, 56, 98)
SCREEN = Box(28, 43, 44, 50)
PARTS = {
    "id_reader": Box(27, 25, 16, 13),
    "pad": Box(46, 21, 11, 17),
    "scanner": Box(60, 27, 13, 11),
    "cash_box": Box(46, 13, 27, 6),
    "receipt_printer": Box(27, 15, 16, 5),
    "a4_printer": Box(34, 5, 32, 6),
}
ARROWS = {  # from where, to where
    "id_reader": ((2, 31.5), (24, 31.5)),
    "pad": ((51.5, 62), (51.5, 42)),
    "scanner": ((98, 32.5), (76, 32.5)),
    "cash_box": ((98, 16), (76, 16)),
    "receipt_printer": ((2, 17.5), (24, 17.5)),
    "a4_printer": ((98, 8), (70, 8)),
}


class MachinePicture(Widget):
    """`part` and `parts`: what is lit and pointed at."""

    part = StringProperty("")
    parts = ListProperty([])

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        draw = Clock.create_trigger(self._draw, -1)
        for name in ("pos", "size", "part", "parts"):
            self.fbind(name, draw)
        draw()

    def _draw(self, *_: Any) -> None:
        look = App.get_running_app().look
        self.canvas.clear()
        lit = {*self.parts, self.part} & PARTS.keys()
        with self.canvas:
            self._box(BODY, look.line, 5)
            self._box(_inside(BODY, 1), look.surface, 4)
            self._box(SCREEN, look.ink, 2)
            self._box(_inside(SCREEN, 1.2), look.tint, 1)
            self._box(Box(32, 84, 36, 5), look.primary, 1)
            self._box(Box(32, 66, 36, 13), look.primary, 1)
            self._box(Box(32, 56, 17, 7), look.line, 1)
            self._box(Box(51, 56, 17, 7), look.line, 1)
            self._box(Box(32, 47, 17, 7), look.line, 1)
            self._box(Box(51, 47, 17, 7), look.line, 1)
            for name, box in PARTS.items():
                self._box(box, look.ink, 1.5)
                self._box(_inside(box, 0.9), look.focus if name in lit else look.disabled_bg, 1)
            self._details(look)
            for name in lit:
                self._arrow(*ARROWS[name], look)

    def _details(self, look: Any) -> None:
        """What makes each part look like itself."""
        self._box(Box(30, 29, 5, 5), look.ink, 0.5)
        self._box(Box(36.5, 32.2, 4, 1.4), look.ink, 0.3)
        self._box(Box(36.5, 29.2, 4, 1.4), look.ink, 0.3)
        self._box(Box(48, 33, 7, 3), look.ink, 0.3)
        for row in range(3):
            for column in range(3):
                self._box(Box(48 + column * 2.6, 29.4 - row * 2.9, 1.7, 1.7), look.ink, 0.3)
        self._box(Box(63, 30, 7, 5), look.ink, 0.5)
        self._box(Box(29, 16.7, 12, 1.6), look.ink, 0.3)
        self._box(Box(49, 15.2, 21, 1.6), look.ink, 0.3)
        self._box(Box(36, 7.2, 28, 1.6), look.ink, 0.3)

    def _box(self, box: Box, colour: Any, radius: float) -> None:
        Color(*_rgba(colour))
        SmoothRoundedRectangle(
            pos=self._at(box.x, box.y),
            size=(box.width * self._unit, box.height * self._unit),
            radius=[radius * self._unit],
        )

    def _arrow(self, start: tuple[float, float], end: tuple[float, float], look: Any) -> None:
        (from_x, from_y), (to_x, to_y) = start, end
        length = max(abs(to_x - from_x), abs(to_y - from_y))
        along = ((to_x - from_x) / length, (to_y - from_y) / length)
        across = (-along[1], along[0])
        neck = (to_x - along[0] * 8, to_y - along[1] * 8)
        wings = [
            (neck[0] + side * across[0] * 6, neck[1] + side * across[1] * 6) for side in (1, -1)
        ]
        Color(*_rgba(look.primary))
        SmoothLine(
            points=[*self._at(*start), *self._at(neck[0], neck[1])],
            width=max(1.0, 2 * self._unit),
            cap="none",
        )
        Triangle(points=[*self._at(*wings[0]), *self._at(*wings[1]), *self._at(to_x, to_y)])

    @property
    def _unit(self) -> float:
        return float(min(self.width, self.height)) / 100

    def _at(self, x: float, y: float) -> tuple[float, float]:
        side = min(self.width, self.height)
        left, bottom = self.center_x - side / 2, self.center_y - side / 2
        return (left + x * side / 100, bottom + y * side / 100)


def _inside(box: Box, by: float) -> Box:
    return Box(box.x + by, box.y + by, box.width - 2 * by, box.height - 2 * by)


def _rgba(colour: Any) -> tuple[float, ...]:
    return tuple(colour)
