"""What is plugged in and pulled out, as udev tells it: a reason to look, never a fact by itself.

Rule: who hears of it looks at the device. Without udev (a container) nothing is told, and the
workers' own looking is all there is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import pyudev

SUBSYSTEMS = ("tty", "usbmisc", "input", "video4linux", "usb")
"""Serial lines, USB printers, keyboard wedges, cameras, and readers that pcscd serves."""

POLL_S = 1.0  # how soon stop() is noticed
MOVED = ("add", "remove", "bind", "unbind")


class CableWatch:
    """Calls `moved` on a thread of its own, once for all events that come together."""

    def __init__(self, moved: Callable[[], None]) -> None:
        self._moved = moved
        self._stopping = threading.Event()
        monitor = pyudev.Monitor.from_netlink(pyudev.Context())
        for subsystem in SUBSYSTEMS:
            monitor.filter_by(subsystem)
        monitor.start()
        self._monitor = monitor
        self._thread = threading.Thread(target=self._run, name="cables", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """May be called before start()."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(2 * POLL_S)

    def _run(self) -> None:
        while not self._stopping.is_set():
            event = self._monitor.poll(POLL_S)
            told = False
            while event is not None:  # one plug is a dozen events
                told = told or event.action in MOVED
                event = self._monitor.poll(0)
            if told:
                self._moved()
