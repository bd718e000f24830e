"""Text that wraps and is never cut: a label as high as its words."""

from kivy.app import App
from kivy.core.text import Label as Measure
from kivy.properties import BooleanProperty, NumericProperty, StringProperty
from kivy.uix.label import Label

from ui import assets


class Text(Label):
    """A label of the width it is given and the height it needs; no words, no height."""

    strong = BooleanProperty(False)
    wraps = BooleanProperty(True)  # False: as wide as its words, on one line

    def on_wraps(self, *_: object) -> None:
        self.width = self.texture_size[0]

    def on_texture_size(self, _: object, size: tuple[float, float]) -> None:
        if not self.wraps:
            self.width = size[0]


class Heading(Text):
    """Text that rather takes the next smaller size than a second line, or a broken word."""

    largest = NumericProperty(0)

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        for name in ("text", "width", "largest", "font_name"):
            self.fbind(name, self._fit)

    def _fit(self, *_: object) -> None:
        if not (self.text and self.largest and self.width > 1):
            return
        sizes = App.get_running_app().look.steps(self.largest)
        lines = self.text.split("\n")
        self.font_size = (
            self._fitting(sizes, lines) or self._fitting(sizes, self.text.split()) or (sizes[-1])
        )

    def _fitting(self, sizes: list[float], pieces: list[str]) -> float | None:
        """The largest size at which each piece fits the width."""
        for size in sizes:
            measure = Measure(font_name=self.font_name, font_size=size)
            if all(measure.get_extents(piece)[0] <= self.width for piece in pieces):
                return size
        return None


class Icon(Label):
    """One character of the icon font; an icon always stands beside a word."""

    name = StringProperty("")

    @staticmethod
    def glyph(name: str) -> str:
        return assets.icon(name) if name else ""
