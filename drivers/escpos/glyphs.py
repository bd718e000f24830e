"""Characters as dots: for lines that a printer's own font cannot print, and for pictures of paper.

Rule: a character without a glyph becomes a box with its code point, so that no letter of a name is
lost. Each character is drawn once; a line is put together by shifting whole numbers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from drivers.slip import CELL_DOTS, COLUMN_DOTS, STEP_DOTS, Row, Size, clusters, columns_of

BASELINE = 0.86  # of the height of a cell; Noto's hanzi then fill it
NO_CHARACTER = "\U0010ffff"
GLYPHS_MAX = 4096  # about as many hanzi as a hospital's people use; 2 to 5 kB each

# What a Debian terminal has, in order of preference: fonts-noto-cjk; fonts-ukij-uyghur and
# fonts-noto-core, which hold the scripts of China's other peoples; fonts-dejavu-core.
_NOTO = "/usr/share/fonts/truetype/noto"
DEBIAN_FACES = (
    ("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", "Noto Sans Mono CJK SC"),
    ("/usr/share/fonts/truetype/fonts-ukij-uyghur/UKIJTuz.ttf", ""),
    (f"{_NOTO}/NotoSerifTibetan-Regular.ttf", ""),
    (f"{_NOTO}/NotoSansMongolian-Regular.ttf", ""),
    (f"{_NOTO}/NotoSansYi-Regular.ttf", ""),
    (f"{_NOTO}/NotoSansTaiLe-Regular.ttf", ""),
    (f"{_NOTO}/NotoSansLisu-Regular.ttf", ""),
    (f"{_NOTO}/NotoSansArabic-Regular.ttf", ""),
    (f"{_NOTO}/NotoSans-Regular.ttf", ""),
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
        self._cells: dict[Size, dict[str, tuple[int, int]]] = {size: {} for size in Size}
        self._digits: dict[int, dict[str, Image.Image]] = {}
        self._has: dict[tuple[Face, str], bool] = {}

    def missing(self, text: str) -> tuple[str, ...]:
        """Characters of text that no face has; they are drawn as their code points."""
        return tuple(c for c in sorted(set(text)) if not self._drawn_by_some(c))

    def row(self, row: Row) -> Bitmap:
        """The row with the air below it, from the left edge; alignment is the caller's."""
        bits = self._line(row.text, row.size)
        if row.bold:
            bits |= bits >> (1 if row.size.high == 1 else 2)
        height = STEP_DOTS[row.size]
        air = height - CELL_DOTS * row.size.high
        return Bitmap(self.dots, height, bits << air * self.dots)

    def _line(self, text: str, size: Size) -> int:
        bits, at = 0, 0
        for piece, shaped in _pieces(text):
            width = sum(map(columns_of, piece)) * COLUMN_DOTS * size.wide
            drawn = self._shaped(piece, size, width) if shaped and width else 0
            if not drawn:
                drawn, width = self._cells_of(piece, size)
            bits |= drawn >> at
            at += width
        return bits

    def _cells_of(self, piece: str, size: Size) -> tuple[int, int]:
        """One cell after the other, and the dots they take."""
        cells = self._cells[size]
        bits, at = 0, 0
        for cluster in clusters(piece):
            cell = cells.get(cluster) or self._draw(cluster, size)
            bits |= cell[0] >> at
            at += cell[1]
        return bits, at

    def _draw(self, cluster: str, size: Size) -> tuple[int, int]:
        """A cell drawn for the first time."""
        cells = self._cells[size]
        if len(cells) >= GLYPHS_MAX:
            cells.clear()
        width = (columns_of(cluster[0]) or 1) * COLUMN_DOTS * size.wide
        cells[cluster] = self._packed(self._draw_cell(cluster, size, width)), width
        return cells[cluster]

    def _shaped(self, run: str, size: Size, width: int) -> int:
        """Letters that join: drawn as a whole, squeezed when wider than their columns. 0: no face
        has them all."""
        if self._face_for(run) is None:
            return 0
        height = CELL_DOTS * size.high
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

    def _draw_cell(self, cluster: str, size: Size, width: int) -> Image.Image:
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
        lines = [digits[at : at + across] for at in range(0, len(digits), across)]
        image = Image.new("1", (width, height))
        ImageDraw.Draw(image).rectangle((0, 0, width - 2, height - 2), outline=1)
        drawn = self._small_digits(height)
        for number, line in enumerate(lines):
            foot = (number + 1) * (height - 2) // len(lines) - 1
            left = (width - sum(drawn[digit].width for digit in line)) // 2
            for digit in line:
                image.paste(1, (left, foot - drawn[digit].height), drawn[digit])
                left += drawn[digit].width
        return image

    def _small_digits(self, height: int) -> dict[str, Image.Image]:
        """0 to F, of a size of which two or three lines fit into a cell."""
        if height not in self._digits:
            em = max(8, height // 3 + 2)
            font = self._font(self._faces[0], em, shaping=False)
            self._digits[height] = {}
            for digit in "0123456789ABCDEF":
                left, top, right, bottom = font.getbbox(digit, anchor="ls")
                image = Image.new("1", (int(right - left) + 1, int(bottom - top)))
                draw = ImageDraw.Draw(image)
                draw.fontmode = "1"
                draw.text((-left, -top), digit, 1, font=font, anchor="ls")
                self._digits[height][digit] = image
        return self._digits[height]

    def _packed(self, image: Image.Image) -> int:
        """The image's dots at the left of rows that are self.dots wide."""
        line = Image.new("1", (self.dots, image.height))
        line.paste(image, (0, 0))
        return int.from_bytes(line.tobytes(), "big")

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


# Scripts whose letters change with their neighbours: Hebrew to Myanmar, Khmer, Mongolian, and the
# joiners. Spaces between two such words belong to the run.
_LETTERS = "[\u0590-\u109f\u1780-\u18af\u200c\u200d\ufb1d-\ufdff\ufe70-\ufefc]"
_RUN = re.compile(f"{_LETTERS}+(?: {_LETTERS}+)*")


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """Runs that must be shaped as a whole, and the rest."""
    end = 0
    for run in _RUN.finditer(text):
        if run.start() > end:
            yield text[end : run.start()], False
        yield run.group(), True
        end = run.end()
    if end < len(text):
        yield text[end:], False


def _right_to_left(run: str) -> bool:
    return any(unicodedata.bidirectional(character) in ("R", "AL") for character in run)
