"""Notes, one after the other: is the own part whole?

Rule: a note is kept only once that decision is on disk, and is money only once the box tells that
it has it. No change is given: what is more than what is left goes back. A payment that ends before
it is whole owes the person what is in the box (REFUND_DUE); a doubt ends it too.
"""

from __future__ import annotations

from dataclasses import replace

from kiosk.flows.effects import (
    AcceptCash,
    Effect,
    KeepCash,
    RecallCash,
    ReturnNote,
    StackNote,
    StopCash,
)
from kiosk.flows.events import (
    CashNoteHeld,
    CashNoteKept,
    CashNoteRefused,
    CashNoteReturned,
    CashRecalled,
    CashSilent,
    CashStopped,
    CashUnreachable,
    Event,
    Woke,
)
from kiosk.flows.payment_booking import paid
from kiosk.flows.payment_state import (
    DELAYS_S,
    GivenUp,
    Payment,
    Stepped,
    ask_later,
    evidence,
    moved,
    moved_if,
    person_decides,
    wake,
)


def can_be_paid(owed_fen: int, notes_fen: tuple[int, ...]) -> bool:
    """Whether these notes can make up the sum: the larger ones are multiples of the smallest."""
    return bool(notes_fen) and owed_fen > 0 and owed_fen % min(notes_fen) == 0


def take_notes(payment: Payment) -> tuple[Effect, ...]:
    """The first, or the next."""
    left_fen = payment.amount_fen - payment.taken_fen
    patience = wake(payment, "give_up_waiting", DELAYS_S["next_note"])
    return (AcceptCash(payment.reference, left_fen), patience)


def recall_cash(payment: Payment) -> Effect:
    """What became of the notes since the last one that is on disk?"""
    return RecallCash(payment.reference, payment.pad_mark, payment.note_fen)


def step_cash(payment: Payment, what: str, event: Event | GivenUp) -> Stepped:
    """From SENT or UNKNOWN."""
    match event:
        case CashNoteHeld() if payment.at == "SENT":
            return _held(payment, event)
        case CashNoteKept() if payment.at == "SENT":
            return _kept(payment, event.value_fen, event.mark)
        case CashNoteKept():
            return payment, (evidence(payment, "note_after_doubt"),)
        case CashNoteReturned() if payment.at == "SENT":
            return _returned(payment, event)
        case CashNoteRefused():
            return replace(payment, progress="refused"), ()
        case CashStopped(_, reason) if payment.at == "SENT":
            return _stopped(payment, reason)
        case CashSilent() | CashUnreachable() if payment.at == "SENT":
            return _doubt(payment)
        case CashSilent() | CashUnreachable():
            return ask_later(payment)
        case CashRecalled() if payment.at == "UNKNOWN":
            return _recalled(payment, event)
        case GivenUp():
            return _give_up(payment)
        case Woke() if what == "give_up_waiting":
            return _give_up(payment)
        case Woke() if what == "ask" and payment.at == "UNKNOWN":
            return payment, (recall_cash(payment),)
    return payment, ()


def _held(payment: Payment, held: CashNoteHeld) -> Stepped:
    if payment.giving_up or payment.note_fen:
        return payment, ()  # it goes back with StopCash, which has been ordered
    if held.value_fen > payment.amount_fen - payment.taken_fen:
        return payment, (ReturnNote(payment.reference),)  # no change is given
    taking = replace(payment, progress="moving")
    taking = replace(taking, note_fen=held.value_fen, pad_mark=str(held.mark))
    return taking, (_keep(taking), StackNote(payment.reference))


def _kept(payment: Payment, value_fen: int, mark: int) -> Stepped:
    taken_fen = payment.taken_fen + value_fen
    now = replace(payment, taken_fen=taken_fen, note_fen=0, pad_mark=str(mark), progress="")
    keep = _keep(now, value_fen)
    if taken_fen >= payment.amount_fen:
        ended, effects = _whole(now)
        return ended, (keep, *effects, StopCash(payment.reference))
    return now, (keep,) if payment.giving_up else (keep, *take_notes(now))


def _whole(payment: Payment) -> Stepped:
    if payment.taken_fen > payment.amount_fen:
        return person_decides(payment, f"{payment.taken_fen} fen of notes are in the box")
    return paid(replace(payment, completed=True), f"cash {payment.taken_fen} fen")


def _returned(payment: Payment, returned: CashNoteReturned) -> Stepped:
    now = replace(payment, note_fen=0, pad_mark=str(returned.mark), progress="returned")
    return now, (_keep(now),) if payment.giving_up else (_keep(now), *take_notes(now))


def _stopped(payment: Payment, reason: str) -> Stepped:
    if payment.note_fen:  # it was to be kept, and nobody has told of it
        return _doubt(payment)
    return _ended_early(payment, reason)


def _ended_early(payment: Payment, reason: str) -> Stepped:
    """Nothing is in the box, or what is there is the person's."""
    why = replace(payment, reason=reason or "cash_given_up")
    if not payment.taken_fen:
        return moved(why, "DECLINED", "no note was kept")
    said = f"{payment.taken_fen} of {payment.amount_fen} fen in notes: {why.reason}"
    return moved(why, "REFUND_DUE", said)


def _doubt(payment: Payment) -> Stepped:
    later, again = ask_later(replace(payment, giving_up=True))
    unknown, moves = moved_if(later, "UNKNOWN", "the cash box did not say")
    return unknown, (*moves, *again, recall_cash(unknown))


def _recalled(payment: Payment, recalled: CashRecalled) -> Stepped:
    taken_fen, note_fen = payment.taken_fen + recalled.kept_fen, payment.note_fen
    now = replace(payment, taken_fen=taken_fen, note_fen=0, pad_mark=str(recalled.mark))
    keep = _keep(now, recalled.kept_fen)
    if not recalled.clear:
        stepped = person_decides(now, f"{taken_fen} fen kept, a note of {note_fen} fen in doubt")
    elif taken_fen >= payment.amount_fen:
        stepped = _whole(now)
    else:
        stepped = _ended_early(now, "cash_in_doubt")
    ended, effects = stepped
    return ended, (keep, *effects)


def _give_up(payment: Payment) -> Stepped:
    given_up = replace(payment, giving_up=True)
    return given_up, (StopCash(payment.reference),) if payment.at == "SENT" else ()


def _keep(payment: Payment, kept_fen: int = 0) -> KeepCash:
    reference, mark = payment.reference, int(payment.pad_mark)
    return KeepCash(reference, payment.taken_fen, payment.note_fen, mark, kept_fen)
