"""What stands in for a card or a phone: paper, a relative, a holder's list, a form filled by hand.

Rule: each of the four ends at the same questions, and each works without the hospital.
"""

from __future__ import annotations

from dataclasses import replace

from kiosk.domain.identity import Credential, Identity
from kiosk.domain.screening import Substitute
from kiosk.domain.visit import Dependant
from kiosk.flows.common import ignore, ignoring
from kiosk.flows.effects import Ask, Effect, FindOffline
from kiosk.flows.events import (
    CardLaid,
    CardRead,
    CardTrouble,
    Event,
    Failed,
    FoundOffline,
    Replied,
    Touched,
)
from kiosk.flows.green_people import Case, Someone, from_card, from_dependant, from_number
from kiosk.flows.green_state import (
    ATS,
    GreenState,
    Pick,
    Stepped,
    base,
    new_case,
    resting_at,
    with_case,
)
from kiosk.flows.keypad import Entry, id_number_error, press
from kiosk.flows.scene import Scene
from kiosk.hospital.contract import AskToday, Identify, Known, Today
from kiosk.views import Notice

VALIDITIES = ("today", "tomorrow", "week", "month", "unlimited")
FORM_LENGTH = 12
PICKS_SHOWN = 6
PICKS_MAX = 24
"""Of one step's slip numbers there are 32."""

SUBSTITUTES = {
    "paper": Substitute.PAPER,
    "relative": Substitute.RELATIVE,
    "dependants": Substitute.DEPENDANT,
    "by_hand": Substitute.BY_HAND,
}
IGNORED = ignoring(
    ATS,
    {
        CardRead: "this page is about something else; the card can be laid again on the next one",
        CardLaid: "this page is about something else",
        CardTrouble: "this page is about something else",
    },
)


def begin(state: GreenState, target: str, scene: Scene) -> Stepped:
    """A substitute was touched, for the current person or for somebody new."""
    effects: tuple[Effect, ...] = ()
    case = state.current
    if case is None:
        state, case, joined = new_case(state, scene)
        effects = (joined,)
    read = base(case) if case.noted == "id_read" else case.forgotten()
    case = replace(read, substitute=SUBSTITUTES[target])
    match target:
        case "paper":
            return with_case(state, "paper", case), effects
        case "relative":
            return with_case(state, "relative", case), effects
        case "by_hand":
            return with_case(state, "form", case), effects
    if read.people:  # the card that was read is the holder's own (row 23)
        state, more = _held(state, replace(case, people=()), read.people[0])
        return state, (*effects, *more)
    return with_case(state, "holder", case), effects


def step(state: GreenState, event: Event, scene: Scene) -> Stepped:
    assert state.current is not None, "a substitute is always somebody's"
    match state.at, event:
        case _, Touched("back"):
            case = base(state.current)
            return with_case(state, resting_at(case), case), ()
        case _, Touched(target):
            return _touched(state, target, scene)
        case "paper" | "patient" | "relative" | "holder" | "picking", CardRead(identity):
            return _read(replace(state, reading=False, notice=None), identity, scene)
        case "paper" | "patient" | "relative" | "holder" | "picking", CardLaid():
            return replace(state, reading=True, notice=None), ()
        case "paper" | "patient" | "relative" | "holder" | "picking", CardTrouble(code):
            return replace(state, reading=False, notice=Notice(code, "id_reader")), ()
        case "listing", _:
            return _listing(state, event, scene)
    return state, ignore(state.at, event, IGNORED)


def _touched(state: GreenState, target: str, scene: Scene) -> Stepped:
    case = state.current
    assert case is not None
    what, _, name = target.partition(":")
    match state.at, what:
        case "paper", "kind" if name in scene.rules.paper_kinds:
            return replace(state, current=replace(case, paper=name), notice=None), ()
        case "paper", "valid" if name in VALIDITIES:
            return replace(state, current=replace(case, paper_valid=name), notice=None), ()
        case "paper", "next":
            if not case.paper:
                return replace(state, notice=Notice("choose_paper")), ()
            return _then_patient(state, case)
        case "relation", "relation" if name in scene.rules.relations:
            return with_case(state, "questions", replace(case, relation=name)), ()
        case "picking", "person" | "by_number" | "next":
            return _picked(state, what, name)
        case "form" | "patient", "ok":
            return _form(state) if state.at == "form" else _patient(state)
        case "patient", "skip" if case.substitute is Substitute.PAPER:
            return with_case(state, "questions", case), ()
        case "form", "key" | "erase":
            return replace(state, entry=press(state.entry, target, FORM_LENGTH)), ()
        case "patient", "key" | "erase":
            return replace(state, entry=press(state.entry, target, 18, letters=True)), ()
    return state, ignore(state.at, Touched(target), IGNORED)


# --- numbers that are typed ----------------------------------------------------------------------


def _form(state: GreenState) -> Stepped:
    """The serial number of a paper form: counted once, so that nothing counts twice (row 26)."""
    serial, case = state.entry.text, state.current
    assert case is not None
    if not serial:
        return replace(state, entry=state.entry.wrong("too_short")), ()
    if serial in (*state.forms, *(other.form for other in state.waiting)):
        return replace(state, entry=state.entry.wrong("already_counted")), ()
    noted = case.noted or "filled_in"
    return _then_patient(state, replace(case, form=serial, noted=noted))


