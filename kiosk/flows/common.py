"""What several flows share: events that are ignored for a reason, credentials of another person,
the last page of a task. Pure, like the flows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, get_args

from kiosk.domain.bill import Quote
from kiosk.domain.codes import NotForThis
from kiosk.domain.identity import Credential, DocumentKind, Identity, IdNumber, NotAnIdNumber
from kiosk.domain.visit import Department, LentSlot
from kiosk.flows.effects import Effect, EndSession, Go, KeepAudit, ToIdentify, Wake
from kiosk.flows.events import (
    BankCardInserted,
    CardLaid,
    CardRead,
    CardTrouble,
    CashSaid,
    CodeHint,
    CodeRejected,
    CodeScanned,
    Event,
    Failed,
    FoundOffline,
    PadProgressed,
    PadSaid,
    PaymentMoved,
    PinChecked,
    Replied,
    ReportFailed,
    ReportPaused,
    ReportPrinted,
    ReportSending,
    SlipFailed,
    SlipPrinted,
    Touched,
    Woke,
)
from kiosk.flows.scene import Scene
from kiosk.hospital.contract import Patient
from kiosk.views import Notice

LEAVE_S = 15.0
"""U5: a finished task stays so long; the person is gone by then, or touches."""
LEAVE_ELDER_S = 30.0
"""U17: times are doubled."""

EVENT_TYPES: tuple[type, ...] = get_args(Event)

Ignored = Mapping[tuple[str, type], str]

_PAD = "the pad speaks to the payment saga; here nothing is paid"
_REPORT = "no report is being printed here: a late word about a job that was given up"

REASONS: dict[type, str] = {
    Touched: "a target of the page before: the finger was faster, or it was a second tap",
    CardLaid: "it may still be lifted; only what was read counts",
    CardRead: "this page asks nobody for a card, and the person is known",
    CardTrouble: "this page asks nobody for a card",
    CodeScanned: "this page asks nobody for a code",
    CodeRejected: "this page asks nobody for a code",
    CodeHint: "nobody need hold a code here: only a page that waits for one says it",
    Replied: "an answer to a question that was given up, or a repeated one",
    Failed: "a question that was given up, or that has been answered meanwhile",
    FoundOffline: "a question that was given up",
    BankCardInserted: "nothing is to be paid here; the pad gives the card back",
    PadProgressed: _PAD,
    **dict.fromkeys(get_args(PadSaid), _PAD),
    **dict.fromkeys(get_args(CashSaid), "the cash box speaks to the payment saga"),
    SlipPrinted: "a slip of an earlier page: it is in the person's hand",
    SlipFailed: "a slip of an earlier page: what it said was on the screen",
    ReportSending: _REPORT,
    ReportPrinted: _REPORT,
    ReportPaused: _REPORT,
    ReportFailed: _REPORT,
    PinChecked: "no PIN is asked for here: a late answer opens nothing",
    Woke: "a time that was asked for before the page changed",
    PaymentMoved: "the saga goes on alone and keeps its own records",
}
"""Why an event that a flow does not take is no harm; a flow overrides what it knows better."""


def ignoring(ats: Iterable[str], better: Mapping[type, str] | None = None) -> Ignored:
    """A table of reasons for every (state, event type) of these states."""
    reasons = {**REASONS, **(better or {})}
    return {(at, kind): reason for at in ats for kind, reason in reasons.items()}


def ignore(at: str, event: Event, table: Ignored) -> tuple[Effect, ...]:
    """No effects, if there is a written reason; an AssertionError otherwise: the code is wrong."""
    assert (at, type(event)) in table, f"{type(event).__name__} cannot happen while {at}"
    return ()


# --- people --------------------------------------------------------------------------------------


def index_of(patient: Patient) -> str:
    """What records and audit know the person by: the ID number, the main index (row 2)."""
    return patient.number or patient.person


def is_same(identity: Identity, patient: Patient | None) -> bool:
    return patient is not None and identity.number == patient.number


def is_stranger(identity: Identity, scene: Scene) -> bool:
    """A card of neither the person who is served nor the one who acts for them."""
    return not (is_same(identity, scene.person) or is_same(identity, scene.acting))


def who_is_it(by_card: Identity, goal: str) -> Go:
    """The hospital can be asked again about somebody whom only their card had named."""
    return Go("identify", ToIdentify(goal, CardRead(by_card)))


def payable(quote: Quote | None, scene: Scene) -> bool:
    """Whether this hospital lets a quote be paid by bank card while it cannot be asked.

    Where nothing is left for the person to pay there would only be an insurer's part to settle,
    and that is never done without the insurer.
    """
    if quote is None or quote.split.own_fen == 0:
        return False
    if not scene.works.pad or "pad" in scene.ways_in_doubt:
        return False
    match scene.rules.offline_bills:
        case "quoted":
            return True
        case "self_pay":
            return quote.split.own_fen == quote.split.total_fen
    return False


def next_person(event: CardRead | CodeScanned, scene: Scene) -> tuple[Effect, ...]:
    """On a page where nothing is pending: another person's credential begins their session.

    A card of the person who is here already changes nothing. A code names nobody before it is
    asked about, and some can be asked about only once: it begins a new session.
    """
    if isinstance(event, CardRead) and not is_stranger(event.identity, scene):
        return ()
    return (EndSession(shown=event),)


OTHER_CARD = Notice("other_persons_card", "id_reader", grave=False)
"""In the middle of something: nothing is lost, and the page says how to change over."""


def registration_ended(hold_key: str, disposition: str) -> KeepAudit:
    """The other half of `registration_begun`: done, cancelled, refused, failed or unknown."""
    return KeepAudit(
        "registration_ended", reference=hold_key, fields=(("disposition", disposition),)
    )


def code_notice(code: NotForThis) -> Notice:
    """What is said of a scanned text that names nobody; of the text itself nothing is kept."""
    paying = code.reason == "payment_code"
    return Notice("code_not_for_this" if paying else "code_unknown", "scanner")


def born_of(number: str) -> date | None:
    """The date of birth in an ID number; None for other documents' numbers."""
    try:
        return IdNumber.parse(number).born
    except (NotAnIdNumber, ValueError):  # 91…: numbers from 2023 need not hold a real date
        return None


