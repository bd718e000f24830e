"""Outbox batches: a verdict a record; acknowledge, deduplicate and effect are one commit.

(terminal, sequence) and the key are permanent. One bad record never stops the rest; what is refused
is kept, sealed, until a person has seen it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from pydantic import ValidationError
from sqlalchemy import and_, bindparam, exists, or_, select, update
from sqlalchemy.exc import DataError

from gateway import effects, fleet
from gateway.adapters.port import Hospital, Refused, Work
from gateway.operations import alarm
from gateway.sealing import Keys
from gateway.store import (
    CommitUnknown,
    Store,
    StoreAway,
    bulk_new,
    insert_new,
    insert_returning,
)
from gateway.tables import records, refused, terminals, to_us
from kiosk.hospital import contract as c
from kiosk.logs import Log


@dataclass(frozen=True)
class _Kept:
    """A record as the database has it; its columns."""

    sequence: int
    key: str
    terminal: str
    body_hash: str
    reason: str


@dataclass(frozen=True)
class _Fresh:
    """A record that was not there yet. `body` None: it could not be understood, see `reason`."""

    record: c.Record
    body: Any
    reason: str


@dataclass(frozen=True)
class _Front:
    """How far this terminal's records have come: without a gap, and at all."""

    held_up_to: int
    highest: int


class _Known(Exception):
    """Something of the batch was here before; the transaction is undone and done with care."""


_KEY_CHARS, _KIND_CHARS = 200, 40  # as the columns of `records` have it
_DIGEST_CHARS = 16
_RECORD_COLUMNS = tuple(column.name for column in records.columns)

# Made once: to put a statement together costs as much as to run it.
_ADVANCE = (
    update(terminals)
    .where(
        terminals.c.name == bindparam("terminal"),
        terminals.c.held_up_to == bindparam("before"),
        terminals.c.highest == bindparam("before"),
    )
    .values(held_up_to=bindparam("last"), highest=bindparam("last"))
    .returning(terminals.c.token_hash, terminals.c.revoked)
)
_MINE = (
    select(terminals.c.held_up_to, terminals.c.highest, terminals.c.token_hash, terminals.c.revoked)
    .where(terminals.c.name == bindparam("terminal"))
    .with_for_update()
)


