"""A door for batches: so many pass at once, so many wait, the rest are told when to come again.

After an outage every terminal comes at once. Whoever is sent away costs next to nothing, and those
who wait are answered before their patience ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

RETRY_FIRST_S = 5
RETRY_MAX_S = 60


class Crowded(Exception):
    """No room even to wait."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("crowded")
        self.retry_after_s = retry_after_s


class Gate:
    """On one event loop. The more were sent away since there was room, the later they are told."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self.turn, self._most = asyncio.Semaphore(at_once), at_once + waiting
        """To be held while working, not while reading: a slow line must not stop the others."""
        self._here = self._sent_away = 0

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Inside, one may wait for one's turn. Crowded at once when nobody more may wait."""
        if self._here >= self._most:
            self._sent_away += 1
            raise Crowded(min(RETRY_MAX_S, RETRY_FIRST_S + self._sent_away // self._most))
        self._here += 1
        try:
            yield
        finally:
            self._here -= 1
            if self._here <= self._most // 2:
                self._sent_away = 0
