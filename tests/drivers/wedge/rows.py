"""The keyboard wedge's exchange under the contract: the serial scanner over key events."""

from __future__ import annotations

from drivers.deadline import Clock, Deadline
from drivers.scanner.codec import Scanned
from drivers.scanner.driver import Scanner
from drivers.transport import ByteStream
from drivers.wedge.driver import WEDGE, KeyStream
from drivers.wedge.emulator import WedgeEmulator
from tests.drivers.contract import Row

CODE = "A1-28001234"
POLL_S = 6.0


def make_scanner(stream: ByteStream, clock: Clock) -> Scanner:
    return Scanner(KeyStream(stream), clock, WEDGE)


def arm_and_scan(scanner: Scanner) -> object:
    scanner.arm()
    return scanner.poll(Deadline.after(scanner.clock, POLL_S))


ROWS = (
    Row(
        name="wedge scan",
        make_emulator=WedgeEmulator,
        make_driver=make_scanner,
        prepare=lambda emulator: emulator.show(CODE),
        exchange=arm_and_scan,
        is_good=lambda outcome: outcome == Scanned(CODE),
        timeout_s=POLL_S,
    ),
)
