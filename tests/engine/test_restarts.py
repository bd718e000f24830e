"""Killed at any moment: what a new start does about payments, locked numbers and paper."""

from __future__ import annotations

from typing import Any

import pytest

from kiosk.flows.effects import ChargePad, CompletePad, PrintSlip, RecallPad
from kiosk.flows.events import (
    PadApproved,
    PadCompleted,
    PadRecalled,
    PadSilent,
    SlipFailed,
    SlipPrinted,
)
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
    ReleaseHold,
    Settle,
    Settled,
    SettleRefused,
    SlotList,
)
from kiosk.ports import AskHospital, PadLooked, TellHospital
from kiosk.views import Attract, Problem
from tests.engine.desk import Committed, Desk
from tests.flows.people import LI, LI_CARD, NOTHING, SLOTS, WANG, hold
from tests.flows.people import quote as fee
from tests.flows.till import quote


def asked(log: list[Any]) -> list[str]:
    """What a new start asks of pad and hospital."""
    questions = [one.request for one in log if isinstance(one, AskHospital)]
    orders = [one for one in log if isinstance(one, ChargePad | RecallPad | CompletePad)]
    names = [type(one).__name__ for one in (*orders, *questions)]
    return [name for name in names if name != "AskDepartments"]


def released(log: list[Any]) -> list[str]:
    """Numbers that were unlocked."""
    tells = [one.request for one in log if isinstance(one, TellHospital)]
    return [tell.hold_key for tell in tells if isinstance(tell, ReleaseHold)]


# --- payments ------------------------------------------------------------------------------------


def before_the_pad_answers(desk: Desk) -> str:
    return desk.at_pad()


def while_the_hospital_books(desk: Desk) -> str:
    reference = desk.at_pad()
    desk.tell(PadApproved(reference, 4120, "trace 7"))
    return reference


def after_booking_before_completion(desk: Desk) -> str:
    reference = while_the_hospital_books(desk)
    desk.answer(Settle, Settled(reference, "R1"))
    return reference


def while_it_is_given_back(desk: Desk) -> str:
    reference = while_the_hospital_books(desk)
    desk.answer(Settle, SettleRefused(reference, "already_paid"))
    return reference


def in_doubt(desk: Desk) -> str:
    reference = desk.at_pad()
    desk.tell(PadSilent(reference))
    return reference


KILLED = (
    before_the_pad_answers,
    while_the_hospital_books,
    after_booking_before_completion,
    while_it_is_given_back,
    in_doubt,
)


@pytest.mark.parametrize("killed", KILLED, ids=lambda killed: killed.__name__)
def test_a_card_payment_is_settled_by_asking_the_pad(desk: Desk, killed: Any) -> None:
    """Never by charging again: the first thing a new start says to the pad is a question."""
    desk.tell(PadLooked("T1/41"))
    reference = killed(desk)
    new = desk.restart()
    assert asked(new) == ["RecallPad"]
    recall = next(one for one in new if isinstance(one, RecallPad))
    assert (recall.reference, recall.amount_fen, recall.mark) == (reference, 4120, "T1/41")


def test_killed_twice_asks_twice_and_charges_never_again(desk: Desk) -> None:
    reference = desk.at_pad()
    desk.restart()
    new = desk.restart()
    assert asked(new) == ["RecallPad"]
    desk.tell(PadRecalled(reference, "completed", 4120, "trace 7"))
    desk.restart()
    desk.tell(PadRecalled(reference, "completed", 4120, "trace 7"))
    desk.answer(Settle, Settled(reference, "R1"))
    assert len(desk.orders(ChargePad)) == 1
    assert desk.engine.status()["open_payments"] == []


def test_a_shown_code_is_closed_at_start_and_booked_if_it_was_paid(desk: Desk) -> None:
    desk.bill()
    assert asked(desk.restart()) == ["CloseOrder"]
    reference = desk.asked(CloseOrder).request.reference
    desk.answer(CloseOrder, Charge(reference, "paid", 4120)).answer(
        Settle, Settled(reference, "R1")
    )
    assert desk.engine.status()["open_payments"] == []


def test_the_booking_after_a_restart_names_the_same_person_quote_and_evidence(desk: Desk) -> None:
    reference = while_the_hospital_books(desk)
    first = desk.asked(Settle).request
    desk.restart()
    desk.tell(PadRecalled(reference, "held", 4120, "trace 7"))
    assert desk.asked(Settle).request == first


def test_a_payment_in_doubt_after_a_restart_lets_nobody_else_pay(desk: Desk) -> None:
    in_doubt(desk)
    desk.restart()
    desk.lay().touch("task:pay")
    assert isinstance(desk.page, Problem) and desk.page.code == "payment_pending"


def test_a_payment_that_has_ended_is_not_asked_about(desk: Desk) -> None:
    desk.settle(desk.at_pad())
    assert asked(desk.restart()) == []


