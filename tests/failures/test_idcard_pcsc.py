"""The PC/SC ID card reader: every state × every failure; afterwards open anew, look, and read."""

from __future__ import annotations

import pytest

from drivers.errors import DeadlineExceeded, DeviceLost, ProtocolError
from drivers.idcard.driver import CardAbsent, CardPresent, CardRead, PutAgain
from drivers.idcard_pcsc.driver import PcscIdCardReader
from drivers.idcard_pcsc.emulator import PcscIdCardEmulator
from tests.drivers.card_line import LineFaults, removed
from tests.drivers.idcard.people import RARE, RESIDENT
from tests.failures.slot_table import (
    ANY_CARDS,
    exchange_for,
    fault,
    misbehave,
    open_anew,
    outcome_in,
)
from tests.failures.troubled_line import LOOK, Strike, TroubledLine

FAILURES: dict[str, Strike] = {
    "card lifted": fault(LineFaults(raises=removed)),
    **ANY_CARDS,
    "half an answer": misbehave("short_text"),
    "wrong sizes": misbehave("wrong_sizes"),
    "broken text": misbehave("broken_text"),
    "card refuses the reader": misbehave("card_refused"),
    "reader knows no such command": misbehave("other_reader"),
    "other card slipped in": exchange_for(lambda: PcscIdCardEmulator(RARE)),
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
    "garbage": (NO, BAD, BAD),
    "no status": (NO, BAD, BAD),
    "more for ever": (NO, BAD, BAD),
    "half an answer": (NO, BAD, BAD),
    "wrong sizes": (NO, BAD, BAD),
    "broken text": (NO, BAD, BAD),
    "card refuses the reader": (NO, PutAgain, PutAgain),
    "reader knows no such command": (NO, PutAgain, PutAgain),
    "other card slipped in": (CardRead, NO, PutAgain),
}

CELLS = [(failure, state) for failure in FAILURES for state in STATES]


@pytest.mark.parametrize(("failure", "state"), CELLS)
def test_each_failure_in_each_state_has_its_outcome_and_the_reader_recovers(
    failure: str, state: str
) -> None:
    outcome, line = outcome_in(
        STATES[state], FAILURES[failure], lambda: PcscIdCardEmulator(RESIDENT), one_visit
    )
    assert type(outcome) is TABLE[failure][list(STATES).index(state)]
    # Open anew, look, and only then read.
    open_anew(line, PcscIdCardEmulator(RESIDENT))
    again = PcscIdCardReader(line, line.clock)
    assert again.find() == CardAbsent()
    line.put()
    assert again.find() == CardPresent()
    assert again.read_card() == CardRead(RESIDENT)


def one_visit(line: TroubledLine) -> object:
    """Find a card and read it."""
    reader = PcscIdCardReader(line, line.clock)
    found = reader.find()
    return reader.read_card() if isinstance(found, CardPresent) else found
