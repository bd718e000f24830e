"""The terminal's clocks: one for people, one that counts from boot and never goes back."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class TerminalClock:
    """`ahead` is zero on a terminal; a demonstration may begin at another hour."""

    zone: tzinfo
    ahead: timedelta = timedelta(0)

    def now(self) -> datetime:
        """Local time, with its zone."""
        return (datetime.now(UTC) + self.ahead).astimezone(self.zone)

    def wall_s(self) -> float:
        """Seconds since 1970, by the wall clock."""
        return self.now().timestamp()

    def monotonic_s(self) -> float:
        """Seconds since boot, suspends included."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)


def boot_id() -> str:
    """A name for this start of the machine."""
    return BOOT_ID.read_text().strip()
