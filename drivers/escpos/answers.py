"""What a printer says, told apart byte by byte.

Rule: each kind of answer has bits that never change; a byte without them is noise and is skipped,
and more noise than a printer could make by itself is a ProtocolError.
"""

from __future__ import annotations

from collections import deque

from drivers.deadline import Deadline
from drivers.errors import DeadlineExceeded, ProtocolError
from drivers.transport import ByteStream

NOISE_BYTES_MAX = 256
KIOSK_HEAD = b"\x10\x0f"
KIOSK_BYTES = 6
ASB_BYTES = 4
PROCESS_BYTES = 3


class Inbox:
    """Sorts what comes into real-time answers, kiosk answers and marks; `marks` counts these."""

    def __init__(self, stream: ByteStream) -> None:
        self.marks = 0
        self._stream = stream
        self._unsorted = bytearray()
        self._statuses: deque[int] = deque()
        self._kiosks: deque[bytes] = deque()
        self._noise = 0

    def status(self, deadline: Deadline) -> int:
        """One answer to DLE EOT n."""
        while not self._statuses:
            self._take(deadline)
        return self._statuses.popleft()

    def kiosk(self, deadline: Deadline) -> bytes:
        """p u r f: the answer to 10 04 14."""
        while not self._kiosks:
            self._take(deadline)
        return self._kiosks.popleft()

    def wait_for_mark(self, deadline: Deadline) -> bool:
        """Whether another mark came in time."""
        before = self.marks
        while self.marks == before:
            try:
                self._take(deadline)
            except DeadlineExceeded:
                return False
        return True

    def _take(self, deadline: Deadline) -> None:
        self._unsorted += self._stream.read(deadline)
        while self._unsorted and self._sort():
            pass

    def _sort(self) -> bool:
        """Take one answer off the front; False: the rest of it has not come."""
        first = self._unsorted[0]
        length = self._frame_length()
        if len(self._unsorted) < length:
            return False
        frame = bytes(self._unsorted[:length])
        del self._unsorted[:length]
        if frame[:2] == KIOSK_HEAD:
            self._kiosks.append(frame[2:])
        elif length > 1:
            pass  # status sent unasked, or "buffer cleared": nothing that was asked for
        elif first & 0x93 == 0x12:
            self._statuses.append(first)
        elif is_mark(first):
            self.marks += 1
        else:
            self._count_noise()
        return True

    def _frame_length(self) -> int:
        head = bytes(self._unsorted[:2])
        if head == KIOSK_HEAD:
            return KIOSK_BYTES
        if head == b"\x10":
            return 2  # which of two kinds it is, the next byte says
        if head[0] & 0x93 == 0x10:
            return ASB_BYTES
        return PROCESS_BYTES if head in (b"\x37", b"\x37\x25") else 1

    def _count_noise(self) -> None:
        self._noise += 1
        if self._noise > NOISE_BYTES_MAX:
            raise ProtocolError("this does not talk like a receipt printer")


def is_mark(byte: int) -> bool:
    """An answer to GS r 1 while there is paper: 00, or 03 when the roll nears its end.

    Bits 5 and 6 are undefined; with no paper the printer does not answer at all.
    """
    return byte & 0x9C == 0 and byte & 0x03 in (0x00, 0x03)
