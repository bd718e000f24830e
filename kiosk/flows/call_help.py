"""叫人帮忙: calls whoever is on duty to this terminal, and never pretends that somebody comes.

Rule: a call is acknowledged by a person, or escalated after a minute, or said not to have got
through; it tells the hospital the place and the page, nothing of the patient.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from kiosk.flows.common import ignore, ignoring
from kiosk.flows.effects import Ask, Effect, EndSession, HelpCall, KeepAudit, Return, Wake
from kiosk.flows.events import Event, Failed, Replied, Touched, Woke
from kiosk.flows.scene import Business, Scene, Shown
from kiosk.hospital.contract import AskHelp, CallHelp, Help
from kiosk.views import CallingHelp, HelpState

DELAYS_S = {
    "poll": 3.0,  # a helper's answer is on the screen before the person doubts it
    "escalate": 60.0,  # U12: acknowledged, or passed on
    "over": 300.0,  # nobody waits longer at a machine; what lay below has its own idle time
}

Sort = Literal["volunteer", "nurse", "emergency", "sign_language"]

ATS = ("calling", "coming", "unreached")
IGNORED = ignoring(
    ATS,
    {
        Replied: "an answer about the call before, or one that comes twice",
        Failed: "an inquiry that got lost; the next one is due in three seconds",
    },
)


@dataclass(frozen=True)
class HelpingState:
    """At: calling, coming (somebody answered), unreached (the call could not be sent; tried on)."""

    at: str
    key: str
    sort: Sort
    on_page: str
    since: datetime
    serial: int = 0
    coming: str = ""
    escalated: bool = False
    sent: bool = False

    @property
    def tag(self) -> str:
        return f"help:{self.serial}"


Stepped = tuple[HelpingState, tuple[Effect, ...]]


def start(scene: Scene, argument: HelpCall | None) -> Stepped:
    call = argument or HelpCall()
    state = HelpingState("calling", scene.key("help"), call.sort, call.page, scene.now)
    state, effects = _call(state, scene)
    wakes = (Wake("escalate", DELAYS_S["escalate"]), Wake("over", DELAYS_S["over"]))
    return state, (KeepAudit("help_called"), *effects, *wakes)


def step(state: HelpingState, event: Event, scene: Scene) -> Stepped:
    match state.at, event:
        case _, Touched("return" | "back" | "quit"):
            return state, (Return(),)
        case _, Touched("end"):
            return state, (EndSession(),)
        case _, Woke("over"):
            return state, (Return(),)
        case _, Touched("emergency") if state.sort != "emergency":
            return _louder(state, "emergency", scene)
        case _, Replied(state.tag, Help() as answer):
            return _answered(state, answer)
        case "calling" | "unreached", Failed(state.tag) if not state.sent:
            return replace(state, at="unreached"), (Wake("poll", DELAYS_S["poll"]),)
        case "calling", Failed(state.tag):
            return state, (Wake("poll", DELAYS_S["poll"]),)
        case "calling" | "unreached", Woke("poll"):
            return _call(state, scene) if not state.sent else _inquire(state)
        case "calling", Woke("escalate") if not state.escalated:
            called, effects = _louder(state, "nurse", scene)
            return replace(called, escalated=True), effects
    return state, ignore(state.at, event, IGNORED)


def _call(state: HelpingState, scene: Scene) -> Stepped:
    """The same key for every try: one call, however often it had to be sent."""
    calling = replace(state, serial=state.serial + 1)
    place = scene.rules.place
    return calling, (Ask(calling.tag, CallHelp(state.key, place, state.on_page, state.sort)),)


def _inquire(state: HelpingState) -> Stepped:
    asking = replace(state, serial=state.serial + 1)
    return asking, (Ask(asking.tag, AskHelp(state.key)),)


def _louder(state: HelpingState, sort: Sort, scene: Scene) -> Stepped:
    """A further call, to those who come when the first are busy; an emergency stays one."""
    further: Sort = "emergency" if state.sort == "emergency" else sort
    again = replace(state, at="calling", key=scene.key("help"), sort=further, sent=False)
    called, effects = _call(replace(again, coming=""), scene)
    return called, (KeepAudit("help_called"), *effects)


def _answered(state: HelpingState, answer: Help) -> Stepped:
    escalated = state.escalated or answer.escalated
    heard = replace(state, sent=True, coming=answer.coming, escalated=escalated)
    if answer.coming:
        return replace(heard, at="coming"), ()
    return replace(heard, at="calling"), (Wake("poll", DELAYS_S["poll"]),)


def view(state: HelpingState, scene: Scene) -> Shown:
    page = CallingHelp(
        HelpState(state.coming, state.escalated, state.sort == "emergency"),
        since_s=max(0, int((scene.now - state.since).total_seconds())),
        hotline=scene.rules.hotline,
        reached=state.at != "unreached",
    )
    return Shown(page, ("back", "large", "voice"), idle="never")  # its own time ends this page


BUSINESS = Business("call_help", start, step, view)
