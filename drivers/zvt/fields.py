"""Data fields (BMPs) of ZVT: what an APDU's data means, in both directions.

A card number is cut to its last four digits here, at the border; nothing behind sees more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from drivers.errors import ProtocolError
from drivers.pad import Charged, MaskedPan, PadTime
from drivers.zvt.codec import bcd, from_bcd

MAX_STATUS_INFOS, AMOUNT, TRACE, TIME, DATE = 0x02, 0x04, 0x0B, 0x0C, 0x0D
STATUS_BYTE, PAN, RESULT, TERMINAL_ID, MERCHANT_ID = 0x19, 0x22, 0x27, 0x29, 0x2A
ORIGINAL_TRACE, AUTHORISATION, CURRENCY, TOTALS = 0x37, 0x3B, 0x49, 0x60
RECEIPT_NO, CARD_NAME, TLV = 0x87, 0x8B, 0x06

LLVAR, LLLVAR, TLV_LENGTH = -2, -3, -1

SIZES = {
    **dict.fromkeys((0x01, 0x02, 0x03, 0x05, 0x19, 0x27, 0x8A, 0x8C), 1),
    **dict.fromkeys((0xA0, 0xD0, 0xD2, 0xD3, 0xE0, 0xE9, 0xEA), 1),
    **dict.fromkeys((0xF0, 0xF9, 0xFA, 0xFB, 0xFC), 1),
    **dict.fromkeys((0x0D, 0x0E, 0x17, 0x3A, 0x49, 0x87), 2),
    **dict.fromkeys((0x0B, 0x0C, 0x37, 0x3D, 0x88, 0xAA), 3),
    0x29: 4,
    0x04: 6,
    0xBA: 5,
    **dict.fromkeys((0x3B, 0xEB), 8),
    0x2A: 15,
    **dict.fromkeys((0x22, 0x23, 0x2D, 0x8B, 0xA7, 0xD1), LLVAR),
    **dict.fromkeys((*range(0xE1, 0xE9), *range(0xF1, 0xF9)), LLVAR),
    **dict.fromkeys((0x24, 0x2E, 0x3C, 0x60, 0x92, 0x9A, 0xAF), LLLVAR),
    0x06: TLV_LENGTH,
}
"""Bytes of each BMP's value; negative: the value says its own length."""


@dataclass(frozen=True)
class Bmp:
    """One data field."""

    number: int
    value: bytes

    def __repr__(self) -> str:
        return f"Bmp({self.number:02X}, {len(self.value)} bytes)"

    def encode(self) -> bytes:
        """Number, length where the field has one, value."""
        size = SIZES[self.number]
        assert size < 0 or size == len(self.value)
        return bytes([self.number]) + _length(size, len(self.value)) + self.value


def encode_all(fields: Iterable[Bmp]) -> bytes:
    """Fields in the order given."""
    return b"".join(one.encode() for one in fields)


def parse_all(data: bytes) -> tuple[Bmp, ...]:
    """Fields in the order sent. ProtocolError: an unknown field, or one that is cut off."""
    found, at = [], 0
    while at < len(data):
        number = data[at]
        size = SIZES.get(number)
        if size is None:
            raise ProtocolError(f"unknown field {number:02X}")
        start, size = _measure(data, at + 1, size)
        if start + size > len(data):
            raise ProtocolError(f"field {number:02X} is cut off")
        found.append(Bmp(number, data[start : start + size]))
        at = start + size
    return tuple(found)


def _length(size: int, actual: int) -> bytes:
    if size >= 0:
        return b""
    if size != TLV_LENGTH:
        return bytes(0xF0 | int(digit) for digit in f"{actual:0{-size}d}")
    if actual < 0x80:
        return bytes([actual])
    return b"\x81" + bytes([actual]) if actual < 0x100 else b"\x82" + actual.to_bytes(2, "big")


