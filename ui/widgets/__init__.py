"""Our own widgets: what can be touched, what is read, and how both are laid out.

Rule: a widget knows the theme as `look` and words as `tr` in its .kv, draws what it is given, and
sends nothing: the stage asks it for its target.
"""

from pathlib import Path

from kivy.lang import Builder

from ui.widgets import (
    bars,
    cards,
    keypad,
    layout,
    machine,
    money,
    notice,
    page,
    qr,
    sheets,
    text,
)

HERE = Path(__file__).parent
FILES = ("text", "cards", "bars", "notice", "money", "sheets", "keypad")


def load_kv(path: Path) -> None:
    """Read a .kv file once; a second time its rules would draw everything twice."""
    if str(path) not in Builder.files:
        Builder.load_file(str(path))


for _name in FILES:
    load_kv(HERE / f"{_name}.kv")

__all__ = [
    "bars",
    "cards",
    "keypad",
    "layout",
    "load_kv",
    "machine",
    "money",
    "notice",
    "page",
    "qr",
    "sheets",
    "text",
]
