"""Registration while the hospital cannot be asked: from numbers that this terminal owns.

Rule: nothing is shown that is not this terminal's own, and nothing is said to be paid or settled;
the number, its record and its trail are one fact before a slip is printed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from kiosk.domain.visit import (
    Appointment,
    AppointmentState,
    Department,
    GivenNumber,
    LentSlot,
    Slot,
    Ticket,
)
from kiosk.flows import register_pages as pages
from kiosk.flows.common import (
    OTHER_CARD,
    departments_of,
    ignore,
    ignoring,
    index_of,
    is_stranger,
    leave_later,
    left_s,
    next_person,
    turned,
)
from kiosk.flows.effects import (
    AskLent,
    Effect,
    EndSession,
    GiveNumber,
    Go,
    HandOver,
    Lent,
    NoNumber,
    PrintSlip,
)
from kiosk.flows.events import (
    CardLaid,
    CardRead,
    Event,
    Replied,
    SlipFailed,
    SlipPrinted,
    Touched,
    Woke,
)
from kiosk.flows.home import visit_task
from kiosk.flows.scene import Accepts, Business, Scene, Shown
from kiosk.flows.slips import LentSlip
from kiosk.views import Finished, Notice, Problem

ATS = (
    "looking",
    "choosing_department",
    "choosing_slot",
    "confirming",
    "giving",
    "finished",
    "problem",
)
IGNORED = ignoring(
    ATS,
    {
        CardRead: "the card of the person who is registered: the session goes on",
        CardLaid: "it is told apart from the card before once it is read",
    },
)


@dataclass(frozen=True)
class LentState:
    """At: looking (into the store), choosing_department, choosing_slot, confirming, giving (the
    number is being written down), finished, problem."""

    at: str
    slots: tuple[LentSlot, ...] = ()
    department: Department | None = None
    chosen: LentSlot | None = None
    first: int = 0  # of the cards on this page
    slip_number: str = ""
    given: GivenNumber | None = None
    slip: Literal["printing", "printed", "failed"] = "printing"
    leave_at: datetime | None = None
    notice: Notice | None = None
    problem: str = field(default="")


Stepped = tuple[LentState, tuple[Effect, ...]]


def start(scene: Scene, argument: Any) -> Stepped:
    if scene.person is None:
        return LentState("looking"), (Go("identify", "register"),)
    return _look(LentState("looking"))


def step(state: LentState, event: Event, scene: Scene) -> Stepped:
    match state.at, event:
        case "finished", _:
            return _step_finished(state, event, scene)
        case _, Touched("end"):
            return state, (EndSession(),)
        case "giving", Touched(target):  # written down in this very moment
            return state, ignore(state.at, Touched(target), IGNORED)
        case _, Touched("quit"):
            return state, (Go("home"),)
        case _, Touched("window"):
            return state, (Go("hand_over", HandOver("register")),)
        case _, Touched("back"):
            return _back(state)
        case _, Touched(target):
            return _touched(state, target, scene)
        case "looking", Replied("lent", Lent(slots)):
            return _listed(state, slots), ()
        case "giving", Replied("given", NoNumber()):
            return _look(replace(state, notice=Notice("slot_gone")))
        case "giving", Replied("given", GivenNumber() as given):
            return _given(state, given, scene)
        case _, CardRead(identity) if is_stranger(identity, scene):
            return replace(state, notice=OTHER_CARD), ()
    return state, ignore(state.at, event, IGNORED)


# --- choosing ------------------------------------------------------------------------------------


def _look(state: LentState) -> Stepped:
    looking = LentState("looking", notice=state.notice)
    return looking, (AskLent("lent"),)


def _listed(state: LentState, slots: tuple[LentSlot, ...]) -> LentState:
    if not slots:
        return replace(state, at="problem", problem="hospital_away")
    notice = state.notice or Notice("numbers_at_hand", grave=False)
    return replace(state, at="choosing_department", slots=slots, notice=notice)


def _touched(state: LentState, target: str, scene: Scene) -> Stepped:
    what, _, name = target.partition(":")
    said, state = state.notice, replace(state, notice=None)
    match state.at, what:
        case "choosing_department", "department":
            if found := next((one for one in departments_of(state.slots) if one.id == name), None):
                return replace(state, at="choosing_slot", department=found, first=0), ()
        case "choosing_department", "previous" | "following":
            return _turn(state, what, len(departments_of(state.slots))), ()
        case "choosing_slot", "previous" | "following":
            return _turn(state, what, len(_slots(state))), ()
        case "choosing_slot", "slot":
            if chosen := next((one for one in state.slots if one.slot.id == name), None):
                return replace(state, at="confirming", chosen=chosen), ()
        case "confirming", "confirm":
            return _give(state, scene)
        case "problem", "again":  # perhaps the hospital can be asked by now
            return state, (Go("register", ""),)
    return replace(state, notice=said), ignore(state.at, Touched(target), IGNORED)


def _turn(state: LentState, what: str, count: int) -> LentState:
    return replace(state, first=turned(state.first, what, count, pages.CARDS_A_PAGE))


def _back(state: LentState) -> Stepped:
    match state.at:
        case "confirming":
            return replace(state, at="choosing_slot", chosen=None, first=0, notice=None), ()
        case "choosing_slot":
            return replace(state, at="choosing_department", first=0, notice=None), ()
    return state, (Go("home"),)


def _slots(state: LentState) -> tuple[Slot, ...]:
    assert state.department is not None
    return tuple(one.slot for one in state.slots if one.department.id == state.department.id)


# --- giving --------------------------------------------------------------------------------------


def _give(state: LentState, scene: Scene) -> Stepped:
    assert scene.person is not None and state.chosen is not None
    slip = scene.number()
    give = GiveNumber(
        "given",
        scene.key("lent"),
        state.chosen.slot.id,
        slip,
        scene.now,
        index_of(scene.person),
        scene.person.person,
        scene.by_card,
    )
    return replace(state, at="giving", slip_number=slip), (give,)


def _given(state: LentState, given: GivenNumber, scene: Scene) -> Stepped:
    """Who comes again (the paper was lost, the power went) gets the same number, as a copy."""
    leave_at, wake = leave_later(scene)
    rules = scene.rules
    slip = LentSlip(
        state.slip_number,
        scene.who,
        ticket_of(given),
        given.of.slot.fee_fen,
        rules.cashier_window,
        rules.treat_first,
    )
    printed = PrintSlip(state.slip_number, slip, large=scene.elder, copy=given.again)
    return replace(state, at="finished", given=given, leave_at=leave_at), (printed, wake)


def ticket_of(given: GivenNumber) -> Ticket:
    """What the person carries to the door; the hospital has not said how many are before."""
    slot, department = given.of.slot, given.of.department
    appointment = Appointment(
        f"{given.lease}#{given.number}",
        department.name,
        department.name_en,
        slot.doctor,
        slot.starts,
        slot.ends,
        department.floor,
        slot.room,
        AppointmentState.CHECKED_IN,
    )
    return Ticket(appointment, given.called, None, None, offline=True)


def _step_finished(state: LentState, event: Event, scene: Scene) -> Stepped:
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


# --- what is drawn -------------------------------------------------------------------------------


def view(state: LentState, scene: Scene) -> Shown:
    if state.at == "finished":
        return Shown(
            _finished(state, scene),
            accepts=Accepts(cards=True),
            notice=state.notice,
            idle="never",  # its own clock ends this page
        )
    bar: Any = ("back", "help", "window", "end" if state.at == "problem" else "quit")
    shown = Shown(_page(state, scene), bar, notice=state.notice, accepts=Accepts(cards=True))
    steps = {"choosing_slot": (2, 3), "confirming": (3, 3), "giving": (3, 3)}
    at = None if state.at == "problem" else steps.get(state.at, (1, 3))
    return replace(shown, step=at, busy="holding" if state.at == "giving" else "")


def _page(state: LentState, scene: Scene) -> Any:
    match state.at:
        case "problem":
            return Problem(state.problem, True, scene.rules.desk_window)
        case "choosing_slot":
            assert state.department is not None
            today = scene.now.date()
            page = pages.slots(state.department, today, _slots(state), state.first, scene)
            return replace(page, days=(today,))
        case "confirming" | "giving":
            assert state.chosen is not None
            return pages.lent_confirmation(state.chosen, scene)
    return pages.departments(departments_of(state.slots), None, state.first)


def _finished(state: LentState, scene: Scene) -> Finished:
    assert state.given is not None
    ticket = ticket_of(state.given)
    return Finished(
        "registered",
        state.slip_number,
        state.slip,
        task=visit_task("go_to", ticket.appointment, ticket.number),
        offline=True,
        window=scene.rules.cashier_window,
        treat_first=scene.rules.treat_first,
        left_s=left_s(state.leave_at, scene.now),
    )


BUSINESS = Business("register_lent", start, step, view)
