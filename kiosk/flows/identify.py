"""Who is this? Any card, code or typed number; then what concerns them today; then on to the goal.

Rule: a name appears only after the hospital, today's list or a card said it. A typed or printed
number alone proves little: the hospital asks for a second factor, and without the hospital it
names nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from kiosk.domain.bill import Bill
from kiosk.domain.codes import HealthCode, IdNumberCode, InsuranceCode, NotForThis, classify
from kiosk.domain.identity import Credential, DocumentKind, Identity
from kiosk.flows.common import code_notice, ignore, ignoring, index_of
from kiosk.flows.effects import (
    Ask,
    Effect,
    EndSession,
    FindOffline,
    Go,
    HandOver,
    HelpCall,
    KeepAudit,
    PayOrder,
    SetPerson,
    SetToday,
    ToIdentify,
)
from kiosk.flows.events import (
    CardLaid,
    CardRead,
    CardTrouble,
    CodeHint,
    CodeRejected,
    CodeScanned,
    Event,
    Failed,
    FoundOffline,
    Replied,
    Touched,
)
from kiosk.flows.keypad import Entry, id_number_error, press
from kiosk.flows.scene import Accepts, Business, Scene, Shown
from kiosk.hospital.contract import (
    AskToday,
    CodeExpired,
    Enter,
    FactorWait,
    Known,
    NotKnown,
    Patient,
    SecondFactorAsked,
    Today,
)
from kiosk.hospital.contract import Identify as AskWho
from kiosk.views import Attract, Notice, Page, Problem, TypeIn
from kiosk.views import Identify as IdentifyPage

FACTOR_TRIES = 3
"""Four digits and three tries: a stranger's chance is 3 in 10,000 before a person looks on."""

ATS = ("waiting", "typing", "factor", "asking", "entering", "loading", "problem")
IGNORED = ignoring(
    ATS,
    {
        CardRead: "this person is known already: their day is being fetched",
        CodeScanned: "a question is under way: the same code is often read twice",
        CodeRejected: "a question is under way: its answer matters more",
    },
)


@dataclass(frozen=True)
class Try:
    """One credential that was shown. `identity` only if a card said it."""

    credential: Credential
    value: str = field(repr=False)
    document: DocumentKind = DocumentKind.RESIDENT
    name: str = field(default="", repr=False)
    identity: Identity | None = field(default=None, repr=False)


@dataclass(frozen=True)
class IdentifyState:
    """At: waiting (for anything), typing (the ID number), factor (four digits), asking (who is
    it?), entering (a first visit), loading (their day), problem."""

    at: str
    goal: str = "start"
    behind: Attract | None = None  # the page that stays while a shown credential is asked about
    serial: int = 0  # of the question: an answer about the card before must not name this one
    shown: Try | None = None
    entry: Entry = field(default_factory=Entry)
    factor: Literal["phone_last4", "number_last4"] = "phone_last4"
    tries: int = 0
    patient: Patient | None = field(default=None, repr=False)
    reading: bool = False
    notice: Notice | None = None
    problem: str = ""

    @property
    def tag(self) -> str:
        return f"who:{self.serial}"


Stepped = tuple[IdentifyState, tuple[Effect, ...]]


def start(scene: Scene, argument: ToIdentify | str | None) -> Stepped:
    match argument:
        case ToIdentify(goal, None, _):
            return IdentifyState("waiting", goal), ()
        case ToIdentify(goal, shown, behind):
            assert shown is not None
            return step(IdentifyState("waiting", goal, behind), shown, scene)
        case str(goal):
            return IdentifyState("waiting", goal), ()
    return IdentifyState("waiting"), ()


def step(state: IdentifyState, event: Event, scene: Scene) -> Stepped:
    match state.at, event:
        case _, Touched(target):
            return _touched(state, target, scene)
        case "waiting" | "typing" | "factor" | "asking" | "problem", CardRead(identity):
            return _ask_card(state, identity)
        case "waiting" | "typing" | "factor" | "problem", CodeScanned(text):
            return _scanned(state, text)
        case "waiting" | "typing" | "factor" | "problem", CodeRejected():
            return replace(state, notice=Notice("code_garbled", "scanner")), ()
        case "waiting", CodeHint(code):
            return replace(state, notice=Notice(f"code_{code}", "scanner", grave=False)), ()
        case "waiting" | "typing" | "factor" | "problem", CardLaid():
            return replace(state, reading=True, notice=None), ()
        case "waiting" | "typing" | "factor" | "problem", CardTrouble(code):
            return replace(state, reading=False, notice=Notice(code, "id_reader")), ()
        case "asking" | "entering" | "loading", Replied(state.tag, reply):
            return _replied(state, reply, scene)
        case "asking" | "entering" | "loading", Failed(state.tag, why):
            return _failed(state, why)
        case "asking" | "loading", FoundOffline(state.tag) if _by_number(state):
            return _found(state, event, scene)
    return state, ignore(state.at, event, IGNORED)


# --- fingers -------------------------------------------------------------------------------------


