"""Numbers of slots: held before money moves, booked once, leased as blocks; never given twice.

Each number of a slot has at most one live claim; a partial unique index refuses a second one.
A lease ends only by its terminal's word, never by a clock: what it gave out offline must hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, func, or_, select, update

from gateway.store import insert_new
from gateway.tables import claims, from_us, slot_locks, to_us

HOLD_TIME = timedelta(minutes=5)  # time to confirm and pay; SCREENS' budgets need one
LIVE = claims.c.state.in_(("held", "booked", "leased"))


@dataclass(frozen=True)
class Quota:
    """Numbers first…last of one slot: the walk-ins' share or the appointments'."""

    slot_id: str
    day: str  # YYYY-MM-DD
    first: int
    last: int

    @property
    def size(self) -> int:
        return max(0, self.last - self.first + 1)


@dataclass(frozen=True)
class Claimed:
    """A number that now belongs to somebody."""

    slot_id: str
    number: int
    until: datetime | None


@dataclass(frozen=True)
class NoneLeft:
    pass


@dataclass(frozen=True)
class AlreadyRegistered:
    """This person has a booked number in this slot."""


def hold(
    connection: Connection, quota: Quota, *, key: str, person: str, terminal: str, now: datetime
) -> Claimed | NoneLeft | AlreadyRegistered:
    """Lock the lowest free number for `person` until HOLD_TIME from `now`.

    A number that the same person left held in this slot (a terminal that crashed) is let go first.
    """
    _lock(connection, quota.slot_id)
    _end_holds(connection, quota.slot_id, now, person)
    mine = select(claims.c.id).where(
        claims.c.slot_id == quota.slot_id, claims.c.person == person, claims.c.state == "booked"
    )
    if connection.execute(mine).first() is not None:
        return AlreadyRegistered()
    free = _free(connection, quota)
    if not free:
        return NoneLeft()
    until = now + HOLD_TIME
    row = _row(quota, free[0], key, "held", terminal=terminal, until=until)
    connection.execute(claims.insert().values({**row, "person": person}))
    return Claimed(quota.slot_id, free[0], until)


def release(connection: Connection, hold_key: str) -> bool:
    """Unlock a held number. False when it was not held (ended, booked, never there)."""
    statement = (
        update(claims)
        .where(claims.c.id == hold_key, claims.c.state == "held")
        .values(state="released")
    )
    return connection.execute(statement).rowcount == 1


def held(connection: Connection, hold_key: str, person: str, now: datetime) -> Claimed | None:
    """The number this hold still locks for this person, or None."""
    row = connection.execute(
        select(claims.c.slot_id, claims.c.number, claims.c.until).where(
            claims.c.id == hold_key,
            claims.c.person == person,
            claims.c.state == "held",
            claims.c.until > to_us(now),
        )
    ).first()
    return None if row is None else Claimed(row.slot_id, row.number, from_us(row.until, now.tzinfo))


def book(connection: Connection, hold_key: str, person: str, now: datetime) -> Claimed | None:
    """Turn a hold into a booking, once; None when the hold has ended or is another person's."""
    statement = (
        update(claims)
        .where(
            claims.c.id == hold_key,
            claims.c.person == person,
            claims.c.state == "held",
            claims.c.until > to_us(now),
        )
        .values(state="booked", until=None)
        .returning(claims.c.slot_id, claims.c.number)
    )
    row = connection.execute(statement).first()
    return None if row is None else Claimed(row.slot_id, row.number, None)


def take(connection: Connection, quota: Quota, *, key: str, person: str) -> Claimed | NoneLeft:
    """Book the lowest free number at once, for appointments made before the day."""
    _lock(connection, quota.slot_id)
    free = _free(connection, quota)
    if not free:
        return NoneLeft()
    row = _row(quota, free[0], key, "booked", terminal="", until=None)
    connection.execute(claims.insert().values({**row, "person": person}))
    return Claimed(quota.slot_id, free[0], None)


@dataclass(frozen=True)
class Block:
    """Consecutive numbers that one terminal alone may give out."""

    first: int
    count: int


def lease(
    connection: Connection,
    quota: Quota,
    *,
    key: str,
    terminal: str,
    numbers: int,
    until: datetime,
    now: datetime,
) -> Block:
    """Reserve the longest run of free numbers, at most `numbers`; count 0 when none is free."""
    _lock(connection, quota.slot_id)
    _end_holds(connection, quota.slot_id, now, "")
    run = _longest_run(_free(connection, quota))[:numbers]
    for number in run:
        row = _row(quota, number, f"{key}#{number}", "leased", terminal=terminal, until=until)
        connection.execute(claims.insert().values({**row, "lease_id": key}))
    return Block(run[0] if run else 0, len(run))


