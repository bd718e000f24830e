"""Registration in four touches: department, hour, confirm; the number is locked before money moves.

Rule: from the moment a lock is asked for until the payment takes it over, a note of it is on disk
and every way out of this flow unlocks it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from kiosk.domain.bill import Quote
from kiosk.domain.visit import Department, Hold, Slot
from kiosk.flows import register_pages as pages
from kiosk.flows.common import (
    OTHER_CARD,
    ignore,
    ignoring,
    index_of,
    is_stranger,
    registration_ended,
    turned,
    who_is_it,
)
from kiosk.flows.effects import (
    Ask,
    DropNote,
    Effect,
    EndSession,
    Go,
    HandOver,
    KeepAudit,
    KeepNote,
    PayOrder,
    Tell,
    Wake,
)
from kiosk.flows.events import CardLaid, CardRead, Event, Failed, Replied, Touched, Woke
from kiosk.flows.scene import Accepts, Business, Scene, Shown
from kiosk.hospital.contract import (
    AskDepartments,
    AskSlots,
    DepartmentList,
    Held,
    HoldSlot,
    PreSettle,
    Quoted,
    QuoteRefused,
    ReleaseHold,
    SlotGone,
    SlotList,
)
from kiosk.views import Notice, Problem

CARDS_A_PAGE = pages.CARDS_A_PAGE
HOLD_MARGIN_S = 5.0
"""We unlock so much before the hospital's own deadline, so that the page never lies about it."""

