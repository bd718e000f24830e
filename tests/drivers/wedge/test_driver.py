"""A keyboard wedge through a FIFO and over a bad cable: codes, garbage, and the device gone.

Row 1: one scan window for every code, whatever scanner reads it.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from drivers.deadline import Deadline
from drivers.errors import DeviceAbsent, DeviceLost
from drivers.hosts.fifo_host import FifoHost
from drivers.scanner.codec import Garbage, GarbageReason, Scanned
from drivers.scanner.driver import Nothing, Scanner
from drivers.transports.input_device import open_input
from drivers.wedge.driver import WEDGE, KeyStream
from drivers.wedge.emulator import MISBEHAVIOURS, WedgeEmulator
from tests.drivers.cable import Cable
from tests.drivers.wedge.rows import CODE, make_scanner

OUTCOMES: dict[str, object] = {
    "silent": Nothing(),
    "no_enter": Scanned(CODE),
    "half_code": Scanned(CODE[: len(CODE) // 2]),
    "double": Scanned(CODE),
    "alt_codes": Garbage(GarbageReason.CONTROL_CHARACTER),
    "stuck_shift": Scanned("A!_@*))!@#$"),
    "events_lost": Garbage(GarbageReason.CONTROL_CHARACTER),
}


@pytest.mark.parametrize("name", MISBEHAVIOURS)
def test_every_misbehaviour_has_its_meaning_and_is_forgotten_afterwards(name: str) -> None:
    emulator = WedgeEmulator()
    cable = Cable(emulator)
    scanner = make_scanner(cable, cable.clock)
    scanner.arm()
    emulator.misbehave(name)
    emulator.show(CODE)
    assert scanner.poll(Deadline.after(cable.clock, 1.0)) == OUTCOMES[name]
    emulator.behave()
    scanner = make_scanner(cable, cable.clock)
    cable.pass_time(2.0)
    scanner.arm()
    emulator.show("next")
    assert scanner.poll(Deadline.after(cable.clock, 1.0)) == Scanned("next")


@pytest.fixture
def port(tmp_path: Path) -> FifoHost[WedgeEmulator]:
    return FifoHost(WedgeEmulator(), time.monotonic, tmp_path / "event0")


def open_scanner(port: FifoHost[WedgeEmulator]) -> Scanner:
    events = open_input(port.path, time.monotonic)
    return Scanner(KeyStream(events), time.monotonic, WEDGE)


def within(seconds: float) -> Deadline:
    return Deadline.after(time.monotonic, seconds)


def test_a_code_is_read_from_a_fifo_only_while_asked(port: FifoHost[WedgeEmulator]) -> None:
    with port:
        scanner = open_scanner(port)
        port.with_emulator(lambda emulator: emulator.show("shown to nobody"))
        assert scanner.poll(within(0.1)) == Nothing()
        scanner.arm()
        port.with_emulator(lambda emulator: emulator.show(CODE))
        assert scanner.poll(within(2.0)) == Scanned(CODE)
        scanner.disarm()
        scanner.close()


def test_a_device_pulled_while_waiting_is_noticed_and_comes_back(
    port: FifoHost[WedgeEmulator],
) -> None:
    with port:
        scanner = open_scanner(port)
        scanner.arm()
        pull = threading.Timer(0.05, port.unplug)
        pull.start()
        with pytest.raises(DeviceLost):
            scanner.poll(within(3.0))
        pull.join()
        with pytest.raises(DeviceAbsent):
            open_scanner(port)
        port.plug()
        again = open_scanner(port)
        again.arm()
        port.with_emulator(lambda emulator: emulator.show(CODE))
        assert again.poll(within(2.0)) == Scanned(CODE)


def test_a_repr_of_what_was_scanned_hides_it(port: FifoHost[WedgeEmulator]) -> None:
    with port:
        scanner = open_scanner(port)
        scanner.arm()
        port.with_emulator(lambda emulator: emulator.show(CODE))
        assert CODE not in repr(scanner.poll(within(2.0)))
