"""Notes: what lies in the validator's own ledger is what somebody was credited with, or is owed.

The validator is the product's emulator on a virtual cable, behind the product's driver and port;
core is killed by a new engine and a new connection on the same disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.cashbox.driver import BillValidator
from drivers.cashbox.emulator import YUAN, BillValidatorEmulator, NoteLedger
from kiosk.devices.cash_box import CashBoxDevice
from kiosk.domain.bill import Split
from kiosk.engine.cash import CashBox, told_up_to
from kiosk.flows.effects import (
    AcceptCash,
    KeepCash,
    PrintSlip,
    RecallCash,
    ReturnNote,
    StackNote,
    StopCash,
)
from kiosk.hospital.contract import (
    Charge,
    CloseOrder,
    OpenOrder,
    OrderOpened,
    PreSettle,
    Quoted,
    Settle,
    Settled,
    SettleRefused,
)
from kiosk.ports import DeviceFault, DeviceStood, Listen
from kiosk.views import CashBusy, Pay, PaymentResult
from tests.drivers.cable import Cable, Faults
from tests.engine.desk import Committed, Desk
from tests.flows.till import quote

ORDERS = (AcceptCash, StackNote, ReturnNote, StopCash, RecallCash)
NOTHING = Listen(False, "")
OWN_FEN = 4100
TRIES = 60


class Machine:
    """A desk with a real cash box: what the engine orders of it is done as its worker does it."""

    def __init__(self, folder: Path, notes: Mapping[int, int] = YUAN) -> None:
        self.box = BillValidatorEmulator(NoteLedger(), notes=notes)
        self.cable = Cable(self.box)
        self.desk = Desk(folder)
        self._done = 0
        self.start()

    def start(self) -> None:
        def made(mark: int | None, escrowed_fen: int | None) -> BillValidator:
            return BillValidator(self.cable, self.cable.clock, mark=mark, escrowed_fen=escrowed_fen)

        told = told_up_to(self.desk.records.notes(CashBox.NOTE))
        self.device = CashBoxDevice(made, self.cable.clock, told)
        self.connect()

    def connect(self) -> None:
        """What the worker does first, and after each fault."""
        for _ in range(TRIES):
            try:
                self._tell(self.device.open())
                self.desk.tell(DeviceStood("cash_box", True))
                return
            except DeviceFault:
                self.device.close()
                self.cable.plug()
                self.box.power_up()
                self.cable.pass_time(2)
        raise AssertionError("the box never came back")

    def serve(self, seconds: float = 1.0) -> None:
        """Orders and looks for so long, on both clocks."""
        until_s = self.cable.now_s + seconds
        while self.cable.now_s < until_s:
            order = self._next()
            try:
                told = self.device.attend(NOTHING) if order is None else self.device.perform(order)
                self._tell(told)
            except DeviceFault:
                self.device.close()
                self.desk.tell(DeviceStood("cash_box", False))
                self.connect()
            if order is None:
                self.cable.pass_time(0.2)
                self.desk.pass_s(0.2, 0.2)

    def kill(self) -> None:
        """SIGKILL: nothing of memory is left, and no order of the old core is carried out."""
        self._done = len(self.desk.log)
        self.device.close()
        self.desk.restart()
        self.start()

    # --- one person

    def at_the_slot(self, own_fen: int = OWN_FEN) -> str:
        self.at_the_bill(own_fen).touch("cash")
        shown = self.desk.asked(CloseOrder).request.reference
        self.desk.answer(CloseOrder, Charge(shown, "closed"))
        reference: str = self.desk.last(AcceptCash).reference
        self.serve()
        return reference

    def at_the_bill(self, own_fen: int = OWN_FEN) -> Desk:
        told = quote(Split(12850 - own_fen, 0, 0, own_fen))
        self.desk.lay().touch("task:pay").answer(PreSettle, Quoted(told))
        return self.desk.answer(OpenOrder, OrderOpened("https://pay.demo.invalid/o/1"))

    def insert(self, *notes: int) -> list[bool]:
        taken = []
        for yuan in notes:
            taken.append(self.box.insert_note(yuan))
            self.serve()
        return taken

    def until_ended(self, reference: str) -> str:
        for _ in range(TRIES):
            if self.state(reference) in ("DECLINED", "SETTLED", "REFUND_DUE", "MANUAL"):
                break
            if any(isinstance(one.request, Settle) for one in self.desk.open):
                self.desk.answer(Settle, Settled(reference, "R1"))
            self.serve(2)
        return self.state(reference)

    def state(self, reference: str) -> str:
        return self.desk.records.payment_state(reference)

    def taken_fen(self, reference: str) -> int:
        """What our own journal says is in the box for this payment."""
        kept = [one for one in self.desk.keeps() if isinstance(one, KeepCash)]
        mine = [one.taken_fen for one in kept if one.reference == reference]
        return mine[-1] if mine else 0

    def _next(self) -> Any:
        while self._done < len(self.desk.log):
            order = self.desk.log[self._done]
            self._done += 1
            if isinstance(order, ORDERS):
                return order
        return None

    def _tell(self, told: Any) -> None:
        for event in told:
            self.desk.tell(event)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path / "terminal")
    yield made
    made.desk.records.close()


def test_a_bill_is_paid_in_notes_and_booked_once(machine: Machine) -> None:
    """Row 102: cash is not refused, and nothing needs a phone."""
    reference = machine.at_the_slot()
    page = machine.desk.page
    assert isinstance(page, CashBusy) and (page.stage, page.taken_fen) == ("insert", 0)
    assert machine.insert(20, 20) == [True, True]
    assert machine.desk.page.taken_fen == 4000
    machine.insert(1)
    assert machine.desk.asked(Settle).request.method == "cash"
    assert machine.until_ended(reference) == "SETTLED"
    assert machine.box.ledger.stacked_fen() == OWN_FEN
    slip = machine.desk.last(PrintSlip).slip
    assert (slip.result, slip.method, slip.amount_fen) == ("settled", "cash", OWN_FEN)
    status = machine.desk.engine.status()["cash_box"]
    assert status == {
        "there": True,
        "trouble": "",
        "level_fen": OWN_FEN,
        "notes": {"1": 1, "20": 2},
    }


def test_a_note_is_kept_only_once_that_is_on_disk(machine: Machine) -> None:
    machine.at_the_slot()
    machine.insert(20)
    log = machine.desk.log
    at = next(n for n, one in enumerate(log) if isinstance(one, StackNote))
    before = [keep for one in log[:at] if isinstance(one, Committed) for keep in one.keeps]
    assert any(isinstance(one, KeepCash) and one.note_fen == 2000 for one in before)


def test_no_change_is_given_a_note_above_what_is_left_is_not_drawn_in(machine: Machine) -> None:
    reference = machine.at_the_slot()
    assert machine.insert(50) == [False], "said before the first note"
    machine.insert(20)
    machine.insert(50)
    assert machine.box.ledger.stacked_fen() == 2000
    machine.insert(20, 1)
    assert machine.until_ended(reference) == "SETTLED"


def test_a_note_that_came_before_the_new_limit_goes_back(machine: Machine) -> None:
    """Between two looks the slot still has the old limit: the note waits, and is returned."""
    machine.at_the_slot(5000)
    machine.box.insert_note(20)
    machine.serve(0.2)
    while machine.box._escrow is not None or machine.box._moving is not None:
        machine.serve(0.2)
    machine.box._accepting, machine.box._enabled = True, 0xFFFF
    machine.insert(50)
    assert machine.box.ledger.events[-1] == ("returned", 5000)
    assert machine.box.ledger.stacked_fen() == 2000


@pytest.mark.parametrize("own_fen", [4120, 4050, 9])
def test_a_sum_that_notes_cannot_make_up_is_not_offered(machine: Machine, own_fen: int) -> None:
    desk = machine.at_the_bill(own_fen)
    assert isinstance(desk.page, Pay) and desk.page.cash == "no_coins"
    desk.touch("cash")
    assert isinstance(desk.page, Pay) and not desk.orders(AcceptCash)


def test_without_a_box_the_page_says_nothing_of_cash(machine: Machine) -> None:
    machine.desk.tell(DeviceStood("cash_box", False))
    assert machine.at_the_bill().page.cash == ""


def test_turning_away_before_the_first_note_costs_nothing(machine: Machine) -> None:
    reference = machine.at_the_slot()
    machine.desk.touch("back")
    machine.serve()
    assert machine.state(reference) == "DECLINED" and machine.desk.page.page == "home"
    assert machine.insert(20) == [False]


def test_turning_away_with_a_note_in_the_slot_gives_it_back(machine: Machine) -> None:
    reference = machine.at_the_slot()
    machine.box.insert_note(20)
    machine.desk.touch("back")
    machine.serve(2)
    assert machine.state(reference) == "DECLINED"
    assert machine.box.ledger.events == [("inserted", 2000), ("returned", 2000)]


def test_what_is_in_the_box_and_not_enough_is_owed_and_the_slip_says_where(
    machine: Machine,
) -> None:
    reference = machine.at_the_slot()
    machine.insert(20)
    machine.desk.touch("back")
    machine.serve(2)
    assert machine.state(reference) == "REFUND_DUE"
    page = machine.desk.page
    assert isinstance(page, PaymentResult)
    assert (page.result, page.amount_fen, page.window) == ("refund_due", 2000, "3")
    slip = machine.desk.last(PrintSlip).slip
    assert (slip.result, slip.amount_fen) == ("refund_due", 2000)
    told = [one.body for one in machine.desk.keeps() if getattr(one, "kind", "") == "payment"]
    assert (told[-1].state, told[-1].amount_fen) == ("REFUND_DUE", 2000)


def test_a_person_who_walks_away_is_waited_for_and_then_owed(machine: Machine) -> None:
    reference = machine.at_the_slot()
    machine.insert(20)
    machine.serve(110)
    assert machine.state(reference) == "SENT"
    machine.serve(15)
    assert machine.state(reference) == "REFUND_DUE"


def test_a_hospital_that_refuses_owes_the_notes(machine: Machine) -> None:
    """No machine gives back what lies in the box: a person does."""
    reference = machine.at_the_slot()
    machine.insert(20, 20, 1)
    machine.desk.answer(Settle, SettleRefused(reference, "already_paid"))
    assert machine.state(reference) == "REFUND_DUE"
    assert machine.desk.last(PrintSlip).slip.amount_fen == OWN_FEN


# --- killed, cut, jammed -------------------------------------------------------------------------


def waiting(machine: Machine) -> None:
    machine.box.insert_note(20)  # nobody has looked yet


def told_not_stacked(machine: Machine) -> None:
    """The decision is on disk, and the order never left."""
    machine.box.insert_note(20)
    for event in machine.device.attend(NOTHING):
        machine.desk.tell(event)
    assert machine.desk.last(StackNote)


def stacked_not_heard(machine: Machine) -> None:
    """The note is in the box, and core died before it was told."""
    told_not_stacked(machine)
    list(machine.device.perform(machine.desk.last(StackNote)))
    assert machine.box.ledger.events[-1] == ("stacked", 2000)


def moving(machine: Machine) -> None:
    told_not_stacked(machine)
    machine.box.receive(bytes([40, 1, 1, 154, 1, 256 - 197]))
    assert machine.box._moving is not None


KILLED: dict[str, tuple[Callable[[Machine], None], int]] = {
    "before the first note": (lambda machine: None, 0),
    "with a note that nobody has looked at": (waiting, 0),
    "between the disk and the order": (told_not_stacked, 0),
    "while the note moves": (moving, 2000),
    "after the note, before it was told": (stacked_not_heard, 2000),
}


@pytest.mark.parametrize("when", KILLED)
def test_a_killed_core_asks_the_box_and_no_note_is_lost_or_counted_twice(
    machine: Machine, when: str
) -> None:
    act, kept_fen = KILLED[when]
    reference = machine.at_the_slot()
    act(machine)
    machine.kill()
    assert machine.desk.last(RecallCash).reference == reference
    state = machine.until_ended(reference)
    assert machine.box.ledger.stacked_fen() == kept_fen == machine.taken_fen(reference)
    assert state == ("REFUND_DUE" if kept_fen else "DECLINED")


def test_a_core_killed_after_the_last_note_books_it(machine: Machine) -> None:
    reference = machine.at_the_slot(2000)
    stacked_not_heard(machine)
    machine.kill()
    assert machine.until_ended(reference) == "SETTLED"
    assert machine.box.ledger.stacked_fen() == 2000


def test_a_killed_core_knows_how_many_notes_there_were(machine: Machine) -> None:
    reference = machine.at_the_slot()
    machine.insert(20, 10)
    machine.kill()
    assert machine.until_ended(reference) == "REFUND_DUE"
    assert machine.taken_fen(reference) == machine.box.ledger.stacked_fen() == 3000
    assert machine.desk.engine.status()["cash_box"]["level_fen"] == 3000


def test_a_note_that_jams_on_its_way_is_for_a_person_to_see(machine: Machine) -> None:
    reference = machine.at_the_slot()
    machine.insert(20)
    machine.box.misbehave("jams")
    machine.insert(10)
    assert machine.until_ended(reference) == "MANUAL"
    assert machine.desk.engine.status()["cash_box"]["trouble"] == "cash_jam"
    assert machine.desk.page.result == "refund_due"


def test_a_power_cut_in_the_box_while_a_note_moves_is_for_a_person_to_see(
    machine: Machine,
) -> None:
    reference = machine.at_the_slot()
    told_not_stacked(machine)
    machine.box.receive(bytes([40, 1, 1, 154, 1, 256 - 197]))
    machine.box.misbehave("power_stacks")
    machine.box.power_cut()
    machine.box.power_up()
    assert machine.until_ended(reference) == "MANUAL"


def test_the_box_comes_out_full_and_goes_in_empty(machine: Machine) -> None:
    """Whoever empties it holds the count against the audit trail's."""
    reference = machine.at_the_slot(2000)
    machine.insert(20)
    machine.until_ended(reference)
    machine.box.remove_box()
    machine.serve(3)
    assert machine.desk.engine.status()["cash_box"]["trouble"] == "cash_box_out"
    machine.box.put_box()
    machine.serve(3)
    emptied = [
        one for one in machine.desk.keeps() if getattr(one, "event", "") == "cash_box_emptied"
    ]
    assert [dict(one.fields) for one in emptied] == [{"amount_fen": 2000, "count": 1}]  # type: ignore[union-attr]
    assert machine.desk.engine.status()["cash_box"]["level_fen"] == 0


