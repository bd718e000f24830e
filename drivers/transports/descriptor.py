"""A ByteStream over any file descriptor (serial line, socket, character device).

The descriptor is non-blocking; every wait is a poll bounded by the caller's deadline.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable

from drivers.deadline import Deadline
from drivers.errors import DeadlineExceeded, DeviceLost
from drivers.transport import READ_BYTES_MAX

POLL_SLICE_S = 0.5  # a wait longer than this looks at the clock again in between
DISCARD_BYTES_MAX = 65536  # a device that babbles without end must not hold us in discard_input


class DescriptorStream:
    """The open port `fd`; `close_port` gives it back to whoever opened it.

    `empty_is_end` False: a read of nothing means nothing, unless the kernel says hang-up.
    """

    def __init__(
        self, fd: int, name: str, close_port: Callable[[], None], *, empty_is_end: bool = True
    ) -> None:
        os.set_blocking(fd, False)
        self._fd = fd
        self._name = name
        self._close_port = close_port
        self._open = True
        self._empty_is_end = empty_is_end

    def write(self, data: bytes, deadline: Deadline) -> None:
        """Send all of data. DeviceLost when the port is gone, DeadlineExceeded when it is stuck."""
        left = memoryview(data)
        while left:
            self._wait(select.POLLOUT, deadline, f"room in {self._name}")
            try:
                left = left[os.write(self._fd, left) :]
            except BlockingIOError:
                continue
            except OSError as fault:
                raise self._lost(fault) from fault

    def read(self, deadline: Deadline) -> bytes:
        """At least one byte, at most READ_BYTES_MAX. DeviceLost, or DeadlineExceeded with none.

        A deadline that has passed still takes what is already there.
        """
        while True:
            self._wait(select.POLLIN, deadline, f"byte from {self._name}")
            data = self._take()
            if data is not None:
                return data
            deadline.check(f"byte from {self._name}")  # woken for nothing, perhaps again and again

    def discard_input(self) -> None:
        """Drop what came unasked."""
        dropped = 0
        while dropped < DISCARD_BYTES_MAX and self._ready(select.POLLIN, 0):
            dropped += len(self._take() or b"")

    def close(self) -> None:
        """Close the port; may be called twice."""
        if self._open:
            self._open = False
            self._close_port()

    def fileno(self) -> int:
        """The descriptor, for callers that wait on several devices at once."""
        return self._fd

    def _take(self) -> bytes | None:
        """What has come; None when the poll woke us for nothing. End of file: DeviceLost."""
        try:
            data = os.read(self._fd, READ_BYTES_MAX)
        except BlockingIOError:
            return None
        except OSError as fault:
            raise self._lost(fault) from fault
        if data:
            return data
        if self._empty_is_end or self._hung_up():
            raise DeviceLost(f"{self._name}: hung up")
        return None

    def _hung_up(self) -> bool:
        poll = select.poll()
        poll.register(self._fd, 0)
        return bool(poll.poll(0))

    def _wait(self, event: int, deadline: Deadline, waiting_for: str) -> None:
        while not self._ready(event, min(deadline.remaining_s(), POLL_SLICE_S)):
            if deadline.remaining_s() <= 0:
                raise DeadlineExceeded(f"no {waiting_for} in time")

    def _ready(self, event: int, timeout_s: float) -> bool:
        if not self._open:
            raise DeviceLost(f"{self._name}: closed")
        poll = select.poll()
        poll.register(self._fd, event)
        # Rounded up: 0.4 ms must not become a busy loop of zero waits.
        happened = poll.poll(-(-timeout_s * 1000 // 1))
        if happened and happened[0][1] & select.POLLNVAL:
            raise DeviceLost(f"{self._name}: closed")
        return bool(happened)

    def _lost(self, fault: OSError) -> DeviceLost:
        return DeviceLost(f"{self._name}: {fault.strerror or type(fault).__name__}")