class Ingest:
    """The outbox endpoint."""

    def __init__(
        self,
        store: Store,
        keys: Keys,
        hospital: Hospital,
        clock: Callable[[], datetime],
        log: Log,
    ) -> None:
        self._store, self._keys, self._hospital, self._clock = store, keys, hospital, clock
        self._log = log

    def take(
        self, terminal: str, batch: Sequence[c.Record], token: str | None = None
    ) -> c.OutboxReply:
        """One transaction for all; when something in it breaks, one for each. Refused(401) when
        the token is not this terminal's; None: that was looked at before."""
        try:
            return self._together(terminal, batch, token)
        except (StoreAway, CommitUnknown, Refused):
            raise
        # The border between records: whatever one record breaks must not stop the others, so
        # this and _alone() are the places that may not name what they expect.
        except Exception:  # noqa: BLE001
            self._log.exception("batch_broke", terminal=terminal, count=len(batch))
        replies = [self._alone(terminal, record, token) for record in batch]
        verdicts = tuple(verdict for reply in replies for verdict in reply.verdicts)
        return c.OutboxReply(verdicts, max((reply.held_up_to for reply in replies), default=0))

    def _alone(self, terminal: str, record: c.Record, token: str | None) -> c.OutboxReply:
        """One record in a transaction of its own. What breaks may have broken before the token was
        looked at, so each looks again."""
        try:
            try:
                return self._together(terminal, [record], token)
            except (DataError, ValueError):
                return self._keep_unusable(terminal, record, token)
        except (StoreAway, CommitUnknown, Refused):
            raise
        except Exception:  # noqa: BLE001  see take()
            self._log.exception("record_broke", terminal=terminal, kind=record.kind)
            return c.OutboxReply((c.Verdict(record.key, "later", "server_error"),), 0)

    def _keep_unusable(self, terminal: str, record: c.Record, token: str | None) -> c.OutboxReply:
        """What the database itself cannot hold (a NUL, a key without end) is kept sealed, and
        refused."""
        storable = _storable(record)
        body_hash = self._keys.digest(_canonical(record))
        with self._store.writing() as connection:
            work = Work(connection, terminal, self._clock())
            front = _front(work, token)
            self._refuse(work, storable, body_hash, "not_storable")
            row = self._named(work, storable, body_hash, "not_storable")
            insert_new(connection, records, [row])
            held_up_to = _hold(work, front, [record])
        return c.OutboxReply((_verdict(record.key, "not_storable"),), held_up_to)

    def _together(
        self, terminal: str, batch: Sequence[c.Record], token: str | None = None
    ) -> c.OutboxReply:
        try:
            return self._all_new(terminal, batch, token)
        except _Known:
            return self._with_care(terminal, batch, token)

    def _all_new(
        self, terminal: str, batch: Sequence[c.Record], token: str | None
    ) -> c.OutboxReply:
        """The usual case: nothing of this batch was ever here. Raises _Known when it was.

        The insert itself is the question, so nothing is looked up before it.
        """
        with self._store.writing() as connection:
            work = Work(connection, terminal, self._clock())
            held_up_to = _advanced(work, batch, token)
            front = None if held_up_to else _front(work, token)
            if front is not None and not _rising(front, batch):
                raise _Known
            verdicts = self._insert(work, batch)
            if front is not None:
                held_up_to = _hold(work, front, batch)
        return c.OutboxReply(tuple(verdicts), held_up_to)

    def _with_care(
        self, terminal: str, batch: Sequence[c.Record], token: str | None
    ) -> c.OutboxReply:
        with self._store.writing() as connection:
            work = Work(connection, terminal, self._clock())
            front = _front(work, token)
            verdicts = self._judge(work, batch)
            held_up_to = _hold(work, front, batch)
        return c.OutboxReply(tuple(verdicts), held_up_to)

    def _insert(self, work: Work, batch: Sequence[c.Record]) -> list[c.Verdict]:
        """All of them, or _Known."""
        if len({record.key for record in batch}) != len(batch):
            raise _Known
        fresh = [(_read(record), self._keys.digest(_canonical(record))) for record in batch]
        received_us = to_us(work.now)
        rows = [self._row(work, one.record, hash, one.reason, received_us) for one, hash in fresh]
        if bulk_new(work.connection, records, _RECORD_COLUMNS, rows) != len(rows):
            raise _Known
        outcome = self._act(work, fresh, frozenset(record.sequence for record in batch))
        return [outcome[id(one)] for one, _ in fresh]

    def _judge(self, work: Work, batch: Sequence[c.Record]) -> list[c.Verdict]:
        """Each record against what is known, and against the others of its batch."""
        hashes = [self._keys.digest(_canonical(record)) for record in batch]
        here = _Here(work, batch)
        verdicts: dict[int, c.Verdict] = {}
        fresh: dict[int, _Fresh] = {}
        seen: dict[str, int] = {}
        for place, record in enumerate(batch):
            if (same := here.met(record)) is not None:
                verdicts[place] = self._again(work, record, hashes[place], same)
            elif (first := seen.get(record.key)) is not None and hashes[first] == hashes[place]:
                fresh[place] = fresh[first]  # twice in one batch: one record, one verdict
            else:
                reused = record.key in seen
                seen.setdefault(record.key, place)
                fresh[place] = _Fresh(record, None, "key_reused") if reused else _read(record)
        unique = {id(one): (one, hashes[place]) for place, one in fresh.items()}
        outcome = self._keep(work, list(unique.values()))
        for place, one in fresh.items():
            verdicts[place] = outcome[id(one)]
        return [verdicts[place] for place in range(len(batch))]

    def _again(self, work: Work, record: c.Record, body_hash: str, kept: _Kept) -> c.Verdict:
        """A key or sequence that is known: the same record gets its first verdict."""
        same_place = (kept.terminal, kept.sequence) == (work.terminal, record.sequence)
        if same_place and kept.key == _storable(record).key and kept.body_hash == body_hash:
            return _verdict(record.key, kept.reason)
        reason = "key_reused" if kept.key == record.key else "sequence_reused"
        if self._refuse(work, record, body_hash, reason):
            alarm(work, reason, f"{record.key} at {record.sequence}")
        if reason == "key_reused" and not same_place:
            insert_new(work.connection, records, [self._named(work, record, body_hash, reason)])
        return _verdict(record.key, reason)

    def _keep(self, work: Work, fresh: list[tuple[_Fresh, str]]) -> dict[int, c.Verdict]:
        """Insert what is new, act on what was inserted, and say what became of each."""
        rows = [self._named(work, one.record, hash, one.reason) for one, hash in fresh]
        new = insert_returning(work.connection, records, rows, records.c.sequence)
        return self._act(work, fresh, frozenset(new))

    def _act(
        self, work: Work, fresh: list[tuple[_Fresh, str]], new: frozenset[int]
    ) -> dict[int, c.Verdict]:
        acting = [one for one, _ in fresh if one.record.sequence in new and not one.reason]
        bodies = [effects.Body(one.record.sequence, one.record.kind, one.body) for one in acting]
        late = effects.apply(work, self._keys, self._hospital, bodies)
        verdicts: dict[int, c.Verdict] = {}
        for one, body_hash in fresh:
            sequence = one.record.sequence
            # Not inserted although nothing was known: another terminal came with this key just now.
            reason = one.reason or late.get(sequence, "") if sequence in new else "key_reused"
            if reason:
                self._mark_refused(work, one, body_hash, reason)
            verdicts[id(one)] = _verdict(one.record.key, reason)
        return verdicts

    def _mark_refused(self, work: Work, one: _Fresh, body_hash: str, reason: str) -> None:
        first_time = self._refuse(work, one.record, body_hash, reason)
        if reason == "key_reused" and first_time:
            alarm(work, reason, f"{one.record.key} at {one.record.sequence}")
        if not one.reason:
            work.connection.execute(
                update(records)
                .where(
                    records.c.terminal == work.terminal, records.c.sequence == one.record.sequence
                )
                .values(state="refused", reason=reason)
            )

    def _row(
        self, work: Work, record: c.Record, body_hash: str, reason: str, received_us: int
    ) -> tuple[Any, ...]:
        """In the order of the table's columns."""
        terminal, sequence = work.terminal, record.sequence
        foreign = reason == "key_reused"  # the key itself belongs to the first record
        return (
            terminal,
            sequence,
            f"reused/{terminal}/{sequence}" if foreign else record.key,
            record.kind,
            to_us(record.at),
            received_us,
            body_hash,
            self._keys.seal(record.body.encode(), f"records/{terminal}/{sequence}"),
            "refused" if reason else "accepted",
            reason,
        )

    def _named(self, work: Work, record: c.Record, body_hash: str, reason: str) -> dict[str, Any]:
        row = self._row(work, record, body_hash, reason, to_us(work.now))
        return dict(zip(_RECORD_COLUMNS, row, strict=True))

    def _refuse(self, work: Work, record: c.Record, body_hash: str, reason: str) -> bool:
        row = {
            "terminal": work.terminal,
            "sequence": record.sequence,
            "key": record.key,
            "kind": record.kind,
            "reason": reason,
            "body": self._keys.seal(record.body.encode(), f"refused/{work.terminal}/{record.key}"),
            "body_hash": body_hash,
            "at": to_us(work.now),
        }
        return insert_new(work.connection, refused, [row]) == 1


