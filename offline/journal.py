"""Payments: every step a row that is only ever added, and beside it the present state.

A step is durable before the byte that it allows leaves the machine. The table of moves below is
asserted: a wrong move is a bug, and then nothing of its transaction is written. No function here
deletes a payment, and none can call one paid by force.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from offline.database import Row, Value
from offline.errors import StoreCorrupt
from offline.migrations import INSERT_MOVE
from offline.store import Reading, Store, Transaction
from offline.vault import Erased, Place, Pseudonym


class State(StrEnum):
    """Where an attempt to pay stands; what each allows is DESIGN §5's."""

    INTENT = "intent"
    SENT = "sent"
    PAID = "paid"
    DECLINED = "declined"
    UNKNOWN = "unknown"
    BOOKING = "booking"
    SETTLED = "settled"
    HIS_REJECTED = "his_rejected"
    HIS_UNKNOWN = "his_unknown"
    REVERSING = "reversing"
    REVERSED = "reversed"
    REFUND_DUE = "refund_due"
    REFUNDED = "refunded"
    MANUAL = "manual"


MOVES: dict[State, frozenset[State]] = {
    # Never sent: a person left, or a restart found it before SENT. No money can have moved.
    State.INTENT: frozenset({State.SENT, State.DECLINED}),
    # REFUND_DUE: notes are in the cash box, and the payment ended before it was whole.
    State.SENT: frozenset({State.PAID, State.DECLINED, State.UNKNOWN, State.REFUND_DUE}),
    # Resolved by asking the pad, the provider, the daily file; a person only when all are mute.
    State.UNKNOWN: frozenset({State.PAID, State.DECLINED, State.MANUAL, State.REFUND_DUE}),
    State.PAID: frozenset({State.BOOKING}),
    State.BOOKING: frozenset({State.SETTLED, State.HIS_REJECTED, State.HIS_UNKNOWN}),
    # Asked again under the same reference. Never reversed from here.
    State.HIS_UNKNOWN: frozenset({State.SETTLED, State.HIS_REJECTED, State.MANUAL}),
    State.HIS_REJECTED: frozenset({State.REVERSING}),
    State.REVERSING: frozenset({State.REVERSED, State.REFUND_DUE}),
    State.REFUND_DUE: frozenset({State.REFUNDED, State.MANUAL}),
    State.DECLINED: frozenset(),
    State.SETTLED: frozenset(),
    State.REVERSED: frozenset(),
    State.REFUNDED: frozenset(),
    State.MANUAL: frozenset(),
}

FINAL = frozenset(state for state, following in MOVES.items() if not following)

_STANDS = (
    "open_payments as o where coalesce((select state from names where name = o.reference "
    "and room = 'move' order by n desc limit 1), '') not in "
)


def _listed(states: Iterable[State]) -> str:
    return f"({', '.join(repr(state.value) for state in sorted(states))})"


OPEN = _STANDS + _listed(FINAL)
"""For a `from`: those not final. The table also holds what became final since the last payment
was opened: taking a payment out waits for the next, which writes that page in any case."""

UNSETTLED = _STANDS + _listed(FINAL | {State.REFUND_DUE})
"""As OPEN, without refunds that are due: those are finance's, once the record that tells them has
left, and nothing of them is asked about here any more."""


@dataclass(frozen=True)
class Move:
    """One row: the state reached, or the same state when it only kept evidence."""

    n: int
    state: State
    at_ms: int
    evidence: bytes | Erased = field(repr=False)


@dataclass(frozen=True)
class Payment:
    """One attempt to pay. `subject` is what was to be paid, in the caller's own form."""

    reference: str
    kind: str
    amount_fen: int
    person: Pseudonym | None
    subject: bytes | Erased = field(repr=False)
    state: State
    opened_at_ms: int
    moved_at_ms: int
    moves: tuple[Move, ...]

    @property
    def final(self) -> bool:
        """Nothing more can happen to it."""
        return self.state in FINAL


HEADS_REMEMBERED = 256
CLOSED = "payments_closed"
"""Remembered: which of open_payments are final by now."""


