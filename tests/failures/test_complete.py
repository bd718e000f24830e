"""No device without its rows, no row without its cells: devices × states × failures, counted."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest

from tests.failures.hotplug import slots
from tests.failures.hotplug.ports import COLUMNS
from tests.failures.one_answer import FAILURES as PAD_FAILURES
from tests.failures.one_answer import STATES as PAD_STATES
from tests.failures.test_hotplug import CELLS, KINDS, TABLE

ROOT = Path(__file__).resolve().parents[2]
DRIVERS = sorted(path.parent.name for path in (ROOT / "drivers").glob("*/driver.py"))
ONE_ANSWER = ("mispos", "unionpay")
BY_CELL = ("cashbox", "escpos", "ipp", "zvt")


def table_of(driver: str) -> ModuleType:
    return importlib.import_module(f"tests.failures.test_{driver}")


def states_of(driver: str) -> list[str]:
    return list(PAD_STATES if driver in ONE_ANSWER else table_of(driver).STATES)


def failures_of(driver: str) -> list[str]:
    return list(PAD_FAILURES if driver in ONE_ANSWER else table_of(driver).FAILURES)


def gone_through(driver: str) -> list[str]:
    """Each cell that a test of the driver's table is run for, by the failure."""
    cells = []
    for test in vars(table_of(driver)).values():
        marks = getattr(test, "pytestmark", ())
        counts = [len(mark.args[1]) for mark in marks if mark.name == "parametrize"]
        if counts:
            product = 1
            for count in counts:
                product *= count
            cells.append(product)
    return ["cell"] * max(cells)


@pytest.mark.parametrize("driver", DRIVERS)
def test_every_device_has_every_failure_in_every_state(driver: str) -> None:
    states, failures = states_of(driver), failures_of(driver)
    assert len(states) == len(set(states)) > 1 and len(failures) > 1
    models = 2 if driver == "escpos" else 1
    assert len(gone_through(driver)) == len(states) * len(failures) * models


ROWS_BY_FAILURE = [name for name in DRIVERS if name not in (*ONE_ANSWER, *BY_CELL)]


@pytest.mark.parametrize("driver", ROWS_BY_FAILURE)
def test_no_table_has_an_empty_cell(driver: str) -> None:
    """A row a failure, a column a state; the others assert it where their cells are keyed."""
    table = table_of(driver).TABLE
    assert list(table) == failures_of(driver)
    assert {len(row) for row in table.values()} == {len(states_of(driver))}


@pytest.mark.parametrize("driver", DRIVERS)
def test_every_device_has_its_cable_moved_in_every_state(driver: str) -> None:
    """The states are those of its own table: a new one is new here too."""
    assert list(TABLE[driver]) == states_of(driver)
    assert all(len(row) == len(COLUMNS) and all(row) for row in TABLE[driver].values())
    live = slots.KINDS[driver].states if driver in slots.KINDS else KINDS[driver].states
    assert list(live) == states_of(driver)
    assert [cell for cell in CELLS if cell[0] == driver] == [
        (driver, state, column) for state in states_of(driver) for column in COLUMNS
    ]


def test_there_is_no_table_of_a_device_that_does_not_exist() -> None:
    assert set(TABLE) == set(DRIVERS) == {*KINDS, *slots.KINDS}
