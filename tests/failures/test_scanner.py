"""The scanner: every state × every failure; afterwards reconnect, arm, and scan."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from drivers.deadline import Deadline
from drivers.errors import DeadlineExceeded, DeviceLost, DeviceRefused, DriverError
from drivers.scanner.codec import Garbage, Scanned
from drivers.scanner.driver import Nothing, Scanner
from drivers.scanner.emulator import ScannerEmulator
from drivers.scanner.models import NEWLAND
from tests.drivers.cable import Cable, Faults

CODE = "134512345678901234"

Trouble = Callable[[Cable, ScannerEmulator], None]


def misbehaves(name: str) -> Trouble:
    return lambda _cable, emulator: emulator.misbehave(name)


def breaks(faults: Faults) -> Trouble:
    return lambda cable, _emulator: setattr(cable, "faults", faults)


FAILURES: dict[str, Trouble] = {
    "pulled": lambda cable, _emulator: cable.unplug(),
    "pulled in mid-answer": lambda cable, _emulator: cable.plug(Faults(die_after_bytes=5)),
    "silent": misbehaves("silent"),
    "refuses": misbehaves("refuses"),
    "deaf": breaks(Faults(deaf=True)),
    "babble": breaks(Faults(babble=True, deaf=True)),
    "stuck buffer": breaks(Faults(stuck=True)),
    "dribble": breaks(Faults(dribble_s=0.02)),
    "two answers": breaks(Faults(twice=1.0)),
    "half a code": misbehaves("half_code"),
    "endless code": misbehaves("endless"),
    "garbage": misbehaves("garbage"),
    "printer commands in the code": misbehaves("control_characters"),
    "restarts": lambda _cable, emulator: emulator.power_cycle(),
    "unasked codes": misbehaves("unarmed"),
}


class Desk:
    """A scanner that has got as far as some state."""

    def __init__(self) -> None:
        self.emulator = ScannerEmulator(NEWLAND)
        self.cable = Cable(self.emulator)
        self.scanner = Scanner(self.cable, self.cable.clock, NEWLAND)

    def poll(self, seconds: float = 3.0) -> object:
        return self.scanner.poll(Deadline.after(self.cable.clock, seconds))

    def disarm(self) -> object:
        self.scanner.disarm()
        return self.poll(0.2)


State = tuple[Callable[[Desk], None], Callable[[Desk], object]]


def idle(_desk: Desk) -> None:
    return


def arm(desk: Desk) -> None:
    desk.scanner.arm()


def arm_and_see_half_a_code(desk: Desk) -> None:
    desk.scanner.arm()
    desk.cable.inject(CODE[:9].encode())
    assert desk.poll(0.0) == Nothing()


def arm_and_scan(desk: Desk) -> object:
    desk.emulator.show(CODE)
    desk.scanner.arm()
    return desk.poll()


def hold_code_and_poll(desk: Desk) -> object:
    desk.emulator.show(CODE)
    return desk.poll()


STATES: dict[str, State] = {
    "not asked": (idle, hold_code_and_poll),
    "being armed": (idle, arm_and_scan),
    "armed": (arm, hold_code_and_poll),
    "in a code": (arm_and_see_half_a_code, lambda desk: desk.poll(0.5)),
    "being disarmed": (arm, lambda desk: desk.disarm()),
}

LATE, LOST, NO = DeadlineExceeded, DeviceLost, DeviceRefused
# Columns: the states in their order. A type is what is raised or returned.
TABLE: dict[str, tuple[type, type, type, type, type]] = {
    "pulled": (LOST, LOST, LOST, LOST, LOST),
    "pulled in mid-answer": (Nothing, LOST, LOST, Scanned, LOST),
    "silent": (Nothing, LATE, Nothing, Scanned, LATE),
    "refuses": (Nothing, NO, Scanned, Scanned, NO),
    "deaf": (Nothing, LATE, Nothing, Scanned, LATE),
    "babble": (Nothing, LATE, Garbage, Garbage, LATE),
    "stuck buffer": (Nothing, LATE, Scanned, Scanned, LATE),
    "dribble": (Nothing, Scanned, Scanned, Scanned, Nothing),
    "two answers": (Nothing, Scanned, Scanned, Scanned, Nothing),
    "half a code": (Nothing, Scanned, Scanned, Scanned, Nothing),
    "endless code": (Nothing, Garbage, Garbage, Scanned, Nothing),
    "garbage": (Nothing, Garbage, Garbage, Scanned, Nothing),
    "printer commands in the code": (Nothing, Garbage, Garbage, Scanned, Nothing),
    "restarts": (Nothing, Scanned, Scanned, Scanned, Nothing),
    "unasked codes": (Nothing, Nothing, Scanned, Scanned, Nothing),
}

CELLS = [(failure, state) for failure in FAILURES for state in STATES]


@pytest.mark.parametrize(("failure", "state"), CELLS)
def test_each_failure_in_each_state_has_its_outcome_and_the_scanner_recovers(
    failure: str, state: str
) -> None:
    reach, go_on = STATES[state]
    desk = Desk()
    reach(desk)
    FAILURES[failure](desk.cable, desk.emulator)
    assert outcome_type(go_on, desk) is TABLE[failure][list(STATES).index(state)]
    # Reconnect, and ask anew: what was seen before is not taken.
    desk.emulator.behave()
    desk.emulator.hide()
    desk.cable.plug()
    desk.cable.pass_time(2.0)
    desk.scanner = Scanner(desk.cable, desk.cable.clock, NEWLAND)
    desk.scanner.arm()
    assert desk.poll(0.2) == Nothing()
    desk.emulator.show("another code")
    assert desk.poll() == Scanned("another code")


def outcome_type(go_on: Callable[[Desk], object], desk: Desk) -> type:
    try:
        return type(go_on(desk))
    except DriverError as fault:
        return type(fault)
