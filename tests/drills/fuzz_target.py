"""What one codec looks like to the fuzzers, and the lines that bring a frame to a whole driver."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from drivers.deadline import Deadline
from drivers.errors import DeadlineExceeded, DeviceLost, DriverError
from drivers.pcsc.port import SlotEvent, SlotUnchanged
from drivers.transport import READ_BYTES_MAX

Feed = Callable[[bytes], None]
Held = Callable[[], int]

QUESTION_S = 0.05


@dataclass(frozen=True)
class Target:
    """`open` gives a fresh codec as two functions: feed it bytes, and how many it holds back.

    `corpus`: genuine frames to start from. `refusals`: how it may say no.
    """

    name: str
    open: Callable[[], tuple[Feed, Held]]
    corpus: tuple[bytes, ...]
    refusals: tuple[type[Exception], ...] = (DriverError,)


def hold_nothing() -> int:
    """Of a codec that is handed whole messages."""
    return 0


class SilentLine:
    """A ByteStream on which every question gets `says` for an answer, and then nothing.

    Time is its own `clock`: a question takes QUESTION_S, an empty line lasts until the deadline.
    """

    def __init__(self, says: bytes = b"", *, hangs_up: bool = False) -> None:
        self.says = says
        self._left = says
        self._hangs_up = hangs_up
        self._now_s = 0.0

    def clock(self) -> float:
        """Handed to the driver."""
        return self._now_s

    def write(self, data: bytes, deadline: Deadline) -> None:
        del data, deadline
        self._now_s += QUESTION_S
        self._left = self.says

    def read(self, deadline: Deadline) -> bytes:
        late = self._now_s >= deadline.at_s
        taken, self._left = self._left[:READ_BYTES_MAX], self._left[READ_BYTES_MAX:]
        if taken and not late:
            return taken
        if self._hangs_up:
            raise DeviceLost("hung up")
        self._now_s = max(self._now_s, deadline.at_s)
        raise DeadlineExceeded("nothing more")

    def discard_input(self) -> None:
        self._left = b""

    def close(self) -> None:
        self._left = b""


class SameAnswer:
    """A CardPort whose card answers every command alike."""

    name = "fuzzed slot"

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def clock(self) -> float:
        """Handed to the driver: an answer takes no time."""
        return 0.0

    def look(self, deadline: Deadline) -> SlotEvent:
        del deadline
        return SlotUnchanged()

    def connect(self, deadline: Deadline) -> bytes:
        del deadline
        return b""

    def transmit(self, command: bytes, deadline: Deadline) -> bytes:
        del command, deadline
        return self._answer

    def disconnect(self) -> None:
        """Nothing to leave."""

    def close(self) -> None:
        """Nothing to give back."""
