"""Emulators behind real ports, for as long as a test runs."""

from __future__ import annotations

import time
from contextlib import ExitStack

from drivers.hosts.host import EmulatorT
from drivers.hosts.pty_host import PtyHost
from drivers.hosts.tcp_host import TcpHost


class Ports:
    """Starts hosts; the stack stops them."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def pty(self, emulator: EmulatorT, baud: int | None = None) -> PtyHost[EmulatorT]:
        """The emulator behind a pseudo-terminal, paced at baud if given."""
        host = PtyHost(emulator, time.monotonic, baud)
        self._stack.enter_context(host)
        return host

    def tcp(self, emulator: EmulatorT) -> TcpHost[EmulatorT]:
        """The emulator behind a listening socket."""
        host = TcpHost(emulator, time.monotonic)
        self._stack.enter_context(host)
        return host
