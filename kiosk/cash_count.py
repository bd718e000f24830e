"""Counting the notes of an emptied cash box against what the terminal has stacked.

Rule: a closing waits until somebody has counted it; the count, its audit event and its record for
the gateway are one transaction, whatever the difference.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from kiosk.engine.cash import CashBox
from kiosk.flows.effects import DropNote, Effect, KeepAudit, KeepQueued
from kiosk.hospital.contract import CashCountRecord, NotesCounted
from kiosk.records import StoreRecords

NOTES_MAX = 100_000
"""Of one worth; no box holds so many."""


def count(records: StoreRecords, asked: Mapping[str, Any], who: str) -> dict[str, Any]:
    """`notes`: worth in yuan to how many were found. The difference, or {"error": a sentence}."""
    try:
        found = {int(yuan) * 100: int(number) for yuan, number in asked["notes"].items()}
    except (KeyError, ValueError, AttributeError, TypeError):
        return {"error": "say how many of each: 20=3 50=1"}
    if any(fen <= 0 or not 0 <= number <= NOTES_MAX for fen, number in found.items()):
        return {"error": "a note is worth something, and there are none or more of it"}
    closed = records.notes(CashBox.CLOSED)
    if not closed:
        return {"error": "no cash box was taken out and put back since the last count"}
    expected: Counter[int] = Counter()
    for body in closed.values():
        expected.update({int(fen): number for fen, number in json.loads(body).items()})
    worths = sorted({*expected, *found})
    notes = tuple(NotesCounted(fen, expected[fen], found.get(fen, 0)) for fen in worths)
    record = CashCountRecord(records.now(), who, notes)
    records.commit([*_kept(records, record, closed)], "")
    return {
        "notes": {f"{n.note_fen // 100}": [n.expected, n.counted] for n in notes},
        "expected_fen": record.expected_fen,
        "counted_fen": record.counted_fen,
        "difference_fen": record.counted_fen - record.expected_fen,
    }


def _kept(
    records: StoreRecords, record: CashCountRecord, closed: Mapping[str, str]
) -> tuple[Effect, ...]:
    fields = (
        ("who", record.who),
        ("count", sum(one.counted for one in record.notes)),
        ("amount_fen", record.counted_fen),
        ("difference_fen", record.counted_fen - record.expected_fen),
    )
    key = records.own_key("cash")
    return (
        KeepAudit("cash_counted", fields=fields),
        KeepQueued("cash_count", key, "", record),
        *(DropNote(name) for name in closed),
    )
