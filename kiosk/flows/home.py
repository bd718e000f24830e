"""Who is known sees the next thing first: check in, then the way, then pay, print, register.

Rule: one order for everybody (next_tasks); what cannot be done now is shown and says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from kiosk.domain.codes import NotForThis, classify
from kiosk.domain.identity import mask_name
from kiosk.domain.visit import Appointment, AppointmentState
from kiosk.flows.common import (
    code_notice,
    ignore,
    ignoring,
    next_person,
    payable,
    who_is_it,
)
from kiosk.flows.effects import Effect, EndSession, Go, HandOver, PayOrder
from kiosk.flows.events import (
    CardLaid,
    CardRead,
    CardTrouble,
    CodeRejected,
    CodeScanned,
    Event,
    Touched,
)
from kiosk.flows.scene import Accepts, Business, Scene, Shown
from kiosk.hospital.contract import Today
from kiosk.views import Home, HomeTask, Named, Notice

TASKS_MAX = 2
ELDER_THINGS_MAX = 4
TILES: tuple[Literal["register", "inquire", "family", "more"], ...] = (
    "register",
    "inquire",
    "family",
    "more",
)

ATS = ("choosing",)
IGNORED = ignoring(ATS, {CardLaid: "it is told apart from the card before once it is read"})


@dataclass(frozen=True)
class HomeState:
    """At: choosing."""

    at: str = "choosing"
    notice: Notice | None = None


Stepped = tuple[HomeState, tuple[Effect, ...]]


def start(scene: Scene, argument: Any) -> Stepped:
    return HomeState(), ()


def step(state: HomeState, event: Event, scene: Scene) -> Stepped:
    match event:
        case Touched(target):
            return _touched(state, target, scene)
        case CardRead():
            return state, next_person(event, scene)
        case CodeScanned(text):
            seen = classify(text, "identity")
            if isinstance(seen, NotForThis):
                return replace(state, notice=code_notice(seen)), ()
            return state, next_person(event, scene)
        case CardTrouble(code):
            return replace(state, notice=Notice(code, "id_reader")), ()
        case CodeRejected():
            return replace(state, notice=Notice("code_garbled", "scanner")), ()
    return state, ignore(state.at, event, IGNORED)


def _touched(state: HomeState, target: str, scene: Scene) -> Stepped:
    tasks = next_tasks(scene)
    what, _, name = target.partition(":")
    if scene.by_card is not None and scene.works.hospital and what in ("next", "task", "tile"):
        return state, (who_is_it(scene.by_card, "start"),)
    match what, name:
        case "end" | "back" | "quit", "":
            return state, (EndSession(),)
        case "window", "":
            return state, (Go("hand_over", HandOver("other")),)
        case "next", "" if tasks:
            return _begin(state, tasks[0], scene)
        case "task", kind if kind in {task.kind for task in tasks}:
            return _begin(state, next(task for task in tasks if task.kind == kind), scene)
        case "tile", tile if tile in tiles_off(scene):
            return replace(state, notice=_why_not(scene)), ()
        case "tile", "register":
            return state, (Go("register", ""),)
        case "tile", "inquire" | "more":
            return state, (Go("inquire", name),)
        case "tile", "family":
            return state, (Go("proxy"),)
    return state, ignore(state.at, Touched(target), IGNORED)


def _begin(state: HomeState, task: HomeTask, scene: Scene) -> Stepped:
    if not task.enabled:
        return replace(state, notice=_why_not(scene)), ()
    today = scene.today
    match task.kind:
        case "check_in":
            return state, (Go("check_in", first(scene, AppointmentState.BOOKED).id),)
        case "go_to":  # asked again: how many are before me now (row 47)
            return state, (Go("check_in", first(scene, AppointmentState.CHECKED_IN).id),)
        case "pay":
            assert today is not None
            bill_ids = tuple(bill.id for bill in today.bills)
            if not scene.works.hospital and scene.quote is not None:
                bill_ids = scene.quote.bill_ids
            return state, (Go("pay", PayOrder(bill_ids)),)
        case "print_reports":
            return state, (Go("print_reports"),)
        case "register":
            return state, (Go("register", ""),)
        case "wait_reports":
            return replace(state, notice=Notice("report_not_ready", grave=False)), ()


# --- the order of things -------------------------------------------------------------------------


def next_tasks(scene: Scene) -> tuple[HomeTask, ...]:
    """All that concerns this person today, the most urgent first (rows 59, 109)."""
    today = scene.today
    tasks = (*_visits(scene), *(_money(today, scene) if today else ()))
    more = tuple(_reports(today, scene)) if today else ()
    return (*tasks, *more, HomeTask("register", enabled=can_register(scene)))


def can_register(scene: Scene) -> bool:
    """With the hospital, or from the numbers that this terminal owns; if it could be paid."""
    return scene.works.payments and (scene.works.hospital or scene.works.numbers > 0)


def first(scene: Scene, state: AppointmentState) -> Appointment:
    """The next of today's appointments in this state; there must be one."""
    assert scene.today is not None
    mine = [one for one in scene.today.appointments if _counts(one, state, scene.now)]
    return min(mine, key=lambda one: (one.ends < scene.now, one.starts))


