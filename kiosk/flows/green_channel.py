"""The entrance lane for people without a phone: a card, one touch, a slip; and who waits.

Rule: the list of people is on disk after every step, and everything works without the hospital.
A health code is looked up only while a signed policy is on.
"""

from __future__ import annotations

from dataclasses import replace

from kiosk.domain.identity import Identity
from kiosk.flows import green_substitutes as substitutes
from kiosk.flows.common import ignore, ignoring
from kiosk.flows.effects import (
    Ask,
    Effect,
    EndSession,
    Go,
    HelpCall,
    KeepAudit,
    KeepNote,
    Volunteer,
)
from kiosk.flows.events import (
    CardLaid,
    CardRead,
    CardTrouble,
    Event,
    Failed,
    Replied,
    SlipFailed,
    SlipPrinted,
    Touched,
    Woke,
)
from kiosk.flows.green_finish import finish
from kiosk.flows.green_pages import can_look_up, view
from kiosk.flows.green_people import LANE, Case, from_card, from_note, to_note
from kiosk.flows.green_state import (
    ATS,
    GreenState,
    Stepped,
    aside,
    at_rest,
    full,
    in_order,
    left,
    new_case,
    resting_at,
    with_case,
)
from kiosk.flows.scene import Business, Scene
from kiosk.hospital.contract import HealthCode, LookUpHealthCode
from kiosk.views import Notice

BECAUSE = "no_phone"
"""Why staff look up on somebody's behalf (row 25): the lane is for people without one."""

IGNORED = ignoring(
    ATS,
    {
        CardLaid: "the result stays until the card has been read",
        CardTrouble: "the result stays; the card is put down again for the next person",
    },
)


def start(scene: Scene, argument: Volunteer) -> Stepped:
    kept = from_note(argument.waiting, scene.now)
    state = GreenState(
        "card",
        argument.name,
        argument.gate,
        argument.who,
        in_order(kept.cases),
        kept.counter,
        kept.forms,
    )
    note = KeepNote(LANE, to_note(state.kept))
    return state, ((note,) if argument.waiting else ())


def step(state: GreenState, event: Event, scene: Scene) -> Stepped:
    """The step itself, and the note of who is here whenever that has changed."""
    after, effects = _step(state, event, scene)
    if after.kept != state.kept:
        effects = (KeepNote(LANE, to_note(after.kept)), *effects)
    return after, effects


def _step(state: GreenState, event: Event, scene: Scene) -> Stepped:
    match state.at, event:
        case _, Touched("lock"):
            return aside(state), (_locked(state), Go("unlock"))
        case _, Touched("end" | "quit"):
            return aside(state), (_locked(state), EndSession())
        case _, Touched("nurse"):
            return state, (Go("call_help", HelpCall("nurse", "green")),)
        case _, Touched("hold") if state.current is not None:
            return aside(state), ()
        case "result", _:
            return _step_result(state, event, scene)
        case "card" | "questions", _:
            return _step_green(state, event, scene)
    return substitutes.step(state, event, scene)


def _locked(state: GreenState) -> KeepAudit:
    return KeepAudit("volunteer_locked", fields=(("who", state.who), ("disposition", "done")))


# --- the page of both stages ---------------------------------------------------------------------


def _step_green(state: GreenState, event: Event, scene: Scene) -> Stepped:
    match state.at, event:
        case _, Touched(target):
            return _touched(state, target, scene)
        case _, CardLaid():
            return replace(state, reading=True, notice=None), ()
        case _, CardTrouble(code):
            return replace(state, reading=False, notice=Notice(code, "id_reader")), ()
        case "card", CardRead(identity):
            return _read(state, identity, scene)
        case "questions", CardRead(identity):
            return _read_early(replace(state, reading=False), identity, scene)
        case "questions", Replied(state.tag, HealthCode(result)) if state.looking_up:
            return _looked_up(state, result, scene)
        case "questions", Failed(state.tag) if state.looking_up:
            away, effects = _looked_up(state, "away", scene)
            return replace(away, notice=Notice("look_up_away", grave=False)), effects
    return state, ignore(state.at, event, IGNORED)


def _touched(state: GreenState, target: str, scene: Scene) -> Stepped:
    what, _, name = target.partition(":")
    match state.at, what:
        case _, "arrive":
            return _arrive(state, scene)
        case _, "waiting":
            return _take_up(state, name)
        case _, "paper" | "relative" | "dependants" | "by_hand":
            return substitutes.begin(state, what, scene)
        case "card", "back" if state.current is not None:
            return at_rest(state), (left(state.current, "cancelled", scene),)
        case "questions", _:
            return _answer(state, what, name, scene)
    return state, ignore(state.at, Touched(target), IGNORED)


