"""An emptied cash box is counted by hand, and finance hears of it whatever the difference."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from kiosk.engine.cash import CashBox
from kiosk.flows.effects import KeepCash
from kiosk.hospital.contract import (
    CashCountRecord,
    NotesCounted,
    OutboxReply,
    Record,
    Verdict,
    from_json,
)
from kiosk.ports import CashBoxChanged
from kiosk.records import StoreRecords
from tests.kiosk.test_staff import Staffed

PIN = "471100\n"


@pytest.fixture
def staffed(tmp_path: Path) -> Staffed:
    (tmp_path / "terminal").mkdir()
    return Staffed(tmp_path / "terminal")


def emptied(records: StoreRecords, *notes_fen: int) -> None:
    """So many notes were stacked; then the box was taken out and put back empty."""
    box = CashBox(records.notes(CashBox.NOTE))
    for at, fen in enumerate(notes_fen):
        records.commit(box.after([KeepCash(f"K03-{at}", fen, 0, at + 1, fen)]), "")
    records.commit(box.told(CashBoxChanged("cash_box_out")), "")
    records.commit(box.told(CashBoxChanged("back")), "")


def sent(records: StoreRecords) -> list[Record]:
    """What the gateway is told."""
    told: list[Record] = []

    def accept(batch: Sequence[Record]) -> OutboxReply:
        told.extend(batch)
        return OutboxReply(tuple(Verdict(one.key, "accepted") for one in batch), 0)

    records.send_round(accept)
    return [one for one in told if one.kind == "cash_count"]


def test_a_count_is_held_note_by_note_against_what_was_stacked_and_sent(staffed: Staffed) -> None:
    """Two emptyings since the last count are one count; the difference is told, never hidden."""
    with staffed.opened() as records:
        emptied(records, 2000, 2000, 100)
        emptied(records, 2000)
    code, said = staffed.run("cash-count", "technician", "20=2", "1=1", "5=1", typed=PIN)
    assert code == 0
    assert "  20 yuan: 2 found, 3 stacked" in said and "   5 yuan: 1 found, 0 stacked" in said
    assert said.endswith("counted 46.00 yuan: DIFFERENCE -15.00 yuan")
    (event,) = staffed.events("cash_counted")
    told = {name: event[name] for name in ("who", "count", "amount_fen", "difference_fen")}  # type: ignore[index]
    assert told == {"who": "technician", "count": 4, "amount_fen": 4600, "difference_fen": -1500}
    with staffed.opened() as records:
        (record,) = sent(records)
    body = from_json(CashCountRecord, record.body)
    assert body.who == "technician" and body.notes == (
        NotesCounted(100, 1, 1),
        NotesCounted(500, 0, 1),
        NotesCounted(2000, 3, 2),
    )


def test_a_closing_is_counted_once_and_the_next_one_has_a_key_of_its_own(staffed: Staffed) -> None:
    with staffed.opened() as records:
        emptied(records, 2000)
    assert staffed.run("cash-count", "technician", "20=1", typed=PIN)[1].endswith("yuan: agrees")
    code, said = staffed.run("cash-count", "technician", "20=1", typed=PIN)
    assert code == 1 and "no cash box was taken out and put back" in said
    with staffed.opened() as records:
        emptied(records, 10_000)
    code, said = staffed.run("cash-count", "technician", "100=1", "--json", typed=PIN)
    assert json.loads(said[said.index("{") :])["difference_fen"] == 0
    with staffed.opened() as records:
        assert len({one.key for one in sent(records)}) == 2


@pytest.mark.parametrize("notes", ["twenty=1", "20=some", "20=-1", "-20=1", "0=1", "20"])
def test_a_count_that_is_none_changes_nothing(staffed: Staffed, notes: str) -> None:
    with staffed.opened() as records:
        emptied(records, 2000)
    code, _ = staffed.run("cash-count", "technician", "--", notes, typed=PIN)
    assert code == 1
    with staffed.opened() as records:
        assert sent(records) == [] and records.notes(CashBox.CLOSED)


def test_nobody_counts_without_a_pin(staffed: Staffed) -> None:
    with staffed.opened() as records:
        emptied(records, 2000)
    code, said = staffed.run("cash-count", "technician", "20=1", typed="000000\n")
    assert code == 1 and "PIN of technician is wrong" in said
