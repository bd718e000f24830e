"""Each registration that was begun comes to one end in the trail, whoever closed it."""

from __future__ import annotations

from typing import Any

from kiosk.hospital.contract import (
    Charge,
    CloseOrder,
    QueryCharge,
    Settle,
    Settled,
    SettleRefused,
)
from tests.engine.desk import Desk
from tests.engine.test_restarts import holding, paying


def ends(desk: Desk) -> list[tuple[str, str]]:
    """Lock and disposition of every end."""
    kept: list[Any] = [one for one in desk.keeps() if hasattr(one, "event")]
    ended = [one for one in kept if one.event == "registration_ended"]
    return [(one.reference, dict(one.fields)["disposition"]) for one in ended]


def paid(desk: Desk) -> str:
    """The phone has paid; the reference."""
    desk.pass_s(2)
    reference: str = desk.asked(QueryCharge).request.reference
    desk.answer(QueryCharge, Charge(reference, "paid", 500))
    return reference


def closed(desk: Desk) -> None:
    reference = desk.asked(CloseOrder).request.reference
    desk.answer(CloseOrder, Charge(reference, "closed"))


def test_a_registration_that_is_paid_ends_as_done(desk: Desk) -> None:
    """Row 111: who, what, when, from the choice of the hour to the booking."""
    key = paying(desk)
    desk.answer(Settle, Settled(paid(desk), "R1")).touch("end")
    assert ends(desk) == [(key, "done")]
    assert desk.events().count("registration_begun") == 1


def test_leaving_the_bill_unpaid_ends_it_as_cancelled(desk: Desk) -> None:
    key = paying(desk)
    desk.touch("quit")
    closed(desk)
    assert ends(desk) == [(key, "cancelled")]


def test_a_session_that_ran_out_at_the_bill_ends_it_as_cancelled(desk: Desk) -> None:
    key = paying(desk)
    desk.pass_s(155, 1.0)
    closed(desk)
    assert ends(desk) == [(key, "cancelled")]


def test_a_lock_that_was_found_after_a_crash_ends_as_failed(desk: Desk) -> None:
    key = holding(desk)
    desk.restart()
    desk.restart()
    assert ends(desk) == [(key, "failed")]


def test_a_payment_that_settles_after_a_crash_ends_it_as_done(desk: Desk) -> None:
    key = paying(desk)
    desk.restart()
    reference = desk.asked(CloseOrder).request.reference
    desk.answer(CloseOrder, Charge(reference, "paid", 500)).answer(Settle, Settled(reference, "R1"))
    assert ends(desk) == [(key, "done")]


def test_a_number_that_the_hospital_would_not_book_ends_once(desk: Desk) -> None:
    key = paying(desk)
    reference = paid(desk)
    desk.answer(Settle, SettleRefused(reference, "hold_ended"))
    desk.pass_s(120, 1.0)
    assert len(ends(desk)) <= 1
    assert all(lock == key and how != "done" for lock, how in ends(desk))
