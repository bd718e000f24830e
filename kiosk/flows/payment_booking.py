"""Has the hospital booked it, and if not: how the money goes back.

Rule: money is given back only after the hospital's definite no; while its answer is unknown it is
asked again under the same reference, and the pad holds or keeps the money.
"""

from __future__ import annotations

from dataclasses import replace

from kiosk.flows.effects import Ask, CompletePad, Effect, KeepReturned, ReleasePad
from kiosk.flows.events import (
    Event,
    Failed,
    PadCompleted,
    PadRecalled,
    PadReleased,
    PadSilent,
    PadUnreachable,
    Replied,
    Woke,
)
from kiosk.flows.payment_state import (
    DELAYS_S,
    UNCLEAR_MAX,
    GivenUp,
    Payment,
    Stepped,
    ask_later,
    evidence,
    moved,
    moved_if,
    pause_s,
    person_decides,
    recall,
    tag,
    wake,
)
from kiosk.hospital.contract import (
    Charge,
    QuerySettlement,
    ReverseCharge,
    Settle,
    Settled,
    SettlementNotFound,
    SettleRefused,
)

QUESTIONS = ("settle", "settlement")
"""Tags of what the hospital is asked while booking; other answers are older and change nothing."""


def paid(payment: Payment, said: str) -> Stepped:
    """The money is held or taken: say so durably, then book."""
    now, keep = moved(replace(payment, evidence=said, recovered=False), "PAID", said)
    booking, more = moved(now, "BOOKING")
    return booking, (*keep, *more, _settle(booking), *_hold_limit(booking))


def look_again(payment: Payment) -> tuple[Effect, ...]:
    """After a restart: whether the pad still has the money comes before booking it."""
    sure = payment.completed or payment.returned
    return (_settle(payment),) if sure else (recall(payment),)


def _hold_limit(payment: Payment) -> tuple[Effect, ...]:
    if payment.completed:
        return ()
    return (wake(payment, "hold_limit", DELAYS_S["hold_limit"]),)


def _settle(payment: Payment) -> Effect:
    """Idempotent by reference: sending it again is asking.

    Once the pad has given the money back nothing may be booked any more: asking then closes the
    reference at the hospital.
    """
    if payment.returned:
        return Ask(tag(payment, "settlement"), QuerySettlement(payment.reference))
    request = Settle(
        reference=payment.reference,
        person=payment.person,
        quote_id=payment.quote_id,
        amount_fen=payment.amount_fen,
        method=payment.method,
        evidence=payment.evidence,
        hold_key=payment.hold_key,
        acting=payment.acting,
    )
    return Ask(tag(payment, "settle"), request)


def step_booking(payment: Payment, what: str, event: Event | GivenUp) -> Stepped:
    """From BOOKING or HIS_UNKNOWN."""
    match event:
        case Replied() if what in QUESTIONS:
            return _hospital_said(payment, event)
        case Failed() if what in QUESTIONS:
            return _his_unknown(payment, f"hospital: {event.why}")
        case Woke():
            return _booking_timer(payment, what)
        case PadCompleted() | PadRecalled(_, "held" | "completed") if payment.returned:
            return person_decides(payment, "the pad gave it back and has it all the same")
        case PadCompleted():
            return _settle_if_booked(replace(payment, completed=True))
        case PadRecalled():
            return _recalled(payment, event)
        case PadReleased():
            return _money_went_back(payment)
        case PadSilent() | PadUnreachable():
            return _pad_mute(payment)
    return payment, ()


def _hospital_said(payment: Payment, replied: Replied) -> Stepped:
    match replied.reply:
        case Settled(reference) as settled if reference == payment.reference:
            if payment.returned:
                why = f"booked {settled.receipt_number}, money returned"
                return person_decides(payment, why)
            return _settle_if_booked(replace(payment, settled=settled))
        case SettleRefused(reference, reason) if reference == payment.reference:
            return _refused(payment, reason)
        case SettlementNotFound(reference) if reference == payment.reference:
            return _refused(payment, "closed")  # final: asking has closed the reference
    unknown, effects = _his_unknown(payment, "an answer that fits no question of ours")
    return unknown, (evidence(payment, "foreign_answer"), *effects)


def _his_unknown(payment: Payment, why: str) -> Stepped:
    later, again = ask_later(payment)
    return moved_if(later, "HIS_UNKNOWN", why, *again)


def _pad_mute(payment: Payment) -> Stepped:
    """Asked again. Booked already: whoever waits must not wait for a pad that may be gone."""
    later, again = ask_later(payment, "recall")
    if payment.settled is None:
        return later, again  # the hospital's answer ends the wait, or the want of one
    return moved_if(later, "HIS_UNKNOWN", "booked; the pad does not say that it keeps it", *again)


def _recalled(payment: Payment, recalled: PadRecalled) -> Stepped:
    # After a restart the hospital is asked only once the pad has said that the money is there.
    book = (_settle(payment),) if payment.recovered and payment.settled is None else ()
    known = replace(payment, recovered=False)
    match recalled.found:
        case "completed":
            booked, effects = _settle_if_booked(replace(known, completed=True))
            return booked, (*book, *effects)
        case "held" if payment.settled is not None or payment.keep:
            return known, (*book, CompletePad(payment.reference))
        case "held":
            return known, (*book, *(_hold_limit(known) if book else ()))
        case "unclear":
            return _unclear(payment)
        case "none" | "reversed":
            return _money_went_back(known)