class _Head(NamedTuple):
    """Where a payment stands, without opening anything sealed."""

    reference: str
    state: State
    n: int
    person: Pseudonym | None


class Journal:
    """The payments of this terminal."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def open_payment(
        self,
        tx: Transaction,
        reference: str,
        *,
        kind: str,
        amount_fen: int,
        subject: bytes,
        person: Pseudonym | None = None,
    ) -> None:
        """Record the intent, before the first byte to the pad. One reference an attempt."""
        # 0: the insurers pay all of it, and the booking must be followed like any other.
        assert amount_fen >= 0, "a payment of less than nothing"
        _take_out_closed(tx)  # first: what runs between the two inserts could turn them round
        sealed = tx.vault.seal(tx, person, _subject_place(reference, kind, amount_fen), subject)
        tx.add(
            "insert into payments values (?, ?, ?, ?, ?, ?)",
            *(reference, kind, amount_fen, person, sealed, tx.at_ms),
        )
        tx.add("insert into open_payments values (?)", reference)
        _add_move(tx, _Head(reference, State.INTENT, 1, person), b"")

    def moved(self, tx: Transaction, reference: str, state: State, evidence: bytes = b"") -> None:
        """Record a step. `evidence` is whatever proves it: the pad's answer, the HIS's."""
        head = _head(tx, reference)
        assert state in MOVES[head.state], f"a payment cannot go from {head.state} to {state}"
        _add_move(tx, _Head(reference, state, head.n + 1, head.person), evidence)
        closed = tx.recall(CLOSED)
        if state in FINAL and isinstance(closed, list):
            closed.append(reference)

    def noted(self, tx: Transaction, reference: str, evidence: bytes) -> None:
        """Keep a late, repeated or foreign answer: evidence that changes nothing."""
        head = _head(tx, reference)
        _add_move(tx, _Head(reference, head.state, head.n + 1, head.person), evidence)

    def payment(self, reference: str) -> Payment | None:
        """One payment with all its moves, or None if this terminal never opened it."""
        with self._store.reading() as reading:
            return _payment(reading, reference)

    def newest(self, kind: str, limit: int = 20) -> list[Payment]:
        """The last ones of a kind, final or not. Looks at every payment: for mending only."""
        with self._store.reading() as reading:
            found = reading.rows(
                "select reference from payments where kind = ? "
                "order by opened_at desc, reference desc limit ?",
                *(kind, limit),
            )
            payments = [_payment(reading, str(reference)) for (reference,) in found]
        return [payment for payment in payments if payment is not None]

    def open_payments(self) -> list[Payment]:
        """Those that are not final, oldest first: what a start must settle by asking."""
        with self._store.reading() as reading:
            found = reading.rows(
                f"select reference, opened_at from payments where reference in "
                f"(select o.reference from {OPEN}) order by opened_at, reference"
            )
            payments = [_payment(reading, str(reference)) for reference, _ in found]
        return [payment for payment in payments if payment is not None]


def _take_out_closed(tx: Transaction) -> None:
    """Leave only the open ones in open_payments; by name, once they are known."""
    closed = tx.recall(CLOSED)
    if isinstance(closed, list):
        for reference in closed:
            tx.run("delete from open_payments where reference = ?", reference)
    else:
        tx.run(f"delete from open_payments where reference not in (select o.reference from {OPEN})")
    tx.remember(CLOSED, [])


def _head(tx: Transaction, reference: str) -> _Head:
    """Where a payment stands; those in progress are remembered."""
    remembered = _heads(tx).get(reference)
    if remembered is not None:
        return remembered
    found = tx.one(
        "select names.state, n, person from names join payments on name = reference "
        "where name = ? and room = 'move' order by n desc limit 1",
        reference,
    )
    assert found is not None, "a move of a payment that was never opened"
    state, n, person = found
    assert isinstance(n, int)
    whose = None if person is None else Pseudonym(str(person))
    return _Head(reference, State(str(state)), n, whose)


def _heads(tx: Transaction) -> dict[str, _Head]:
    found = tx.recall("payment_heads")
    if isinstance(found, dict):
        return found
    heads: dict[str, _Head] = {}
    tx.remember("payment_heads", heads)
    return heads


def _add_move(tx: Transaction, head: _Head, evidence: bytes) -> None:
    reference, state, n, person = head
    sealed = tx.vault.seal(tx, person, _move_place(reference, n, state), evidence)
    tx.add(INSERT_MOVE, reference, n, tx.at_ms, str(state), sealed)
    heads = _heads(tx)
    if len(heads) >= HEADS_REMEMBERED:
        heads.clear()
    heads[reference] = head


def _subject_place(reference: str, kind: str, amount_fen: int) -> Place:
    """The amount is bound to the sealed subject: a bit that flips in it is noticed."""
    return Place("payments", f"{reference}/{kind}/{amount_fen}", "subject")


def _move_place(reference: str, n: int, state: str) -> Place:
    return Place("names", f"{reference}/{n}/{state}", "evidence")


def _payment(reading: Reading, reference: str) -> Payment | None:
    found = reading.one(
        "select kind, amount_fen, person, subject, opened_at, "
        "exists (select 1 from open_payments o where o.reference = p.reference) "
        "from payments p where reference = ?",
        reference,
    )
    if found is None:
        return None
    kind, amount_fen, person_text, subject, opened_at, is_open = found
    if not (isinstance(subject, bytes) and isinstance(amount_fen, int)):
        raise StoreCorrupt("a payment is not what was written")
    if not isinstance(opened_at, int):
        raise StoreCorrupt("a payment is not what was written")
    person = None if person_text is None else Pseudonym(str(person_text))
    place = _subject_place(reference, str(kind), amount_fen)
    moves = _moves(reading, reference, person)
    if [move.n for move in moves] != list(range(1, len(moves) + 1)) or not moves:
        raise StoreCorrupt("a move is missing")
    if moves[-1].state not in FINAL and not is_open:
        raise StoreCorrupt("the last move of a payment is missing")
    return Payment(
        reference=reference,
        kind=str(kind),
        amount_fen=amount_fen,
        person=person,
        subject=reading.vault.unseal(reading, person, place, subject),
        state=moves[-1].state,
        opened_at_ms=opened_at,
        moved_at_ms=moves[-1].at_ms,
        moves=moves,
    )


def _moves(reading: Reading, reference: str, person: Pseudonym | None) -> tuple[Move, ...]:
    moves = []
    for n, state, at, evidence in reading.rows(
        "select n, state, at, evidence from names where name = ? and room = 'move' order by n",
        reference,
    ):
        if not (isinstance(n, int) and isinstance(at, int) and isinstance(evidence, bytes)):
            raise StoreCorrupt("a move is not what was written")
        place = _move_place(reference, n, str(state))
        plain = reading.vault.unseal(reading, person, place, evidence)
        moves.append(Move(n, State(str(state)), at, plain))
    return tuple(moves)


def payment_proves_itself(reading: Reading, row: Row) -> bool:
    """Whether a row of `payments` is as it was written: its sealed subject opens in its place."""
    reference, kind, amount_fen, person, subject, opened_at = row
    if not (isinstance(amount_fen, int) and isinstance(opened_at, int)):
        return False
    place = _subject_place(str(reference), str(kind), amount_fen)
    return _opens(reading, person, place, subject)


def move_proves_itself(reading: Reading, row: Row) -> bool:
    """Whether a move among `names` is as it was written. Its payment must be there already."""
    reference, _, n, _, at, state, evidence = row
    found = reading.one("select person from payments where reference = ?", reference)
    if found is None or not (isinstance(n, int) and isinstance(at, int)):
        return False
    return _opens(reading, found[0], _move_place(str(reference), n, str(state)), evidence)


def _opens(reading: Reading, person: Value, place: Place, sealed: Value) -> bool:
    if not isinstance(sealed, bytes):
        return False
    whose = None if person is None else Pseudonym(str(person))
    try:
        reading.vault.unseal(reading, whose, place, sealed)
    except StoreCorrupt:
        return False
    return True
