"""The emulator's ledger survives what the emulator does not."""

from __future__ import annotations

from pathlib import Path

from drivers.pad_ledger import Fate, PadLedger, read_ledger


def test_a_ledger_is_the_same_after_its_process_died(tmp_path: Path) -> None:
    path = tmp_path / "pad.jsonl"
    ledger = PadLedger(path)
    first = ledger.charge(1250, "1234", "UnionPay", "2026-07-21T09:30:00")
    ledger.complete(first.trace)
    second = ledger.charge(300, "1234", "UnionPay", "2026-07-21T09:31:00")
    ledger.reverse(second.trace, "not issued")
    ledger.refund(50, "1234", "UnionPay", "2026-07-21T09:32:00")
    again = PadLedger(path)
    assert again.entries == ledger.entries == read_ledger(path)
    assert again.standing_fen() == 1200
    third = again.charge(1, "1234", "UnionPay", "2026-07-21T09:33:00")
    assert third.trace not in {entry.trace for entry in ledger.entries}


def test_a_line_torn_by_a_power_cut_is_dropped_and_the_next_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "pad.jsonl"
    PadLedger(path).charge(1250, "1234", "UnionPay", "2026-07-21T09:30:00")
    with path.open("ab") as file:
        file.write(b'{"event": "comple')
    assert read_ledger(path)[0].fate is Fate.HELD
    ledger = PadLedger(path)
    ledger.complete(1)
    assert read_ledger(path)[0].fate is Fate.COMPLETED


def test_a_day_closes_with_what_was_completed_in_it() -> None:
    ledger = PadLedger()
    for amount_fen in (100, 200):
        ledger.complete(ledger.charge(amount_fen, "1234", "UnionPay", "t").trace)
    ledger.charge(400, "1234", "UnionPay", "t")
    assert ledger.close_day() == (300, 2)
    assert ledger.close_day() == (0, 0)
