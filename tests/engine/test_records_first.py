"""What is durable before what: records, then orders; one transaction a step."""

from __future__ import annotations

from typing import Any

from kiosk.flows.effects import (
    ChargePad,
    CompletePad,
    KeepMove,
    KeepNote,
    KeepPayment,
    PrintSlip,
    ReleasePad,
)
from kiosk.flows.events import PadApproved
from kiosk.hospital.contract import AskSlots, HoldSlot, OpenOrder, Settle, SettleRefused, SlotList
from kiosk.ports import AskHospital
from tests.engine.desk import Committed, Desk
from tests.flows.people import NOTHING, SLOTS

MONEY = (ChargePad, CompletePad, ReleasePad)


def at(log: list[Any], wanted: Any) -> int:
    return next(number for number, one in enumerate(log) if wanted(one))


def commits_with(kind: type) -> Any:
    return lambda one: isinstance(one, Committed) and any(isinstance(k, kind) for k in one.keeps)


def asks(kind: type) -> Any:
    return lambda one: isinstance(one, AskHospital) and isinstance(one.request, kind)


def test_intent_and_sending_are_durable_before_the_first_word(desk: Desk) -> None:
    desk.bill()
    assert at(desk.log, commits_with(KeepPayment)) < at(desk.log, asks(OpenOrder))


def test_the_pad_hears_of_a_charge_only_after_its_reference_is_on_disk(desk: Desk) -> None:
    reference = desk.at_pad()
    charge = at(desk.log, lambda one: isinstance(one, ChargePad))
    before = [k for one in desk.log[:charge] if isinstance(one, Committed) for k in one.keeps]
    sent = [k.reference for k in before if isinstance(k, KeepMove) and k.state == "SENT"]
    assert sent[-1] == reference


def test_intent_and_sent_are_one_transaction_and_paid_and_booking_another(desk: Desk) -> None:
    reference = desk.at_pad()
    desk.settle(reference)
    states = [
        [k.state for k in one.keeps if isinstance(k, KeepMove) and k.reference == reference]
        for one in desk.log
        if isinstance(one, Committed)
    ]
    assert [found for found in states if found] == [["SENT"], ["PAID", "BOOKING"], ["SETTLED"]]


def test_every_order_that_moves_money_follows_a_commit_of_its_step(desk: Desk) -> None:
    reference = desk.at_pad()
    desk.tell(PadApproved(reference, 4120, "trace 7"))
    desk.answer(Settle, SettleRefused(reference, "already_paid"))
    for number, one in enumerate(desk.log):
        if isinstance(one, MONEY):
            assert isinstance(desk.log[number - 1], Committed), type(one).__name__


def test_a_slip_is_noted_before_it_is_printed(desk: Desk) -> None:
    desk.settle(desk.at_pad())
    printed = at(desk.log, lambda one: isinstance(one, PrintSlip))
    begun = at(
        desk.log,
        lambda one: (
            isinstance(one, Committed)
            and any(getattr(k, "event", "") == "print_begun" for k in one.keeps)
        ),
    )
    assert begun < printed


def test_a_hold_is_noted_before_the_hospital_is_asked_for_it(desk: Desk) -> None:
    desk.lay(today=NOTHING).touch("tile:register").departments().touch("department:D1")
    desk.answer(AskSlots, SlotList(SLOTS)).touch("slot:S9")
    assert at(desk.log, commits_with(KeepNote)) < at(desk.log, asks(HoldSlot))
