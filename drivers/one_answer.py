"""Payment pads that answer a payment with one message: approved means that the money has moved.

A dialect turns an Ask into bytes and the answer's bytes into an Answer; what that means for money
is decided here, once for all of them. Charges, voids and refunds are asked once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Protocol

from drivers.deadline import Clock, Deadline
from drivers.errors import DeadlineExceeded, DeviceRefused, OutcomeUnknown, ProtocolError
from drivers.identity import DeviceIdentity
from drivers.pad import (
    UNWATCHED,
    Approved,
    Cancelled,
    Charged,
    Completed,
    DayTotals,
    Declined,
    DeclineReason,
    Inquiry,
    LastPayment,
    NothingFound,
    PadCapabilities,
    PadCondition,
    PadProgress,
    PadStatus,
    PaymentState,
    Refunded,
    Released,
    StillHeld,
    Watch,
    unknown_on_fault,
)

SLICE_S = 0.2  # how often waiting looks at the clock


@dataclass(frozen=True)
class LookAtPad:
    """A question that changes nothing."""


@dataclass(frozen=True)
class SignIn:
    """Log on to the acquirer."""


@dataclass(frozen=True)
class Sale:
    """Take money from the card presented."""

    reference: str
    amount_fen: int


@dataclass(frozen=True)
class VoidSale:
    """Undo a sale of the same day."""

    charged: Charged


@dataclass(frozen=True)
class RefundSale:
    """Give money to the card presented."""

    reference: str
    amount_fen: int


@dataclass(frozen=True)
class RecallLast:
    """The last payment, once more."""


@dataclass(frozen=True)
class SettleDay:
    """Hand in the day's payments."""


Ask = LookAtPad | SignIn | Sale | VoidSale | RefundSale | RecallLast | SettleDay


class Verdict(Enum):
    """What an answer says, whatever its code."""

    DONE = "done"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    UNCLEAR = "unclear"
    """An answer that leaves open whether money moved."""
    NOT_READY = "not_ready"
    """The pad did not begin: busy, or not signed in."""
    NOT_FOUND = "not_found"
    REVERSED = "reversed"
    """Found, and undone since."""


NO_PAYMENT = Charged(0)


@dataclass(frozen=True)
class Answer:
    """One answer; `charged` is empty where the answer tells of no payment."""

    verdict: Verdict
    code: str
    charged: Charged = NO_PAYMENT


class Dialect(Protocol):
    """One kind of pad's language on one connection."""

    def ask(self, ask: Ask, deadline: Deadline) -> Answer:
        """Send once, and take the answer that belongs to it; others are passed over."""

    def probe(self, deadline: Deadline) -> DeviceIdentity:
        """Who answers; changes nothing."""

    def quiet(self, deadline: Deadline) -> None:
        """Pass over what comes unasked, until the deadline."""

    def close(self) -> None:
        """Close the stream; may be called twice."""


REASONS = {
    "14": DeclineReason.CARD_NOT_ACCEPTED,
    "33": DeclineReason.CARD_EXPIRED,
    "36": DeclineReason.CARD_NOT_ACCEPTED,
    "38": DeclineReason.WRONG_PIN,
    "41": DeclineReason.CARD_NOT_ACCEPTED,
    "42": DeclineReason.CARD_NOT_ACCEPTED,
    "43": DeclineReason.CARD_NOT_ACCEPTED,
    "45": DeclineReason.CARD_NOT_ACCEPTED,
    "51": DeclineReason.NOT_ENOUGH_MONEY,
    "54": DeclineReason.CARD_EXPIRED,
    "55": DeclineReason.WRONG_PIN,
    "57": DeclineReason.CARD_NOT_ACCEPTED,
    "61": DeclineReason.NOT_ENOUGH_MONEY,
    "62": DeclineReason.CARD_NOT_ACCEPTED,
    "75": DeclineReason.WRONG_PIN,
    "99": DeclineReason.WRONG_PIN,
}
"""Field 39 of the Chinese acquirers; a code not here is the bank's own business."""

UNCLEAR_CODES = frozenset({"06", "09", "20", "22", "68", "96", "98", "Z0", "Z1"})
"""Field 39 codes after which the money may have moved: late, lost or broken answers."""


def reason_of(code: str) -> DeclineReason:
    """Why a bank said no."""
    return REASONS.get(code, DeclineReason.REFUSED_BY_BANK)


