"""Text that wraps and is never cut: a label as high as its words."""

from kivy.properties import BooleanProperty, StringProperty
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


class Icon(Label):
    """One character of the icon font; an icon always stands beside a word."""

    name = StringProperty("")

    @staticmethod
    def glyph(name: str) -> str:
        return assets.icon(name) if name else ""
