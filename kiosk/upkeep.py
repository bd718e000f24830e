"""What the records need from time to time, whether or not the gateway is there.

Rule: a look never waits for the gateway, and a store found damaged ends the process: the next
start mends it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from kiosk.logs import Log
from kiosk.ports import PaymentsStood
from kiosk.records import StoreRecords
from offline.errors import StoreError, StoreFull

WITNESS_EVERY_S = 60.0
PURGE_EVERY_S = 24 * 3600.0
NIGHT_HOUR = 3
"""Backups are made from then on: nobody waits at a terminal, and the clock change is over."""

CHECK_AFTER_S = 1.0
"""The first page and what is open come first; only payments wait for the check."""
LOOK_EVERY_S = 5.0
UNNOTED_MAX = 100
"""What the trail could not be told because the disk was full; it is told when there is room."""


@dataclass
class Upkeep:
    """Erases screenings after their days; queues audit heads; copies the store at night."""

    records: StoreRecords
    keep_days: int
    monotonic_s: Callable[[], float]
    now: Callable[[], datetime]
    _purged_s: float = float("-inf")
    _witnessed_s: float = float("-inf")
    _night: str = ""

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
            self._look_at_night()
        except StoreFull:
            return

    def _look_at_night(self) -> None:
        """Once a day, and at the first look of a terminal that was off at night."""
        now = self.now()
        day = now.date().isoformat()
        if now.hour < NIGHT_HOUR or day == self._night:
            return
        self._night = day  # a full disk: not again before tomorrow, or a start
        keeping = self.records.keeping
        if keeping.night_of() != day:
            keeping.nightly()
            keeping.done_for(day)


class Rest(Protocol):
    """How the keeper rests between two looks, and hears that it is over."""

    @property
    def is_set(self) -> bool: ...

    def wait(self, seconds: float) -> bool: ...


class Keeper:
    """The thread that keeps the store's promises: checks it, says whether payments may be begun."""

    def __init__(
        self,
        upkeep: Upkeep,
        tell: Callable[[PaymentsStood], None],
        stop: Rest,
        log: Log,
    ) -> None:
        self._upkeep, self._tell, self._stop, self._log = upkeep, tell, stop, log
        self._told: str | None = None
        self._unnoted: list[str] = []
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        self._thread.join(timeout_s)

    def _run(self) -> None:
        self._stop.wait(CHECK_AFTER_S)
        try:
            while not self._stop.is_set:
                self.look()
                self._stop.wait(LOOK_EVERY_S)
        except StoreError as fault:
            self._log.error("store_failed", fault=type(fault).__name__)
            raise

    def look(self) -> None:
        """Check once; then, again and again, do what is due and say what may be promised."""
        keeping = self._upkeep.records.keeping
        keeping.check()
        off = keeping.admission(probe=False)
        if off != self._told:
            if off or self._told is not None:  # to be on at the start is no news
                self._unnoted = [*self._unnoted, off][-UNNOTED_MAX:]
            self._told = off
            self._log.info("payments_stood", code=off or "on")
            self._tell(PaymentsStood(off))
        while self._unnoted and keeping.note_payments(self._unnoted[0]):
            del self._unnoted[0]
        self._upkeep.look()
