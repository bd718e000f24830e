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

from kiosk.flows.payment import Payment
from kiosk.hospital.contract import from_json
from offline.clock import Clock
from offline.database import SqliteDatabase
from offline.journal import Journal
from offline.outbox import Outbox
from offline.store import Store
from offline.vault import Vault

PROMISES = ("double_charges", "lost_payments", "booked_unpaid", "unresolved")
PERSON_CASES = ("MANUAL", "REFUND_DUE")
ENDS = ("DECLINED", "SETTLED", "REVERSED", "REFUNDED", *PERSON_CASES)
OUR_RELEASE = "not issued"
"""The pad's own word for a payment that the terminal told it to give back."""


@dataclass(frozen=True)
class Attempt:
    """What the terminal's journal says of one attempt; `told`: finance's record is queued."""

    reference: str
    begun: Payment
    state: str
    told: bool


@dataclass(frozen=True)
class Books:
    """What the three others wrote, each its own."""

    pad: list[dict[str, Any]]
    provider: dict[str, Any]
    hospital: dict[str, Any]


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
    payment = Journal(store).payment(reference)
    assert payment is not None and isinstance(payment.subject, bytes)
    begun: Payment = from_json(Payment, payment.subject)
    state = payment.state.value.upper()
    told = Outbox(store).show(f"{reference}-{state}") is not None
    return Attempt(reference, begun, state, told)


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
    """The pad carries no reference: an entry is of the card attempt begun last before it."""
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in books.pad:
        at = datetime.fromisoformat(entry["at"])
        before = [
            one.reference
            for one in attempts
            if one.begun.method == "card"
            and one.begun.begun.replace(tzinfo=None, microsecond=0) <= at
        ]
        if before:
            found.setdefault(before[-1], []).append(entry)
        else:
            verdict.add("lost_payments", "a card was charged and no journal knows of it")
    return found


def standing(attempt: Attempt, cards: list[dict[str, Any]], books: Books) -> int:
    """What the person has lost under this reference, by pad and provider."""
    taken = sum(entry["amount_fen"] for entry in cards if entry["fate"] != "reversed")
    return taken + int(books.provider["standing"].get(attempt.reference, 0))


def _one(attempt: Attempt, cards: list[dict[str, Any]], books: Books, verdict: Verdict) -> None:
    reference, state = attempt.reference, attempt.state
    money = standing(attempt, cards, books)
    booked = books.hospital["booked"].get(reference)
    order = books.provider["orders"].get(reference, {"charges": 0})
    charges = len(cards) + order["charges"]
    if charges > 1:
        verdict.add("double_charges", f"{reference} was charged {charges} times")
    if any(entry["fate"] == "held" for entry in cards):
        verdict.add("unresolved", f"{reference} is {state} and the pad holds it still")
    given_back = any(entry["why"] == OUR_RELEASE for entry in cards)
    if given_back and reference not in books.hospital["refused"]:
        verdict.add("unresolved", f"{reference} was given back before the hospital said no")
    if state in ENDS and not attempt.told:
        verdict.add("unresolved", f"{reference} is {state} and finance does not know")
    if state not in ENDS:
        verdict.add("unresolved", f"{reference} is {state} for ever")
    elif state in PERSON_CASES:
        _handed_over(attempt, money, booked, verdict)
    else:
        _agrees(attempt, money, booked, verdict)


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