def _storable(record: c.Record) -> c.Record:
    """As the columns can hold it; nearly always the record itself."""
    key, kind = _fitted(record.key, _KEY_CHARS), _fitted(record.kind, _KIND_CHARS)
    return (
        record if (key, kind) == (record.key, record.kind) else replace(record, key=key, kind=kind)
    )


def _fitted(text: str, most: int) -> str:
    """Two that differ stay different, however long they are."""
    text = text.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    if len(text) <= most:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_CHARS]
    return f"{text[: most - _DIGEST_CHARS]}{digest}"


def _canonical(record: c.Record) -> bytes:
    return "\n".join((str(record.sequence), record.key, record.kind, record.body)).encode()


def _read(record: c.Record) -> _Fresh:
    """ValueError: too long for the database, which SQLite would not say."""
    if len(record.key) > _KEY_CHARS or len(record.kind) > _KIND_CHARS:
        raise ValueError("a key or kind longer than any of ours")
    shape = c.RECORD_BODIES.get(record.kind)
    if shape is None:
        return _Fresh(record, None, "kind_unknown")
    try:
        return _Fresh(record, c.from_json(shape, record.body), "")
    except ValidationError:
        return _Fresh(record, None, "body_not_understood")


class _Here:
    """What the database has under a batch's keys and in its places."""

    def __init__(self, work: Work, batch: Sequence[c.Record]) -> None:
        mine = and_(
            records.c.terminal == work.terminal,
            records.c.sequence.in_([record.sequence for record in batch]),
        )
        same_key = records.c.key.in_([record.key for record in batch])
        columns = (records.c[field.name] for field in fields(_Kept))
        found = work.connection.execute(select(*columns).where(or_(mine, same_key)))
        kept = [_Kept(*row) for row in found]
        self._by_key = {one.key: one for one in kept}
        self._in_place = {one.sequence: one for one in kept if one.terminal == work.terminal}

    def met(self, record: c.Record) -> _Kept | None:
        """What is there under this record's key, or else in its place."""
        return self._by_key.get(record.key) or self._in_place.get(record.sequence)


