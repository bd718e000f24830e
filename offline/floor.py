"""The time that deadlines are held against: never before what the gateway has said.

Rule: in doubt it is later. A wall clock that was turned back does not bring a deadline back; one
that was turned forward only ends promises early. The floor goes back by the gateway's word alone.
"""

from __future__ import annotations

from offline.settings import Settings
from offline.store import Store, Transaction

KEPT_EVERY_MS = 60_000
"""What a power cut may take away from the floor, and one commit a minute."""

_NAME = "time_floor"


class TimeFloor:
    """Of one store; safe to share between threads as the store is."""

    def __init__(self, store: Store) -> None:
        self._clock = store.clock
        self._settings = Settings(store)
        kept = self._settings.get(_NAME)
        self._kept_ms = int(kept) if kept is not None else 0
        # One value, replaced whole: a thread that reads it never sees half of a new one.
        self._anchor = (self._kept_ms, self._clock.boot_s())

    def now_ms(self) -> int:
        """Milliseconds since 1970: the wall clock's, or the floor's where that is later."""
        return max(self._clock.wall_ms(), self._floor_ms())

    def heard(self, gateway_ms: int) -> None:
        """The gateway's own time just now; it may also take a floor back that was too high."""
        self._anchor = (gateway_ms, self._clock.boot_s())

    def due(self) -> bool:
        """Whether keep() has something to say that a restart should know."""
        return abs(self._floor_ms() - self._kept_ms) >= KEPT_EVERY_MS

    def keep(self, tx: Transaction) -> None:
        """For the next start: time that went by switched off is not counted."""
        floor_ms = self._floor_ms()
        self._settings.set(tx, _NAME, str(floor_ms))
        self._kept_ms = floor_ms

    def _floor_ms(self) -> int:
        base_ms, since_s = self._anchor
        if not base_ms:
            return 0  # the gateway was never heard: there is nothing to know better
        return base_ms + int((self._clock.boot_s() - since_s) * 1000)
