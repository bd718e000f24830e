"""The books against each other and against the terminal's journal: four ways to break a promise.

Rule: what happened is what pad, provider and hospital wrote; the journal is only asked what the
terminal says of it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from kiosk.flows.effects import KeepCash
from kiosk.flows.payment import Payment
from kiosk.hospital.contract import from_json
from offline import journal
from offline.clock import Clock
from offline.database import SqliteDatabase
from offline.outbox import Outbox
from offline.store import Store
from offline.vault import Vault

PROMISES = ("double_charges", "lost_payments", "booked_unpaid", "unresolved")
PERSON_CASES = ("MANUAL", "REFUND_DUE")
ENDS = ("DECLINED", "SETTLED", "REVERSED", "REFUNDED", *PERSON_CASES)
OUR_RELEASES = ("not issued", "voided by the host")
"""A pad's own words for a payment that the terminal told it to give back."""


@dataclass(frozen=True)
class Attempt:
    """What the terminal's journal says of one attempt; `told`: finance's record is queued.

    `taken_fen`: notes in the box.
    """

    reference: str
    begun: Payment
    state: str
    told: bool
    taken_fen: int = 0


@dataclass(frozen=True)
class Books:
    """What the three others wrote, each its own; of the devices, pad and cash box each its own."""

    pad: list[dict[str, Any]]
    provider: dict[str, Any]
    hospital: dict[str, Any]
    cash: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Verdict:
    """Counts by promise, the words for a person, and how each attempt ended."""

    broken: Counter[str] = field(default_factory=Counter)
    words: list[str] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)

    def add(self, promise: str, words: str) -> None:
        self.broken[promise] += 1
        self.words.append(f"{promise}: {words}")


def read_journal(folder: Path) -> list[Attempt]:
    """All attempts of the store in the folder, as the product reads them."""
    vault = Vault.open(folder / "keys" / "vault.key", random_bytes=_none, create=False)
    database = SqliteDatabase(folder / "kiosk.db")
    store = Store(folder / "kiosk.db", database, vault, Clock(_never, _never, "judge"))
    try:
        with store.reading() as reading:
            found = reading.rows("select reference from payments order by opened_at, reference")
        return [_attempt(store, str(reference)) for (reference,) in found]
    finally:
        store.close()


def _never() -> float:
    raise AssertionError("the judge writes nothing")


def _none(count: int) -> bytes:
    raise AssertionError("the judge seals nothing")


def _attempt(store: Store, reference: str) -> Attempt:
    payment = journal.Journal(store).payment(reference)
    assert payment is not None and isinstance(payment.subject, bytes)
    begun: Payment = from_json(Payment, payment.subject)
    state = payment.state.value.upper()
    told = Outbox(store).show(f"{reference}-{state}") is not None
    return Attempt(reference, begun, state, told, _taken_fen(payment))


def _taken_fen(payment: journal.Payment) -> int:
    """By the newest row that speaks of notes."""
    rows = [one.evidence for one in payment.moves if isinstance(one.evidence, bytes)]
    told: list[KeepCash] = [from_json(KeepCash, row) for row in rows if row.startswith(b"{")]
    return told[-1].taken_fen if told else 0


def judge(attempts: list[Attempt], books: Books) -> Verdict:
    """Every attempt, every entry that no attempt explains, and every bill."""
    verdict = Verdict()
    cards = _by_attempt(attempts, books, verdict)
    for attempt in attempts:
        verdict.ends[attempt.state] += 1
        _one(attempt, cards.get(attempt.reference, []), books, verdict)
    for reference in set(books.provider["orders"]) - {one.reference for one in attempts}:
        verdict.add("lost_payments", f"{reference} was opened and no journal knows of it")
    _bills(attempts, cards, books, verdict)
    for words in (*books.provider["broken"], *books.hospital["broken"]):
        verdict.add("unresolved", words)
    return verdict


def _by_attempt(
    attempts: list[Attempt], books: Books, verdict: Verdict
) -> dict[str, list[dict[str, Any]]]:
    """A device carries no reference: an entry, a note is of the attempt begun last before it."""
    found: dict[str, list[dict[str, Any]]] = {}
    for method, entries, what in (("card", books.pad, "a card"), ("cash", books.cash, "a note")):
        for entry in entries:
            at = datetime.fromisoformat(entry["at"]).replace(tzinfo=None)
            before = [
                one.reference
                for one in attempts
                if one.begun.method == method
                and one.begun.begun.replace(tzinfo=None, microsecond=0) <= at
            ]
            if before:
                found.setdefault(before[-1], []).append(entry)
            else:
                verdict.add("lost_payments", f"{what} was taken and no journal knows of it")
    return found


