"""The payment pad as a port: it holds the money until it is told to keep or to return it.

A pad of one phase has taken the money when it approves. Our decision is owed all the same: such a
payment is told as held until then, keeping it needs no word, returning it is the pad's reversal,
and after a new connection only what the pad itself shows as its last payment is reversed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from drivers import errors, pad
from drivers.deadline import Clock, Deadline
from kiosk.devices.faults import Say, fault_of
from kiosk.flows.effects import (
    CancelPad,
    ChargePad,
    CompletePad,
    Effect,
    RecallPad,
    ReleasePad,
)
from kiosk.flows.events import (
    BankCardInserted,
    PadApproved,
    PadCompleted,
    PadDeclined,
    PadProgressed,
    PadRecalled,
    PadReleased,
    PadSilent,
    PadUnreachable,
)
from kiosk.ports import Listen, PadLooked, Part, Told

_PROGRESS = {
    pad.PadProgress.INSERT_CARD: "insert_card",
    pad.PadProgress.ENTER_PIN: "enter_pin",
    pad.PadProgress.REMOVE_CARD: "remove_card",
}
_FOUND = {
    pad.Finding.HELD: "held",
    pad.Finding.TAKEN: "completed",
    pad.Finding.REVERSED: "reversed",
    pad.Finding.NOT_TAKEN: "none",
    pad.Finding.UNCLEAR: "unclear",
}


class PadDevice:
    """A payment pad that holds the money until it is told to keep or to return it."""

    part: Part = "pad"
    pause_s = 0.2

    DECIDE_S = 20.0
    LOOK_S = 8.0
    HOLD_S = 0.5
    LOOK_EVERY = 150  # attends while nobody pays between two looks: half a minute

    def __init__(
        self,
        connect: Callable[[], pad.PaymentPad],
        clock: Clock,
        say: Say,
        charge_s: float = 120.0,
    ) -> None:
        """`charge_s`: for a person to find a card and type a PIN, and for the bank to answer."""
        self._connect, self._clock, self._say = connect, clock, say
        self._charge_s = charge_s
        self._pad: pad.PaymentPad | None = None
        self._terminal = ""
        self._holding = ""
        self._taken: pad.Charged | None = None  # held by our word alone: the pad is of one phase
        self._unwanted = ""
        self._attended = 0

    def open(self) -> Iterator[Told]:
        try:
            self._pad = self._connect()
            self._terminal = self._pad.prepare(self._within(self.LOOK_S))
            last = self._pad.last_payment(self._within(self.LOOK_S))
        except errors.DriverError as fault:
            raise fault_of(fault) from fault
        self._let_go()
        yield PadLooked(self._mark(last))

    def attend(self, listen: Listen) -> Iterator[Told]:
        assert self._pad is not None
        if not self._holding:
            yield from self._look_for_card(self._pad, listen)
            return
        if self._taken is not None:
            return  # the pad knows of no decision: nothing to serve
        reference = self._holding
        try:
            match self._pad.keep_holding(self._within(self.HOLD_S)):
                case pad.Completed():
                    self._let_go()
                    yield PadCompleted(reference)
                case pad.Released():
                    self._let_go()
                    yield PadReleased(reference)
        except errors.DriverError as fault:
            raise fault_of(fault) from fault

    def _look_for_card(self, device: pad.PaymentPad, listen: Listen) -> Iterator[Told]:
        """A card in the pad while a bill is shown is a choice: nobody need touch the screen."""
        self._attended += 1
        wanted = listen.bank_cards and device.capabilities.shows_card
        if not wanted and self._attended % self.LOOK_EVERY:
            return
        try:
            status = device.status(self._within(self.LOOK_S))
        except errors.DriverError as fault:
            raise fault_of(fault) from fault
        if wanted and status.condition is pad.PadCondition.CARD_INSERTED:
            yield BankCardInserted()

    def perform(self, effect: Effect) -> Iterable[Told]:
        assert self._pad is not None
        match effect:
            case ChargePad():
                return self._charge(self._pad, effect)
            case CompletePad(reference):
                return self._decide(reference, self._keep)
            case ReleasePad(reference):
                return self._decide(reference, self._give_back)
            case RecallPad():
                return self._recall(self._pad, effect)
        raise AssertionError(f"a pad carries out no {type(effect).__name__}")

    def _charge(self, device: pad.PaymentPad, effect: ChargePad) -> Iterator[Told]:
        reference = effect.reference
        if self._unwanted == reference:  # turned away before the pad was told
            yield PadDeclined(reference, "cancelled_at_pad")
            return
        watch = pad.Watch(
            lambda at: self._progressed(reference, at), lambda: self._unwanted == reference
        )
        within = self._within(self._charge_s)
        try:
            outcome = device.authorise(reference, effect.amount_fen, within, watch)
        except errors.OutcomeUnknown as fault:
            yield PadSilent(reference)
            raise fault_of(fault) from fault
        except errors.DeviceRefused:
            yield PadDeclined(reference, "pad_away")
            return
        except errors.DriverError as fault:
            yield PadDeclined(reference, "pad_away")  # certainly nothing was charged
            raise fault_of(fault) from fault
        yield from self._charged(reference, outcome)

    def _charged(
        self, reference: str, outcome: pad.Approved | pad.Declined | pad.Cancelled
    ) -> Iterator[Told]:
        match outcome:
            case pad.Approved(charged, held):
                self._holding, self._taken = reference, None if held else charged
                yield PadLooked(f"{self._terminal}/{charged.trace or ''}")
                yield PadApproved(reference, charged.amount_fen, evidence_of(charged))
            case pad.Declined(pad.DeclineReason.NOT_ENOUGH_MONEY):
                yield PadDeclined(reference, "declined_funds")
            case pad.Declined():
                yield PadDeclined(reference, "declined")
            case pad.Cancelled():
                yield PadDeclined(reference, "cancelled_at_pad")

    def _decide(
        self, reference: str, decide: Callable[[Deadline], pad.Completed | pad.Released]
    ) -> Iterator[Told]:
        if self._holding != reference:  # a new connection: look before acting
            yield PadUnreachable(reference)
            return
        try:
            match decide(self._within(self.DECIDE_S)):
                case pad.Completed():
                    yield PadCompleted(reference)
                case pad.Released():
                    yield PadReleased(reference)
        except errors.OutcomeUnknown as fault:
            yield PadSilent(reference)
            raise fault_of(fault) from fault
        except errors.DriverError as fault:
            yield PadUnreachable(reference)
            raise fault_of(fault) from fault
        finally:
            self._let_go()

    def _keep(self, deadline: Deadline) -> pad.Completed | pad.Released:
        assert self._pad is not None
        return pad.Completed() if self._taken is not None else self._pad.complete(deadline)

    def _give_back(self, deadline: Deadline) -> pad.Completed | pad.Released:
        """One phase: the pad's reversal. Refused: what it took it keeps, and finance returns it."""
        assert self._pad is not None
        if self._taken is None:
            return self._pad.release(deadline)
        match self._pad.reverse(self._taken, deadline):
            case pad.Released() as released:
                return released
            case pad.Declined():
                return pad.Completed()

    def _let_go(self) -> None:
        self._holding, self._taken = "", None

    def _recall(self, device: pad.PaymentPad, effect: RecallPad) -> Iterator[Told]:
        terminal, _, trace = effect.mark.partition("/")
        attempt = pad.Attempt(
            effect.amount_fen,
            local(effect.sent_at),
            trace_before=int(trace) if trace else None,
            terminal_id=terminal,
        )
        try:
            last = device.last_payment(self._within(self.LOOK_S))
        except errors.DeviceRefused:
            yield PadUnreachable(effect.reference)  # busy with the very payment: ask again
            return
        except errors.DriverError as fault:
            yield PadUnreachable(effect.reference)
            raise fault_of(fault) from fault
        # The next payment's mark: what this one left behind must not be taken for that one's.
        yield PadLooked(self._mark(last))
        found = _FOUND[pad.find(attempt, last)]
        charged = last.charged if isinstance(last, pad.LastPayment) else None
        if found == "completed" and not device.capabilities.holds:
            found, self._taken = "held", charged
        self._holding = effect.reference if found == "held" else self._holding
        yield PadRecalled(
            effect.reference,
            found,  # type: ignore[arg-type]
            charged.amount_fen if charged else 0,
            evidence_of(charged) if charged else "",
        )

    def _progressed(self, reference: str, at: pad.PadProgress) -> None:
        progress = _PROGRESS.get(at, "authorising")
        self._say(PadProgressed(reference, progress))  # type: ignore[arg-type]

    def absent(self, effect: Effect) -> Iterable[Told]:
        match effect:
            case ChargePad(reference):
                return (PadDeclined(reference, "pad_away"),)
            case CancelPad():
                return ()
            case CompletePad(reference) | ReleasePad(reference) | RecallPad(reference):
                return (PadUnreachable(reference),)
        raise AssertionError(f"a pad carries out no {type(effect).__name__}")

    def interrupt(self, effect: Effect) -> bool:
        """A person who turns away need not wait until the pad's time is over.

        Noted for a charge that has not begun as well: the worker may be looking at the pad still.
        """
        if isinstance(effect, CancelPad):
            self._unwanted = effect.reference
            return True
        return False

    def close(self) -> None:
        self._let_go()
        if self._pad is not None:
            self._pad.close()
            self._pad = None

    def _within(self, seconds: float) -> Deadline:
        return Deadline.after(self._clock, seconds)

    def _mark(self, last: pad.LastPayment | pad.NothingFound) -> str:
        trace = last.charged.trace if isinstance(last, pad.LastPayment) else None
        return f"{self._terminal}/{trace or ''}"


def evidence_of(charged: pad.Charged) -> str:
    """What finance needs to find it: never a card number."""
    parts = (
        f"trace {charged.trace}" if charged.trace is not None else "",
        f"receipt {charged.receipt_no}" if charged.receipt_no is not None else "",
        f"terminal {charged.terminal_id}" if charged.terminal_id else "",
        f"rrn {charged.retrieval_ref}" if charged.retrieval_ref else "",
    )
    return ", ".join(part for part in parts if part)


def local(moment: datetime) -> datetime:
    """A pad's clock has no zone."""
    return moment.replace(tzinfo=None)
