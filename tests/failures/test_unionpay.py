"""The UnionPay library: every state × every failure; afterwards reconnect and ask."""

from __future__ import annotations

import pytest

from tests.drivers.pads import UNIONPAY
from tests.failures.one_answer import FAILURES, STATES, TABLE, run, wrong_promises


@pytest.mark.parametrize(("state", "failure"), TABLE)
def test_nobody_is_told_what_the_pads_ledger_does_not_have(state: str, failure: str) -> None:
    assert run(UNIONPAY, state, failure) == TABLE[state, failure]


def test_no_cell_is_empty_and_none_promises_wrong() -> None:
    assert set(TABLE) == {(state, failure) for state in STATES for failure in FAILURES}
    assert not wrong_promises(TABLE)
