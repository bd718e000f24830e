"""The kernel's key events as the bytes a serial scanner would have sent, and back; pure.

Source: linux/input.h and input-event-codes.h, see PROTOCOL.md. A record is 24 bytes: seconds,
microseconds, type, code, value. Any cut. Nothing marks where a record begins, and a kernel writes
only whole ones: a record that makes no sense is a ProtocolError, and the device is opened anew.
"""

from __future__ import annotations

import struct
from types import MappingProxyType

from drivers.errors import ProtocolError

RECORD = struct.Struct("<qqHHi")
EV_SYN, EV_KEY, EV_MSC, EV_LED, EV_REP = 0x00, 0x01, 0x04, 0x11, 0x14
TYPES = {EV_SYN, EV_KEY, EV_MSC, EV_LED, EV_REP}
SYN_DROPPED = 3
RELEASED, PRESSED = 0, 1
CODE_MAX = 0x2FF
FEED_SLICE_BYTES = 4096
BUFFER_BYTES_MAX = RECORD.size + FEED_SLICE_BYTES

SHIFTS = {42, 54}
SILENT = {*SHIFTS, 58, 69}  # Caps Lock and Num Lock: a scanner that uses them is set up wrongly
ENDS = {28, 96}  # Enter, and Enter of the keypad
UNKNOWN = b"\x00"
"""A key that is no character of a US keyboard: the code it stands in becomes garbage."""

_ROWS = (
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    (55, "*", "*"),
    (57, " ", " "),
    (71, "789-456+1230.", "789-456+1230."),
    (98, "/", "/"),
)
PLAIN = MappingProxyType({first + n: sign for first, row, _ in _ROWS for n, sign in enumerate(row)})
SHIFTED = MappingProxyType(
    {first + n: sign for first, _, row in _ROWS for n, sign in enumerate(row)}
)


class KeyDecoder:
    """Key events in, a scanner's bytes out: characters, CR for Enter, NUL for a strange key."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._shifts: set[int] = set()

    @property
    def buffered_bytes(self) -> int:
        """How much of an unfinished record is held; never above BUFFER_BYTES_MAX."""
        return len(self._buffer)

    def feed(self, data: bytes) -> bytes:
        """What was typed by these records. ProtocolError: out of step; all held is dropped."""
        typed = b""
        for at in range(0, len(data), FEED_SLICE_BYTES):
            self._buffer += data[at : at + FEED_SLICE_BYTES]
            typed += self._whole_records()
        return typed

    def reset(self) -> None:
        """Forget half a record and which keys are down."""
        self._buffer.clear()
        self._shifts.clear()

    def _whole_records(self) -> bytes:
        typed, at = bytearray(), 0
        while len(self._buffer) - at >= RECORD.size:
            _seconds, micros, kind, code, value = RECORD.unpack_from(self._buffer, at)
            if not _is_plausible(micros, kind, code, value):
                self.reset()
                raise ProtocolError("this is no key event")
            at += RECORD.size
            if kind == EV_KEY:
                typed += self._key(code, value)
            elif kind == EV_SYN and code == SYN_DROPPED:
                # The kernel lost events: the code under way is not what was scanned.
                typed += UNKNOWN + b"\r"
                self._shifts.clear()
        del self._buffer[:at]
        return bytes(typed)

    def _key(self, code: int, value: int) -> bytes:
        if code in SHIFTS:
            (self._shifts.discard if value == RELEASED else self._shifts.add)(code)
        if value != PRESSED or code in SILENT:
            return b""
        if code in ENDS:
            return b"\r"
        sign = (SHIFTED if self._shifts else PLAIN).get(code)
        return sign.encode("ascii") if sign is not None else UNKNOWN


def _is_plausible(micros: int, kind: int, code: int, value: int) -> bool:
    return (
        kind in TYPES
        and code <= CODE_MAX
        and 0 <= micros < 1_000_000
        and (kind != EV_KEY or value in (0, 1, 2))
    )


def encode_key(code: int, value: int, at_s: float = 0.0) -> bytes:
    """One key event and the report's end, as the kernel writes them."""
    seconds, micros = divmod(int(at_s * 1_000_000), 1_000_000)
    return RECORD.pack(seconds, micros, EV_KEY, code, value) + RECORD.pack(
        seconds, micros, EV_SYN, 0, 0
    )


def encode_text(text: str, at_s: float = 0.0) -> bytes:
    """The events of a scanner that types `text`. ValueError: a US keyboard cannot."""
    plain = {sign: code for code, sign in sorted(PLAIN.items(), reverse=True)}
    shifted = {sign: code for code, sign in sorted(SHIFTED.items(), reverse=True)}
    events = b""
    for sign in text:
        if sign == "\r":
            events += _stroke(min(ENDS), at_s)
        elif sign in plain:
            events += _stroke(plain[sign], at_s)
        elif sign in shifted:
            down, up = encode_key(42, PRESSED, at_s), encode_key(42, RELEASED, at_s)
            events += down + _stroke(shifted[sign], at_s) + up
        else:
            raise ValueError("not on a US keyboard")
    return events


def _stroke(code: int, at_s: float) -> bytes:
    return encode_key(code, PRESSED, at_s) + encode_key(code, RELEASED, at_s)
