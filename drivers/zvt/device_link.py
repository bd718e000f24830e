"""The pad's end of the line: frames with ACK and NAK, or bare APDUs; for the emulator."""

from __future__ import annotations

from typing import Protocol

from drivers.errors import ProtocolError
from drivers.zvt.codec import (
    ACK,
    NAK,
    Acknowledged,
    Apdu,
    Damaged,
    FrameReader,
    NotAcknowledged,
    encode_frame,
    take_apdu,
)

RESEND_AFTER_S = 5.0  # T2: no ACK by then, and the pad sends its frame again
SENDS_MAX = 3
HALF_APDU_S = 1.0  # a half APDU older than this was left behind by a connection that died


class DeviceLink(Protocol):
    """Bytes from the host in, APDUs out, and the other way."""

    nak_next: int

    def take(self, data: bytes, now_s: float) -> tuple[list[Apdu], bytes]:
        """The APDUs that `data` completes, and what the link itself answers at once."""

    def wrap(self, apdu: Apdu, now_s: float) -> bytes:
        """The bytes that carry an APDU to the host."""

    def tick(self, now_s: float) -> bytes:
        """What the link itself sends again."""

    def connected(self) -> None:
        """The host has opened the line anew."""

    def reset(self) -> None:
        """Power was cut."""


class SerialDeviceLink:
    """`nak_next`: so many good frames are refused with NAK, as a noisy pad would."""

    def __init__(self) -> None:
        self.nak_next = 0
        self.reset()

    def reset(self) -> None:
        self._reader = FrameReader()
        self._frame = b""
        self._sends = 0
        self._sent_at_s = 0.0

    def connected(self) -> None:
        """A serial line is never opened: the checksum tells a half frame."""

    def take(self, data: bytes, now_s: float) -> tuple[list[Apdu], bytes]:
        apdus, answer = [], b""
        for signal in self._reader.feed(data):
            match signal:
                case Apdu() if self.nak_next > 0:
                    self.nak_next -= 1
                    answer += bytes([NAK])
                case Apdu():
                    apdus.append(signal)
                    answer += bytes([ACK])
                    self._frame = b""  # whoever answers has heard us
                case Damaged():
                    answer += bytes([NAK])
                case NotAcknowledged():
                    answer += self._again(now_s)
                case Acknowledged():
                    self._frame = b""
        return apdus, answer

    def wrap(self, apdu: Apdu, now_s: float) -> bytes:
        self._frame, self._sends, self._sent_at_s = encode_frame(apdu), 1, now_s
        return self._frame

    def tick(self, now_s: float) -> bytes:
        if self._frame and now_s >= self._sent_at_s + RESEND_AFTER_S:
            return self._again(now_s)
        return b""

    def _again(self, now_s: float) -> bytes:
        if self._sends >= SENDS_MAX:
            self._frame = b""
        self._sends += 1
        self._sent_at_s = now_s
        return self._frame


class TcpDeviceLink:
    """TCP has no NAK: `nak_next` is without effect."""

    def __init__(self) -> None:
        self.nak_next = 0
        self.reset()

    def reset(self) -> None:
        self._buffer = bytearray()
        self._heard_at_s = 0.0

    def connected(self) -> None:
        self._buffer.clear()

    def take(self, data: bytes, now_s: float) -> tuple[list[Apdu], bytes]:
        self._buffer += data
        self._heard_at_s = now_s
        apdus = []
        try:
            while (apdu := take_apdu(self._buffer)) is not None:
                apdus.append(apdu)
        except ProtocolError:
            pass  # the buffer was dropped; a real pad would close the connection
        return apdus, b""

    def wrap(self, apdu: Apdu, now_s: float) -> bytes:
        return apdu.encode()

    def tick(self, now_s: float) -> bytes:
        if self._buffer and now_s >= self._heard_at_s + HALF_APDU_S:
            self._buffer.clear()
        return b""
