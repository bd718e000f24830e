"""Every message between a terminal and the gateway; the gateway's OpenAPI is made from them.

One endpoint a message: POST /v1/<name>. A request that changes something carries `key` (or the
payment's `reference`), made before it is first sent and kept for every retry; the gateway keeps
it for ever, answers the same key with its first answer, and refuses the same key with another
body. Expected outcomes are replies; only faults are HTTP errors. Amounts are integer fen, instants
are timezone-aware.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Base64Bytes, Field, TypeAdapter

from kiosk.domain.bill import Bill, Quote
from kiosk.domain.identity import Credential, DocumentKind, Identity, Sex
from kiosk.domain.report import Report
from kiosk.domain.visit import Appointment, Department, Dependant, Hold, Slot, Ticket

PROTOCOL_VERSION = 1
BATCH_RECORDS_MAX = 250
TERMINAL_HEADER = "X-Terminal"
"""Names the terminal; `Authorization: Bearer` carries its token beside mutual TLS."""


# --- the terminal itself ---------------------------------------------------------------------


@dataclass(frozen=True)
class Hello:
    """A heartbeat: who I am, how much waits, which devices are not well (names of parts only)."""

    terminal: str
    version: str
    now: datetime
    waiting: int = 0
    troubles: tuple[str, ...] = ()
    oldest_s: int = 0  # how long the oldest waiting record has waited
    audit_key: str = ""  # base64, raw Ed25519: verifies the heads of this terminal's audit chain


@dataclass(frozen=True)
class HelloReply:
    now: datetime
    hospital: str
    hospital_en: str
    protocol: int = PROTOCOL_VERSION
    quote_key: str = ""  # base64, raw Ed25519: verifies the signatures of quotes
    beat_s: float = 5.0  # when to say hello again; longer where many terminals share a gateway


# --- who -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Identify:
    """Resolve any credential to one person. `value`: an ID number, another document's, a code."""

    credential: Credential
    value: str = field(repr=False)
    document: DocumentKind = DocumentKind.RESIDENT
    name: str = field(default="", repr=False)
    second_factor: str = field(default="", repr=False)


@dataclass(frozen=True)
class Patient:
    """`person` is the hospital's own id. `real_name` False: shown, with the way to complete it."""

    person: str
    name: str = field(repr=False)
    number: str = field(repr=False)
    born: date | None = field(repr=False)
    sex: Sex
    insurance: str  # the class's plain name, e.g. 职工医保; empty: pays all alone
    real_name: bool = True
    phone_last4: str = field(default="", repr=False)


@dataclass(frozen=True)
class Known:
    patient: Patient
    kind: Literal["known"] = "known"


@dataclass(frozen=True)
class NotKnown:
    """No such person here. A card is enough to be entered (first visit); a code is not."""

    kind: Literal["not_known"] = "not_known"


@dataclass(frozen=True)
class SecondFactorAsked:
    """A printed, static code or a typed number proves little: ask for `factor` as well."""

    factor: Literal["phone_last4", "number_last4"]
    kind: Literal["second_factor"] = "second_factor"


@dataclass(frozen=True)
class FactorWait:
    """Too many wrong second factors for this number, here or elsewhere: not before `wait_s`."""

    wait_s: int
    kind: Literal["factor_wait"] = "factor_wait"


@dataclass(frozen=True)
class CodeExpired:
    kind: Literal["code_expired"] = "code_expired"


IdentifyReply = Annotated[
    Known | NotKnown | SecondFactorAsked | FactorWait | CodeExpired, Field(discriminator="kind")
]


@dataclass(frozen=True)
class Enter:
    """First visit: enter a person from what their card says. Nothing is typed twice (row 119)."""

    key: str
    identity: Identity
    phone: str = field(default="", repr=False)


@dataclass(frozen=True)
class AskToday:
    """All that concerns this person today. `for_whom` is a dependant's id when acting for one."""

    person: str
    acting: str = ""  # the person who acts, when it is not `person`