def test_a_full_box_gives_the_note_back_and_ends_the_payment(machine: Machine) -> None:
    reference = machine.at_the_slot()
    machine.box.insert_note(20)
    machine.box.fill_box()
    machine.serve(3)
    assert machine.until_ended(reference) == "DECLINED"
    assert machine.box.ledger.events[-1] == ("returned", 2000)


DEEDS = st.sampled_from(
    [
        *("note 1", "note 5", "note 10", "note 20", "note 50"),
        *("serve", "serve", "serve", "look", "kill", "unplug", "drop", "cut", "back"),
    ]
)


@given(st.lists(DEEDS, max_size=14))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_happens_the_box_holds_what_was_credited_or_is_owed(
    tmp_path_factory: pytest.TempPathFactory, deeds: list[str]
) -> None:
    """The validator's own ledger against our journal; a note in doubt is a person's case."""
    machine = Machine(tmp_path_factory.mktemp("cash") / "terminal")
    try:
        reference = machine.at_the_slot()
        for deed in deeds:
            act(machine, deed)
        machine.cable.plug()
        machine.box.power_up()
        machine.desk.tell()
        if machine.desk.page.page == "cash_busy":
            machine.desk.touch("back")
        state = machine.until_ended(reference)
        stacked_fen = machine.box.ledger.stacked_fen()
        assert state in ("DECLINED", "SETTLED", "REFUND_DUE", "MANUAL")
        if state != "MANUAL":
            assert machine.taken_fen(reference) == stacked_fen
            wanted = "SETTLED" if stacked_fen == OWN_FEN else "REFUND_DUE"
            assert state == (wanted if stacked_fen else "DECLINED")
        inserted = [fen for event, fen in machine.box.ledger.events if event == "inserted"]
        out = [fen for event, fen in machine.box.ledger.events if event != "inserted"]
        assert sorted(inserted) == sorted(out), "no note stays in the slot"
    finally:
        machine.desk.records.close()


def act(machine: Machine, deed: str) -> None:
    match deed.split():
        case ["note", yuan]:
            machine.box.insert_note(int(yuan))
        case ["serve"]:
            machine.serve(0.6)
        case ["look"]:
            machine.serve(0.1)
        case ["kill"]:
            machine.kill()
        case ["unplug"]:
            machine.cable.unplug()
        case ["drop"]:
            machine.cable.faults = replace(Faults(), drop=0.3, on_requests=True)
        case ["cut"]:
            machine.box.power_cut()
        case ["back"] if machine.desk.page.page == "cash_busy":
            machine.desk.touch("back")
