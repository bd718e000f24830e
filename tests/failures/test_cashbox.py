"""The bill validator: each state of a note × each failure; afterwards reconnect, look, count.

The validator's own ledger is the judge of what is in the box.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from drivers.cash import NoteEscrowed, NoteStacked, Restarted
from drivers.errors import DriverError
from tests.drivers.cable import Faults
from tests.drivers.cashbox.test_driver import Till
from tests.drivers.pads import Person

STATES = ("idle", "accepting", "in escrow", "stacking", "returning")

Fail = Callable[[Till], None]


def unplug(till: Till) -> None:
    till.cable.unplug()


def cut_power(till: Till) -> None:
    till.hands.power_cut()


def lose(till: Till) -> None:
    till.cable.faults = Faults(drop=1.0, on_answers=False, on_requests=True)


def be_late(till: Till) -> None:
    till.cable.faults = Faults(delay_s=40)


FAILURES: dict[str, Fail] = {
    "unplugged": unplug,
    "power cut": cut_power,
    "silent": lambda till: till.hands.misbehave("silent"),
    "late answers": be_late,
    "lost requests": lose,
    "two answers": lambda till: till.hands.misbehave("answers_twice"),
    "noise": lambda till: till.cable.inject(bytes.fromhex("01 0B 28 00 FF 01 02 28")),
    "jam": lambda till: till.hands.misbehave("jams"),
}

FINE = "1000 believed, 1000 in the box"
NOTHING = "0 believed, 0 in the box"
DOUBT = "0 believed, 0 in the box, restarted"

TABLE = {
    ("idle", "unplugged"): NOTHING,
    ("idle", "power cut"): NOTHING,
    ("idle", "silent"): NOTHING,
    ("idle", "late answers"): NOTHING,
    ("idle", "lost requests"): NOTHING,
    ("idle", "two answers"): FINE,
    ("idle", "noise"): FINE,
    ("idle", "jam"): NOTHING,
    ("accepting", "unplugged"): NOTHING,
    ("accepting", "power cut"): NOTHING,
    ("accepting", "silent"): NOTHING,
    ("accepting", "late answers"): NOTHING,
    ("accepting", "lost requests"): NOTHING,
    ("accepting", "two answers"): FINE,
    ("accepting", "noise"): FINE,
    ("accepting", "jam"): NOTHING,
    ("in escrow", "unplugged"): NOTHING,
    ("in escrow", "power cut"): DOUBT,
    ("in escrow", "silent"): FINE,
    ("in escrow", "late answers"): FINE,
    ("in escrow", "lost requests"): NOTHING,
    ("in escrow", "two answers"): FINE,
    ("in escrow", "noise"): FINE,
    ("in escrow", "jam"): NOTHING,
    ("stacking", "unplugged"): FINE,
    ("stacking", "power cut"): DOUBT,
    ("stacking", "silent"): FINE,
    ("stacking", "late answers"): FINE,
    ("stacking", "lost requests"): FINE,
    ("stacking", "two answers"): FINE,
    ("stacking", "noise"): FINE,
    ("stacking", "jam"): NOTHING,
    ("returning", "unplugged"): NOTHING,
    ("returning", "power cut"): DOUBT,
    ("returning", "silent"): NOTHING,
    ("returning", "late answers"): NOTHING,
    ("returning", "lost requests"): NOTHING,
    ("returning", "two answers"): NOTHING,
    ("returning", "noise"): NOTHING,
    ("returning", "jam"): NOTHING,
}
"""(state, failure) → what is believed after asking, and what is in the box."""


def run(state: str, failure: str) -> str:
    """What the terminal believes in the end, and what is in the box."""
    till = Till(crc=True)
    believed_fen, events = 0, []

    def fail() -> None:
        FAILURES[failure](till)

    try:
        if state == "idle":
            fail()
        till.driver.accept(1250, till.within(3))
        if state == "accepting":
            fail()
        in_escrow = NoteEscrowed(1000) in till.insert(10)
        if state == "in escrow":
            fail()
        if state in ("stacking", "returning"):
            till.cable.emulator = Person(till.cable.emulator, till.cable.now_s + 0.1, fail)
        if in_escrow:
            decide = till.driver.give_back if state == "returning" else till.driver.stack
            events.append(decide(till.within(4)))
        till.keep()
    except DriverError:
        till.cable.pass_time(3)
        till.cable.plug()
        till.hands.behave()
        till.hands.power_up()
        till.cable.pass_time(35)  # the validator's own escrow time is over
        till.connect()
        till.driver.prepare(till.within(5))
        events += till.driver.look(till.within(2))
    believed_fen = sum(event.value_fen for event in events if isinstance(event, NoteStacked))
    doubt = ", restarted" if Restarted() in events else ""
    return f"{believed_fen} believed, {till.hands.ledger.stacked_fen()} in the box{doubt}"


@pytest.mark.parametrize(("state", "failure"), TABLE)
def test_the_terminal_believes_what_is_in_the_box(state: str, failure: str) -> None:
    assert run(state, failure) == TABLE[state, failure]


def test_no_cell_is_empty_and_none_is_wrong() -> None:
    assert set(TABLE) == {(state, failure) for state in STATES for failure in FAILURES}
    assert set(TABLE.values()) <= {FINE, NOTHING, DOUBT}
