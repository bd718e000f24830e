"""A port by its name alone: serial line, USB printer's device file, or TCP.

`/dev/ttyUSB0`, `/dev/usb/lp0`, `tcp://10.0.0.7:9100`.
"""

from __future__ import annotations

import re
from typing import Literal

from drivers.deadline import Clock
from drivers.transport import ByteStream
from drivers.transports.printer_file import is_printer_file, open_printer_file
from drivers.transports.serial_port import open_serial
from drivers.transports.tcp_port import open_tcp

TCP = re.compile(r"tcp://([^\s:/]+):([1-9][0-9]{0,4})")


def open_port(name: str, baud: int, clock: Clock, *, stopbits: Literal[1, 2] = 1) -> ByteStream:
    """The open port; `baud` and `stopbits` matter to serial lines only. TransportError."""
    if address := TCP.fullmatch(name):
        return open_tcp(address[1], int(address[2]), clock)
    if is_printer_file(name):
        return open_printer_file(name, clock)
    return open_serial(name, baud, clock, stopbits=stopbits)
