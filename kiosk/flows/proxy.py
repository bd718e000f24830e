"""替家人办: one person acts for another; both are known, and both find it in their own trail.

Rule: for whom is chosen from those the hospital has bound to this person, or bound now by the
other person's own card; never by a typed name.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from kiosk.domain.identity import Identity, Sex, age_on, mask_name
from kiosk.domain.visit import Dependant
from kiosk.flows.common import as_identity, ignore, ignoring, index_of, pages, turned
from kiosk.flows.effects import (
    Ask,
    Effect,
    EndSession,
    Go,
    HandOver,
    KeepAudit,
    SetActing,
    SetPerson,
    SetToday,
)
from kiosk.flows.events import (
    CardLaid,
    CardRead,
    CardTrouble,
    Event,
    Failed,
    Replied,
    Touched,
)
from kiosk.flows.scene import Accepts, Business, Scene, Shown
from kiosk.hospital.contract import (
    AskToday,
    BindRelative,
    Bound,
    Enter,
    Known,
    NotKnown,
    Patient,
    Today,
)
from kiosk.hospital.contract import Identify as AskWho
from kiosk.views import (
    BarKey,
    ChoosePerson,
    ChooseRelation,
    Identify,
    Notice,
    Page,
    PersonCard,
    Problem,
)

PEOPLE_A_PAGE = 6
SELF = "self"

ATS = (
    "listing",
    "choosing",
    "card",
    "asking",
    "entering",
    "relation",
    "binding",
    "loading",
    "problem",
)
IGNORED = ignoring(
    ATS,
    {
        CardRead: "a question is under way about the card before",
        CardLaid: "a question is under way about the card before",
    },
)


@dataclass(frozen=True)
class ProxyState:
    """At: listing (whose relatives?), choosing, card (the other person's is wanted), asking (who is
    it?), entering (their first visit), relation, binding, loading (their day), problem."""

    at: str
    holder: Patient = field(repr=False)
    people: tuple[Dependant, ...] = ()
    first: int = 0
    serial: int = 0  # of the question: an answer about the card before is not about this one
    identity: Identity | None = field(default=None, repr=False)
    whom: Patient | None = field(default=None, repr=False)
    relation: str = ""
    reading: bool = False
    notice: Notice | None = None
    problem: str = ""

    @property
    def tag(self) -> str:
        return f"{self.at}:{self.serial}"


Stepped = tuple[ProxyState, tuple[Effect, ...]]

NOBODY = Patient("", "", "", None, Sex.UNKNOWN, "")


def start(scene: Scene, argument: Any) -> Stepped:
    """Whoever stands here is the holder, also when they act for somebody already."""
    holder = scene.acting or scene.person
    if holder is None:
        return ProxyState("listing", NOBODY), (Go("identify", "family"),)
    state = ProxyState("listing", holder, serial=scene.fresh)
    if scene.acting is None and scene.today is not None:
        return _listed(state, scene.today.dependants), ()
    return state, (Ask(state.tag, AskToday(holder.person)),)


def step(state: ProxyState, event: Event, scene: Scene) -> Stepped:
    match state.at, event:
        case _, Touched(target):
            return _touched(state, target, scene)
        case "choosing" | "card", CardRead(identity):
            return _read(state, identity)
        case "choosing" | "card", CardLaid():
            return replace(state, reading=True, notice=None), ()
        case "choosing" | "card", CardTrouble(code):
            return replace(state, reading=False, notice=Notice(code, "id_reader")), ()
        case _, Replied(state.tag, reply):
            return _replied(state, reply, scene)
        case _, Failed(state.tag):
            return replace(state, at="problem", problem="hospital_away"), ()
    return state, ignore(state.at, event, IGNORED)


# --- fingers and cards ---------------------------------------------------------------------------


def _touched(state: ProxyState, target: str, scene: Scene) -> Stepped:
    what, _, name = target.partition(":")
    match state.at, what:
        case _, "end":
            return state, (EndSession(),)
        case _, "quit":
            return state, (Go("home"),)
        case _, "window":
            return state, (Go("hand_over", HandOver("other")),)
        case "card" | "asking" | "entering" | "relation" | "binding", "back":
            return _again(state), ()
        case _, "back":
            return state, (Go("home"),)
        case "choosing", "add":
            return replace(state, at="card", notice=None), ()
        case "choosing", "person" if name == SELF and scene.acting is not None:
            return _act_for_self(state)
        case "choosing", "person" if name in {str(at) for at in range(len(state.people))}:
            return _chosen(state, state.people[int(name)])
        case "choosing", "previous" | "following":
            first = turned(state.first, what, len(_cards(state, scene)), PEOPLE_A_PAGE)
            return replace(state, first=first), ()
        case "relation", "relation" if name in scene.rules.relations:
            return _bind(state, name, scene)
        case "problem", "again":
            return start(scene, None)
    return state, ignore(state.at, Touched(target), IGNORED)


def _again(state: ProxyState) -> ProxyState:
    """The list; an answer that is still under way binds nobody to this page."""
    return ProxyState("choosing", state.holder, state.people, serial=state.serial + 1)


def _read(state: ProxyState, identity: Identity) -> Stepped:
    if identity.number == state.holder.number:
        notice = Notice("same_persons_card", "id_reader", grave=False)
        return replace(state, reading=False, notice=notice), ()
    asking = replace(
        state, at="asking", serial=state.serial + 1, identity=identity, reading=False, notice=None
    )
    who = AskWho(identity.credential, identity.number, identity.kind, identity.name)
    return asking, (Ask(asking.tag, who),)


# --- answers -------------------------------------------------------------------------------------


def _replied(state: ProxyState, reply: object, scene: Scene) -> Stepped:
    match state.at, reply:
        case "listing", Today(dependants=dependants):
            return _listed(state, dependants), ()
        case "asking" | "entering", Known(patient):
            return _identified(state, patient)
        case "asking", NotKnown():
            assert state.identity is not None
            entering = replace(state, at="entering")
            return entering, (Ask(entering.tag, Enter(scene.key("enter"), state.identity)),)
        case "asking", _:
            # A card proves enough: any further question is no use here.
            return replace(state, at="problem", problem="cannot_identify"), ()
        case "binding", Bound():
            assert state.whom is not None
            return _act(state, state.whom, state.relation)
        case "loading", Today() as today:
            return state, (SetToday(today), Go("home"))
    return state, ignore(state.at, Replied(state.tag, reply), IGNORED)


def _listed(state: ProxyState, dependants: tuple[Dependant, ...]) -> ProxyState:
    """With nobody bound yet, the other person's card is asked for at once."""
    return replace(state, at="choosing" if dependants else "card", people=dependants)


