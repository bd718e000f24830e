"""Nobody is here: laying down a card or showing a code starts at once; on-site numbers are shown:
the hospital's, or while it is away those that this terminal owns.

Rule: nothing of an earlier person is left on this page, and nothing but numbers is asked of the
hospital for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from kiosk.domain.codes import NotForThis, classify
from kiosk.domain.visit import Department
from kiosk.flows.common import code_notice, departments_of, ignore, ignoring
from kiosk.flows.effects import Ask, AskLent, Effect, Go, HelpCall, Lent, ToIdentify, Wake
from kiosk.flows.events import (
    CardLaid,
    CardRead,
    CardTrouble,
    CodeRejected,
    CodeScanned,
    Event,
    Failed,
    Replied,
    Touched,
    Woke,
)
from kiosk.flows.scene import Accepts, Business, Scene, Shown
from kiosk.hospital.contract import AskDepartments, DepartmentList
from kiosk.views import Attract, Named, Notice, OnSite

DELAYS_S = {
    "refresh": 60.0,  # numbers go slowly; a minute old is true enough for a poster
    "notice": 8.0,  # read by then, or nobody is there to read it
}
ON_SITE_MAX = 6

ATS = ("waiting",)
IGNORED = ignoring(
    ATS,
    {
        Touched: "nothing to end or to go back from: nobody is here",
        Replied: "an answer of the session before, or a refresh that came twice",
    },
)


@dataclass(frozen=True)
class AttractState:
    """At: waiting."""

    at: str = "waiting"
    reading: bool = False
    departments: tuple[Department, ...] = ()
    own: tuple[Department, ...] = ()  # with the numbers that this terminal owns
    notice: Notice | None = None


Stepped = tuple[AttractState, tuple[Effect, ...]]


def start(scene: Scene, argument: Any) -> Stepped:
    return AttractState(), _refresh(scene)


def step(state: AttractState, event: Event, scene: Scene) -> Stepped:
    match event:
        case Touched(target):
            return _touched(state, target)
        case CardLaid():
            reading = replace(state, reading=True, notice=None)
            return reading, (Wake("notice", DELAYS_S["notice"]),)
        case CardRead():
            return state, (Go("identify", ToIdentify("start", event, _page(state, scene))),)
        case CardTrouble(code):
            return _noticed(replace(state, reading=False), Notice(code, "id_reader"))
        case CodeScanned(text):
            seen = classify(text, "identity")
            if isinstance(seen, NotForThis):
                return _noticed(state, code_notice(seen))
            return state, (Go("identify", ToIdentify("start", event, _page(state, scene))),)
        case CodeRejected():
            return _noticed(state, Notice("code_garbled", "scanner"))
        case Replied("on_site", DepartmentList(departments)):
            return replace(state, departments=departments), ()
        case Replied("lent", Lent(slots)):
            return replace(state, own=departments_of(slots)), ()
        case Failed("on_site"):
            return replace(state, departments=()), ()  # old numbers would be a promise
        case Woke("refresh"):
            return state, _refresh(scene)
        case Woke("notice"):
            return replace(state, notice=None, reading=False), ()
    return state, ignore(state.at, event, IGNORED)


def _touched(state: AttractState, target: str) -> Stepped:
    match target:
        case "no_credential":
            return state, (Go("identify", "start"),)
        case "family":
            return state, (Go("identify", "family"),)
        case "emergency":
            return state, (Go("call_help", HelpCall("emergency", "attract")),)
        case "green":
            return state, (Go("unlock"),)
    return state, ignore(state.at, Touched(target), IGNORED)


def _noticed(state: AttractState, notice: Notice) -> Stepped:
    return replace(state, notice=notice), (Wake("notice", DELAYS_S["notice"]),)


def _refresh(scene: Scene) -> tuple[Effect, ...]:
    ask = Ask("on_site", AskDepartments(scene.now.date()))
    own = (AskLent("lent"),) if scene.works.numbers else ()
    return ask, *own, Wake("refresh", DELAYS_S["refresh"])


def view(state: AttractState, scene: Scene) -> Shown:
    return Shown(
        _page(state, scene),
        bar=("help", "large", "voice", "low"),
        accepts=Accepts(cards=True, codes="identity"),
        notice=state.notice,
        busy="identifying" if state.reading else "",
        idle="never",  # nobody is here
    )


def _page(state: AttractState, scene: Scene) -> Attract:
    listed = state.departments if scene.works.hospital else state.own
    most = sorted(listed, key=lambda one: -one.on_site_left)
    left = [one for one in most if one.on_site_left > 0][:ON_SITE_MAX]
    places = tuple(OnSite(Named(one.name, one.name_en), one.on_site_left) for one in left)
    return Attract(places, scene.rules.card_slot)


BUSINESS = Business("attract", start, step, view)