class OneAnswerPad:
    """A PaymentPad (drivers/pad.py) over any Dialect; dropped whole after a fault."""

    def __init__(self, dialect: Dialect, clock: Clock) -> None:
        self._dialect = dialect
        self._clock = clock
        self._taken: Charged | None = None

    @property
    def capabilities(self) -> PadCapabilities:
        """One phase; a person cancels at the pad alone."""
        return PadCapabilities(
            holds=False,
            cancel_by_host=False,
            reversal=True,
            refund=True,
            inquiry=Inquiry.LAST_PAYMENT,
        )

    def close(self) -> None:
        """Close the stream; may be called twice."""
        self._dialect.close()

    def probe(self, timeout_s: float = 5.0) -> DeviceIdentity:
        """Who answers here; changes nothing. Any DriverError: not such a pad."""
        return self._dialect.probe(Deadline.after(self._clock, timeout_s))

    def status(self, deadline: Deadline) -> PadStatus:
        """Look at the pad; changes nothing."""
        answer = self._dialect.ask(LookAtPad(), deadline)
        ready = answer.verdict is not Verdict.NOT_READY
        return PadStatus(PadCondition.READY if ready else PadCondition.BUSY, answer.code)

    def prepare(self, deadline: Deadline) -> str:
        """Sign in; the pad's terminal id where it tells."""
        answer = self._dialect.ask(SignIn(), deadline)
        if answer.verdict is not Verdict.DONE:
            raise DeviceRefused(f"the pad did not sign in, code {answer.code}")
        return answer.charged.terminal_id

    def authorise(
        self, reference: str, amount_fen: int, deadline: Deadline, watch: Watch = UNWATCHED
    ) -> Approved | Declined | Cancelled:
        """Take the money. There is no way to call a pad of this kind back."""
        assert reference and amount_fen > 0
        self._look_before_paying(deadline)
        watch.on_progress(PadProgress.INSERT_CARD)
        with unknown_on_fault("payment"):
            answer = self._dialect.ask(Sale(reference, amount_fen), deadline)
            match self._outcome(answer, amount_fen):
                case Charged() as charged:
                    self._taken = charged
                    return Approved(charged, held=False)
                case refused:
                    return refused

    def keep_holding(self, deadline: Deadline) -> StillHeld:
        """Nothing is held here: only wait."""
        self._dialect.quiet(deadline)
        return StillHeld()

    def complete(self, deadline: Deadline) -> Completed:
        """Nothing to say: the money moved when the pad approved."""
        del deadline
        self._taken = None
        return Completed()

    def release(self, deadline: Deadline) -> Released | Completed:
        """Void the payment just taken. Completed: the pad would not."""
        assert self._taken is not None, "nothing was taken on this connection: use reverse"
        taken, self._taken = self._taken, None
        undone = self.reverse(taken, deadline)
        return undone if isinstance(undone, Released) else Completed()

    def last_payment(self, deadline: Deadline) -> LastPayment | NothingFound:
        """The pad's last payment, as it reprints it."""
        answer = self._dialect.ask(RecallLast(), deadline)
        match answer.verdict:
            case Verdict.DONE:
                return LastPayment(answer.charged, PaymentState.COMPLETED)
            case Verdict.REVERSED:
                return LastPayment(answer.charged, PaymentState.REVERSED)
            case Verdict.NOT_READY:
                raise DeviceRefused(f"the pad is busy, code {answer.code}")
            case _:
                return NothingFound()

    def reverse(self, charged: Charged, deadline: Deadline) -> Released | Declined:
        """Void by receipt number. OutcomeUnknown: ask before trying again."""
        self._look_before_paying(deadline)
        with unknown_on_fault("reversal"):
            answer = self._dialect.ask(VoidSale(charged), deadline)
            match self._outcome(answer, charged.amount_fen):
                case Charged():
                    return Released(by_pad=False)
                case Declined() as declined:
                    return declined
                case Cancelled():
                    return Declined(DeclineReason.PAD_TROUBLE, answer.code)

    def refund(
        self, reference: str, amount_fen: int, deadline: Deadline, watch: Watch = UNWATCHED
    ) -> Refunded | Declined | Cancelled:
        """Give money to the card presented."""
        assert reference and amount_fen > 0
        self._look_before_paying(deadline)
        watch.on_progress(PadProgress.INSERT_CARD)
        with unknown_on_fault("refund"):
            answer = self._dialect.ask(RefundSale(reference, amount_fen), deadline)
            match self._outcome(answer, amount_fen):
                case Charged() as charged:
                    return Refunded(charged)
                case refused:
                    return refused

    def end_of_day(self, deadline: Deadline) -> DayTotals:
        """Hand in the day's payments; these pads print the totals and do not tell them."""
        with unknown_on_fault("end of day"):
            answer = self._dialect.ask(SettleDay(), deadline)
            if answer.verdict is not Verdict.DONE:
                raise DeviceRefused(f"no end of day, code {answer.code}")
        return DayTotals(None, None)

    def _look_before_paying(self, deadline: Deadline) -> None:
        if self.status(deadline).condition is not PadCondition.READY:
            raise DeviceRefused("the pad is busy")

    def _outcome(self, answer: Answer, amount_fen: int) -> Charged | Declined | Cancelled:
        match answer.verdict:
            case Verdict.DONE:
                told_fen = answer.charged.amount_fen
                if told_fen not in (0, amount_fen):
                    raise ProtocolError("the pad answered for another amount")
                return replace(answer.charged, amount_fen=amount_fen)
            case Verdict.CANCELLED:
                return Cancelled(by_host=False)
            case Verdict.DECLINED | Verdict.NOT_FOUND | Verdict.REVERSED:
                return Declined(reason_of(answer.code), answer.code)
            case Verdict.NOT_READY:
                raise DeviceRefused(f"the pad did not begin, code {answer.code}")
            case Verdict.UNCLEAR:
                raise OutcomeUnknown(f"the pad does not know itself, code {answer.code}")


def wait_out(listen: Callable[[Deadline], object], deadline: Deadline) -> None:
    """Call `listen` until the deadline; what it hears is passed over."""
    try:
        while True:
            listen(deadline)
    except DeadlineExceeded:
        return
