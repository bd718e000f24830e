"""What must reach the gateway: queued in the same transaction as the fact it tells of.

A record is waiting, accepted or refused, and stays so: nothing is deleted because a server said
no. Keys are permanent and unique. Records of one person leave in the order they were queued.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice

from offline.database import Row
from offline.errors import StoreCorrupt
from offline.migrations import INSERT_NAME
from offline.store import Reading, Store, Transaction
from offline.vault import Erased, Place, Pseudonym

TAKE_SCAN_MAX = 20_000
"""Rows looked at for one batch; more records put off than this, and the rest waits a round."""


ACCUSATIONS_HOLDING = 3
"""A record that broke the far side so often no longer holds its person's later ones back: it is
set aside for a person to see, as a refused one is. Fewer may be the far side's own trouble."""


class Standing(StrEnum):
    """What has become of a record."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REFUSED = "refused"


@dataclass(frozen=True)
class Accepted:
    """The gateway has it, durably."""


@dataclass(frozen=True)
class Refused:
    """The gateway will never take it like this; a person must look. `reason` is a short code."""

    reason: str


@dataclass(frozen=True)
class PutOff:
    """Not now: try again after `wait_s`; the same person's later records wait too.

    `accused`: sent alone, it broke the far side. Such a record is sent alone from then on.
    """

    wait_s: float
    accused: bool = False


Verdict = Accepted | Refused | PutOff


@dataclass(frozen=True)
class Record:
    """One record as it stands in the outbox. body is None once retention has erased it."""

    seq: int
    key: str
    kind: str
    person: Pseudonym | None
    body: bytes | Erased | None = field(repr=False)
    at_ms: int
    standing: Standing
    reason: str | None
    accusations: int


@dataclass(frozen=True)
class Depth:
    """How many records stand where; known without counting."""

    waiting: int
    refused: int
    accepted: int


STANDINGS: Mapping[object, Standing] = {standing.value: standing for standing in Standing}
FRONT, LEFT_COUNT = "outbox_front", "outbox_left"
ACCEPTED_COUNT, REFUSED_COUNT = "outbox_accepted", "outbox_refused"
SEQ_OF_KEY = "(select seq from names where name = ? and room = 'outbox')"
COLUMNS = "seq, key, kind, person, body, at, state, reason, accusations"


class Outbox:
    """The queue to the gateway."""

    def __init__(self, store: Store) -> None:
        self.store = store
        # Until when, on the boot clock. In memory: a restart may as well try at once.
        self._put_off: dict[str, float] = {}

    def queue(
        self,
        tx: Transaction,
        key: str,
        *,
        kind: str,
        body: bytes,
        person: Pseudonym | None = None,
    ) -> int:
        """Add a record in the caller's transaction; its sequence number.

        The same key twice is a bug: both facts fall together.
        """
        seq = _last_seq(tx) + 1
        sealed = tx.vault.seal(tx, person, _place(key), body)
        tx.add(INSERT_NAME, key, "outbox", 0, seq)
        tx.add(
            "insert into outbox (seq, key, kind, person, body, at) values (?, ?, ?, ?, ?, ?)",
            *(seq, key, kind, person, sealed, tx.at_ms),
        )
        tx.remember("outbox_last", seq)
        return seq

    def take(self, limit: int, *, passing_over: Container[str] = ()) -> list[Record]:
        """The next records to send, oldest first; they stay waiting until answered().

        A record put off, or named in passing_over because it is under way, is left out, and so
        is what the same person queued after it, unless it was accused too often.
        """
        now_s = self.store.clock.boot_s()
        self._put_off = {key: until for key, until in self._put_off.items() if until > now_s}
        with self.store.reading() as reading:
            chosen = _due(reading, limit, lambda key: key in self._put_off or key in passing_over)
            return [_record(reading, row) for row in chosen]

    def answered(self, tx: Transaction, key: str, verdict: Verdict) -> bool:
        """Record the gateway's verdict. False, and no change, when it had been answered before."""
        return self.answered_all(tx, [(key, verdict)]) == 1

    def answered_all(self, tx: Transaction, verdicts: Sequence[tuple[str, Verdict]]) -> int:
        """Record the verdicts of a batch; how many of them were news."""
        accepted = [key for key, verdict in verdicts if isinstance(verdict, Accepted)]
        settled = _accept(tx, accepted) if accepted else []
        refused = put_off = 0
        for key, verdict in verdicts:
            match verdict:
                case Refused(reason):
                    found = _refuse(tx, key, reason)
                    refused += len(found)
                    settled += found
                case PutOff():
                    put_off += self._put_aside(tx, key, verdict)
        if settled:
            left = _close_ranks(tx, sorted(settled))
            _count(tx, ACCEPTED_COUNT, len(settled) - refused)
            _count(tx, REFUSED_COUNT, refused)
            _count(tx, LEFT_COUNT, left)
        return len(settled) + put_off

    def _put_aside(self, tx: Transaction, key: str, verdict: PutOff) -> bool:
        waiting = tx.run(
            f"update outbox set accusations = accusations + ? where seq = {SEQ_OF_KEY} "
            "and state = 'waiting'",
            *(int(verdict.accused), key),
        )
        if waiting:
            self._put_off[key] = self.store.clock.boot_s() + verdict.wait_s
        return waiting == 1

    def retry(self, tx: Transaction, key: str) -> bool:
        """Send a refused record again, as it is. False when it is not a refused one."""
        found = tx.rows(
            f"update outbox set state = 'waiting' where seq = {SEQ_OF_KEY} "
            "and state = 'refused' returning seq",
            key,
        )
        for (seq,) in found:
            tx.run("insert into outbox_left values (?)", seq)
            _count(tx, REFUSED_COUNT, -1)
            _count(tx, LEFT_COUNT, 1)
        return bool(found)

    def show(self, key: str) -> Record | None:
        """One record with its body, wherever it stands."""
        with self.store.reading() as reading:
            row = reading.one(f"select {COLUMNS} from outbox where seq = {SEQ_OF_KEY}", key)
            return None if row is None else _record(reading, row)

    def list(self, standing: Standing, limit: int = 100) -> list[Record]:
        """The oldest records of one standing."""
        with self.store.reading() as reading:
            if standing is Standing.WAITING:
                rows = list(islice(_waiting(reading, limit), limit))
            else:
                # The literal lets SQLite use the index of refused ones.
                rows = reading.rows(
                    f"select {COLUMNS} from outbox where state = '{standing.value}' "
                    "order by seq limit ?",
                    limit,
                )
            return [_record(reading, row) for row in rows]

    def depth(self) -> Depth:
        """How many wait, were refused, were accepted; the same cost at any size."""
        with self.store.reading() as reading:
            beyond = _stored_last(reading) - _number(reading, FRONT)
            return Depth(
                waiting=beyond + _number(reading, LEFT_COUNT),
                refused=_number(reading, REFUSED_COUNT),
                accepted=_number(reading, ACCEPTED_COUNT),
            )

    def oldest_waiting_ms(self) -> int | None:
        """When the oldest waiting record was queued; None when nothing waits."""
        with self.store.reading() as reading:
            return next((_integer(row[5]) for row in _waiting(reading, 1)), None)


