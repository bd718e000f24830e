"""Host side of a ZVT payment pad, with the two-phase payment ("issue of goods").

A charge, a reversal and a refund are sent once. Once such a command may have reached the pad,
every fault is OutcomeUnknown; before that, nothing was charged. Facts: PROTOCOL.md beside this.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from drivers.deadline import Clock, Deadline
from drivers.errors import (
    DeadlineExceeded,
    DeviceRefused,
    DriverError,
    OutcomeUnknown,
    ProtocolError,
)
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
    PadStatus,
    PaymentState,
    Refunded,
    Released,
    StillHeld,
    Watch,
    unknown_on_fault,
)
from drivers.transport import ByteStream
from drivers.zvt.codec import AMOUNT_FEN_MAX, NEED_TIME, NOT_ISSUED, POSITIVE, Apdu, bcd
from drivers.zvt.fields import (
    AMOUNT,
    CURRENCY,
    MAX_STATUS_INFOS,
    RECEIPT_NO,
    TERMINAL_ID,
    Bmp,
    StatusInfo,
    encode_all,
    parse_all,
)
from drivers.zvt.link import Link, SerialLink, TcpLink
from drivers.zvt.meaning import declined, pad_status
from drivers.zvt.paying import Abort, Hold
from drivers.zvt.talk import (
    ANSWER_S,
    PLEASE_WAIT,
    SLICE_S,
    Accepted,
    CommandRefused,
    Ended,
    HoldingAnother,
    Refused,
    Said,
    Talk,
    Told,
)

AFTER_DECISION_S = 5.0  # 06 1E follows a declined payment's status information within this time
HOLD_QUESTION_S = 6.0  # a pad asks a held payment's question again every 2 to 4 s [B]
HOLD_PATIENCE_S = 1.0  # a question may wait this long for the decision itself: T3 is 5 s

KIND = "zvt"
CAPABILITIES = frozenset({"charge", "hold", "reverse", "refund", "last_payment", "end_of_day"})
"""What this driver can be asked for; a profile that wants more is refused at start."""

CANCEL_CODE = 0x6C  # "abort via time-out or abort key"


@dataclass(frozen=True)
class ZvtSettings:
    """What differs between pads and hospitals."""

    password: int = 123456
    currency: int = 156  # ISO 4217: CNY
    config: int = 0xBA  # host prints, wants intermediate status, controls payment and service menu
    max_status_infos: int | None = 90
    """How often the pad asks about a held payment before it reverses by itself; None: one phase."""
    looks_first: bool = True
    """05 01 before each charge, so that a dead line is noticed while nothing can be charged."""


class ZvtPad:
    """A PaymentPad (drivers/pad.py) on one connection; dropped whole after a fault."""

    def __init__(self, link: Link, clock: Clock, settings: ZvtSettings | None = None) -> None:
        self._clock = clock
        self._talk = Talk(link, clock)
        self._settings = settings or ZvtSettings()
        self._hold: Hold | None = None
        self._taken: Charged | None = None
        self._newest_trace: int | None = None

    @property
    def capabilities(self) -> PadCapabilities:
        """Two phases, and a memory that is asked for its last payment only."""
        return PadCapabilities(
            holds=self._settings.max_status_infos is not None,
            cancel_by_host=True,
            reversal=True,
            refund=True,
            inquiry=Inquiry.LAST_PAYMENT,
            shows_card=True,
        )

    def close(self) -> None:
        """Close the stream; may be called twice."""
        self._talk.link.close()

    # -- looking

    def probe(self, timeout_s: float = 2 * ANSWER_S) -> DeviceIdentity:
        """Who answers here; changes nothing. Any DriverError: not a ZVT pad with our password."""
        deadline = Deadline.after(self._clock, timeout_s)
        self._talk.link.discard()
        status = self.status(deadline)
        return DeviceIdentity(KIND, f"ZVT {status.version}".strip())

    def status(self, deadline: Deadline) -> PadStatus:
        """05 01. A payment found held becomes ours to complete or release."""
        if self._hold is not None:
            if self._clock() <= self._hold.heard_at_s + HOLD_QUESTION_S:
                return PadStatus(PadCondition.HOLDING)
            self._hold = None  # nobody served it: the pad may have ended it by itself
        try:
            _, end = self._talk.command(Apdu(0x0501, self._password()), deadline)
        except HoldingAnother:
            return self._busy_or_holding(deadline)
        except CommandRefused as refusal:
            if refusal.code != PLEASE_WAIT:
                return PadStatus(
                    PadCondition.READY, f"{refusal.code:02X}"
                )  # it does not know 05 01
            return self._busy_or_holding(deadline)
        return pad_status(end.data)

    def prepare(self, deadline: Deadline) -> str:
        """06 00: register with our currency; the pad's terminal id.

        A pad that holds a payment takes no registration: its payment comes first, `last_payment`.
        """
        status = self.status(deadline)
        if self._hold is not None:
            return self._hold.charged.terminal_id
        if status.condition is PadCondition.BUSY:
            raise DeviceRefused("the pad is busy with a payment")
        settings = self._settings
        data = self._password() + bytes([settings.config]) + bcd(settings.currency, 2)
        end = self._served(Apdu(0x0600, data), deadline)
        found = [field.value for field in parse_all(end.data) if field.number == TERMINAL_ID]
        return found[0].hex() if found else ""

    def initialise(self, deadline: Deadline) -> None:
        """06 93: the pad logs on to its host."""
        self._served(Apdu(0x0693, self._password()), deadline)

    def diagnose(self, deadline: Deadline) -> None:
        """06 70: the pad tests its line to the acquirer."""
        self._served(Apdu(0x0670), deadline)

    def last_payment(self, deadline: Deadline) -> LastPayment | NothingFound:
        """05 01, then 06 20. A held payment is found by the question that the pad repeats."""
        condition = self.status(deadline).condition
        if self._hold is not None:
            return LastPayment(self._hold.charged, PaymentState.HELD)
        if condition is PadCondition.BUSY:
            raise DeviceRefused("the pad is busy with a payment")
        try:
            infos, _ = self._talk.command(Apdu(0x0620, self._password()), deadline)
        except CommandRefused as refusal:
            if refusal.code == PLEASE_WAIT:
                raise
            return NothingFound()
        paid = [info for info in infos if info.result == 0 and info.amount_fen is not None]
        return self._remembered(paid[-1]) if paid else NothingFound()

    # -- paying

    def authorise(
        self, reference: str, amount_fen: int, deadline: Deadline, watch: Watch = UNWATCHED
    ) -> Approved | Declined | Cancelled:
        """06 01. ZVT has no field for `reference`: it stays in the journal, see `find`."""
        assert reference and 0 < amount_fen <= AMOUNT_FEN_MAX
        self._look_before_paying(deadline)
        fields = self._amount(amount_fen)
        if self._settings.max_status_infos is not None:
            fields += (Bmp(MAX_STATUS_INFOS, bytes([self._settings.max_status_infos])),)
        with unknown_on_fault("payment"):
            self._begin_paying(Apdu(0x0601, encode_all(fields)), deadline)
            match self._await_result(amount_fen, deadline, watch):
                case Charged() as charged if self._settings.max_status_infos is not None:
                    self._hold = Hold(charged, self._clock(), self._clock())
                    return Approved(charged, held=True)
                case Charged() as charged:
                    self._settle(deadline)
                    self._taken = charged
                    return Approved(charged, held=False)
                case refused:
                    return refused

    def keep_holding(self, deadline: Deadline) -> StillHeld | Completed | Released:
        """Answer the pad's repeated question with "need time" (84 9C 00). One phase: only wait."""
        if self._taken is not None:
            return self._wait_out(deadline)
        hold = self._held()
        while True:
            until = deadline
            if hold.asked_at_s is not None:
                answer_at_s = hold.asked_at_s + HOLD_PATIENCE_S
                if self._clock() >= answer_at_s:
                    self._talk.say(NEED_TIME, Deadline.after(self._clock, ANSWER_S))
                    hold.asked_at_s = None
                    continue
                until = Deadline(self._clock, min(deadline.at_s, answer_at_s))
            try:
                said = self._talk.listen(until, UNWATCHED, answering=False)
            except DeadlineExceeded:
                if deadline.remaining_s() > 0:
                    continue
                return StillHeld()
            if (end := self._heard_in_hold(hold, said)) is not None:
                return Completed() if end.completed else Released(by_pad=True)

    def complete(self, deadline: Deadline) -> Completed | Released:
        """80 00 00 to the pad's next question: the goods are issued. One phase: nothing to say."""
        if self._take_taken() is not None:
            return Completed()
        end = self._decide(POSITIVE, deadline)
        return Completed() if end.completed else Released(by_pad=True)

    def release(self, deadline: Deadline) -> Released | Completed:
        """84 66 00 to the pad's next question: not issued, the pad reverses. One phase: 06 30."""
        taken = self._take_taken()
        if taken is not None:
            reversed_ = self.reverse(taken, deadline)
            return reversed_ if isinstance(reversed_, Released) else Completed()
        end = self._decide(NOT_ISSUED, deadline)
        return Completed() if end.completed else Released(by_pad=False)

    def reverse(self, charged: Charged, deadline: Deadline) -> Released | Declined:
        """06 30 by receipt number. Some pads reverse only their last payment (Portalum.Zvt #24)."""
        if charged.receipt_no is None:
            raise DeviceRefused("a reversal needs the receipt number")
        self._look_before_paying(deadline)
        data = self._password() + Bmp(RECEIPT_NO, bcd(charged.receipt_no, 2)).encode()
        with unknown_on_fault("reversal"):
            self._begin_paying(Apdu(0x0630, data), deadline)
            match self._await_result(charged.amount_fen, deadline, UNWATCHED):
                case Charged():
                    self._settle(deadline)
                    return Released(by_pad=False)
                case Declined() as declined:
                    return declined
                case Cancelled():
                    return Declined(DeclineReason.PAD_TROUBLE, f"{CANCEL_CODE:02X}")

    def refund(
        self, reference: str, amount_fen: int, deadline: Deadline, watch: Watch = UNWATCHED
    ) -> Refunded | Declined | Cancelled:
        """06 31: money to the card presented now, whatever card paid."""
        assert reference and 0 < amount_fen <= AMOUNT_FEN_MAX
        self._look_before_paying(deadline)
        data = self._password() + encode_all(self._amount(amount_fen))
        with unknown_on_fault("refund"):
            self._begin_paying(Apdu(0x0631, data), deadline)
            match self._await_result(amount_fen, deadline, watch):
                case Charged() as charged:
                    self._settle(deadline)
                    return Refunded(charged)
                case refused:
                    return refused

    def end_of_day(self, deadline: Deadline) -> DayTotals:
        """06 50. The count is in BMP 60 by card scheme, which no Chinese pad fills alike: left."""
        with unknown_on_fault("end of day"):
            infos, end = self._talk.command(Apdu(0x0650, self._password()), deadline)
            if not end.completed:
                raise DeviceRefused(f"no end of day, code {end.code:02X}")
        amounts = [info.amount_fen for info in infos if info.amount_fen is not None]
        return DayTotals(amounts[-1] if amounts else None, None)

    # -- the parts of a payment

    def _look_before_paying(self, deadline: Deadline) -> None:
        if self._hold is not None or self._settings.looks_first:
            condition = self.status(deadline).condition
            if condition in (PadCondition.BUSY, PadCondition.HOLDING):
                raise DeviceRefused("the pad is busy with a payment")
        self._talk.link.discard()

    def _begin_paying(self, command: Apdu, deadline: Deadline) -> None:
        self._talk.say(command, deadline)
        try:
            self._talk.await_acceptance(deadline)
        except CommandRefused as refusal:
            if self._talk.link.sends() > 1 and refusal.code == PLEASE_WAIT:
                # The line sent it twice: "wait" may mean that the pad is busy with the first.
                raise OutcomeUnknown("a repeated payment frame was refused as busy") from refusal
            raise

    def _await_result(
        self, amount_fen: int, deadline: Deadline, watch: Watch
    ) -> Charged | Declined | Cancelled:
        """Until the pad tells the result. An approval's question is left without an answer."""
        abort = Abort(self._talk, watch)
        while True:
            abort.ask_if_given_up(self._clock(), deadline)
            try:
                said = self._talk.listen(self._talk.within(SLICE_S, deadline), watch)
            except DeadlineExceeded:
                deadline.check("result of the payment")
                if abort.is_quiet(self._clock()) and self._is_ready(deadline):
                    return Cancelled(by_host=True)
                continue
            match said:
                case Told(info) if self._is_old(info):
                    pass
                case Told(info) if info.result == 0:
                    return self._approved(info, amount_fen)
                case Told(info) if info.result is not None:
                    return self._declined(info.result, deadline)
                case Told():
                    raise ProtocolError("a status information without a result")
                case Ended(completed=False, code=code):
                    cancelled = code == CANCEL_CODE
                    return Cancelled(abort.asked) if cancelled else declined(code)
                case Ended():
                    raise ProtocolError("the payment ended without a result")
                case Accepted():
                    abort.accepted(self._clock())
                case Refused():
                    abort.refused(self._clock())

    def _approved(self, info: StatusInfo, amount_fen: int) -> Charged:
        if info.amount_fen not in (None, amount_fen):
            raise ProtocolError("the pad approved another amount")
        return replace(info.charged, amount_fen=amount_fen)

    def _declined(self, result: int, deadline: Deadline) -> Declined:
        """A refusal counts once the pad has closed the payment with 06 1E."""
        self._talk.say(POSITIVE, deadline)
        if self._await_end(self._talk.within(AFTER_DECISION_S, deadline)).completed:
            raise ProtocolError("a payment refused and completed")
        return declined(result)

    def _await_end(self, deadline: Deadline) -> Ended:
        while True:
            said = self._talk.listen(deadline, UNWATCHED)
            if isinstance(said, Ended):
                return said

    def _settle(self, deadline: Deadline) -> None:
        """One phase: acknowledge the result and wait for the pad's 06 0F."""
        self._talk.say(POSITIVE, deadline)
        while True:
            match self._talk.listen(deadline, UNWATCHED):
                case Ended(completed=True):
                    return
                case Ended():
                    raise OutcomeUnknown("approved, then aborted")
                case Told():
                    self._talk.say(POSITIVE, deadline)
                case Accepted() | Refused():
                    pass

    def _is_ready(self, deadline: Deadline) -> bool:
        """A pad that took our abort and says it is ready is in no payment."""
        ready = (PadCondition.READY, PadCondition.CARD_INSERTED)
        return self.status(deadline).condition in ready

    def _is_old(self, info: StatusInfo) -> bool:
        return info.charged.trace is not None and info.charged.trace == self._newest_trace

    # -- a held payment

    def _decide(self, decision: Apdu, deadline: Deadline) -> Ended:
        """Give the decision each time the pad asks, until it says how the payment ended."""
        hold, given = self._held(), False
        try:
            while (said := self._talk.listen_now()) is not None:
                if (end := self._heard_in_hold(hold, said)) is not None:
                    return end
            while True:
                if hold.asked_at_s is not None:
                    given, hold.asked_at_s = True, None
                    self._talk.say(decision, deadline)
                said = self._talk.listen(deadline, UNWATCHED, answering=given)
                if (end := self._heard_in_hold(hold, said)) is not None:
                    return end
        except DriverError as fault:
            if not given:
                raise  # the pad does not know our decision; it still holds, or gave up by itself
            raise OutcomeUnknown("the pad did not confirm the decision") from fault

    def _heard_in_hold(self, hold: Hold, said: Said) -> Ended | None:
        match said:
            case Told():
                hold.asked_at_s = hold.heard_at_s = self._clock()
                return None
            case Ended():
                self._hold = None
                self._newest_trace = hold.charged.trace if said.completed else None
                return said
            case Accepted() | Refused():
                return None

    def _wait_out(self, deadline: Deadline) -> StillHeld:
        try:
            while True:
                self._talk.listen(deadline, UNWATCHED, answering=False)
        except DeadlineExceeded:
            return StillHeld()

    def _take_taken(self) -> Charged | None:
        taken, self._taken = self._taken, None
        return taken

    def _held(self) -> Hold:
        assert self._hold is not None, "no payment is held"
        return self._hold

    def _busy_or_holding(self, deadline: Deadline) -> PadStatus:
        """A pad that holds a payment, from whatever connection, asks about it again and again."""
        until = self._talk.within(HOLD_QUESTION_S, deadline)
        try:
            while True:
                match self._talk.listen(until, UNWATCHED, answering=False):
                    case Told(info) if info.result == 0:
                        self._hold = Hold(info.charged, self._clock(), self._clock())
                        return PadStatus(PadCondition.HOLDING)
                    case Ended(data=data):
                        return pad_status(data)  # what came before was old: it is not busy
                    case Told() | Accepted() | Refused():
                        pass
        except DeadlineExceeded:
            return PadStatus(PadCondition.BUSY, f"{PLEASE_WAIT:02X}")

    def _remembered(self, info: StatusInfo) -> LastPayment:
        self._newest_trace = info.charged.trace
        if info.original_trace is None:
            return LastPayment(info.charged, PaymentState.COMPLETED)
        return LastPayment(replace(info.charged, trace=info.original_trace), PaymentState.REVERSED)

    # -- bytes

    def _served(self, command: Apdu, deadline: Deadline) -> Ended:
        _, end = self._talk.command(command, deadline)
        if not end.completed:
            raise DeviceRefused(
                f"the pad gave up command {command.control:04X}, code {end.code:02X}"
            )
        return end

    def _password(self) -> bytes:
        return bcd(self._settings.password, 3)

    def _amount(self, amount_fen: int) -> tuple[Bmp, ...]:
        return (Bmp(AMOUNT, bcd(amount_fen, 6)), Bmp(CURRENCY, bcd(self._settings.currency, 2)))


def serial_pad(stream: ByteStream, clock: Clock, settings: ZvtSettings | None = None) -> ZvtPad:
    """A pad on a serial line (9600 8N2 by default: open it so)."""
    return ZvtPad(SerialLink(stream, clock), clock, settings)


def tcp_pad(stream: ByteStream, clock: Clock, settings: ZvtSettings | None = None) -> ZvtPad:
    """A pad on a TCP connection (port 20007 by default)."""
    return ZvtPad(TcpLink(stream), clock, settings)
