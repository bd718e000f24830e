"""What every payment pad can say, whatever its cable speaks: frozen values and one Protocol.

The rule: a charge ends as Approved, Declined or Cancelled, or nobody knows (OutcomeUnknown). Any
other DriverError out of `authorise` means that certainly nothing was charged. What is unknown is
never sent again; it is asked about, with `last_payment`.

    idle ── authorise ──► Declined | Cancelled
                      └─► Approved ── keep_holding … ── complete ──► Completed
                                                     └─ release  ──► Released
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol

from drivers.deadline import Deadline
from drivers.errors import DeviceRefused, DriverError, OutcomeUnknown
from drivers.identity import DeviceIdentity

TRACE_NUMBERS = 1_000_000
"""Traces are six digits on every pad here: after 999999 comes 000001."""


class PadProgress(Enum):
    """What the person at the pad is asked to do, or what the pad is busy with."""

    INSERT_CARD = "insert_card"
    ENTER_PIN = "enter_pin"
    AUTHORISING = "authorising"
    REMOVE_CARD = "remove_card"
    PLEASE_WAIT = "please_wait"
    REVERSING = "reversing"


class DeclineReason(Enum):
    """Why a payment was refused, as far as it helps the person to know."""

    NOT_ENOUGH_MONEY = "not_enough_money"
    WRONG_PIN = "wrong_pin"
    CARD_EXPIRED = "card_expired"
    CARD_NOT_ACCEPTED = "card_not_accepted"
    CARD_UNREADABLE = "card_unreadable"
    REFUSED_BY_BANK = "refused_by_bank"
    PAD_TROUBLE = "pad_trouble"


@dataclass(frozen=True)
class MaskedPan:
    """The last four digits of a card number; the others are never kept, not even these printed."""

    last4: str

    def __post_init__(self) -> None:
        assert len(self.last4) <= 4

    def __repr__(self) -> str:
        return "MaskedPan(hidden)"

    __str__ = __repr__

    @classmethod
    def of(cls, digits: str) -> MaskedPan:
        """Keep the end of a card number that a pad sent, masked or not."""
        return cls(digits[-4:])

    def for_slip(self) -> str:
        """`**** 1234`, for the person's own slip only."""
        return f"**** {self.last4}"


@dataclass(frozen=True)
class PadTime:
    """The pad's own local time; most pads send no year."""

    month: int
    day: int
    hour: int
    minute: int
    second: int

    def near(self, moment: datetime) -> datetime | None:
        """This time in the year that brings it closest to `moment`; None: there is no such day."""
        guesses = []
        for year in (moment.year - 1, moment.year, moment.year + 1):
            try:
                day = moment.replace(year=year, month=self.month, day=self.day, microsecond=0)
                guesses.append(day.replace(hour=self.hour, minute=self.minute, second=self.second))
            except ValueError:
                continue
        return min(guesses, key=lambda guess: abs(guess - moment), default=None)


@dataclass(frozen=True)
class Charged:
    """A payment as the pad's own memory has it. Empty or None: this pad does not tell."""

    amount_fen: int
    trace: int | None = None
    receipt_no: int | None = None
    terminal_id: str = ""
    pan: MaskedPan | None = None
    card_name: str = ""
    at: PadTime | None = None
    merchant_id: str = ""
    batch: str = ""
    retrieval_ref: str = ""
    """The acquirer's own number (检索参考号), the key of the provider's daily file."""
    authorisation: str = ""


@dataclass(frozen=True)
class Approved:
    """The bank said yes. `held`: the pad waits for complete or release; else money has moved."""

    charged: Charged
    held: bool


@dataclass(frozen=True)
class Declined:
    """Refused; nothing was charged. `code` is the pad's own, for staff."""

    reason: DeclineReason
    code: str


@dataclass(frozen=True)
class Cancelled:
    """Given up before a card was charged: by the person, by waiting too long, or by the host."""

    by_host: bool


@dataclass(frozen=True)
class StillHeld:
    """The pad goes on waiting for the decision."""


@dataclass(frozen=True)
class Completed:
    """The money has moved for good."""


