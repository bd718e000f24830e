"""The scanner's exchanges under the contract, one row a model."""

from __future__ import annotations

from functools import partial

from drivers.deadline import Clock, Deadline
from drivers.identity import DeviceIdentity
from drivers.scanner.codec import Scanned
from drivers.scanner.driver import REPLY_S, Scanner
from drivers.scanner.emulator import ScannerEmulator
from drivers.scanner.models import GM65, MODELS, NEWLAND, ScannerModel
from drivers.transport import ByteStream
from tests.drivers.contract import Row

CODE = "280012345678901234"
POLL_S = 2.0


def make_scanner(model: ScannerModel, stream: ByteStream, clock: Clock) -> Scanner:
    return Scanner(stream, clock, model)


def arm_and_scan(scanner: Scanner) -> object:
    scanner.arm()
    return scanner.poll(Deadline.after(scanner.clock, POLL_S))


def show_code(emulator: ScannerEmulator) -> None:
    emulator.show(CODE)


ROWS = (
    *(
        Row(
            name=f"scanner {model.name}",
            make_emulator=partial(ScannerEmulator, model),
            make_driver=partial(make_scanner, model),
            prepare=show_code,
            exchange=arm_and_scan,
            is_good=lambda outcome: outcome == Scanned(CODE),
            timeout_s=REPLY_S + POLL_S,
        )
        for model in MODELS.values()
    ),
    *(
        Row(
            name=f"scanner {model.name} probe",
            make_emulator=partial(ScannerEmulator, model),
            make_driver=partial(make_scanner, model),
            prepare=lambda emulator: emulator.hide(),
            exchange=lambda scanner: scanner.probe(),
            is_good=lambda outcome: (
                outcome == DeviceIdentity("scanner", "newland")
                or outcome == DeviceIdentity("scanner", "gm65")
            ),
            timeout_s=REPLY_S,
        )
        for model in (NEWLAND, GM65)
    ),
)
