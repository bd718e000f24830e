"""One deadline for a whole exchange, on a clock that is handed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from drivers.errors import DeadlineExceeded

Clock = Callable[[], float]
"""Seconds on a clock that never goes back (time.monotonic, or a test's own)."""


@dataclass(frozen=True)
class Deadline:
    """A moment on `clock`; every wait inside one exchange shares it."""

    clock: Clock
    at_s: float

    @classmethod
    def after(cls, clock: Clock, timeout_s: float) -> Deadline:
        """The moment `timeout_s` from now."""
        return cls(clock, clock() + timeout_s)

    def remaining_s(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self.at_s - self.clock())

    def check(self, waiting_for: str) -> None:
        """Raise DeadlineExceeded, naming what was waited for, once the moment has passed."""
        if self.clock() >= self.at_s:
            raise DeadlineExceeded(f"no {waiting_for} in time")