@dataclass(frozen=True)
class Released:
    """The pad gave the money back. `by_pad`: of its own accord, whatever was asked of it."""

    by_pad: bool


class PaymentState(Enum):
    """What became of the last payment, by the pad's memory."""

    HELD = "held"
    COMPLETED = "completed"
    REVERSED = "reversed"
    UNTOLD = "untold"
    """The pad shows the payment and not what became of it."""


@dataclass(frozen=True)
class LastPayment:
    """The newest payment the pad remembers; whether it is ours, `find` decides."""

    charged: Charged
    state: PaymentState


@dataclass(frozen=True)
class NothingFound:
    """The pad shows no payment. No proof: some models never show one (PROTOCOL.md of each)."""


@dataclass(frozen=True)
class Refunded:
    """Money given back to a card, as the pad's memory has it."""

    charged: Charged


@dataclass(frozen=True)
class DayTotals:
    """What the pad handed in; None where it does not say."""

    amount_fen: int | None
    count: int | None


class PadCondition(Enum):
    """Whether the pad can take a payment."""

    READY = "ready"
    BUSY = "busy"
    HOLDING = "holding"
    CARD_INSERTED = "card_inserted"
    NEEDS_SET_UP = "needs_set_up"
    NEEDS_END_OF_DAY = "needs_end_of_day"
    OUT_OF_ORDER = "out_of_order"


@dataclass(frozen=True)
class PadStatus:
    """The pad's condition; `code` is its own, for staff."""

    condition: PadCondition
    code: str = ""
    version: str = ""


class Inquiry(Enum):
    """What the pad can be asked after a lost answer.

    The answers are nexo's TransactionStatus: DeviceRefused while the pad is busy (InProgress),
    NothingFound (NotFound, which proves nothing), LastPayment (RepeatedMessageResponse).
    """

    LAST_PAYMENT = "last_payment"
    BY_REFERENCE = "by_reference"
    NONE = "none"


@dataclass(frozen=True)
class PadCapabilities:
    """What this kind of pad can do, so that the engine need not know its name."""

    holds: bool
    """Two phases: an approved payment waits for complete or release."""
    cancel_by_host: bool
    reversal: bool
    refund: bool
    inquiry: Inquiry
    shows_card: bool = False
    """`status` tells of a card that is in the slot before anybody asked for one."""


def ignore_progress(_progress: PadProgress) -> None:
    """For callers that show nothing."""


def never() -> bool:
    """For callers that do not give up."""
    return False


@dataclass(frozen=True)
class Watch:
    """What goes on during a payment: `on_progress` is told, `gives_up` is asked about each 0.2 s.

    Both are called in the worker's thread, inside `authorise`; they must return at once.
    """

    on_progress: Callable[[PadProgress], None] = ignore_progress
    gives_up: Callable[[], bool] = never


UNWATCHED = Watch()


@contextmanager
def unknown_on_fault(what: str) -> Iterator[None]:
    """Inside, a command that moves money may have been sent: a fault becomes OutcomeUnknown.

    Not DeviceRefused: it says that the pad did not begin.
    """
    try:
        yield
    except (OutcomeUnknown, DeviceRefused):
        raise
    except DriverError as fault:
        raise OutcomeUnknown(f"{what} sent, not answered: {fault}") from fault