@dataclass(frozen=True)
class Today:
    appointments: tuple[Appointment, ...]
    bills: tuple[Bill, ...]  # unpaid
    own_estimate_fen: int  # of all unpaid bills, before pre-settlement
    reports: tuple[Report, ...]  # not yet printed, or not yet ready
    dependants: tuple[Dependant, ...]
    last_department: str = ""  # id; registration offers it first


@dataclass(frozen=True)
class BindRelative:
    """Both identities were shown; the audit trail of both names the other (row 22, 37)."""

    key: str
    person: str
    acting: Identity
    relation: str


@dataclass(frozen=True)
class Bound:
    dependant: Dependant


# --- registration and check-in -----------------------------------------------------------------


@dataclass(frozen=True)
class AskDepartments:
    day: date


@dataclass(frozen=True)
class DepartmentList:
    departments: tuple[Department, ...]


@dataclass(frozen=True)
class AskSlots:
    department_id: str
    day: date


@dataclass(frozen=True)
class SlotList:
    slots: tuple[Slot, ...]


@dataclass(frozen=True)
class HoldSlot:
    """锁号: before any money moves. The hold ends by itself after some minutes."""

    key: str
    slot_id: str
    person: str


@dataclass(frozen=True)
class Held:
    hold: Hold
    kind: Literal["held"] = "held"


@dataclass(frozen=True)
class SlotGone:
    """Somebody was faster, or this person has a number in this slot already."""

    reason: Literal["none_left", "already_registered", "closed"]
    kind: Literal["slot_gone"] = "slot_gone"


HoldReply = Annotated[Held | SlotGone, Field(discriminator="kind")]


@dataclass(frozen=True)
class ReleaseHold:
    """解锁: on leaving, time-out, and for what a crash left behind."""

    key: str
    hold_key: str


@dataclass(frozen=True)
class CheckIn:
    key: str
    person: str
    appointment_id: str


@dataclass(frozen=True)
class CheckedIn:
    ticket: Ticket
    kind: Literal["checked_in"] = "checked_in"


@dataclass(frozen=True)
class CheckInRefused:
    reason: Literal["not_today", "too_early", "too_late", "cancelled", "unknown"]
    kind: Literal["check_in_refused"] = "check_in_refused"


CheckInReply = Annotated[CheckedIn | CheckInRefused, Field(discriminator="kind")]


# --- money -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PreSettle:
    """预结算: what each payer will pay. Either bills, or a held number's fee."""

    person: str
    bill_ids: tuple[str, ...] = ()
    hold_key: str = ""
    insured: bool = True


@dataclass(frozen=True)
class Quoted:
    quote: Quote
    kind: Literal["quoted"] = "quoted"


@dataclass(frozen=True)
class QuoteRefused:
    """In the gateway's code; the screen has the words and the window."""

    reason: Literal["already_paid", "hold_ended", "insurer_refused", "insurer_away", "unknown_bill"]
    kind: Literal["quote_refused"] = "quote_refused"


PreSettleReply = Annotated[Quoted | QuoteRefused, Field(discriminator="kind")]

Method = Literal["card", "payer_code", "shown_code", "cash"]


@dataclass(frozen=True)
class OpenOrder:
    """Make a code that the patient's phone scans. Opening it charges nobody."""

    reference: str
    amount_fen: int


@dataclass(frozen=True)
class OrderOpened:
    url: str


@dataclass(frozen=True)
class PayByCode:
    """Charge the payer's WeChat/Alipay/UnionPay code that was scanned here."""

    reference: str
    amount_fen: int
    code: str = field(repr=False)


@dataclass(frozen=True)
class QueryCharge:
    reference: str


@dataclass(frozen=True)
class CloseOrder:
    """End an order that nobody has paid; the answer says which of the two it was."""

    reference: str


@dataclass(frozen=True)
class ReverseCharge:
    """冲正: only after inquiry, only when the hospital has definitely not booked."""

    reference: str


@dataclass(frozen=True)
class Charge:
    """The provider's word on one reference. `unknown`: it does not say; ask again.

    `waiting`: the payer is typing a password, or nobody has scanned yet. `not_found`: the provider
    has never heard of the reference, which means *not taken* only if it was asked after closing.
    """

    reference: str
    state: Literal["paid", "declined", "waiting", "closed", "reversed", "not_found", "unknown"]
    amount_fen: int = 0
    provider_reference: str = ""
    business_date: str = ""  # the provider's, YYYY-MM-DD
    reason: str = ""