def test_money_that_is_owed_stays_with_finance_and_blocks_nobody(desk: Desk) -> None:
    reference = while_it_is_given_back(desk)
    desk.tell(PadCompleted(reference))
    assert asked(desk.restart()) == []
    desk.lay().touch("task:pay").answer(PreSettle, Quoted(quote()))
    assert desk.asked(OpenOrder)


def test_a_pad_that_speaks_of_a_payment_of_long_ago_leaves_evidence(desk: Desk) -> None:
    desk.tell(PadApproved("K03-260101-OLD", 4120, "trace 7"))
    kept = [keep for keep in desk.keeps() if getattr(keep, "event", "") == "payment_evidence"]
    assert [keep.reference for keep in kept] == ["K03-260101-OLD"]  # type: ignore[union-attr]
    assert desk.engine.status()["payments"] == {}


# --- locked numbers ------------------------------------------------------------------------------


def holding(desk: Desk) -> str:
    """Wang has locked nine o'clock; the lock's key."""
    desk.lay(today=NOTHING).touch("tile:register").departments().touch("department:D1")
    desk.answer(AskSlots, SlotList(SLOTS)).touch("slot:S9")
    key: str = desk.asked(HoldSlot).request.key
    desk.answer(HoldSlot, Held(hold(SLOTS[0], minutes=30))).answer(PreSettle, Quoted(fee()))
    return key


def paying(desk: Desk) -> str:
    key = holding(desk)
    desk.touch("confirm").answer(OpenOrder, OrderOpened("https://pay.demo.invalid/o/1"))
    return key


def test_a_number_locked_before_a_crash_is_unlocked_at_start(desk: Desk) -> None:
    """DESIGN §5: unlocked on leaving, on time-out and after a crash."""
    key = holding(desk)
    assert released(desk.restart()) == [key]
    assert released(desk.restart()) == [], "once is enough"


def test_the_number_of_an_open_payment_is_kept_until_that_has_ended(desk: Desk) -> None:
    key = paying(desk)
    new = desk.restart()
    assert released(new) == []
    reference = desk.asked(CloseOrder).request.reference
    desk.answer(CloseOrder, Charge(reference, "closed"))
    assert released(desk.log) == [key]


def test_the_number_of_a_payment_that_settles_after_a_restart_stays_booked(desk: Desk) -> None:
    paying(desk)
    desk.restart()
    reference = desk.asked(CloseOrder).request.reference
    desk.answer(CloseOrder, Charge(reference, "paid", 500)).answer(Settle, Settled(reference, "R1"))
    assert released(desk.log) == [] and desk.records.notes("hold:") == {}


def test_a_number_is_unlocked_when_time_runs_out_at_the_bill(desk: Desk) -> None:
    key = paying(desk)
    desk.pass_s(155, 1.0)
    assert isinstance(desk.page, Attract)
    reference = desk.asked(CloseOrder).request.reference
    desk.answer(CloseOrder, Charge(reference, "closed"))
    assert released(desk.log) == [key] and desk.records.notes("hold:") == {}


def test_a_number_is_unlocked_when_the_session_ends_on_the_page_above(desk: Desk) -> None:
    """The hand-over slip ends the session; what lay under it unlocks its number."""
    key = holding(desk)
    desk.touch("window").pass_s(60, 1.0)
    assert isinstance(desk.page, Attract)
    assert released(desk.log) == [key]


def test_a_paid_number_is_noted_as_such_in_the_very_step_that_settles(desk: Desk) -> None:
    paying(desk)
    desk.pass_s(2)
    reference = desk.asked(QueryCharge).request.reference
    desk.answer(QueryCharge, Charge(reference, "paid", 500))
    desk.answer(Settle, Settled(reference, "R1"))
    settled = next(
        one.keeps
        for one in desk.log
        if isinstance(one, Committed)
        and any(getattr(keep, "state", "") == "SETTLED" for keep in one.keeps)
    )
    assert any(type(keep).__name__ == "DropNote" for keep in settled)


# --- paper ---------------------------------------------------------------------------------------


def unprinted(desk: Desk, maybe: bool) -> PrintSlip:
    reference = desk.at_pad()
    desk.tell(PadApproved(reference, 4120, "trace 7"))
    desk.answer(Settle, Settled(reference, "R1")).tell(PadCompleted(reference))
    slip: PrintSlip = desk.last(PrintSlip)
    desk.printer(False).tell(SlipFailed(slip.job, "no_receipt_paper", maybe=maybe))
    return slip


@pytest.mark.parametrize("maybe", [True, False])
def test_a_slip_that_failed_is_printed_when_the_printer_is_well_again(
    desk: Desk, maybe: bool
) -> None:
    """P8: no silent loss; marked 补打 when the paper may hold it already."""
    slip = unprinted(desk, maybe)
    assert desk.page.slip == "failed"
    desk.printer(True)
    again = desk.last(PrintSlip)
    assert (again.job, again.slip, again.copy) == (slip.job, slip.slip, maybe)
    desk.tell(SlipPrinted(slip.job))
    assert desk.page.slip == "printed"
    desk.printer(False).printer(True)
    assert len(desk.orders(PrintSlip)) == 2, "printed once is enough"


