"""The social security card: every state × every failure; afterwards open anew, look, and read.

Row 20, and the story of a card pulled in mid-read.
"""

from __future__ import annotations

import pytest

from drivers.errors import (
    CardMute,
    CardRemoved,
    CardReset,
    DeadlineExceeded,
    DeviceLost,
    DriverError,
    ProtocolError,
)
from drivers.pcsc.port import CardPutIn, SlotUnchanged
from drivers.socialcard.driver import NotThisCard, SocialCardRead, SocialCardReader
from drivers.socialcard.emulator import SocialCardEmulator
from tests.drivers.card_line import LineFaults, broken_off, removed, reset, unplugged
from tests.drivers.socialcard.people import RARE, WANG
from tests.failures.troubled_line import LOOK, Strike, TroubledLine


def misbehave(name: str) -> Strike:
    def strike(line: TroubledLine) -> None:
        assert isinstance(line.card, SocialCardEmulator)
        line.card.misbehave(name)

    return strike


def exchange_cards(line: TroubledLine) -> None:
    """Another person's card slips in: this one goes out first."""
    line.pull()
    line.card = SocialCardEmulator(RARE)
    line.put()


def fault(faults: LineFaults) -> Strike:
    return lambda line: line.begin(faults)


FAILURES: dict[str, Strike] = {
    "card pulled": fault(LineFaults(raises=removed)),
    "card reset by another program": fault(LineFaults(raises=reset)),
    "card breaks off": fault(LineFaults(raises=broken_off)),
    "reader unplugged": lambda line: unplugged(line) and None,
    "silent": fault(LineFaults(silent=True)),
    "too late": fault(LineFaults(delay_s=60.0)),
    "empty answer": fault(LineFaults(spoil=lambda _answer, _line: b"")),
    "half an answer": misbehave("short_answer"),
    "garbage": fault(LineFaults(spoil=lambda _answer, line: line.chance.randbytes(40))),
    "no status": misbehave("no_status"),
    "more for ever": misbehave("endless"),
    "another length for ever": misbehave("wrong_le"),
    "oversized answer": misbehave("long_answer"),
    "another tag": misbehave("wrong_tag"),
    "needs authentication": misbehave("not_free"),
    "knows no application": misbehave("other_card"),
    "other card slipped in": exchange_cards,
}

STATES: dict[str, tuple[bytes, bool]] = {
    "waiting for a card": (LOOK, False),
    "seeing a card": (LOOK, True),
    "choosing the application": (b"\x00\xa4\x04", True),
    "choosing a file": (b"\x00\xa4\x00", True),
    "fetching what was announced": (b"\x00\xc0", True),
    "reading a record": (b"\x00\xb2", True),
}
"""The command under way, and whether a card is in the slot."""

LOST, LATE, GONE = DeviceLost, DeadlineExceeded, CardRemoved
READ, BAD, NOT = SocialCardRead, ProtocolError, NotThisCard
NO = SlotUnchanged

# Columns: the states in their order. A type is what is raised or returned.
TABLE: dict[str, tuple[type, type, type, type, type, type]] = {
    "card pulled": (NO, GONE, GONE, GONE, GONE, GONE),
    "card reset by another program": (NO, CardReset, CardReset, CardReset, CardReset, CardReset),
    "card breaks off": (NO, CardMute, CardMute, CardMute, CardMute, CardMute),
    "reader unplugged": (LOST, LOST, LOST, LOST, LOST, LOST),
    "silent": (NO, LATE, LATE, LATE, LATE, LATE),
    "too late": (NO, LATE, LATE, LATE, LATE, LATE),
    "empty answer": (NO, BAD, BAD, BAD, BAD, BAD),
    "half an answer": (NO, BAD, BAD, BAD, BAD, BAD),
    "garbage": (NO, BAD, BAD, BAD, BAD, BAD),
    "no status": (NO, BAD, BAD, BAD, BAD, BAD),
    "more for ever": (NO, BAD, BAD, BAD, BAD, BAD),
    "another length for ever": (NO, BAD, BAD, BAD, BAD, BAD),
    "oversized answer": (NO, BAD, BAD, BAD, BAD, BAD),
    "another tag": (NO, BAD, BAD, BAD, BAD, BAD),
    "needs authentication": (NO, NOT, NOT, NOT, NOT, NOT),
    "knows no application": (NO, NOT, NOT, READ, READ, READ),
    "other card slipped in": (READ, READ, GONE, GONE, GONE, GONE),
}

CELLS = [(failure, state) for failure in FAILURES for state in STATES]


def test_the_table_has_no_empty_cell() -> None:
    assert TABLE.keys() == FAILURES.keys()
    assert {len(row) for row in TABLE.values()} == {len(STATES)}


@pytest.mark.parametrize(("failure", "state"), CELLS)
def test_each_failure_in_each_state_has_its_outcome_and_the_slot_recovers(
    failure: str, state: str
) -> None:
    command, card_in = STATES[state]
    line = TroubledLine(SocialCardEmulator(WANG), command, FAILURES[failure])
    if card_in:
        line.put()
    outcome = one_visit(SocialCardReader(line, line.clock))
    assert line.struck, "the state was never reached"
    assert type(outcome) is TABLE[failure][list(STATES).index(state)]
    # Open anew, look, and only then read.
    line.pull()
    line.forget_events()
    line.begin()
    line.card = SocialCardEmulator(WANG)
    again = SocialCardReader(line, line.clock)
    assert again.look() == SlotUnchanged()
    line.put()
    assert again.look() == CardPutIn()
    assert again.read_card() == SocialCardRead(WANG)


def one_visit(reader: SocialCardReader) -> object:
    """Look, and read the card that was put in; the outcome, or the fault that ended it."""
    try:
        event = reader.look()
        return reader.read_card() if isinstance(event, CardPutIn) else event
    except DriverError as fault:
        return fault
