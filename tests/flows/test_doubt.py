"""A payment asked about for long: who is told, what is closed meanwhile, and what stays open."""

from __future__ import annotations

from typing import Any

import pytest

from kiosk.flows.payment import DELAYS_S, closed_ways, pending
from tests.flows import payments as p
from tests.flows.payments import Told, attempt, failed, woke

DOUBTS = {
    "the pad is mute": ("card", (p.SILENT, p.UNREACHABLE), "UNKNOWN"),
    "the hospital is mute": ("card", (p.APPROVED, p.LOST), "HIS_UNKNOWN"),
    "the release is not answered": ("card", (p.APPROVED, p.REFUSED, p.SILENT), "REVERSING"),
    "the provider is mute": ("payer_code", (failed("charge"),), "UNKNOWN"),
}


@pytest.mark.parametrize("name", DOUBTS)
def test_a_long_doubt_is_told_to_finance_once_and_changes_nothing_else(name: str) -> None:
    method, events, at = DOUBTS[name]
    told = Told.begin(attempt(method)).tell(*events)
    assert told.waits()["doubt"] == DELAYS_S["doubt"] >= 300
    orders, moves = list(told.orders), list(told.moves)
    told.tell(woke("doubt"), woke("doubt"))
    assert (told.payment.at, told.payment.in_doubt) == (at, True)
    assert (told.orders, told.moves) == (orders, moves), "told, not acted on"
    [record] = told.queued
    assert (record.key, record.body.state) == (f"{p.REF}-doubt", at)
    assert told.evidence == ["in_doubt"]


def test_while_a_person_may_still_pay_nothing_is_in_doubt() -> None:
    told = Told.begin(attempt("shown_code")).tell(p.OPENED)
    assert "doubt" not in told.waits()


def test_after_a_restart_a_doubt_that_was_told_is_not_told_again() -> None:
    again = Told.recover(attempt("card", at="UNKNOWN", in_doubt=True))
    assert "doubt" not in again.waits() and again.tell(woke("doubt")).queued == []
    first = Told.recover(attempt("card", at="UNKNOWN"))
    assert first.waits()["doubt"] == DELAYS_S["doubt"]


# --- what is closed meanwhile


def doubtful(method: Any, **more: Any) -> Any:
    return attempt(method, at="UNKNOWN", in_doubt=True, **more)


@pytest.mark.parametrize(
    ("payments", "closed"),
    [
        ((), ""),
        ((attempt("card", at="SETTLED"),), ""),
        ((attempt("card", at="UNKNOWN"),), "cash codes nothing pad"),
        ((attempt("shown_code", at="SENT"),), "cash codes nothing pad"),
        ((doubtful("card"),), "pad"),
        ((doubtful("cash"),), "cash"),
        ((doubtful("payer_code"),), "codes"),
        ((doubtful("shown_code"), doubtful("card")), "codes pad"),
        ((doubtful("card"), attempt("shown_code", at="SENT")), "cash codes nothing pad"),
        ((doubtful("shown_code", amount_fen=0),), ""),
        ((attempt("shown_code", amount_fen=0, at="HIS_UNKNOWN"),), "cash codes nothing pad"),
    ],
)
def test_one_in_doubt_for_long_closes_its_own_way_alone(payments: Any, closed: str) -> None:
    """RELIABILITY §2.1 and decision 013: never two open on one way; the other way goes on."""
    assert " ".join(sorted(closed_ways(payments))) == closed


def test_who_is_in_doubt_pays_nowhere_and_others_elsewhere() -> None:
    assert pending((doubtful("card"),), "P100"), "the same person must not pay twice"
    assert not pending((doubtful("card"),), "P200")
    assert pending((attempt("card", at="UNKNOWN"),), "P200"), "not for long yet"
    assert pending((doubtful("card"), doubtful("payer_code")), "P200"), "no way is left"
