"""One attempt to move money, from intent to an end that the pad's or provider's ledger confirms.

The states are DESIGN.md §5's. A payment outlives the session that began it: the page may be gone,
the process may have been killed, the saga goes on asking. Rules kept here, in this order of force:

* what was sent and not answered is UNKNOWN: asked about, never sent again, never shown as failed;
* money is given back only when the provider says what became of it and the hospital has
  definitely not booked; while the hospital's answer is unknown nothing is reversed;
* the pad holds the money (two phases) until the hospital has booked;
* an answer counts only for its own reference and amount; another amount is evidence for a person.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from kiosk.flows.effects import (
    Ask,
    ChargePad,
    CompletePad,
    Effect,
    KeepAudit,
    KeepMove,
    KeepPayment,
    KeepQueued,
    RecallPad,
    ReleasePad,
    Wake,
)
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
from kiosk.flows.scene import Scene
from kiosk.hospital.contract import (
    Charge,
    CloseOrder,
    Method,
    OpenOrder,
    OrderOpened,
    PayByCode,
    PaymentRecord,
    QueryCharge,
    QuerySettlement,
    ReverseCharge,
    Settle,
    Settled,
    SettlementNotFound,
    SettleRefused,
)

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

FINAL: frozenset[str] = frozenset(
    {"DECLINED", "SETTLED", "REVERSED", "REFUND_DUE", "REFUNDED", "MANUAL"}
)

DELAYS_S = {
    "poll": 2.0,  # a shown or scanned code: providers ask not to be polled faster than 1 s
    "give_up_waiting": 60.0,  # a payer who has not typed the password by then has gone
    "reverse_not_before": 15.0,  # WeChat's minimum between payment and reversal
    "hold_limit": 45.0,  # a pad gives held money back by itself after a minute or more
    "ask_again_max": 30.0,  # the longest pause between two inquiries
}


@dataclass(frozen=True)
class Payment:
    """One attempt. `reference` is on disk before the first byte leaves and kept for ever.

    `completed`: the money is final at the pad (second phase done), or was so from the start.
    `recovered`: after a restart nobody knows what the pad was told last: recall before telling.
    """

    reference: str
    method: Method
    amount_fen: int
    person: str
    quote_id: str
    begun: datetime
    number: str = field(default="", repr=False)  # the ID number: for the person's own trail
    hold_key: str = ""
    acting: str = ""
    pad_mark: str = ""
    at: At = "INTENT"
    evidence: str = ""
    reason: str = ""
    completed: bool = False
    recovered: bool = False
    giving_up: bool = False
    asked: int = 0
    url: str = ""
    progress: str = ""
    settled: Settled | None = field(default=None, repr=False)
    payer_code: str = field(default="", repr=False)

    @property
    def final(self) -> bool:
        return self.at in FINAL


@dataclass(frozen=True)
class GivenUp:
    """The person turned away from this attempt: close the order, or cancel at the pad."""


Stepped = tuple[Payment, tuple[Effect, ...]]


def tag(payment: Payment, what: str) -> str:
    """`pay:<reference>:<what>`: how answers and timers find their payment."""
    return f"pay:{payment.reference}:{what}"


def begin(payment: Payment, scene: Scene) -> Stepped:
    """Intent and sending are durable together, before the first byte leaves."""
    assert payment.at == "INTENT" and payment.amount_fen >= 0
    sent = replace(payment, at="SENT", payer_code="")
    keep: tuple[Effect, ...] = (
        KeepPayment(replace(payment, payer_code="")),
        KeepMove(payment.reference, "SENT"),
    )
    if payment.amount_fen == 0:
        booking, effects = _paid(replace(sent, completed=True), "own part 0")
        return booking, (*keep, *effects)
    return sent, (*keep, *_first_word(payment))


def _first_word(payment: Payment) -> tuple[Effect, ...]:
    match payment.method:
        case "card":
            return (ChargePad(payment.reference, payment.amount_fen),)
        case "payer_code":
            request = PayByCode(payment.reference, payment.amount_fen, payment.payer_code)
            return (Ask(tag(payment, "charge"), request), _give_up_timer(payment))
        case "shown_code":
            order = OpenOrder(payment.reference, payment.amount_fen)
            return (Ask(tag(payment, "order"), order),)


def recover(payment: Payment) -> Stepped:
    """After a restart: settle what was open by asking, never by charging again."""
    found = replace(payment, recovered=True, asked=0)
    match payment.at:
        case "INTENT":  # SENT is durable before the first byte: nothing was sent
            return _moved(found, "DECLINED", "never sent")
        case "SENT":
            unknown, keep = _moved(found, "UNKNOWN", "restarted")
            return unknown, (*keep, *_inquire(unknown))
        case "UNKNOWN":
            return found, _inquire(found)
        case "PAID":
            return _book(found)
        case "BOOKING":
            unknown, keep = _moved(found, "HIS_UNKNOWN", "restarted")
            return unknown, (*keep, _settle(unknown))
        case "HIS_UNKNOWN":
            return found, (_settle(found),)
        case "HIS_REJECTED":
            return _reverse(found, ())
        case "REVERSING":
            return found, _ask_reversal(found)
    return found, ()


def step(payment: Payment, event: Event | GivenUp, scene: Scene) -> Stepped:
    """The next state. Late, repeated and foreign answers change nothing."""
    if payment.final:
        return payment, _late(payment, event)
    what = _what(event)
    match payment.at:
        case "SENT" | "UNKNOWN":
            return _step_charge(payment, what, event, scene)
        case "BOOKING" | "HIS_UNKNOWN":
            return _step_booking(payment, what, event)
        case "REVERSING":
            return _step_reversing(payment, what, event)
    raise AssertionError(f"{payment.at} is left in the step that enters it")


# --- has the money moved? ------------------------------------------------------------------------


def _step_charge(payment: Payment, what: str, event: Event | GivenUp, scene: Scene) -> Stepped:
    match event:
        case PadProgressed(_, progress):
            return replace(payment, progress=progress), ()
        case PadApproved(_, amount_fen, evidence):
            return _approved(payment, amount_fen, evidence)
        case PadDeclined(_, reason) if payment.at == "SENT" or payment.method == "card":
            return _moved(replace(payment, reason=reason), "DECLINED", reason)
        case PadSilent():
            return _unknown(payment, "the pad did not answer")
        case PadRecalled():
            return _recalled(payment, event)
        case PadReleased() | PadUnreachable():
            return _ask_later(payment)
        case Replied(_, OrderOpened(url)):
            return replace(payment, url=url), (_wake(payment, "poll", DELAYS_S["poll"]),)
        case Replied(_, Charge() as charge):
            return _charge_said(payment, what, charge)
        case Failed():
            return _charge_failed(payment, what, event)
        case Woke():
            return _charge_timer(payment, what)
        case GivenUp():
            return _give_up(payment)
    return payment, ()


def _approved(payment: Payment, amount_fen: int, evidence: str) -> Stepped:
    if amount_fen != payment.amount_fen:
        # Held for another amount than asked: given back, and a person sees it.
        said = f"approved for {amount_fen} fen: {evidence}"
        unknown, keep = _moved(payment, "UNKNOWN", said)
        return unknown, (*keep, ReleasePad(payment.reference))
    return _paid(payment, evidence)


def _recalled(payment: Payment, recalled: PadRecalled) -> Stepped:
    match recalled.found:
        case "none":
            gone = replace(payment, reason=payment.reason or "not_charged")
            return _moved(gone, "DECLINED", "the pad has no such payment")
        case "reversed":
            gone = replace(payment, reason="returned")
            return _moved(gone, "DECLINED", f"the pad gave it back: {recalled.evidence}")
        case "held":
            return _approved(payment, recalled.amount_fen, recalled.evidence)
        case "completed":
            if recalled.amount_fen != payment.amount_fen:
                return _person_decides(payment, f"taken {recalled.amount_fen}: {recalled.evidence}")
            return _paid(replace(payment, completed=True), recalled.evidence)
        case "unclear":
            return _ask_later(payment)


def _charge_said(payment: Payment, what: str, charge: Charge) -> Stepped:
    if charge.reference != payment.reference:
        return payment, (_foreign(payment),)
    match charge.state:
        case "paid":
            if charge.amount_fen != payment.amount_fen:
                return _person_decides(payment, f"provider took {charge.amount_fen} fen")
            evidence = f"{charge.provider_reference} {charge.business_date}".strip()
            return _paid(replace(payment, completed=True), evidence)
        case "declined" | "closed" | "reversed":
            gone = replace(payment, reason=charge.reason or charge.state)
            return _moved(gone, "DECLINED", f"provider: {charge.state}")
        case "waiting":
            return payment, (_wake(payment, "poll", DELAYS_S["poll"]),)
        case "not_found" if what == "close":
            return _moved(replace(payment, reason="closed"), "DECLINED", "provider: not found")
        case "not_found":
            # Not final until it is closed: the charge may still be on its way to the provider.
            return _moved_if(payment, "UNKNOWN", "provider: not found", _close(payment))
        case "unknown":
            return _unknown(payment, "the provider does not say")


def _charge_failed(payment: Payment, what: str, failed: Failed) -> Stepped:
    if what in ("charge", "order") and failed.why == "unreachable":
        gone = replace(payment, reason="hospital_away")
        return _moved(gone, "DECLINED", "never sent")
    if what == "order":  # a code that nobody saw cannot be paid: closed in the background
        return _give_up(replace(payment, reason="hospital_away"))
    if what == "charge":
        return _unknown(payment, f"charge: {failed.why}")
    return _ask_later(payment)


def _charge_timer(payment: Payment, what: str) -> Stepped:
    if what == "give_up_waiting":
        return _give_up(payment) if payment.method != "card" else (payment, ())
    if payment.at == "SENT" and payment.method == "card":
        return payment, ()  # the pad is working; its own deadline ends the wait
    return payment, _inquire(payment)


def _give_up(payment: Payment) -> Stepped:
    given_up = replace(payment, giving_up=True)
    if payment.method == "card":
        return given_up, (CancelAtPad(payment.reference),) if payment.at == "SENT" else ()
    return given_up, (_close(payment),)


def _unknown(payment: Payment, evidence: str) -> Stepped:
    unknown, keep = _ask_later(payment)
    moved, moves = _moved_if(unknown, "UNKNOWN", evidence)
    return moved, (*moves, *keep, *(_inquire(moved) if payment.at == "SENT" else ()))


def _inquire(payment: Payment) -> tuple[Effect, ...]:
    if payment.method == "card":
        return (_recall(payment),)
    if payment.giving_up or (payment.recovered and payment.method == "shown_code"):
        return (_close(payment),)
    return (Ask(tag(payment, "query"), QueryCharge(payment.reference)),)


def _close(payment: Payment) -> Effect:
    return Ask(tag(payment, "close"), CloseOrder(payment.reference))


# --- has the hospital booked it? -----------------------------------------------------------------


def _paid(payment: Payment, evidence: str) -> Stepped:
    """The money is held or taken: say so durably, then book."""
    paid, keep = _moved(replace(payment, evidence=evidence), "PAID", evidence)
    booking, effects = _book(paid)
    limit = () if paid.completed else (_wake(paid, "hold_limit", DELAYS_S["hold_limit"]),)
    return booking, (*keep, *effects, *limit)


def _book(payment: Payment) -> Stepped:
    booking, keep = _moved(payment, "BOOKING")
    return booking, (*keep, _settle(booking))


def _settle(payment: Payment) -> Effect:
    """Idempotent by reference: sending it again is asking."""
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


def _step_booking(payment: Payment, what: str, event: Event | GivenUp) -> Stepped:
    match event:
        case Replied(_, Settled() as settled) if settled.reference == payment.reference:
            return _booked(payment, settled, what)
        case Replied(_, SettleRefused(reference, reason)) if reference == payment.reference:
            return _refused(payment, reason, what)
        case Replied(_, SettlementNotFound()):
            return _ask_later(payment)
        case Failed():
            later, wake = _ask_later(payment)
            unknown, keep = _moved_if(later, "HIS_UNKNOWN", f"hospital: {event.why}")
            return unknown, (*keep, *wake)
        case Woke():
            return _booking_timer(payment, what)
        case PadCompleted():
            return _settle_if_booked(replace(payment, completed=True))
        case PadRecalled(_, "completed"):
            return _settle_if_booked(replace(payment, completed=True, recovered=False))
        case PadRecalled(_, "held"):
            held = replace(payment, recovered=False)
            return held, (CompletePad(payment.reference),) if payment.settled else ()
        case PadRecalled(_, "unclear"):
            return payment, (_wake(payment, "recall", DELAYS_S["ask_again_max"]),)
        case PadRecalled() | PadReleased():
            return _money_went_back(payment)
        case PadSilent() | PadUnreachable():
            return payment, (_wake(payment, "recall", _pause_s(payment)),)
    return payment, ()


def _booked(payment: Payment, settled: Settled, what: str) -> Stepped:
    if what == "settlement":  # asked because the pad gave the money back: booked without money
        return _person_decides(payment, f"booked {settled.receipt_number}, money returned")
    return _settle_if_booked(replace(payment, settled=settled))


def _recall(payment: Payment) -> Effect:
    return RecallPad(payment.reference, payment.amount_fen, payment.begun, payment.pad_mark)


def _settle_if_booked(payment: Payment) -> Stepped:
    if payment.settled is None:
        return payment, ()
    if payment.completed:
        return _moved(payment, "SETTLED", payment.settled.receipt_number)
    if payment.recovered:
        return payment, (_recall(payment),)
    return payment, (CompletePad(payment.reference),)


def _refused(payment: Payment, reason: str, what: str) -> Stepped:
    rejected, keep = _moved(replace(payment, reason=reason), "HIS_REJECTED", reason)
    if what == "settlement":  # the pad has given it back already, and now nothing will be booked
        reversing, more = _moved(rejected, "REVERSING", "the pad gave it back")
        reversed_, last = _moved(reversing, "REVERSED", "the pad gave it back")
        return reversed_, (*keep, *more, *last)
    return _reverse(rejected, keep)


def _money_went_back(payment: Payment) -> Stepped:
    """The pad returned the money before we said so: close the reference at the hospital."""
    ask = Ask(tag(payment, "settlement"), QuerySettlement(payment.reference))
    if payment.settled is not None:
        return _person_decides(payment, "booked, but the pad gave the money back")
    return payment, (ask,)


def _booking_timer(payment: Payment, what: str) -> Stepped:
    match what:
        case "hold_limit" if not payment.completed and payment.settled is None:
            # Nothing is reversed while the hospital may have booked: the money is taken for
            # good and the booking goes on being asked for.
            return payment, (CompletePad(payment.reference),)
        case "recall":
            return payment, (_recall(payment),)
        case "ask":
            return payment, (_settle(payment),)
    return payment, ()


# --- giving it back ------------------------------------------------------------------------------


def _reverse(payment: Payment, keep: tuple[Effect, ...]) -> Stepped:
    """Only from HIS_REJECTED: the hospital has definitely not booked."""
    assert payment.at == "HIS_REJECTED"
    reversing, moves = _moved(payment, "REVERSING")
    if payment.amount_fen == 0:
        reversed_, last = _moved(reversing, "REVERSED", "nothing was taken")
        return reversed_, (*keep, *moves, *last)
    return reversing, (*keep, *moves, *_ask_reversal(reversing))


def _ask_reversal(payment: Payment) -> tuple[Effect, ...]:
    if payment.method != "card":
        return (_wake(payment, "reverse", DELAYS_S["reverse_not_before"]),)
    if payment.recovered or payment.completed:
        return (_recall(payment),)
    return (ReleasePad(payment.reference),)


def _step_reversing(payment: Payment, what: str, event: Event | GivenUp) -> Stepped:
    match event:
        case PadReleased() | PadRecalled(_, "reversed" | "none"):
            return _moved(payment, "REVERSED", "the pad gave it back")
        case PadRecalled(_, "held"):
            return payment, (ReleasePad(payment.reference),)
        case PadRecalled(_, "completed") | PadCompleted():
            return _refund_due(payment, "final at the pad")
        case PadSilent() | PadUnreachable() | PadRecalled(_, "unclear"):
            return payment, (_wake(payment, "recall", _pause_s(payment)),)
        case Replied(_, Charge() as charge) if charge.reference == payment.reference:
            return _reversal_said(payment, charge)
        case Failed():
            later = replace(payment, asked=payment.asked + 1)
            return later, (_wake(later, "reverse", _pause_s(later)),)
        case Woke():
            if what == "recall":
                return payment, (_recall(payment),)
            return payment, (Ask(tag(payment, "reverse"), ReverseCharge(payment.reference)),)
    return payment, ()


def _reversal_said(payment: Payment, charge: Charge) -> Stepped:
    match charge.state:
        case "reversed" | "closed" | "not_found":
            return _moved(payment, "REVERSED", f"provider: {charge.state}")
        case "paid" | "declined":
            return _refund_due(payment, f"provider will not reverse: {charge.reason}")
        case "waiting" | "unknown":
            later = replace(payment, asked=payment.asked + 1)
            return later, (_wake(later, "reverse", _pause_s(later)),)


def _refund_due(payment: Payment, why: str) -> Stepped:
    due, keep = _moved(payment, "REFUND_DUE", why)
    return due, (*keep, _tell_finance(due, why))


def _person_decides(payment: Payment, why: str) -> Stepped:
    """A contradiction: kept with its evidence, never decided by us."""
    doubt: At = "UNKNOWN" if payment.at in ("SENT", "UNKNOWN") else "HIS_UNKNOWN"
    unknown, before = _moved_if(payment, doubt, why)
    manual, keep = _moved(unknown, "MANUAL", why)
    return manual, (*before, *keep, _tell_finance(manual, why))


# --- small steps ---------------------------------------------------------------------------------


def _moved(payment: Payment, at: At, evidence: str = "") -> Stepped:
    moved = replace(payment, at=at, asked=0)
    return moved, (KeepMove(payment.reference, at, evidence),)


def _moved_if(payment: Payment, at: At, evidence: str, *more: Effect) -> Stepped:
    """Like _moved, but staying where one is leaves no second row."""
    if payment.at == at:
        return payment, more
    moved, keep = _moved(payment, at, evidence)
    return replace(moved, asked=payment.asked), (*keep, *more)


def _ask_later(payment: Payment) -> Stepped:
    later = replace(payment, asked=payment.asked + 1)
    return later, (_wake(later, "ask", _pause_s(later)),)


def _pause_s(payment: Payment) -> float:
    """1, 2, 4, 8 … s between two inquiries."""
    return min(2.0 ** min(payment.asked, 10), DELAYS_S["ask_again_max"])


def _wake(payment: Payment, what: str, after_s: float) -> Effect:
    return Wake(tag(payment, what), after_s)


def _give_up_timer(payment: Payment) -> Effect:
    return _wake(payment, "give_up_waiting", DELAYS_S["give_up_waiting"])


def _tell_finance(payment: Payment, why: str) -> Effect:
    at = payment.begun
    record = PaymentRecord(payment.reference, payment.at, payment.amount_fen, at, why)
    return KeepQueued("payment", f"{payment.reference}-{payment.at}", payment.number, record)


def _foreign(payment: Payment) -> Effect:
    """Somebody else's answer: kept as evidence, applied to nobody."""
    fields = (("cause", "foreign_answer"),)
    return KeepAudit("payment_evidence", reference=payment.reference, fields=fields)


def _late(payment: Payment, event: Event | GivenUp) -> tuple[Effect, ...]:
    """After the end: evidence only where it contradicts, and never applied."""
    contradicts = isinstance(event, PadApproved) and payment.at in ("DECLINED", "REVERSED")
    if not contradicts:
        return ()
    fields = (("cause", "approved_after_end"),)
    return (KeepAudit("payment_evidence", reference=payment.reference, fields=fields),)


def _what(event: Event | GivenUp) -> str:
    """The last part of a tag: charge, query, close, order, settle, settlement, reverse, …"""
    match event:
        case Replied(full, _) | Failed(full, _) | Woke(full):
            return full.rpartition(":")[2]
    return ""
