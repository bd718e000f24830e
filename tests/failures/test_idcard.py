"""The ID card reader: every state × every failure; afterwards reconnect, look, and read.

Row 20, and the story of a card lifted in mid-read.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from drivers.errors import (
    CardRemoved,
    DeadlineExceeded,
    DeviceLost,
    DeviceRefused,
    DriverError,
    ProtocolError,
)
from drivers.idcard.driver import CardAbsent, CardPresent, CardRead, IdCardReader, PutAgain
from drivers.idcard.emulator import IdCardReaderEmulator
from tests.drivers.idcard.people import RESIDENT
from tests.failures.troubled import Strike, TroubledCable

FIND, SELECT, READ, ADDRESS = b"\x20\x01", b"\x20\x02", b"\x30\x01", b"\x30\x03"
REQUEST_BYTES = 10


def act(turn: Callable[[IdCardReaderEmulator], None]) -> Strike:
    def strike(cable: TroubledCable) -> None:
        assert isinstance(cable.emulator, IdCardReaderEmulator)
        turn(cable.emulator)

    return strike


FAILURES: dict[str, Strike] = {
    "pulled before the request": lambda cable: cable.unplug(),
    "pulled in mid-answer": lambda cable: cable.die_after(REQUEST_BYTES + 6),
    "silent": act(lambda emulator: emulator.misbehave("silent")),
    "noise": act(lambda emulator: emulator.misbehave("noise")),
    "babble": lambda cable: cable.spoil(babble=True, deaf=True),
    "half an answer": act(lambda emulator: emulator.misbehave("half_frame")),
    "wrong checksum": act(lambda emulator: emulator.misbehave("wrong_checksum")),
    "two answers": act(lambda emulator: emulator.misbehave("two_answers")),
    "dribble past the deadline": lambda cable: cable.spoil(dribble_s=5.0),
    "stuck buffer": lambda cable: cable.spoil(stuck=True),
    "restarts in mid-exchange": act(lambda emulator: emulator.power_cycle()),
    "security module dies": act(lambda emulator: emulator.misbehave("dead_sam")),
    "unknown status": act(lambda emulator: emulator.misbehave("unknown_status")),
    "oversized frame": act(lambda emulator: emulator.misbehave("oversized")),
    "card lifted": act(lambda emulator: emulator.lift()),
    "other card slipped in": act(lambda emulator: emulator.lay(RESIDENT)),
}

LATE, LOST = DeadlineExceeded, DeviceLost
STATES: dict[str, tuple[bytes, bool]] = {
    "waiting for a card": (FIND, False),
    "finding a card": (FIND, True),
    "selecting it": (SELECT, True),
    "reading it": (READ, True),
    "reading its newest address": (ADDRESS, True),
}
"""The request under way, and whether a card lies there."""

# Columns: the states in their order. A type is what is raised or returned.
TABLE: dict[str, tuple[type, type, type, type, type]] = {
    "pulled before the request": (LOST, LOST, LOST, LOST, LOST),
    "pulled in mid-answer": (LOST, LOST, LOST, LOST, LOST),
    "silent": (LATE, LATE, LATE, LATE, LATE),
    "noise": (CardAbsent, CardRead, CardRead, CardRead, CardRead),
    "babble": (LATE, LATE, LATE, LATE, LATE),
    "half an answer": (LATE, LATE, LATE, LATE, LATE),
    "wrong checksum": (LATE, LATE, LATE, LATE, LATE),
    "two answers": (CardAbsent, CardRead, CardRead, CardRead, CardRead),
    "dribble past the deadline": (LATE, LATE, LATE, LATE, LATE),
    "stuck buffer": (LATE, LATE, LATE, LATE, LATE),
    "restarts in mid-exchange": (CardAbsent, CardRead, PutAgain, PutAgain, CardRemoved),
    "security module dies": (DeviceRefused,) * 5,
    "unknown status": (ProtocolError,) * 5,
    "oversized frame": (LATE, LATE, LATE, LATE, LATE),
    "card lifted": (CardAbsent, CardAbsent, PutAgain, PutAgain, CardRemoved),
    "other card slipped in": (CardRead, CardRead, PutAgain, PutAgain, CardRemoved),
}

CELLS = [(failure, state) for failure in FAILURES for state in STATES]


def test_the_table_has_no_empty_cell() -> None:
    assert TABLE.keys() == FAILURES.keys()
    assert {len(row) for row in TABLE.values()} == {len(STATES)}


@pytest.mark.parametrize(("failure", "state"), CELLS)
def test_each_failure_in_each_state_has_its_outcome_and_the_reader_recovers(
    failure: str, state: str
) -> None:
    request, card_lies = STATES[state]
    emulator = IdCardReaderEmulator()
    if card_lies:
        emulator.lay(RESIDENT, newest_address="示例路9号")
    cable = TroubledCable(emulator, request, FAILURES[failure])
    outcome = one_visit(IdCardReader(cable, cable.clock))
    assert cable.struck, "the state was never reached"
    assert type(outcome) is TABLE[failure][list(STATES).index(state)]
    # Reconnect, look, and only then act.
    emulator.behave()
    emulator.lift()
    cable.plug()
    again = IdCardReader(cable, cable.clock)
    assert again.find() == CardAbsent()
    emulator.lay(RESIDENT)
    assert again.find() == CardPresent()
    assert again.read_card() == CardRead(RESIDENT)


def one_visit(reader: IdCardReader) -> object:
    """Read the card and its newest address; the outcome, or the fault that ended it."""
    try:
        outcome = reader.read_card()
        if isinstance(outcome, CardRead):
            reader.read_newest_address()
    except DriverError as fault:
        return fault
    return outcome
