"""What a reader of codes can tell the person who holds one, when none was found."""

from __future__ import annotations

from enum import Enum


class Hint(Enum):
    """What the person could do, so that the code can be read."""

    NONE = "none"
    TOO_DARK = "too_dark"
    GLARE = "glare"
