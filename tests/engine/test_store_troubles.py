"""A disk that is full, damaged or failing under a running terminal: nothing is charged on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path

import pytest

from kiosk import logs
from kiosk.engine.workers import Stop
from kiosk.flows.effects import ChargePad, PrintSlip
from kiosk.flows.events import PadApproved, PadCompleted, PadRecalled
from kiosk.hospital.contract import (
    AskSlots,
    Charge,
    CloseOrder,
    Held,
    HoldSlot,
    OpenOrder,
    OrderOpened,
    PreSettle,
    QueryCharge,
    Quoted,
    Settle,
    Settled,
    SettleRefused,
    SlotList,
)
from kiosk.ports import HospitalStood, NumbersStood, PadLooked
from kiosk.records import Opening
from kiosk.upkeep import Keeper, Upkeep
from kiosk.views import Problem
from offline.database import Row, SqliteDatabase, Value
from offline.errors import StoreBroken, StoreFull
from offline.store import suspect_mark
from tests.engine.desk import Desk
from tests.engine.test_offline_stories import lay, lend, registrations
from tests.flows.people import NOTHING, SLOTS, hold
from tests.flows.people import quote as fee
from tests.flows.till import quote


@dataclass
class Disk:
    """What the disk does to the next commit that carries anything."""

    fault: Callable[[], StoreFull | StoreBroken | None] = lambda: None


class OnDisk:
    """A real connection on a disk with a fault."""

    def __init__(self, path: Path, disk: Disk) -> None:
        self._database, self._disk = SqliteDatabase(path), disk

    def run(self, sql: str, values: Sequence[Value] = ()) -> int:
        fault = self._disk.fault() if sql.startswith(("insert", "commit")) else None
        if fault is not None:
            raise fault
        return self._database.run(sql, values)

    def run_many(self, sql: str, values: Sequence[Sequence[Value]]) -> None:
        for row in values:
            self.run(sql, row)

    def __getattr__(self, name: str) -> Callable[..., list[Row]]:
        found: Callable[..., list[Row]] = getattr(self._database, name)
        return found


class Terminal(Desk):
    """A desk with a disk, and the keeper that a running core has."""

    disk: Disk

    @property
    def ballast(self) -> Path:
        return self.folder / "ballast"

    def keeper(self) -> Keeper:
        upkeep = Upkeep(self.records, 14, self.clock.monotonic_s, self.clock.now)
        return Keeper(
            upkeep, self.engine.tell, Stop(), logs.logger("core", self.clock.now, StringIO())
        )

    def fills_up(self) -> None:
        """Full until somebody throws the ballast overboard; and nobody may put it back."""
        self.disk.fault = lambda: StoreFull("no room") if self.ballast.exists() else None


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    disk = Disk()
    opening = Opening(ballast_bytes=64 * 1024, connect=lambda path: OnDisk(path, disk))  # type: ignore[arg-type, return-value]
    made = Terminal(tmp_path, opening=opening)
    made.disk = disk
    yield made
    disk.fault = lambda: None
    made.records.close()


def facts(terminal: Terminal, event: str) -> list[dict[str, object]]:
    """What the trail has of this kind of event."""
    with terminal.records._store.reading() as reading:
        rows = reading.rows("select payload from audit order by seq")
    events = [json.loads(payload) for (payload,) in rows]  # type: ignore[arg-type]
    return [dict(one) for one in events if one["event"] == event]


# --- full ----------------------------------------------------------------------------------------


def test_a_disk_that_fills_up_under_a_payment_lets_it_end_and_begins_no_other(
    terminal: Terminal,
) -> None:
    """P10: the ballast goes for what is running; the next person is sent to the window."""
    reference = terminal.at_pad()
    terminal.fills_up()
    terminal.tell(PadApproved(reference, 4120, "trace 7"))
    terminal.settle(reference)
    assert terminal.page.result == "settled" and not terminal.ballast.exists()
    states = [e["state"] for e in facts(terminal, "payment_moved") if e["reference"] == reference]
    assert states[-1] == "settled"
    terminal.touch("end")
    terminal.disk.fault = lambda: StoreFull("no room")  # even the ballast's room is gone
    assert terminal.records.admission() == "disk_full"


def test_on_a_full_disk_nobody_is_asked_for_money_and_the_way_to_the_window_is_shown(
    terminal: Terminal,
) -> None:
    keeper = terminal.keeper()
    keeper.look()
    terminal.lay().touch("task:pay")
    room = terminal.records.keeping
    terminal.fills_up()
    before = len(terminal.orders())
    terminal.answer(PreSettle, Quoted(quote()))
    assert isinstance(terminal.page, Problem) and terminal.page.code == "payments_off"
    assert terminal.page.window == "3" and "window" in terminal.frame.bar
    asked = [type(one).__name__ for one in terminal.orders()[before:]]
    assert "ChargePad" not in asked and terminal.requests()[-1] != "OpenOrder"
    assert room.status()["payments_off"] == "disk_full"
    assert terminal.engine.status()["open_payments"] == []
    keeper.look()
    assert not terminal.frame.works.payments, "said on every page"
    assert not [task for task in _home(terminal) if task.kind == "pay" and task.enabled]


def _home(terminal: Terminal) -> tuple[object, ...]:
    terminal.touch("back")
    return (terminal.page.next, *terminal.page.tasks)


def test_a_number_that_is_promised_while_the_disk_fills_up_is_given(terminal: Terminal) -> None:
    """The number, its record and its trail have no room but the ballast's; core fell instead."""
    lend(terminal.records)
    terminal.tell(NumbersStood(3), HospitalStood(False))
    terminal.records.admission()
    lay(terminal).touch("next", "department:D1", "slot:S9")
    terminal.fills_up()
    terminal.touch("confirm")
    assert terminal.page.page == "finished" and not terminal.ballast.exists()
    assert len(registrations(terminal)) == 1


