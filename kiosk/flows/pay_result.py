"""The bill page's end: what became of the money, the slip in the hand, and how one leaves.

Rule: nobody leaves in doubt without paper; who leaves unpaid leaves no number locked.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from kiosk.domain.identity import mask_name
from kiosk.flows.common import registration_ended
from kiosk.flows.effects import DropNote, Effect, EndSession, Go, HandOver, PrintSlip, Tell, Wake
from kiosk.flows.pay_state import (
    DELAYS_S,
    RESULTS,
    Pay,
    Stepped,
    in_doubt,
    moved_fen,
    own_fen,
    unheard,
    unpaid,
)
from kiosk.flows.scene import Scene
from kiosk.flows.slips import PaymentSlip
from kiosk.hospital.contract import ReleaseHold


def to_result(pay: Pay, scene: Scene) -> Stepped:
    result = RESULTS[pay.moved_to]
    shown = replace(pay, at="result", slip_job="", slip_number="", slip="printing")
    if unheard(pay):  # nothing will be known soon: the paper comes at once
        printed, effects = print_slip(shown, scene)
        later = scene.now + timedelta(seconds=DELAYS_S["leave_checking"])
        return replace(printed, leave_at=later), (
            *effects,
            Wake("leave", DELAYS_S["leave_checking"]),
        )
    if result == "checking":
        later = scene.now + timedelta(seconds=DELAYS_S["leave_checking"])
        wakes = (
            Wake("checking_slip", DELAYS_S["checking_slip"]),
            Wake("leave", DELAYS_S["leave_checking"]),
        )
        return replace(shown, leave_at=later), wakes
    printed, effects = print_slip(shown, scene)
    if result == "settled":
        notes = (DropNote(f"hold:{pay.order.hold_key}"),) if pay.order.hold_key else ()
        effects = (*effects, *notes)
    return leave_later(printed, effects, scene)


def leave_later(pay: Pay, effects: tuple[Effect, ...], scene: Scene) -> Stepped:
    left_s = DELAYS_S["leave_elder" if scene.elder else "leave"]
    leaving = replace(pay, leave_at=scene.now + timedelta(seconds=left_s))
    return leaving, (*effects, Wake("leave", left_s))


def print_slip(pay: Pay, scene: Scene) -> Stepped:
    assert pay.quote is not None
    result = RESULTS[pay.moved_to]
    number = scene.number()
    settled = pay.settled
    slip = PaymentSlip(
        number=number,
        who=scene.who,
        reference=pay.reference,
        result=result,
        method=pay.method,
        amount_fen=moved_fen(pay),
        lines=pay.quote.lines,
        split=pay.quote.split,
        receipt_number=settled.receipt_number if settled else "",
        window=scene.rules.cashier_window if result in ("refund_due", "checking") else "",
        acting=mask_name(scene.acting.name) if scene.acting else "",
        ticket=settled.ticket if settled else None,
        unheard=unheard(pay),
    )
    job = f"{pay.reference}-{result}"
    printing = replace(pay, slip_number=number, slip_job=job, slip="printing")
    return printing, (PrintSlip(job, slip, large=scene.elder),)


def leave(pay: Pay, target: str, scene: Scene) -> Stepped:
    """Leaving unpaid unlocks the number; leaving in doubt leaves a slip in the hand first."""
    if target not in ("back", "quit", "window", "end", "home"):
        return pay, ()
    effects: tuple[Effect, ...] = ()
    with_a_person = pay.moved_to in ("REFUND_DUE", "MANUAL")
    if pay.order.hold_key and (unpaid(pay) or with_a_person):
        note = f"hold:{pay.order.hold_key}"
        release = ReleaseHold(f"{pay.order.hold_key}-release", pay.order.hold_key)
        why = "failed" if with_a_person else "cancelled"
        ended = registration_ended(pay.order.hold_key, why)
        effects = (ended, DropNote(note), Tell(release))
    if in_doubt(pay) and not pay.slip_job:
        pay, more = print_slip(pay, scene)
        effects = (*effects, *more)
    match target:
        case "window":  # nothing is left here to come back to: the slip lies on top of home
            return pay, (*effects, Go("home"), Go("hand_over", _hand_over(pay)))
        case "end":
            return pay, (*effects, EndSession())
    return pay, (*effects, Go("home"))


def _hand_over(pay: Pay) -> HandOver:
    return HandOver("pay", own_fen(pay), "" if unpaid(pay) else pay.reference)
