"""Every driver × its emulator × every fault a cable can have."""

from __future__ import annotations

import pytest

from drivers.errors import DeviceLost
from tests.drivers.cable import Faults
from tests.drivers.contract import FAULTS, HARMLESS, Row, Trial
from tests.drivers.rows import ROWS

SEEDS = range(12)
DIE_BYTES_MAX = 4000  # no exchange is longer; past its end the exchange succeeds

every_driver = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])


@every_driver
def test_on_a_good_cable_the_exchange_succeeds_again_and_again(row: Row) -> None:
    trial = Trial(row, seed=0)
    for _ in range(3):
        assert row.is_good(trial.run())


@every_driver
@pytest.mark.parametrize("fault", HARMLESS)
def test_timing_alone_is_not_noticed(row: Row, fault: str) -> None:
    for seed in SEEDS:
        assert row.is_good(Trial(row, seed).run(FAULTS[fault])), f"seed {seed}"


@every_driver
@pytest.mark.parametrize("fault", FAULTS)
def test_only_driver_errors_escape_and_the_next_good_exchange_succeeds(
    row: Row, fault: str
) -> None:
    for seed in SEEDS:
        trial = Trial(row, seed)
        trial.run(FAULTS[fault])
        outcome = trial.run()
        assert row.is_good(outcome), f"seed {seed}: {outcome!r} on a good cable after {fault}"


@every_driver
def test_the_cable_may_die_after_any_byte(row: Row) -> None:
    trial = Trial(row, seed=0)
    for count in range(DIE_BYTES_MAX):
        outcome = trial.run(Faults(die_after_bytes=count, cut=bool(count % 2)))
        if row.is_good(outcome):
            break
        assert isinstance(outcome, Exception), f"dead after {count} bytes, yet {outcome!r}"
        trial.cable.plug()
    assert row.is_good(outcome)
    assert row.is_good(trial.run())


@every_driver
def test_an_unplugged_device_is_lost_at_once(row: Row) -> None:
    trial = Trial(row, seed=0)
    row.prepare(trial.cable.emulator)
    trial.cable.unplug()
    with pytest.raises(DeviceLost):
        row.exchange(row.make_driver(trial.cable, trial.cable.clock))
