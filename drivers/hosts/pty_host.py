"""An emulator behind a pseudo-terminal: what the driver opens is a real serial port to it."""

from __future__ import annotations

import os
import termios
import tty
from pathlib import Path

from drivers.deadline import Clock
from drivers.hosts.host import EmulatorHost, EmulatorT

OUTPUT_SPEED = 5  # its place in what tcgetattr gives


class PtyHost(EmulatorHost[EmulatorT]):
    """`path` is what a driver opens: the link asked for, else the pty's own name.

    `device_baud` is the speed the device is set to: a driver at another one gets and sends
    rubbish, as on a real line. None: the device understands any speed, as USB-CDC does.
    """

    def __init__(
        self,
        emulator: EmulatorT,
        clock: Clock,
        baud: int | None = None,
        *,
        link: Path | str | None = None,
        bits_per_byte: int = 10,
        device_baud: int | None = None,
    ) -> None:
        super().__init__(emulator, clock, baud, bits_per_byte=bits_per_byte)
        self._device_speed = getattr(termios, f"B{device_baud}") if device_baud else None
        self._link = Path(link) if link is not None else None
        self._own_name = ""
        self._master, self._slave = -1, -1

    @property
    def path(self) -> str:
        """The port's name; without a link it changes at each plug()."""
        return str(self._link) if self._link is not None else self._own_name

    def _open_port(self) -> None:
        self._close_port()
        self._master, self._slave = os.openpty()
        # The slave stays open here too, else the master fails whenever the driver closes.
        tty.setraw(self._master)
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._own_name = os.ttyname(self._slave)
        if self._link is not None:
            self._link.unlink(missing_ok=True)
            self._link.symlink_to(self._own_name)

    def _close_port(self) -> None:
        if self._master < 0:
            return
        os.close(self._master)
        os.close(self._slave)
        self._master, self._slave = -1, -1
        if self._link is not None:
            self._link.unlink(missing_ok=True)

    def _descriptors(self) -> list[int]:
        return [self._master] if self._master >= 0 else []

    def _take(self, count: int) -> bytes:
        if self._master < 0:
            return b""
        try:
            return self._at_our_speed(os.read(self._master, count))
        except BlockingIOError:
            return b""

    def _put(self, data: bytes) -> int:
        if self._master < 0:
            return len(data)  # nobody is there to hear it
        try:
            return os.write(self._master, self._at_our_speed(data))
        except BlockingIOError:
            return 0

    def _at_our_speed(self, data: bytes) -> bytes:
        """The bytes, or what a line of another speed makes of them."""
        if self._device_speed is None:
            return data
        if termios.tcgetattr(self._master)[OUTPUT_SPEED] == self._device_speed:
            return data
        return bytes((byte * 5 ^ 0xE6) & 0xFF for byte in data)
