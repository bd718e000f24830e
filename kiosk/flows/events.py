"""What has happened: every event a flow can be told, in the past tense.

Devices, hospital and fingers may say anything at any time; a flow takes what it waits for and
ignores the rest for a written reason. Values with personal data hide it from repr().
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from kiosk.domain.bill import Quote
from kiosk.domain.identity import Identity
from kiosk.hospital.contract import Expected


@dataclass(frozen=True)
class Touched:
    """A target of the page that is shown (kiosk/views.py) was touched."""

    target: str


# --- credentials


@dataclass(frozen=True)
class CardLaid:
    """Something lies on the reader and is being read: the page may say so."""


@dataclass(frozen=True)
class CardRead:
    identity: Identity = field(repr=False)


@dataclass(frozen=True)
class CardTrouble:
    """A notice's code: put_again, card_unreadable, card_removed, card_not_supported."""

    code: str


@dataclass(frozen=True)
class CodeScanned:
    text: str = field(repr=False)


@dataclass(frozen=True)
class CodeRejected:
    """The scanner's bytes were no text a person's code could be; nothing of them is kept."""


@dataclass(frozen=True)
class CodeHint:
    """The camera sees no code and says why: too_dark, glare. Nobody need be there."""

    code: str


# --- the hospital's answers. `tag` is the one the flow asked with.


@dataclass(frozen=True)
class Replied:
    tag: str
    reply: Any = field(repr=False)


@dataclass(frozen=True)
class Failed:
    """unreachable: nothing was sent · unknown: sent, not answered · refused, bad: an answer that
    cannot be used."""

    tag: str
    why: Literal["unreachable", "unknown", "refused", "bad"]


@dataclass(frozen=True)
class FoundOffline:
    """From today's cached list; None: not in it.

    `quote`: what this person may pay without the hospital, whether or not they are listed.
    """

    tag: str
    expected: Expected | None = field(repr=False)
    quote: Quote | None = field(default=None, repr=False)


# --- the payment pad. Each names the reference it speaks of.


@dataclass(frozen=True)
class BankCardInserted:
    """A bank card is in the pad before anybody asked for one: the person has chosen."""


@dataclass(frozen=True)
class PadProgressed:
    reference: str
    progress: Literal["starting", "insert_card", "enter_pin", "authorising", "remove_card"]


@dataclass(frozen=True)
class PadApproved:
    """The pad holds the money; `evidence` is trace, receipt and terminal, never a card number."""

    reference: str
    amount_fen: int
    evidence: str


@dataclass(frozen=True)
class PadDeclined:
    """Nothing was taken.

    Reasons: declined, declined_funds, cancelled_at_pad, timed_out, pad_away.
    """

    reference: str
    reason: str


@dataclass(frozen=True)
class PadSilent:
    """A command was sent and not answered: the money may or may not have moved."""

    reference: str


@dataclass(frozen=True)
class PadCompleted:
    reference: str


@dataclass(frozen=True)
class PadReleased:
    """The pad gave the money back by itself."""

    reference: str


@dataclass(frozen=True)
class PadRecalled:
    """The answer to an inquiry: what became of this reference at this very pad.

    unclear: the pad answered, and its answer proves nothing; it is asked again, then the provider.
    """

    reference: str
    found: Literal["none", "held", "completed", "reversed", "unclear"]
    amount_fen: int = 0
    evidence: str = ""


@dataclass(frozen=True)
class PadUnreachable:
    """An inquiry, completion or release could not be sent or answered: it is asked again."""

    reference: str


# --- the cash box. A note is money only once the box tells that it has it; `mark` is how far the
# box's own events have been told.


@dataclass(frozen=True)
class CashNoteHeld:
    """A good note waits inside for our decision; the person can still have it back."""

    reference: str
    value_fen: int
    mark: int


@dataclass(frozen=True)
class CashNoteKept:
    """The note is in the box."""

    reference: str
    value_fen: int
    mark: int


@dataclass(frozen=True)
class CashNoteReturned:
    """The note went back to the person, on our word or of the box's own accord."""

    reference: str
    mark: int


@dataclass(frozen=True)
class CashNoteRefused:
    """Not drawn in: not known, or worth more than what is still owed."""

    reference: str


@dataclass(frozen=True)
class CashStopped:
    """No note is taken any more, and none waits inside.

    Reasons: "" (as ordered), cash_away, cash_jam, cash_full, cash_box_out, cash_fraud.
    """

    reference: str
    reason: str = ""


@dataclass(frozen=True)
class CashSilent:
    """A note was to be moved and nothing tells where it went."""

    reference: str


@dataclass(frozen=True)
class CashUnreachable:
    """The box could not be asked: it is asked again."""

    reference: str


@dataclass(frozen=True)
class CashRecalled:
    """What happened since the payment's mark; nothing waits inside any more.

    `clear` False: the box has forgotten, and a note of ours may be anywhere: a person looks.
    """

    reference: str
    clear: bool
    kept_fen: int
    mark: int


# --- printers


@dataclass(frozen=True)
class SlipPrinted:
    job: str


@dataclass(frozen=True)
class SlipFailed:
    """`why` is a notice's code: no_receipt_paper, receipt_printer_away, cover_open, printer_jam.

    `maybe` True: the paper may hold it all the same; a reprint is marked.
    """

    job: str
    why: str
    maybe: bool = False


@dataclass(frozen=True)
class ReportSending:
    job: str


@dataclass(frozen=True)
class ReportPrinted:
    """The printer says completed, and shows no fault."""

    job: str


@dataclass(frozen=True)
class ReportPaused:
    """The printer waits for a person: no_report_paper, printer_jam, cover_open, no_toner,
    output_full, a4_printer_stopped."""

    job: str
    why: str


@dataclass(frozen=True)
class ReportFailed:
    job: str
    why: str


# --- records, time, payments


@dataclass(frozen=True)
class PinChecked:
    """`wait_s` > 0: locked that long. `name` and `gate` are the volunteer's, once right."""

    right: bool
    name: str = ""
    gate: str = ""
    tries_left: int = 0
    wait_s: int = 0
    who: str = "volunteer"  # the badge, for the audit: never a name


@dataclass(frozen=True)
class Woke:
    """A time that the flow asked for with Wake(name, …) has come."""

    name: str


@dataclass(frozen=True)
class PaymentMoved:
    """The open payment of this session has a new state (kiosk/flows/payment.py)."""

    reference: str
    at: str
    reason: str = ""
    url: str = ""
    progress: str = ""
    settled: Any = field(default=None, repr=False)  # contract.Settled, once there is one
    taken_fen: int = 0  # notes that are in the box so far


PadSaid = (
    PadApproved
    | PadDeclined
    | PadSilent
    | PadCompleted
    | PadReleased
    | PadRecalled
    | PadUnreachable
)
"""What a pad answers; PadProgressed changes nothing."""

CashSaid = (
    CashNoteHeld
    | CashNoteKept
    | CashNoteReturned
    | CashNoteRefused
    | CashStopped
    | CashSilent
    | CashUnreachable
    | CashRecalled
)

Event = (
    Touched
    | CardLaid
    | CardRead
    | CardTrouble
    | CodeScanned
    | CodeRejected
    | CodeHint
    | BankCardInserted
    | Replied
    | Failed
    | FoundOffline
    | PadProgressed
    | PadSaid
    | CashSaid
    | SlipPrinted
    | SlipFailed
    | ReportSending
    | ReportPrinted
    | ReportPaused
    | ReportFailed
    | PinChecked
    | Woke
    | PaymentMoved
)
