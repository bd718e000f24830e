"""A reader's slot on which trouble strikes at a chosen command: a failure in exactly one state."""

from __future__ import annotations

from collections.abc import Callable

from drivers.deadline import Deadline
from drivers.pcsc.port import CardEmulator, SlotEvent
from tests.drivers.card_line import CardLine

Strike = Callable[["TroubledLine"], None]
LOOK = b""
"""The state before any command: the driver looks at the slot."""


class TroubledLine(CardLine):
    """`strike` happens once, when the driver has just sent a command that begins with `at`."""

    def __init__(self, card: CardEmulator, at: bytes, strike: Strike) -> None:
        super().__init__(card, seed=1)
        self._at = at
        self._strike: Strike | None = strike

    def look(self, deadline: Deadline) -> SlotEvent:
        if self._at == LOOK:
            self._happen()
        return super().look(deadline)

    def transmit(self, command: bytes, deadline: Deadline) -> bytes:
        if self._at and command.startswith(self._at):
            self._happen()
        return super().transmit(command, deadline)

    @property
    def struck(self) -> bool:
        """Whether the chosen state was reached at all."""
        return self._strike is None

    def _happen(self) -> None:
        if self._strike is not None:
            strike, self._strike = self._strike, None
            strike(self)