def _unclear(payment: Payment) -> Stepped:
    if payment.unclear + 1 >= UNCLEAR_MAX:
        return person_decides(payment, "the pad's answers prove nothing")
    return ask_later(replace(payment, unclear=payment.unclear + 1), "recall")


def _settle_if_booked(payment: Payment) -> Stepped:
    if payment.settled is None:
        return payment, ()
    if payment.completed:
        return moved(payment, "SETTLED", payment.settled.receipt_number)
    return payment, (CompletePad(payment.reference),)


def _refused(payment: Payment, reason: str) -> Stepped:
    rejected, keep = moved(replace(payment, reason=reason), "HIS_REJECTED", reason)
    if payment.returned:  # it is back already, and now nothing will be booked
        reversing, more = moved(rejected, "REVERSING", "the pad gave it back")
        reversed_, last = moved(reversing, "REVERSED", "the pad gave it back")
        return reversed_, (*keep, *more, *last)
    reversing, more = reverse(rejected)
    return reversing, (*keep, *more)


def _money_went_back(payment: Payment) -> Stepped:
    """The pad returned the money before we said so: close the reference at the hospital."""
    if payment.returned:
        return payment, ()  # asked already, and asked again until it is answered
    if payment.settled is not None:
        return person_decides(payment, "booked, but the pad gave the money back")
    returned = replace(payment, returned=True)
    return returned, (KeepReturned(payment.reference), _settle(returned))


def _booking_timer(payment: Payment, what: str) -> Stepped:
    match what:
        case "hold_limit" if not (payment.completed or payment.settled or payment.returned):
            # Nothing is reversed while the hospital may have booked: the money is taken for
            # good and the booking goes on being asked for.
            return replace(payment, keep=True), (CompletePad(payment.reference),)
        case "recall":
            return payment, (recall(payment),)
        case "ask":
            return payment, (_settle(payment),)
    return payment, ()


# --- giving it back ------------------------------------------------------------------------------


def reverse(payment: Payment) -> Stepped:
    """Only from HIS_REJECTED: the hospital has definitely not booked."""
    assert payment.at == "HIS_REJECTED"
    reversing, moves = moved(payment, "REVERSING")
    if payment.amount_fen == 0:
        reversed_, last = moved(reversing, "REVERSED", "nothing was taken")
        return reversed_, (*moves, *last)
    stays, more = reverse_again(reversing)
    return stays, (*moves, *more)


def reverse_again(payment: Payment) -> Stepped:
    """Also after a restart. What lies in the cash box no machine gives back: a person does."""
    if payment.method == "cash":
        return _refund_due(payment, "notes are in the box")
    return payment, _ask_reversal(payment)


def _ask_reversal(payment: Payment) -> tuple[Effect, ...]:
    """Codes after the provider's minimum; a pad is looked at first when it may have decided."""
    if payment.method != "card":
        return (wake(payment, "reverse", DELAYS_S["reverse_not_before"]),)
    if payment.recovered or payment.completed or payment.keep:
        return (recall(payment),)
    return (ReleasePad(payment.reference),)


def step_reversing(payment: Payment, what: str, event: Event | GivenUp) -> Stepped:
    """From REVERSING. Older timers and answers of the charge or the booking change nothing."""
    match event:
        case PadReleased() | PadRecalled(_, "reversed" | "none"):
            return moved(payment, "REVERSED", "the pad gave it back")
        case PadRecalled(_, "held"):
            return payment, (ReleasePad(payment.reference),)
        case PadRecalled(_, "completed") | PadCompleted():
            return _refund_due(payment, "final at the pad")
        case PadRecalled(_, "unclear") if payment.unclear + 1 >= UNCLEAR_MAX:
            return _refund_due(payment, "the pad's answers prove nothing")
        case PadRecalled(_, "unclear"):
            return ask_later(replace(payment, unclear=payment.unclear + 1), "recall")
        case PadSilent() | PadUnreachable():
            return ask_later(payment, "recall")
        case Replied(_, Charge(payment.reference) as charge) if what == "reverse":
            return _reversal_said(payment, charge)
        case Replied() | Failed() if what == "reverse":
            return _reverse_later(payment)
        case Replied(_, Settled()):
            return payment, (evidence(payment, "booked_after_refusal"),)
        case Woke() if what == "recall" and payment.method == "card":
            return payment, (recall(payment),)
        case Woke() if what == "reverse" and payment.method in ("payer_code", "shown_code"):
            return payment, (Ask(tag(payment, "reverse"), ReverseCharge(payment.reference)),)
    return payment, ()


def _reversal_said(payment: Payment, charge: Charge) -> Stepped:
    match charge.state:
        case "reversed" | "closed":
            return moved(payment, "REVERSED", f"provider: {charge.state}")
        case "paid" | "declined" | "not_found":  # what it took it does not give, or knows no more
            return _refund_due(payment, f"provider will not reverse: {charge.reason}")
        case "waiting" | "unknown":
            return _reverse_later(payment)


def _reverse_later(payment: Payment) -> Stepped:
    """The provider's minimum holds between two tries as well."""
    later = replace(payment, asked=payment.asked + 1)
    after_s = max(pause_s(later), DELAYS_S["reverse_not_before"])
    return later, (wake(later, "reverse", after_s),)


def _refund_due(payment: Payment, why: str) -> Stepped:
    return moved(payment, "REFUND_DUE", why)
