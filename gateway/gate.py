"""A door for batches: so many are worked on, so many wait, the rest are told when to come again.

After an outage every terminal comes at once. Whoever is sent away costs next to nothing; when they
are told to come again follows from how many they are and how fast batches are done, so that the
storm is over about as soon as it could be. Who has waited for as long as is any use is sent away
too, before anything was done.
"""

from __future__ import annotations

import asyncio
import heapq
import math
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from random import Random

RETRY_MIN_S = 2
RETRY_MAX_S = 150  # the other side rests up to twice as long: full jitter over 300 s
_REMEMBERED = 64
_RATE_FIRST = 300.0  # batches a second, until it has been seen: who comes too early costs little
_RATE_LEAST = 50.0  # a moment in which nothing went on must not send everybody away for minutes
_RETURN_AFTER = 1.5  # of what they were told, on average
_SPREAD = 0.5  # of that, more or less: those who are sent away together do not return together


class Crowded(Exception):
    """No room even to wait, or no turn in time. Nothing was done."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("crowded")
        self.retry_after_s = retry_after_s


class Gate:
    """On one event loop. `clock`: seconds that never jump."""

    def __init__(
        self, at_once: int, waiting: int, clock: Callable[[], float], chance: Random
    ) -> None:
        self._turns, self._most = asyncio.Semaphore(at_once), at_once + waiting
        self._clock, self._chance = clock, chance
        self._here = 0
        self._done: deque[float] = deque(maxlen=_REMEMBERED)
        self._returns: list[float] = []  # when those sent away are expected, soonest first

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Inside, one may wait for one's turn. Crowded at once when nobody more may wait."""
        if self._here >= self._most:
            raise Crowded(self._sent_away())
        self._here += 1
        try:
            yield
            self._done.append(self._clock())
        finally:
            self._here -= 1
            if self._here == 0:
                self._done.clear()  # what was done at leisure says nothing of how fast it can be

    @asynccontextmanager
    async def turn(self, patience_s: float) -> AsyncIterator[None]:
        """Held while working, not while reading: a slow line must not stop the others. Crowded
        when it does not come in time: whoever asked would be gone before the answer."""
        try:
            async with asyncio.timeout(patience_s):
                await self._turns.acquire()
        except TimeoutError:
            raise Crowded(self._sent_away()) from None
        try:
            yield
        finally:
            self._turns.release()

    def _sent_away(self) -> int:
        now_s = self._clock()
        while self._returns and self._returns[0] <= now_s:
            heapq.heappop(self._returns)
        busy_s = (self._here + len(self._returns)) / self._rate()
        spread = self._chance.uniform(1 - _SPREAD, 1 + _SPREAD)
        fair_s = math.ceil(busy_s / _RETURN_AFTER * spread)
        told_s = min(RETRY_MAX_S, max(RETRY_MIN_S, fair_s))
        heapq.heappush(self._returns, now_s + _RETURN_AFTER * told_s)
        return told_s

    def _rate(self) -> float:
        """Batches a second, of late."""
        if len(self._done) < _REMEMBERED:
            return _RATE_FIRST
        return max(_RATE_LEAST, len(self._done) / max(0.001, self._clock() - self._done[0]))