def _identified(state: ProxyState, patient: Patient) -> Stepped:
    if patient.person == state.holder.person:
        notice = Notice("same_persons_card", "id_reader", grave=False)
        return replace(state, at="card", notice=notice), ()
    for bound in state.people:
        if bound.person == patient.person:
            return _act(state, patient, bound.relation)
    return replace(state, at="relation", whom=patient), ()


def _bind(state: ProxyState, relation: str, scene: Scene) -> Stepped:
    assert state.whom is not None
    binding = replace(state, at="binding", serial=state.serial + 1, relation=relation)
    acting = as_identity(state.holder)
    request = BindRelative(scene.key("bind"), state.whom.person, acting, relation)
    return binding, (Ask(binding.tag, request),)


# --- acting --------------------------------------------------------------------------------------


def _chosen(state: ProxyState, one: Dependant) -> Stepped:
    patient = Patient(one.person, one.name, one.number, one.born, Sex.UNKNOWN, one.insurance)
    return _act(state, patient, one.relation)


def _act(state: ProxyState, patient: Patient, relation: str) -> Stepped:
    """Both are named (rows 22, 37); then the day of the one who is served."""
    fields = (("relation", relation or "other"),)
    declared = KeepAudit(
        "proxy_declared", index_of(state.holder), fields=fields, for_person=index_of(patient)
    )
    loading = replace(state, at="loading", serial=state.serial + 1, whom=patient, relation=relation)
    today = AskToday(patient.person, acting=state.holder.person)
    return loading, (declared, SetActing(patient, relation), Ask(loading.tag, today))


def _act_for_self(state: ProxyState) -> Stepped:
    loading = replace(state, at="loading", serial=state.serial + 1)
    today = AskToday(state.holder.person)
    return loading, (SetPerson(state.holder), Ask(loading.tag, today))


# --- what is drawn -------------------------------------------------------------------------------


_BUSY = ("listing", "asking", "entering", "binding", "loading")


def view(state: ProxyState, scene: Scene) -> Shown:
    bar: tuple[BarKey, ...] = ("back", "help", "window", "end")
    busy = "asking" if state.at in _BUSY else ""
    accepts = Accepts(cards=state.at in ("choosing", "card"))
    shown = Shown(_page(state, scene), bar, accepts=accepts, notice=state.notice, busy=busy)
    return replace(shown, busy="identifying") if state.reading else shown


def _page(state: ProxyState, scene: Scene) -> Page:
    holder = mask_name(state.holder.name)
    match state.at:
        case "card" | "asking" | "entering":
            return Identify("family", state.reading, True, holder, card_only=True)
        case "relation" | "binding":
            whom = mask_name(state.whom.name) if state.whom else ""
            return ChooseRelation(whom, holder, scene.rules.relations)
        case "problem":
            return Problem(state.problem, True, scene.rules.desk_window)
    return _people(state, scene)


def _people(state: ProxyState, scene: Scene) -> ChoosePerson:
    cards = _cards(state, scene)
    return ChoosePerson(
        cards[state.first : state.first + PEOPLE_A_PAGE],
        state.first // PEOPLE_A_PAGE + 1,
        pages(cards, PEOPLE_A_PAGE),
    )


def _cards(state: ProxyState, scene: Scene) -> tuple[PersonCard, ...]:
    """Oneself first, once somebody else is served; then those one may act for."""
    served = scene.person.person if scene.acting and scene.person else ""
    today = scene.now.date()
    others = tuple(
        PersonCard(
            str(at),
            mask_name(one.name),
            one.relation,
            age_on(one.born, today) if one.born else None,
            chosen=one.person == served,
        )
        for at, one in enumerate(state.people)
    )
    mine = PersonCard(SELF, mask_name(state.holder.name))
    return (mine, *others) if scene.acting else others


BUSINESS = Business("proxy", start, step, view)
