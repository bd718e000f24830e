"""One touch on the home page: checked in, with a ticket that says where, which number, how long.

Rule: a check-in is never lost. What the hospital did not answer is queued as a record with a key
of its own; checking the same appointment in twice is one check-in there.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from kiosk.domain.visit import Appointment, AppointmentState, Ticket
from kiosk.flows import home
from kiosk.flows.common import ignore, ignoring, index_of, leave_later, left_s, next_person
from kiosk.flows.effects import (
    Ask,
    Effect,
    EndSession,
    Go,
    HandOver,
    KeepAudit,
    KeepQueued,
    PrintSlip,
    SetToday,
)
from kiosk.flows.events import (
    CardLaid,
    CardRead,
    Event,
    Failed,
    Replied,
    SlipFailed,
    SlipPrinted,
    Touched,
    Woke,
)
from kiosk.flows.scene import Accepts, Business, Scene, Shown
from kiosk.flows.slips import TicketSlip
from kiosk.hospital.contract import CheckedIn, CheckIn, CheckInRecord, CheckInRefused
from kiosk.views import Finished, Notice, Problem

ATS = ("asking", "finished", "problem")
IGNORED = ignoring(
    ATS,
    {
        Touched: "a second tap on the card that began it, or a target of the page before",
        CardRead: "the question is under way; whose card it is shows on the next page",
        CardLaid: "it is told apart from the card before once it is read",
    },
)


@dataclass(frozen=True)
class CheckInState:
    """At: asking, finished, problem."""

    at: str
    appointment_id: str
    key: str
    ticket: Ticket | None = None
    slip_number: str = field(default="")
    slip: Literal["printing", "printed", "failed"] = "printing"
    notice: Notice | None = None
    problem: str = ""
    leave_at: datetime | None = None


Stepped = tuple[CheckInState, tuple[Effect, ...]]


def start(scene: Scene, argument: str) -> Stepped:
    """`argument` is the appointment's id; asked again, it tells how many are before now."""
    key = scene.key("check-in")
    state = CheckInState("asking", argument, key)
    if scene.person is None or _appointment(state, scene) is None:
        return replace(state, at="problem", problem="check_in_unknown"), ()
    begun = KeepAudit("check_in_begun", index_of(scene.person), reference=key)
    return state, (begun, Ask("check_in", CheckIn(key, scene.person.person, argument)))


def step(state: CheckInState, event: Event, scene: Scene) -> Stepped:
    match state.at, event:
        case "asking", Replied("check_in", CheckedIn(ticket)):
            return _done(state, ticket, scene)
        case "asking", Replied("check_in", CheckInRefused(reason)):
            refused = _ended(state, "refused", ("cause", reason))
            return replace(state, at="problem", problem=f"check_in_{reason}"), (refused,)
        case "asking", Failed("check_in", "unreachable" | "unknown"):
            return _queue(state, scene)
        case "asking", Failed("check_in", why):
            failed = _ended(state, "failed", ("cause", why))
            return replace(state, at="problem", problem="cannot_check_in"), (failed,)
        case "asking", Touched("end"):
            return state, (_ended(state, "unknown"), EndSession())
        case "finished", _:
            return _step_finished(state, event, scene)
        case "problem", Touched(target):
            return _leave_problem(state, target, scene)
    return state, ignore(state.at, event, IGNORED)


def _step_finished(state: CheckInState, event: Event, scene: Scene) -> Stepped:
    match event:
        case SlipPrinted(state.slip_number):
            return replace(state, slip="printed", notice=None), ()
        case SlipFailed(state.slip_number, why):
            return replace(state, slip="failed", notice=Notice(why, "receipt_printer")), ()
        case Touched("home" | "back" | "quit"):
            return state, (Go("home"),)
        case Touched("end") | Woke("over"):
            return state, (EndSession(),)
        case CardRead():
            return state, next_person(event, scene)
    return state, ignore(state.at, event, IGNORED)


def _leave_problem(state: CheckInState, target: str, scene: Scene) -> Stepped:
    match target:
        case "again" if _can_retry(state):
            return start(scene, state.appointment_id)
        case "back" | "quit":
            return state, (Go("home"),)
        case "window":
            return state, (Go("hand_over", HandOver("check_in")),)
        case "end":
            return state, (EndSession(),)
    return state, ignore(state.at, Touched(target), IGNORED)


def _can_retry(state: CheckInState) -> bool:
    return state.problem in ("check_in_too_early", "cannot_check_in")


# --- endings -------------------------------------------------------------------------------------


def _queue(state: CheckInState, scene: Scene) -> Stepped:
    """The hospital is away: the terminal's own word, from today's list, with the slip as number."""
    appointment = _appointment(state, scene)
    assert appointment is not None and scene.person is not None
    slip = scene.number()
    record = CheckInRecord(scene.person.person, appointment.id, scene.now, slip)
    queued = KeepQueued("check_in", f"{state.key}-record", index_of(scene.person), record)
    done, effects = _done(state, Ticket(appointment, slip, None, None, offline=True), scene)
    return done, (queued, *effects)


def _done(state: CheckInState, ticket: Ticket, scene: Scene) -> Stepped:
    leave_at, wake = leave_later(scene)
    number = scene.number()
    finished = replace(state, at="finished", ticket=ticket, slip_number=number, leave_at=leave_at)
    slip = PrintSlip(number, TicketSlip(number, scene.who, ticket), large=scene.elder)
    ended = _ended(state, "done", *((("offline", True),) if ticket.offline else ()))
    ended = replace(ended, slip=number)
    return finished, (ended, *_remember(state, scene), slip, wake)


def _ended(state: CheckInState, disposition: str, *more: tuple[str, str | bool]) -> KeepAudit:
    fields = (("disposition", disposition), *more)
    return KeepAudit("check_in_ended", reference=state.key, fields=fields)


def _remember(state: CheckInState, scene: Scene) -> tuple[Effect, ...]:
    """The home page of this session no longer asks for what has been done."""
    assert scene.today is not None
    appointments = tuple(
        replace(one, state=AppointmentState.CHECKED_IN) if one.id == state.appointment_id else one
        for one in scene.today.appointments
    )
    return (SetToday(replace(scene.today, appointments=appointments)),)


def _appointment(state: CheckInState, scene: Scene) -> Appointment | None:
    mine = scene.today.appointments if scene.today else ()
    return next((one for one in mine if one.id == state.appointment_id), None)


# --- what is drawn -------------------------------------------------------------------------------


def view(state: CheckInState, scene: Scene) -> Shown:
    match state.at:
        case "asking":
            return Shown(home.page_of(scene), busy="checking_in")
        case "problem":
            problem = Problem(state.problem, _can_retry(state), scene.rules.desk_window)
            return Shown(problem, ("back", "help", "window", "end"))
    ticket = state.ticket
    assert ticket is not None
    page = Finished(
        "checked_in",
        state.slip_number,
        state.slip,
        task=home.visit_task("go_to", ticket.appointment, ticket.number),
        ahead=ticket.ahead,
        minutes=ticket.minutes,
        offline=ticket.offline,
        left_s=left_s(state.leave_at, scene.now),
    )
    return Shown(page, accepts=Accepts(cards=True), notice=state.notice, idle="never")


BUSINESS = Business("check_in", start, step, view)