@dataclass(frozen=True)
class Settle:
    """Book a payment at the hospital; idempotent by `reference`. Amount: the quote's own part.

    `evidence` is what the pad or provider said (trace, receipt, terminal), never a card number.
    """

    reference: str
    person: str
    quote_id: str
    amount_fen: int
    method: Method
    evidence: str
    hold_key: str = ""
    acting: str = ""


@dataclass(frozen=True)
class QuerySettlement:
    reference: str


@dataclass(frozen=True)
class Settled:
    reference: str
    receipt_number: str
    appointment: Appointment | None = None
    ticket: Ticket | None = None
    kind: Literal["settled"] = "settled"


@dataclass(frozen=True)
class SettleRefused:
    """Definitely not booked, and never will be under this reference."""

    reference: str
    reason: Literal[
        "split_changed",  # or quote, person and hold do not belong together: pre-settle anew
        "hold_ended",
        "already_paid",
        "amount_differs",
        "closed",  # this reference was asked about before it came
        "not_paid",  # the provider has no such charge (codes only; a pad's word is evidence)
    ]
    kind: Literal["settle_refused"] = "settle_refused"


@dataclass(frozen=True)
class SettlementNotFound:
    """Never received, and final: asking closes the reference.

    The hospital records the question under the reference, in the same place where a booking would
    stand. A Settle that was still on its way finds it and is refused with reason `closed`.
    """

    reference: str
    kind: Literal["settlement_not_found"] = "settlement_not_found"


SettleReply = Annotated[Settled | SettleRefused, Field(discriminator="kind")]
SettlementReply = Annotated[
    Settled | SettleRefused | SettlementNotFound, Field(discriminator="kind")
]


@dataclass(frozen=True)
class AskAccount:
    """Paid and unpaid bills, itemised, outpatient and inpatient by day (rows 73, 83)."""

    person: str


@dataclass(frozen=True)
class Account:
    bills: tuple[Bill, ...]


# --- reports -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class FetchReport:
    person: str
    report_id: str


@dataclass(frozen=True)
class ReportFile:
    report_id: str
    pdf: Base64Bytes = field(repr=False)
    pages: int


@dataclass(frozen=True)
class MarkPrinted:
    """Only after the printer said completed and shows no fault."""

    key: str
    person: str
    report_id: str


# --- people ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CallHelp:
    """Calls whoever is on duty to this terminal; says nothing about the patient but the page.

    `page` is a device's name when it is the device that waits for a hand.
    """

    key: str
    place: str
    page: str
    sort: Literal["volunteer", "nurse", "emergency", "sign_language"] = "volunteer"


@dataclass(frozen=True)
class AskHelp:
    key: str


@dataclass(frozen=True)
class Help:
    """`coming` is the helper's name once somebody has answered, else empty."""

    key: str
    coming: str = ""
    escalated: bool = False


@dataclass(frozen=True)
class LookUpHealthCode:
    """Asked only while a signed, unexpired policy is on; `because` is recorded (row 25)."""

    number: str = field(repr=False)
    operator: str
    because: str


@dataclass(frozen=True)
class HealthCode:
    result: Literal["clear", "attention", "restricted", "not_found"]
    as_of: datetime


# --- offline -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class AskDayList:
    """What this terminal needs to go on alone today; sealed at rest, expires at midnight."""

    day: date


@dataclass(frozen=True)
class Expected:
    """One person who has an appointment today or may act for others."""

    person: str
    number: str = field(repr=False)
    name: str = field(repr=False)
    born: date | None = field(repr=False)
    appointments: tuple[Appointment, ...]
    dependants: tuple[Dependant, ...]


@dataclass(frozen=True)
class DayList:
    day: date
    people: tuple[Expected, ...]
    departments: tuple[Department, ...]


