"""A slip as ESC/POS bytes: text where the printer's own font has it, dots only where it has not.

Rule: from a slip's words come only printable ASCII and two-byte GBK, or dots; never a control byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import segno

from drivers.escpos import commands as cmd
from drivers.escpos.commands import Model
from drivers.escpos.glyphs import Bitmap, Glyphs
from drivers.slip import (
    STEP_DOTS,
    Align,
    Block,
    Code128,
    Qr,
    Row,
    Size,
    Slip,
    Space,
    Stripped,
    in_printer_font,
    lay_out,
)

BLOCKS_A_MARK = 12  # how exactly is known where a slip broke off
QR_DOTS = 288  # 36 mm: what a phone and the clerk's scanner read at arm's length
QR_MODULE_DOTS = range(3, 9)
BAND_ROWS_MAX = 255  # keeps the height's high byte zero


@dataclass(frozen=True)
class Part:
    """Bytes that end with a mark; its answer says that `blocks` of the slip have been taken."""

    data: bytes
    blocks: int
    height_dots: int


@dataclass(frozen=True)
class Job:
    """One slip for one printer. `stripped` and `boxed` name characters by code point only."""

    parts: tuple[Part, ...]
    stripped: tuple[Stripped, ...] = ()
    boxed: tuple[int, ...] = ()
    """Characters that no font has: their code points stand on the paper instead."""

    @property
    def blocks(self) -> int:
        return self.parts[-1].blocks

    @property
    def data(self) -> bytes:
        return b"".join(part.data for part in self.parts)


def encode(slip: Slip, model: Model, glyphs: Glyphs | None) -> Job:
    """Without glyphs a character that needs dots stands on paper as its code point, 〔20BB7〕."""
    assert slip.columns == model.columns, f"a slip of {slip.width_mm} mm for {model.name}"
    layout = lay_out(slip)
    pen = _Pen(model, glyphs)
    parts: list[Part] = []
    data, height = cmd.INIT + cmd.ASB_OFF, 0
    for number, block in enumerate(layout.blocks, start=1):
        data += pen.block(block)
        height += height_of(block)
        if number == len(layout.blocks):
            data += pen.chinese(on=False) + cmd.CUT
        if number % BLOCKS_A_MARK == 0 or number == len(layout.blocks):
            parts.append(Part(data + cmd.MARK, number, height))
            data, height = b"", 0
    return Job(tuple(parts), layout.stripped, tuple(sorted(pen.boxed)))


def height_of(block: Block) -> int:
    """Dots of paper, roughly: for how long printing may take, never for layout."""
    match block:
        case Row(size=size):
            return STEP_DOTS[size]
        case Space(dots=dots):
            return dots
    return QR_DOTS


class _Pen:
    """What the printer is set to now, so that only changes are sent."""

    def __init__(self, model: Model, glyphs: Glyphs | None) -> None:
        self.boxed: set[int] = set()
        self._model = model
        self._glyphs = glyphs
        self._chinese = False
        self._size = Size.NORMAL
        self._step = 0
        self._bold = False
        self._align = Align.LEFT

    def block(self, block: Block) -> bytes:
        match block:
            case Row():
                return self._row(block)
            case Space(dots=dots):
                return cmd.FEED + bytes([dots])
            case Qr():
                return self._qr(block)
            case Code128(text=text):
                return self._code128(text)

    def chinese(self, *, on: bool) -> bytes:
        if on == self._chinese:
            return b""
        self._chinese = on
        return cmd.CHINESE_ON if on else cmd.CHINESE_OFF

    def _row(self, row: Row) -> bytes:
        if all(map(in_printer_font, row.text)):
            return self._text(row, row.text)
        if self._glyphs is None:
            return self._text(row, "".join(map(self._spelled, row.text)))
        self.boxed.update(map(ord, self._glyphs.missing(row.text)))
        return self._aligned(row.align) + raster(self._glyphs.row(row))

    def _spelled(self, character: str) -> str:
        if in_printer_font(character):
            return character
        self.boxed.add(ord(character))
        return f"〔{ord(character):04X}〕"

    def _text(self, row: Row, text: str) -> bytes:
        data = text.rstrip(" ").encode("gb18030")
        assert not any(byte < 0x20 or byte == 0x7F for byte in data), "a control byte in a text"
        style = self._aligned(row.align) + self._sized(row.size) + self._emphasised(row.bold)
        return self.chinese(on=True) + style + data + cmd.LINE_FEED

    def _sized(self, size: Size) -> bytes:
        data = b""
        if self._step != STEP_DOTS[size]:
            self._step = STEP_DOTS[size]
            data += cmd.STEP + bytes([self._step])
        if self._size != size:
            self._size = size
            # Some printers size hanzi by FS !, some by GS !; FS ! ends at twice, so it goes first.
            hanzi = (0x04 if size.wide == 2 else 0) | (0x08 if size.high == 2 else 0)
            both = (size.wide - 1) << 4 | (size.high - 1)
            data += cmd.CHINESE_SIZE + bytes([hanzi]) + cmd.SIZE + bytes([both])
        return data

    def _emphasised(self, bold: bool) -> bytes:
        if bold == self._bold:
            return b""
        self._bold = bold
        return cmd.BOLD + bytes([bold])

    def _aligned(self, align: Align) -> bytes:
        if align == self._align:
            return b""
        self._align = align
        return cmd.ALIGN + bytes([align.value])

    def _qr(self, qr: Qr) -> bytes:
        payload = qr.payload.encode()
        code = segno.make_qr(payload, error="m", boost_error=False)
        modules = int(code.symbol_size(border=0)[0])
        module = min(max(QR_DOTS // modules, QR_MODULE_DOTS[0]), QR_MODULE_DOTS[-1])
        style = self.chinese(on=False) + self._aligned(Align.CENTRE)
        if not self._model.native_qr:
            return style + raster(_qr_bitmap(code, module))
        length = (len(payload) + len(cmd.QR_STORE)).to_bytes(2, "little")
        store = cmd.QR + length + cmd.QR_STORE + payload
        size = cmd.QR_MODULE + bytes([module])
        return style + cmd.QR_MODEL_2 + size + cmd.QR_LEVEL_M + store + cmd.QR_PRINT

    def _code128(self, text: str) -> bytes:
        body = b"{B" + text.encode("ascii")
        looks = cmd.BAR_HEIGHT + b"\x50" + cmd.BAR_MODULE + b"\x02" + cmd.BAR_TEXT + b"\x02"
        style = self.chinese(on=False) + self._aligned(Align.CENTRE)
        return style + looks + cmd.BAR_CODE128 + bytes([len(body)]) + body


def _qr_bitmap(code: segno.QRCode, module: int) -> Bitmap:
    modules = int(code.symbol_size(border=0)[0])
    width = -(-modules * module // 8) * 8
    bits = 0
    for line in code.matrix:
        row = 0
        for dark in line:
            row = row << module | ((1 << module) - 1 if dark else 0)
        row <<= width - modules * module
        for _ in range(module):
            bits = bits << width | row
    return Bitmap(width, modules * module, bits)


# A printer looks for real-time commands (10 04, 10 05, 10 14) even inside a picture, so one dot
# more is better than an answer nobody asked for.
_REAL_TIME = re.compile(rb"\x10(?=[\x04\x05\x14])")


def raster(bitmap: Bitmap) -> bytes:
    """The picture in bands; right of the last ink nothing is sent."""
    return b"".join(_bands(bitmap))


def _bands(bitmap: Bitmap) -> Iterator[bytes]:
    stride = bitmap.width // 8
    data = bitmap.to_bytes()
    used = _used_bytes(bitmap)
    for top in range(0, bitmap.height, BAND_ROWS_MAX):
        rows = min(BAND_ROWS_MAX, bitmap.height - top)
        band = data[top * stride : (top + rows) * stride]
        if used < stride:
            band = b"".join([band[at : at + used] for at in range(0, len(band), stride)])
        head = used.to_bytes(2, "little") + rows.to_bytes(2, "little")
        yield cmd.RASTER + head + _REAL_TIME.sub(b"\x30", band)


def _used_bytes(bitmap: Bitmap) -> int:
    """Bytes of a row up to the last ink anywhere, at least one: all rows laid over each other."""
    over, rows = bitmap.bits, 1
    while rows < bitmap.height:
        over |= over >> rows * bitmap.width
        rows *= 2
    row = over & (1 << bitmap.width) - 1
    blank = (row & -row).bit_length() - 1 if row else bitmap.width
    return max(1, bitmap.width // 8 - blank // 8)
