"""The drill `crash` small enough for every day, and that its judge can fail."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from kiosk.flows.payment import Payment
from tests.crash.judge import Attempt, Books, judge
from tests.crash.labels import expected, uncovered
from tests.drills import crash
from tests.flows.people import NOW


def test_a_terminal_killed_anywhere_ends_as_the_three_books_say(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """P1: no double charge, no lost payment, nothing booked unpaid, every payment ends."""
    code = crash.main(["--points", "40", "--json"])
    told = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert code == 0 and told["points"] == 40
    assert told["killed_again"] > 10 and told["strayed"] == 0


def test_a_label_that_nobody_was_killed_at_is_named() -> None:
    killed = {*expected()} - {"pad RecallPad send: half"}
    assert "pad RecallPad send: half" in uncovered((), killed)
    assert "durable SETTLED: after" in uncovered((), killed)
    assert "hospital settle connect: before" in uncovered(
        {"hospital settle connect: before"}, killed
    )


# --- the judge itself ----------------------------------------------------------------------------

BEGUN = Payment("R1", "card", 4120, "P100", "Q1", NOW)
SETTLED = Attempt("R1", BEGUN, "SETTLED", told=True)
TAKEN = {"amount_fen": 4120, "fate": "completed", "at": "2026-11-22T08:42:05", "why": ""}
BOOKED = {"booked": {"R1": 4120}, "refused": [], "quotes": {"Q1": "B1"}, "broken": []}
NOT_BOOKED = {**BOOKED, "booked": {}}


def ruled(attempt: Attempt, pad: list[dict[str, Any]], hospital: dict[str, Any]) -> Counter[str]:
    provider: dict[str, Any] = {"orders": {}, "standing": {}, "broken": []}
    return judge([attempt], Books(pad, provider, hospital)).broken


def test_books_that_agree_break_no_promise() -> None:
    assert not ruled(SETTLED, [TAKEN], BOOKED)


@pytest.mark.parametrize(
    ("promise", "state", "pad", "hospital"),
    [
        ("double_charges", "SETTLED", [TAKEN, TAKEN], BOOKED),
        ("lost_payments", "DECLINED", [TAKEN], NOT_BOOKED),
        ("lost_payments", "REVERSED", [TAKEN], NOT_BOOKED),
        ("booked_unpaid", "SETTLED", [], BOOKED),
        ("booked_unpaid", "SETTLED", [{**TAKEN, "fate": "reversed"}], BOOKED),
        ("unresolved", "HIS_UNKNOWN", [], NOT_BOOKED),
        ("unresolved", "SETTLED", [{**TAKEN, "fate": "held"}], BOOKED),
        ("unresolved", "MANUAL", [TAKEN], BOOKED),
        ("unresolved", "REFUND_DUE", [], NOT_BOOKED),
        (
            "unresolved",
            "REVERSED",
            [{**TAKEN, "fate": "reversed", "why": "not issued"}],
            NOT_BOOKED,
        ),
    ],
)
def test_books_that_contradict_each_other_break_the_promise(
    promise: str, state: str, pad: list[dict[str, Any]], hospital: dict[str, Any]
) -> None:
    assert ruled(replace(SETTLED, state=state), pad, hospital)[promise]


def test_an_end_that_finance_was_not_told_of_is_unresolved() -> None:
    assert ruled(replace(SETTLED, told=False), [TAKEN], BOOKED)["unresolved"]


def test_a_charge_of_no_attempt_is_a_lost_payment() -> None:
    early = {**TAKEN, "at": "2026-11-22T08:00:00"}
    assert ruled(SETTLED, [early, TAKEN], BOOKED)["lost_payments"]
