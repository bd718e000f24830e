"""USB printers by their class driver's device file (/dev/usb/lp*), opened for ourselves alone.

The file reads nothing as an end of file while the printer is there and silent (usblp gives a
zero-length read for a zero-length packet): only an error, or a hang-up, means that it went away.
"""

from __future__ import annotations

import fcntl
import os
import re

from drivers.deadline import Clock
from drivers.transports.descriptor import DescriptorStream
from drivers.transports.opening import cannot_open

PRINTER_FILE = re.compile(r".*/usb/lp[0-9]+")


def is_printer_file(path: str) -> bool:
    """Whether a port of this name is a USB printer's."""
    return PRINTER_FILE.fullmatch(path) is not None


def open_printer_file(path: str, clock: Clock) -> DescriptorStream:
    """DeviceAbsent, DeviceBusy (usblp lets one in at a time), or TransportError."""
    del clock  # waits follow each call's Deadline, which carries the same clock
    try:
        fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as fault:
        raise cannot_open(path, fault) from fault
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as fault:
        os.close(fd)
        raise cannot_open(path, fault) from fault
    return DescriptorStream(fd, path, lambda: os.close(fd), empty_is_end=False)
