"""What carries APDUs to a ZVT pad: a serial line with ACK and NAK, or a bare TCP stream.

A link never decides to send an APDU again, except that a serial pad asked for it with NAK and
then stayed silent; how often is told, because for a payment it matters.
"""

from __future__ import annotations

from typing import Protocol

from drivers.deadline import Clock, Deadline
from drivers.errors import DeadlineExceeded, ProtocolError
from drivers.transport import ByteStream
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

SENDS_MAX = 3  # PA00P016: a frame answered with NAK is sent at most three times
NAK_QUIET_S = 0.3  # a NAK that noise made out of an ACK is followed by an APDU within this time
WAITING_MAX = 64  # APDUs that a pad may have sent ahead of our reading
DISCARDS_MAX = 256  # a pad that babbles without end must not hold us in discard


class Link(Protocol):
    """Whole APDUs, either way."""

    def send(self, apdu: Apdu, deadline: Deadline) -> None:
        """Hand an APDU to the line. DeviceLost, DeadlineExceeded as the stream has them."""

    def receive(self, deadline: Deadline) -> Apdu:
        """The next APDU. DeadlineExceeded with none."""

    def discard(self) -> None:
        """Forget what came unasked."""

    def sends(self) -> int:
        """How often the last APDU went out."""

    def close(self) -> None:
        """Close the stream; may be called twice."""


class TcpLink:
    """Bare APDUs one after the other; TCP itself sees to order and wholeness."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._buffer = bytearray()

    def send(self, apdu: Apdu, deadline: Deadline) -> None:
        self._stream.write(apdu.encode(), deadline)

    def receive(self, deadline: Deadline) -> Apdu:
        while (apdu := take_apdu(self._buffer)) is None:
            self._buffer += self._stream.read(deadline)
        return apdu

    def discard(self) -> None:
        # An APDU cut in half stays, else its second half would be read as a start.
        try:
            for _ in range(DISCARDS_MAX):
                self.receive(NO_WAIT)
        except DeadlineExceeded:
            return

    def sends(self) -> int:
        return 1

    def close(self) -> None:
        self._stream.close()


def _long_ago() -> float:
    return 0.0


NO_WAIT = Deadline(_long_ago, 0.0)
"""A deadline that has passed on every clock: take what is there."""


class SerialLink:
    """Frames with CRC; every good one is answered with ACK, every damaged one with NAK."""

    def __init__(self, stream: ByteStream, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock
        self._reader = FrameReader()
        self._waiting: list[Apdu] = []
        self._frame = b""
        self._sends = 0
        self._sent_again_at_s: float | None = None

    def send(self, apdu: Apdu, deadline: Deadline) -> None:
        self._frame = encode_frame(apdu)
        self._sends = 1
        self._sent_again_at_s = None
        self._stream.write(self._frame, deadline)

    def receive(self, deadline: Deadline) -> Apdu:
        while not self._waiting:
            self._listen(deadline)
        return self._waiting.pop(0)

    def discard(self) -> None:
        self._sent_again_at_s, self._frame = None, b""
        try:
            for _ in range(DISCARDS_MAX):
                self._take(self._stream.read(NO_WAIT), NO_WAIT)
                self._waiting.clear()
        except DeadlineExceeded:
            self._waiting.clear()

    def sends(self) -> int:
        return self._sends

    def close(self) -> None:
        self._stream.close()

    def _listen(self, deadline: Deadline) -> None:
        until_s = deadline.at_s
        if self._sent_again_at_s is not None:
            until_s = min(until_s, self._sent_again_at_s)
        try:
            self._take(self._stream.read(Deadline(self._clock, until_s)), deadline)
        except DeadlineExceeded:
            if self._sent_again_at_s is None or deadline.remaining_s() <= 0:
                raise
            self._send_again(deadline)

    def _take(self, data: bytes, deadline: Deadline) -> None:
        for signal in self._reader.feed(data):
            match signal:
                case Apdu():
                    self._accept(signal, deadline)
                case Damaged():
                    self._stream.write(bytes([NAK]), self._soon(deadline))
                case NotAcknowledged() if self._frame:
                    self._sent_again_at_s = self._clock() + NAK_QUIET_S
                case NotAcknowledged() | Acknowledged():
                    pass

    def _accept(self, apdu: Apdu, deadline: Deadline) -> None:
        if len(self._waiting) >= WAITING_MAX:
            raise ProtocolError("the pad talks without being asked")
        self._waiting.append(apdu)
        # An APDU shows that ours came through, whatever the NAK before it looked like; from now
        # on a NAK is noise, and noise must not repeat a command.
        self._sent_again_at_s, self._frame = None, b""
        self._stream.write(bytes([ACK]), self._soon(deadline))

    def _send_again(self, deadline: Deadline) -> None:
        self._sent_again_at_s = None
        if self._sends >= SENDS_MAX:
            raise ProtocolError(f"the pad refused a frame {SENDS_MAX} times")
        self._sends += 1
        self._stream.write(self._frame, deadline)

    def _soon(self, deadline: Deadline) -> Deadline:
        """One byte is owed even when the caller's own time is over."""
        return Deadline(self._clock, max(deadline.at_s, self._clock() + NAK_QUIET_S))
