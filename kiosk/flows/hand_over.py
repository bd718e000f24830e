"""去窗口: a slip that the clerk scans, so that the window goes on where the terminal stopped.

Rule: it lies on top of what the person was doing, asks nobody anything, and works offline.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from kiosk.flows.common import ignore, ignoring, index_of, leave_later, left_s
from kiosk.flows.effects import (
    Effect,
    EndSession,
    HandOver,
    KeepAudit,
    KeepQueued,
    PrintSlip,
    Return,
)
from kiosk.flows.events import Event, SlipFailed, SlipPrinted, Touched, Woke
from kiosk.flows.scene import Business, Scene, Shown
from kiosk.flows.slips import HandOverSlip
from kiosk.hospital.contract import HandOverRecord
from kiosk.views import Finished, Notice

AT_CASHIER = ("pay",)

ATS = ("finished",)
IGNORED = ignoring(ATS)


@dataclass(frozen=True)
class HandOverState:
    """At: finished."""

    at: str
    slip_number: str
    window: str
    leave_at: datetime
    slip: Literal["printing", "printed", "failed"] = "printing"
    notice: Notice | None = None


Stepped = tuple[HandOverState, tuple[Effect, ...]]


def start(scene: Scene, argument: HandOver) -> Stepped:
    purpose, rules = argument.purpose, scene.rules
    window = rules.cashier_window if purpose in AT_CASHIER else rules.desk_window
    number = scene.number()
    leave_at, wake = leave_later(scene)
    person = scene.person
    record = HandOverRecord(
        slip=number,
        at=scene.now,
        person=person.person if person else "",
        purpose=purpose,
        reference=argument.reference,
        amount_fen=argument.amount_fen,
    )
    slip = HandOverSlip(number, scene.who, purpose, window, argument.amount_fen, argument.reference)
    index = index_of(person) if person else ""
    return HandOverState("finished", number, window, leave_at), (
        KeepQueued("hand_over", scene.key("hand-over"), index, record),
        KeepAudit(
            "sent_to_window", index, number, argument.reference, fields=(("cause", purpose),)
        ),
        PrintSlip(number, slip, large=scene.elder),
        wake,
    )


def step(state: HandOverState, event: Event, scene: Scene) -> Stepped:
    match event:
        case SlipPrinted(state.slip_number):
            return replace(state, slip="printed", notice=None), ()
        case SlipFailed(state.slip_number, why):
            return replace(state, slip="failed", notice=Notice(why, "receipt_printer")), ()
        case Touched("home" | "back" | "quit"):
            return state, (Return(),)
        case Touched("end") | Woke("over"):
            return state, (EndSession(),)
    return state, ignore(state.at, event, IGNORED)


def view(state: HandOverState, scene: Scene) -> Shown:
    page = Finished(
        "handed_over",
        state.slip_number,
        state.slip,
        window=state.window,
        left_s=left_s(state.leave_at, scene.now),
    )
    return Shown(page, ("back", "help", "large", "end"), notice=state.notice, idle="never")


BUSINESS = Business("hand_over", start, step, view)
