"""Records in memory with the store's own contract, so that a million payments can be walked.

Rule: what commit() takes is durable, whatever the process does next; a move the journal forbids,
a reference or a key used twice is a broken promise, as in the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from kiosk.domain.bill import Quote
from kiosk.domain.visit import GivenNumber, LentSlot
from kiosk.flows.effects import (
    DropNote,
    Effect,
    GiveNumber,
    KeepAudit,
    KeepCash,
    KeepMove,
    KeepNote,
    KeepPayment,
    KeepQueued,
    KeepQuote,
    KeepReturned,
    NoNumber,
)
from kiosk.flows.events import PinChecked
from kiosk.flows.payment import FINAL, Payment
from kiosk.flows.payment_state import IN_DOUBT
from kiosk.flows.slips import TrailLine
from kiosk.hospital.contract import DayList, Expected
from kiosk.ports import SendRecords
from offline import journal


@dataclass
class MemoryRecords:
    """Outlives the engine: the world hands the same one to each new start."""

    payments: dict[str, Payment] = field(default_factory=dict)
    moves: dict[str, list[str]] = field(default_factory=dict)
    proofs: dict[str, str] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    kept_notes: dict[str, str] = field(default_factory=dict)
    quotes: dict[str, Quote] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)  # quote → the payment that has used it
    cash: dict[str, KeepCash] = field(default_factory=dict)  # how far notes have come
    returned: set[str] = field(default_factory=set)  # given back by the pad, unasked
    number: int = 0

    def commit(self, keeps: Sequence[Effect], session: str) -> None:
        for keep in keeps:
            self._keep(keep)

    def _keep(self, keep: Effect) -> None:
        match keep:
            case KeepPayment(payment):
                assert payment.reference not in self.payments, "one reference an attempt"
                assert not payment.payer_code, "a payer's code is not kept"
                self.payments[payment.reference] = payment
                self.moves[payment.reference] = ["INTENT"]
                self.used[payment.quote_id] = payment.reference
            case KeepMove(reference, state, evidence):
                before = journal.State(self.moves[reference][-1].lower())
                after = journal.State(state.lower())
                assert after in journal.MOVES[before], f"{before} → {after}"
                self.moves[reference].append(state)
                if state in ("DECLINED", "REVERSED"):
                    self.used.pop(self.payments[reference].quote_id, None)
                if state == "PAID":
                    self.proofs[reference] = evidence
            case KeepQueued(_, key):
                assert key not in self.keys, f"{key} was queued before"
                self.keys.add(key)
            case KeepNote(name, body):
                self.kept_notes[name] = body
            case DropNote(name):
                self.kept_notes.pop(name, None)
            case KeepQuote(number, quote):
                self.quotes[number] = quote
            case KeepCash(reference):
                self.cash[reference] = keep
            case KeepReturned(reference):
                self.returned.add(reference)
            case KeepAudit():
                pass
            case _:
                raise AssertionError(f"{type(keep).__name__} is no record")

    def admission(self) -> str:
        return ""

    def pad_looked(self, mark: str) -> None:
        pass

    def fresh(self) -> int:
        self.number += 1
        return self.number

    def state(self, reference: str) -> str:
        return self.moves[reference][-1]

    def open_payments(self) -> tuple[Payment, ...]:
        return tuple(
            self._found(reference)
            for reference in self.payments
            if self.state(reference) not in FINAL
        )

    def _found(self, reference: str) -> Payment:
        begun, at = self.payments[reference], self.state(reference)
        completed = begun.method != "card" or begun.amount_fen == 0
        proof = self.proofs.get(reference, "")
        state: Any = at
        told = f"{reference}-{IN_DOUBT}" in self.keys
        found = replace(begun, at=state, evidence=proof, completed=completed, in_doubt=told)
        found = replace(found, returned=reference in self.returned)
        if (kept := self.cash.get(reference)) is None:
            return found
        notes = replace(found, taken_fen=kept.taken_fen, note_fen=kept.note_fen)
        return replace(notes, pad_mark=str(kept.mark))

    def notes(self, prefix: str) -> dict[str, str]:
        return {name: body for name, body in self.kept_notes.items() if name.startswith(prefix)}

    def check_pin(self, pin: str) -> PinChecked:
        return PinChecked(False, tries_left=4)

    def find_offline(self, number: str) -> Expected | None:
        return None

    def lent(self) -> tuple[LentSlot, ...]:
        return ()

    def give_number(self, give: GiveNumber, session: str) -> GivenNumber | NoNumber:
        return NoNumber()

    def held_quote(self, number: str) -> Quote | None:
        """Signatures and ends are tried elsewhere: here a quote counts until it is used."""
        quote = self.quotes.get(number)
        return None if quote is None or quote.id in self.used else quote

    def keep_day_list(self, day_list: DayList, until: datetime) -> None:
        raise AssertionError("the sender keeps lists, not the engine")

    def trail(self, number: str) -> tuple[TrailLine, ...]:
        return ()

    def waiting(self) -> int:
        return len(self.keys)

    def send_round(self, send: SendRecords) -> float:
        raise AssertionError("the sender sends, not the engine")
