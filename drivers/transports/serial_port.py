"""Serial lines: RS-232, RS-485 and USB-CDC, opened for ourselves alone.

pyserial opens and sets the line; reading and waiting are our own (DescriptorStream), because its
inter_byte_timeout counts in tenths of a second and its read hides how the device went away.
"""

from __future__ import annotations

from typing import Literal

import serial

from drivers.deadline import Clock
from drivers.transports.descriptor import DescriptorStream
from drivers.transports.opening import cannot_open

Parity = Literal["N", "E", "O"]


def open_serial(
    path: str,
    baud: int,
    clock: Clock,
    *,
    bytesize: Literal[5, 6, 7, 8] = 8,
    parity: Parity = "N",
    stopbits: Literal[1, 2] = 1,
) -> DescriptorStream:
    """The line at `path`, locked: a second opener gets DeviceBusy. Deadlines run on `clock`.

    DeviceAbsent: no such port. DeviceBusy: another program holds it. TransportError: it is there
    and cannot be used (no permission, no such speed).
    """
    del clock  # waits follow each call's Deadline, which carries the same clock
    try:
        port = serial.Serial(
            path,
            baud,
            bytesize=bytesize,
            parity=parity,
            stopbits=stopbits,
            timeout=0,
            exclusive=True,
        )
    except (serial.SerialException, OSError, ValueError) as fault:
        raise cannot_open(path, fault) from fault
    return DescriptorStream(port.fileno(), path, port.close)
