"""Takes the Simplified Chinese face out of Debian's Noto collection, once.

Rule: the font appears under its name whole or not at all, so that a start that was interrupted
is simply done again.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools.ttLib import TTCollection

FAMILY = "Noto Sans CJK SC"
"""Name of the face; the collection's first face is the Japanese one, and Kivy opens the first."""


def take_face(collection: Path, font: Path, family: str = FAMILY) -> None:
    """Write the face of `family` as `font`. ValueError when the collection has no such face."""
    for face in TTCollection(str(collection)).fonts:
        if face["name"].getDebugName(1) == family:
            break
    else:
        raise ValueError(f"{collection} has no face {family}")
    font.parent.mkdir(parents=True, exist_ok=True)
    unfinished = font.with_suffix(".part")
    face.save(unfinished)
    unfinished.replace(font)


if __name__ == "__main__":
    take_face(Path(sys.argv[1]), Path(sys.argv[2]))