@dataclass(frozen=True)
class GrantLease:
    """A block of on-site numbers that this terminal alone may give out until the deadline.

    Nobody else gets them until the terminal itself has said which it did not give out
    (LeaseReturnedRecord), whatever any clock shows: a registration made offline always holds.
    `lasting_until`: only a window that ends later is worth the trouble.
    """

    key: str
    department_id: str
    day: date
    numbers: int
    lasting_until: datetime | None = None


@dataclass(frozen=True)
class Lease:
    id: str
    slot: Slot
    first: int
    count: int  # may be fewer than asked, or 0
    until: datetime
    called: tuple[str, ...] = ()  # each as it is called, e.g. A012; empty: the number itself

    def __post_init__(self) -> None:
        if self.count < 0 or len(self.called) not in (0, self.count):
            raise ValueError("a block of so many numbers, each with its name or none with one")


@dataclass(frozen=True)
class Record:
    """One thing that happened at the terminal. `key` is permanent, `sequence` counts up by one."""

    sequence: int
    key: str
    kind: str
    at: datetime
    body: str = field(repr=False)  # JSON of the record's own type


@dataclass(frozen=True)
class Outbox:
    records: tuple[Record, ...]

    def __post_init__(self) -> None:
        if len(self.records) > BATCH_RECORDS_MAX:
            raise ValueError(f"at most {BATCH_RECORDS_MAX} records a batch")


@dataclass(frozen=True)
class Verdict:
    """`accepted` also for one that was accepted before. `later`: try again, nothing is wrong."""

    key: str
    state: Literal["accepted", "refused", "later"]
    reason: str = ""


@dataclass(frozen=True)
class OutboxReply:
    verdicts: tuple[Verdict, ...]
    held_up_to: int  # the highest sequence below which nothing is missing


@dataclass(frozen=True)
class Done:
    kind: Literal["done"] = "done"


# --- what a record's body holds ------------------------------------------------------------------


@dataclass(frozen=True)
class CheckInRecord:
    """A check-in made from the cached list while the gateway was away."""

    person: str
    appointment_id: str
    at: datetime
    slip: str


@dataclass(frozen=True)
class PrintedRecord:
    person: str
    report_id: str
    at: datetime


@dataclass(frozen=True)
class ScreeningRecord:
    """One person through the entrance; its personal fields are sealed again at the gateway."""

    slip: str
    at: datetime
    volunteer: str
    questionnaire: str
    substitute: str
    yes: tuple[str, ...]
    route: str
    waited_s: int
    name: str = field(repr=False)
    number: str = field(repr=False)
    paper: str = ""
    paper_valid_until: str = ""
    paper_serial: str = ""
    relative_name: str = field(default="", repr=False)
    relative_number: str = field(default="", repr=False)
    relation: str = ""
    looked_up_because: str = ""


@dataclass(frozen=True)
class HandOverRecord:
    """去窗口: the clerk scans `slip` and goes on where the terminal stopped."""

    slip: str
    at: datetime
    person: str
    purpose: str
    reference: str = ""
    amount_fen: int = 0


@dataclass(frozen=True)
class AuditHeadRecord:
    """A signed head of the terminal's audit chain; the gateway is its witness."""

    sequence: int
    chain_hash: str
    signature: str
    at: datetime

    def signed(self) -> bytes:
        """The bytes under the signature. ValueError when the hash is not hexadecimal."""
        at_ms = round(self.at.timestamp() * 1000)
        words = f"kiosk audit head 1\0{self.sequence}\0{at_ms}\0"
        return words.encode() + bytes.fromhex(self.chain_hash)


@dataclass(frozen=True)
class PaymentRecord:
    """How a payment ended, or that it is still in doubt; `at` is when it was begun.

    `state` in capitals: DECLINED, SETTLED, REVERSED, REFUND_DUE, MANUAL; any other is in doubt.
    """

    reference: str
    state: str
    amount_fen: int
    at: datetime
    evidence: str


@dataclass(frozen=True)
class RegistrationRecord:
    """A registration from a leased number, made while the gateway was away: it holds.

    `person` is the hospital's id when the terminal knew it; else `identity` says who it is.
    """

    lease_id: str
    number: int
    at: datetime
    slip: str
    person: str = ""
    identity: Identity | None = None


