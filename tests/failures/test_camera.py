"""The camera on a real socket: every state × every failure; afterwards open anew, arm, and read."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from drivers.camera.driver import CameraScanner
from drivers.camera.emulator import CameraEmulator
from drivers.camera.frames import open_camera
from drivers.deadline import Deadline
from drivers.errors import DeviceLost, DriverError
from drivers.hosts.tcp_host import TcpHost
from drivers.scanner.codec import Scanned
from drivers.scanner.driver import Nothing

CLOCK = time.monotonic
CODE = "280012345678901234"

Host = TcpHost[CameraEmulator]


def misbehaves(name: str) -> Callable[[Host], None]:
    return lambda host: host.with_emulator(lambda camera: camera.misbehave(name))


FAILURES: dict[str, Callable[[Host], None]] = {
    "pulled": lambda host: host.unplug(),
    "torn": misbehaves("torn"),
    "frozen": misbehaves("frozen"),
    "blurred": misbehaves("blurred"),
    "glare": misbehaves("glare"),
}


def idle(_host: Host, _scanner: CameraScanner) -> None:
    return


def arm(_host: Host, scanner: CameraScanner) -> None:
    scanner.arm()


def arm_and_read_a_code(host: Host, scanner: CameraScanner) -> None:
    scanner.arm()
    host.with_emulator(lambda camera: camera.show(CODE))
    assert scanner.poll(Deadline.after(CLOCK, 3.0)) == Scanned(CODE)


STATES: dict[str, Callable[[Host, CameraScanner], None]] = {
    "not asked": idle,
    "armed": arm,
    "code in sight": arm_and_read_a_code,
}

# Columns: the states in their order. A type is what is raised or returned within a second.
TABLE: dict[str, tuple[type, type, type]] = {
    "pulled": (DeviceLost, DeviceLost, DeviceLost),
    "torn": (DeviceLost, DeviceLost, DeviceLost),
    "frozen": (Nothing, Nothing, Nothing),
    "blurred": (Nothing, Nothing, Nothing),
    "glare": (Nothing, Nothing, Nothing),
}

CELLS = [(failure, state) for failure in FAILURES for state in STATES]


def open_scanner(host: Host) -> CameraScanner:
    return CameraScanner(open_camera(f"http://127.0.0.1:{host.port}/", CLOCK), CLOCK)


@pytest.mark.parametrize(("failure", "state"), CELLS)
def test_each_failure_in_each_state_has_its_outcome_and_the_camera_recovers(
    failure: str, state: str
) -> None:
    with TcpHost(CameraEmulator(), CLOCK) as host:
        scanner = open_scanner(host)
        scanner.poll(Deadline.after(CLOCK, 0.0))
        STATES[state](host, scanner)
        FAILURES[failure](host)
        expected = TABLE[failure][list(STATES).index(state)]
        assert type(look(scanner, expected)) is expected
        host.with_emulator(lambda camera: camera.behave())
        if failure == "pulled":
            host.plug()
        scanner.close()
        again = open_scanner(host)
        again.arm()
        host.with_emulator(lambda camera: camera.show("another code"))
        assert again.poll(Deadline.after(CLOCK, 3.0)) == Scanned("another code")
        again.close()


def look(scanner: CameraScanner, expected: type) -> object:
    """What comes within some looks: a fault needs a frame or three to show."""
    looks, wait_s = (10, 0.3) if expected is DeviceLost else (1, 0.3)
    try:
        for _ in range(looks):
            outcome = scanner.poll(Deadline.after(CLOCK, wait_s))
            if not isinstance(outcome, Nothing):
                break
    except DriverError as fault:
        return fault
    return outcome
