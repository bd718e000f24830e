"""What every driver of cards owes, written once: a driver joins by adding a CardRow.

As tests/drivers/contract.py, for the second transport: whatever the slot, the reader or the card
does, only DriverError escapes, the exchange ends by its deadline, no value is invented, and with
everything well again the next exchange succeeds. Bits do not flip here: the line has parity, the
reader's own cable a check sum.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from drivers.deadline import Clock
from drivers.errors import DriverError
from drivers.pcsc.port import CardPort
from tests.drivers.card_line import (
    GOOD,
    CardLine,
    LineFaults,
    broken_off,
    removed,
    reset,
    unplugged,
)

GRACE_S = 0.05


@dataclass(frozen=True)
class CardRow:
    """One exchange of one driver with a card. `prepare` is called before each one."""

    name: str
    make_card: Callable[[], Any]
    make_driver: Callable[[CardPort, Clock], Any]
    exchange: Callable[[Any], object]
    is_good: Callable[[object], bool]
    timeout_s: float
    transmits: bool = True
    """Whether the exchange asks the card at all."""
    is_lie: Callable[[object], bool] = lambda _outcome: False


FAULTS: dict[str, LineFaults] = {
    "a little late": LineFaults(delay_s=0.02),
    "too late": LineFaults(delay_s=60.0),
    "silent": LineFaults(silent=True),
    "card pulled": LineFaults(raises=removed),
    "card reset": LineFaults(raises=reset),
    "broken off": LineFaults(raises=broken_off),
    "reader unplugged": LineFaults(raises=unplugged),
    "held by another program": LineFaults(busy=True),
    "empty answers": LineFaults(spoil=lambda _answer, _line: b""),
    "one byte": LineFaults(spoil=lambda answer, _line: answer[:1]),
    "cut in half": LineFaults(spoil=lambda answer, _line: answer[: len(answer) // 2]),
    "data cut in half": LineFaults(spoil=lambda answer, _line: answer[:-2][::2] + answer[-2:]),
    "status lost": LineFaults(spoil=lambda answer, _line: answer[:-2]),
    "the last answer again": LineFaults(spoil=lambda _answer, line: line.last_answer),
    "said twice": LineFaults(spoil=lambda answer, _line: answer + answer),
    "rubbish": LineFaults(
        spoil=lambda _answer, line: line.chance.randbytes(line.chance.randint(0, 300))
    ),
    "rubbish that ends well": LineFaults(
        spoil=lambda _answer, line: line.chance.randbytes(20) + b"\x90\x00"
    ),
    "more for ever": LineFaults(spoil=lambda answer, _line: answer[:-2] + b"\x61\x10"),
    "another length for ever": LineFaults(
        spoil=lambda _answer, line: bytes([0x6C, line.chance.randrange(256)])
    ),
}
HARMLESS = ("a little late",)


class CardTrial:
    """One driver on one line; `run` is one exchange under given faults."""

    def __init__(self, row: CardRow, seed: int) -> None:
        self.row = row
        self.line = CardLine(row.make_card(), seed=seed)
        self.driver = row.make_driver(self.line, self.line.clock)

    def run(self, faults: LineFaults = GOOD) -> object:
        """The outcome: a value, or the DriverError. Anything else escapes to the test."""
        self.line.begin()
        self.line.pull()
        self.line.forget_events()  # polls between two people are not what is tried here
        self.line.put()
        self.line.begin(faults)
        began_s = self.line.now_s
        try:
            outcome: object = self.row.exchange(self.driver)
        except DriverError as fault:
            outcome = fault
            self.driver = self.row.make_driver(self.line, self.line.clock)
        took_s = self.line.now_s - began_s
        assert took_s <= self.row.timeout_s + GRACE_S, f"took {took_s:.2f} s"
        assert not self.row.is_lie(outcome), "the driver invented a value"
        return outcome


def at(faults: LineFaults, exchange: int) -> LineFaults:
    """The same from a later exchange on."""
    return replace(faults, at=exchange)
