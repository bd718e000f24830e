"""The ZVT pad's exchanges under the contract that all drivers keep."""

from __future__ import annotations

from drivers.deadline import Clock, Deadline
from drivers.identity import DeviceIdentity
from drivers.pad import (
    Approved,
    Charged,
    Completed,
    LastPayment,
    PadCondition,
    PadStatus,
    PaymentPad,
    PaymentState,
)
from drivers.pad_ledger import PadLedger
from drivers.transport import ByteStream
from drivers.zvt.driver import ZvtPad, serial_pad
from drivers.zvt.emulator import PadEmulator
from tests.drivers.contract import Row
from tests.drivers.pads import MORNING

TIMEOUT_S = 12.0


class TimedPad:
    """A driver whose exchanges take their deadline from here."""

    def __init__(self, stream: ByteStream, clock: Clock) -> None:
        self.clock = clock
        self.pad: PaymentPad = serial_pad(stream, clock)

    def within(self) -> Deadline:
        return Deadline.after(self.clock, TIMEOUT_S)

    def pay(self) -> object:
        """Log on, charge, complete: one deadline for all."""
        deadline = self.within()
        self.pad.prepare(deadline)
        approved = self.pad.authorise("R-0001", 1250, deadline)
        return self.pad.complete(deadline) if isinstance(approved, Approved) else approved


def emulator() -> PadEmulator:
    made = PadEmulator(PadLedger(), lambda: MORNING)
    made.ledger.complete(made.ledger.charge(1250, "1234", "UnionPay", MORNING.isoformat()).trace)
    return made


def restart(made: PadEmulator) -> None:
    """A person switches the pad off and on, and holds a card to it."""
    made.power_cut()
    made.power_up()
    made.present_card()


def probe(timed: TimedPad) -> object:
    assert isinstance(timed.pad, ZvtPad)
    return timed.pad.probe(TIMEOUT_S)


def is_newest(outcome: object) -> bool:
    match outcome:
        case LastPayment(Charged(amount_fen=1250, trace=1), PaymentState.COMPLETED):
            return True
    return False


def is_ready(outcome: object) -> bool:
    """A card held to the pad shows, and does not keep it from being ready."""
    ready = (PadCondition.READY, PadCondition.CARD_INSERTED)
    return isinstance(outcome, PadStatus) and outcome.condition in ready


ROWS = (
    Row(
        name="zvt status",
        make_emulator=emulator,
        make_driver=TimedPad,
        prepare=restart,
        exchange=lambda timed: timed.pad.status(timed.within()),
        is_good=is_ready,
        timeout_s=TIMEOUT_S,
    ),
    Row(
        name="zvt last payment",
        make_emulator=emulator,
        make_driver=TimedPad,
        prepare=restart,
        exchange=lambda timed: timed.pad.last_payment(timed.within()),
        is_good=is_newest,
        timeout_s=TIMEOUT_S,
        is_lie=lambda outcome: isinstance(outcome, LastPayment) and not is_newest(outcome),
    ),
    Row(
        name="zvt payment",
        make_emulator=emulator,
        make_driver=TimedPad,
        prepare=restart,
        exchange=TimedPad.pay,
        is_good=lambda outcome: outcome == Completed(),
        timeout_s=TIMEOUT_S,
    ),
    Row(
        name="zvt probe",
        make_emulator=emulator,
        make_driver=TimedPad,
        prepare=restart,
        exchange=probe,
        is_good=lambda outcome: outcome == DeviceIdentity("zvt", "ZVT 2.14.15"),
        timeout_s=TIMEOUT_S,
    ),
)