def test_a_slip_that_fails_twice_is_tried_a_third_time_and_stays_a_copy(desk: Desk) -> None:
    slip = unprinted(desk, maybe=True)
    desk.printer(True).printer(False).tell(SlipFailed(slip.job, "printer_jam")).printer(True)
    assert len(desk.orders(PrintSlip)) == 3 and desk.last(PrintSlip).copy


def test_a_slip_is_not_printed_for_the_next_person(desk: Desk) -> None:
    unprinted(desk, maybe=True)
    desk.touch("end").printer(True)
    assert len(desk.orders(PrintSlip)) == 1


def test_each_print_job_is_begun_and_ended_in_the_audit(desk: Desk) -> None:
    """Row 111; P8: a reprint is logged."""
    slip = unprinted(desk, maybe=True)
    desk.printer(True).tell(SlipPrinted(slip.job))
    printing = [keep for keep in desk.keeps() if getattr(keep, "event", "").startswith("print_")]
    told = [(keep.event, dict(keep.fields).get("disposition")) for keep in printing]  # type: ignore[union-attr]
    assert told == [
        ("print_begun", None),
        ("print_ended", "unknown"),
        ("print_begun", None),
        ("print_ended", "done"),
    ]


def test_a_payment_is_found_by_its_slip_and_by_its_reference(desk: Desk) -> None:
    """Row 112: `kiosk audit find SLIP`; a patient's own trail."""
    reference = desk.at_pad()
    desk.settle(reference)
    slip = desk.last(PrintSlip).slip.number
    moves = [e for e in desk.records.find(reference) if e.event == "payment_moved"]
    assert [dict(e.facts)["state"] for e in moves] == ["sent", "paid", "booking", "settled"]
    assert "print_begun" in [event.event for event in desk.records.find(slip)]
    assert "payment_opened" in [line.event for line in desk.records.trail(WANG.number)]


# --- one payment in doubt, many people -----------------------------------------------------------


def by_phone(desk: Desk) -> str:
    """Somebody pays with the code on the screen; the reference."""
    reference: str = desk.asked(OpenOrder).request.reference
    desk.answer(OpenOrder, OrderOpened("https://pay.demo.invalid/o/2")).pass_s(2.5)
    desk.answer(QueryCharge, Charge(reference, "paid", 4120, "4200", "2026-11-22"))
    desk.answer(Settle, Settled(reference, "R2"))
    return reference


def li_at_the_bill(desk: Desk) -> Desk:
    desk.lay(LI_CARD, LI).touch("task:pay")
    return desk


def test_after_minutes_of_silence_others_pay_by_phone_while_the_pad_stays_closed(
    desk: Desk,
) -> None:
    """Decision 013: staff see it at the terminal and at the gateway; nobody is charged twice."""
    doubtful = in_doubt(desk)
    desk.touch("end").pass_s(60)
    li_at_the_bill(desk)
    assert desk.page.code == "payment_pending", "one open payment a terminal, for some minutes"
    desk.touch("end").pass_s(300, step_s=5)
    assert desk.engine.status()["in_doubt"] == [doubtful]
    assert f"{doubtful}-doubt" in desk.records.sending.waiting_keys()
    li_at_the_bill(desk).answer(PreSettle, Quoted(quote()))
    assert not desk.page.card
    paid = by_phone(desk)
    assert desk.page.result == "settled"
    assert len(desk.orders(ChargePad)) == 1, "the pad has been armed once, by the one in doubt"
    assert desk.engine.status()["open_payments"] == [doubtful]
    assert f"{paid}-SETTLED" in desk.records.sending.waiting_keys()


def test_who_is_in_doubt_does_not_pay_again_by_phone(desk: Desk) -> None:
    in_doubt(desk)
    desk.touch("end").pass_s(400, step_s=5)
    desk.lay().touch("task:pay")
    assert desk.page.code == "payment_pending"


def test_a_doubt_that_was_told_is_known_after_a_restart_and_ends_like_any_other(
    desk: Desk,
) -> None:
    reference = in_doubt(desk)
    desk.touch("end").pass_s(400, step_s=5)
    desk.restart()
    assert desk.engine.status()["in_doubt"] == [reference]
    desk.pass_s(400, step_s=5)
    desk.tell(PadRecalled(reference, "none"))
    assert desk.engine.status()["open_payments"] == desk.engine.status()["in_doubt"] == []
    assert f"{reference}-DECLINED" in desk.records.sending.waiting_keys()
    li_at_the_bill(desk).answer(PreSettle, Quoted(quote()))
    assert desk.page.card, "the pad's way is open again"
