"""What goes wrong with any card in a slot, and how a cell of such a table is gone through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drivers.errors import DriverError
from drivers.pcsc.port import CardEmulator
from tests.drivers.card_line import CardLine, LineFaults, broken_off, reset
from tests.failures.troubled_line import Strike, TroubledLine


def misbehave(name: str) -> Strike:
    """By the card's own list."""

    def strike(line: TroubledLine) -> None:
        card: Any = line.card
        card.misbehave(name)

    return strike


def fault(faults: LineFaults) -> Strike:
    return lambda line: line.begin(faults)


def unplug(line: TroubledLine) -> None:
    line.gone = True


def exchange_for(make_card: Callable[[], CardEmulator]) -> Strike:
    """Another person's card slips in: this one goes out first."""

    def strike(line: TroubledLine) -> None:
        line.pull()
        line.card = make_card()
        line.put()

    return strike


ANY_CARDS: dict[str, Strike] = {
    "card reset by another program": fault(LineFaults(raises=reset)),
    "card breaks off": fault(LineFaults(raises=broken_off)),
    "reader unplugged": unplug,
    "silent": fault(LineFaults(silent=True)),
    "too late": fault(LineFaults(delay_s=60.0)),
    "empty answer": fault(LineFaults(spoil=lambda _answer, _line: b"")),
    "garbage": fault(LineFaults(spoil=lambda _answer, line: line.chance.randbytes(40))),
    "no status": misbehave("no_status"),
    "more for ever": misbehave("endless"),
}
"""What no kind of card is spared."""


def outcome_in(
    state: tuple[bytes, bool],
    strike: Strike,
    make_card: Callable[[], CardEmulator],
    visit: Callable[[TroubledLine], object],
) -> tuple[object, TroubledLine]:
    """What came of a visit in this state, or the fault that ended it; and the slot after it."""
    command, card_in = state
    line = TroubledLine(make_card(), command, strike)
    if card_in:
        line.put()
    try:
        outcome = visit(line)
    except DriverError as ended:
        outcome = ended
    assert line.struck, "the state was never reached"
    return outcome, line


def open_anew(line: CardLine, card: CardEmulator) -> None:
    """The trouble is over, the slot is empty, and this is the card that will be put in."""
    line.pull()
    line.forget_events()
    line.begin()
    line.card = card
