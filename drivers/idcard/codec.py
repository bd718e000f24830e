"""Frames of the SDT protocol, both directions, pure: any cut of bytes, bounded, resynchronising.

Source: shared protocol notes §1.1–1.3, see PROTOCOL.md. A frame is
    AA AA AA 96 69 | length (2, big-endian) | body | check
where length counts body and check, and check makes the XOR of everything after the preamble zero.
A request's body is CMD PARA [data]; an answer's is SW1 SW2 SW3 [data].
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import xor
from types import MappingProxyType

from drivers.errors import ProtocolError

PREAMBLE = bytes.fromhex("AAAAAA9669")
LENGTH_BYTES = 2
HEAD_BYTES = len(PREAMBLE) + LENGTH_BYTES
# The longest answer is text + photo + fingerprint: 3 + 6 + 256 + 1024 + 1024. Twice that is noise.
BODY_BYTES_MAX = 4096
FEED_SLICE_BYTES = 4096
BUFFER_BYTES_MAX = HEAD_BYTES + BODY_BYTES_MAX + 1 + FEED_SLICE_BYTES
STATUS_BYTES = 3

BAUDS = MappingProxyType({115200: 0, 57600: 1, 38400: 2, 19200: 3, 9600: 4})
"""Speeds a reader knows, and the parameter of command 60 that asks for each."""

OK, CARD_FOUND = 0x90, 0x9F
FIND_FAILED, SELECT_FAILED, READ_FAILED, NO_CONTENT = 0x80, 0x81, 0x41, 0x91

STATUS_MEANING = MappingProxyType(
    {
        OK: "done",
        CARD_FOUND: "card found",
        0x10: "checksum of the request wrong",
        0x11: "length of the request wrong",
        0x21: "command not allowed",
        0x24: "command not known",
        0x31: "card refused the reader",
        0x32: "reader refused the card",
        0x33: "verification failed",
        0x40: "card type not known",
        READ_FAILED: "read failed",
        0x47: "random number failed",
        0x60: "security module failed its self-test",
        0x66: "security module not authorised",
        FIND_FAILED: "no card found",
        SELECT_FAILED: "card not selected",
        NO_CONTENT: "no such content on the card",
    }
)


def encode(body: bytes) -> bytes:
    """The frame around a body of at most BODY_BYTES_MAX bytes."""
    assert len(body) <= BODY_BYTES_MAX, "no SDT body is that long"
    checked = (len(body) + 1).to_bytes(LENGTH_BYTES, "big") + body
    return PREAMBLE + checked + bytes([reduce(xor, checked)])


class Decoder:
    """Finds bodies in a stream; noise and damaged frames are skipped. encode() is its mirror."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def buffered_bytes(self) -> int:
        """How much waits for the rest of its frame; never above BUFFER_BYTES_MAX."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """The bodies that are whole now, in order."""
        bodies: list[bytes] = []
        for at in range(0, len(data), FEED_SLICE_BYTES):
            self._buffer += data[at : at + FEED_SLICE_BYTES]
            bodies += self._whole_bodies()
        return bodies

    def reset(self) -> None:
        """Forget what is half received: a new exchange begins."""
        self._buffer.clear()

    def _whole_bodies(self) -> Iterator[bytes]:
        buffer = self._buffer
        while (at := buffer.find(PREAMBLE)) >= 0 and len(buffer) >= at + HEAD_BYTES:
            length = int.from_bytes(buffer[at + len(PREAMBLE) : at + HEAD_BYTES], "big")
            end = at + HEAD_BYTES + length
            plausible = 1 < length <= BODY_BYTES_MAX + 1
            if plausible and len(buffer) < end:
                del buffer[:at]
                return
            if plausible and reduce(xor, buffer[at + len(PREAMBLE) : end]) == 0:
                yield bytes(buffer[at + HEAD_BYTES : end - 1])
                del buffer[:end]
            else:
                # A false preamble, or a damaged frame: the next may begin inside it.
                del buffer[: at + 1]
        if at < 0:
            # Noise; but a preamble may be cut in half at its end.
            del buffer[: max(0, len(buffer) - len(PREAMBLE) + 1)]


@dataclass(frozen=True)
class Answer:
    """What a reader said: SW3 and what followed it."""

    status: int
    data: bytes

    def __repr__(self) -> str:
        return f"Answer(status={self.status:02X}, {len(self.data)} bytes)"

    @property
    def meaning(self) -> str:
        """The manual's word for the status."""
        return STATUS_MEANING.get(self.status, f"status {self.status:02X}, not in the manual")


def encode_answer(answer: Answer) -> bytes:
    """The whole frame of an answer; the device's side."""
    return encode(bytes([0, 0, answer.status]) + answer.data)


def parse_answer(body: bytes) -> Answer | None:
    """The answer in a body; None when it is none (SW1 and SW2 are always zero)."""
    if len(body) < STATUS_BYTES or body[0] or body[1]:
        return None
    return Answer(body[2], body[STATUS_BYTES:])


@dataclass(frozen=True)
class CardContents:
    """What a read answer carries. The photo is passed over: it is never decoded nor kept."""

    text: bytes
    fingerprint: bytes

    def __repr__(self) -> str:
        return "CardContents(…)"


def encode_contents(text: bytes, photo: bytes, fingerprint: bytes | None = None) -> bytes:
    """Data of a read answer: sizes first. fingerprint None: the short header of 30 01."""
    parts = (text, photo) if fingerprint is None else (text, photo, fingerprint)
    return b"".join(len(part).to_bytes(2, "big") for part in parts) + b"".join(parts)


def split_contents(data: bytes, *, with_fingerprint: bool) -> CardContents:
    """The parts of a read answer, every size taken from its header. ProtocolError: they differ."""
    count = 3 if with_fingerprint else 2
    sizes = [int.from_bytes(data[at : at + 2], "big") for at in range(0, 2 * count, 2)]
    if len(data) != 2 * count + sum(sizes):
        raise ProtocolError(f"read answer of {len(data)} bytes contradicts its header")
    text_end = 2 * count + sizes[0]
    fingerprint = data[text_end + sizes[1] :] if with_fingerprint else b""
    return CardContents(data[2 * count : text_end], fingerprint)


def format_sam_id(data: bytes) -> str:
    """The reader's identity as printed on its label: xx.yy-YYYYMMDD-nnnnnnnnnn-nnnnnnnnnn."""
    if len(data) != 16:
        raise ProtocolError(f"SAM id of {len(data)} bytes")
    day, batch, serial = (int.from_bytes(data[at : at + 4], "little") for at in (4, 8, 12))
    return f"{data[0]:02d}.{data[2]:02d}-{day:08d}-{batch:010d}-{serial:010d}"
