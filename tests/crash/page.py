"""A page of memory that all processes of the drill share: the time, and a dying terminal's word.

Rule: time goes on only while the terminal waits, so a life is the same however fast the machine.
"""

from __future__ import annotations

import mmap
import struct
from datetime import datetime, timedelta

from tests.flows.people import NOW

BEGIN_S = 1_000.0
_TIME, _WORD = 0, 64


class Page:
    """Made before the processes are forked; each reads it, the pad's turns the clock."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, mmap.PAGESIZE)
        self.now_s = BEGIN_S

    @property
    def now_s(self) -> float:
        """Seconds since the machine's start, as every process sees them."""
        now_s: float = struct.unpack_from("d", self._memory, _TIME)[0]
        return now_s

    @now_s.setter
    def now_s(self, now_s: float) -> None:
        struct.pack_into("d", self._memory, _TIME, now_s)

    def read_s(self) -> float:
        """now_s as a function, for whoever is handed a clock."""
        return self.now_s

    def now(self) -> datetime:
        """The same moment on a wall's clock."""
        return NOW + timedelta(seconds=self.now_s - BEGIN_S)

    def wall_s(self) -> float:
        return self.now().timestamp()

    @property
    def last_word(self) -> str:
        """Where a terminal killed itself; empty when it did not."""
        (length,) = struct.unpack_from("I", self._memory, _WORD)
        return self._memory[_WORD + 4 : _WORD + 4 + length].decode()

    @last_word.setter
    def last_word(self, label: str) -> None:
        said = label.encode()
        self._memory[_WORD + 4 : _WORD + 4 + len(said)] = said
        struct.pack_into("I", self._memory, _WORD, len(said))
