"""Every driver of cards × its emulator × every fault that a slot can have."""

from __future__ import annotations

import pytest

from drivers.errors import DeviceLost
from tests.drivers.card_contract import FAULTS, HARMLESS, CardRow, CardTrial, at
from tests.drivers.card_line import LineFaults, removed
from tests.drivers.card_rows import CARD_ROWS

SEEDS = range(6)
EXCHANGES_MAX = 200

every_driver = pytest.mark.parametrize("row", CARD_ROWS, ids=[row.name for row in CARD_ROWS])
every_reading = pytest.mark.parametrize(
    "row", [row for row in CARD_ROWS if row.transmits], ids=lambda row: row.name
)


@every_driver
def test_in_a_good_slot_the_exchange_succeeds_again_and_again(row: CardRow) -> None:
    trial = CardTrial(row, seed=0)
    for _ in range(3):
        assert row.is_good(trial.run())


@every_driver
@pytest.mark.parametrize("fault", HARMLESS)
def test_a_slow_card_is_waited_for(row: CardRow, fault: str) -> None:
    assert row.is_good(CardTrial(row, seed=0).run(FAULTS[fault]))


@every_driver
@pytest.mark.parametrize("fault", FAULTS)
def test_only_driver_errors_escape_and_the_next_good_exchange_succeeds(
    row: CardRow, fault: str
) -> None:
    for seed in SEEDS:
        for exchange in (0, 1, 2, 5, 9, 20):
            trial = CardTrial(row, seed)
            trial.run(at(FAULTS[fault], exchange))
            outcome = trial.run()
            assert row.is_good(outcome), f"seed {seed}: {outcome!r} after {fault} at {exchange}"


@every_reading
def test_the_card_may_be_pulled_at_any_exchange(row: CardRow) -> None:
    trial = CardTrial(row, seed=0)
    for exchange in range(EXCHANGES_MAX):
        outcome = trial.run(LineFaults(at=exchange, raises=removed))
        if row.is_good(outcome):
            break
        assert not row.is_lie(outcome)
    assert row.is_good(outcome) and exchange > 0
    assert row.is_good(trial.run())


@every_driver
def test_an_unplugged_reader_is_lost_at_once(row: CardRow) -> None:
    trial = CardTrial(row, seed=0)
    trial.line.put()
    trial.line.gone = True
    with pytest.raises(DeviceLost):
        row.exchange(trial.driver)
