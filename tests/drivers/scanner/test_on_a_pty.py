"""The scanner on a real serial port: a code, garbage, and the cable pulled while waiting."""

from __future__ import annotations

import threading
import time

import pytest

from drivers.deadline import Deadline
from drivers.errors import DeviceLost
from drivers.hosts.pty_host import PtyHost
from drivers.scanner.codec import Garbage, GarbageReason, Scanned
from drivers.scanner.driver import Nothing, Scanner
from drivers.scanner.emulator import ScannerEmulator
from drivers.scanner.models import GM65, NEWLAND
from drivers.transports.serial_port import open_serial
from tests.drivers.ports import Ports

CODE = "280012345678901234"


def open_scanner(host: PtyHost[ScannerEmulator]) -> Scanner:
    model = host.with_emulator(lambda emulator: emulator.model)
    return Scanner(open_serial(host.path, model.baud, time.monotonic), time.monotonic, model)


def within(seconds: float) -> Deadline:
    return Deadline.after(time.monotonic, seconds)


def test_a_code_is_read_at_9600(ports: Ports) -> None:
    host = ports.pty(ScannerEmulator(GM65), baud=9600)
    scanner = open_scanner(host)
    scanner.arm()
    host.with_emulator(lambda emulator: emulator.show(CODE))
    assert scanner.poll(within(2.0)) == Scanned(CODE)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("endless", GarbageReason.TOO_LONG),
        ("control_characters", GarbageReason.CONTROL_CHARACTER),
    ],
)
def test_garbage_is_a_value_and_the_next_code_is_read(
    ports: Ports, name: str, reason: GarbageReason
) -> None:
    host = ports.pty(ScannerEmulator(NEWLAND))
    scanner = open_scanner(host)
    scanner.arm()
    host.with_emulator(lambda emulator: emulator.misbehave(name))
    host.with_emulator(lambda emulator: emulator.show(CODE))
    assert scanner.poll(within(2.0)) == Garbage(reason)
    host.with_emulator(lambda emulator: emulator.behave())
    host.with_emulator(lambda emulator: emulator.show("next"))
    assert scanner.poll(within(2.0)) == Scanned("next")


def test_the_cable_pulled_while_waiting_is_noticed_and_the_scanner_comes_back(
    ports: Ports,
) -> None:
    host = ports.pty(ScannerEmulator(NEWLAND))
    scanner = open_scanner(host)
    scanner.arm()
    pull = threading.Timer(0.1, host.unplug)
    pull.start()
    with pytest.raises(DeviceLost):
        scanner.poll(within(3.0))
    pull.join()
    scanner.close()
    host.plug()
    again = open_scanner(host)
    again.arm()
    assert again.poll(within(0.05)) == Nothing()
    host.with_emulator(lambda emulator: emulator.show(CODE))
    assert again.poll(within(2.0)) == Scanned(CODE)
