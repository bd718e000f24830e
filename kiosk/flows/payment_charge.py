"""Has the money moved? From the first word to the pad or provider until they have said it.

Rule: what was sent and not answered is asked about, never sent again; only the pad's or the
provider's own word ends the doubt, and a contradiction goes to a person.
"""

from __future__ import annotations

from dataclasses import replace

from kiosk.flows.effects import Ask, ChargePad, Effect, ReleasePad
from kiosk.flows.effects import CancelPad as CancelAtPad
from kiosk.flows.events import (
    Event,
    Failed,
    PadApproved,
    PadCompleted,
    PadDeclined,
    PadProgressed,
    PadRecalled,
    PadReleased,
    PadSilent,
    PadUnreachable,
    Replied,
    Woke,
)
from kiosk.flows.payment_booking import paid
from kiosk.flows.payment_cash import recall_cash, take_notes
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
    person_decides,
    recall,
    tag,
    wake,
)
from kiosk.hospital.contract import (
    Charge,
    CloseOrder,
    OpenOrder,
    OrderOpened,
    PayByCode,
    QueryCharge,
)


def first_word(payment: Payment) -> tuple[Effect, ...]:
    """The only place from which money is asked for."""
    match payment.method:
        case "card":
            return (ChargePad(payment.reference, payment.amount_fen),)
        case "cash":
            return take_notes(payment)
        case "payer_code":
            request = PayByCode(payment.reference, payment.amount_fen, payment.payer_code)
            limit = wake(payment, "give_up_waiting", DELAYS_S["give_up_waiting"])
            return (Ask(tag(payment, "charge"), request), limit)
        case "shown_code":
            order = OpenOrder(payment.reference, payment.amount_fen)
            return (Ask(tag(payment, "order"), order),)


def inquire(payment: Payment) -> tuple[Effect, ...]:
    """What became of it? Closing answers too, and is asked once nobody will pay any more."""
    if payment.method == "card":
        return (recall(payment),)
    if payment.method == "cash":
        return (recall_cash(payment),)
    if payment.giving_up or payment.recovered:  # whoever began it before a restart has gone
        return (_close(payment),)
    return (Ask(tag(payment, "query"), QueryCharge(payment.reference)),)


def step_charge(payment: Payment, what: str, event: Event | GivenUp) -> Stepped:
    """From SENT or UNKNOWN."""
    match event:
        case Replied() if payment.method == "card":
            return payment, (evidence(payment, "foreign_answer"),)  # no provider was asked
        case Replied():
            return _replied(payment, what, event)
        case Failed():
            return _failed(payment, what, event)
        case Woke():
            return _timer(payment, what)
        case GivenUp():
            return _give_up(payment)
    return _pad_said(payment, event)


def _pad_said(payment: Payment, event: Event) -> Stepped:
    match event:
        case PadProgressed(_, progress):
            return replace(payment, progress=progress), ()
        case PadApproved(_, amount_fen, said):
            return _approved(payment, amount_fen, said)
        case PadDeclined(_, reason):
            return moved(replace(payment, reason=reason), "DECLINED", reason)
        case PadSilent():
            return _unknown(payment, "the pad did not answer")
        case PadRecalled():
            return _recalled(payment, event)
        case PadReleased():  # another amount than asked was held, and has gone back
            gone = replace(payment, reason="returned")
            return moved(gone, "DECLINED", "the pad gave it back")
        case PadCompleted():  # … or was kept all the same
            return person_decides(payment, "the pad kept money that nobody booked")
        case PadUnreachable():
            return ask_later(payment)
    return payment, ()


def _approved(payment: Payment, amount_fen: int, said: str) -> Stepped:
    if amount_fen != payment.amount_fen:
        # Held for another amount than asked: given back, and a person sees it.
        why = f"approved for {amount_fen} fen: {said}"
        return moved_if(payment, "UNKNOWN", why, ReleasePad(payment.reference))
    return paid(payment, said)


