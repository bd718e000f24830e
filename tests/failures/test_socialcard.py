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
    ProtocolError,
)
from drivers.pcsc.port import CardPutIn, SlotUnchanged
from drivers.socialcard.driver import NotThisCard, SocialCardRead, SocialCardReader
from drivers.socialcard.emulator import SocialCardEmulator
from tests.drivers.card_line import LineFaults, removed
from tests.drivers.socialcard.people import RARE, WANG
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
    "card pulled": fault(LineFaults(raises=removed)),
    **ANY_CARDS,
    "half an answer": misbehave("short_answer"),
    "another length for ever": misbehave("wrong_le"),
    "oversized answer": misbehave("long_answer"),
    "another tag": misbehave("wrong_tag"),
    "needs authentication": misbehave("not_free"),
    "knows no application": misbehave("other_card"),
    "other card slipped in": exchange_for(lambda: SocialCardEmulator(RARE)),
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
    "garbage": (NO, BAD, BAD, BAD, BAD, BAD),
    "no status": (NO, BAD, BAD, BAD, BAD, BAD),
    "more for ever": (NO, BAD, BAD, BAD, BAD, BAD),
    "half an answer": (NO, BAD, BAD, BAD, BAD, BAD),
    "another length for ever": (NO, BAD, BAD, BAD, BAD, BAD),
    "oversized answer": (NO, BAD, BAD, BAD, BAD, BAD),
    "another tag": (NO, BAD, BAD, BAD, BAD, BAD),
    "needs authentication": (NO, NOT, NOT, NOT, NOT, NOT),
    "knows no application": (NO, NOT, NOT, READ, READ, READ),
    "other card slipped in": (READ, READ, GONE, GONE, GONE, GONE),
}

CELLS = [(failure, state) for failure in FAILURES for state in STATES]


@pytest.mark.parametrize(("failure", "state"), CELLS)
def test_each_failure_in_each_state_has_its_outcome_and_the_slot_recovers(
    failure: str, state: str
) -> None:
    outcome, line = outcome_in(
        STATES[state], FAILURES[failure], lambda: SocialCardEmulator(WANG), one_visit
    )
    assert type(outcome) is TABLE[failure][list(STATES).index(state)]
    # Open anew, look, and only then read.
    open_anew(line, SocialCardEmulator(WANG))
    again = SocialCardReader(line, line.clock)
    assert again.look() == SlotUnchanged()
    line.put()
    assert again.look() == CardPutIn()
    assert again.read_card() == SocialCardRead(WANG)


def one_visit(line: TroubledLine) -> object:
    """Look, and read the card that was put in."""
    reader = SocialCardReader(line, line.clock)
    event = reader.look()
    return reader.read_card() if isinstance(event, CardPutIn) else event
