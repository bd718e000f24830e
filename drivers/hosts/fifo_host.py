"""An emulator that only speaks, behind a FIFO: stands for an input device or any one-way port."""

from __future__ import annotations

import os
from pathlib import Path

from drivers.deadline import Clock
from drivers.hosts.host import EmulatorHost, EmulatorT


class FifoHost(EmulatorHost[EmulatorT]):
    """`path` is what a driver opens for reading; it is gone while unplugged."""

    def __init__(self, emulator: EmulatorT, clock: Clock, path: Path | str) -> None:
        super().__init__(emulator, clock)
        self.path = str(path)
        self._fd = -1

    def _open_port(self) -> None:
        self._close_port()
        Path(self.path).unlink(missing_ok=True)  # of one that was killed
        os.mkfifo(self.path, 0o600)
        # Not O_RDWR: a reader must see the end when this side goes away.
        reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        self._fd = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        os.close(reader)

    def _close_port(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            Path(self.path).unlink(missing_ok=True)

    def _descriptors(self) -> list[int]:
        return []

    def _take(self, count: int) -> bytes:
        return b""

    def _put(self, data: bytes) -> int:
        if self._fd < 0:
            return len(data)
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            return len(data)  # nobody is there to read it
