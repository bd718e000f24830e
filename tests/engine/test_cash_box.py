"""The cash box itself: which notes its slot takes, and what it is known by after a restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.views import CashBusy
from tests.engine.test_cash import Machine

LARGE = {1: 20, 2: 50, 3: 100}
"""A validator without small notes: 50 is no multiple of 20, so it could leave a rest."""


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path / "terminal")
    yield made
    made.desk.records.close()


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path / "terminal", LARGE)
    yield made
    made.desk.records.close()


def told(machine: Machine) -> tuple[int, ...]:
    page = machine.desk.page
    assert isinstance(page, CashBusy)
    return page.notes_fen


def trouble(machine: Machine) -> object:
    return machine.desk.engine.status()["cash_box"]["trouble"]


def test_the_slot_refuses_a_note_that_could_leave_a_rest_and_the_page_says_which_it_takes(
    large: Machine,
) -> None:
    """Row 102: 50 is less than what is left, and nothing could make up the 50 that remain."""
    reference = large.at_the_slot(12_000)
    assert told(large) == (2000, 10_000), "said before the first note"
    assert large.insert(50) == [False]
    assert large.insert(100) == [True]
    assert told(large) == (2000,), "100 is more than what is left"
    assert large.insert(100, 50) == [False, False]
    assert large.insert(20) == [True]
    assert large.until_ended(reference) == "SETTLED"
    assert large.box.ledger.stacked_fen() == 12_000


def test_a_full_box_is_full_after_a_restart_of_core(machine: Machine) -> None:
    machine.box.fill_box()
    machine.serve(3)
    assert trouble(machine) == "cash_full"
    machine.kill()
    assert trouble(machine) == "cash_full"
    assert machine.at_the_bill().page.cash == "", "no cash is offered into a full box"


def test_a_box_that_is_out_is_out_after_a_restart_and_back_when_it_is_put_in(
    machine: Machine,
) -> None:
    machine.box.remove_box()
    machine.serve(3)
    machine.kill()
    assert trouble(machine) == "cash_box_out"
    machine.box.put_box()
    machine.serve(3)
    assert trouble(machine) == ""
    assert machine.at_the_bill().page.cash == "offered"


def test_a_box_that_was_emptied_while_core_was_off_is_empty_and_takes_notes_again(
    machine: Machine,
) -> None:
    """What the validator remembers since the trouble is asked for at the start."""
    reference = machine.at_the_slot(2000)
    machine.insert(20)
    machine.until_ended(reference)
    machine.box.fill_box()
    machine.serve(3)
    machine.box.remove_box()
    machine.box.put_box()
    machine.kill()
    assert trouble(machine) == ""
    assert machine.desk.engine.status()["cash_box"]["level_fen"] == 0
    assert "cash_box_emptied" in machine.desk.events()


def test_a_jam_that_was_cleared_while_core_was_off_is_forgotten(machine: Machine) -> None:
    machine.at_the_slot()
    machine.box.misbehave("jams")
    machine.insert(20)
    machine.serve(5)
    assert trouble(machine) == "cash_jam"
    machine.box.put_box()
    machine.kill()
    assert trouble(machine) == ""


def test_notes_of_the_payment_before_are_not_counted_for_one_that_was_killed_at_once(
    machine: Machine,
) -> None:
    """What the box has told for one person is nobody else's when it is asked again."""
    first = machine.at_the_slot(2000)
    machine.insert(20)
    assert machine.until_ended(first) == "SETTLED"
    machine.desk.touch("end")
    second = machine.at_the_slot(2000)
    assert second != first
    machine.kill()
    assert machine.until_ended(second) == "DECLINED"
    assert machine.taken_fen(second) == 0
