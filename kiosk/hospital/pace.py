"""When a terminal says hello: as often as the gateway asks for; while it is away, with full jitter.

Ten thousand terminals find the gateway back spread over the time it gave them, not in one second.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

BEAT_FIRST_S = 5.0
BEAT_MAX_S = 300.0


class Pace:
    """One terminal's. `clock`: seconds that never jump."""

    def __init__(self, clock: Callable[[], float], chance: Random) -> None:
        self._clock, self._chance = clock, chance
        self._every_s = BEAT_FIRST_S
        self._next_s = float("-inf")
        self._tries = 0

    @property
    def due(self) -> bool:
        return self._clock() >= self._next_s

    @property
    def away(self) -> bool:
        """The last hello was not answered."""
        return self._tries > 0

    def heard(self, beat_s: float) -> None:
        """The gateway answered, and wants the next hello after `beat_s`."""
        self._every_s, self._tries = min(max(beat_s, 1.0), BEAT_MAX_S), 0
        self._next_s = self._clock() + self._every_s

    def lost(self) -> None:
        """No answer: again soon, then ever later, never later than the usual time."""
        ceiling = min(self._every_s, BEAT_FIRST_S * 2.0 ** min(self._tries, 10))
        self._tries += 1
        self._next_s = self._clock() + self._chance.uniform(0, ceiling)
