"""The bill validator's exchanges under the contract that all drivers keep."""

from __future__ import annotations

from drivers.cash import CashStatus
from drivers.cashbox.driver import BillValidator, CashboxSettings
from drivers.cashbox.emulator import BillValidatorEmulator, NoteLedger
from drivers.deadline import Clock, Deadline
from drivers.identity import DeviceIdentity
from drivers.transport import ByteStream
from tests.drivers.contract import Row

TIMEOUT_S = 4.0
NOTES_FEN = (100, 500, 1000, 2000, 5000, 10_000)


class TimedValidator:
    """A driver whose exchanges take their deadline from here. CRC-16: a sum can be fooled."""

    def __init__(self, stream: ByteStream, clock: Clock) -> None:
        self.clock = clock
        self.validator = BillValidator(stream, clock, CashboxSettings(crc=True))

    def within(self) -> Deadline:
        return Deadline.after(self.clock, TIMEOUT_S)


def emulator() -> BillValidatorEmulator:
    return BillValidatorEmulator(NoteLedger(), crc=True)


def nothing(_emulator: BillValidatorEmulator) -> None:
    """It is ready as it is."""


ROWS = (
    Row(
        name="cashbox status",
        make_emulator=emulator,
        make_driver=TimedValidator,
        prepare=nothing,
        exchange=lambda timed: timed.validator.status(timed.within()),
        is_good=lambda outcome: outcome == CashStatus(True, ""),
        timeout_s=TIMEOUT_S,
    ),
    Row(
        name="cashbox notes",
        make_emulator=emulator,
        make_driver=TimedValidator,
        prepare=nothing,
        exchange=lambda timed: timed.validator.prepare(timed.within()),
        is_good=lambda outcome: outcome == NOTES_FEN,
        timeout_s=TIMEOUT_S,
        is_lie=lambda outcome: isinstance(outcome, tuple) and outcome != NOTES_FEN,
    ),
    Row(
        name="cashbox probe",
        make_emulator=emulator,
        make_driver=TimedValidator,
        prepare=nothing,
        exchange=lambda timed: timed.validator.probe(TIMEOUT_S),
        is_good=lambda outcome: outcome == DeviceIdentity("cashbox", "NOTES-1", "12345678"),
        timeout_s=TIMEOUT_S,
    ),
)