def _waiting(reading: Reading, page: int) -> Iterator[Row]:
    """Waiting rows in order, read a page at a time: those left behind, then all past the front."""
    front = _number(reading, FRONT)
    left = f"select {COLUMNS} from outbox_left join outbox using (seq)"
    past = f"select {COLUMNS} from outbox"
    for source, after in ((left, 0), (past, front)):
        while True:
            rows = reading.rows(f"{source} where seq > ? order by seq limit ?", after, page)
            yield from rows
            if len(rows) < page:
                break
            after = _integer(rows[-1][0])


def _due(reading: Reading, limit: int, left_out: Callable[[str], bool]) -> list[Row]:
    """Waiting rows in order, without those put off and their persons' later ones."""
    chosen: list[Row] = []
    held_back: set[object] = set()
    for row in islice(_waiting(reading, limit), TAKE_SCAN_MAX):
        key, person = str(row[1]), row[3]
        if left_out(key) or (person is not None and person in held_back):
            if _integer(row[8]) < ACCUSATIONS_HOLDING:
                held_back.add(person)
            continue
        chosen.append(row)
        if len(chosen) == limit:
            break
    return chosen


def _accept(tx: Transaction, keys: Sequence[str]) -> list[int]:
    """Those of them that waited: one statement for a batch, half the work of one for each."""
    found = tx.rows(
        "update outbox set state = 'accepted', reason = null, answered_at = ? where seq in "
        "(select seq from names where name in (select value from json_each(?)) "
        "and room = 'outbox' and n = 0) and state = 'waiting' returning seq",
        *(tx.at_ms, json.dumps(keys)),
    )
    return [_integer(seq) for (seq,) in found]