def book_leased(
    connection: Connection, *, lease_id: str, number: int, terminal: str, person: str
) -> Claimed | None:
    """Turn a number that this terminal gave out offline into a booking, once.

    None when the number is not this terminal's (returned, another's, never leased). The deadline
    is not asked about: a number stays leased until the terminal returns it.
    """
    statement = (
        update(claims)
        .where(
            claims.c.id == f"{lease_id}#{number}",
            claims.c.terminal == terminal,
            claims.c.state == "leased",
        )
        .values(state="booked", person=person, until=None)
        .returning(claims.c.slot_id, claims.c.number)
    )
    row = connection.execute(statement).first()
    return None if row is None else Claimed(row.slot_id, row.number, None)


def take_back(
    connection: Connection, *, lease_id: str, numbers: Sequence[int], terminal: str
) -> int:
    """Free the leased numbers that the terminal says it never gave out; how many they were."""
    statement = (
        update(claims)
        .where(
            claims.c.id.in_([f"{lease_id}#{number}" for number in numbers]),
            claims.c.terminal == terminal,
            claims.c.state == "leased",
        )
        .values(state="released")
    )
    return connection.execute(statement).rowcount


def overdue_leases(connection: Connection, now: datetime) -> dict[str, int]:
    """By terminal, how many numbers it still has of leases whose deadline is past."""
    statement = (
        select(claims.c.terminal, func.count().label("numbers"))
        .where(claims.c.state == "leased", claims.c.until <= to_us(now))
        .group_by(claims.c.terminal)
    )
    return {row.terminal: int(row.numbers) for row in connection.execute(statement)}


def taken_by_slot(connection: Connection, day: str, now: datetime) -> dict[str, frozenset[int]]:
    """Numbers that are not free, of all slots of one day."""
    live = or_(
        claims.c.state.in_(("booked", "leased")),
        and_(claims.c.state == "held", claims.c.until > to_us(now)),
    )
    rows = connection.execute(
        select(claims.c.slot_id, claims.c.number).where(claims.c.day == day, live)
    )
    taken: dict[str, set[int]] = {}
    for slot_id, number in rows:
        taken.setdefault(slot_id, set()).add(number)
    return {slot_id: frozenset(numbers) for slot_id, numbers in taken.items()}


def left(quota: Quota, taken: frozenset[int]) -> int:
    """How many of the quota are free."""
    return sum(number not in taken for number in range(quota.first, quota.last + 1))


def _lock(connection: Connection, slot_id: str) -> None:
    insert_new(connection, slot_locks, [{"slot_id": slot_id}])
    locked = select(slot_locks).where(slot_locks.c.slot_id == slot_id).with_for_update()
    connection.execute(locked).one()


def _end_holds(connection: Connection, slot_id: str, now: datetime, person: str) -> None:
    """Let go what ran out by `now`, and what this person left behind."""
    over = or_(claims.c.until <= to_us(now), claims.c.person == person)
    connection.execute(
        update(claims)
        .where(claims.c.slot_id == slot_id, claims.c.state == "held", over)
        .values(state="ended")
    )


def _free(connection: Connection, quota: Quota) -> list[int]:
    """Call after _end_holds and under _lock: a hold that ran out still counts as taken here."""
    rows = connection.execute(
        select(claims.c.number).where(claims.c.slot_id == quota.slot_id, LIVE)
    )
    taken = set(rows.scalars())
    return [number for number in range(quota.first, quota.last + 1) if number not in taken]


def _longest_run(numbers: list[int]) -> list[int]:
    best: list[int] = []
    run: list[int] = []
    for number in numbers:
        run = [*run, number] if run and number == run[-1] + 1 else [number]
        best = run if len(run) > len(best) else best
    return best


def _row(
    quota: Quota, number: int, key: str, state: str, *, terminal: str, until: datetime | None
) -> dict[str, object]:
    return {
        "id": key,
        "slot_id": quota.slot_id,
        "day": quota.day,
        "number": number,
        "state": state,
        "person": "",
        "terminal": terminal,
        "until": None if until is None else to_us(until),
        "lease_id": "",
    }


def live_count(connection: Connection, slot_id: str) -> int:
    """Live claims of one slot, for tests and drills."""
    statement = select(func.count()).where(claims.c.slot_id == slot_id, LIVE)
    return int(connection.execute(statement).scalar_one())