def test_a_volunteer_gets_in_on_a_full_disk_and_wrong_pins_are_counted(terminal: Terminal) -> None:
    terminal.records.set_pin("01", "4711")
    terminal.records.admission()
    terminal.fills_up()
    assert terminal.records.check_pin("010000").tries_left == 4
    assert terminal.records.check_pin("014711").right and not terminal.ballast.exists()
    assert [event["who"] for event in facts(terminal, "pin_wrong")] == ["volunteer_01"]


def test_payments_come_back_by_themselves_when_there_is_room_again(terminal: Terminal) -> None:
    keeper = terminal.keeper()
    keeper.look()
    terminal.records.admission()
    terminal.fills_up()
    assert terminal.records.admission() == "disk_full"
    keeper.look()
    assert not terminal.frame.works.payments
    terminal.disk.fault = lambda: None
    keeper.look()
    assert terminal.frame.works.payments
    keeper.look()
    assert [event["cause"] for event in facts(terminal, "payments_off")] == ["disk_full"]
    assert len(facts(terminal, "payments_on")) == 1, "told when there was room to tell it"
    assert terminal.bill().page.url


def test_what_stops_payments_stands_in_the_trail_once(terminal: Terminal) -> None:
    keeper = terminal.keeper()
    keeper.look()
    terminal.records._store._checked = False
    for _ in range(3):
        Keeper.look(keeper)
    assert facts(terminal, "payments_off") == [], "the keeper checks first: nothing was stopped"
    with terminal.records._store.transaction() as tx:
        tx.run("insert into settings values ('mended_at', 1)")
    terminal.records.keeping._ballast._compared = False
    for _ in range(3):
        keeper.look()
    assert [event["cause"] for event in facts(terminal, "payments_off")] == ["store_mended"]
    terminal.records.keeping.compared("technician")
    keeper.look()
    assert len(facts(terminal, "payments_on")) == 1


# --- not checked yet -----------------------------------------------------------------------------


def test_a_store_opened_at_once_takes_no_payment_before_it_was_checked(
    terminal: Terminal,
) -> None:
    terminal.opening = replace(terminal.opening, check=False)
    terminal.restart()
    terminal.lay().touch("task:pay").answer(PreSettle, Quoted(quote()))
    assert terminal.page.code == "payments_off" and terminal.orders(ChargePad) == []
    terminal.keeper().look()
    terminal.touch("end")
    assert terminal.bill().page.url, "the check takes a moment, not a visit"


def test_damage_that_the_check_finds_is_mended_by_the_next_start(terminal: Terminal) -> None:
    """No crash loop: one start ends, the next serves; payments wait for the pad's word."""
    reference = terminal.at_pad()
    terminal.settle(reference).touch("end")
    terminal.records.close()
    _spoil(terminal.folder / "kiosk.db")
    terminal.opening = replace(terminal.opening, check=False)
    terminal.start()
    with pytest.raises(Exception, match="damage"):
        terminal.keeper().look()
    assert terminal.records.admission() == "store_broken"
    terminal.restart()
    status = terminal.records.keeping.status()
    assert status["mended"] == "kiosk.db.damaged-1" and status["damaged_files"] == 1
    assert facts(terminal, "store_mended")
    terminal.keeper().look()
    assert not terminal.frame.works.payments and terminal.records.admission() == "store_mended"
    assert terminal.lay().page.page == "home", "everything else goes on"
    terminal.tell(PadLooked("T1/7"))
    terminal.keeper().look()
    assert terminal.records.admission() == "" and terminal.frame.works.payments