def _refuse(tx: Transaction, key: str, reason: str) -> list[int]:
    found = tx.rows(
        "update outbox set state = 'refused', reason = ?, answered_at = ? "
        f"where seq = {SEQ_OF_KEY} "
        "and state = 'waiting' returning seq",
        *(reason, tx.at_ms, key),
    )
    return [_integer(seq) for (seq,) in found]


def _close_ranks(tx: Transaction, settled: Sequence[int]) -> int:
    """Move the front past the last settled record and list whom it left; change of that list."""
    front = _number(tx, FRONT)
    change = 0
    for seq in settled:
        if seq <= front:
            change -= tx.run("delete from outbox_left where seq = ?", seq)
    ahead = [seq for seq in settled if seq > front]
    if not ahead:
        return change
    left = set(range(front + 1, ahead[-1])) - set(ahead)
    for seq in sorted(left):
        tx.run("insert into outbox_left values (?)", seq)
    _count(tx, FRONT, ahead[-1] - front)
    return change + len(left)


def recount(tx: Transaction) -> None:
    """Make keys, front and counters fit the records again, after mending; counts everything."""
    tx.run("delete from names where room = 'outbox'")
    tx.run(
        "insert into names (name, room, n, seq) select key, 'outbox', 0, seq from outbox "
        "where true on conflict do nothing"
    )
    tx.run("delete from outbox_left")
    tx.run("insert into outbox_left select seq from outbox where state = 'waiting'")
    counts = {
        FRONT: "select coalesce(max(seq), 0) from outbox",
        LEFT_COUNT: "select count(*) from outbox_left",
        REFUSED_COUNT: "select count(*) from outbox where state = 'refused'",
        ACCEPTED_COUNT: "select count(*) from outbox where state = 'accepted'",
    }
    for name, sql in counts.items():
        tx.run(f"insert or replace into settings values (?, ({sql}))", name)


def _count(tx: Transaction, name: str, change: int) -> None:
    if change:
        tx.run(
            "insert into settings values (?, ?) on conflict (name) do update set value = value + ?",
            *(name, change, change),
        )


def _number(reading: Reading, name: str) -> int:
    row = reading.one("select value from settings where name = ?", name)
    return 0 if row is None else _integer(row[0])


def _last_seq(tx: Transaction) -> int:
    remembered = tx.recall("outbox_last")
    return _stored_last(tx) if remembered is None else _integer(remembered)


def _stored_last(reading: Reading) -> int:
    row = reading.one("select max(seq) from outbox")
    return 0 if row is None or row[0] is None else _integer(row[0])


def _record(reading: Reading, row: Row) -> Record:
    seq, key, kind, person_text, sealed, at, state, reason, accusations = row
    person = None if person_text is None else Pseudonym(str(person_text))
    body: bytes | Erased | None = None
    if isinstance(sealed, bytes):
        body = reading.vault.unseal(reading, person, _place(str(key)), sealed)
    return Record(
        seq=_integer(seq),
        key=str(key),
        kind=str(kind),
        person=person,
        body=body,
        at_ms=_integer(at),
        standing=_standing(state),
        reason=None if reason is None else str(reason),
        accusations=_integer(accusations),
    )


def _standing(state: object) -> Standing:
    standing = STANDINGS.get(state)
    if standing is None:
        raise StoreCorrupt("a record stands nowhere")
    return standing


def _place(key: str) -> Place:
    return Place("outbox", key, "body")


def _integer(value: object) -> int:
    if not isinstance(value, int):
        raise StoreCorrupt("a number is none")
    return value
