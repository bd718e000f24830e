"""One attempt to move money, from intent to an end that the pad's or provider's ledger confirms.

The states are DESIGN.md §5's. A payment outlives the session that began it: the page may be gone,
the process may have been killed, the saga goes on asking. Rules kept here, in this order of force:

* what was sent and not answered is UNKNOWN: asked about, never sent again, never shown as failed;
* money is given back only when the provider says what became of it and the hospital has
  definitely not booked; while the hospital's answer is unknown nothing is reversed;
* the pad holds the money (two phases) until the hospital has booked;
* an answer counts only for its own reference and amount; another amount is evidence for a person.

Every question is answered in the end (the workers see to it), and every answer ends the payment,
asks on, or asks again after a pause: so a payment ends when pad and hospital answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from kiosk.flows.effects import KeepMove, KeepPayment
from kiosk.flows.events import CashNoteKept, CashSaid, Event, PadSaid, Woke
from kiosk.flows.payment_booking import (
    look_again,
    paid,
    reverse,
    reverse_again,
    step_booking,
    step_reversing,
)
from kiosk.flows.payment_cash import step_cash
from kiosk.flows.payment_charge import first_word, inquire, step_charge
from kiosk.flows.payment_state import (
    DELAYS_S,
    FINAL,
    UNCLEAR_MAX,
    At,
    GivenUp,
    Payment,
    Stepped,
    Way,
    doubt_watch,
    doubtful,
    evidence,
    late,
    moved,
    tag,
    what_of,
)

__all__ = [
    "DELAYS_S",
    "FINAL",
    "UNCLEAR_MAX",
    "At",
    "GivenUp",
    "Payment",
    "Stepped",
    "Way",
    "begin",
    "closed_ways",
    "pending",
    "recover",
    "step",
    "tag",
    "ways_in_doubt",
]


def begin(payment: Payment) -> Stepped:
    """Intent and sending are durable together, before the first byte leaves."""
    assert payment.at == "INTENT" and payment.amount_fen >= 0
    sent = replace(payment, at="SENT", payer_code="")
    keep = (
        KeepPayment(replace(payment, payer_code="")),
        KeepMove(payment.reference, "SENT"),
    )
    if payment.amount_fen == 0:
        booking, effects = paid(replace(sent, completed=True), "own part 0")
        return booking, (*keep, *effects)
    return sent, (*keep, *first_word(payment))


def recover(payment: Payment) -> Stepped:
    """After a restart: settle what was open by asking, never by charging again."""
    now, effects = _recover(payment)
    return now, effects if now.final else (*effects, *doubt_watch(now))


def _recover(payment: Payment) -> Stepped:
    found = replace(payment, recovered=True, asked=0, unclear=0)
    match payment.at:
        case "INTENT":  # SENT is durable before the first byte: nothing was sent
            return moved(found, "DECLINED", "never sent")
        case "SENT":
            unknown, keep = moved(found, "UNKNOWN", "restarted")
            return unknown, (*keep, *inquire(unknown))
        case "UNKNOWN":
            return found, inquire(found)
        case "PAID":
            booking, keep = moved(found, "BOOKING")
            return booking, (*keep, *look_again(booking))
        case "BOOKING":
            unknown, keep = moved(found, "HIS_UNKNOWN", "restarted")
            return unknown, (*keep, *look_again(unknown))
        case "HIS_UNKNOWN":
            return found, look_again(found)
        case "HIS_REJECTED":
            return reverse(found)
        case "REVERSING":
            return reverse_again(found)
    return found, ()


def closed_ways(payments: Iterable[Payment]) -> frozenset[Way]:
    """Where nothing may be begun: one open payment a terminal, and after long doubt one a way.

    Pad and provider each keep a ledger of their own and name a reference in every answer, so a
    doubt at one says nothing about the other. On its own way the doubtful one stays alone.
    """
    unsettled = [payment for payment in payments if not payment.final]
    if any(not payment.in_doubt for payment in unsettled):
        return frozenset(("pad", "codes", "cash", "nothing"))
    return ways_in_doubt(unsettled)


def ways_in_doubt(payments: Iterable[Payment]) -> frozenset[Way]:
    """Ways on which somebody's payment has been asked about for long; of insurers' alone, none."""
    doubtful = [one for one in payments if one.in_doubt and not one.final]
    return frozenset(one.way for one in doubtful if one.way != "nothing")


def pending(payments: Iterable[Payment], person: str) -> bool:
    """Nothing can be paid now, or not by this person: whoever is in doubt must not pay twice."""
    unsettled = [payment for payment in payments if not payment.final]
    theirs = any(payment.person == person for payment in unsettled)
    return theirs or {"pad", "codes"} <= closed_ways(unsettled)


def step(payment: Payment, event: Event | GivenUp) -> Stepped:
    """The next state. Late, repeated and foreign answers change nothing."""
    if payment.final:
        return payment, late(payment, event)
    if isinstance(event, PadSaid) and payment.method != "card":
        return payment, (evidence(payment, "foreign_answer"),)  # no pad was asked for this one
    if isinstance(event, CashSaid) and payment.method != "cash":
        return payment, (evidence(payment, "foreign_answer"),)
    what = what_of(event)
    if isinstance(event, Woke) and what == "doubt":
        return doubtful(payment)
    match payment.at:
        case "SENT" | "UNKNOWN" if payment.method == "cash":
            return step_cash(payment, what, event)
        case _ if isinstance(event, CashNoteKept):  # the box was to take no more
            return payment, (evidence(payment, "money_after_end"),)
        case "SENT" | "UNKNOWN":
            return step_charge(payment, what, event)
        case "BOOKING" | "HIS_UNKNOWN":
            return step_booking(payment, what, event)
        case "REVERSING":
            return step_reversing(payment, what, event)
    raise AssertionError(f"{payment.at} is left in the step that enters it")
