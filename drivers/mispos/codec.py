"""Bytes of a bank MIS-POS: frame, DF tags and what they say, in both directions, without I/O.

Facts: PROTOCOLS 4.3a and PROTOCOL.md beside this file. A decoder takes any cut of bytes, holds at
most FRAME_BYTES_MAX of them, and finds the next good frame by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import xor

from drivers.errors import ProtocolError
from drivers.one_answer_line import BoundedReader, pad_time
from drivers.pad import Charged, MaskedPan

STX, ETX = 0x02, 0x03
BODY_BYTES_MAX = 1024
FRAME_BYTES_MAX = BODY_BYTES_MAX + 5

HEAD, TRAN_CODE, AMOUNT, ECHO, DETAILS, RESULT = 0xDF01, 0xDF02, 0xDF03, 0xDF04, 0xDF06, 0xDF07
FIXED_08, FIXED_09, TRACE, INVOICE, BATCH = 0xDF08, 0xDF09, 0xDF0A, 0xDF10, 0xDF11
TERMINAL_ID, MERCHANT_ID, OLD_INVOICE, RETRIEVAL_REF = 0xDF12, 0xDF13, 0xDF18, 0xDF1A
AUTHORISATION, DATE, TIME, PAN, DESK, OPERATOR = 0xDF1B, 0xDF1C, 0xDF1D, 0xDF1E, 0xDF46, 0xDF47

NOTICES = (b"ACKACK", b"LOGLOG")
"""Packets that come unasked and are no TLV: a sale's success, and a log line."""


@dataclass(frozen=True)
class Tlv:
    """One tagged value."""

    tag: int
    value: bytes

    def __repr__(self) -> str:
        return f"Tlv({self.tag:04X}, {len(self.value)} bytes)"

    def encode(self) -> bytes:
        """Tag (2), length (1 to 3), value."""
        size = len(self.value)
        if size < 0x80:
            length = bytes([size])
        elif size < 0x100:
            length = bytes([0x81, size])
        else:
            length = b"\x82" + size.to_bytes(2, "big")
        return self.tag.to_bytes(2, "big") + length + self.value


def encode_tlvs(tlvs: Iterable[Tlv]) -> bytes:
    """Values in the order given."""
    return b"".join(one.encode() for one in tlvs)


def parse_tlvs(data: bytes) -> tuple[Tlv, ...]:
    """Values in the order sent. ProtocolError: not a row of DF tags."""
    found, at = [], 0
    while at < len(data):
        if data[at] != 0xDF or at + 3 > len(data):
            raise ProtocolError("not a DF tag")
        tag, start, size = int.from_bytes(data[at : at + 2], "big"), at + 3, data[at + 2]
        if size & 0x80:
            extra = size & 0x7F
            if extra not in (1, 2):
                raise ProtocolError("a length of too many bytes")
            size, start = int.from_bytes(data[start : start + extra], "big"), start + extra
        if start + size > len(data):
            raise ProtocolError(f"tag {tag:04X} is cut off")
        found.append(Tlv(tag, data[start : start + size]))
        at = start + size
    return tuple(found)


def encode_frame(body: bytes) -> bytes:
    """02, length as four packed digits, body, 03, LRC over length, body and 03."""
    assert len(body) <= BODY_BYTES_MAX
    checked = bytes.fromhex(f"{len(body):04d}") + body + bytes([ETX])
    return bytes([STX]) + checked + bytes([reduce(xor, checked)])


class FrameReader(BoundedReader):
    """Bodies out of a serial line, however the bytes were cut."""

    frame_bytes_max = FRAME_BYTES_MAX

    def _take(self) -> bytes | None:
        while (at := self._buffer.find(STX)) >= 0:
            del self._buffer[:at]
            if len(self._buffer) < 3:
                return None
            size = _packed(self._buffer[1:3])
            if size is None or not 0 < size <= BODY_BYTES_MAX:
                del self._buffer[:1]
                continue
            if len(self._buffer) < size + 5:
                return None
            frame = bytes(self._buffer[: size + 5])
            good = frame[-2] == ETX and reduce(xor, frame[1:]) == 0
            del self._buffer[: len(frame) if good else 1]
            if good:
                return frame[3:-2]
        self._buffer.clear()
        return None


@dataclass(frozen=True)
class Request:
    """What the host asks. Tags in the order of the vendor's own program."""

    tran_code: int
    echo: int
    amount_fen: int | None = None
    old_invoice: int | None = None
    desk: str = ""
    operator: str = ""

    def encode(self) -> bytes:
        """The body."""
        tlvs = [
            Tlv(HEAD, b"\x00"),
            Tlv(ECHO, packed(self.echo, 2)),
            Tlv(TRAN_CODE, packed(self.tran_code, 1)),
            Tlv(FIXED_08, b"\x55\x55"),
        ]
        if self.amount_fen is not None:
            tlvs.append(Tlv(AMOUNT, packed(self.amount_fen, 6)))
        if self.old_invoice is not None:
            tlvs.append(Tlv(OLD_INVOICE, packed(self.old_invoice, 3)))
        tlvs.append(Tlv(FIXED_09, b"\x30\x04"))
        if self.desk:
            tlvs.append(Tlv(DESK, self.desk.encode("ascii")))
        if self.operator:
            tlvs.append(Tlv(OPERATOR, self.operator.encode("ascii")))
        return encode_tlvs(tlvs)