def _measure(data: bytes, at: int, size: int) -> tuple[int, int]:
    """Where the value starts, and its length."""
    if size >= 0:
        return at, size
    if size != TLV_LENGTH:
        return at - size, read_var_length(data[at : at - size], -size)
    head = data[at : at + 1]
    if not head or head[0] < 0x80:
        return at + 1, head[0] if head else 0
    extra = head[0] - 0x80
    if extra not in (1, 2):
        raise ProtocolError("a TLV length of too many bytes")
    return at + 1 + extra, int.from_bytes(data[at + 1 : at + 1 + extra], "big")


def read_var_length(digits: bytes, count: int) -> int:
    """LLVAR and LLLVAR: each byte F0 to F9 is one decimal digit of the length."""
    if len(digits) != count or any(not 0xF0 <= digit <= 0xF9 for digit in digits):
        raise ProtocolError("a length without F0 to F9")
    return int("".join(str(digit & 0x0F) for digit in digits))


@dataclass(frozen=True)
class StatusInfo:
    """A status information (04 0F): how a payment, reversal or refund ended."""

    result: int | None
    amount_fen: int | None
    charged: Charged
    original_trace: int | None
    """Set when this tells of a reversal: the trace of what was reversed."""


def parse_status_info(data: bytes) -> StatusInfo:
    """Taken once at the border; ProtocolError when a field is not as the manual has it."""
    values = {one.number: one.value for one in parse_all(data)}

    def number(field: int) -> int | None:
        return from_bcd(values[field]) if field in values else None

    amount_fen, result = number(AMOUNT), values.get(RESULT)
    return StatusInfo(
        result=result[0] if result is not None else None,
        amount_fen=amount_fen,
        charged=Charged(
            amount_fen=amount_fen or 0,
            trace=number(TRACE),
            receipt_no=number(RECEIPT_NO),
            terminal_id=values.get(TERMINAL_ID, b"").hex(),
            pan=_last_digits(values.get(PAN)),
            card_name=_text(values.get(CARD_NAME, b"")),
            at=_pad_time(number(DATE), number(TIME)),
            merchant_id=_text(values.get(MERCHANT_ID, b"")),
            authorisation=_text(values.get(AUTHORISATION, b"")),
        ),
        original_trace=number(ORIGINAL_TRACE),
    )


def status_info(info: StatusInfo) -> bytes:
    """The mirror of parse_status_info; fields that are None or empty are left out."""
    charged, found = info.charged, []

    def put(field: int, value: int | None) -> None:
        if value is not None:
            found.append(Bmp(field, bcd(value, SIZES[field])))

    if info.result is not None:
        found.append(Bmp(RESULT, bytes([info.result])))
    put(AMOUNT, info.amount_fen)
    put(TRACE, charged.trace)
    put(ORIGINAL_TRACE, info.original_trace)
    if charged.at is not None:
        at = charged.at
        put(TIME, at.hour * 10000 + at.minute * 100 + at.second)
        put(DATE, at.month * 100 + at.day)
    if charged.pan is not None:
        found.append(Bmp(PAN, _masked_digits(charged.pan)))
    if charged.terminal_id:
        found.append(Bmp(TERMINAL_ID, bytes.fromhex(charged.terminal_id)))
    put(RECEIPT_NO, charged.receipt_no)
    if charged.card_name:
        found.append(Bmp(CARD_NAME, charged.card_name.encode("ascii") + b"\x00"))
    return encode_all(found)


def _text(value: bytes) -> str:
    """Names are ASCII in every source seen; anything else, and control bytes, become '?'."""
    clean = (chr(byte) if 0x20 <= byte < 0x7F else "?" for byte in value.rstrip(b"\x00 "))
    return "".join(clean)


def _last_digits(value: bytes | None) -> MaskedPan | None:
    """BMP 22: packed digits, E for a masked one, F to fill the last half byte."""
    if value is None:
        return None
    digits = value.hex().rstrip("f")[-4:]
    return MaskedPan("".join(digit if digit.isdecimal() else "*" for digit in digits))


def _masked_digits(pan: MaskedPan) -> bytes:
    return bytes.fromhex("eeeeeeeeeeee" + pan.last4.rjust(4, "e"))


def _pad_time(date: int | None, time: int | None) -> PadTime | None:
    if date is None or time is None:
        return None
    return PadTime(date // 100, date % 100, time // 10000, time // 100 % 100, time % 100)
