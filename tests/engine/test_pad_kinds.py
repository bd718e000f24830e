"""Each kind of pad behind the whole engine: its own ledger says what became of the money.

The pad is the product's emulator on a virtual cable, behind the product's driver and port; core
is killed by a new engine and a new connection on the same disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.pad_ledger import Entry, Fate
from kiosk.devices.payment_pad import PadDevice
from kiosk.flows.effects import CancelPad, ChargePad, CompletePad, RecallPad, ReleasePad
from kiosk.hospital.contract import Settle, Settled, SettleRefused
from kiosk.ports import DeviceFault, DeviceStood
from tests.drivers.cable import Faults
from tests.drivers.pads import MORNING, PAD_KINDS, PadKind, Rig
from tests.engine.desk import Desk, HandClock
from tests.flows.people import NOW

PAD_ORDERS = (ChargePad, CompletePad, ReleasePad, RecallPad, CancelPad)
OWN_FEN = 4120
TRIES = 60

every_pad = pytest.mark.parametrize("kind", PAD_KINDS, ids=lambda kind: kind.name)


class Terminal:
    """A desk with a real pad: what the engine orders of it is carried out as its worker does."""

    def __init__(self, folder: Path, kind: PadKind) -> None:
        self.rig = Rig(kind)
        self.rig.pay_before()
        self.desk = Desk(folder, HandClock(MORNING.replace(tzinfo=NOW.tzinfo)))
        self._done = 0
        self.connect()

    def connect(self) -> None:
        """What a worker does first, and after each fault."""

        def made() -> Any:
            self.rig.connect()
            return self.rig.pad

        self.device = PadDevice(made, self.rig.cable.clock, self.desk.engine.tell)
        for _ in range(TRIES):
            try:
                self._tell(self.device.open())
                self.desk.tell(DeviceStood("pad", True))
                return
            except DeviceFault:
                self.device.close()
                self.rig.cable.pass_time(2)
        raise AssertionError("the pad never came back")

    def run(self) -> None:
        """Everything that is ordered of the pad, and what follows from it."""
        while (order := self._next()) is not None:
            if self.device.interrupt(order):
                continue
            try:
                self._tell(self.device.perform(order))
            except DeviceFault:
                self.device.close()
                self.rig.cable.plug()
                self.rig.cable.pass_time(30)
                self.rig.hands.wake()
                self.connect()

    def until(self, reference: str, state: str) -> None:
        """Time goes by, questions are asked again."""
        for _ in range(TRIES):
            if self.state(reference) == state:
                return
            self.desk.pass_s(2)
            self.rig.cable.pass_time(2)
            self.run()
        raise AssertionError(f"{self.state(reference)}, not {state}")

    def kill(self) -> None:
        """SIGKILL: no order of the old core is carried out any more, nothing said is heard."""
        self._done = len(self.desk.log)
        self.rig.cable.pass_time(30)
        self.desk.restart()
        self.connect()

    def charge(self) -> str:
        reference = self.desk.at_pad()
        self.rig.hands.present_card()
        return reference

    def booked(self, reference: str) -> None:
        self.desk.answer(Settle, Settled(reference, "R1"))
        self.run()

    def state(self, reference: str) -> str:
        return self.desk.records.payment_state(reference)

    def charges(self) -> tuple[Entry, ...]:
        """Without the earlier person's."""
        return self.rig.hands.ledger.entries[1:]

    def _next(self) -> Any:
        while self._done < len(self.desk.log):
            order = self.desk.log[self._done]
            self._done += 1
            if isinstance(order, PAD_ORDERS):
                return order
        return None

    def _tell(self, told: Any) -> None:
        for event in told:
            self.desk.tell(event)


@pytest.fixture
def terminal(tmp_path: Path, kind: PadKind) -> Iterator[Terminal]:
    made = Terminal(tmp_path / "terminal", kind)
    yield made
    made.desk.records.close()


@every_pad
def test_an_approved_payment_is_booked_once_and_kept(terminal: Terminal) -> None:
    """Row 63."""
    reference = terminal.charge()
    terminal.run()
    terminal.booked(reference)
    assert terminal.state(reference) == "SETTLED"
    assert [(one.fate, one.amount_fen) for one in terminal.charges()] == [(Fate.COMPLETED, OWN_FEN)]


@every_pad
def test_a_declined_card_costs_nothing_and_says_so(terminal: Terminal) -> None:
    terminal.rig.hands.decline()
    reference = terminal.charge()
    terminal.run()
    assert terminal.state(reference) == "DECLINED" and terminal.charges() == ()
    assert terminal.desk.page.result == "not_charged"


@every_pad
def test_a_pad_that_is_silent_after_a_real_charge_is_asked_and_charged_once(
    terminal: Terminal,
) -> None:
    terminal.rig.hands.misbehave("silent_after_charge")  # type: ignore[attr-defined]
    reference = terminal.charge()
    terminal.run()
    assert terminal.desk.orders(RecallPad), "the doubt is asked about"
    terminal.booked(reference)
    assert terminal.state(reference) == "SETTLED"
    assert len(terminal.charges()) == len(terminal.desk.orders(ChargePad)) == 1
    assert terminal.charges()[0].fate is Fate.COMPLETED


@every_pad
def test_a_core_killed_after_the_charge_asks_books_and_charges_nobody_again(
    terminal: Terminal,
) -> None:
    terminal.rig.hands.misbehave("silent_after_charge")  # type: ignore[attr-defined]
    reference = terminal.charge()
    charge_unheard(terminal)
    terminal.kill()
    terminal.run()
    terminal.booked(reference)
    assert terminal.state(reference) == "SETTLED"
    assert [one.fate for one in terminal.charges()] == [Fate.COMPLETED]


@every_pad
def test_a_core_killed_while_it_gives_back_asks_before_it_reverses(terminal: Terminal) -> None:
    """Of a pad in one phase the reversal is a command of its own: never sent without a look."""
    reference = terminal.charge()
    terminal.run()
    terminal.desk.answer(Settle, SettleRefused(reference, "already_paid"))
    assert terminal.state(reference) == "REVERSING"
    before = len(terminal.desk.log)
    terminal.kill()
    terminal.run()
    terminal.until(reference, "REVERSED")
    told = [one for one in terminal.desk.log[before:] if isinstance(one, PAD_ORDERS)]
    assert next(type(one) for one in told) is RecallPad
    assert [one.fate for one in terminal.charges()] == [Fate.REVERSED]


@every_pad
def test_a_reversal_whose_answer_is_lost_is_asked_about_and_happens_once(
    terminal: Terminal,
) -> None:
    reference = terminal.charge()
    terminal.run()
    terminal.desk.answer(Settle, SettleRefused(reference, "already_paid"))
    terminal.rig.cable.faults = Faults(drop=1.0, corrupt=1.0)
    terminal.run()
    terminal.until(reference, "REVERSED")
    assert [one.fate for one in terminal.charges()] == [Fate.REVERSED]
    assert terminal.rig.hands.ledger.standing_fen() == 700, "the earlier person's, untouched"


def charge_unheard(terminal: Terminal) -> None:
    """The pad is told, and core dies before it hears what came of it."""
    order = terminal.desk.last(ChargePad)
    with pytest.raises(DeviceFault):
        list(terminal.device.perform(order))
    terminal.device.close()
    terminal.rig.hands.wake()
