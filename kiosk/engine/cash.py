"""The cash box as the engine knows it: which notes it takes, what lies in it, what is wrong.

Rule: the level is counted on disk in the same transaction as the payment that a note belongs to,
so that whoever empties the box can hold the count against it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from kiosk.flows.effects import Effect, KeepAudit, KeepCash, KeepNote
from kiosk.ports import CashBoxChanged, CashLooked, DeviceStood


class CashBox:
    """Nothing of it is a person's. `notes`: what the disk has under NOTE: the level, and what is
    wrong, since a full box is full after a restart too."""

    NOTE = "cash_box"
    TROUBLE = "cash_box_trouble"
    CLOSINGS = "cash_box_closings"
    CLOSED = "cash_box_closed:"
    """One note a closing: what should have been in the box, until somebody has counted it."""

    def __init__(self, notes: Mapping[str, str]) -> None:
        kept = json.loads(notes.get(self.NOTE, "{}"))
        self._counts: dict[int, int] = {int(fen): count for fen, count in kept.items()}
        self._looked: CashLooked | None = None
        self._trouble: str = _trouble(notes).get("code", "")
        self._closings = int(notes.get(self.CLOSINGS, "0"))

    @property
    def notes_fen(self) -> tuple[int, ...]:
        """What may be paid with now; empty: no cash here."""
        return self._looked.notes_fen if self._looked and not self._trouble else ()

    @property
    def mark(self) -> str:
        """How far the box's events had been told before any new payment."""
        return str(self._looked.mark) if self._looked else ""

    def told(self, told: CashLooked | CashBoxChanged | DeviceStood) -> list[Effect]:
        """What must be on disk about it."""
        match told:
            case CashLooked():
                self._looked = told
                # A jam may have been cleared; a full or missing box is not put in by this.
                if self._trouble in ("cash_jam", "cash_fraud"):
                    return [self._is("", told.mark)]
            case DeviceStood():
                self._looked = self._looked if told.well else None
            case CashBoxChanged("back"):
                return [self._is("", told.mark), *self._emptied()]
            case CashBoxChanged(code) if code != self._trouble:
                fields = (("cause", code),)
                return [self._is(code, told.mark), KeepAudit("cash_trouble", fields=fields)]
        return []

    def _emptied(self) -> list[Effect]:
        """Putting an empty box in begins a new count."""
        fields = (("amount_fen", self.level_fen), ("count", sum(self._counts.values())))
        self._closings += 1
        closed = KeepNote(f"{self.CLOSED}{self._closings}", self._level().body)
        number = KeepNote(self.CLOSINGS, str(self._closings))
        self._counts = {}
        return [KeepAudit("cash_box_emptied", fields=fields), closed, number, self._level()]

    def after(self, keeps: Iterable[Effect]) -> list[Effect]:
        """The records that belong to notes that are newly in the box."""
        more: list[Effect] = []
        for keep in keeps:
            if isinstance(keep, KeepCash) and self._looked is not None:
                # What one payment was told must not be told to the next one when it asks again.
                self._looked = replace(self._looked, mark=keep.mark)
            if isinstance(keep, KeepCash) and keep.kept_fen:
                self._counts[keep.kept_fen] = self._counts.get(keep.kept_fen, 0) + 1
                fields = (("amount_fen", keep.kept_fen),)
                more.append(KeepAudit("cash_note_kept", "", "", keep.reference, fields))
        return [*more, self._level()] if more else []

    @property
    def level_fen(self) -> int:
        """What lies in the box, by our own count."""
        return sum(fen * count for fen, count in self._counts.items())

    def status(self) -> dict[str, Any]:
        """For `kiosk status`."""
        notes = {f"{fen // 100}": count for fen, count in sorted(self._counts.items())}
        return {
            "there": self._looked is not None,
            "trouble": self._trouble,
            "level_fen": self.level_fen,
            "notes": notes,
        }

    def _is(self, code: str, mark: int) -> Effect:
        self._trouble = code
        return KeepNote(self.TROUBLE, json.dumps({"code": code, "mark": mark} if code else {}))

    def _level(self) -> KeepNote:
        return KeepNote(self.NOTE, json.dumps(self._counts, sort_keys=True))


def told_up_to(notes: Mapping[str, str]) -> int | None:
    """Where a new connection asks from when core ended with the box in trouble: what was done to
    the box meanwhile (emptied, put back) must be heard. None: from now on."""
    return _trouble(notes).get("mark")


def _trouble(notes: Mapping[str, str]) -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(notes.get(CashBox.TROUBLE, "{}"))
    return kept
