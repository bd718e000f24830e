"""A code for a phone's camera: whole pixels a module, black on white in every theme."""

from typing import Any

import segno
from kivy.graphics import Color, Rectangle
from kivy.graphics.texture import Texture
from kivy.properties import StringProperty
from kivy.uix.widget import Widget

QUIET = 4  # modules of white around it, as the standard asks


def modules(content: str) -> list[bytes]:
    """Rows from the bottom up, one byte a module, 255 white; the quiet zone included."""
    matrix = segno.make_qr(content, error="m").matrix_iter(border=QUIET)
    rows = [bytes(0 if dark else 255 for dark in row) for row in matrix]
    return rows[::-1]


class QrImage(Widget):
    """Draws `content`; nothing while it is empty."""

    content = StringProperty("")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._texture: Any = None
        self.fbind("content", self._make)
        self.fbind("pos", self._draw)
        self.fbind("size", self._draw)

    def _make(self, *_: Any) -> None:
        self._texture = None
        if self.content:
            rows = modules(self.content)
            texture = Texture.create(size=(len(rows), len(rows)), colorfmt="luminance")
            texture.mag_filter = texture.min_filter = "nearest"
            texture.blit_buffer(b"".join(rows), colorfmt="luminance", bufferfmt="ubyte")
            self._texture = texture
        self._draw()

    def _draw(self, *_: Any) -> None:
        self.canvas.clear()
        if self._texture is None:
            return
        across = self._texture.width
        side = max(1, int(min(self.width, self.height) // across)) * across
        with self.canvas:
            Color(1, 1, 1, 1)
            Rectangle(
                texture=self._texture,
                size=(side, side),
                pos=(int(self.center_x - side / 2), int(self.center_y - side / 2)),
            )
