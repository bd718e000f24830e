"""ESC/POS bytes as what a printer does with them; the device's side of the encoder.

Rule: any cut of the bytes gives the same result, and a byte that the manuals do not explain is a
ProtocolError that names it, never skipped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from drivers.errors import ProtocolError
from drivers.escpos.glyphs import Bitmap
from drivers.slip import COLUMN_DOTS, Align

BUFFER_BYTES_MAX = 65536
STEP_AT_START = 34  # a sixth of an inch, as after ESC @
CUT_FEED_DOTS = 96  # from the print head to the knife


@dataclass(frozen=True)
class Span:
    """Characters of one look on a printed line."""

    text: str
    wide: int = 1
    high: int = 1
    bold: bool = False


@dataclass(frozen=True)
class PrintedRow:
    spans: tuple[Span, ...]
    align: Align
    step_dots: int


@dataclass(frozen=True)
class PrintedRaster:
    bitmap: Bitmap
    align: Align


@dataclass(frozen=True)
class PrintedQr:
    payload: bytes
    module_dots: int
    align: Align


@dataclass(frozen=True)
class PrintedBar:
    """A Code 128; `shown` is the text below it."""

    text: str
    height_dots: int
    module_dots: int
    shown: bool
    align: Align


@dataclass(frozen=True)
class Fed:
    dots: int


@dataclass(frozen=True)
class Cut:
    pass


@dataclass(frozen=True)
class MarkAsked:
    """GS r n: answer once all before it is on paper."""

    what: int


@dataclass(frozen=True)
class ExitMoved:
    """1D 65 n: the presenter lets the slip go, or takes it back."""

    how: int


Printed = PrintedRow | PrintedRaster | PrintedQr | PrintedBar | Fed
Item = Printed | Cut | MarkAsked | ExitMoved


class Decoder:
    """feed() bytes in any cut, take items with next() until it gives None."""

    def __init__(self, dots: int) -> None:
        self._dots = dots
        self._buffer = bytearray()
        self._reset()

    def _reset(self) -> None:
        self._spans: list[Span] = []
        self._chinese = False
        self._latin, self._hanzi = (1, 1), (1, 1)
        self._bold = False
        self._align = Align.LEFT
        self._step = STEP_AT_START
        self._bar_height, self._bar_module, self._bar_shown = 162, 3, False
        self._qr_module, self._qr_payload = 3, b""

    def feed(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) > BUFFER_BYTES_MAX:
            self._buffer.clear()
            raise ProtocolError("more bytes than any command has")

    def next(self) -> Item | None:
        """The next thing the printer does; None: more bytes must come.

        After a ProtocolError the byte in question is gone and reading goes on behind it.
        """
        while self._buffer:
            length = self._length()
            if length is None or len(self._buffer) < length:
                return None
            command = bytes(self._buffer[:length])
            del self._buffer[:length]
            item = self._obey(command)
            if item is not None:
                return item
        return None

    def clear(self) -> None:
        """Drop what is not yet obeyed, as a printer does when it is reset."""
        self._buffer.clear()
        self._reset()

    # -- how long is what begins here

    def _length(self) -> int | None:
        buffer = self._buffer
        if buffer[0] == 0x0A or 0x20 <= buffer[0] < 0x7F:
            return 1
        if buffer[0] >= 0x80:
            return self._hanzi_length()
        for known in range(2, 5):
            head = bytes(buffer[:known])
            if head in FIXED:
                return known + FIXED[head]
            if head in VARIABLE:
                return VARIABLE[head](buffer)
        if len(buffer) >= 3 or not _begins_a_command(bytes(buffer)):
            raise self._refused(buffer[:4])
        return None

    def _hanzi_length(self) -> int | None:
        if not self._chinese:
            raise self._refused(self._buffer[:1], "a hanzi outside Chinese mode")
        if len(self._buffer) < 2:
            return None
        return 4 if 0x30 <= self._buffer[1] <= 0x39 else 2

    def _refused(self, data: bytes | bytearray, why: str = "not in the manual") -> ProtocolError:
        shown = bytes(data).hex(" ")
        del self._buffer[:1]
        return ProtocolError(f"{shown}: {why}")

    # -- what it does

    def _obey(self, command: bytes) -> Item | None:
        if command[0] >= 0x20:
            self._character(command)
            return None
        match command:
            case b"\n":
                return self._line_feed()
            case b"\x1b@":
                self._reset()
            case b"\x1c&" | b"\x1c.":
                self._chinese = command == b"\x1c&"
            case _ if command[:2] in (b"\x1d!", b"\x1c!", b"\x1bE", b"\x1ba", b"\x1b3"):
                self._style(command[:2], command[2])
            case _ if command[:2] in (b"\x1dh", b"\x1dw", b"\x1dH"):
                self._bar_style(command[:2], command[2])
            case _:
                return self._act(command)
        return None

    def _act(self, command: bytes) -> Item | None:
        match command[:2]:
            case b"\x1bJ":
                self._at_line_start(command)
                return Fed(command[2])
            case b"\x1dv":
                self._at_line_start(command)
                return self._raster(command)
            case b"\x1dk":
                self._at_line_start(command)
                return self._bar(command)
            case b"\x1d(":
                return self._qr(command)
            case b"\x1dV":
                self._at_line_start(command)
                return Cut()
            case b"\x1dr":
                return MarkAsked(command[2])
            case b"\x1de":
                return ExitMoved(command[2])
        return None  # GS a: this printer never speaks unasked anyway

    def _at_line_start(self, command: bytes) -> None:
        if self._spans:
            raise ProtocolError(f"{command[:3].hex(' ')}: in the middle of a line")

    def _character(self, command: bytes) -> None:
        try:
            text = command.decode("gb18030")
        except UnicodeDecodeError as fault:
            raise ProtocolError(f"{command.hex(' ')}: no character") from fault
        wide, high = self._latin if len(command) == 1 else self._hanzi
        before = self._spans[-1] if self._spans else None
        if before and (before.wide, before.high, before.bold) == (wide, high, self._bold):
            self._spans[-1] = Span(before.text + text, wide, high, self._bold)
        else:
            self._spans.append(Span(text, wide, high, self._bold))
        if sum(map(width_of, self._spans)) > self._dots:
            self._spans.clear()
            raise ProtocolError("a line wider than the paper")

    def _line_feed(self) -> Item:
        spans, self._spans = tuple(self._spans), []
        tallest = max((span.high for span in spans), default=1) * 24
        return PrintedRow(spans, self._align, max(self._step, tallest))

    def _style(self, kind: bytes, n: int) -> None:
        match kind:
            case b"\x1d!":
                self._latin = self._hanzi = ((n >> 4 & 7) + 1, (n & 7) + 1)
            case b"\x1c!":
                self._hanzi = (2 if n & 0x04 else 1, 2 if n & 0x08 else 1)
            case b"\x1bE":
                self._bold = bool(n & 1)
            case b"\x1ba":
                if n > 2:
                    raise ProtocolError(f"1b 61 {n:02x}: not in the manual")
                self._align = Align(n)
            case b"\x1b3":
                self._step = n

    def _bar_style(self, kind: bytes, n: int) -> None:
        match kind:
            case b"\x1dh":
                self._bar_height = n
            case b"\x1dw":
                self._bar_module = n
            case b"\x1dH":
                self._bar_shown = n == 2

    def _raster(self, command: bytes) -> PrintedRaster:
        width, height = _raster_size(command)
        if width * 8 > self._dots:
            raise ProtocolError(f"a picture {width * 8} dots wide")
        bits = int.from_bytes(command[8:], "big")
        return PrintedRaster(Bitmap(width * 8, height, bits), self._align)

    def _bar(self, command: bytes) -> PrintedBar:
        body = command[4:]
        if body[:2] != b"{B" or not all(0x20 <= byte < 0x7F for byte in body):
            raise ProtocolError("a Code 128 that is not of set B")
        text = body[2:].decode("ascii")
        return PrintedBar(text, self._bar_height, self._bar_module, self._bar_shown, self._align)

    def _qr(self, command: bytes) -> Item | None:
        match command[5:7]:
            case b"1A" if command[7:] in (b"1\x00", b"2\x00"):
                return None
            case b"1C" if 1 <= command[7] <= 16:
                self._qr_module = command[7]
                return None
            case b"1E" if 0x30 <= command[7] <= 0x33:
                return None
            case b"1P" if command[7:8] == b"0":
                self._qr_payload = command[8:]
                return None
            case b"1Q" if self._qr_payload:
                self._at_line_start(command)
                return PrintedQr(self._qr_payload, self._qr_module, self._align)
        raise ProtocolError(f"{command[:9].hex(' ')}: not in the manual")


def width_of(span: Span) -> int:
    """Dots of a span: twelve for a Latin letter, 24 for a hanzi, times its width."""
    columns = sum(1 if character < "\x7f" else 2 for character in span.text)
    return columns * COLUMN_DOTS * span.wide


def _raster_size(head: bytes | bytearray) -> tuple[int, int]:
    return int.from_bytes(head[4:6], "little"), int.from_bytes(head[6:8], "little")


def _raster_length(buffer: bytearray) -> int | None:
    if len(buffer) < 8:
        return None
    width, height = _raster_size(buffer)
    if not 0 < width * height <= BUFFER_BYTES_MAX - 8:
        del buffer[:1]
        raise ProtocolError(f"a picture of {width * 8} × {height} dots")
    return 8 + width * height


def _bar_length(buffer: bytearray) -> int | None:
    return 4 + buffer[3] if len(buffer) >= 4 else None


def _qr_length(buffer: bytearray) -> int | None:
    if len(buffer) < 5:
        return None
    length = int.from_bytes(buffer[3:5], "little")
    if length < 3 or length > 7092:
        del buffer[:1]
        raise ProtocolError(f"a QR command of {length} bytes")
    return 5 + length


# Commands, and how many bytes of argument follow the ones named here.
FIXED: dict[bytes, int] = {
    b"\x1b@": 0,
    b"\x1c&": 0,
    b"\x1c.": 0,
    b"\x1c!": 1,
    b"\x1d!": 1,
    b"\x1bE": 1,
    b"\x1ba": 1,
    b"\x1b3": 1,
    b"\x1bJ": 1,
    b"\x1dh": 1,
    b"\x1dw": 1,
    b"\x1dH": 1,
    b"\x1da": 1,
    b"\x1de": 1,
    b"\x1dr\x01": 0,
    b"\x1dr\x02": 0,
    b"\x1dVA": 1,
    b"\x1dVB": 1,
}
VARIABLE: dict[bytes, Callable[[bytearray], int | None]] = {
    b"\x1dv0\x00": _raster_length,
    b"\x1dkI": _bar_length,
    b"\x1d(k": _qr_length,
}


def _begins_a_command(data: bytes) -> bool:
    return any(known.startswith(data) for known in (*FIXED, *VARIABLE))
