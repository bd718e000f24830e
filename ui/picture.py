"""The screen as a PNG file, under exactly the name that was asked for."""

from __future__ import annotations

from pathlib import Path

from kivy.core.window import Window
from kivy.graphics.opengl import GL_RGB, GL_UNSIGNED_BYTE, glReadPixels
from PIL import Image


def screenshot(path: Path) -> None:
    """What the window shows now, drawn anew; on Kivy's thread."""
    Window.dispatch("on_draw")
    width, height = Window.system_size
    data = glReadPixels(0, 0, width, height, GL_RGB, GL_UNSIGNED_BYTE)
    picture = Image.frombytes("RGB", (width, height), bytes(data))
    picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(path, compress_level=1)
