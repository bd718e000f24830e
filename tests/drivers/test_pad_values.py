"""The model that all pads share: what their memory proves about an attempt of ours."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.pad import (
    Attempt,
    Charged,
    Finding,
    LastPayment,
    MaskedPan,
    NothingFound,
    PadTime,
    PaymentState,
    find,
)

SENT_AT = datetime(2026, 7, 21, 9, 30, 0)
OURS = Attempt(1250, SENT_AT, trace_before=41, terminal_id="52500038")
THEIRS = LastPayment(
    Charged(1250, trace=42, terminal_id="52500038", at=PadTime(7, 21, 9, 31, 0)),
    PaymentState.COMPLETED,
)


def other(**changes: object) -> LastPayment:
    return replace(THEIRS, charged=replace(THEIRS.charged, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "finding"),
    [
        (THEIRS, Finding.TAKEN),
        (replace(THEIRS, state=PaymentState.HELD), Finding.HELD),
        (replace(THEIRS, state=PaymentState.REVERSED), Finding.REVERSED),
        (replace(THEIRS, state=PaymentState.UNTOLD), Finding.UNCLEAR),
        (other(amount_fen=1251), Finding.UNCLEAR),
        (other(terminal_id="99999999"), Finding.UNCLEAR),
        (other(at=PadTime(7, 21, 9, 50, 0)), Finding.UNCLEAR),
        (other(at=PadTime(13, 45, 99, 0, 0)), Finding.UNCLEAR),
        (other(at=None), Finding.TAKEN),
        (other(trace=41), Finding.NOT_TAKEN),
        (replace(other(trace=41), state=PaymentState.HELD), Finding.UNCLEAR),
        (other(trace=40), Finding.UNCLEAR),
        (other(trace=None), Finding.TAKEN),
        (other(trace=None, at=None), Finding.UNCLEAR),
        (NothingFound(), Finding.UNCLEAR),
    ],
)
def test_a_pads_memory_proves_only_what_nothing_speaks_against(
    answer: LastPayment | NothingFound, finding: Finding
) -> None:
    assert find(OURS, answer) is finding


def test_traces_begin_again_after_the_last() -> None:
    attempt = replace(OURS, trace_before=999_999)
    assert find(attempt, other(trace=1)) is Finding.TAKEN
    assert find(replace(OURS, trace_before=1), other(trace=999_999)) is Finding.UNCLEAR


def test_a_payment_at_new_year_is_in_its_window() -> None:
    attempt = replace(OURS, sent_at=datetime(2026, 12, 31, 23, 59, 0))
    assert find(attempt, other(at=PadTime(1, 1, 0, 1, 0))) is Finding.TAKEN


@given(st.datetimes(datetime(2001, 1, 1), datetime(2090, 1, 1)), st.integers(-500, 500))
def test_a_pads_time_finds_its_year(moment: datetime, minutes: int) -> None:
    at = (moment + timedelta(minutes=minutes)).replace(microsecond=0)
    if (at.month, at.day) != (2, 29):
        assert PadTime(at.month, at.day, at.hour, at.minute, at.second).near(moment) == at


def test_a_card_number_is_kept_to_four_digits() -> None:
    pan = MaskedPan.of("6222880012345678")
    assert pan == MaskedPan("5678")
    assert "5678" not in f"{pan} {pan!r}"