def _touched(state: IdentifyState, target: str, scene: Scene) -> Stepped:
    match state.at, target:
        case _, "end":
            return state, (EndSession(),)
        case _, "window":
            return state, (Go("hand_over", HandOver("identify")),)
        case "waiting", "type_number":
            return replace(state, at="typing", entry=Entry(), notice=None, behind=None), ()
        case "waiting", "volunteer":
            return state, (Go("call_help", HelpCall("volunteer", "identify")),)
        case "waiting" | "loading", "back" | "quit":
            return state, (EndSession(),)
        case _, "back" | "quit":
            return _again(state), ()
        case "problem", "again":
            return _again(state), ()
        case "typing" | "factor", "ok":
            return _typed(state, scene)
        case "typing" | "factor", _:
            entry = press(state.entry, target, _length(state), letters=state.at == "typing")
            return replace(state, entry=entry, notice=None), ()
    return state, ignore(state.at, Touched(target), IGNORED)


def _again(state: IdentifyState) -> IdentifyState:
    """The first page of this flow; an answer that is still under way belongs to nobody."""
    return IdentifyState("waiting", state.goal, serial=state.serial + 1)


def _length(state: IdentifyState) -> int:
    return 18 if state.at == "typing" else 4


def _typed(state: IdentifyState, scene: Scene) -> Stepped:
    text = state.entry.text
    if state.at == "typing":
        if error := id_number_error(text):
            return replace(state, entry=state.entry.wrong(error)), ()
        return _ask(state, Try(Credential.TYPED_NUMBER, text))
    if len(text) < 4:
        return replace(state, entry=state.entry.wrong("too_short")), ()
    assert state.shown is not None
    return _ask(replace(state, tries=state.tries + 1), state.shown, second_factor=text)


# --- credentials ---------------------------------------------------------------------------------


def _ask_card(state: IdentifyState, identity: Identity) -> Stepped:
    name, number = identity.name, identity.number
    card = Try(identity.credential, number, identity.kind, name, identity)
    return _ask(replace(state, tries=0), card)


def _scanned(state: IdentifyState, text: str) -> Stepped:
    match classify(text, "identity"):
        case HealthCode(value):
            return _ask(replace(state, tries=0), Try(Credential.HEALTH_CODE, value))
        case InsuranceCode(value):
            return _ask(replace(state, tries=0), Try(Credential.INSURANCE_CODE, value))
        case IdNumberCode(number):
            return _ask(replace(state, tries=0), Try(Credential.TYPED_NUMBER, number.text))
        case NotForThis() as nothing:
            return replace(state, notice=code_notice(nothing)), ()
    raise AssertionError("a payer's code on a page that asks who somebody is")


def _ask(state: IdentifyState, shown: Try, second_factor: str = "") -> Stepped:
    asking = replace(
        state,
        at="asking",
        serial=state.serial + 1,
        shown=shown,
        entry=Entry(),
        reading=False,
        notice=None,
    )
    request = AskWho(shown.credential, shown.value, shown.document, shown.name, second_factor)
    return asking, (Ask(asking.tag, request),)


# --- answers -------------------------------------------------------------------------------------


def _replied(state: IdentifyState, reply: object, scene: Scene) -> Stepped:
    assert state.shown is not None
    match state.at, reply:
        case "asking" | "entering", Known(patient):
            return _known(state, patient, scene)
        case "asking", NotKnown() if state.shown.identity is not None:
            # A card is enough: nothing is typed that the card knows (row 119).
            entering = replace(state, at="entering")
            return entering, (Ask(state.tag, Enter(scene.key("enter"), state.shown.identity)),)
        case "asking", NotKnown():
            return _nobody(state, "not_known", "not_known")
        case "asking", SecondFactorAsked(factor):
            return _second_factor(state, factor)
        case "asking", FactorWait():
            return _nobody(state, "second_factor", "second_factor")
        case "asking", CodeExpired():
            state, effects = _nobody(state, "expired", "")
            return replace(state, notice=Notice("code_expired", "scanner")), effects
        case "loading", Today() as today:
            return state, (SetToday(today), _onward(state, today))
    return state, ignore(state.at, Replied(state.tag, reply), IGNORED)


def _second_factor(state: IdentifyState, factor: Literal["phone_last4", "number_last4"]) -> Stepped:
    if state.tries >= FACTOR_TRIES:
        return _nobody(state, "second_factor", "second_factor")
    entry = Entry(error="wrong") if state.tries else Entry()
    left = replace(state, at="factor", factor=factor, entry=entry, behind=None)
    return left, ()


def _known(state: IdentifyState, patient: Patient, scene: Scene) -> Stepped:
    assert state.shown is not None
    identity = state.shown.identity
    expired = identity is not None and identity.expired(scene.now.date())
    audit = KeepAudit(
        "person_identified",
        index_of(patient),
        fields=(("credential", state.shown.credential.value),),
    )
    loading = replace(state, at="loading", patient=patient, serial=state.serial + 1)
    ask = Ask(loading.tag, AskToday(patient.person))
    return loading, (audit, SetPerson(patient, card_expired=expired), ask)


