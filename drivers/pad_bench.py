"""Hands, bank and bad days of a pad emulator that answers a payment with one message.

Device side. A subclass speaks one dialect: it reads requests, calls `open_payment` and says what
`_conclude` hands it. The ledger is written before anything is said.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from types import MappingProxyType

from drivers.errors import ProtocolError
from drivers.one_answer_line import BodyReader
from drivers.pad import Charged, MaskedPan, PadTime
from drivers.pad_ledger import Entry, Fate, PadLedger

MISBEHAVIOURS = MappingProxyType(
    {
        "silent_before_charge": "swallows the next payment, then says nothing for a while",
        "silent_after_charge": "takes the next payment, then says nothing for a while",
        "busy": "refuses everything",
        "answers_twice": "says everything twice",
        "slow": "answers two seconds late",
        "forgets_last": "shows no last payment",
    }
)
"""What a bench may ask of `misbehave`."""

QUEUE_MAX = 64
HALF_REQUEST_S = 1.0  # bytes that have lain so long without their rest are dropped


class Purpose(Enum):
    """Why a card is wanted."""

    SALE = "sale"
    REFUND = "refund"


class Failure(Enum):
    """How a payment ended without money."""

    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True)
class Refusal:
    """The bank said no."""

    code: str


Conclusion = Entry | Refusal | Failure


@dataclass
class BenchKnobs:
    """A bad day, to be turned at any moment."""

    silent_before_charge: bool = False
    silent_after_charge: bool = False
    silent_s: float = 20.0
    busy: bool = False
    answers_twice: bool = False
    slow_s: float = 0.0
    bank_s: float = 0.0
    card_timeout_s: float = 60.0
    forgets_last: bool = False


@dataclass(frozen=True)
class _Open:
    purpose: Purpose
    amount_fen: int
    reference: str
    give_up_at_s: float
    say: Callable[[Conclusion], None]


class PadBench:
    """What all one-answer emulators share. `wall` gives the pad's own local time."""

    def __init__(
        self,
        ledger: PadLedger,
        wall: Callable[[], datetime],
        make_reader: Callable[[], BodyReader],
    ) -> None:
        self.ledger = ledger
        self.wall = wall
        self._make_reader = make_reader
        self._reader = make_reader()
        self.knobs = BenchKnobs()
        self.now_s = 0.0
        self.refusals: list[str] = []
        self.signed_in = False
        self._card: tuple[str, str] | None = None
        self._bank_code = ""
        self._cancelled = False
        self._open: _Open | None = None
        self._bank_at_s: float | None = None
        self._outgoing: deque[tuple[float, bytes]] = deque()
        self._powered = True
        self._deaf_until_s = 0.0
        self._heard_at_s = 0.0

    # -- hands

    def present_card(self, card_name: str = "UnionPay", last4: str = "1234") -> None:
        """Hold a card to the pad; it waits there until a payment asks for one."""
        self._card = (card_name, last4)

    def approve(self) -> None:
        """The bank will say yes from now on."""
        self._bank_code = ""

    def decline(self, code: str = "51") -> None:
        """The bank will say no from now on."""
        self._bank_code = code

    def press_cancel(self) -> None:
        """The red key."""
        self._cancelled = True

    def walk_away(self) -> None:
        """Take the card along and leave."""
        self._card = None

    def power_cut(self) -> None:
        """Everything but the ledger is gone."""
        self._powered = False
        self._card = self._open = self._bank_at_s = None
        self._cancelled = False
        self._outgoing.clear()
        self.signed_in = False
        self._forget_half()

    def power_up(self) -> None:
        """Power is back."""
        self._powered = True
        self._deaf_until_s = 0.0

    def wake(self) -> None:
        """End a silence early."""
        self._deaf_until_s = 0.0

    def behave(self) -> None:
        """As the manual says again."""
        self.knobs = BenchKnobs()

    def misbehave(self, name: str) -> None:
        """One of MISBEHAVIOURS from now on. Finer: turn the `knobs`."""
        assert name in MISBEHAVIOURS, f"no misbehaviour {name}"
        self.behave()
        if name == "slow":
            self.knobs.slow_s = 2.0
        else:
            setattr(self.knobs, name, True)

    @property
    def waits_for_card(self) -> bool:
        """Whether the pad asks for a card now."""
        return self._open is not None and self._bank_at_s is None

    # -- Emulator

    def receive(self, data: bytes) -> bytes:
        """Bytes from the host."""
        if not self._powered or self.now_s < self._deaf_until_s:
            return b""
        self._heard_at_s = self.now_s
        for body in self._reader.feed(data):
            try:
                self.serve(body)
            except ProtocolError:
                continue  # a real one stays silent
        return self._due()

    def tick(self, now_s: float) -> bytes:
        """Time goes on."""
        self.now_s = now_s
        if not self._powered:
            return b""
        if now_s >= self._heard_at_s + HALF_REQUEST_S:
            self._heard_at_s = now_s
            self._forget_half()
        self._go_on()
        return self._due() if now_s >= self._deaf_until_s else b""

    # -- for the dialect

    def serve(self, body: bytes) -> None:
        """Take one whole request; the dialect's own. ProtocolError: it stays silent."""
        raise NotImplementedError

    def say(self, frame: bytes) -> None:
        """Queue an answer: late by the knob, twice by the knob."""
        if self.now_s < self._deaf_until_s or len(self._outgoing) >= QUEUE_MAX:
            return
        at_s = self.now_s + self.knobs.slow_s
        self._outgoing.extend([(at_s, frame)] * (2 if self.knobs.answers_twice else 1))

    @property
    def is_busy(self) -> bool:
        """Whether another request must be refused now."""
        return self.knobs.busy or self._open is not None

    def open_payment(
        self,
        purpose: Purpose,
        amount_fen: int,
        reference: str,
        say: Callable[[Conclusion], None],
    ) -> None:
        """Ask for a card; `say` is called when it has ended, unless the pad falls silent."""
        if self.knobs.silent_before_charge:
            self.knobs.silent_before_charge = False
            self.be_silent()
            return
        self._cancelled = False
        give_up_at_s = self.now_s + self.knobs.card_timeout_s
        self._open = _Open(purpose, amount_fen, reference, give_up_at_s, say)
        self._go_on()

    def void(self, receipt_no: int, amount_fen: int) -> Entry | Refusal:
        """Undo a completed sale. Codes by the list of one acquirer's library."""
        entry = self.ledger.by_receipt(receipt_no)
        if entry is None or entry.fate is Fate.REFUND:
            return Refusal("25")
        if entry.fate is Fate.REVERSED:
            return Refusal("X5")
        if entry.amount_fen != amount_fen:
            return Refusal("64")
        self.ledger.reverse(entry.trace, "voided by the host")
        undone = self.ledger.by_receipt(receipt_no)
        assert undone is not None
        return undone

    def last(self) -> Entry | None:
        """What a reprint shows."""
        return None if self.knobs.forgets_last else self.ledger.newest

    # -- inside

    def _forget_half(self) -> None:
        """Half a request, whose rest will not come any more."""
        self._reader = self._make_reader()

    def be_silent(self) -> None:
        """Hear and say nothing for as long as the knob says."""
        self._deaf_until_s = self.now_s + self.knobs.silent_s
        self._outgoing.clear()

    def _due(self) -> bytes:
        due = b""
        while self._outgoing and self._outgoing[0][0] <= self.now_s:
            due += self._outgoing.popleft()[1]
        return due

    def _go_on(self) -> None:
        payment = self._open
        if payment is None:
            return
        if self._bank_at_s is None:
            if self._cancelled:
                self._end(payment, Failure.CANCELLED)
            elif self._card is not None:
                self._bank_at_s = self.now_s + self.knobs.bank_s
            elif self.now_s >= payment.give_up_at_s:
                self._end(payment, Failure.TIMED_OUT)
        if self._bank_at_s is not None and self.now_s >= self._bank_at_s:
            self._ask_bank(payment)

    def _ask_bank(self, payment: _Open) -> None:
        assert self._card is not None
        (card_name, last4), self._card = self._card, None
        if self._bank_code:
            self._end(payment, Refusal(self._bank_code))
            return
        at = self.wall().isoformat(timespec="seconds")
        if payment.purpose is Purpose.REFUND:
            entry = self.ledger.refund(payment.amount_fen, last4, card_name, at)
        else:
            entry = self.ledger.charge(payment.amount_fen, last4, card_name, at)
            if payment.reference:
                self.ledger.refer(entry.trace, payment.reference)
            self.ledger.complete(entry.trace)
        if self.knobs.silent_after_charge:
            self.knobs.silent_after_charge = False
            self._open = self._bank_at_s = None
            self.be_silent()
            return
        self._end(payment, entry)

    def _end(self, payment: _Open, conclusion: Conclusion) -> None:
        self._open = self._bank_at_s = None
        self._cancelled = False
        payment.say(conclusion)


def told_of(entry: Entry, terminal_id: str, merchant_id: str) -> Charged:
    """What a pad of these numbers prints about a line of its ledger."""
    at = datetime.fromisoformat(entry.at)
    return Charged(
        amount_fen=entry.amount_fen,
        trace=entry.trace,
        receipt_no=entry.receipt_no,
        terminal_id=terminal_id,
        pan=MaskedPan(entry.last4),
        at=PadTime(at.month, at.day, at.hour, at.minute, at.second),
        merchant_id=merchant_id,
        batch="000001",
        retrieval_ref=f"{entry.trace:012d}",
    )