def _answer(state: GreenState, what: str, name: str, scene: Scene) -> Stepped:
    case = state.current
    assert case is not None
    match what:
        case "question":
            yes = {*case.yes} ^ {name}
            asked = [question.id for question in scene.rules.questionnaire.questions]
            ordered = tuple(question for question in asked if question in yes)
            return replace(state, current=replace(case, yes=ordered), notice=None), ()
        case "none" if case.yes:
            return replace(state, notice=Notice("answers_contradict")), ()
        case "none":
            return finish(state, scene)
        case "yes_next" if case.yes:
            return finish(state, scene)
        case "look_up" if scene.look_up and can_look_up(case) and not state.looking_up:
            return _look_up(state, case)
        case "back":
            return with_case(state, "card", case.forgotten()), ()
    return state, ignore(state.at, Touched(what), IGNORED)


# --- who is here ---------------------------------------------------------------------------------


def _arrive(state: GreenState, scene: Scene) -> Stepped:
    if full(state):
        return replace(state, notice=Notice("list_full")), ()
    state, case, joined = new_case(state, scene)
    return replace(state, waiting=in_order((*state.waiting, case)), notice=None), (joined,)


def _take_up(state: GreenState, key: str) -> Stepped:
    """Somebody of the list; whoever is in hand goes back to it."""
    case = next((one for one in state.waiting if one.key == key), None)
    if case is None:
        return state, ignore(state.at, Touched(f"waiting:{key}"), IGNORED)
    state = aside(state)
    rest = tuple(one for one in state.waiting if one.key != key)
    return with_case(replace(state, waiting=rest), resting_at(case), case), ()


def _read(state: GreenState, identity: Identity, scene: Scene) -> Stepped:
    """Substitute 1 (row 20): the card alone; straight to the questions."""
    for case in state.waiting:
        if case.is_of(identity.number):
            return _take_up(state, case.key)
    effects: tuple[Effect, ...] = ()
    current = state.current
    if current is None:
        state, current, joined = new_case(state, scene)
        effects = (joined,)
    return with_case(state, "questions", _of_card(current, identity)), effects


def _of_card(case: Case, identity: Identity) -> Case:
    people = (from_card(identity),)
    known = replace(case.forgotten(), people=people, substitute=people[0].by_card)
    return replace(known, noted="id_read")


def _read_early(state: GreenState, identity: Identity, scene: Scene) -> Stepped:
    """The next person's card, while the questions are about another: they join the list."""
    here = (state.current, *state.waiting)
    if any(case and case.is_of(identity.number) for case in here):
        return state, ()
    if full(state):
        return replace(state, notice=Notice("list_full")), ()
    state, case, joined = new_case(state, scene)
    waiting = in_order((*state.waiting, _of_card(case, identity)))
    notice = Notice("put_on_list", "id_reader", grave=False)
    return replace(state, waiting=waiting, notice=notice), (joined,)


# --- the health code, while a policy is on -------------------------------------------------------


def _look_up(state: GreenState, case: Case) -> Stepped:
    looked_up = replace(case, looked_up_because=BECAUSE)
    asking = replace(state, serial=state.serial + 1, current=looked_up, looking_up=True)
    request = LookUpHealthCode(case.people[0].number, state.who, BECAUSE)
    return asking, (Ask(asking.tag, request),)


def _looked_up(state: GreenState, result: str, scene: Scene) -> Stepped:
    case = state.current
    assert case is not None
    fields = (
        ("version", scene.look_up_version),
        ("outcome", result),
        ("who", state.who),
        ("cause", BECAUSE),
    )
    asked = KeepAudit("health_code_asked", case.people[0].index, fields=fields)
    return replace(state, looking_up=False, current=replace(case, health_code=result)), (asked,)


# --- the result ----------------------------------------------------------------------------------


def _step_result(state: GreenState, event: Event, scene: Scene) -> Stepped:
    result = state.result
    assert result is not None
    match event:
        case SlipPrinted(job) if job in result.slips:
            printed, failed = result.printed | {job}, result.failed - {job}
            done = replace(result, printed=printed, failed=failed)
            return replace(state, result=done, notice=None if not failed else state.notice), ()
        case SlipFailed(job, why) if job in result.slips:
            broken = replace(result, failed=result.failed | {job})
            return replace(state, result=broken, notice=Notice(why, "receipt_printer")), ()
        case Touched("following"):
            return at_rest(state), ()
        case Woke("following") if not result.failed:
            return at_rest(state), ()
        case CardRead(identity):
            return _read(at_rest(state), identity, scene)
    return state, ignore(state.at, event, IGNORED)


BUSINESS = Business("green_channel", start, step, view)
