"""What shall be done: every effect a flow can ask for, in the imperative.

Records (Keep …) of one step become durable in one transaction before anything else of that step
is performed. Nothing here is done by a flow; the engine hands each effect to whoever can.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from kiosk.domain.bill import Quote
from kiosk.domain.identity import Identity
from kiosk.domain.visit import LentSlot
from kiosk.flows.events import CardRead, CodeScanned
from kiosk.flows.slips import SlipFacts
from kiosk.hospital.contract import Method, Patient, Today
from kiosk.views import Attract, Language

# --- records: durable first


@dataclass(frozen=True)
class KeepQueued:
    """A record for the hospital: a body of contract.RECORD_BODIES; `key` is permanent.

    `person` is whoever it concerns (an ID number or the hospital's id): records of one person
    keep their order; the store knows only a pseudonym of it.
    """

    kind: str
    key: str
    person: str = field(repr=False)
    body: Any = field(repr=False)


@dataclass(frozen=True)
class KeepAudit:
    """A typed event of offline/audit_events.toml; ID numbers become pseudonyms on the way.

    The session is added by the engine. Payments' moves and print jobs are audited by the engine
    too: a flow says only what nobody else knows.
    """

    event: str
    person: str = field(default="", repr=False)
    slip: str = ""
    reference: str = ""
    fields: tuple[tuple[str, str | int | bool], ...] = ()
    for_person: str = field(default="", repr=False)


@dataclass(frozen=True)
class KeepMove:
    """The next state of a payment, with what proves it."""

    reference: str
    state: str
    evidence: str = ""


@dataclass(frozen=True)
class KeepPayment:
    """A new payment, in state INTENT; `payment` is a kiosk.flows.payment.Payment."""

    payment: Any = field(repr=False)


@dataclass(frozen=True)
class KeepCash:
    """How far a payment in notes has come; `kept_fen` is the note that is newly in the box.

    `note_fen`: a note that shall be kept, from here on, and has not been told of yet.
    """

    reference: str
    taken_fen: int
    note_fen: int
    mark: int
    kept_fen: int = 0


@dataclass(frozen=True)
class KeepReturned:
    """The pad gave the money back unasked: nothing may be booked any more, after a restart too."""

    reference: str


@dataclass(frozen=True)
class KeepNote:
    """Something to find again after a crash: an open hold, the waiting list. Sealed."""

    name: str
    body: str = field(repr=False)


@dataclass(frozen=True)
class DropNote:
    name: str


@dataclass(frozen=True)
class KeepQuote:
    """A quote for this person (an ID number): what it says may be paid without the hospital."""

    number: str = field(repr=False)
    quote: Quote = field(repr=False)


# --- the hospital


@dataclass(frozen=True)
class Ask:
    """A request of kiosk.hospital.contract; answered by Replied(tag, …) or Failed(tag, …).

    Answers that come after the flow has gone are dropped.
    """

    tag: str
    request: Any = field(repr=False)


@dataclass(frozen=True)
class Tell:
    """A request whose answer nobody waits for; sent again (same key) until it is answered."""

    request: Any = field(repr=False)


@dataclass(frozen=True)
class FindOffline:
    """Look in today's cached list for an ID number; answered by FoundOffline(tag, …)."""

    tag: str
    number: str = field(repr=False)


# --- devices


@dataclass(frozen=True)
class ChargePad:
    reference: str
    amount_fen: int


@dataclass(frozen=True)
class CompletePad:
    reference: str


@dataclass(frozen=True)
class ReleasePad:
    reference: str


@dataclass(frozen=True)
class CancelPad:
    """The person pressed back before a card was taken; the pad's answer says what came of it."""

    reference: str


@dataclass(frozen=True)
class RecallPad:
    """Ask this pad what became of a reference; never repeats the charge.

    A pad without a query by reference is asked for its last payment, and the answer is held
    against amount, time and what the pad remembered before (`mark`, see PadLooked).
    """

    reference: str
    amount_fen: int
    sent_at: datetime
    mark: str = ""


@dataclass(frozen=True)
class AcceptCash:
    """Take notes worth at most `owed_fen` each, one at a time; each waits for our decision."""

    reference: str
    owed_fen: int


@dataclass(frozen=True)
class StackNote:
    """Keep the note that waits. Only after KeepCash has said so on disk."""

    reference: str


@dataclass(frozen=True)
class ReturnNote:
    """Give the note that waits back, and go on taking others."""

    reference: str


@dataclass(frozen=True)
class StopCash:
    """Take no more notes; one that waits undecided goes back. Answered by CashStopped."""

    reference: str


@dataclass(frozen=True)
class RecallCash:
    """Ask the box what happened since `mark`; a note that still waits goes back.

    `note_fen`: one that was to be kept, as far as the disk knows.
    """

    reference: str
    mark: str
    note_fen: int


@dataclass(frozen=True)
class PrintSlip:
    """`large` for elders; `copy` marks it 补打. The engine puts the session's language in."""

    job: str
    slip: SlipFacts = field(repr=False)
    large: bool = False
    copy: bool = False
    language: Language = "zh"


@dataclass(frozen=True)
class PrintReport:
    job: str
    title: str
    pdf: bytes = field(repr=False)


@dataclass(frozen=True)
class CancelReport:
    """Take a report back from the printer's queue: nobody stands there any more to receive it."""

    job: str


# --- records that are asked


@dataclass(frozen=True)
class CheckPin:
    """Answered by PinChecked; counted on disk before the answer is known."""

    pin: str = field(repr=False)


@dataclass(frozen=True)
class AskTrail:
    """The person's own audit trail; answered by Replied(tag, tuple[slips.TrailLine, …])."""

    tag: str
    person: str = field(repr=False)


@dataclass(frozen=True)
class AskLent:
    """Which numbers does this terminal own? Answered by Replied(tag, Lent(…))."""

    tag: str


@dataclass(frozen=True)
class Lent:
    """Slots with numbers that may be given out now, the earliest first."""

    slots: tuple[LentSlot, ...]


@dataclass(frozen=True)
class GiveNumber:
    """Give the next leased number of a slot to a person: number, record for the hospital and
    audit are one transaction. Answered by Replied(tag, GivenNumber(…) | NoNumber()).

    `key` is the record's; `number` the person's ID number; `person` the hospital's id where it is
    known, else `identity` says who it is. `slip` is what will be printed.
    """

    tag: str
    key: str
    slot_id: str
    slip: str
    at: datetime
    number: str = field(repr=False)
    person: str = ""
    identity: Identity | None = field(default=None, repr=False)


@dataclass(frozen=True)
class NoNumber:
    """None is left, or its deadline has come."""


@dataclass(frozen=True)
class AskQuote:
    """What may this person (an ID number) pay without the hospital?

    Answered by Replied(tag, HeldQuote(…)): verified, in time, unused.
    """

    tag: str
    number: str = field(repr=False)


@dataclass(frozen=True)
class HeldQuote:
    quote: Quote | None = field(repr=False)


# --- time


@dataclass(frozen=True)
class Wake:
    """Woke(name) after so many seconds; asking again moves it; leaving the flow drops it."""

    name: str
    after_s: float


# --- where to go


@dataclass(frozen=True)
class SetPerson:
    """The session's person is known from now on; flows see it in Scene.person.

    Whoever acted for somebody before does so no longer. `card_expired` is Scene.card_expired,
    `by_card` Scene.by_card.
    """

    patient: Patient = field(repr=False)
    card_expired: bool = False
    by_card: Identity | None = field(default=None, repr=False)


@dataclass(frozen=True)
class SetToday:
    """`quote` is Scene.quote: what of this day may be paid without the hospital."""

    today: Today = field(repr=False)
    quote: Quote | None = field(default=None, repr=False)


@dataclass(frozen=True)
class SetActing:
    """From now on this person is served, and the one who was known before acts for them."""

    patient: Patient = field(repr=False)
    relation: str = ""


Flow = Literal[
    "attract",
    "identify",
    "home",
    "check_in",
    "register",
    "register_lent",
    "pay",
    "print_reports",
    "proxy",
    "inquire",
    "hand_over",
    "call_help",
    "green_channel",
    "unlock",
]


@dataclass(frozen=True)
class Go:
    """Leave this flow for another. `home` without a known person is `attract`.

    Arguments: check_in an appointment's id · register "" or "last" · pay a PayOrder
    hand_over a HandOver · identify a ToIdentify or the goal (start, register, pay, family,
    print_reports, inquire) · call_help a HelpCall · green_channel a Volunteer.
    """

    to: Flow
    argument: Any = None


@dataclass(frozen=True)
class Return:
    """Back to the flow that lay under this one (call_help, hand_over), its state untouched."""


@dataclass(frozen=True)
class EndSession:
    """Drop the session whole.

    `shown` is what the next person laid down while this one's page was up: once everything is
    wiped it is told to the attract flow of the new session, as if it had been laid down there.
    """

    shown: CardRead | CodeScanned | None = field(default=None, repr=False)


@dataclass(frozen=True)
class PayOrder:
    """What the pay flow is started with: bills to be pre-settled, or a quote for a held number."""

    bill_ids: tuple[str, ...] = ()
    quote: Quote | None = None
    hold_key: str = ""


@dataclass(frozen=True)
class ToIdentify:
    """What the identify flow is started with; a bare goal will do when nothing was shown yet.

    `behind` is the page that stays on the screen while a credential that was shown is asked about.
    """

    goal: str = "start"
    shown: CardRead | CodeScanned | None = field(default=None, repr=False)
    behind: Attract | None = None


@dataclass(frozen=True)
class HelpCall:
    """What call_help is started with; `page` is where the person is (a page's key)."""

    sort: Literal["volunteer", "nurse", "emergency", "sign_language"] = "volunteer"
    page: str = ""


@dataclass(frozen=True)
class Volunteer:
    """What the green channel is started with. The engine puts the note `waiting` in, if any."""

    name: str
    gate: str
    waiting: str = field(default="", repr=False)
    who: str = "volunteer"  # the badge, for the audit


@dataclass(frozen=True)
class HandOver:
    purpose: str
    amount_fen: int = 0
    reference: str = ""


@dataclass(frozen=True)
class BeginPayment:
    """Start one attempt; the engine runs its saga and tells PaymentMoved(reference, …)."""

    reference: str
    method: Method
    amount_fen: int
    quote: Quote
    hold_key: str = ""
    payer_code: str = field(default="", repr=False)


@dataclass(frozen=True)
class GiveUpPayment:
    """Close a shown code, or cancel at the pad; how it ended comes as PaymentMoved."""

    reference: str


Effect = (
    KeepQueued
    | KeepAudit
    | KeepMove
    | KeepPayment
    | KeepCash
    | KeepReturned
    | KeepNote
    | DropNote
    | KeepQuote
    | Ask
    | Tell
    | FindOffline
    | ChargePad
    | CompletePad
    | ReleasePad
    | CancelPad
    | RecallPad
    | AcceptCash
    | StackNote
    | ReturnNote
    | StopCash
    | RecallCash
    | PrintSlip
    | PrintReport
    | CancelReport
    | CheckPin
    | AskTrail
    | AskLent
    | GiveNumber
    | AskQuote
    | Wake
    | SetPerson
    | SetToday
    | SetActing
    | Go
    | Return
    | EndSession
    | BeginPayment
    | GiveUpPayment
)