def _recalled(payment: Payment, recalled: PadRecalled) -> Stepped:
    match recalled.found:
        case "none":
            gone = replace(payment, reason=payment.reason or "not_charged")
            return moved(gone, "DECLINED", "the pad has no such payment")
        case "reversed":
            gone = replace(payment, reason="returned")
            return moved(gone, "DECLINED", f"the pad gave it back: {recalled.evidence}")
        case "held":
            return _approved(payment, recalled.amount_fen, recalled.evidence)
        case "completed":
            if recalled.amount_fen != payment.amount_fen:
                return person_decides(payment, f"taken {recalled.amount_fen}: {recalled.evidence}")
            return paid(replace(payment, completed=True), recalled.evidence)
        case "unclear":
            if payment.unclear + 1 >= UNCLEAR_MAX:
                return person_decides(payment, "the pad's answers prove nothing")
            return ask_later(replace(payment, unclear=payment.unclear + 1))


def _replied(payment: Payment, what: str, replied: Replied) -> Stepped:
    match replied.reply:
        case OrderOpened(url) if what == "order":
            if payment.giving_up:
                return payment, ()  # nobody will see it; it is being closed
            return replace(payment, url=url), (wake(payment, "poll", DELAYS_S["poll"]),)
        case Charge(reference) as charge if reference == payment.reference:
            return _charge_said(payment, what, charge)
    unknown, effects = _unknown(payment, "an answer that fits no question of ours")
    return unknown, (evidence(payment, "foreign_answer"), *effects)


def _charge_said(payment: Payment, what: str, charge: Charge) -> Stepped:
    match charge.state:
        case "paid":
            if charge.amount_fen != payment.amount_fen:
                return person_decides(payment, f"provider took {charge.amount_fen} fen")
            said = f"{charge.provider_reference} {charge.business_date}".strip()
            return paid(replace(payment, completed=True), said)
        case "declined" | "closed" | "reversed":
            gone = replace(payment, reason=charge.reason or charge.state)
            return moved(gone, "DECLINED", f"provider: {charge.state}")
        case "waiting":
            return payment, (wake(payment, "poll", DELAYS_S["poll"]),)
        case "not_found" if what == "close":
            return moved(replace(payment, reason="closed"), "DECLINED", "provider: not found")
        case "not_found":
            # Not final until it is closed: the charge may still be on its way to the provider.
            closing = replace(payment, giving_up=True)
            return moved_if(closing, "UNKNOWN", "provider: not found", _close(payment))
        case "unknown":
            return _unknown(payment, "the provider does not say")


def _failed(payment: Payment, what: str, failed: Failed) -> Stepped:
    if what in ("charge", "order") and failed.why == "unreachable" and payment.at == "SENT":
        gone = replace(payment, reason="hospital_away")
        return moved(gone, "DECLINED", "never sent")
    if what == "order":  # a code that nobody saw cannot be paid: closed in the background
        return _give_up(replace(payment, reason="hospital_away"))
    if what == "query":
        return ask_later(payment)
    # Closing that nobody answers is a doubt as well: the code may have been paid meanwhile.
    return _unknown(payment, f"{what}: {failed.why}")


def _timer(payment: Payment, what: str) -> Stepped:
    if what == "give_up_waiting":
        return _give_up(payment) if payment.method != "card" else (payment, ())
    if payment.at == "SENT" and payment.method == "card":
        return payment, ()  # the pad is working; its own deadline ends the wait
    return payment, inquire(payment)


def _give_up(payment: Payment) -> Stepped:
    given_up = replace(payment, giving_up=True)
    if payment.method == "card":
        return given_up, (CancelAtPad(payment.reference),) if payment.at == "SENT" else ()
    return given_up, (_close(payment),)


def _unknown(payment: Payment, why: str) -> Stepped:
    """Sent and not answered: asked about at once, and again."""
    later, again = ask_later(payment)
    unknown, moves = moved_if(later, "UNKNOWN", why)
    return unknown, (*moves, *again, *(inquire(unknown) if payment.at == "SENT" else ()))


def _close(payment: Payment) -> Effect:
    return Ask(tag(payment, "close"), CloseOrder(payment.reference))