def _verdict(key: str, reason: str) -> c.Verdict:
    return c.Verdict(key, "refused" if reason else "accepted", reason)


def _advanced(work: Work, batch: Sequence[c.Record], token: str | None) -> int:
    """Where the terminal stands after this batch when it follows on what is held, as it nearly
    always does; else 0, and nothing is changed. Batches of one terminal queue here."""
    sequences = [record.sequence for record in batch]
    if not sequences or sequences != list(range(sequences[0], sequences[0] + len(sequences))):
        return 0
    given = {"terminal": work.terminal, "before": sequences[0] - 1, "last": sequences[-1]}
    row = work.connection.execute(_ADVANCE, given).first()
    if row is None:
        return 0
    fleet.admit(row, token)  # else all of this is undone
    return sequences[-1]


def _front(work: Work, token: str | None) -> _Front:
    """Batches of one terminal queue here too, so that order and held_up_to are true."""
    row = work.connection.execute(_MINE, {"terminal": work.terminal}).first()
    fleet.admit(row, token)
    assert row is not None, "a terminal that is known has a row"
    return _Front(row.held_up_to, row.highest)


def _rising(front: _Front, batch: Sequence[c.Record]) -> bool:
    sequences = [front.highest, *(record.sequence for record in batch)]
    return all(one < two for one, two in pairwise(sequences))


def _hold(work: Work, front: _Front, batch: Sequence[c.Record]) -> int:
    """Move held_up_to over what has arrived without a gap; the database is asked only then."""
    highest = max([front.highest, *(record.sequence for record in batch)])
    reached = front.held_up_to
    for sequence in sorted(record.sequence for record in batch):
        reached += sequence == reached + 1
    if reached < highest:
        reached = _before_gap(work, reached)
    work.connection.execute(
        update(terminals)
        .where(terminals.c.name == work.terminal)
        .values(held_up_to=reached, highest=highest)
    )
    return reached


def _before_gap(work: Work, held: int) -> int:
    following = records.alias()
    follows = exists().where(
        following.c.terminal == records.c.terminal,
        following.c.sequence == records.c.sequence + 1,
    )
    here = records.c.terminal == work.terminal
    begun = select(records.c.sequence).where(here, records.c.sequence == held + 1)
    if work.connection.execute(begun).first() is None:
        return held
    last = (
        select(records.c.sequence)
        .where(here, records.c.sequence > held, ~follows)
        .order_by(records.c.sequence)
        .limit(1)
    )
    return int(work.connection.execute(last).scalar_one())
