"""Characters as dots: for lines that a printer's own font cannot print, and for pictures of paper.

Rule: a character without a glyph becomes a box with its code point, so that no letter of a name is
lost. Each character is drawn once; a line is put together by shifting whole numbers.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from drivers.slip import CELL_DOTS, COLUMN_DOTS, STEP_DOTS, Row, Size, clusters, columns_of

BASELINE = 0.86  # of the height of a cell; Noto's hanzi then fill it
NO_CHARACTER = "\U0010ffff"
GLYPHS_MAX = 4096  # about as many hanzi as a hospital's people use; 2 to 5 kB each

# What a Debian terminal has, in order of preference; see ENVIRONMENT in docs.
DEBIAN_FACES = (
    ("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", "Noto Sans Mono CJK SC"),
    ("/usr/share/fonts/truetype/ukij-uyghur/UKIJTuz.ttf", ""),
    ("/usr/share/fonts/truetype/ukij-uyghur/ukijtuz.ttf", ""),
    ("/usr/share/fonts/truetype/noto/NotoSerifTibetan-Regular.ttf", ""),
    ("/usr/share/fonts/truetype/noto/NotoSansMongolian-Regular.ttf", ""),
    ("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", ""),
)


@dataclass(frozen=True)
class Bitmap:
    """Dots of ink, the first row's first dot in the highest bit. `width` is a multiple of 8."""

    width: int
    height: int
    bits: int

    def to_bytes(self) -> bytes:
        return self.bits.to_bytes(self.width // 8 * self.height, "big")


@dataclass(frozen=True)
class Face:
    """One font file; `index` counts the faces of a collection."""

    path: Path
    index: int = 0


def installed_faces() -> tuple[Face, ...]:
    """Those of DEBIAN_FACES that are on this machine."""
    found = []
    for name, family in DEBIAN_FACES:
        path = Path(name)
        if path.exists():
            found.append(Face(path, _index_of(path, family) if family else 0))
    return tuple(found)


def _index_of(path: Path, family: str) -> int:
    for index in range(32):
        try:
            name = ImageFont.truetype(path, 12, index=index).getname()[0]
        except OSError:
            break
        if name == family:
            return index
    return 0


class Glyphs:
    """Draws rows `dots` wide with the first face that has the characters."""

    def __init__(self, faces: tuple[Face, ...], dots: int = 576) -> None:
        assert faces, "at least one font"
        assert dots % 8 == 0
        self.dots = dots
        self._faces = faces
        self._fonts: dict[tuple[Face, int, bool], ImageFont.FreeTypeFont] = {}
        self._cells: dict[tuple[str, Size], int] = {}
        self._has: dict[tuple[Face, str], bool] = {}

    def missing(self, text: str) -> tuple[str, ...]:
        """Characters of text that no face has; they are drawn as their code points."""
        return tuple(c for c in text if not self._drawn_by_some(c))

    def row(self, row: Row) -> Bitmap:
        """The row with the air below it, from the left edge; alignment is the caller's."""
        height = STEP_DOTS[row.size]
        bits, at = 0, 0
        for piece, shaped in _pieces(row.text):
            columns = sum(map(columns_of, piece)) or 1
            drawn = self._shaped(piece, row.size, columns) if shaped else 0
            if not drawn:
                drawn, columns = self._cells_of(piece, row.size)
            bits |= drawn >> at
            at += self._dots_of(columns, row.size)
        if row.bold:
            bits |= bits >> (1 if row.size.high == 1 else 2)
        extra = height - CELL_DOTS * row.size.high
        return Bitmap(self.dots, height, bits << extra * self.dots)

    def _dots_of(self, columns: int, size: Size) -> int:
        return columns * COLUMN_DOTS * size.wide

    def _cells_of(self, piece: str, size: Size) -> tuple[int, int]:
        """One cell after the other, and the columns they take."""
        bits, columns = 0, 0
        for cluster in clusters(piece):
            bits |= self._cell(cluster, size) >> self._dots_of(columns, size)
            columns += columns_of(cluster[0]) or 1
        return bits, columns

    def _cell(self, cluster: str, size: Size) -> int:
        key = (cluster, size)
        bits = self._cells.get(key)
        if bits is None:
            if len(self._cells) >= GLYPHS_MAX:
                self._cells.clear()
            bits = self._cells[key] = self._packed(self._draw_cell(cluster, size))
        return bits

    def _shaped(self, run: str, size: Size, columns: int) -> int:
        """Letters that join: drawn as a whole, squeezed when wider than their columns. 0: no face
        has them all."""
        if self._face_for(run) is None:
            return 0
        width, height = self._dots_of(columns, size), CELL_DOTS * size.high
        font = self._font(self._face_for(run), height, shaping=True)
        left, top, right, bottom = font.getbbox(run, anchor="ls")
        image = Image.new("L", (max(1, int(right - left) + 2), max(1, int(bottom - top) + 2)))
        ImageDraw.Draw(image).text((1 - left, 1 - top), run, 255, font=font, anchor="ls")
        if image.width > width or image.height > height:
            fit = (min(image.width, width), min(image.height, height))
            image = image.resize(fit, Image.Resampling.LANCZOS)
        canvas = Image.new("L", (width, height))
        base = min(max(0, round(height * 0.76 + top)), height - image.height)
        canvas.paste(image, (width - image.width if _right_to_left(run) else 0, base))
        return self._packed(canvas.point(lambda value: 255 * (value > 110)).convert("1"))

    def _draw_cell(self, cluster: str, size: Size) -> Image.Image:
        width = self._dots_of(columns_of(cluster[0]) or 1, size)
        em, height = CELL_DOTS * size.wide, CELL_DOTS * size.high
        face = self._face_for(cluster)
        if face is None:
            return self._code_point_box(cluster, width, height)
        image = Image.new("1", (width, em))
        draw = ImageDraw.Draw(image)
        draw.fontmode = "1"
        font = self._font(face, em, shaping=len(cluster) > 1)
        indent = (width - font.getlength(cluster)) / 2
        draw.text((round(indent), round(em * BASELINE)), cluster, 1, font=font, anchor="ls")
        if image.getbbox() is None and cluster != " ":
            return self._code_point_box(cluster, width, height)  # nothing is lost unseen
        return image if height == em else image.resize((width, height), Image.Resampling.NEAREST)

    def _code_point_box(self, cluster: str, width: int, height: int) -> Image.Image:
        """A frame with the number of the first character that no font has."""
        missing = next((c for c in cluster if not self._drawn_by_some(c)), cluster[0])
        digits = f"{ord(missing):04X}"
        across = 2 if width < height else 3
        image = Image.new("1", (width, height))
        draw = ImageDraw.Draw(image)
        draw.fontmode = "1"
        draw.rectangle((0, 0, width - 2, height - 2), outline=1)
        lines = [digits[at : at + across] for at in range(0, len(digits), across)]
        font = self._font(self._faces[0], max(8, height // 3 + 2), shaping=False)
        for number, line in enumerate(lines):
            foot = (number + 1) * (height - 2) // len(lines) - 1
            draw.text((width // 2, foot), line, 1, font=font, anchor="ms")
        return image

    def _packed(self, image: Image.Image) -> int:
        """The image's dots at the left of rows that are self.dots wide."""
        data = image.tobytes()
        bytes_a_row = (image.width + 7) // 8
        bits = 0
        for row in range(image.height):
            one = int.from_bytes(data[row * bytes_a_row : (row + 1) * bytes_a_row], "big")
            one = one << self.dots - bytes_a_row * 8 if bytes_a_row * 8 <= self.dots else 0
            bits = bits << self.dots | one
        return bits

    def _face_for(self, text: str) -> Face | None:
        for face in self._faces:
            if all(self._covers(face, character) for character in text):
                return face
        return None

    def _drawn_by_some(self, character: str) -> bool:
        return any(self._covers(face, character) for face in self._faces)

    def _covers(self, face: Face, character: str) -> bool:
        if character == " " or unicodedata.category(character) == "Cf":
            return True
        key = (face, character)
        if key not in self._has:
            if len(self._has) >= GLYPHS_MAX:
                self._has.clear()
            font = self._font(face, CELL_DOTS, shaping=False)
            self._has[key] = bytes(font.getmask(character)) != bytes(font.getmask(NO_CHARACTER))
        return self._has[key]

    def _font(self, face: Face | None, em: int, *, shaping: bool) -> ImageFont.FreeTypeFont:
        assert face is not None
        key = (face, em, shaping)
        if key not in self._fonts:
            engine = ImageFont.Layout.RAQM if shaping else ImageFont.Layout.BASIC
            self._fonts[key] = ImageFont.truetype(
                face.path, em, index=face.index, layout_engine=engine
            )
        return self._fonts[key]


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """Runs that must be shaped as a whole, with the spaces inside them, and the rest."""
    kinds = [_joins(character) for character in text]
    for at, character in enumerate(text):
        if character == " " and 0 < at < len(text) - 1:
            kinds[at] = kinds[at - 1] and _joins(text[at + 1])
    for shaped, group in groupby(zip(kinds, text, strict=True), key=lambda pair: pair[0]):
        yield "".join(character for _, character in group), shaped


def _joins(character: str) -> bool:
    """Scripts whose letters change with their neighbours."""
    point = ord(character)
    return (
        0x0590 <= point <= 0x109F
        or 0x1780 <= point <= 0x18AF
        or 0xFB1D <= point <= 0xFDFF
        or 0xFE70 <= point <= 0xFEFC
        or point in (0x200C, 0x200D)
    )


def _right_to_left(run: str) -> bool:
    return any(unicodedata.bidirectional(character) in ("R", "AL") for character in run)
