"""A code held before a scanner or camera comes again and again; it counts once."""

from __future__ import annotations

import hashlib

from drivers.deadline import Clock

SAME_CODE_S = 1.0
"""So long out of sight, and the same code counts again."""


class JustSeen:
    """Remembers the last code by its digest alone: a code may be a person's key."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._digest = b""
        self._last_s = 0.0

    def again(self, code: bytes) -> bool:
        """Whether this code was the last one seen, less than SAME_CODE_S ago. Notes it."""
        digest, now_s = hashlib.sha256(code).digest(), self._clock()
        same = digest == self._digest and now_s - self._last_s < SAME_CODE_S
        self._digest, self._last_s = digest, now_s
        return same
