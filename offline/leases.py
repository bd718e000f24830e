"""On-site numbers lent by the gateway: this terminal alone may give them out, until a deadline.

A number is given at most once: from free to given, in the transaction that records what for. It
goes back only by put_back() of the same reference, before anything was promised to a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from offline.store import Reading, Store, Transaction
from offline.vault import Erased, Place


@dataclass(frozen=True)
class LeasedNumber:
    """One number; `body` is what the gateway says about it (doctor, hour, fee), its own form."""

    number: str
    body: bytes


@dataclass(frozen=True)
class Lease:
    """A block of numbers of one pool (a department, a doctor's morning)."""

    lease: str
    pool: str
    deadline_ms: int
    numbers: tuple[LeasedNumber, ...]


@dataclass(frozen=True)
class Given:
    """The number that was taken, and the lease that it must be reported under."""

    lease: str
    number: str
    body: bytes


@dataclass(frozen=True)
class Pool:
    """How many numbers of a pool may still be given, and which is the next."""

    name: str
    left: int
    next: Given


@dataclass(frozen=True)
class NoneLeft:
    """No free number before its deadline."""


class Leases:
    """The numbers this terminal owns for now."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def granted(self, tx: Transaction, lease: Lease) -> int:
        """Keep a block; how many numbers were new. A grant that arrives twice changes nothing."""
        assert lease.numbers, "a lease of nothing"
        added = 0
        for number in lease.numbers:
            sealed = tx.vault.seal(tx, None, _place(lease.lease, number.number), number.body)
            added += tx.run(
                "insert into leased_numbers values (?, ?, ?, ?, ?, 'free', null) "
                "on conflict do nothing",
                *(lease.lease, number.number, lease.pool, lease.deadline_ms, sealed),
            )
        return added

    def take(
        self, tx: Transaction, pool: str, *, taken_for: str, now_ms: int, number: str | None = None
    ) -> Given | NoneLeft:
        """Give out a number (the first, or a chosen one) for the operation `taken_for`.

        `now_ms` is the caller's most trusted time: when in doubt, the later one.
        """
        row = tx.one(
            "select lease, number, body from leased_numbers where pool = ? and state = 'free' "
            "and deadline > ? and (? is null or number = ?) order by deadline, number limit 1",
            *(pool, now_ms, number, number),
        )
        if row is None:
            return NoneLeft()
        lease, found, sealed = str(row[0]), str(row[1]), row[2]
        changed = tx.run(
            "update leased_numbers set state = 'given', taken_for = ? "
            "where lease = ? and number = ? and state = 'free'",
            *(taken_for, lease, found),
        )
        assert changed == 1 and isinstance(sealed, bytes), "a number was given twice"
        body = tx.vault.unseal(tx, None, _place(lease, found), sealed)
        assert not isinstance(body, Erased)
        return Given(lease, found, body)

    def put_back(self, tx: Transaction, given: Given, *, taken_for: str) -> bool:
        """Free a number that its person left before confirming. False if it is not theirs."""
        changed = tx.run(
            "update leased_numbers set state = 'free', taken_for = null "
            "where lease = ? and number = ? and state = 'given' and taken_for = ?",
            *(given.lease, given.number, taken_for),
        )
        return changed == 1

    def taken_for(self, operation: str) -> Given | None:
        """The number an operation holds: what a start finds of an unfinished registration."""
        with self._store.reading() as reading:
            row = reading.one(
                "select lease, number, body from leased_numbers where taken_for = ?", operation
            )
            return None if row is None else _given(reading, row[0], row[1], row[2])

    def free(self, pool: str, now_ms: int) -> tuple[Given, ...]:
        """The numbers of a pool that may still be given, in order."""
        with self._store.reading() as reading:
            rows = reading.rows(
                "select lease, number, body from leased_numbers where pool = ? "
                "and state = 'free' and deadline > ? order by deadline, number",
                *(pool, now_ms),
            )
            return tuple(_given(reading, *row) for row in rows)

    def pools(self, now_ms: int) -> tuple[Pool, ...]:
        """Each pool with free numbers: one look, since another thread may take the last one."""
        with self._store.reading() as reading:
            rows = reading.rows(
                "select pool, lease, number, body from leased_numbers where state = 'free' "
                "and deadline > ? order by pool, deadline, number",
                now_ms,
            )
            pools = [tuple(rows) for _, rows in groupby(rows, key=itemgetter(0))]
            return tuple(
                Pool(str(free[0][0]), len(free), _given(reading, *free[0][1:])) for free in pools
            )

    def ended(self, tx: Transaction, lease: str) -> tuple[str, ...]:
        """Give a block up: its free numbers become returned, never given again; which ones."""
        rows = tx.rows(
            "select number from leased_numbers where lease = ? and state = 'free'", lease
        )
        tx.run(
            "update leased_numbers set state = 'returned' where lease = ? and state = 'free'",
            lease,
        )
        return tuple(str(number) for (number,) in rows)

    def overdue(self, now_ms: int) -> tuple[str, ...]:
        """Leases past their deadline that still hold free numbers: to be ended and reported."""
        with self._store.reading() as reading:
            rows = reading.rows(
                "select distinct lease from leased_numbers where state = 'free' "
                "and deadline <= ? order by lease",
                now_ms,
            )
        return tuple(str(lease) for (lease,) in rows)


def _given(reading: Reading, lease: object, number: object, sealed: object) -> Given:
    assert isinstance(sealed, bytes)
    body = reading.vault.unseal(reading, None, _place(str(lease), str(number)), sealed)
    assert not isinstance(body, Erased)
    return Given(str(lease), str(number), body)


def _place(lease: str, number: str) -> Place:
    return Place("leased_numbers", f"{lease}/{number}", "body")
