"""The exchanges of any one-answer pad under the contract that all drivers keep."""

from __future__ import annotations

from drivers.deadline import Clock, Deadline
from drivers.identity import DeviceIdentity
from drivers.one_answer import OneAnswerPad
from drivers.pad import (
    Charged,
    LastPayment,
    PadCondition,
    PadStatus,
    PaymentState,
)
from drivers.pad_bench import PadBench
from drivers.pad_ledger import PadLedger
from drivers.transport import ByteStream
from tests.drivers.contract import Row
from tests.drivers.pads import MORNING, PadKind

TIMEOUT_S = 10.0


class TimedPad:
    """A driver whose exchanges take their deadline from here."""

    def __init__(self, kind: PadKind, stream: ByteStream, clock: Clock) -> None:
        pad = kind.make_driver(stream, clock)
        assert isinstance(pad, OneAnswerPad)
        self.pad, self._clock = pad, clock

    def within(self) -> Deadline:
        return Deadline.after(self._clock, TIMEOUT_S)


def one_answer_rows(kind: PadKind) -> tuple[Row, ...]:
    """Status, last payment, probe. Payments have a contract of their own: test_pad_contract."""

    def make_driver(stream: ByteStream, clock: Clock) -> TimedPad:
        return TimedPad(kind, stream, clock)

    def make_emulator() -> PadBench:
        made = kind.make_emulator(PadLedger())
        assert isinstance(made, PadBench)
        entry = made.ledger.charge(1250, "1234", "UnionPay", MORNING.isoformat())
        made.ledger.complete(entry.trace)
        return made

    def row(name: str, exchange: object, is_good: object, is_lie: object = None) -> Row:
        return Row(
            name=f"{kind.name} {name}",
            make_emulator=make_emulator,
            make_driver=make_driver,
            prepare=restart,
            exchange=exchange,  # type: ignore[arg-type]
            is_good=is_good,  # type: ignore[arg-type]
            timeout_s=TIMEOUT_S,
            is_lie=is_lie or (lambda _outcome: False),  # type: ignore[arg-type]
        )

    return (
        row("status", lambda timed: timed.pad.status(timed.within()), is_ready),
        row(
            "last payment",
            lambda timed: timed.pad.last_payment(timed.within()),
            is_newest,
            lambda outcome: isinstance(outcome, LastPayment) and not is_newest(outcome),
        ),
        row(
            "probe",
            lambda timed: timed.pad.probe(TIMEOUT_S),
            lambda outcome: isinstance(outcome, DeviceIdentity) and outcome.kind == kind.name,
        ),
    )


def restart(made: PadBench) -> None:
    """A person switches the pad off and on, and holds a card to it."""
    made.power_cut()
    made.power_up()
    made.present_card()


def is_ready(outcome: object) -> bool:
    return isinstance(outcome, PadStatus) and outcome.condition is PadCondition.READY


def is_newest(outcome: object) -> bool:
    match outcome:
        case LastPayment(Charged(amount_fen=1250), PaymentState.COMPLETED):
            return True
    return False