def _spoil(path: Path) -> None:
    """A page that opening does not read: of a list that is empty."""
    database = SqliteDatabase(path)
    [(page,)] = database.rows("select rootpage from sqlite_master where name = 'waiting_list'")
    database.close()
    assert isinstance(page, int)
    content = bytearray(path.read_bytes())
    content[(page - 1) * 4096 : page * 4096] = b"\7" * 4096
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("mark", "off"),
    [("T1/", ""), ("T1/7", ""), ("T1/8", "store_mended"), ("T1/77", "store_mended")],
)
def test_after_mending_the_pads_last_payment_must_be_one_the_journal_knows(
    terminal: Terminal, mark: str, off: str
) -> None:
    """RELIABILITY §2: one payment is open at a time, so only the pad's last can be missing."""
    terminal.settle(terminal.at_pad()).touch("end")
    suspect_mark(terminal.folder / "kiosk.db").write_bytes(b"")
    terminal.restart()
    terminal.tell(PadLooked(mark))
    assert terminal.records.admission() == off
    if off:
        terminal.records.keeping.compared("finance")
        assert terminal.records.admission() == ""
        assert [event["who"] for event in facts(terminal, "ledgers_compared")] == ["finance"]


@pytest.mark.parametrize(
    ("found", "off"),
    [
        (PadRecalled("", "held", 4120, "trace 99"), ""),
        (PadRecalled("", "none"), "store_mended"),
    ],
    ids=["the pad's last is the open one", "the pad's last is one that was lost"],
)
def test_after_mending_what_the_pad_says_of_an_open_payment_is_the_comparison(
    terminal: Terminal, found: PadRecalled, off: str
) -> None:
    """An open payment alone proves nothing: a later one, paid and lost, would stay unseen."""
    reference = terminal.at_pad()
    suspect_mark(terminal.folder / "kiosk.db").write_bytes(b"")
    terminal.restart()
    terminal.tell(PadLooked("T1/99"))
    assert terminal.records.admission() == "store_mended", "not yet"
    terminal.tell(replace(found, reference=reference))
    if found.found == "held":
        terminal.answer(Settle, Settled(reference, "R1")).tell(PadCompleted(reference))
    assert terminal.engine.status()["open_payments"] == []
    assert terminal.records.admission() == off


def test_after_mending_a_refund_that_is_due_vouches_for_no_other_payment(
    terminal: Terminal,
) -> None:
    """Nobody asks about it any more: with one in the journal, any payment of the pad passed."""
    reference = terminal.at_pad()
    terminal.tell(PadApproved(reference, 4120, "trace 7"))
    terminal.answer(Settle, SettleRefused(reference, "already_paid"))
    terminal.tell(PadCompleted(reference))
    assert terminal.records.payment_state(reference) == "REFUND_DUE"
    suspect_mark(terminal.folder / "kiosk.db").write_bytes(b"")
    terminal.restart()
    terminal.tell(PadLooked("T1/99"))
    assert terminal.records.admission() == "store_mended"
    terminal.tell(PadLooked("T1/7"))
    assert terminal.records.admission() == ""


# --- failing -------------------------------------------------------------------------------------


def test_a_commit_that_fails_charges_nobody_ends_the_process_and_is_never_tried_again(
    terminal: Terminal,
) -> None:
    """RELIABILITY §3: payments off, exit, reopen, re-read; what was asked goes by the disk."""
    terminal.bill().touch("card")
    shown = terminal.asked(CloseOrder).request.reference
    commits = []

    def breaks() -> StoreBroken:
        commits.append(1)
        return StoreBroken("SQLite result 10")

    terminal.disk.fault = breaks
    with pytest.raises(StoreBroken):
        terminal.answer(CloseOrder, Charge(shown, "closed"))
    assert terminal.orders(ChargePad) == [] and len(commits) == 1, "not retried in place"
    assert terminal.records.admission() == "store_broken"
    terminal.disk.fault = lambda: None
    terminal.restart()
    assert terminal.engine.status()["open_payments"] == [shown], "as the disk has it"
    assert terminal.asked(CloseOrder).request.reference == shown
    assert terminal.records.admission() == ""


# --- one visit, one chain ------------------------------------------------------------------------


def test_a_payment_slips_number_leads_to_the_registration_it_paid_for(terminal: Terminal) -> None:
    """Row 112; A4: the whole chain of that visit by any of its names."""
    terminal.lay(today=NOTHING).touch("tile:register").departments().touch("department:D1")
    terminal.answer(AskSlots, SlotList(SLOTS)).touch(f"slot:{SLOTS[0].id}")
    key = terminal.asked(HoldSlot).request.key
    terminal.answer(HoldSlot, Held(hold(SLOTS[0]))).answer(PreSettle, Quoted(fee())).touch(
        "confirm"
    )
    reference = terminal.asked(OpenOrder).request.reference
    fen = terminal.asked(OpenOrder).request.amount_fen
    terminal.answer(OpenOrder, OrderOpened("https://pay.demo.invalid/o/1")).pass_s(2.5)
    terminal.answer(QueryCharge, Charge(reference, "paid", fen, "4200", "2026-11-22"))
    terminal.answer(Settle, Settled(reference, "R1"))
    slip = terminal.last(PrintSlip).slip.number
    for name in (slip, reference, key):
        events = {event.event for event in terminal.records.find(name)}
        assert {"registration_begun", "registration_ended"} <= events, name
        assert {"payment_opened", "payment_moved", "print_begun", "session_begun"} <= events, name
