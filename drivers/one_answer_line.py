"""What all dialects of one-answer pads share below the meaning: frames in, echoes, waiting, words.

Rule: an answer belongs to a request only by its echo; what lies in the line from before is passed
over, and one request is written once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from drivers.deadline import Deadline
from drivers.one_answer import Answer, wait_out
from drivers.pad import PadTime
from drivers.transport import ByteStream


class BodyReader(Protocol):
    """A codec's decoder: whole bodies out of any cut of bytes."""

    def feed(self, data: bytes) -> list[bytes]:
        """All bodies that are complete with `data`."""


class BoundedReader:
    """Holds at most one whole frame; a codec says in `take` what a frame is."""

    frame_bytes_max: int

    def __init__(self) -> None:
        self._buffer = bytearray()

    def __len__(self) -> int:
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """All bodies that are complete with `data`; the rest waits for the next call."""
        bodies = []
        for at in range(0, len(data), self.frame_bytes_max):
            self._buffer += data[at : at + self.frame_bytes_max]
            while (body := self._take()) is not None:
                bodies.append(body)
        return bodies

    def _take(self) -> bytes | None:
        """One body out of the buffer; None: the rest has not come."""
        raise NotImplementedError


class EchoedLine:
    """One connection: each request carries a number below `echoes` that its answer repeats.

    `draw(n)`: a number below n, so that no two connections begin alike.
    """

    def __init__(
        self,
        stream: ByteStream,
        make_reader: Callable[[], BodyReader],
        draw: Callable[[int], int],
        echoes: int,
    ) -> None:
        self._stream = stream
        self._make_reader = make_reader
        self._echoes = echoes
        self._echo = draw(echoes)
        self._reader = make_reader()
        self._bodies: list[bytes] = []

    def next_echo(self) -> int:
        """For one request; not used before on this connection, until all have been."""
        self._echo = (self._echo + 1) % self._echoes
        return self._echo

    def exchange(
        self, frame: bytes, take: Callable[[bytes], Answer | None], deadline: Deadline
    ) -> Answer:
        """Send once; `take` gives the answer, or None for a body that is none of ours."""
        self._stream.discard_input()
        self._reader = self._make_reader()
        self._bodies.clear()
        self._stream.write(frame, deadline)
        while True:
            answer = take(self._body(deadline))
            if answer is not None:
                return answer

    def quiet(self, deadline: Deadline) -> None:
        """Pass over what comes unasked, until the deadline."""
        wait_out(self._body, deadline)

    def close(self) -> None:
        """Close the stream; may be called twice."""
        self._stream.close()

    def _body(self, deadline: Deadline) -> bytes:
        while not self._bodies:
            self._bodies += self._reader.feed(self._stream.read(deadline))
        return self._bodies.pop(0)


def pad_time(digits: str) -> PadTime | None:
    """`MMDDhhmmss`; None when it is not ten digits."""
    if len(digits) != 10 or not (digits.isascii() and digits.isdecimal()):
        return None
    month, day, hour, minute, second = (int(digits[at : at + 2]) for at in range(0, 10, 2))
    return PadTime(month, day, hour, minute, second)
