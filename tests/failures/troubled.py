"""A cable on which trouble strikes at a chosen request: a failure in exactly one state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from drivers.deadline import Deadline
from drivers.transport import Emulator
from tests.drivers.cable import Cable, Faults

Strike = Callable[["TroubledCable"], None]


class TroubledCable(Cable):
    """`strike` happens once, when the driver has just written something that holds `at`.

    The device gets that request after the strike.
    """

    def __init__(self, emulator: Emulator, at: bytes, strike: Strike) -> None:
        super().__init__(emulator, seed=1)
        self._at = at
        self._strike: Strike | None = strike

    def write(self, data: bytes, deadline: Deadline) -> None:
        if self._strike is not None and self._at in data:
            strike, self._strike = self._strike, None
            strike(self)
        super().write(data, deadline)

    @property
    def struck(self) -> bool:
        """Whether the chosen state was reached at all."""
        return self._strike is None

    def spoil(self, **faults: object) -> None:
        """Change the cable's faults from here on."""
        self.faults = replace(self.faults, **faults)  # type: ignore[arg-type]

    def die_after(self, more_bytes: int) -> None:
        """The device goes away after so many bytes from now."""
        self.faults = Faults(die_after_bytes=self._carried + more_bytes)
