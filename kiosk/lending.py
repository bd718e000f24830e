"""Keeps a few on-site numbers of each department at hand, for when the hospital cannot be asked.

Rule: a block's key is on disk before it is asked for, so that no answer that got lost leaves
numbers with nobody; what is not given out goes back by this terminal's own word. Runs on the
sender's thread, between the heartbeat and the outbox.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from kiosk.domain.visit import Department
from kiosk.hospital.contract import Lease
from kiosk.owned import LASTING, Owned, Wish
from kiosk.ports import Answered, Clock, NumbersStood, Told
from offline.errors import StoreFull

AGAIN_S = 600.0
"""A department that gave fewer than were wanted is asked again after this time."""


@dataclass
class Lending:
    """`wanted` numbers a department; 0: none are fetched, and those at hand go back in time.

    `departments` are today's, as the gateway last said.
    """

    owned: Owned
    wanted: int
    clock: Clock
    tell: Callable[[Told], None]
    departments: tuple[Department, ...] = ()
    _asked_s: dict[str, float] = field(default_factory=dict)
    _told: int = -1

    def look(self) -> None:
        """Gateway or not: what is past its deadline is given up, and the engine knows the rest.

        A full disk is no reason to fall: it is tried again at the next heartbeat.
        """
        with suppress(StoreFull):
            self.owned.return_overdue(self.clock.now())
            self.owned.keep_time()
        left = sum(one.slot.left for one in self.owned.lent())
        if left != self._told:
            self._told = left
            self.tell(NumbersStood(left))

    def fetch(self, ask: Callable[[Any], Answered]) -> None:
        """Ask for what is wanting; first again for what was asked before a crash or a lost line."""
        with suppress(StoreFull):
            asked = all(self._answered(wish, ask(wish.ask)) for wish in self.owned.asked_for())
            if asked:
                self._fetch_missing(ask)
        self.look()

    def _fetch_missing(self, ask: Callable[[Any], Answered]) -> None:
        at_hand = self.owned.left_by_department(LASTING)
        for department in self.departments:
            missing = self.wanted - at_hand[department.id]
            if missing > 0 and department.on_site_left > 0 and self._due(department.id):
                wish = self.owned.ask_for(department, missing, self.clock.now())
                self._asked_s[department.id] = self.clock.monotonic_s()
                if not self._answered(wish, ask(wish.ask)):
                    return

    def _due(self, department_id: str) -> bool:
        asked_s = self._asked_s.get(department_id)
        return asked_s is None or self.clock.monotonic_s() - asked_s >= AGAIN_S

    def _answered(self, wish: Wish, answered: Answered) -> bool:
        """False: nobody knows yet, the same key asks again another time."""
        match answered:
            case Answered(reply=Lease() as lease, why=""):
                self.owned.answered(wish, lease)
            case Answered(why="refused"):
                self.owned.answered(wish, None)
            case _:
                return False
        return True
