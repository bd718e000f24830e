"""A payment's values and the small steps that its halves share.

Rule: nothing here decides what became of money; charging and booking do (payment_charge.py,
payment_booking.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from kiosk.flows.effects import Effect, KeepAudit, KeepMove, KeepQueued, RecallPad, Wake
from kiosk.flows.events import (
    CashNoteKept,
    Event,
    Failed,
    PadApproved,
    PadCompleted,
    PadRecalled,
    Replied,
    Woke,
)
from kiosk.hospital.contract import Charge, Method, PaymentRecord, Settled

At = Literal[
    "INTENT",
    "SENT",
    "UNKNOWN",
    "DECLINED",
    "PAID",
    "BOOKING",
    "HIS_UNKNOWN",
    "HIS_REJECTED",
    "REVERSING",
    "SETTLED",
    "REVERSED",
    "REFUND_DUE",
    "REFUNDED",
    "MANUAL",
]

Way = Literal["pad", "codes", "cash", "nothing"]

FINAL: frozenset[str] = frozenset(
    {"DECLINED", "SETTLED", "REVERSED", "REFUND_DUE", "REFUNDED", "MANUAL"}
)

DELAYS_S = {
    "poll": 2.0,  # a shown or scanned code: providers ask not to be polled faster than 1 s
    "give_up_waiting": 60.0,  # a payer who has not typed the password by then has gone
    "reverse_not_before": 15.0,  # WeChat's minimum between payment and reversal
    "next_note": 120.0,  # slow hands: between two notes, or before the first
    "hold_limit": 45.0,  # a pad gives held money back by itself after a minute or more
    "ask_again_max": 30.0,  # the longest pause between two inquiries
    "doubt": 300.0,  # asked about for so long: staff must know (decision 013)
}

IN_DOUBT = "doubt"
"""Ends the key of the record that says so: by it a restart knows that it has been said."""

UNCLEAR_MAX = 10
"""Answers of the pad that prove nothing, about four minutes of them: then a person decides."""


@dataclass(frozen=True)
class Payment:
    """One attempt. `reference` is on disk before the first byte leaves and kept for ever.

    `completed`: the money is final at the pad (second phase done), or was so from the start.
    `recovered`: after a restart nobody knows what the pad was told last: recall before telling.
    `keep`: held for so long that the pad is told to keep it, though the hospital has not said.
    `returned`: the pad gave the money back before anybody asked it to: nothing may be booked.
    `in_doubt`: not final for so long that finance was told; other ways to pay go on beside it.
    `taken_fen`: notes in the box; `note_fen`: a note that shall be kept and has not been told of.
    `pad_mark`: what pad or cash box remembered before; of the box, it moves with each note.
    """

    reference: str
    method: Method
    amount_fen: int
    person: str
    quote_id: str
    begun: datetime
    number: str = field(default="", repr=False)  # index_of(): for the person's own trail
    hold_key: str = ""
    acting: str = ""
    pad_mark: str = ""
    at: At = "INTENT"
    evidence: str = ""
    reason: str = ""
    completed: bool = False
    recovered: bool = False
    giving_up: bool = False
    keep: bool = False
    returned: bool = False
    in_doubt: bool = False
    asked: int = 0
    unclear: int = 0
    taken_fen: int = 0
    note_fen: int = 0
    url: str = ""
    progress: str = ""
    settled: Settled | None = field(default=None, repr=False)
    payer_code: str = field(default="", repr=False)

    @property
    def owed_fen(self) -> int:
        """What this payment may have moved: of notes only what is in the box."""
        return self.taken_fen if self.method == "cash" else self.amount_fen

    @property
    def final(self) -> bool:
        return self.at in FINAL

    @property
    def way(self) -> Way:
        """Whose ledger knows of it: pad, code provider, cash box, or nobody (own part 0)."""
        if self.amount_fen == 0:
            return "nothing"
        ways: dict[Method, Way] = {"card": "pad", "cash": "cash"}
        return ways.get(self.method, "codes")


@dataclass(frozen=True)
class GivenUp:
    """The person turned away from this attempt: close the order, or cancel at the pad."""


Stepped = tuple[Payment, tuple[Effect, ...]]


def tag(payment: Payment, what: str) -> str:
    """`pay:<reference>:<what>`: how answers and timers find their payment."""
    return f"pay:{payment.reference}:{what}"


def what_of(event: Event | GivenUp) -> str:
    """The last part of a tag: charge, query, close, order, settle, settlement, reverse, …"""
    match event:
        case Replied(full, _) | Failed(full, _) | Woke(full):
            return full.rpartition(":")[2]
    return ""


def moved(payment: Payment, at: At, evidence: str = "") -> Stepped:
    """A new state, durable before anything else of this step is done.

    An end and the word of it to finance are one commit: the effects of a step are recorded whole.
    """
    now = replace(payment, at=at, asked=0, unclear=0)
    keep = KeepMove(payment.reference, at, evidence)
    if now.final:
        return now, (keep, tell_finance(now, at, evidence))
    return now, (keep, *doubt_watch(now)) if payment.at == "SENT" else (keep,)


def moved_if(payment: Payment, at: At, evidence: str, *more: Effect) -> Stepped:
    """Like moved(), but staying where one is leaves no second row."""
    if payment.at == at:
        return payment, more
    now, keep = moved(payment, at, evidence)
    return replace(now, asked=payment.asked, unclear=payment.unclear), (*keep, *more)


def ask_later(payment: Payment, what: str = "ask") -> Stepped:
    """The same question again, after a pause that grows."""
    later = replace(payment, asked=payment.asked + 1)
    return later, (wake(later, what, pause_s(later)),)


def pause_s(payment: Payment) -> float:
    """2, 4, 8 … s between two inquiries."""
    return min(2.0 ** min(payment.asked, 10), DELAYS_S["ask_again_max"])


def wake(payment: Payment, what: str, after_s: float) -> Effect:
    return Wake(tag(payment, what), after_s)


def recall(payment: Payment) -> Effect:
    """Ask the pad what became of this payment; never repeats the charge."""
    return RecallPad(payment.reference, payment.amount_fen, payment.begun, payment.pad_mark)


def person_decides(payment: Payment, why: str) -> Stepped:
    """A contradiction: kept with its evidence, never decided by us."""
    doubt: At = "UNKNOWN" if payment.at in ("SENT", "UNKNOWN") else "HIS_UNKNOWN"
    unknown, before = moved_if(payment, doubt, why)
    manual, keep = moved(unknown, "MANUAL", why)
    return manual, (*before, *keep)


def tell_finance(payment: Payment, word: str, why: str) -> Effect:
    """Each `word` once a payment: the key of an outbox record is never used again."""
    at = payment.begun
    record = PaymentRecord(payment.reference, payment.at, payment.owed_fen, at, why)
    return KeepQueued("payment", f"{payment.reference}-{word}", payment.number, record)


def doubt_watch(payment: Payment) -> tuple[Effect, ...]:
    """The time after which staff are told: from SENT on, since until then a person may be paying.

    After a restart it counts anew, unless it has been told.
    """
    return () if payment.in_doubt else (wake(payment, "doubt", DELAYS_S["doubt"]),)


def doubtful(payment: Payment) -> Stepped:
    """Still not final: finance sees it; asking goes on as before, and no state is skipped."""
    if payment.in_doubt:
        return payment, ()
    told = evidence(payment, "in_doubt")
    doubt = replace(payment, in_doubt=True)
    return doubt, (told, tell_finance(doubt, IN_DOUBT, "asked about for long"))


def evidence(payment: Payment, cause: str) -> Effect:
    """An answer that is kept and applied to nobody."""
    return KeepAudit("payment_evidence", reference=payment.reference, fields=(("cause", cause),))


def late(payment: Payment, event: Event | GivenUp) -> tuple[Effect, ...]:
    """After the end: evidence only where it contradicts, and never applied."""
    match event:
        case (
            PadApproved()
            | CashNoteKept()
            | PadCompleted()
            | PadRecalled(_, "held" | "completed")
            | Replied(_, Charge(state="paid"))
        ) if payment.at in ("DECLINED", "REVERSED"):
            return (evidence(payment, "money_after_end"),)
        case Replied(_, Settled()) if payment.at != "SETTLED":
            return (evidence(payment, "booked_after_end"),)
    return ()