@dataclass(frozen=True)
class LeaseReturnedRecord:
    """Numbers of a lease that this terminal did not give out and now never will."""

    lease_id: str
    numbers: tuple[int, ...]
    at: datetime


@dataclass(frozen=True)
class NotesCounted:
    """Notes of one worth: how many the terminal had stacked, how many a person has found."""

    note_fen: int
    expected: int
    counted: int


@dataclass(frozen=True)
class CashCountRecord:
    """An emptied cash box, counted by hand. `who` is a role; no person is named."""

    at: datetime
    who: str
    notes: tuple[NotesCounted, ...]

    @property
    def expected_fen(self) -> int:
        return sum(one.note_fen * one.expected for one in self.notes)

    @property
    def counted_fen(self) -> int:
        return sum(one.note_fen * one.counted for one in self.notes)


RECORD_BODIES: dict[str, type] = {
    "check_in": CheckInRecord,
    "printed": PrintedRecord,
    "screening": ScreeningRecord,
    "hand_over": HandOverRecord,
    "audit_head": AuditHeadRecord,
    "payment": PaymentRecord,
    "registration": RegistrationRecord,
    "lease_returned": LeaseReturnedRecord,
    "cash_count": CashCountRecord,
}


# --- the table -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Endpoint:
    """POST /v1/<name>. `timeout_s` is for the whole exchange; `changes` needs a key."""

    name: str
    request: type
    reply: Any
    changes: bool
    timeout_s: float = 5.0

    @property
    def path(self) -> str:
        return f"/v1/{self.name}"


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("hello", Hello, HelloReply, False, 3.0),
    Endpoint("identify", Identify, IdentifyReply, False),
    Endpoint("enter", Enter, Known, True),
    Endpoint("today", AskToday, Today, False),
    Endpoint("bind-relative", BindRelative, Bound, True),
    Endpoint("departments", AskDepartments, DepartmentList, False),
    Endpoint("slots", AskSlots, SlotList, False),
    Endpoint("hold-slot", HoldSlot, HoldReply, True),
    Endpoint("release-hold", ReleaseHold, Done, True),
    Endpoint("check-in", CheckIn, CheckInReply, True),
    Endpoint("pre-settle", PreSettle, PreSettleReply, False, 10.0),
    Endpoint("open-order", OpenOrder, OrderOpened, True),
    Endpoint("pay-by-code", PayByCode, Charge, True, 10.0),
    Endpoint("query-charge", QueryCharge, Charge, False),
    Endpoint("close-order", CloseOrder, Charge, True),
    Endpoint("reverse-charge", ReverseCharge, Charge, True, 10.0),
    Endpoint("settle", Settle, SettleReply, True, 10.0),
    Endpoint("query-settlement", QuerySettlement, SettlementReply, False),
    Endpoint("account", AskAccount, Account, False),
    Endpoint("fetch-report", FetchReport, ReportFile, False, 15.0),
    Endpoint("mark-printed", MarkPrinted, Done, True),
    Endpoint("call-help", CallHelp, Help, True),
    Endpoint("ask-help", AskHelp, Help, False),
    Endpoint("look-up-health-code", LookUpHealthCode, HealthCode, False),
    Endpoint("day-list", AskDayList, DayList, False, 15.0),
    Endpoint("grant-lease", GrantLease, Lease, True),
    Endpoint("outbox", Outbox, OutboxReply, True, 15.0),
)


@cache
def endpoint_of(request: type) -> Endpoint:
    """The endpoint that takes this request."""
    return next(endpoint for endpoint in ENDPOINTS if endpoint.request is request)


@cache
def adapter(shape: Any) -> TypeAdapter[Any]:
    """Validates and writes one message type; made once, since making it is slow."""
    return TypeAdapter(shape)


def to_json(value: Any, shape: Any = None) -> bytes:
    """The message as JSON bytes."""
    hashable: Any = type(value) if shape is None else shape
    return adapter(hashable).dump_json(value)


def from_json(shape: Any, data: bytes | str) -> Any:
    """The message, or pydantic's ValidationError (whose text may quote data: never log it)."""
    return adapter(shape).validate_json(data)


Ask = Callable[[Any], Any]
"""A request in, its reply out, or a HospitalError."""
