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

FIND, SELECT, READ_TEXT, ADDRESS = b"\x20\x01", b"\x20\x02", b"\x30\x01", b"\x30\x03"
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

LATE, LOST, BAD, AWAY = DeadlineExceeded, DeviceLost, ProtocolError, CardRemoved
NONE, READ, AGAIN, TEXT, DONE = CardAbsent, CardRead, PutAgain, str, type(None)


def read(reader: IdCardReader) -> object:
    """Read the card and its newest address."""
    outcome = reader.read_card()
    if isinstance(outcome, CardRead):
        reader.read_newest_address()
    return outcome


STATES: dict[str, tuple[bytes, bool, Callable[[IdCardReader], object]]] = {
    "waiting for a card": (FIND, False, read),
    "finding a card": (FIND, True, read),
    "selecting it": (SELECT, True, read),
    "reading it": (READ_TEXT, True, read),
    "reading its newest address": (ADDRESS, True, read),
    "reading it with its fingerprint": (
        b"\x30\x10",
        True,
        lambda reader: reader.read_card_with_fingerprint(),
    ),
    "asking who the reader is": (b"\x12\xff", True, lambda reader: reader.read_sam_id()),
    "changing the speed": (b"\x60\x04", True, lambda reader: reader.change_baud(9600)),
}
"""The request under way, whether a card lies there, and what is done."""

# Columns: the states in their order. A type is what is raised or returned.
TABLE: dict[str, tuple[type, ...]] = {
    "pulled before the request": (LOST,) * 8,
    "pulled in mid-answer": (LOST,) * 8,
    "silent": (LATE,) * 8,
    "noise": (NONE, READ, READ, READ, READ, READ, TEXT, DONE),
    "babble": (LATE,) * 8,
    "half an answer": (LATE,) * 8,
    "wrong checksum": (LATE,) * 8,
    "two answers": (NONE, READ, READ, READ, READ, READ, TEXT, DONE),
    "dribble past the deadline": (LATE,) * 8,
    "stuck buffer": (LATE,) * 8,
    "restarts in mid-exchange": (NONE, READ, AGAIN, AGAIN, AWAY, AGAIN, TEXT, DONE),
    "security module dies": (DeviceRefused,) * 8,
    "unknown status": (BAD,) * 8,
    "oversized frame": (LATE,) * 8,
    "card lifted": (NONE, NONE, AGAIN, AGAIN, AWAY, AGAIN, TEXT, DONE),
    "other card slipped in": (READ, READ, AGAIN, AGAIN, AWAY, AGAIN, TEXT, DONE),
}

CELLS = [(failure, state) for failure in FAILURES for state in STATES]


@pytest.mark.parametrize(("failure", "state"), CELLS)
def test_each_failure_in_each_state_has_its_outcome_and_the_reader_recovers(
    failure: str, state: str
) -> None:
    request, card_lies, visit = STATES[state]
    emulator = IdCardReaderEmulator()
    if card_lies:
        emulator.lay(RESIDENT, newest_address="示例路9号")
    cable = TroubledCable(emulator, request, FAILURES[failure])
    outcome = outcome_of(visit, IdCardReader(cable, cable.clock))
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


def outcome_of(visit: Callable[[IdCardReader], object], reader: IdCardReader) -> object:
    """What came of it, or the fault that ended it."""
    try:
        return visit(reader)
    except DriverError as fault:
        return fault
