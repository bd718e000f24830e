"""A pad emulator's own memory of money: what really happened, whatever was answered.

Device side only: drivers and the terminal never read it. Tests and drills compare it with the
terminal's journal, so it shares nothing with that. One JSON object a line, synced before the pad
answers; a line that a power cut tore is dropped on reading.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

NUMBERS = 999_999  # traces are six digits
RECEIPTS = 9_999  # receipt numbers are four


class Fate(Enum):
    """What became of a charge."""

    HELD = "held"
    COMPLETED = "completed"
    REVERSED = "reversed"
    REFUND = "refund"
    """Not a charge: money given to a card."""


@dataclass(frozen=True)
class Entry:
    """One charge or refund, with what became of it."""

    trace: int
    receipt_no: int
    amount_fen: int
    fate: Fate
    last4: str
    card_name: str
    at: str
    """The pad's local time, ISO 8601."""
    reference: str = ""
    """The host's own reference, on pads that carry one."""
    reversal_trace: int | None = None
    why: str = ""


class PadLedger:
    """Appends events; entries are what they add up to. `path` None: in memory, for short tests."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._entries: dict[int, Entry] = {}
        self._order: list[int] = []
        self._last_trace = 0
        self._last_receipt = 0
        self._day_from = 0
        if path is not None and path.exists():
            _cut_torn_line(path)
            for event in _read_events(path):
                self._apply(event)

    def charge(self, amount_fen: int, last4: str, card_name: str, at: str) -> Entry:
        """Money taken from a card, held until completed or reversed."""
        return self._take("charged", amount_fen, last4, card_name, at)

    def refund(self, amount_fen: int, last4: str, card_name: str, at: str) -> Entry:
        """Money given to a card."""
        return self._take("refunded", amount_fen, last4, card_name, at)

    def refer(self, trace: int, reference: str) -> None:
        """Note the host's reference of a charge."""
        self._append({"event": "referred", "trace": trace, "reference": reference})

    def complete(self, trace: int) -> None:
        """The charge stands."""
        assert self._entries[trace].fate is Fate.HELD
        self._append({"event": "completed", "trace": trace})

    def reverse(self, trace: int, why: str) -> None:
        """The money went back. Under a trace of its own, as the manual has it (BMP 37)."""
        assert self._entries[trace].fate in (Fate.HELD, Fate.COMPLETED)
        own = self._last_trace % NUMBERS + 1
        self._append({"event": "reversed", "trace": trace, "reversal_trace": own, "why": why})

    def close_day(self) -> tuple[int, int]:
        """Hand in: total fen and number of completed charges since the last time."""
        done = [e for e in self.entries[self._day_from :] if e.fate is Fate.COMPLETED]
        self._append({"event": "day_closed"})
        return sum(entry.amount_fen for entry in done), len(done)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All of them, oldest first."""
        return tuple(self._entries[trace] for trace in self._order)

    @property
    def newest(self) -> Entry | None:
        """The last one."""
        return self._entries[self._order[-1]] if self._order else None

    def by_receipt(self, receipt_no: int) -> Entry | None:
        """The newest charge under this receipt number."""
        found = [entry for entry in self.entries if entry.receipt_no == receipt_no]
        return found[-1] if found else None

    def held(self) -> tuple[Entry, ...]:
        """Charges that wait for a decision."""
        return tuple(entry for entry in self.entries if entry.fate is Fate.HELD)

    def standing_fen(self) -> int:
        """What cards have lost in the end: charges held or completed, less refunds."""
        return sum(_signed(entry) for entry in self.entries)

    def _take(self, event: str, amount_fen: int, last4: str, card_name: str, at: str) -> Entry:
        trace = self._last_trace % NUMBERS + 1
        line = {"event": event, "trace": trace, "receipt_no": self._last_receipt % RECEIPTS + 1}
        line |= {"amount_fen": amount_fen, "last4": last4, "card_name": card_name, "at": at}
        self._append(line)
        return self._entries[trace]

    def _append(self, event: dict[str, object]) -> None:
        if self._path is not None:
            with self._path.open("ab") as file:
                file.write(json.dumps(event, ensure_ascii=False).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        self._apply(event)

    def _apply(self, event: dict[str, object]) -> None:
        match event:
            case {"event": "charged" | "refunded" as kind, "trace": int(trace), **rest}:
                fate = Fate.HELD if kind == "charged" else Fate.REFUND
                self._entries[trace] = _entry(trace, fate, rest)
                self._order.append(trace)
                self._last_trace = trace
                self._last_receipt = self._entries[trace].receipt_no
            case {"event": "referred", "trace": int(trace), "reference": str(reference)}:
                self._entries[trace] = replace(self._entries[trace], reference=reference)
            case {"event": "completed", "trace": int(trace)}:
                self._entries[trace] = replace(self._entries[trace], fate=Fate.COMPLETED)
            case {"event": "reversed", "trace": int(trace), "reversal_trace": int(own), "why": why}:
                entry = replace(self._entries[trace], fate=Fate.REVERSED, why=str(why))
                self._entries[trace] = replace(entry, reversal_trace=own)
                self._last_trace = own
            case {"event": "day_closed"}:
                self._day_from = len(self._order)
            case _:
                raise AssertionError(f"not a ledger event: {event}")


def read_ledger(path: Path) -> tuple[Entry, ...]:
    """The entries of an emulator's ledger file, for whoever compares it from another process."""
    ledger = PadLedger()
    for event in _read_events(path) if path.exists() else []:
        ledger._apply(event)
    return ledger.entries


def _signed(entry: Entry) -> int:
    match entry.fate:
        case Fate.HELD | Fate.COMPLETED:
            return entry.amount_fen
        case Fate.REVERSED:
            return 0
        case Fate.REFUND:
            return -entry.amount_fen


def _entry(trace: int, fate: Fate, line: dict[str, object]) -> Entry:
    receipt_no, amount_fen = line["receipt_no"], line["amount_fen"]
    assert isinstance(receipt_no, int) and isinstance(amount_fen, int)
    words = (str(line["last4"]), str(line["card_name"]), str(line["at"]))
    return Entry(trace, receipt_no, amount_fen, fate, *words)


def _read_events(path: Path) -> list[dict[str, object]]:
    content = path.read_bytes()
    return [json.loads(line) for line in content[: content.rfind(b"\n") + 1].splitlines()]


def _cut_torn_line(path: Path) -> None:
    """What a power cut tore is taken off, so that the next line starts clean."""
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)