class PaymentPad(Protocol):
    """Host side of a pad. One call, one deadline; no thread, no retry of anything that pays.

    After any TransportError, ProtocolError or OutcomeUnknown: close the stream, open a new one,
    make a new driver, `status`, and with an unsettled payment `last_payment`, before anything else.
    """

    @property
    def capabilities(self) -> PadCapabilities:
        """What this pad can do."""

    def probe(self, timeout_s: float = ...) -> DeviceIdentity:
        """Who answers here; changes nothing. Any DriverError: not such a pad."""

    def status(self, deadline: Deadline) -> PadStatus:
        """Look at the pad; changes nothing."""

    def prepare(self, deadline: Deadline) -> str:
        """Log on to the pad (register, sign in). Its terminal id; "" when it does not say."""

    def authorise(
        self, reference: str, amount_fen: int, deadline: Deadline, watch: Watch = UNWATCHED
    ) -> Approved | Declined | Cancelled:
        """Ask the person for a card and the bank for the money. OutcomeUnknown: ask, never repeat.

        `reference` is ours; only pads whose capabilities say BY_REFERENCE carry it.
        """

    def keep_holding(self, deadline: Deadline) -> StillHeld | Completed | Released:
        """Serve a held payment until the deadline; call again at once, at most 1 s later."""

    def complete(self, deadline: Deadline) -> Completed | Released:
        """The service was given: keep the money. Released: the pad had reversed by itself."""

    def release(self, deadline: Deadline) -> Released | Completed:
        """The service was not given: return the money. Completed: the pad had kept it already."""

    def last_payment(self, deadline: Deadline) -> LastPayment | NothingFound:
        """What the pad remembers. DeviceRefused while it is busy with a payment: ask later."""

    def reverse(self, charged: Charged, deadline: Deadline) -> Released | Declined:
        """Undo a completed payment. OutcomeUnknown: ask before trying again."""

    def refund(
        self, reference: str, amount_fen: int, deadline: Deadline, watch: Watch = UNWATCHED
    ) -> Refunded | Declined | Cancelled:
        """Give money to the card presented. Not every pad has it: see capabilities."""

    def end_of_day(self, deadline: Deadline) -> DayTotals:
        """Hand in the pad's payments and begin a new day."""

    def close(self) -> None:
        """Close the stream; may be called twice."""


class Finding(Enum):
    """What a pad's memory says about one attempt of ours."""

    HELD = "held"
    TAKEN = "taken"
    REVERSED = "reversed"
    NOT_TAKEN = "not_taken"
    UNCLEAR = "unclear"
    """Does not prove anything: ask the provider, then the daily file."""


@dataclass(frozen=True)
class Attempt:
    """What we know of a charge whose answer was lost. `sent_at` is local time, without zone."""

    amount_fen: int
    sent_at: datetime
    trace_before: int | None = None
    """The pad's newest trace before the charge was sent (`last_payment` on connecting)."""
    terminal_id: str = ""
    window: timedelta = field(default=timedelta(minutes=10))
    """How far the pad's clock and the person's slowness may carry the payment's time."""


def find(attempt: Attempt, answer: LastPayment | NothingFound) -> Finding:
    """Match the pad's memory with our journal, where the pad has no query by reference.

    Says TAKEN, HELD, REVERSED or NOT_TAKEN only when nothing speaks against it.
    """
    if isinstance(answer, NothingFound):
        return Finding.UNCLEAR
    charged = answer.charged
    if attempt.terminal_id and charged.terminal_id not in ("", attempt.terminal_id):
        return Finding.UNCLEAR
    if attempt.trace_before is not None and charged.trace is not None:
        if charged.trace == attempt.trace_before:
            return _still_as_before(answer)
        if not _newer(charged.trace, attempt.trace_before):
            return Finding.UNCLEAR
    elif charged.at is None:
        return Finding.UNCLEAR
    if charged.amount_fen != attempt.amount_fen or not _in_window(attempt, charged):
        return Finding.UNCLEAR
    return FINDINGS[answer.state]


FINDINGS = {
    PaymentState.HELD: Finding.HELD,
    PaymentState.COMPLETED: Finding.TAKEN,
    PaymentState.REVERSED: Finding.REVERSED,
    PaymentState.UNTOLD: Finding.UNCLEAR,
}


def _still_as_before(answer: LastPayment) -> Finding:
    """The newest payment is the one before ours; a payment held now cannot be that one."""
    return Finding.UNCLEAR if answer.state is PaymentState.HELD else Finding.NOT_TAKEN


def _newer(trace: int, than: int) -> bool:
    return 0 < (trace - than) % TRACE_NUMBERS < TRACE_NUMBERS // 2


def _in_window(attempt: Attempt, charged: Charged) -> bool:
    if charged.at is None:
        return True
    at = charged.at.near(attempt.sent_at)
    return at is not None and abs(at - attempt.sent_at) <= attempt.window
