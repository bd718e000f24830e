"""What the bill page shows, state by state: the bill, the pad, the cash box, the result."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from kiosk.flows.pay_cash import notes_page
from kiosk.flows.pay_state import (
    LINES_A_PAGE,
    RESULTS,
    Pay,
    codes_closed,
    moved_fen,
    offered_cash,
    own_fen,
    unheard,
)
from kiosk.flows.scene import Accepts, Scene, Shown
from kiosk.views import (
    BarKey,
    HomeTask,
    Named,
    PadBusy,
    Page,
    Paying,
    PayLine,
    PaymentResult,
    Problem,
)
from kiosk.views import Pay as PayPage

# --- what is drawn -------------------------------------------------------------------------------


def view(pay: Pay, scene: Scene) -> Shown:
    notice = pay.notice
    match pay.at:
        case "problem":
            problem = Problem(pay.problem, pay.problem == "hospital_away", _window(scene))
            return Shown(problem, ("back", "help", "window", "end"))
        case "quoting":
            bar: tuple[BarKey, ...] = ("back", "help", "window", "quit")
            return Shown(_bill(pay, scene), bar, _step(pay), busy="quoting")
        case "choosing":
            accepts = Accepts(codes="" if pay.alone else "payment", bank_cards=True)
            shown = Shown(_bill(pay, scene), ("back", "help", "window", "quit"), _step(pay))
            return replace(shown, accepts=accepts, notice=notice)
        case "switching":
            bill = _bill(pay, scene)
            return Shown(bill, ("back", "help"), _step(pay), busy="asking", idle="never")
        case "charging":
            return Shown(_pad(pay), ("back", "help"), _step(pay), idle="never")
        case "cash":
            at = "stopping" if pay.want else pay.progress
            notes = notes_page(own_fen(pay), pay.taken_fen, at, scene)
            return Shown(notes, ("back", "help"), _step(pay), idle="never")
        case "paying":
            stage: Any = "booking" if pay.moved_to in ("PAID", "BOOKING") else "asking_payer"
            at_machine = pay.method in ("card", "cash")
            page: Page = Paying(own_fen(pay), stage) if at_machine else _bill(pay, scene)
            busy = "booking" if stage == "booking" else "asking"
            return Shown(page, ("help",), _step(pay), busy=busy, idle="never")
    shown = Shown(_result(pay, scene), ("end", "help", "large", "voice"), (3, 3), notice=notice)
    return replace(shown, idle="never")  # its own clock ends this page


def _step(pay: Pay) -> tuple[int, int]:
    """Who has just said yes to an hour (3 of 3) is not sent back to 2 of 3."""
    return (3, 3) if pay.order.hold_key else (2, 3)


def _window(scene: Scene) -> str:
    return scene.rules.cashier_window


def _bill(pay: Pay, scene: Scene) -> PayPage:
    lines = pay.quote.lines if pay.quote else ()
    page = lines[pay.first_line : pay.first_line + LINES_A_PAGE]
    split = pay.quote.split if pay.quote else None
    return PayPage(
        lines=tuple(
            PayLine(Named(one.name, one.name_en), one.quantity, one.amount_fen) for one in page
        ),
        more_lines=max(0, len(lines) - len(page)),
        total_fen=split.total_fen if split else 0,
        basic_fen=split.basic_fen if split else 0,
        serious_fen=split.serious_fen if split else 0,
        aid_fen=split.aid_fen if split else 0,
        own_fen=split.own_fen if split else 0,
        insured=pay.quote.insured if pay.quote else False,
        url=pay.url if pay.at == "choosing" else "",
        scanning=_takes_codes(pay, scene) and scene.works.scanner,
        card=scene.works.pad and "pad" not in scene.ways_in_doubt,
        for_whom=scene.who if scene.acting else "",
        cash=offered_cash(pay, scene),
    )


def _takes_codes(pay: Pay, scene: Scene) -> bool:
    return pay.at == "choosing" and not pay.alone and not codes_closed(scene)


def _pad(pay: Pay) -> PadBusy:
    progress: Any = pay.progress
    return PadBusy(own_fen(pay), progress)


def _result(pay: Pay, scene: Scene) -> PaymentResult:
    result = RESULTS[pay.moved_to]
    left = pay.leave_at - scene.now if pay.leave_at else timedelta(0)
    window = scene.rules.cashier_window if result in ("refund_due", "checking") else ""
    return PaymentResult(
        result=result,
        amount_fen=moved_fen(pay),
        slip_number=pay.slip_number or pay.reference.rpartition("-")[2],
        slip=pay.slip,
        window=window,
        reason=pay.reason if result == "not_charged" or pay.method == "cash" else "",
        registered=_registered(pay),
        unheard=unheard(pay),
        left_s=max(0, round(left.total_seconds())),
    )


def _registered(pay: Pay) -> HomeTask | None:
    if pay.settled is None or pay.settled.appointment is None:
        return None
    appointment = pay.settled.appointment
    return HomeTask(
        kind="go_to",
        department=Named(appointment.department, appointment.department_en),
        doctor=appointment.doctor,
        starts=appointment.starts,
        ends=appointment.ends,
        floor=appointment.floor,
        room=appointment.room,
        number=pay.settled.ticket.number if pay.settled.ticket else "",
    )
