"""The store as the engine's port: PINs, fresh numbers, today's list, notes, payments, the trail."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from kiosk.flows.effects import (
    DropNote,
    KeepAudit,
    KeepMove,
    KeepNote,
    KeepPayment,
    KeepQueued,
    KeepReturned,
)
from kiosk.flows.payment import Payment
from kiosk.hospital import faults
from kiosk.hospital.contract import DayList, OutboxReply, PrintedRecord, Record, Verdict
from kiosk.records import FRESH_BLOCK, StaffMember, StoreRecords, open_records
from tests.engine.desk import HandClock
from tests.flows.people import NOW, WANG, WANG_EXPECTED, WANG_NUMBER
from tests.flows.till import PAYER_CODE

STAFF = {"01": StaffMember("张志", "3号门"), "02": StaffMember("李明", "3号门")}
PRINTED = PrintedRecord("P100", "R1", NOW)


@dataclass
class Box:
    """One terminal's folder; reopened as often as the story likes."""

    folder: Path
    clock: HandClock = field(default_factory=HandClock)
    boot: int = 1

    def __post_init__(self) -> None:
        self.records = self._open()

    def _open(self) -> StoreRecords:
        chance = Random(self.boot)
        return open_records(
            self.folder,
            STAFF,
            clock=replace(self.clock.store_clock(), boot_id=f"boot-{self.boot}"),
            zone=NOW.tzinfo,  # type: ignore[arg-type]
            random_bytes=chance.randbytes,
            chance=chance,
        )

    def reopen(self, reboot: bool = False) -> StoreRecords:
        self.records.close()
        self.boot += reboot
        self.records = self._open()
        return self.records

    def bytes_on_disk(self) -> bytes:
        return b"".join(one.read_bytes() for one in self.folder.glob("kiosk.db*"))


@pytest.fixture
def box(tmp_path: Path) -> Box:
    box = Box(tmp_path)
    box.records.set_pin("01", "4711")
    return box


def payment(**more: object) -> Payment:
    begun = Payment("K03-1", "card", 4120, "P100", "Q1", NOW, WANG_NUMBER, pad_mark="T1/41")
    return replace(begun, **more)  # type: ignore[arg-type]


# --- PINs ----------------------------------------------------------------------------------------


def test_a_right_pin_names_the_volunteer_and_the_gate(box: Box) -> None:
    right = box.records.check_pin("014711")
    assert (right.right, right.name, right.gate, right.who) == (
        True,
        "张志",
        "3号门",
        "volunteer_01",
    )


def test_five_wrong_pins_then_waits_that_double_and_outlive_a_restart(box: Box) -> None:
    """Wrong PIN: five, then a growing wait that survives a restart (A6)."""
    told = [box.records.check_pin("010000") for _ in range(5)]
    assert [one.tries_left for one in told] == [4, 3, 2, 1, 0]
    assert [one.wait_s for one in told] == [0, 0, 0, 0, 15]
    assert not box.records.check_pin("014711").right, "the right one is not looked at either"
    assert box.reopen().check_pin("014711").wait_s == 15
    assert box.reopen(reboot=True).check_pin("014711").wait_s == 15
    box.clock.pass_s(15)
    assert box.records.check_pin("010000").wait_s == 30
    box.clock.pass_s(30)
    assert box.records.check_pin("014711").right


def test_a_right_pin_forgets_the_wrong_ones(box: Box) -> None:
    for _ in range(4):
        box.records.check_pin("010000")
    assert box.records.check_pin("014711").right
    assert box.records.check_pin("010000").tries_left == 4


@pytest.mark.parametrize("pin", ["990000", "00123456789012", "0", "", "02", "xx4711", "０１4711"])
def test_guessing_numbers_of_volunteers_is_as_slow_as_guessing_pins(box: Box, pin: str) -> None:
    told = [box.records.check_pin(pin) for _ in range(5)]
    assert not any(one.right for one in told)
    assert told[-1].wait_s == 15


