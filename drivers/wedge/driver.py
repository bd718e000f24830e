"""A keyboard wedge made to look like a serial scanner, so that one Scanner serves both.

Scanner(KeyStream(open_input(path, clock)), clock, WEDGE)
"""

from __future__ import annotations

from drivers.deadline import Deadline
from drivers.scanner.models import ScannerModel
from drivers.transport import ByteStream
from drivers.wedge.codec import KeyDecoder

CAPABILITIES = frozenset({"codes"})

WEDGE = ScannerModel(name="wedge", baud=0, idle_gap_s=0.5)
"""Looks all the time. Old scanners take up to 100 ms a key; five times that is a pause."""


class KeyStream:
    """A ByteStream of typed characters over a stream of key events."""

    def __init__(self, events: ByteStream) -> None:
        self._events = events
        self._decoder = KeyDecoder()

    def write(self, data: bytes, deadline: Deadline) -> None:
        """A keyboard is not written to: a model without a trigger never asks for it."""
        raise AssertionError("a keyboard wedge has no commands")

    def read(self, deadline: Deadline) -> bytes:
        """At least one character. DeviceLost, or DeadlineExceeded with none."""
        while True:
            typed = self._decoder.feed(self._events.read(deadline))
            if typed:
                return typed
            deadline.check("key of the scanner")

    def discard_input(self) -> None:
        """Drop what was typed unasked."""
        self._events.discard_input()
        self._decoder.reset()

    def close(self) -> None:
        """Give the device back to the desktop; may be called twice."""
        self._events.close()
