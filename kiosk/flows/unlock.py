"""The volunteer's PIN opens the green channel; how often it was wrong is counted on disk.

Rule: this page learns of a PIN only whether it was right.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from kiosk.flows.common import ignore, ignoring, left_s
from kiosk.flows.effects import CheckPin, Effect, EndSession, Go, KeepAudit, Volunteer, Wake
from kiosk.flows.events import Event, PinChecked, Touched, Woke
from kiosk.flows.keypad import Entry, press
from kiosk.flows.scene import Business, Scene, Shown
from kiosk.views import TypeIn

PIN_LENGTH = 6
"""A usual one: two digits of the volunteer's number and four of the PIN."""
PIN_LENGTH_MIN = 4
PIN_LENGTH_MAX = 14

ATS = ("typing", "checking", "locked")
IGNORED = ignoring(ATS, {Touched: "keys do nothing while the PIN is judged or locked"})


@dataclass(frozen=True)
class UnlockState:
    """At: typing, checking, locked (for a while)."""

    at: str = "typing"
    entry: Entry = field(default_factory=Entry)
    tries_left: int | None = None
    until: datetime | None = None


Stepped = tuple[UnlockState, tuple[Effect, ...]]


def start(scene: Scene, argument: Any) -> Stepped:
    return UnlockState(), ()


def step(state: UnlockState, event: Event, scene: Scene) -> Stepped:
    match state.at, event:
        case _, Touched("end" | "back" | "quit"):
            return state, (EndSession(),)
        case "typing", Touched("ok"):
            return _judge(state)
        case "typing", Touched(target):
            return replace(state, entry=press(state.entry, target, PIN_LENGTH_MAX)), ()
        case "checking", PinChecked():
            return _judged(state, event, scene)
        case "locked", Woke("unlocked"):
            return UnlockState(tries_left=state.tries_left), ()
    return state, ignore(state.at, event, IGNORED)


def _judge(state: UnlockState) -> Stepped:
    if len(state.entry.text) < PIN_LENGTH_MIN:
        return replace(state, entry=state.entry.wrong("too_short")), ()
    return replace(state, at="checking", entry=Entry()), (CheckPin(state.entry.text),)


def _judged(state: UnlockState, checked: PinChecked, scene: Scene) -> Stepped:
    if checked.right:
        audit = KeepAudit("volunteer_unlocked", fields=(("who", checked.who),))
        volunteer = Volunteer(checked.name, checked.gate, who=checked.who)
        return UnlockState(), (audit, Go("green_channel", volunteer))
    if checked.wait_s > 0:
        until = scene.now + timedelta(seconds=checked.wait_s)
        locked = UnlockState("locked", Entry(error="locked"), checked.tries_left, until)
        return locked, (Wake("unlocked", float(checked.wait_s)),)
    return UnlockState("typing", Entry(error="wrong"), checked.tries_left), ()


def view(state: UnlockState, scene: Scene) -> Shown:
    page = TypeIn(
        "pin",
        state.entry.dots,
        max(PIN_LENGTH, len(state.entry.text)),
        error=state.entry.error,
        tries_left=state.tries_left,
        wait_s=left_s(state.until, scene.now),
    )
    busy = "general" if state.at == "checking" else ""
    return Shown(page, ("back", "help"), tone="green", busy=busy)


BUSINESS = Business("unlock", start, step, view)
