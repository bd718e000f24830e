"""The keyboard wedge: every state × every failure; afterwards reconnect, arm, and scan."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from drivers.deadline import Deadline
from drivers.errors import DeviceLost, DriverError, ProtocolError
from drivers.scanner.codec import Garbage, Scanned
from drivers.scanner.driver import Nothing, Scanner
from drivers.wedge.codec import encode_text
from drivers.wedge.emulator import WedgeEmulator
from tests.drivers.cable import Cable, Faults
from tests.drivers.wedge.rows import CODE, make_scanner

Trouble = Callable[[Cable, WedgeEmulator], None]


def misbehaves(name: str) -> Trouble:
    return lambda _cable, emulator: emulator.misbehave(name)


def breaks(faults: Faults) -> Trouble:
    return lambda cable, _emulator: setattr(cable, "faults", faults)


FAILURES: dict[str, Trouble] = {
    "pulled": lambda cable, _emulator: cable.unplug(),
    "pulled in mid-code": lambda cable, _emulator: cable.plug(Faults(die_after_bytes=500)),
    "out of step": lambda cable, _emulator: cable.inject(b"\xff" * 24),
    "silent": misbehaves("silent"),
    "no Enter": misbehaves("no_enter"),
    "half a code": misbehaves("half_code"),
    "every code twice": misbehaves("double"),
    "keys for another desktop": misbehaves("alt_codes"),
    "events lost": misbehaves("events_lost"),
    "dribble": breaks(Faults(dribble_s=0.02)),
}


class Desk:
    """A wedge that has got as far as some state."""

    def __init__(self) -> None:
        self.emulator = WedgeEmulator()
        self.cable = Cable(self.emulator, seed=1)
        self.scanner: Scanner = make_scanner(self.cable, self.cable.clock)

    def poll(self, seconds: float) -> object:
        return self.scanner.poll(Deadline.after(self.cable.clock, seconds))

    def show_and_poll(self) -> object:
        self.emulator.show(CODE)
        return self.poll(12.0)


def idle(_desk: Desk) -> None:
    return


def arm(desk: Desk) -> None:
    desk.scanner.arm()


def see_half_a_code(desk: Desk) -> None:
    desk.scanner.arm()
    desk.cable.inject(encode_text("HALF"))
    assert desk.poll(0.0) == Nothing()


STATES: dict[str, tuple[Callable[[Desk], None], Callable[[Desk], object]]] = {
    "not asked": (idle, Desk.show_and_poll),
    "armed": (arm, Desk.show_and_poll),
    "in a code": (see_half_a_code, lambda desk: desk.poll(2.0)),
}

# Columns: the states in their order. A type is what is raised or returned.
TABLE: dict[str, tuple[type, type, type]] = {
    "pulled": (DeviceLost, DeviceLost, DeviceLost),
    "pulled in mid-code": (DeviceLost, DeviceLost, Scanned),
    "out of step": (ProtocolError, ProtocolError, ProtocolError),
    "silent": (Nothing, Nothing, Scanned),
    "no Enter": (Nothing, Scanned, Scanned),
    "half a code": (Nothing, Scanned, Scanned),
    "every code twice": (Nothing, Scanned, Scanned),
    "keys for another desktop": (Nothing, Garbage, Scanned),
    "events lost": (Nothing, Garbage, Scanned),
    "dribble": (Nothing, Scanned, Scanned),
}

CELLS = [(failure, state) for failure in FAILURES for state in STATES]


@pytest.mark.parametrize(("failure", "state"), CELLS)
def test_each_failure_in_each_state_has_its_outcome_and_the_wedge_recovers(
    failure: str, state: str
) -> None:
    reach, go_on = STATES[state]
    desk = Desk()
    reach(desk)
    FAILURES[failure](desk.cable, desk.emulator)
    try:
        outcome: object = go_on(desk)
    except DriverError as fault:
        outcome = fault
    assert type(outcome) is TABLE[failure][list(STATES).index(state)]
    # Reconnect, and ask anew: what was seen before is not taken.
    desk.emulator.behave()
    desk.cable.plug()
    desk.cable.pass_time(2.0)
    desk.scanner = make_scanner(desk.cable, desk.cable.clock)
    desk.scanner.arm()
    assert desk.poll(0.2) == Nothing()
    desk.emulator.show("another code")
    assert desk.poll(1.0) == Scanned("another code")