def mask_number(number: str) -> str:
    """The four last, as U13 has it; of a short number the last two."""
    return f"****{number[-4 if len(number) > 8 else -2 :]}" if number else ""


def as_identity(patient: Patient) -> Identity:
    """A person who has been identified, as a party to an act of theirs."""
    return Identity(
        DocumentKind.RESIDENT,
        patient.number,
        patient.name,
        Credential.ID_CARD,
        patient.born,
        patient.sex,
    )


def departments_of(slots: tuple[LentSlot, ...]) -> tuple[Department, ...]:
    """Each department once, with the numbers that this terminal itself may give out there."""
    left: dict[str, int] = {}
    for one in slots:
        left[one.department.id] = left.get(one.department.id, 0) + one.slot.left
    found = {one.department.id: one.department for one in slots}
    return tuple(replace(one, on_site_left=left[id]) for id, one in found.items())


# --- time and pages ------------------------------------------------------------------------------


def left_s(until: datetime | None, now: datetime) -> int:
    """Whole seconds that are left, rounded up; 0 when over."""
    return max(0, math.ceil((until - now).total_seconds())) if until else 0


def leave_later(scene: Scene) -> tuple[datetime, Wake]:
    """When the last page of a task ends by itself, and the effect that makes it so."""
    seconds = LEAVE_ELDER_S if scene.elder else LEAVE_S
    return scene.now + timedelta(seconds=seconds), Wake("over", seconds)


def pages(items: tuple[Any, ...], a_page: int) -> int:
    """How many pages the items fill; an empty list is one page."""
    return max(1, -(-len(items) // a_page))


def turned(first: int, target: str, count: int, a_page: int) -> int:
    """The first item after `previous` or `following`; where there is no such page, it stays."""
    moved = first + (a_page if target == "following" else -a_page)
    return moved if 0 <= moved < count else first
