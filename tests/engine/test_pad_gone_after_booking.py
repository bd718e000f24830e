"""The hospital has booked, and the pad is unplugged before it is told to keep the money."""

from __future__ import annotations

from kiosk.flows.effects import PrintSlip
from kiosk.flows.events import PadApproved, PadCompleted, PadRecalled, PadSilent, PadUnreachable
from kiosk.hospital.contract import Settle, Settled
from kiosk.ports import DeviceStood
from kiosk.views import Attract, PaymentResult
from tests.engine.desk import Desk

FEN = 4120


def booked_and_mute(desk: Desk) -> str:
    reference = desk.at_pad()
    desk.tell(PadApproved(reference, FEN, "trace 7"))
    desk.answer(Settle, Settled(reference, "R1"))
    desk.tell(PadSilent(reference), DeviceStood("pad", False, "pad_lost"))
    return reference


def test_the_page_says_that_it_is_checked_prints_that_and_makes_room_for_the_next(
    desk: Desk,
) -> None:
    """Rows 61 and 63. For as long as the pad was away, "booking" stood there without a way out."""
    reference = booked_and_mute(desk)
    assert isinstance(desk.page, PaymentResult) and desk.page.result == "checking"
    for _ in range(3):
        desk.pass_s(30).tell(PadUnreachable(reference))
    assert desk.last(PrintSlip).slip.result == "checking"
    assert isinstance(desk.page, Attract)
    assert desk.engine.status()["open_payments"] == [reference], "it is asked about all the same"


def test_the_pad_that_comes_back_is_asked_told_to_keep_it_and_the_page_says_paid(
    desk: Desk,
) -> None:
    reference = booked_and_mute(desk)
    desk.pass_s(2.5).tell(PadRecalled(reference, "held", FEN, "trace 7"))
    desk.tell(PadCompleted(reference))
    assert desk.page.result == "settled" and desk.engine.status()["open_payments"] == []
    assert desk.requests().count("Settle") == 1


def test_a_start_in_between_asks_the_pad_first_and_books_under_the_same_reference(
    desk: Desk,
) -> None:
    reference = booked_and_mute(desk)
    desk.restart()
    desk.tell(PadRecalled(reference, "held", FEN, "trace 7"))
    desk.answer(Settle, Settled(reference, "R1")).tell(PadCompleted(reference))
    assert desk.engine.status()["open_payments"] == []
    assert desk.records.payment_state(reference) == "SETTLED"
