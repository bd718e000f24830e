"""A pad that gives money back unasked: nothing is booked any more, not even after a restart."""

from __future__ import annotations

import pytest

from tests.flows import payments as p
from tests.flows.payments import Told, attempt, failed, recalled, woke


def test_what_the_pad_gave_back_unasked_is_on_disk_before_the_hospital_is_asked() -> None:
    told = Told.begin(attempt("card")).tell(p.APPROVED, p.LOST, p.RELEASED)
    kept = [type(effect).__name__ for effect in told.done]
    assert kept.index("KeepReturned") < len(kept) - 1
    assert told.orders[-1] == "QuerySettlement"


@pytest.mark.parametrize("stale", ["held", "completed"])
def test_after_a_restart_too_nothing_is_booked_that_the_pad_gave_back(stale: str) -> None:
    """An answer of the pad that is older than its release must not revive the booking."""
    told = Told.recover(attempt("card", at="HIS_UNKNOWN", evidence="trace 7", returned=True))
    told.tell(failed("settlement"), recalled(stale), woke("ask"))
    assert "Settle" not in told.orders
    assert told.moves[-1] == "MANUAL"


def test_a_release_known_from_before_a_restart_ends_once_the_hospital_has_closed() -> None:
    told = Told.recover(attempt("card", at="BOOKING", evidence="trace 7", returned=True))
    told.tell(p.NOT_FOUND)
    assert told.orders == ["QuerySettlement"]
    assert told.moves[-1] == "REVERSED"
