"""TCP connections to devices: pads, printers and serial servers on the terminal's own network."""

from __future__ import annotations

import socket

from drivers.deadline import Clock
from drivers.errors import DeviceAbsent
from drivers.transports.descriptor import DescriptorStream


def open_tcp(host: str, port: int, clock: Clock, timeout_s: float = 2.0) -> DescriptorStream:
    """A connection to the device. DeviceAbsent when nothing answers there within timeout_s."""
    del clock  # waits follow each call's Deadline, which carries the same clock
    name = f"{host}:{port}"
    try:
        connection = socket.create_connection((host, port), timeout=timeout_s)
    except OSError as fault:
        raise DeviceAbsent(f"{name}: {fault.strerror or 'no answer'}") from fault
    # Protocols of short answers: a byte held back by Nagle is a late byte.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return DescriptorStream(connection.fileno(), name, connection.close)
