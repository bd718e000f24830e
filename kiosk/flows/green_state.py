"""What the green channel remembers between two touches, and its small moves."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from kiosk.domain.screening import Route, Substitute
from kiosk.flows.effects import Effect, KeepAudit
from kiosk.flows.green_people import WAITING_MAX, Case, Kept, Someone, put_aside
from kiosk.flows.keypad import Entry
from kiosk.flows.scene import Scene
from kiosk.views import Notice

ATS = (
    "card",
    "questions",
    "paper",
    "patient",
    "form",
    "relative",
    "relation",
    "holder",
    "listing",
    "picking",
    "result",
)


@dataclass(frozen=True)
class Pick:
    """One of a holder's dependants; chosen ones are let in together."""

    someone: Someone
    chosen: bool = False


@dataclass(frozen=True)
class Result:
    """What was decided; the slips are on their way."""

    route: Route | None
    names: tuple[str, ...]
    slips: tuple[str, ...]
    printed: frozenset[str]
    failed: frozenset[str]
    took_s: int

    @property
    def slip(self) -> Literal["printing", "printed", "failed"]:
        if self.failed:
            return "failed"
        return "printed" if self.printed == frozenset(self.slips) else "printing"


@dataclass(frozen=True)
class GreenState:
    """At: card (stage 1), questions (stage 2), paper (which certificate), patient (their number is
    typed), form (its serial number is typed), relative (their card), relation, holder (their
    card), listing (dependants are looked for), picking (which of them), result."""

    at: str
    volunteer: str
    gate: str
    who: str
    waiting: tuple[Case, ...] = ()
    counter: int = 0
    forms: tuple[str, ...] = ()
    current: Case | None = None
    entry: Entry = field(default_factory=Entry)
    picks: tuple[Pick, ...] = ()
    serial: int = 0  # of the question: an answer about the person before is not about this one
    looking_up: bool = False
    reading: bool = False
    result: Result | None = None
    notice: Notice | None = None
    until: datetime | None = None

    @property
    def tag(self) -> str:
        return f"green:{self.serial}"

    @property
    def kept(self) -> Kept:
        current = (self.current,) if self.current else ()
        return Kept((*current, *self.waiting), self.counter, self.forms)


Stepped = tuple[GreenState, tuple[Effect, ...]]


def at_rest(state: GreenState) -> GreenState:
    """Stage 1, nobody in hand."""
    return replace(
        state,
        at="card",
        current=None,
        entry=Entry(),
        picks=(),
        serial=state.serial + 1,
        looking_up=False,
        reading=False,
        result=None,
        notice=None,
        until=None,
    )


def with_case(state: GreenState, at: str, case: Case) -> GreenState:
    """The current person, on another page; what was asked meanwhile is about neither."""
    return replace(
        state,
        at=at,
        current=case,
        entry=Entry(),
        serial=state.serial + 1,
        looking_up=False,
        reading=False,
        notice=None,
    )


def new_case(state: GreenState, scene: Scene) -> tuple[GreenState, Case, Effect]:
    """Somebody has come: their clock runs from now."""
    counter = state.counter % 99 + 1
    case = Case(scene.key("green"), counter, scene.now)
    joined = KeepAudit("waiting_joined", reference=case.key)
    return replace(state, counter=counter), case, joined


def left(case: Case, disposition: str, scene: Scene) -> KeepAudit:
    fields = (("disposition", disposition), ("seconds", case.waited_s(scene.now)))
    return KeepAudit("waiting_left", reference=case.key, fields=fields)


def aside(state: GreenState) -> GreenState:
    """The current person joins the others, with what is certain of them; stage 1."""
    if state.current is None:
        return at_rest(state)
    case = state.current if state.at == "questions" else base(state.current)
    return replace(at_rest(state), waiting=in_order((*state.waiting, put_aside(case))))


def in_order(waiting: tuple[Case, ...]) -> tuple[Case, ...]:
    return tuple(sorted(waiting, key=lambda case: case.since))


def full(state: GreenState) -> bool:
    return len(state.waiting) >= WAITING_MAX


def resting_at(case: Case) -> str:
    """Where a person is taken up: at the questions, once it is known who they are."""
    return "questions" if case.people else "card"


def base(case: Case) -> Case:
    """As if no substitute had been touched: what a card said stays, all else is asked again."""
    people = case.people
    if case.substitute is Substitute.DEPENDANT and case.relative:
        people = (case.relative,)  # the holder's own card was read
    elif case.noted != "id_read":
        return case.forgotten()
    known = replace(case.forgotten(), people=people[:1], noted="id_read")
    return replace(known, substitute=people[0].by_card)
