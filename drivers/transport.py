"""What a driver is handed: a byte stream. What an emulator is: bytes in, bytes out, and time.

A driver never opens a port, never sleeps and never retries. Transports (serial, TCP, and the
tests' cable) implement ByteStream; hosts (pty, TCP) run an Emulator behind a real port.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from drivers.deadline import Deadline

READ_BYTES_MAX = 4096


class ByteStream(Protocol):
    """The host's end of a cable."""

    def write(self, data: bytes, deadline: Deadline) -> None:
        """Send all of data. DeviceLost when the port is gone, DeadlineExceeded when it is stuck."""

    def read(self, deadline: Deadline) -> bytes:
        """At least one byte, at most READ_BYTES_MAX. DeviceLost, or DeadlineExceeded with none."""

    def discard_input(self) -> None:
        """Drop what came unasked; used before a request, so that an old answer is not taken."""

    def close(self) -> None:
        """Close the port; may be called twice."""


class Emulator(Protocol):
    """The device's end of a cable: no thread, no port; whoever hosts it hands in bytes and time."""

    def receive(self, data: bytes) -> bytes:
        """What the host sent, in any cut; the answer that goes out at once (may be empty)."""

    def tick(self, now_s: float) -> bytes:
        """What goes out unasked. Called every few milliseconds, and just before each receive.

        The clock never goes back.
        """


@runtime_checkable
class MindsConnections(Protocol):
    """An emulator to which a new connection is a new conversation (HTTP)."""

    def connected(self) -> None:
        """A host has connected; what was half said on the old connection is forgotten."""