def parse_request(body: bytes) -> Request:
    """The mirror of Request.encode, for the device's side."""
    values = {one.tag: one.value for one in parse_tlvs(body)}

    def number(tag: int, size: int) -> int | None:
        if len(values.get(tag, b"")) > size:
            raise ProtocolError(f"a number of more than {size} bytes")
        return unpacked(values[tag]) if tag in values else None

    tran_code, echo = number(TRAN_CODE, 1), number(ECHO, 2)
    if tran_code is None or echo is None or values.get(FIXED_08) != b"\x55\x55":
        raise ProtocolError("a request without code, echo or mark")
    return Request(
        tran_code,
        echo,
        number(AMOUNT, 6),
        number(OLD_INVOICE, 3),
        _text(values.get(DESK, b"")),
        _text(values.get(OPERATOR, b"")),
    )


@dataclass(frozen=True)
class Response:
    """What the pad answered. `result`: two characters of the bank, or eight digits of the pad."""

    tran_code: int
    echo: int
    result: str
    charged: Charged
    is_undone: bool = False
    """The receipt tells of a void: its amount is negative."""

    def encode(self) -> bytes:
        """The body; details only where there is a payment to tell of."""
        tlvs = [
            Tlv(HEAD, b"\x02"),
            Tlv(TRAN_CODE, packed(self.tran_code, 1)),
            Tlv(ECHO, packed(self.echo, 2)),
        ]
        if self.charged.trace is not None or self.charged.terminal_id:
            tlvs.append(Tlv(DETAILS, encode_tlvs(self._details())))
        code = self.result
        value = code.encode("ascii") if len(code) == 2 else bytes.fromhex(code)
        return encode_tlvs((*tlvs, Tlv(RESULT, value)))

    def _details(self) -> list[Tlv]:
        charged, found = self.charged, []
        for tag, text in (
            (BATCH, charged.batch),
            (TERMINAL_ID, charged.terminal_id),
            (MERCHANT_ID, charged.merchant_id),
            (RETRIEVAL_REF, charged.retrieval_ref),
            (AUTHORISATION, charged.authorisation),
        ):
            if text:
                found.append(Tlv(tag, text.encode("ascii")))
        if charged.trace is not None:
            sign, (yuan, fen) = "-" if self.is_undone else " ", divmod(charged.amount_fen, 100)
            found.append(Tlv(AMOUNT, f"RMB{sign} {yuan}.{fen:02d}".encode("ascii")))
            found.append(Tlv(TRACE, packed(charged.trace, 3)))
        if charged.receipt_no is not None:
            found.append(Tlv(INVOICE, packed(charged.receipt_no, 3)))
        if charged.at is not None:
            at = charged.at
            found.append(Tlv(DATE, f"{at.month:02d}{at.day:02d}".encode("ascii")))
            clock = f"{at.hour:02d}{at.minute:02d}{at.second:02d}"
            found.append(Tlv(TIME, clock.encode("ascii")))
        if charged.pan is not None:
            found.append(Tlv(PAN, charged.pan.last4.rjust(16, "*").encode("ascii")))
        return found


def parse_response(body: bytes) -> Response:
    """Taken once at the border; ProtocolError when a tag is not as the vendor has it."""
    values = {one.tag: one.value for one in parse_tlvs(body)}
    if not {TRAN_CODE, ECHO, RESULT} <= values.keys():
        raise ProtocolError("an answer without code, echo or result")
    result = values[RESULT]
    details = {one.tag: one.value for one in parse_tlvs(values.get(DETAILS, b""))}
    amount_fen = _amount(details.get(AMOUNT))
    return Response(
        unpacked(values[TRAN_CODE]),
        unpacked(values[ECHO]),
        _text(result) if len(result) == 2 else result.hex().upper(),
        Charged(
            amount_fen=abs(amount_fen),
            trace=unpacked(details[TRACE]) if TRACE in details else None,
            receipt_no=unpacked(details[INVOICE]) if INVOICE in details else None,
            terminal_id=_text(details.get(TERMINAL_ID, b"")),
            pan=MaskedPan.of(_text(details[PAN])) if PAN in details else None,
            at=pad_time(_text(details.get(DATE, b"")) + _text(details.get(TIME, b""))),
            merchant_id=_text(details.get(MERCHANT_ID, b"")),
            batch=_text(details.get(BATCH, b"")),
            retrieval_ref=_text(details.get(RETRIEVAL_REF, b"")),
            authorisation=_text(details.get(AUTHORISATION, b"")),
        ),
        amount_fen < 0,
    )


def packed(value: int, size: int) -> bytes:
    """A number as packed decimal digits."""
    assert 0 <= value < 10 ** (2 * size)
    return bytes.fromhex(f"{value:0{2 * size}d}")


def unpacked(data: bytes) -> int:
    """ProtocolError when a half byte is not a decimal digit."""
    value = _packed(data)
    if value is None:
        raise ProtocolError(f"{len(data)} bytes are not decimal digits")
    return value


def _packed(data: bytes | bytearray) -> int | None:
    digits = data.hex()
    return int(digits) if digits.isdecimal() else None


def _amount(value: bytes | None) -> int:
    """The receipt's words, `RMB  12.50` or `RMB- 12.50`, in fen."""
    if value is None:
        return 0
    words = _text(value).replace("RMB", "").replace(" ", "").replace(",", "")
    sign, digits = (-1, words[1:]) if words.startswith("-") else (1, words)
    yuan, point, fen = digits.partition(".")
    if not (yuan.isdecimal() and point and fen.isdecimal() and len(fen) == 2 and len(yuan) <= 10):
        raise ProtocolError("an amount that is no amount")
    return sign * (int(yuan) * 100 + int(fen))


def _text(value: bytes) -> str:
    """ASCII; control bytes and all else become '?'."""
    clean = (chr(byte) if 0x20 <= byte < 0x7F else "?" for byte in value.rstrip(b"\x00 "))
    return "".join(clean)
