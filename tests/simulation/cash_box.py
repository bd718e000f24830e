"""A banknote acceptor behind its worker, on virtual time, with a person before it and bad days.

Rule: where each note went stands in its own ledger, whatever it told; what it tells is counted, so
that it can be asked again from any mark, and a power cut makes it forget.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

from kiosk.flows.effects import AcceptCash, RecallCash, ReturnNote, StackNote, StopCash
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
from kiosk.ports import CashBoxChanged, CashLooked, DeviceStood

NOTES_FEN = (100, 500, 1000, 2000, 5000, 10_000)
ESCROW_S = 30.0
A_LIFE = 100_000
"""Marks of one power cycle; the next one's begin above."""

Went = Literal["stacked", "returned", "stuck"]


@dataclass
class CashFaults:
    """Chances of a bad day; all zero: a good box."""

    jams: float = 0.0
    power_in_escrow: float = 0.0
    power_on_the_way: float = 0.0
    full: float = 0.0
    silent_after: float = 0.0
    refuses: float = 0.0


@dataclass
class SimulatedCashBox:
    """`later(seconds, what)` is the world's clock, `tell` goes to the engine that runs now."""

    chance: Random
    now_s: Callable[[], float]
    later: Callable[[float, Callable[[], None]], None]
    tell: Callable[[Any], None]
    faults: CashFaults = field(default_factory=CashFaults)
    excused: set[str] = field(default_factory=set)  # where a person may have to decide
    stacked: Counter[str] = field(default_factory=Counter)  # the world's note: for whom
    inserted: int = 0
    gone: Counter[str] = field(default_factory=Counter)  # how many notes went where
    level_fen: int = 0  # in the box since it was emptied last
    _told: list[tuple[str, int]] = field(default_factory=list)
    _untold: set[str] = field(default_factory=set)  # whose note went somewhere while nobody heard
    _life: int = 0
    _connection: int = 0
    _paying: str = ""
    _limit_fen: int = 0
    _escrow: tuple[str, int, int] | None = None  # for whom, its worth, which insertion
    _moving: bool = False
    _trouble: Literal["", "cash_jam", "cash_full"] = ""
    _deaf_until_s: float = 0.0

    @property
    def _mark(self) -> int:
        return self._life * A_LIFE + len(self._told)

    def connect(self) -> None:
        """Core has started anew, or the line is there again: nothing is taken until it is asked."""
        self._connection += 1
        self._paying = ""
        if not self._deaf():
            self._look()

    def _look(self) -> None:
        self.tell(DeviceStood("cash_box", True))
        self.tell(CashLooked(NOTES_FEN, self._mark))
        if self._trouble == "cash_jam":
            self.tell(CashBoxChanged("cash_jam", self._mark))

    def order(self, order: Any) -> None:
        """As the worker would: in order, and answered even when the box is away."""
        connection = self._connection
        self.later(
            self.chance.uniform(0.05, 0.6),
            lambda: self._perform(order) if connection == self._connection else None,
        )

    def _perform(self, order: Any) -> None:
        reference = order.reference
        if self._deaf():
            away = isinstance(order, AcceptCash)
            self.tell(CashStopped(reference, "cash_away") if away else CashUnreachable(reference))
            return
        match order:
            case AcceptCash(_, owed_fen):
                self._paying, self._limit_fen = reference, owed_fen
            case StackNote():
                self._move(reference, to_box=True)
            case ReturnNote():
                self._move(reference, to_box=False)
            case StopCash():
                self._stop(reference)
            case RecallCash():
                self._recall(order)

    # --- a person at the slot

    def insert(self, fen: int) -> None:
        """Drawn in to escrow, or pushed back."""
        free = self._escrow is None and not self._moving and not self._trouble
        if not self._paying or self._deaf() or not free:
            return
        if fen > self._limit_fen or self._luck(self.faults.refuses):
            self.tell(CashNoteRefused(self._paying))
            return
        self.inserted += 1
        self._escrow = mine = (self._paying, fen, self.inserted)
        self._note("escrowed", fen)
        self.later(ESCROW_S, lambda: self._goes_back(mine))
        if self._luck(self.faults.power_in_escrow):
            self.later(self.chance.uniform(0.0, 1.0), self._power_cut)
        self._say(0.2, self._connection, lambda: CashNoteHeld(mine[0], fen, self._mark))

    def _goes_back(self, mine: tuple[str, int, int]) -> None:
        """Nobody has decided: the box does."""
        if self._escrow == mine and not self._moving:
            self._arrives("returned")
            if self._paying == mine[0] and not self._deaf():
                self._heard(CashNoteReturned(mine[0], self._mark))

    # --- notes on their way

    def _move(self, reference: str, *, to_box: bool) -> None:
        if self._escrow is None:
            return  # it went back by itself, and that was told
        self._moving = True
        connection, life = self._connection, self._life
        self.later(
            self.chance.uniform(0.3, 2.0), lambda: self._moved(reference, to_box, connection, life)
        )

    def _moved(self, reference: str, to_box: bool, connection: int, life: int) -> None:
        if life != self._life:
            return  # the power went meanwhile
        self._moving = False
        if to_box and self._luck(self.faults.power_on_the_way):
            self._power_cut(self.chance.choice(("stacked", "returned")))
        elif to_box and self._luck(self.faults.jams):
            self._jam(reference)
        elif to_box and self._luck(self.faults.full):
            self._full(reference, connection)
        else:
            self._went(reference, "stacked" if to_box else "returned", connection)

    def _went(self, reference: str, where: Went, connection: int) -> None:
        fen = self._arrives(where)
        if connection != self._connection:
            return
        if self._luck(self.faults.silent_after):
            self._fall_silent(self.chance.uniform(1, 40))
        elif where == "stacked":
            self._heard(CashNoteKept(reference, fen, self._mark))
        else:
            self._heard(CashNoteReturned(reference, self._mark))

    def _jam(self, reference: str) -> None:
        self.excused.add(reference)
        self._arrives("stuck")
        self._trouble = "cash_jam"
        self.later(self.chance.uniform(30, 900), self._cleared)
        self._fall_silent(1.0)

    def _full(self, reference: str, connection: int) -> None:
        """It cannot take this one: the person has it back, and the payment ends."""
        self._trouble = "cash_full"
        self.later(self.chance.uniform(30, 900), self._emptied)
        self._went(reference, "returned", connection)
        if connection == self._connection and not self._deaf():
            self._paying = ""
            self.tell(CashStopped(reference, "cash_full"))
            self.tell(CashBoxChanged("cash_full", self._mark))

    def _stop(self, reference: str) -> None:
        self._limit_fen = 0
        if self._moving:
            self.order(StopCash(reference))  # the worker is still busy with the note
            return
        if self._escrow is not None:
            self._arrives("returned")
            self._heard(CashNoteReturned(reference, self._mark))
        self._paying = ""
        self.tell(CashStopped(reference, ""))

    def _arrives(self, where: Went) -> int:
        """The note is there: in the ledger first, then among what can be asked for."""
        assert self._escrow is not None
        (whose, fen, _), self._escrow = self._escrow, None
        self.gone[where] += 1
        self._untold.add(whose)
        if where == "stacked":
            self.stacked[whose] += fen
            self.level_fen += fen
        self._note(where, fen)
        return fen

    # --- asked again

    def _recall(self, order: RecallCash) -> None:
        if self._moving:
            self.tell(CashUnreachable(order.reference))
            return
        if self._escrow is not None:
            self._arrives("returned")
        life, since = divmod(int(order.mark or 0), A_LIFE)
        forgot = life != self._life
        seen = self._told if forgot else self._told[since:]
        known = any(went in ("stacked", "returned") for went, _ in seen) and not forgot
        kept_fen = 0 if forgot else sum(fen for went, fen in seen if went == "stacked")
        clear = order.note_fen == 0 or known
        self._heard(CashRecalled(order.reference, clear, kept_fen, self._mark))

    # --- bad days

    def _power_cut(self, where: Went = "returned") -> None:
        """What lies in its throat comes out, or has gone into the box untold; all is forgotten."""
        if self._escrow is not None:
            self.excused.add(self._escrow[0])
            self._arrives(where)
        self.excused |= self._untold  # what became of their notes is known to nobody any more
        self._untold.clear()
        self._moving = False
        self._life += 1
        self._told.clear()
        self._fall_silent(self.chance.uniform(3, 60))

    def _fall_silent(self, seconds: float) -> None:
        paying, self._paying = self._paying, ""
        self._deaf_until_s = self.now_s() + seconds
        if paying:
            self.tell(CashSilent(paying))
        self.tell(DeviceStood("cash_box", False))
        connection = self._connection
        self.later(seconds + 0.1, lambda: self._back(connection))

    def _back(self, connection: int) -> None:
        if connection == self._connection and not self._deaf():
            self._look()

    def _cleared(self) -> None:
        """Somebody has taken the stuck note out and switched the box off and on."""
        self._trouble = ""
        self._power_cut()

    def _emptied(self) -> None:
        self._trouble, self.level_fen = "", 0
        self._note("out", 0)
        self._note("back", 0)
        self.tell(CashBoxChanged("cash_box_out", self._mark))
        self.tell(CashBoxChanged("back", self._mark))

    def mend(self) -> None:
        """A good day: what is wrong is put right."""
        self.faults = CashFaults()

    def _heard(self, event: CashNoteKept | CashNoteReturned | CashRecalled) -> None:
        self._untold.discard(event.reference)
        self.tell(event)

    def _note(self, went: str, fen: int) -> None:
        self._told.append((went, fen))

    def _say(self, after_s: float, connection: int, event: Callable[[], Any]) -> None:
        def said() -> None:
            if connection == self._connection and not self._deaf():
                self.tell(event())

        self.later(after_s, said)

    def _luck(self, chance: float) -> bool:
        return self.chance.random() < chance

    def _deaf(self) -> bool:
        return self.now_s() < self._deaf_until_s
