"""A payment pad behind its worker, on virtual time, with a person before it and bad days.

Rule: what it did stands in its own book, whatever it answered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from drivers import pad as drivers_pad
from kiosk.flows.effects import CancelPad, ChargePad, CompletePad, RecallPad, ReleasePad
from kiosk.flows.events import (
    PadApproved,
    PadCompleted,
    PadDeclined,
    PadRecalled,
    PadReleased,
    PadSilent,
    PadUnreachable,
)
from kiosk.ports import PadLooked
from tests.simulation.books import PadBook, PadEntry

AUTO_RELEASE_S = 90.0
_FOUND: dict[drivers_pad.Finding, Any] = {
    drivers_pad.Finding.HELD: "held",
    drivers_pad.Finding.TAKEN: "completed",
    drivers_pad.Finding.REVERSED: "reversed",
    drivers_pad.Finding.NOT_TAKEN: "none",
    drivers_pad.Finding.UNCLEAR: "unclear",
}
_STATES = {
    "held": drivers_pad.PaymentState.HELD,
    "completed": drivers_pad.PaymentState.COMPLETED,
    "reversed": drivers_pad.PaymentState.REVERSED,
}


@dataclass
class PadFaults:
    """Chances of a bad day; all zero: a good pad and a willing person."""

    silent_before: float = 0.0
    silent_after: float = 0.0
    declined: float = 0.0
    cancelled: float = 0.0
    lost_decision: float = 0.0
    other_amount: float = 0.0
    lets_go: float = 0.0
    keeps_abandoned: float = 0.0
    vague: float = 0.0
    repeats: float = 0.0


@dataclass
class SimulatedPad:
    """`later(seconds, what)` is the world's clock, `say` goes to the engine that runs now."""

    chance: Random
    now_s: Callable[[], float]
    later: Callable[[float, Callable[[], None]], None]
    tell: Callable[[Any], None]
    may_release: Callable[[str], None]
    book: PadBook = field(default_factory=PadBook)
    faults: PadFaults = field(default_factory=PadFaults)
    excused: set[str] = field(default_factory=set)  # where a person may have to decide
    _busy: str = ""
    _holding: str = ""
    _deaf_until_s: float = 0.0
    _connection: int = 0
    _cancelled: set[str] = field(default_factory=set)

    def connect(self) -> None:
        """Core has started anew: what was under way goes on without it."""
        self._connection += 1
        self._holding = ""
        self.say(PadLooked(self._mark()))

    def order(self, order: Any) -> None:
        match order:
            case ChargePad():
                self._charge(order)
            case CancelPad(reference):
                self._cancelled.add(reference)
            case CompletePad(reference) | ReleasePad(reference):
                self._soon(lambda: self._decide(reference, isinstance(order, CompletePad)))
            case RecallPad():
                self._soon(lambda: self._recall(order))

    def _soon(self, what: Callable[[], None]) -> None:
        connection = self._connection
        self.later(
            self.chance.uniform(0.1, 2.0),
            lambda: what() if connection == self._connection else None,
        )

    def _luck(self, chance: float) -> bool:
        return self.chance.random() < chance

    def say(self, event: Any) -> None:
        """Now, and on a bad day once more when nobody waits for it."""
        self.tell(event)
        if self._luck(self.faults.repeats) and not isinstance(event, PadLooked):
            self.excused.add(event.reference)
            for _ in range(3):
                self.later(self.chance.uniform(1, 200), lambda: self.tell(event))

    # --- charging

    def _charge(self, order: ChargePad) -> None:
        if self._deaf() or self._busy:
            self._soon(lambda: self.say(PadDeclined(order.reference, "pad_away")))
            return
        self._busy = order.reference
        connection = self._connection
        takes_s = self.chance.uniform(3.0, 30.0)
        self.later(takes_s, lambda: self._end_charge(order, connection))

    def _end_charge(self, order: ChargePad, connection: int) -> None:
        reference, self._busy = order.reference, ""
        heard = connection == self._connection
        if reference in self._cancelled or self._luck(self.faults.cancelled):
            self._answer(heard, PadDeclined(reference, "cancelled_at_pad"))
        elif self._luck(self.faults.declined):
            self._answer(heard, PadDeclined(reference, "declined"))
        elif self._luck(self.faults.silent_before):
            self._fall_silent(heard, reference)
        else:
            self._take(order, heard)

    def _take(self, order: ChargePad, heard: bool) -> None:
        reference, fen = order.reference, order.amount_fen
        if self._luck(self.faults.other_amount):
            fen += 100
            self.excused.add(reference)
        entry = self.book.charge(reference, fen, order.amount_fen, self.now_s())
        self._hold(entry)
        if self._luck(self.faults.silent_after):
            self._fall_silent(heard, reference)
        elif heard:
            self._holding = reference
            self.say(PadLooked(self._mark()))
            self.say(PadApproved(reference, fen, f"trace {entry.trace}"))

    def _hold(self, entry: PadEntry) -> None:
        """Held for a while; then the pad decides by itself, or sooner on a bad day."""
        early = self._luck(self.faults.lets_go)
        after_s = self.chance.uniform(5, 40) if early else AUTO_RELEASE_S
        if early:
            self.excused.add(entry.reference)
        self.later(after_s, lambda: self._tire(entry, early))

    def _tire(self, entry: PadEntry, early: bool) -> None:
        if entry.fate != "held":
            return
        if self._holding == entry.reference and not early:
            self.later(AUTO_RELEASE_S, lambda: self._tire(entry, early))  # core keeps it
            return
        keeps = not early and self._luck(self.faults.keeps_abandoned)
        entry.fate = "completed" if keeps else "reversed"
        if not keeps:
            self.excused.add(entry.reference)  # the pad's own doing: booked meanwhile, maybe
        if self._holding == entry.reference:
            self._holding = ""
            self.say(PadReleased(entry.reference))

    def _answer(self, heard: bool, event: Any) -> None:
        if heard:
            self.say(event)

    def _fall_silent(self, heard: bool, reference: str) -> None:
        self._holding = ""
        self._be_deaf(self.chance.uniform(1, 40))
        self._answer(heard, PadSilent(reference))

    def _be_deaf(self, seconds: float) -> None:
        """The line is dropped; connected again, core looks first."""
        self._deaf_until_s = self.now_s() + seconds
        connection = self._connection
        self.later(seconds, lambda: self._look_again(connection))

    def _look_again(self, connection: int) -> None:
        if connection == self._connection:
            self.say(PadLooked(self._mark()))

    # --- the second phase, and asking

    def _decide(self, reference: str, complete: bool) -> None:
        entry = self._entry(reference)
        if self._deaf() or self._holding != reference or entry is None or entry.fate != "held":
            self.say(PadUnreachable(reference))
            return
        self._holding = ""
        if not complete and entry.amount_fen == entry.asked_fen:
            self.may_release(reference)
        entry.fate = "completed" if complete else "reversed"
        if self._luck(self.faults.lost_decision):
            self.say(PadSilent(reference))
            self._be_deaf(self.chance.uniform(1, 20))
        else:
            self.say(PadCompleted(reference) if complete else PadReleased(reference))

    def _recall(self, order: RecallPad) -> None:
        if self._deaf() or self._busy:
            self.say(PadUnreachable(order.reference))
            return
        if self._luck(self.faults.vague):
            self.say(PadRecalled(order.reference, "unclear"))
            return
        entry = self.book.entries[-1] if self.book.entries else None
        self.say(PadLooked(self._mark()))
        found = drivers_pad.find(self._attempt(order), self._last(entry))
        if found is drivers_pad.Finding.HELD:
            self._holding = order.reference
        fen = entry.amount_fen if entry else 0
        self.say(PadRecalled(order.reference, _FOUND[found], fen, "trace"))

    def _attempt(self, order: RecallPad) -> drivers_pad.Attempt:
        trace = order.mark.partition("/")[2]
        return drivers_pad.Attempt(
            order.amount_fen,
            order.sent_at.replace(tzinfo=None),
            trace_before=int(trace) if trace else None,
            terminal_id="T1",
        )

    def _last(self, entry: PadEntry | None) -> drivers_pad.LastPayment:
        if entry is None:  # the technician's test payment
            charged = drivers_pad.Charged(1, trace=1, terminal_id="T1")
            return drivers_pad.LastPayment(charged, drivers_pad.PaymentState.COMPLETED)
        charged = drivers_pad.Charged(entry.amount_fen, trace=entry.trace, terminal_id="T1")
        return drivers_pad.LastPayment(charged, _STATES[entry.fate])

    def _mark(self) -> str:
        return f"T1/{self.book.entries[-1].trace if self.book.entries else 1}"

    def _entry(self, reference: str) -> PadEntry | None:
        mine = [one for one in self.book.entries if one.reference == reference]
        return mine[-1] if mine else None

    def _deaf(self) -> bool:
        return self.now_s() < self._deaf_until_s
