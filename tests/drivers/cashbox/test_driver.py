"""Stories of notes: escrow first, the box only on our word, and each note told exactly once."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers.cash import (
    BoxBack,
    CashEvent,
    CashStatus,
    CashTrouble,
    EventsLost,
    NoteEscrowed,
    NoteRefused,
    NoteReturned,
    NoteStacked,
    Restarted,
    Trouble,
)
from drivers.cashbox.driver import BillValidator, CashboxSettings
from drivers.cashbox.emulator import MISBEHAVIOURS, BillValidatorEmulator, NoteLedger
from drivers.deadline import Deadline
from drivers.errors import DriverError, OutcomeUnknown
from tests.drivers.cable import GOOD, Cable
from tests.drivers.contract import FAULTS

SEEDS = range(8)


class Till:
    """A validator on a virtual cable, and what a terminal keeps on disk about it."""

    def __init__(self, seed: int = 0, crc: bool = False) -> None:
        self.hands = BillValidatorEmulator(NoteLedger(), crc)
        self.cable = Cable(self.hands, seed=seed)
        self.crc = crc
        self.mark: int | None = None
        self.escrowed_fen: int | None = None
        self.connect()
        self.notes = self.driver.prepare(self.within(5))
        self.driver.look(self.within(2))
        self.keep()

    def connect(self) -> None:
        settings = CashboxSettings(crc=self.crc)
        self.driver = BillValidator(
            self.cable,
            self.cable.clock,
            settings,
            mark=self.mark,
            escrowed_fen=self.escrowed_fen,
        )

    def keep(self) -> None:
        """On disk with each step."""
        self.mark, self.escrowed_fen = self.driver.mark, self.driver.escrowed_fen

    def within(self, seconds: float) -> Deadline:
        return Deadline.after(self.cable.clock, seconds)

    def insert(self, yuan: int) -> tuple[CashEvent, ...]:
        self.hands.insert_note(yuan)
        events = self.driver.look(self.within(2))
        self.keep()
        return events


def test_a_note_waits_in_escrow_until_the_payment_is_on_disk() -> None:
    """Row 102: cash is a device like others."""
    till = Till()
    assert till.notes == (100, 500, 1000, 2000, 5000, 10_000)
    till.driver.accept(1250, till.within(2))
    assert till.insert(10) == (NoteEscrowed(1000),)
    assert till.hands.ledger.stacked_fen() == 0
    assert till.driver.stack(till.within(5)) == NoteStacked(1000)
    assert till.hands.ledger.stacked_fen() == 1000


def test_a_note_is_given_back_on_cancel() -> None:
    till = Till()
    till.driver.accept(1250, till.within(2))
    till.insert(10)
    assert till.driver.give_back(till.within(5)) == NoteReturned()
    assert till.hands.ledger.events == [("inserted", 1000), ("returned", 1000)]


def test_no_note_above_what_is_owed_is_taken_since_no_change_is_given() -> None:
    till = Till()
    assert till.driver.accept(1250, till.within(2)) == (100, 500, 1000)
    assert till.insert(20) == (NoteRefused(),)
    assert till.driver.accept(50, till.within(2)) == ()
    assert till.insert(1) == (NoteRefused(),)
    assert till.hands.ledger.events == []


def test_nothing_is_taken_after_refuse() -> None:
    till = Till()
    till.driver.accept(10_000, till.within(2))
    till.driver.refuse(till.within(2))
    assert till.insert(10) == (NoteRefused(),)


def test_an_escrow_that_gives_up_gives_back() -> None:
    till = Till()
    till.hands.misbehave("escrow_times_out")
    till.driver.accept(1250, till.within(2))
    till.insert(10)
    till.cable.pass_time(5)
    assert till.driver.look(till.within(2)) == (NoteReturned(),)
    assert till.driver.escrowed_fen is None


def test_a_note_given_back_by_itself_just_before_stacking_is_not_money() -> None:
    till = Till()
    till.hands.misbehave("escrow_times_out")
    till.driver.accept(1250, till.within(2))
    till.insert(10)
    till.cable.pass_time(5)
    assert till.driver.stack(till.within(5)) == NoteReturned()
    assert till.hands.ledger.stacked_fen() == 0


def test_a_jam_on_the_way_to_the_box_is_unknown_and_seen() -> None:
    till = Till()
    till.hands.misbehave("jams")
    till.driver.accept(1250, till.within(2))
    till.insert(10)
    with pytest.raises(OutcomeUnknown, match="jammed"):
        till.driver.stack(till.within(5))
    assert till.driver.status(till.within(2)) == CashStatus(False, "10")


def test_a_box_that_is_full_removed_and_put_back_is_told() -> None:
    till = Till()
    till.hands.fill_box()
    till.hands.remove_box()
    till.hands.put_box()
    till.hands.pull_back()
    assert till.driver.look(till.within(2)) == (
        Trouble(CashTrouble.BOX_FULL),
        Trouble(CashTrouble.BOX_REMOVED),
        BoxBack(),
        Trouble(CashTrouble.FRAUD),
    )


def test_more_events_than_the_validator_keeps_are_known_to_be_lost() -> None:
    till = Till()
    for _ in range(7):
        till.hands.pull_back()
    events = till.driver.look(till.within(2))
    assert events[0] == EventsLost(2) and len(events) == 6


def test_the_counter_begins_again_at_one() -> None:
    till = Till()
    for _ in range(300):
        till.hands.pull_back()
        assert till.driver.look(till.within(2)) == (Trouble(CashTrouble.FRAUD),)


def test_a_restart_is_told_and_a_moving_note_is_in_doubt() -> None:
    till = Till()
    till.driver.accept(1250, till.within(2))
    till.insert(10)
    till.hands.power_cut()
    till.hands.power_up()
    assert till.driver.look(till.within(2)) == (Restarted(),)
    assert till.hands.ledger.events[-1] == ("returned", 1000)


def test_a_note_stacked_while_the_cable_was_out_is_told_once_afterwards() -> None:
    till = Till()
    till.driver.accept(1250, till.within(2))
    till.insert(10)
    till.hands.misbehave("slow_transport")
    with pytest.raises(OutcomeUnknown):
        till.driver.stack(till.within(0.5))
    till.cable.unplug()
    till.cable.pass_time(1)
    till.cable.plug()
    till.cable.pass_time(5)
    till.connect()
    till.driver.prepare(till.within(5))
    assert till.driver.look(till.within(2)) == (NoteStacked(1000),)
    till.keep()
    till.connect()
    till.driver.prepare(till.within(5))
    assert till.driver.look(till.within(2)) == ()


def test_a_note_still_in_escrow_after_a_crash_can_be_given_back() -> None:
    till = Till()
    till.driver.accept(1250, till.within(2))
    till.insert(10)
    till.connect()
    till.driver.prepare(till.within(5))
    assert till.driver.look(till.within(2)) == ()
    assert till.driver.give_back(till.within(5)) == NoteReturned()


def pay_ten(till: Till) -> int:
    """What the terminal believes to have taken, after any fault and the asking that follows."""
    taken_fen = 0
    try:
        till.driver.accept(1250, till.within(3))
        in_escrow = NoteEscrowed(1000) in till.insert(10)
        if in_escrow and isinstance(till.driver.stack(till.within(4)), NoteStacked):
            taken_fen += 1000
        till.keep()
    except DriverError:
        till.cable.plug(GOOD)
        till.hands.behave()
        till.cable.pass_time(35)
        till.connect()
        till.driver.prepare(till.within(5))
        events = till.driver.look(till.within(2))
        taken_fen += sum(event.value_fen for event in events if isinstance(event, NoteStacked))
        till.keep()
    return taken_fen


@pytest.mark.parametrize("fault", FAULTS)
def test_over_any_cable_the_terminal_believes_what_is_in_the_box(fault: str) -> None:
    for seed in SEEDS:
        till = Till(seed, crc=True)
        till.cable.faults = FAULTS[fault]
        assert pay_ten(till) == till.hands.ledger.stacked_fen(), f"seed {seed}"


@pytest.mark.parametrize("name", [name for name in MISBEHAVIOURS if name != "power_stacks"])
def test_whatever_a_bench_makes_it_do_no_note_is_counted_twice(name: str) -> None:
    till = Till()
    till.hands.misbehave(name)
    assert pay_ten(till) == till.hands.ledger.stacked_fen()


def test_a_power_cut_that_leaves_the_note_in_the_box_untold_is_a_doubt_not_a_loss() -> None:
    till = Till()
    till.hands.misbehave("power_stacks")
    till.driver.accept(1250, till.within(2))
    till.insert(10)
    with pytest.raises(OutcomeUnknown):
        till.driver.stack(till.within(0.2))
    till.hands.power_cut()
    till.hands.power_up()
    till.connect()
    till.driver.prepare(till.within(5))
    assert till.driver.look(till.within(2)) == (Restarted(),)
    assert till.hands.ledger.stacked_fen() == 1000


def test_the_notes_ledger_survives_its_process(tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    ledger = NoteLedger(path)
    ledger.note("inserted", 1000)
    ledger.note("stacked", 1000)
    assert NoteLedger(path).events == ledger.events
    assert "1000" not in repr(BillValidator)
