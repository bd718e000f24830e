"""What the records need from time to time, whether or not the gateway is there.

Looked after on the sender's thread, before it speaks to the gateway.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kiosk.records import StoreRecords
from offline.errors import StoreFull

WITNESS_EVERY_S = 60.0
PURGE_EVERY_S = 24 * 3600.0


@dataclass
class Upkeep:
    """Erases screenings after their days; queues audit heads. look() as often as you like."""

    records: StoreRecords
    keep_days: int
    monotonic_s: Callable[[], float]
    _purged_s: float = float("-inf")
    _witnessed_s: float = float("-inf")

    def look(self) -> None:
        """Do what is due; a full disk is no reason to fall, it is tried again when next due."""
        now_s = self.monotonic_s()
        try:
            if now_s - self._purged_s >= PURGE_EVERY_S:
                self._purged_s = now_s
                self.records.purge(self.keep_days)
            minute = now_s - self._witnessed_s >= WITNESS_EVERY_S
            if minute:
                self._witnessed_s = now_s
            self.records.witness(now=minute)
        except StoreFull:
            return