def _counts(appointment: Appointment, state: AppointmentState, now: datetime) -> bool:
    return appointment.state is state and appointment.on(now.date())


def _visits(scene: Scene) -> Iterator[HomeTask]:
    kinds: tuple[tuple[Literal["check_in", "go_to"], AppointmentState], ...] = (
        ("check_in", AppointmentState.BOOKED),
        ("go_to", AppointmentState.CHECKED_IN),
    )
    appointments = scene.today.appointments if scene.today else ()
    for kind, state in kinds:
        if any(_counts(one, state, scene.now) for one in appointments):
            yield visit_task(kind, first(scene, state))


def visit_task(
    kind: Literal["check_in", "go_to"], appointment: Appointment, number: str = ""
) -> HomeTask:
    """An appointment as a card: to check in to, or where to go."""
    return HomeTask(
        kind,
        department=Named(appointment.department, appointment.department_en),
        doctor=appointment.doctor,
        starts=appointment.starts,
        ends=appointment.ends,
        floor=appointment.floor,
        room=appointment.room,
        number=number,
    )


def _money(today: Today, scene: Scene) -> Iterator[HomeTask]:
    if today.bills:
        yield HomeTask(
            "pay",
            enabled=scene.works.payments and (scene.works.hospital or payable(scene.quote, scene)),
            amount_fen=sum(bill.total_fen for bill in today.bills),
            own_fen=today.own_estimate_fen,
            count=sum(len(bill.lines) for bill in today.bills),
            title=today.bills[0].title,
        )


def _reports(today: Today, scene: Scene) -> Iterator[HomeTask]:
    ready = [report for report in today.reports if report.ready and not report.printed]
    able = scene.works.hospital and scene.works.a4_printer
    if ready:
        yield HomeTask("print_reports", able, count=len(ready), title=ready[0].title)
    later = sorted(
        (report for report in today.reports if not report.ready), key=lambda one: one.ready_at
    )
    if later:
        yield HomeTask("wait_reports", title=later[0].title, ready_at=later[0].ready_at)


# --- what is drawn -------------------------------------------------------------------------------


def view(state: HomeState, scene: Scene) -> Shown:
    return Shown(
        page_of(scene),
        bar=("end", "help", "large", "voice"),
        accepts=Accepts(cards=True, codes="identity"),
        notice=state.notice or _standing(scene),
    )


def _standing(scene: Scene) -> Notice | None:
    """What is true as long as it is, and needs no touch to be said."""
    if not scene.works.hospital:
        code = "away_numbers_left" if scene.works.numbers else "hospital_away"
        return Notice(code, grave=False)
    return Notice("day_unknown", grave=False) if scene.today is None else None


def tiles_off(scene: Scene) -> tuple[str, ...]:
    """Tiles that need the hospital, while it is away; one's own trail lies in this terminal."""
    family = () if scene.works.hospital else ("family",)
    return family if can_register(scene) else ("register", *family)


def _why_not(scene: Scene) -> Notice:
    code = "payments_off" if scene.works.hospital and not scene.works.payments else "needs_hospital"
    return Notice(code, grave=False)


def page_of(scene: Scene) -> Home:
    """The home page, for this flow and for those that a touch on it has just begun."""
    tasks = next_tasks(scene)
    others = tuple(task for task in tasks[1:] if task.kind != "register")[:TASKS_MAX]
    room = ELDER_THINGS_MAX - 1 - len(others) if scene.elder else len(TILES)
    twice = ("register",) if tasks[0].kind == "register" and scene.elder else ()
    tiles = tuple(tile for tile in TILES if tile not in twice)[:room]
    return Home(
        name=actor(scene) or scene.who,
        next=tasks[0],
        tasks=others,
        tiles=tiles,
        off=tuple(tile for tile in tiles_off(scene) if tile in tiles),
        acting_for=scene.who if scene.acting else "",
        card_expired=scene.card_expired,
    )


def actor(scene: Scene) -> str:
    """The masked name of the one who stands here for somebody else; empty without one."""
    return mask_name(scene.acting.name) if scene.acting else ""


BUSINESS = Business("home", start, step, view)
