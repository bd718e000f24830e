"""A TrueType font with just the needed characters, made from the system's Noto Sans CJK.

reportlab embeds TrueType outlines only and Debian's Noto has PostScript ones, so the glyphs that a
report needs are taken out and their curves converted. The face is the Simplified Chinese one: the
first face of Debian's collection is Japanese and draws 骨 and 直 differently.
"""

from __future__ import annotations

import io
from pathlib import Path

from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection, TTFont, newTable

_FOLDER = Path("/usr/share/fonts/opentype/noto")
_FACE = "Noto Sans CJK SC"
_MAX_ERROR_EM = 1 / 1000


class FontMissing(Exception):
    """The Debian package fonts-noto-cjk is not installed."""


def truetype(characters: frozenset[str], name: str, *, bold: bool = False) -> bytes:
    """A TrueType font file called `name` with these characters. About 0.2 s for a hundred."""
    path = _FOLDER / f"NotoSansCJK-{'Bold' if bold else 'Regular'}.ttc"
    if not path.exists():
        raise FontMissing("fonts-noto-cjk")
    font = _face(path)
    options = Options(layout_features=[], name_IDs=[1, 2, 4, 6], notdef_outline=True, hinting=False)
    options.drop_tables += ["VORG", "vhea", "vmtx", "BASE", "GPOS", "GSUB", "GDEF"]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=[ord(character) for character in characters])
    subsetter.subset(font)
    _convert(font)
    for record in font["name"].names:
        record.string = name  # reportlab takes two fonts of one name for the same font
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


def _face(path: Path) -> TTFont:
    for font in TTCollection(path, lazy=True).fonts:
        if font["name"].getDebugName(1) == _FACE:
            return font
    raise FontMissing(_FACE)


def _convert(font: TTFont) -> None:
    """CFF outlines to quadratic ones, in place."""
    order = font.getGlyphOrder()
    glyphs = font.getGlyphSet()
    error = font["head"].unitsPerEm * _MAX_ERROR_EM
    outlines = {}
    for name in order:
        pen = TTGlyphPen(glyphs)
        glyphs[name].draw(Cu2QuPen(pen, error, reverse_direction=True))
        outlines[name] = pen.glyph()
    glyf = font["glyf"] = newTable("glyf")
    glyf.glyphOrder = order
    glyf.glyphs = outlines
    font["loca"] = newTable("loca")
    del font["CFF "]
    _set_maximums(font)
    font.sfntVersion = "\x00\x01\x00\x00"


def _set_maximums(font: TTFont) -> None:
    """A TrueType `maxp`, whose counts the compiler fills from the outlines."""
    maxp = font["maxp"] = newTable("maxp")
    maxp.tableVersion = 0x00010000
    for field in [
        "maxTwilightPoints",
        "maxStorage",
        "maxFunctionDefs",
        "maxInstructionDefs",
        "maxStackElements",
        "maxSizeOfInstructions",
        "maxComponentElements",
        "maxPoints",
        "maxContours",
        "maxCompositePoints",
        "maxCompositeContours",
        "maxComponentDepth",
    ]:
        setattr(maxp, field, 0)
    maxp.maxZones = 1
    maxp.numGlyphs = len(font.getGlyphOrder())
    post = font["post"]
    post.formatType = 3.0
