"""Input devices (/dev/input/event*), taken from the desktop for ourselves alone.

Any descriptor that gives the kernel's event records serves as well: a FIFO has no grab to give
(ENOTTY), and nobody else reads it.
"""

from __future__ import annotations

import errno
import fcntl
import os

from drivers.deadline import Clock
from drivers.transports.descriptor import DescriptorStream
from drivers.transports.opening import cannot_open

EVIOCGRAB = 0x40044590  # _IOW('E', 0x90, int), linux/input.h


def open_input(path: str, clock: Clock) -> DescriptorStream:
    """The device's events, no longer seen by the desktop. DeviceBusy: someone else grabbed it."""
    del clock  # waits follow each call's Deadline, which carries the same clock
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as fault:
        raise cannot_open(path, fault) from fault
    try:
        fcntl.ioctl(fd, EVIOCGRAB, 1)
    except OSError as fault:
        if fault.errno != errno.ENOTTY:
            os.close(fd)
            raise cannot_open(path, fault) from fault
    return DescriptorStream(fd, path, lambda: os.close(fd))
