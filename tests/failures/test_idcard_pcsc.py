"""The PC/SC ID card reader: every state × every failure; afterwards open anew, look, and read."""

from __future__ import annotations

import pytest

from drivers.errors import DeadlineExceeded, DeviceLost, DriverError, ProtocolError
from drivers.idcard.driver import CardAbsent, CardPresent, CardRead, PutAgain
from drivers.idcard_pcsc.driver import PcscIdCardReader
from drivers.idcard_pcsc.emulator import PcscIdCardEmulator
from tests.drivers.card_line import LineFaults, broken_off, removed, reset, unplugged
from tests.drivers.idcard.people import RARE, RESIDENT
from tests.failures.troubled_line import LOOK, Strike, TroubledLine


def misbehave(name: str) -> Strike:
    def strike(line: TroubledLine) -> None:
        assert isinstance(line.card, PcscIdCardEmulator)
        line.card.misbehave(name)

    return strike


def exchange_cards(line: TroubledLine) -> None:
    """Another person's card slips in: this one goes away first."""
    line.pull()
    line.card = PcscIdCardEmulator(RARE)
    line.put()


def fault(faults: LineFaults) -> Strike:
    return lambda line: line.begin(faults)


FAILURES: dict[str, Strike] = {
    "card lifted": fault(LineFaults(raises=removed)),
    "card reset by another program": fault(LineFaults(raises=reset)),
    "card breaks off": fault(LineFaults(raises=broken_off)),
    "reader unplugged": lambda line: unplugged(line) and None,
    "silent": fault(LineFaults(silent=True)),
    "too late": fault(LineFaults(delay_s=60.0)),
    "empty answer": fault(LineFaults(spoil=lambda _answer, _line: b"")),
    "half an answer": misbehave("short_text"),
    "garbage": fault(LineFaults(spoil=lambda _answer, line: line.chance.randbytes(40))),
    "no status": misbehave("no_status"),
    "more for ever": misbehave("endless"),
    "wrong sizes": misbehave("wrong_sizes"),
    "broken text": misbehave("broken_text"),
    "card refuses the reader": misbehave("card_refused"),
    "reader knows no such command": misbehave("other_reader"),
    "other card slipped in": exchange_cards,
}

STATES: dict[str, tuple[bytes, bool]] = {
    "waiting for a card": (LOOK, False),
    "finding a card": (LOOK, True),
    "reading it": (b"\xff\xb0", True),
}

LOST, LATE, NO, BAD = DeviceLost, DeadlineExceeded, CardAbsent, ProtocolError

# Columns: the states in their order. A type is what is raised or returned.
TABLE: dict[str, tuple[type, type, type]] = {
    "card lifted": (NO, PutAgain, PutAgain),
    "card reset by another program": (NO, PutAgain, PutAgain),
    "card breaks off": (NO, PutAgain, PutAgain),
    "reader unplugged": (LOST, LOST, LOST),
    "silent": (NO, LATE, LATE),
    "too late": (NO, LATE, LATE),
    "empty answer": (NO, BAD, BAD),
    "half an answer": (NO, BAD, BAD),
    "garbage": (NO, BAD, BAD),
    "no status": (NO, BAD, BAD),
    "more for ever": (NO, BAD, BAD),
    "wrong sizes": (NO, BAD, BAD),
    "broken text": (NO, BAD, BAD),
    "card refuses the reader": (NO, PutAgain, PutAgain),
    "reader knows no such command": (NO, PutAgain, PutAgain),
    "other card slipped in": (CardRead, NO, PutAgain),
}

CELLS = [(failure, state) for failure in FAILURES for state in STATES]


def test_the_table_has_no_empty_cell() -> None:
    assert TABLE.keys() == FAILURES.keys()
    assert {len(row) for row in TABLE.values()} == {len(STATES)}


@pytest.mark.parametrize(("failure", "state"), CELLS)
def test_each_failure_in_each_state_has_its_outcome_and_the_reader_recovers(
    failure: str, state: str
) -> None:
    command, card_lies = STATES[state]
    line = TroubledLine(PcscIdCardEmulator(RESIDENT), command, FAILURES[failure])
    if card_lies:
        line.put()
    outcome = one_visit(PcscIdCardReader(line, line.clock))
    assert line.struck, "the state was never reached"
    assert type(outcome) is TABLE[failure][list(STATES).index(state)]
    # Open anew, look, and only then read.
    line.pull()
    line.forget_events()
    line.begin()
    line.card = PcscIdCardEmulator(RESIDENT)
    again = PcscIdCardReader(line, line.clock)
    assert again.find() == CardAbsent()
    line.put()
    assert again.find() == CardPresent()
    assert again.read_card() == CardRead(RESIDENT)


def one_visit(reader: PcscIdCardReader) -> object:
    """Find a card and read it; the outcome, or the fault that ended it."""
    try:
        found = reader.find()
        return reader.read_card() if isinstance(found, CardPresent) else found
    except DriverError as fault:
        return fault
