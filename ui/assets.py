"""Where the screen's fonts and icons are.

Rule: nothing is guessed; a font that `./run` has not prepared, or an icon that the font lacks, is
said by name.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

from fonticon_mdi7 import MDI7

Face = Literal["NotoSansSC-Regular", "NotoSansSC-Bold", "icons"]

FONTS = Path(sys.prefix) / "share" / "kiosk" / "fonts"
"""Filled by `./run` (or the terminal's installation) beside the libraries, outside the tree."""


class AssetMissing(Exception):
    """A font or icon the screen needs is not there; the text says what to do."""


def font(face: Face) -> str:
    """The file of a face, as Kivy's `font_name` takes it. AssetMissing when it was not prepared."""
    path = Path(MDI7.__font_file__) if face == "icons" else FONTS / f"{face}.otf"
    if not path.is_file():
        raise AssetMissing(f"font {path} is missing: start with ./run, which prepares it")
    return str(path)


def icon(name: str) -> str:
    """The one character of an icon, to be drawn with font("icons").

    Names are those of Material Design Icons, "credit-card-outline"; AssetMissing for any other.
    """
    glyph = getattr(MDI7, name.replace("-", "_"), None)
    if not isinstance(glyph, str) or name.startswith("_"):
        raise AssetMissing(f"Material Design Icons 7 has no icon named {name}")
    return glyph[-1]
