"""Bytes of ZVT: APDUs, serial frames and data fields, in both directions, without I/O.

Facts: PROTOCOLS 4.1 and PROTOCOL.md beside this file. A decoder takes any cut of bytes, holds at
most FRAME_BYTES_MAX of them, and finds the next good frame by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from drivers.errors import ProtocolError

DLE, STX, ETX, ACK, NAK = 0x10, 0x02, 0x03, 0x06, 0x15

DATA_BYTES_MAX = 4096
"""The longest data a pad sends is a printed text block; more is a hostile or a garbled length."""

FRAME_BYTES_MAX = 2 * (DATA_BYTES_MAX + 5) + 6

AMOUNT_FEN_MAX = 10**12 - 1


@dataclass(frozen=True)
class Apdu:
    """One command or answer: class and instruction as one number (0x0601), and its data."""

    control: int
    data: bytes = b""

    def __repr__(self) -> str:
        # The data may hold a card number: a log that prints an Apdu must not.
        return f"Apdu({self.control:04X}, {len(self.data)} bytes)"

    def encode(self) -> bytes:
        """Control field, length (one byte, or FF and two little-endian ones), data."""
        assert len(self.data) <= DATA_BYTES_MAX
        size = len(self.data)
        length = bytes([size]) if size < 0xFF else b"\xff" + size.to_bytes(2, "little")
        return self.control.to_bytes(2, "big") + length + self.data


POSITIVE = Apdu(0x8000)
NEED_TIME = Apdu(0x849C)
NOT_ISSUED = Apdu(0x8466)
NOT_POSSIBLE = Apdu(0x8483)


def take_apdu(buffer: bytearray) -> Apdu | None:
    """The next APDU of a TCP stream, removed from `buffer`; None: the rest has not come.

    ProtocolError when the length is beyond all sense: nothing marks the start of the next APDU,
    so the connection must be dropped.
    """
    if len(buffer) < 3:
        return None
    start, size = 3, buffer[2]
    if size == 0xFF:
        if len(buffer) < 5:
            return None
        start, size = 5, int.from_bytes(buffer[3:5], "little")
    if size > DATA_BYTES_MAX:
        del buffer[:]
        raise ProtocolError(f"an APDU of {size} bytes")
    if len(buffer) < start + size:
        return None
    apdu = Apdu(int.from_bytes(buffer[:2], "big"), bytes(buffer[start : start + size]))
    del buffer[: start + size]
    return apdu


def parse_apdu(content: bytes) -> Apdu:
    """The APDU that fills `content` exactly (the inside of a serial frame)."""
    rest = bytearray(content)
    apdu = take_apdu(rest)
    if apdu is None or rest:
        raise ProtocolError(f"{len(content)} bytes are not one APDU")
    return apdu


def crc16(content: bytes) -> int:
    """CRC over the un-doubled APDU (ETX is added here): reflected 0x8408, start 0."""
    crc = 0
    for byte in (*content, ETX):
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0x8408 if crc & 1 else crc >> 1
    return crc


def encode_frame(apdu: Apdu) -> bytes:
    """The serial form: 10 02, APDU with each 10 doubled, 10 03, CRC low, CRC high."""
    content = apdu.encode()
    doubled = content.replace(b"\x10", b"\x10\x10")
    return b"\x10\x02" + doubled + b"\x10\x03" + crc16(content).to_bytes(2, "little")


@dataclass(frozen=True)
class Acknowledged:
    """ACK: the other side holds our frame."""


@dataclass(frozen=True)
class NotAcknowledged:
    """NAK: the other side asks for our frame again."""


@dataclass(frozen=True)
class Damaged:
    """A frame came whose bytes or CRC are wrong; NAK asks for it again."""


Signal = Acknowledged | NotAcknowledged | Damaged | Apdu


class FrameReader:
    """Signals out of a serial line, however the bytes were cut."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def __len__(self) -> int:
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Signal]:
        """All signals that are complete with `data`; the rest waits for the next call."""
        signals = []
        for at in range(0, len(data), FRAME_BYTES_MAX):
            self._buffer += data[at : at + FRAME_BYTES_MAX]
            while (signal := self._take()) is not None:
                signals.append(signal)
        return signals

    def _take(self) -> Signal | None:
        while self._buffer:
            first = self._buffer[0]
            if first == DLE:
                if len(self._buffer) < 2:
                    return None
                if self._buffer[1] == STX:
                    return self._take_frame()
            del self._buffer[:1]
            if first == ACK:
                return Acknowledged()
            if first == NAK:
                return NotAcknowledged()
        return None

    def _take_frame(self) -> Signal | None:
        content = bytearray()
        at = 2
        while at < len(self._buffer):
            byte = self._buffer[at]
            if byte != DLE:
                content.append(byte)
                at += 1
                continue
            if at + 1 >= len(self._buffer):
                break
            follower = self._buffer[at + 1]
            if follower == ETX:
                return self._close_frame(bytes(content), at + 2)
            if follower != DLE:
                # The end of this frame was lost. 10 02 is the next one's start: keep it.
                return self._damaged(at if follower == STX else at + 2)
            content.append(DLE)
            at += 2
        if len(self._buffer) > FRAME_BYTES_MAX:
            return self._damaged(2)
        return None

    def _close_frame(self, content: bytes, end: int) -> Signal | None:
        if len(self._buffer) < end + 2:
            return None
        crc = int.from_bytes(self._buffer[end : end + 2], "little")
        if crc != crc16(content):
            return self._damaged(end + 2)
        del self._buffer[: end + 2]
        try:
            return parse_apdu(content)
        except ProtocolError:
            return Damaged()

    def _damaged(self, until: int) -> Damaged:
        del self._buffer[:until]
        return Damaged()


def bcd(value: int, size: int) -> bytes:
    """A number as packed decimal digits, `size` bytes, zeros at the left."""
    assert 0 <= value < 10 ** (2 * size)
    return bytes.fromhex(f"{value:0{2 * size}d}")


def from_bcd(data: bytes) -> int:
    """ProtocolError when a half byte is not a decimal digit."""
    digits = data.hex()
    if not digits.isdecimal():
        raise ProtocolError(f"{len(data)} bytes are not decimal digits")
    return int(digits)