def standing(attempt: Attempt, entries: list[dict[str, Any]], books: Books) -> int:
    """What the person has lost under this reference, by pad, cash box and provider."""
    if attempt.begun.method == "cash":
        return sum(note["fen"] for note in entries if note["fate"] == "stacked")
    taken = sum(entry["amount_fen"] for entry in entries if entry["fate"] != "reversed")
    return taken + int(books.provider["standing"].get(attempt.reference, 0))


def _one(attempt: Attempt, entries: list[dict[str, Any]], books: Books, verdict: Verdict) -> None:
    reference, state = attempt.reference, attempt.state
    money = standing(attempt, entries, books)
    booked = books.hospital["booked"].get(reference)
    if any(entry["fate"] == "held" for entry in entries):
        verdict.add("unresolved", f"{reference} is {state} and money of it is held still")
    if attempt.begun.method == "cash":
        _notes(attempt, entries, money, verdict)
    else:
        _charges(attempt, entries, books, verdict)
    if state in ENDS and not attempt.told:
        verdict.add("unresolved", f"{reference} is {state} and finance does not know")
    if state not in ENDS:
        verdict.add("unresolved", f"{reference} is {state} for ever")
    elif state == "MANUAL" and any(entry["fate"] == "stuck" for entry in entries):
        pass  # a person opens the box: what the note is worth lies in neither book
    elif state in PERSON_CASES:
        _handed_over(attempt, money, booked, verdict)
    else:
        _agrees(attempt, money, booked, verdict)


def _charges(attempt: Attempt, cards: list[dict[str, Any]], books: Books, verdict: Verdict) -> None:
    """Once at most, and given back only after a no."""
    reference = attempt.reference
    order = books.provider["orders"].get(reference, {"charges": 0})
    charges = len(cards) + order["charges"]
    if charges > 1:
        verdict.add("double_charges", f"{reference} was charged {charges} times")
    given_back = any(entry.get("why") in OUR_RELEASES for entry in cards)
    if given_back and reference not in books.hospital["refused"]:
        verdict.add("unresolved", f"{reference} was given back before the hospital said no")


def _notes(attempt: Attempt, notes: list[dict[str, Any]], money: int, verdict: Verdict) -> None:
    """Each lies in the box and in the journal, or went back and stands in neither."""
    if money != attempt.taken_fen:
        words = f"{attempt.reference}: {money} fen lie in the box, {attempt.taken_fen} are known"
        verdict.add("lost_payments" if money > attempt.taken_fen else "booked_unpaid", words)
    stuck = any(note["fate"] == "stuck" for note in notes)
    if attempt.state in ("DECLINED", "SETTLED") and stuck:
        verdict.add("lost_payments", f"{attempt.reference} is {attempt.state}, a note is stuck")


def _agrees(attempt: Attempt, money: int, booked: int | None, verdict: Verdict) -> None:
    reference, state = attempt.reference, attempt.state
    if booked is None and money:
        verdict.add("lost_payments", f"{reference} is {state}: {money} fen, nothing booked")
    elif booked is not None and money != booked:
        verdict.add("booked_unpaid", f"{reference} is {state}: {booked} booked, {money} paid")
    elif (state == "SETTLED") != (booked is not None):
        verdict.add("unresolved", f"{reference} is {state}, booked: {booked}")


def _handed_over(attempt: Attempt, money: int, booked: int | None, verdict: Verdict) -> None:
    """A person gets only what the books really contradict."""
    reference, state = attempt.reference, attempt.state
    if state == "REFUND_DUE" and (not money or booked is not None):
        verdict.add("unresolved", f"{reference}: a refund is due, {money} fen, booked {booked}")
    if state == "MANUAL" and money == (booked or 0):
        verdict.add("unresolved", f"{reference} was handed to a person without need")


def _bills(
    attempts: list[Attempt],
    cards: dict[str, list[dict[str, Any]]],
    books: Books,
    verdict: Verdict,
) -> None:
    """Whoever paid for which bill; a person's cases have been counted already."""
    paid: dict[str, list[str]] = {}
    for attempt in attempts:
        money = standing(attempt, cards.get(attempt.reference, []), books)
        if money and attempt.state not in PERSON_CASES:
            bill = books.hospital["quotes"][attempt.begun.quote_id]
            paid.setdefault(bill, []).append(attempt.reference)
    for bill, references in paid.items():
        if len(references) > 1:
            verdict.add("double_charges", f"{bill} was paid for by {references}")
