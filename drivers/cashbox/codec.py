"""Bytes of ccTalk, in both directions, without I/O.

Facts: PROTOCOL.md beside this file. A decoder takes any cut of bytes, holds at most
FRAME_BYTES_MAX of them, and finds the next good frame by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from drivers.errors import ProtocolError

HOST, VALIDATOR = 1, 40
REPLY = 0
DATA_BYTES_MAX = 252
FRAME_BYTES_MAX = DATA_BYTES_MAX + 5

SIMPLE_POLL, SELF_CHECK, SERIAL_NUMBER, PRODUCT_CODE = 254, 232, 242, 244
MANUFACTURER, RESET = 246, 1
MODIFY_INHIBIT, MODIFY_MASTER_INHIBIT = 231, 228
BILL_EVENTS, BILL_ID, SCALING_FACTOR, ROUTE_BILL, OPERATING_MODE = 159, 157, 156, 154, 153

EVENTS_KEPT = 5
BILL_TYPES = 16


@dataclass(frozen=True)
class Frame:
    """One message. `header`: the command, or 0 in a reply."""

    to: int
    sender: int
    header: int
    data: bytes = b""

    def encode(self, crc: bool = False) -> bytes:
        """With an 8-bit sum, or with CRC-16 (then the sender's place holds its low byte)."""
        assert len(self.data) <= DATA_BYTES_MAX
        if crc:
            checked = bytes([self.to, len(self.data), self.header]) + self.data
            low, high = crc16(checked).to_bytes(2, "little")
            return checked[:2] + bytes([low]) + checked[2:] + bytes([high])
        summed = bytes([self.to, len(self.data), self.sender, self.header]) + self.data
        return summed + bytes([-sum(summed) % 256])


def crc16(data: Iterable[int]) -> int:
    """CRC-16 as XMODEM has it: 0x1021 from 0."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


class FrameReader:
    """Frames out of a serial line, however the bytes were cut. The sum is the only mark there is.

    ccTalk has no start byte: after noise every offset is tried until a sum fits, addressed to
    `for_address`, with a header that the side expects.
    """

    def __init__(self, for_address: int, crc: bool = False) -> None:
        self._for = for_address
        self._crc = crc
        self._buffer = bytearray()

    def __len__(self) -> int:
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Frame]:
        """All frames that are complete with `data`; the rest waits for the next call."""
        frames = []
        for at in range(0, len(data), FRAME_BYTES_MAX):
            self._buffer += data[at : at + FRAME_BYTES_MAX]
            while (frame := self._take()) is not None:
                frames.append(frame)
        return frames

    def skip(self) -> list[Frame]:
        """Nothing more comes: what looks like a frame's start was none. Try from the next byte."""
        frames: list[Frame] = []
        while self._buffer:
            del self._buffer[:1]
            while (frame := self._take()) is not None:
                frames.append(frame)
        return frames

    def _take(self) -> Frame | None:
        while len(self._buffer) >= 5:
            size = self._buffer[1]
            if size > DATA_BYTES_MAX or self._buffer[0] not in (HOST, self._for, VALIDATOR):
                del self._buffer[:1]
                continue
            if len(self._buffer) < size + 5:
                return None
            raw = bytes(self._buffer[: size + 5])
            frame = self._check(raw)
            if frame is None:
                del self._buffer[:1]
                continue
            del self._buffer[: len(raw)]
            if frame.to == self._for:
                return frame
            # Addressed to the other side: our own echo on the one wire.
        return None

    def _check(self, raw: bytes) -> Frame | None:
        if self._crc:
            checked = raw[:2] + raw[3:-1]
            if crc16(checked).to_bytes(2, "little") != bytes([raw[2], raw[-1]]):
                return None
            sender = VALIDATOR if self._for == HOST else HOST
            return Frame(raw[0], sender, raw[3], raw[4:-1])
        return Frame(raw[0], raw[2], raw[3], raw[4:-1]) if sum(raw) % 256 == 0 else None


@dataclass(frozen=True)
class BillEvents:
    """The answer to 159: a counter, and the newest five events, newest first."""

    counter: int
    events: tuple[tuple[int, int], ...]

    def encode(self) -> bytes:
        """The reply's data."""
        kept = (*self.events, *((0, 0),) * EVENTS_KEPT)[:EVENTS_KEPT]
        return bytes([self.counter]) + bytes(value for event in kept for value in event)


def parse_bill_events(data: bytes) -> BillEvents:
    """ProtocolError when it is not a counter and five pairs."""
    if len(data) != 1 + 2 * EVENTS_KEPT:
        raise ProtocolError(f"bill events of {len(data)} bytes")
    pairs = tuple((data[at], data[at + 1]) for at in range(1, len(data), 2))
    return BillEvents(data[0], pairs)


def parse_bill_id(data: bytes) -> tuple[str, int] | None:
    """`CN0010A`: country and value; None where the type is not used."""
    if len(data) != 7:
        raise ProtocolError(f"a bill id of {len(data)} bytes")
    country, value = data[:2].decode("latin-1"), data[2:6]
    if not value.isdigit() or not country.isalpha():
        return None
    return country, int(value)
