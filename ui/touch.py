"""What a finger may do: one press, one action.

Rule: pure; time and place are handed in. A press acts on release within 12 mm of where it began,
however long it was held; a second finger, and a press within 300 ms of the last touch, is ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot

SLIP_MM_MAX = 12.0
"""Old fingers slide while pressing; further than this is a change of mind."""

AGAIN_AFTER_S = 0.3
"""Trembling hands tap twice; nobody means two actions this close together."""

LOST_AFTER_S = 10.0
"""A press without a release for this long is a lost event, not a finger."""


@dataclass
class TouchRules:
    """Says which presses count. `pitch_mm` is the panel's millimetres a pixel."""

    pitch_mm: float
    _finger: object = None
    _at: tuple[float, float] = (0.0, 0.0)
    _pressed_s: float = float("-inf")
    _last_s: float = float("-inf")

    def press(self, finger: object, at: tuple[float, float], now_s: float) -> bool:
        """True: this finger is the one that counts now."""
        held = self._finger is not None and now_s - self._pressed_s < LOST_AFTER_S
        if held or now_s - self._last_s < AGAIN_AFTER_S:
            return False
        self._finger, self._at = finger, at
        self._pressed_s = self._last_s = now_s
        return True

    def release(self, finger: object, at: tuple[float, float], now_s: float) -> bool:
        """True: act on what was pressed."""
        if self._finger is None or finger != self._finger:
            return False
        self._finger, self._last_s = None, now_s
        return self.slip_mm(at) <= SLIP_MM_MAX

    def slip_mm(self, at: tuple[float, float]) -> float:
        return hypot(at[0] - self._at[0], at[1] - self._at[1]) * self.pitch_mm