ATS = (
    "departments",
    "choosing_department",
    "slots",
    "choosing_slot",
    "holding",
    "quoting",
    "confirming",
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
class RegisterState:
    """At: departments (asked for), choosing_department, slots (asked for), choosing_slot, holding
    (the lock is asked for), quoting (who pays what), confirming, problem."""

    at: str
    serial: int = 0  # of the question: an answer about the hour before is not about this one
    departments: tuple[Department, ...] = ()
    department: Department | None = None
    day: date | None = None
    slots: tuple[Slot, ...] = ()
    first: int = 0  # of the cards on this page
    slot: Slot | None = None
    hold_key: str = ""  # set: locked, or being locked
    hold: Hold | None = None
    insured: bool = True
    can_be_insured: bool = False
    quote: Quote | None = None
    notice: Notice | None = None
    problem: str = field(default="")

    @property
    def tag(self) -> str:
        return f"{self.at}:{self.serial}"


Stepped = tuple[RegisterState, tuple[Effect, ...]]


def start(scene: Scene, argument: Any) -> Stepped:
    if scene.person is None:
        return RegisterState("departments"), (Go("identify", "register"),)
    if scene.by_card is not None and scene.works.hospital:
        return RegisterState("departments"), (who_is_it(scene.by_card, "register"),)
    if not scene.works.hospital and (scene.works.numbers or scene.by_card is not None):
        return RegisterState("departments"), (Go("register_lent", ""),)
    return _ask_departments(RegisterState("departments"), scene)


def step(state: RegisterState, event: Event, scene: Scene) -> Stepped:
    match state.at, event:
        case _, Touched("end"):
            state, effects = _unlock(state, scene, "cancelled")
            return state, (*effects, EndSession())
        case _, Touched("quit"):
            state, effects = _unlock(state, scene, "cancelled")
            return state, (*effects, Go("home"))
        case _, Touched("window"):
            return state, (Go("hand_over", HandOver("register")),)
        case _, Touched("back"):
            return _back(state, scene)
        case _, Touched(target):
            return _touched(state, target, scene)
        case _, Replied(state.tag, reply):
            return _replied(state, reply, scene)
        case _, Failed(state.tag, why):
            return _failed(state, why, scene)
        case "quoting" | "confirming", Woke("hold_ends"):
            return _lost(state, Notice("hold_ended", grave=False), scene)
        case _, CardRead(identity) if is_stranger(identity, scene):
            return replace(state, notice=OTHER_CARD), ()
    return state, ignore(state.at, event, IGNORED)


# --- fingers -------------------------------------------------------------------------------------


def _touched(state: RegisterState, target: str, scene: Scene) -> Stepped:
    what, _, name = target.partition(":")
    said, state = state.notice, replace(state, notice=None)  # a notice goes with the next touch
    match state.at, what:
        case "choosing_department", "last" if department := last_department(state, scene):
            return _ask_slots(replace(state, department=department), scene)
        case "choosing_department", "department":
            if department := _department(state, name):
                return _ask_slots(replace(state, department=department), scene)
        case "choosing_department", "previous" | "following":
            others = pages.besides(state.departments, last_department(state, scene))
            return _turn(state, what, len(others)), ()
        case "choosing_slot", "previous" | "following":
            return _turn(state, what, len(state.slots)), ()
        case "choosing_slot", "day" if name in {f"{day}" for day in pages.days(scene)}:
            day = date.fromisoformat(name)
            return _ask_slots(state, scene, day)
        case "choosing_slot", "slot":
            if slot := next((one for one in state.slots if one.id == name), None):
                return _lock(state, slot, scene)
        case "confirming", "insured" if name in ("yes", "no") and state.can_be_insured:
            return _quote(replace(state, insured=name == "yes"), scene)
        case "confirming", "confirm":
            assert state.quote is not None
            return state, (Go("pay", PayOrder(quote=state.quote, hold_key=state.hold_key)),)
        case "problem", "again":
            return _ask_departments(RegisterState("departments", state.serial), scene)
    return replace(state, notice=said), ignore(state.at, Touched(target), IGNORED)


def _back(state: RegisterState, scene: Scene) -> Stepped:
    match state.at:
        case "slots" | "choosing_slot" if state.departments:
            shown = replace(state, at="choosing_department", first=0, notice=None)
            return replace(shown, serial=state.serial + 1, slots=()), ()
        case "holding" | "quoting" | "confirming":
            state, effects = _unlock(state, scene, "cancelled")
            state, more = _ask_slots(state, scene, state.day)
            return state, (*effects, *more)
    return state, (Go("home"),)


def _turn(state: RegisterState, target: str, count: int) -> RegisterState:
    return replace(state, first=turned(state.first, target, count, CARDS_A_PAGE))


def _department(state: RegisterState, id: str) -> Department | None:
    return next((one for one in state.departments if one.id == id), None)


def last_department(state: RegisterState, scene: Scene) -> Department | None:
    """Where this person was last time, if it sees patients today."""
    return _department(state, scene.today.last_department) if scene.today else None


# --- questions -----------------------------------------------------------------------------------


def _ask_departments(state: RegisterState, scene: Scene) -> Stepped:
    asking = replace(state, at="departments", serial=state.serial + 1)
    return asking, (Ask(asking.tag, AskDepartments(scene.now.date())),)


def _ask_slots(state: RegisterState, scene: Scene, day: date | None = None) -> Stepped:
    """Today's hours; tomorrow's where the numbers kept for today are gone."""
    department = state.department
    assert department is not None
    today = scene.now.date()
    day = day or (today if department.on_site_left else today + timedelta(days=1))
    asking = replace(state, at="slots", serial=state.serial + 1, day=day, slots=(), first=0)
    return asking, (Ask(asking.tag, AskSlots(department.id, day)),)


def _lock(state: RegisterState, slot: Slot, scene: Scene) -> Stepped:
    """The note is on disk before the lock is asked for: after a crash it is unlocked."""
    assert scene.person is not None
    key = scene.key("hold")
    locking = replace(
        state,
        at="holding",
        serial=state.serial + 1,
        slot=slot,
        hold_key=key,
        insured=True,
        can_be_insured=False,
        quote=None,
        notice=None,
    )
    person = scene.person.person
    return locking, (
        KeepNote(f"hold:{key}", key),
        KeepAudit("registration_begun", index_of(scene.person), reference=key),
        Ask(locking.tag, HoldSlot(key, slot.id, person)),
    )


def _quote(state: RegisterState, scene: Scene) -> Stepped:
    assert scene.person is not None
    quoting = replace(state, at="quoting", serial=state.serial + 1, notice=None)
    person, key = scene.person.person, state.hold_key
    request = PreSettle(person, hold_key=key, insured=state.insured)
    return quoting, (Ask(quoting.tag, request),)


# --- answers -------------------------------------------------------------------------------------


def _replied(state: RegisterState, reply: object, scene: Scene) -> Stepped:
    match state.at, reply:
        case "departments", DepartmentList(departments):
            listed = replace(state, at="choosing_department", departments=departments, first=0)
            return listed, ()
        case "slots", SlotList(slots):
            return _listed(state, slots, scene), ()
        case "holding", Held(hold):
            seconds = (hold.until - scene.now).total_seconds() - HOLD_MARGIN_S
            state, effects = _quote(replace(state, hold=hold), scene)
            return state, (*effects, Wake("hold_ends", max(0.0, seconds)))
        case "holding", SlotGone(reason):
            gone = replace(state, hold=None)
            notice = Notice("already_registered" if reason == "already_registered" else "slot_gone")
            return _lost(gone, notice, scene, tell=False)
        case "quoting", Quoted(quote):
            insurable = state.can_be_insured or quote.insured
            return replace(
                state,
                at="confirming",
                quote=quote,
                insured=quote.insured,
                can_be_insured=insurable,
            ), ()
        case "quoting", QuoteRefused(reason):
            return _quote_refused(state, reason, scene)
    return state, ignore(state.at, Replied(state.tag, reply), IGNORED)


def _listed(state: RegisterState, slots: tuple[Slot, ...], scene: Scene) -> RegisterState:
    """Hours that are not over and have numbers left, the earliest first."""
    open_ = [slot for slot in slots if slot.left > 0 and slot.ends > scene.now]
    ordered = tuple(sorted(open_, key=lambda slot: (slot.starts, slot.doctor)))
    notice = state.notice or (None if ordered else Notice("no_numbers_this_day", grave=False))
    return replace(state, at="choosing_slot", slots=ordered, first=0, notice=notice)


def _quote_refused(state: RegisterState, reason: str, scene: Scene) -> Stepped:
    match reason:
        case "insurer_refused" | "insurer_away" if state.insured:
            # Without the insurer it costs more: shown, said, and the person decides.
            state, effects = _quote(replace(state, insured=False), scene)
            return replace(state, notice=Notice(reason, grave=False)), effects
        case "hold_ended":
            return _lost(state, Notice("hold_ended", grave=False), scene)
    state, effects = _unlock(state, scene, "refused")
    return replace(state, at="problem", problem=f"quote_{reason}"), effects


def _failed(state: RegisterState, why: str, scene: Scene) -> Stepped:
    """A lock that was asked for and not answered may stand: it is unlocked like any other."""
    sent = state.at != "holding" or why != "unreachable"
    state, effects = _unlock(state, scene, "failed", tell=sent)
    if why in ("unreachable", "unknown") and scene.works.numbers:
        return state, (*effects, Go("register_lent", ""))
    problem = "hospital_away" if why in ("unreachable", "unknown") else "cannot_register"
    return replace(state, at="problem", problem=problem), effects


# --- unlocking -----------------------------------------------------------------------------------


def _lost(state: RegisterState, notice: Notice, scene: Scene, tell: bool = True) -> Stepped:
    """The number is gone: said, and the hours are asked for again."""
    state, effects = _unlock(state, scene, "refused", tell)
    state, more = _ask_slots(replace(state, notice=notice), scene, state.day)
    return state, (*effects, *more)


def _unlock(state: RegisterState, scene: Scene, disposition: str, tell: bool = True) -> Stepped:
    """Nothing to do when nothing is locked. `tell` False: the hospital knows it is not."""
    if not state.hold_key:
        return state, ()
    key = state.hold_key
    ended = registration_ended(key, disposition)
    release: tuple[Effect, ...] = (Tell(ReleaseHold(f"{key}-release", key)),) if tell else ()
    free = replace(state, hold_key="", hold=None, quote=None, slot=None)
    return free, (ended, DropNote(f"hold:{key}"), *release)


# --- what is drawn -------------------------------------------------------------------------------


def view(state: RegisterState, scene: Scene) -> Shown:
    bar: Any = ("back", "help", "window", "quit")
    shown = Shown(_page(state, scene), bar, notice=state.notice, accepts=Accepts(cards=True))
    match state.at:
        case "problem":
            return replace(shown, bar=("back", "help", "window", "end"))
        case "departments" | "choosing_department":
            shown = replace(shown, step=(1, 3))
        case "confirming" | "quoting" if state.quote is not None:
            shown = replace(shown, step=(3, 3))
        case _:
            shown = replace(shown, step=(2, 3))
    return replace(shown, busy=_BUSY.get(state.at, ""))


_BUSY = {
    "departments": "asking",
    "slots": "asking",
    "holding": "holding",
    "quoting": "quoting",
}


def _page(state: RegisterState, scene: Scene) -> Any:
    match state.at:
        case "problem":
            return Problem(state.problem, True, scene.rules.desk_window)
        case "departments" | "choosing_department":
            last = last_department(state, scene)
            return pages.departments(state.departments, last, state.first)
        case "confirming" | "quoting" if state.quote is not None:
            return _confirm_page(state, scene)
    assert state.department is not None and state.day is not None
    return pages.slots(state.department, state.day, state.slots, state.first, scene)


def _confirm_page(state: RegisterState, scene: Scene) -> Any:
    assert state.department is not None and state.slot is not None and state.quote is not None
    page = pages.confirmation(state.department, state.slot, state.quote, state.hold, scene)
    insured = state.insured
    return replace(page, insured=insured, can_be_insured=state.can_be_insured)


BUSINESS = Business("register", start, step, view)