def _failed(state: IdentifyState, why: str) -> Stepped:
    """Without the hospital: today's list knows a card's number, and nothing knows a code."""
    assert state.shown is not None
    if state.at == "loading":
        assert state.patient is not None
        return state, (FindOffline(state.tag, index_of(state.patient)),)
    if why in ("refused", "bad"):
        return _nobody(state, "hospital", "cannot_identify")
    if state.shown.identity is not None:
        return state, (FindOffline(state.tag, state.shown.value),)
    state, effects = _nobody(state, "offline", "")
    return replace(state, notice=Notice("needs_card_offline", "id_reader")), effects


def _by_number(state: IdentifyState) -> bool:
    """Only a card's number is looked for in the list; later, that of a person who is known."""
    return state.patient is not None or bool(state.shown and state.shown.identity)


def _found(state: IdentifyState, found: FoundOffline, scene: Scene) -> Stepped:
    if state.at == "loading":
        assert state.patient is not None
        day = _day_of(found, state.patient.person)
        return state, (*_set_day(day), _onward(state, day.today if day else None))
    assert state.shown is not None
    identity = state.shown.identity
    assert identity is not None, "only a card's number is looked for in the list"
    patient = _from_store(identity, found)
    if not patient.person and not scene.works.numbers:
        return _nobody(state, "offline", "not_listed_offline")
    audit = KeepAudit(
        "person_identified",
        index_of(patient),
        fields=(("credential", state.shown.credential.value), ("offline", True)),
    )
    expired = identity.expired(scene.now.date())
    day = _day_of(found, patient.person)
    known = replace(state, at="loading", patient=patient)
    person = SetPerson(patient, expired, None if patient.person else identity)
    onward = _onward(state, day.today if day else None)
    return known, (audit, person, *_set_day(day), onward)


def _from_store(identity: Identity, found: FoundOffline) -> Patient:
    """Of today's list, of a quote that was made for this number, or (no id) of the card alone."""
    expected, quote = found.expected, found.quote
    if expected is None:
        person = quote.person if quote else ""
        born = identity.born
        return Patient(person, identity.name, identity.number, born, identity.sex, insurance="")
    return Patient(
        expected.person,
        identity.name or expected.name,
        expected.number,
        expected.born or identity.born,
        identity.sex,
        insurance="",
    )


def _day_of(found: FoundOffline, person: str) -> SetToday | None:
    """What the terminal knows of somebody's day: the list's appointments, a held quote's bill.

    All else of bills and reports only the hospital knows.
    """
    expected = found.expected
    quote = found.quote if found.quote and found.quote.person == person else None
    if expected is None and quote is None:
        return None
    appointments = expected.appointments if expected else ()
    dependants = expected.dependants if expected else ()
    bills = (Bill(quote.bill_ids[0], "", quote.lines),) if quote else ()
    own_fen = quote.split.own_fen if quote else 0
    return SetToday(Today(appointments, bills, own_fen, (), dependants), quote)


def _set_day(day: SetToday | None) -> tuple[SetToday, ...]:
    return (day,) if day else ()


def _nobody(state: IdentifyState, cause: str, problem: str) -> Stepped:
    """Back to the first page with a word why, or a page of its own when there is no use in that."""
    assert state.shown is not None
    fields = (("credential", state.shown.credential.value), ("cause", cause))
    audit = KeepAudit("identification_failed", fields=fields)
    waiting = _again(state)
    return replace(waiting, at="problem" if problem else "waiting", problem=problem), (audit,)


def _onward(state: IdentifyState, today: Today | None) -> Go:
    match state.goal:
        case "register":
            return Go("register", "")
        case "family":
            return Go("proxy")
        case "print_reports":
            return Go("print_reports")
        case "inquire":
            return Go("inquire")
        case "pay" if today and today.bills:
            return Go("pay", PayOrder(bill_ids=tuple(bill.id for bill in today.bills)))
    return Go("home")


# --- what is drawn -------------------------------------------------------------------------------


def view(state: IdentifyState, scene: Scene) -> Shown:
    bar: tuple[Literal["back", "help", "large", "voice"], ...] = ("back", "help", "large", "voice")
    shown = Shown(_page(state, scene), bar, notice=state.notice)
    match state.at:
        case "asking" | "entering" | "loading":
            return replace(shown, busy="identifying", accepts=Accepts(cards=state.at == "asking"))
    accepts = Accepts(cards=True, codes="identity")
    return replace(shown, accepts=accepts, busy="identifying" if state.reading else "")


def _page(state: IdentifyState, scene: Scene) -> Page:
    match state.at:
        case "typing":
            entry = state.entry
            return TypeIn("id_number", entry.last_shown, 18, entry.error, letters=True)
        case "factor":
            left = FACTOR_TRIES - state.tries
            entry = state.entry
            return TypeIn(state.factor, entry.text, 4, entry.error, left if state.tries else None)
        case "problem":
            return Problem(state.problem, True, scene.rules.desk_window)
        case "asking" | "entering" | "loading" if state.behind is not None:
            return state.behind
    return IdentifyPage(state.goal, state.reading, card_slot=scene.rules.card_slot)


BUSINESS = Business("identify", start, step, view)