def _then_patient(state: GreenState, case: Case) -> Stepped:
    """Whose paper it is: known from a card, or asked for."""
    return with_case(state, "questions" if case.people else "patient", case), ()


def _patient(state: GreenState) -> Stepped:
    text = state.entry.text
    if error := id_number_error(text):
        return replace(state, entry=state.entry.wrong(error)), ()
    return _known(state, from_number(text), noted="")


def _known(state: GreenState, someone: Someone, noted: str) -> Stepped:
    """The person themselves, by their own card or by a typed number."""
    case = state.current
    assert case is not None
    if case.relative and someone.number == case.relative.number:
        return _same(state), ()
    if case.substitute is Substitute.DEPENDANT:
        return _pick(state, someone), ()
    case = replace(case, people=(someone,), noted=noted or case.noted)
    if state.at == "paper":
        return replace(state, current=case), ()
    following = "relation" if case.substitute is Substitute.RELATIVE else "questions"
    return with_case(state, following, case), ()


def _same(state: GreenState) -> GreenState:
    if state.at == "patient" and state.entry.text:
        return replace(state, entry=state.entry.wrong("same_person"))
    return replace(state, notice=Notice("same_persons_card", "id_reader"))


# --- cards ---------------------------------------------------------------------------------------


def _read(state: GreenState, identity: Identity, scene: Scene) -> Stepped:
    case, someone = state.current, from_card(identity)
    assert case is not None
    match state.at:
        case "relative":
            if case.is_of(someone.number):
                return _same(state), ()
            related = replace(case, relative=someone)
            return with_case(state, "relation" if case.people else "patient", related), ()
        case "holder":
            return _held(state, case, someone)
    return _known(replace(state, entry=Entry()), someone, noted="id_read")


# --- one holder, several dependants --------------------------------------------------------------


def _held(state: GreenState, case: Case, holder: Someone) -> Stepped:
    """Today's list first: it is here whether the hospital is or not."""
    listing = with_case(replace(state, picks=()), "listing", replace(case, relative=holder))
    return listing, (FindOffline(listing.tag, holder.number),)


def _listing(state: GreenState, event: Event, scene: Scene) -> Stepped:
    match event:
        case FoundOffline(state.tag, expected) if expected and expected.dependants:
            return _listed(state, expected.dependants), ()
        case FoundOffline(state.tag) if scene.works.hospital:
            return state, (Ask(state.tag, _who(state)),)
        case Replied(state.tag, Known(patient)):
            return state, (Ask(state.tag, AskToday(patient.person)),)
        case Replied(state.tag, Today(dependants=dependants)):
            return _listed(state, dependants), ()
        case FoundOffline(state.tag) | Replied(state.tag) | Failed(state.tag):
            return _listed(state, ()), ()
    return state, ignore(state.at, event, IGNORED)


def _who(state: GreenState) -> Identify:
    case = state.current
    assert case is not None and case.relative is not None
    return Identify(Credential.ID_CARD, case.relative.number, name=case.relative.name)


def _listed(state: GreenState, dependants: tuple[Dependant, ...]) -> GreenState:
    assert state.current is not None
    picks = tuple(Pick(from_dependant(one)) for one in dependants[:PICKS_SHOWN])
    listed = replace(with_case(state, "picking", state.current), picks=picks)
    return listed if picks else replace(listed, notice=Notice("no_dependants", grave=False))


def _picked(state: GreenState, what: str, name: str) -> Stepped:
    case, picks = state.current, state.picks
    assert case is not None
    match what:
        case "person" if name in {str(at) for at in range(len(picks))}:
            at = int(name)
            toggled = replace(picks[at], chosen=not picks[at].chosen)
            return replace(state, picks=(*picks[:at], toggled, *picks[at + 1 :]), notice=None), ()
        case "by_number":
            return replace(state, at="patient", entry=Entry(), notice=None), ()
        case "next":
            people = tuple(pick.someone for pick in picks if pick.chosen)
            if not people:
                return replace(state, notice=Notice("choose_somebody")), ()
            return with_case(state, "questions", replace(case, people=people)), ()
    return state, ignore(state.at, Touched(f"{what}:{name}"), IGNORED)


def _pick(state: GreenState, someone: Someone) -> GreenState:
    """One more of the holder's people, chosen; somebody who is listed already is just chosen."""
    back = replace(state, at="picking", entry=Entry(), notice=None)
    if any(pick.someone.number == someone.number for pick in state.picks):
        picks = tuple(
            replace(pick, chosen=pick.chosen or pick.someone.number == someone.number)
            for pick in state.picks
        )
        return replace(back, picks=picks)
    if len(state.picks) >= PICKS_MAX:
        return replace(back, notice=Notice("list_full"))
    added = Pick(replace(someone, relation="other"), chosen=True)
    return replace(back, picks=(added, *state.picks))
