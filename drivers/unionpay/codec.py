"""Records of the UnionPay Business library: fixed width in bytes, GBK, and their envelope.

Facts: PROTOCOLS 4.3b and PROTOCOL.md beside this file. Widths count bytes and never characters: a
Chinese character is two. The envelope (mark, length, CRC-32) is our own, for the pipe to the
process that holds the library.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, fields

from drivers.errors import ProtocolError
from drivers.one_answer_line import BoundedReader, pad_time
from drivers.pad import Charged, MaskedPan

REQUEST_WIDTHS = {
    "counter": 8,
    "operator": 8,
    "tran_type": 2,
    "amount": 12,
    "old_trace": 6,
    "old_date": 8,
    "old_ref": 12,
    "old_authorisation": 6,
    "old_batch": 6,
    "memo": 1024,
    "lrc": 3,
}
ANSWER_WIDTHS = {
    "code": 2,
    "info": 40,
    "card": 20,
    "amount": 12,
    "trace": 6,
    "batch": 6,
    "date": 4,
    "time": 6,
    "ref": 12,
    "authorisation": 6,
    "merchant_id": 15,
    "terminal_id": 8,
    "memo": 1024,
    "lrc": 3,
}
REQUEST_BYTES = sum(REQUEST_WIDTHS.values())
ANSWER_BYTES = sum(ANSWER_WIDTHS.values())

MARK = b"UMSR"
ENVELOPE_BYTES = len(MARK) + 2 + 4
FRAME_BYTES_MAX = ANSWER_BYTES + ENVELOPE_BYTES


def fit(text: str, width: int) -> bytes:
    """GBK, cut between characters, padded at the left with spaces to `width` bytes.

    A character that GBK has not becomes '?', control characters are left out.
    """
    clean = "".join(one for one in text if one >= " " and one != "\x7f")
    fitted = b""
    for character in clean:
        piece = character.encode("gbk", "replace")
        if len(fitted) + len(piece) > width:
            break
        fitted += piece
    return fitted.rjust(width)


def words(data: bytes) -> str:
    """The text of a field, whatever side it was padded on; bytes that are no GBK become '?'."""
    return data.decode("gbk", "replace").replace("�", "?").strip(" \x00")


@dataclass(frozen=True)
class Request:
    """What the host asks of the library."""

    tran_type: str
    amount_fen: int
    lrc: str
    counter: str = ""
    operator: str = ""
    old_trace: str = ""
    old_date: str = ""
    old_ref: str = ""
    old_authorisation: str = ""
    old_batch: str = ""
    memo: str = ""

    def encode(self) -> bytes:
        """REQUEST_BYTES bytes."""
        assert 0 <= self.amount_fen < 10**12
        return b"".join(
            f"{self.amount_fen:012d}".encode("ascii")
            if name == "amount"
            else fit(getattr(self, name), width)
            for name, width in REQUEST_WIDTHS.items()
        )


def parse_request(record: bytes) -> Request:
    """The mirror, for the library's side."""
    values = _split(record, REQUEST_WIDTHS)
    amount_fen = _number(values.pop("amount"))
    if amount_fen is None:
        raise ProtocolError("an amount that is no number")
    texts = {name: words(value) for name, value in values.items()}
    assert texts.keys() <= {one.name for one in fields(Request)}
    return Request(amount_fen=amount_fen, **texts)


@dataclass(frozen=True)
class Response:
    """What the library answered. `info` is the acquirer's sentence: for staff, not for a log."""

    code: str
    lrc: str
    charged: Charged
    info: str = ""

    def encode(self) -> bytes:
        """ANSWER_BYTES bytes, for the library's side."""
        charged, at = self.charged, self.charged.at
        values = {
            "code": self.code,
            "info": self.info,
            "card": charged.pan.last4.rjust(16, "*") if charged.pan else "",
            "trace": _digits(charged.trace, 6),
            "batch": charged.batch,
            "date": f"{at.month:02d}{at.day:02d}" if at else "",
            "time": f"{at.hour:02d}{at.minute:02d}{at.second:02d}" if at else "",
            "ref": charged.retrieval_ref,
            "authorisation": charged.authorisation,
            "merchant_id": charged.merchant_id,
            "terminal_id": charged.terminal_id,
            "amount": _digits(charged.amount_fen, 12),
            "memo": "",
            "lrc": self.lrc,
        }
        return b"".join(fit(values[name], width) for name, width in ANSWER_WIDTHS.items())


def parse_response(record: bytes) -> Response:
    """Taken once at the border; ProtocolError when a field is not what it should be."""
    values = _split(record, ANSWER_WIDTHS)
    amount_fen = _number(values["amount"])
    if amount_fen is None and values["amount"].strip(b" \x00"):
        raise ProtocolError("an amount that is no number")
    trace = _number(values["trace"])
    card = words(values["card"])
    charged = Charged(
        amount_fen=amount_fen or 0,
        trace=trace,
        receipt_no=trace,
        terminal_id=words(values["terminal_id"]),
        pan=MaskedPan.of(card) if card else None,
        at=pad_time(words(values["date"]) + words(values["time"])),
        merchant_id=words(values["merchant_id"]),
        batch=words(values["batch"]),
        retrieval_ref=words(values["ref"]),
        authorisation=words(values["authorisation"]),
    )
    return Response(words(values["code"]), words(values["lrc"]), charged, words(values["info"]))


def encode_frame(record: bytes) -> bytes:
    """Mark, length, record, CRC-32 of length and record."""
    checked = len(record).to_bytes(2, "big") + record
    return MARK + checked + zlib.crc32(checked).to_bytes(4, "big")


class FrameReader(BoundedReader):
    """Records out of a byte stream, however it was cut."""

    frame_bytes_max = FRAME_BYTES_MAX

    def _take(self) -> bytes | None:
        while (at := self._buffer.find(MARK)) >= 0:
            del self._buffer[:at]
            if len(self._buffer) < 6:
                return None
            size = int.from_bytes(self._buffer[4:6], "big")
            if size not in (REQUEST_BYTES, ANSWER_BYTES):
                del self._buffer[:1]
                continue
            if len(self._buffer) < size + ENVELOPE_BYTES:
                return None
            checked, crc = self._buffer[4 : 6 + size], self._buffer[6 + size : 10 + size]
            good = zlib.crc32(checked) == int.from_bytes(crc, "big")
            record = bytes(checked[2:])
            del self._buffer[: size + ENVELOPE_BYTES if good else 1]
            if good:
                return record
        # The mark may be cut in half.
        del self._buffer[: max(0, len(self._buffer) - len(MARK) + 1)]
        return None


def _split(record: bytes, widths: dict[str, int]) -> dict[str, bytes]:
    if len(record) != sum(widths.values()):
        raise ProtocolError(f"a record of {len(record)} bytes")
    values, at = {}, 0
    for name, width in widths.items():
        values[name] = record[at : at + width]
        at += width
    return values


def _digits(value: int | None, width: int) -> str:
    return f"{value:0{width}d}" if value is not None else ""


def _number(value: bytes) -> int | None:
    digits = value.strip(b" \x00")
    return int(digits) if digits.isdigit() else None
