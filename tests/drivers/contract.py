"""What every driver owes, written once: a driver joins by adding a Row to tests/drivers/rows.py.

Over a cable with any fault, and after it: only DriverError escapes, the exchange ends by its
deadline, no value is invented, and on a good cable the next exchange succeeds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from drivers.deadline import Clock
from drivers.errors import DriverError
from drivers.transport import ByteStream, Emulator
from tests.drivers.cable import GOOD, Cable, Faults

GRACE_S = 0.05  # ten ticks of the cable: what an exchange may be late by

SETTLE_S = 2.0  # between two exchanges a person comes and goes


@dataclass(frozen=True)
class Row:
    """One exchange of one driver with its emulator.

    `prepare` turns the emulator's knobs so that the exchange succeeds (it is called again before
    each one); `is_good` knows that success. `is_lie` knows a value that must not come, whatever
    the cable does.
    """

    name: str
    make_emulator: Callable[[], Emulator]
    make_driver: Callable[[ByteStream, Clock], Any]
    prepare: Callable[[Any], None]
    exchange: Callable[[Any], object]
    is_good: Callable[[object], bool]
    timeout_s: float
    is_lie: Callable[[object], bool] = lambda _outcome: False


FAULTS: dict[str, Faults] = {
    "any cut": Faults(cut=True),
    "slow dribble": Faults(dribble_s=0.01),
    "dribble past the deadline": Faults(dribble_s=1.5),
    "a little late": Faults(delay_s=0.08),
    "too late": Faults(delay_s=60.0),
    "flipped bits": Faults(cut=True, corrupt=0.1),
    "flipped bits in requests": Faults(cut=True, corrupt=0.3, on_answers=False, on_requests=True),
    "lost bytes": Faults(cut=True, drop=0.2),
    "noise before answers": Faults(noise=1.0),
    "noise everywhere": Faults(cut=True, noise=0.3, on_requests=True),
    "two answers": Faults(twice=1.0),
    "stammer": Faults(cut=True, twice=0.3),
    "babble": Faults(babble=True, dribble_s=0.01),
    "babble instead of answers": Faults(babble=True, deaf=True),
    "deaf": Faults(deaf=True),
    "stuck buffer": Faults(stuck=True),
    "everything at once": Faults(
        cut=True, corrupt=0.05, drop=0.05, noise=0.1, twice=0.1, delay_s=0.02, on_requests=True
    ),
}

HARMLESS = ("any cut", "slow dribble", "a little late")
"""Faults of timing alone: a correct driver does not even notice them."""


class Trial:
    """One driver on one cable; `run` is one exchange under given faults."""

    def __init__(self, row: Row, seed: int) -> None:
        self.row = row
        self.cable = Cable(row.make_emulator(), seed=seed)
        self._driver = row.make_driver(self.cable, self.cable.clock)

    def run(self, faults: Faults = GOOD) -> object:
        """The outcome: a value, or the DriverError. Anything else escapes to the test."""
        self.cable.plug()
        self.cable.pass_time(SETTLE_S)
        self.row.prepare(self.cable.emulator)
        self.cable.plug(faults)
        began_s = self.cable.now_s
        try:
            outcome: object = self.row.exchange(self._driver)
        except DriverError as fault:
            outcome = fault
            self._reopen()
        took_s = self.cable.now_s - began_s
        assert took_s <= self.row.timeout_s + GRACE_S, f"took {took_s:.2f} s"
        assert not self.row.is_lie(outcome), "the driver invented a value"
        return outcome

    def _reopen(self) -> None:
        # As a worker does: after any fault the connection is dropped whole.
        self._driver = self.row.make_driver(self.cable, self.cable.clock)
