"""The cash box as a port: a note waits inside until it is told to keep or to return it.

Rule: what the validator acknowledges is not money, what it tells as an event is; and a note whose
way nobody can tell ends the connection, so that the next one looks at the events since the mark.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from drivers import cash, errors
from drivers.deadline import Clock, Deadline
from kiosk.devices.faults import fault_of
from kiosk.flows.effects import (
    AcceptCash,
    Effect,
    RecallCash,
    ReturnNote,
    StackNote,
    StopCash,
)
from kiosk.flows.events import (
    CashNoteHeld,
    CashNoteKept,
    CashNoteRefused,
    CashNoteReturned,
    CashRecalled,
    CashSilent,
    CashStopped,
    CashUnreachable,
)
from kiosk.ports import CashBoxChanged, CashLooked, Listen, Part, Told

FAILURES_MAX = 3
"""So often a waiting note may fail to go back before a person must look."""

Connect = Callable[[int | None, int | None], cash.NoteAcceptor]
"""With the mark and the waiting note (fen) as they stood before; None: nothing is known."""

Code = Literal["back", "cash_jam", "cash_full", "cash_box_out", "cash_fraud"]

_CODES: dict[cash.CashTrouble, Code] = {
    cash.CashTrouble.JAMMED: "cash_jam",
    cash.CashTrouble.BOX_FULL: "cash_full",
    cash.CashTrouble.BOX_REMOVED: "cash_box_out",
    cash.CashTrouble.BOX_FAULTY: "cash_jam",
    cash.CashTrouble.FRAUD: "cash_fraud",
}


class CashBoxDevice:
    """A banknote acceptor with an escrow; it takes notes only during one payment."""

    part: Part = "cash_box"
    pause_s = 0.2  # the validator wants to be looked at so often

    ASK_S = 5.0
    IDLE_S = 2.0  # while no note is taken only the box itself can change
    MOVE_S = 15.0  # a note between slot, escrow and box

    def __init__(self, connect: Connect, clock: Clock, mark: int | None = None) -> None:
        """`mark`: how far the box's events were told when core ended with the box in trouble; what
        was done to it meanwhile is told then. None: what was before is nobody's business."""
        self._connect, self._clock = connect, clock
        self._box: cash.NoteAcceptor | None = None
        self._mark = mark
        self._usable: tuple[int, ...] = ()
        self._paying = ""
        self._failures = 0
        self._looked_s = float("-inf")

    def open(self) -> Iterator[Told]:
        """What it takes: of its notes those that are multiples of the smallest.

        Others could leave a rest that no note can make up.
        """
        try:
            yield from self._open(self._mark, None)
            assert self._box is not None
            status = self._box.status(self._within(self.ASK_S))
        except errors.DriverError as fault:
            raise fault_of(fault) from fault
        if not status.is_well:
            yield CashBoxChanged("cash_jam")

    def _open(self, mark: int | None, note_fen: int | None) -> Iterator[Told]:
        """Connect and look; events since `mark` that are nobody's payment are told."""
        self.close()
        self._box = self._connect(mark, note_fen)
        notes = self._box.prepare(self._within(self.ASK_S))
        seen = self._look(self._box)
        self._usable = tuple(fen for fen in notes if fen % notes[0] == 0)
        yield CashLooked(self._usable, self._mark or 0)
        yield from self._of_the_box(seen)

    def attend(self, listen: Listen) -> Iterator[Told]:
        """While a payment takes notes: whatever happens at the slot. Else only the box itself."""
        assert self._box is not None
        if self._paying:
            yield from self._asking(self._paying, self._serve)
            return
        if self._clock() < self._looked_s + self.IDLE_S:
            return
        try:
            seen = self._look(self._box)
        except errors.DriverError as fault:
            raise fault_of(fault) from fault
        yield from self._of_the_box(seen)

    def perform(self, effect: Effect) -> Iterable[Told]:
        match effect:
            case AcceptCash(reference, owed_fen):
                return self._asking(reference, lambda box: self._accept(box, reference, owed_fen))
            case StackNote(reference):
                return self._asking(reference, lambda box: self._move(box, reference, keep=True))
            case ReturnNote(reference):
                return self._asking(reference, lambda box: self._move(box, reference, keep=False))
            case StopCash(reference):
                return self._asking(reference, lambda box: self._stop(box, reference))
            case RecallCash():
                return self._recall(effect)
        raise AssertionError(f"a cash box carries out no {type(effect).__name__}")

    def absent(self, effect: Effect) -> Iterable[Told]:
        """Not sent. A note that waits inside may have gone back by itself: the box is asked."""
        match effect:
            case AcceptCash(reference):
                return (CashStopped(reference, "cash_away"),)
            case (
                StackNote(reference)
                | ReturnNote(reference)
                | StopCash(reference)
                | RecallCash(reference)
            ):
                return (CashUnreachable(reference),)
        raise AssertionError(f"a cash box carries out no {type(effect).__name__}")

    def interrupt(self, effect: Effect) -> bool:
        return False

    def close(self) -> None:
        self._paying = ""
        if self._box is not None:
            self._box.close()
            self._box = None

    # --- one payment

    def _asking(
        self, reference: str, ask: Callable[[cash.NoteAcceptor], Iterator[Told]]
    ) -> Iterator[Told]:
        assert self._box is not None
        try:
            yield from ask(self._box)
        except errors.DriverError as fault:
            yield CashSilent(reference)
            raise fault_of(fault) from fault

    def _accept(self, box: cash.NoteAcceptor, reference: str, owed_fen: int) -> Iterator[Told]:
        box.accept(owed_fen, self._within(self.ASK_S), self._usable)
        self._paying = reference
        yield from ()

    def _move(self, box: cash.NoteAcceptor, reference: str, keep: bool) -> Iterator[Told]:
        """To the box or back. A box that cannot take it (full) lets the person have it."""
        if box.escrowed_fen is None:
            return  # it went back by itself, and that was told
        moved: cash.NoteStacked | cash.NoteReturned
        try:
            decide = box.stack if keep else box.give_back
            moved = decide(self._within(self.MOVE_S))
        except errors.DeviceRefused:
            moved = box.give_back(self._within(self.MOVE_S))
        self._mark = box.mark
        yield from self._told(reference, moved)

    def _serve(self, box: cash.NoteAcceptor) -> Iterator[Told]:
        seen, reference = self._look(box), self._paying
        yield from self._at_the_slot(reference, seen)
        troubles = [_CODES[one.kind] for one in seen if isinstance(one, cash.Trouble)]
        if troubles:  # a person must see to it: the payment ends
            yield from self._stop(box, reference, troubles[0])
        yield from self._of_the_box(seen)

    def _stop(self, box: cash.NoteAcceptor, reference: str, why: str = "") -> Iterator[Told]:
        """No more notes; then whatever lies in the slot goes back."""
        box.refuse(self._within(self.ASK_S))
        seen = self._look(box)
        told = tuple(one for one in seen if not isinstance(one, cash.NoteEscrowed))
        yield from self._at_the_slot(reference, told)
        yield from self._move(box, reference, keep=False)
        self._paying = ""
        yield CashStopped(reference, why)
        yield from self._of_the_box(seen)

    def _at_the_slot(self, reference: str, seen: tuple[cash.CashEvent, ...]) -> Iterator[Told]:
        for event in seen:
            match event:
                case cash.NoteEscrowed(value_fen):
                    yield CashNoteHeld(reference, value_fen, self._mark or 0)
                case cash.NoteStacked() | cash.NoteReturned():
                    yield from self._told(reference, event)
                case cash.NoteRefused():
                    yield CashNoteRefused(reference)
                case cash.Restarted() | cash.EventsLost():
                    raise errors.OutcomeUnknown("the validator forgot what happened")

    def _told(self, reference: str, moved: cash.NoteStacked | cash.NoteReturned) -> Iterator[Told]:
        match moved:
            case cash.NoteStacked(value_fen):
                yield CashNoteKept(reference, value_fen, self._mark or 0)
            case cash.NoteReturned():
                yield CashNoteReturned(reference, self._mark or 0)

    # --- after a doubt

    def _recall(self, effect: RecallCash) -> Iterator[Told]:
        """A new connection with the payment's mark: its events are told again, exactly once."""
        mark = int(effect.mark) if effect.mark else None
        self.close()
        try:
            self._box = box = self._connect(mark, effect.note_fen or None)
            box.prepare(self._within(self.ASK_S))
            seen = self._look(box)
            came_back = self._clear_the_slot(box, seen)
        except errors.DriverError as fault:
            yield CashUnreachable(effect.reference)
            raise fault_of(fault) from fault
        seen = (*seen, *came_back)
        yield CashRecalled(
            effect.reference,
            clear=box.escrowed_fen is None and _is_told(effect.note_fen, seen),
            kept_fen=sum(one.value_fen for one in seen if isinstance(one, cash.NoteStacked)),
            mark=self._mark or 0,
        )
        yield from self._of_the_box(seen)

    def _clear_the_slot(
        self, box: cash.NoteAcceptor, seen: tuple[cash.CashEvent, ...]
    ) -> tuple[cash.CashEvent, ...]:
        """Give a note back that still waits. One that is stuck stays for a person to see."""
        stuck = (cash.Trouble(cash.CashTrouble.JAMMED), cash.Trouble(cash.CashTrouble.BOX_FAULTY))
        if box.escrowed_fen is None or any(one in stuck for one in seen):
            return ()
        try:
            moved = box.give_back(self._within(self.MOVE_S))
        except errors.OutcomeUnknown:
            self._failures += 1
            if self._failures < FAILURES_MAX:
                raise
            return ()
        self._failures, self._mark = 0, box.mark
        return (moved,)

    # --- the box itself

    def _of_the_box(self, seen: Iterable[cash.CashEvent]) -> Iterator[Told]:
        for event in seen:
            match event:
                case cash.Trouble(kind):
                    yield CashBoxChanged(_CODES[kind], self._mark or 0)
                case cash.BoxBack():
                    yield CashBoxChanged("back", self._mark or 0)

    def _look(self, box: cash.NoteAcceptor) -> tuple[cash.CashEvent, ...]:
        seen = box.look(self._within(self.ASK_S))
        self._mark, self._looked_s = box.mark, self._clock()
        return seen

    def _within(self, seconds: float) -> Deadline:
        return Deadline.after(self._clock, seconds)


def _is_told(note_fen: int, seen: Iterable[cash.CashEvent]) -> bool:
    """Whether the events tell where the note is that was to be kept. No such note: they do."""
    told = any(isinstance(one, cash.NoteStacked | cash.NoteReturned) for one in seen)
    forgot = any(isinstance(one, cash.Restarted | cash.EventsLost) for one in seen)
    return note_fen == 0 or (told and not forgot)
