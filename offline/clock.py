"""The clocks the store is handed: one for people, one that nobody can turn back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Clock:
    """`wall_s` is written into records; waits and deadlines are measured on `boot_s`.

    boot_s is CLOCK_BOOTTIME: it never jumps, and starts again at every boot, hence boot_id.
    """

    wall_s: Callable[[], float]
    boot_s: Callable[[], float]
    boot_id: str

    def wall_ms(self) -> int:
        """Milliseconds since 1970 by the wall clock, which may be wrong and may jump."""
        return int(self.wall_s() * 1000)
