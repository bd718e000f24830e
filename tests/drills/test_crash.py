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


def test_cash_and_pads_of_one_phase_have_steps_that_must_be_killed_at() -> None:
    every = expected()
    assert {"cash StackNote send: half", "cash RecallCash receive: after"} <= every
    assert {"pad mispos ReleasePad send: half", "pad unionpay RecallPad send: after"} <= every
    killed = {*every, "durable note kept+PAID+BOOKING: before"}
    assert "durable note to the box: before" in uncovered((), killed)
    assert "durable note kept: before" not in uncovered((), killed)


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


IN_NOTES = replace(SETTLED, begun=replace(BEGUN, method="cash", amount_fen=4100), taken_fen=4100)
NOTE = {"at": "2026-11-22T08:42:05+08:00", "fen": 4100, "fate": "stacked"}
PAID_IN_NOTES = {**BOOKED, "booked": {"R1": 4100}}


def ruled_notes(
    attempt: Attempt, notes: list[dict[str, Any]], hospital: dict[str, Any]
) -> Counter[str]:
    provider: dict[str, Any] = {"orders": {}, "standing": {}, "broken": []}
    return judge([attempt], Books([], provider, hospital, notes)).broken


def test_notes_that_box_and_journal_agree_on_break_no_promise() -> None:
    assert not ruled_notes(IN_NOTES, [NOTE], PAID_IN_NOTES)
    back = replace(IN_NOTES, state="DECLINED", taken_fen=0)
    assert not ruled_notes(back, [{**NOTE, "fate": "returned"}], NOT_BOOKED)
    stuck = replace(IN_NOTES, state="MANUAL", taken_fen=0)
    assert not ruled_notes(stuck, [{**NOTE, "fate": "stuck"}], NOT_BOOKED)


@pytest.mark.parametrize(
    ("promise", "state", "taken_fen", "fate", "hospital"),
    [
        ("lost_payments", "DECLINED", 0, "stacked", NOT_BOOKED),
        ("lost_payments", "REFUND_DUE", 0, "stacked", NOT_BOOKED),
        ("lost_payments", "DECLINED", 0, "stuck", NOT_BOOKED),
        ("booked_unpaid", "SETTLED", 4100, "returned", PAID_IN_NOTES),
        ("booked_unpaid", "REFUND_DUE", 4100, "returned", NOT_BOOKED),
        ("unresolved", "DECLINED", 0, "held", NOT_BOOKED),
        ("unresolved", "MANUAL", 0, "returned", NOT_BOOKED),
    ],
)
def test_a_note_in_one_book_only_or_in_both_ways_breaks_the_promise(
    promise: str, state: str, taken_fen: int, fate: str, hospital: dict[str, Any]
) -> None:
    """Money in escrow at the kill goes back or is booked: never both, never neither."""
    attempt = replace(IN_NOTES, state=state, taken_fen=taken_fen)
    assert ruled_notes(attempt, [{**NOTE, "fate": fate}], hospital)[promise]


def test_a_note_of_no_attempt_is_a_lost_payment() -> None:
    early = {**NOTE, "at": "2026-11-22T08:00:00+08:00"}
    assert ruled_notes(IN_NOTES, [early, NOTE], PAID_IN_NOTES)["lost_payments"]


def test_an_end_that_finance_was_not_told_of_is_unresolved() -> None:
    assert ruled(replace(SETTLED, told=False), [TAKEN], BOOKED)["unresolved"]


def test_a_charge_of_no_attempt_is_a_lost_payment() -> None:
    early = {**TAKEN, "at": "2026-11-22T08:00:00"}
    assert ruled(SETTLED, [early, TAKEN], BOOKED)["lost_payments"]
