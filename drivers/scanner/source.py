"""What reads codes, whatever its cable: a serial scanner, a keyboard wedge, a camera."""

from __future__ import annotations

from typing import Protocol

from drivers.deadline import Clock, Deadline
from drivers.scanner.codec import Garbage, Scanned
from drivers.scanner.driver import Nothing
from drivers.scanner.hints import Hint


class CodeSource(Protocol):
    """Armed only while a screen asks; what came before is never taken."""

    clock: Clock

    @property
    def hint(self) -> Hint:
        """What the person could do, if nothing was read by the last poll."""

    def arm(self) -> None:
        """Start looking."""

    def disarm(self) -> None:
        """Stop looking; may be called twice."""

    def poll(self, deadline: Deadline) -> Scanned | Nothing | Garbage:
        """The next code; the same one within a second counts once."""

    def close(self) -> None:
        """Give the port back."""