def test_wrong_pins_are_in_the_trail_and_no_pin_is(box: Box) -> None:
    box.records.check_pin("018888")
    box.records.close()
    assert b"8888" not in box.bytes_on_disk() and b"4711" not in box.bytes_on_disk()


def test_somebody_without_a_pin_does_not_get_in(box: Box) -> None:
    assert not box.records.check_pin("020000").right


# --- numbers -------------------------------------------------------------------------------------


def test_a_fresh_number_is_given_once_over_all_restarts(box: Box) -> None:
    """No reference and no slip's number twice, whatever was lost with the process."""
    seen: list[int] = []
    for _ in range(4):
        seen += [box.records.fresh() for _ in range(FRESH_BLOCK // 3)]
        box.reopen()
    seen += [box.records.fresh() for _ in range(FRESH_BLOCK + 5)]
    assert len(set(seen)) == len(seen)
    assert seen == sorted(seen)


# --- notes, lists, records -----------------------------------------------------------------------


def test_notes_outlive_the_process_and_are_sealed(box: Box) -> None:
    box.records.commit([KeepNote("hold:K1", "K1"), KeepNote("waiting", WANG.name)], "s1")
    assert box.reopen().notes("hold:") == {"hold:K1": "K1"}
    assert box.records.notes("waiting") == {"waiting": WANG.name}
    box.records.commit([DropNote("hold:K1"), DropNote("hold:never")], "s1")
    assert box.reopen().notes("hold:") == {}
    assert WANG.name.encode() not in box.bytes_on_disk()


def test_todays_people_are_found_until_midnight_and_sealed(box: Box) -> None:
    """T7: check-in goes on from the cached list; sealed at rest, gone at midnight."""
    until = NOW + timedelta(hours=1)
    box.records.keep_day_list(DayList(NOW.date(), (WANG_EXPECTED,), ()), until)
    assert box.reopen().find_offline(WANG_NUMBER) == WANG_EXPECTED
    assert box.records.find_offline("110105194912310021") is None
    assert WANG_NUMBER.encode() not in box.bytes_on_disk()
    box.clock.pass_s(3601)
    assert box.records.find_offline(WANG_NUMBER) is None


def test_a_new_list_takes_the_place_of_the_old_one(box: Box) -> None:
    until = NOW + timedelta(hours=1)
    box.records.keep_day_list(DayList(NOW.date(), (WANG_EXPECTED,), ()), until)
    box.records.keep_day_list(DayList(NOW.date(), (), ()), until)
    assert box.records.find_offline(WANG_NUMBER) is None


def test_a_commit_is_whole_or_not_at_all(box: Box) -> None:
    """One transaction a step: what follows a bug is not there, nor what went before it."""
    keeps = [KeepNote("hold:K1", "K1"), KeepMove("K03-NEVER", "SENT")]
    with pytest.raises(AssertionError):
        box.records.commit(keeps, "s1")
    assert box.records.notes("hold:") == {}


def test_a_record_waits_is_sent_and_keeps_its_key(box: Box) -> None:
    box.records.commit([KeepQueued("printed", "K-1", WANG_NUMBER, PRINTED)], "s1")
    assert box.reopen().waiting() == 1
    sent: list[Record] = []

    def send(records: object) -> OutboxReply:
        sent.extend(records)  # type: ignore[arg-type]
        verdicts = tuple(Verdict(one.key, "accepted") for one in sent)
        return OutboxReply(verdicts, sent[-1].sequence)

    box.records.send_round(send)
    assert [(one.key, one.kind) for one in sent] == [("K-1", "printed")]
    assert box.records.waiting() == 0


@pytest.mark.parametrize(
    "fault",
    [
        faults.HospitalUnreachable("x"),
        faults.HospitalOutcomeUnknown("x"),
        faults.HospitalAnsweredBadly("x"),
        faults.HospitalRefused(401, "token"),
        faults.HospitalRefused(404, "x"),
        faults.HospitalRefused(500, "x"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_no_fault_of_the_far_side_deletes_a_record(box: Box, fault: Exception) -> None:
    """M12: nothing is deleted because a server said 4xx."""
    box.records.commit([KeepQueued("printed", "K-1", WANG_NUMBER, PRINTED)], "s1")

    def send(records: object) -> OutboxReply:
        raise fault

    assert box.records.send_round(send) > 0
    assert box.records.waiting() == 1


# --- payments ------------------------------------------------------------------------------------


def test_an_open_payment_comes_back_as_it_was_begun_in_the_state_it_reached(box: Box) -> None:
    moves = [KeepMove("K03-1", "SENT"), KeepMove("K03-1", "PAID", "trace 7")]
    box.records.commit([KeepPayment(payment()), *moves, KeepMove("K03-1", "BOOKING")], "s1")
    [found] = box.reopen().open_payments()
    assert found == payment(at="BOOKING", evidence="trace 7")


@pytest.mark.parametrize(
    ("method", "completed"), [("card", False), ("payer_code", True), ("shown_code", True)]
)
def test_only_a_pad_may_still_hold_the_money_after_a_restart(
    box: Box, method: str, completed: bool
) -> None:
    keeps = [KeepPayment(payment(method=method)), KeepMove("K03-1", "SENT")]
    box.records.commit(keeps, "s1")
    [found] = box.reopen().open_payments()
    assert found.completed is completed


def test_what_the_pad_gave_back_unasked_is_known_after_a_restart(box: Box) -> None:
    moves = [KeepMove("K03-1", "SENT"), KeepMove("K03-1", "PAID", "trace 7")]
    box.records.commit([KeepPayment(payment()), *moves, KeepMove("K03-1", "BOOKING")], "s1")
    box.records.commit([KeepReturned("K03-1")], "s1")
    [found] = box.reopen().open_payments()
    assert found == payment(at="BOOKING", evidence="trace 7", returned=True)


def test_a_payment_that_has_ended_is_open_no_more(box: Box) -> None:
    moves = [KeepMove("K03-1", "SENT"), KeepMove("K03-1", "DECLINED")]
    box.records.commit([KeepPayment(payment()), *moves], "s1")
    assert box.reopen().open_payments() == ()


def test_one_reference_one_attempt(box: Box) -> None:
    box.records.commit([KeepPayment(payment()), KeepMove("K03-1", "SENT")], "s1")
    with pytest.raises(AssertionError, match="used wrongly"):
        box.records.commit([KeepPayment(payment())], "s1")
    assert len(box.records.open_payments()) == 1


def test_nothing_personal_of_a_payment_is_readable_on_disk(box: Box) -> None:
    """Row 114."""
    box.records.commit([KeepPayment(payment()), KeepMove("K03-1", "SENT", "trace 7")], "s1")
    box.records.close()
    on_disk = box.bytes_on_disk()
    for mark in (WANG_NUMBER, WANG.name, PAYER_CODE):
        assert mark.encode() not in on_disk


# --- the trail -----------------------------------------------------------------------------------


def test_a_person_can_list_what_was_done_in_their_name(box: Box) -> None:
    """Row 112: found by slip, by reference and by person."""
    done = (("disposition", "done"),)
    slip = KeepAudit("sent_to_window", WANG_NUMBER, "8K42", fields=(("cause", "pay"),))
    box.records.commit([KeepAudit("session_begun"), slip], "s1")
    box.records.commit([KeepAudit("session_ended", fields=done)], "s1")
    chain = ["session_begun", "sent_to_window", "session_ended"]
    assert [event.event for event in box.reopen().find("8K42")] == chain
    lines = box.records.trail(WANG_NUMBER)
    assert [line.event for line in lines] == chain
    assert (lines[1].at, lines[1].detail) == (NOW, "8K42")
    assert box.records.trail("110105194912310021") == ()
