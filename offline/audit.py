"""The audit trail: an append-only chain of hashes over typed events, with signed heads.

Each link hashes the one before, its own sequence number and the exact bytes of the event. Heads
are signed and sent to the gateway, which witnesses them: what was cut off, changed or re-signed
later does not fit. Events name people only by pseudonym: erasing a person leaves the chain whole.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from offline.catalogue import Catalogue, Fact
from offline.database import Row
from offline.files import secret_file
from offline.outbox import Outbox
from offline.store import Reading, Store, Transaction
from offline.vault import Pseudonym

HEADER = b"kiosk audit key 1\n"
HEAD_EVENTS = 1000
"""A head is signed at least every so many events; audit.witness() adds one a minute."""

CHUNK_EVENTS = 5000
"""Verification lets writers in after so many: 5,000 links take about 10 ms."""

WITNESS_EVENTS_MAX = 1000
"""Events in one record for the gateway: about 150 kB of JSON."""


@dataclass(frozen=True)
class AuditEvent:
    """One link as it is read back."""

    seq: int
    at_ms: int
    event: str
    facts: tuple[tuple[str, Fact], ...]


@dataclass(frozen=True)
class Head:
    """A signed statement: after `seq` events the chain's hash was this."""

    seq: int
    hash: bytes
    at_ms: int
    signature: bytes

    def signed(self) -> bytes:
        """The bytes under the signature."""
        return b"kiosk audit head 1\0%d\0%d\0" % (self.seq, self.at_ms) + self.hash


@dataclass(frozen=True)
class Intact:
    """Every link, head and index entry fits. `unsigned` events came after the last head."""

    events: int
    unsigned: int


@dataclass(frozen=True)
class Tampered:
    """The first thing that does not fit: at which event, and what."""

    seq: int
    what: str


class Audit:
    """The trail of this terminal."""

    def __init__(self, store: Store, key: Ed25519PrivateKey, catalogue: Catalogue) -> None:
        self._store = store
        self._key = key
        self._catalogue = catalogue
        self.public_key = key.public_key().public_bytes_raw()

    @classmethod
    def open(
        cls,
        store: Store,
        key_file: Path,
        *,
        random_bytes: Callable[[int], bytes],
        create: bool,
        catalogue: Catalogue | None = None,
    ) -> Audit:
        """With the signing key in key_file, made on first start. Raises KeyMismatch."""
        seed = secret_file(key_file, HEADER, random_bytes=random_bytes, create=create)
        key = Ed25519PrivateKey.from_private_bytes(seed)
        return cls(store, key, catalogue or Catalogue.read())

    def append(self, tx: Transaction, event: str, **facts: Fact) -> int:
        """Add a link in the caller's transaction; its sequence number.

        AssertionError when the event or a field is not in the catalogue, or not of its type.
        """
        kind = self._catalogue.events[event]
        kind.check(facts)
        payload = json.dumps(
            {"at": tx.at_ms, "event": event, **facts}, sort_keys=True, separators=(",", ":")
        ).encode()
        seq, previous = self._end(tx)
        seq += 1
        link = link_hash(previous, seq, payload)
        tx.run("insert into audit values (?, ?, ?)", seq, payload, link)
        for name in set(kind.searchable(facts)):
            tx.run("insert into audit_names values (?, ?)", name, seq)
        tx.remember("audit_seq", seq)
        tx.remember("audit_hash", link)
        if seq % HEAD_EVENTS == 0:
            self.sign_head(tx)
        return seq

    def sign_head(self, tx: Transaction) -> Head | None:
        """Sign the chain as it stands; None when there is nothing new to sign."""
        seq, link = self._end(tx)
        last = tx.one("select max(seq) from audit_heads")
        if seq == 0 or (last is not None and last[0] == seq):
            return None
        head = Head(seq, link, tx.at_ms, b"")
        head = Head(seq, link, tx.at_ms, self._key.sign(head.signed()))
        tx.run(
            "insert into audit_heads values (?, ?, ?, ?)",
            *(head.seq, head.hash, head.at_ms, head.signature),
        )
        return head

    def witness(self, tx: Transaction, outbox: Outbox) -> int:
        """Sign a head and queue what the gateway has not seen; how many records. Once a minute."""
        self.sign_head(tx)
        seen = _number(tx.one("select value from settings where name = 'audit_witnessed'"))
        end, _ = self._end(tx)
        records = 0
        while seen < end:
            upto = min(end, seen + WITNESS_EVENTS_MAX)
            body = self._witness_body(tx, seen, upto)
            outbox.queue(tx, f"audit/{upto}", kind="audit", body=body)
            seen, records = upto, records + 1
        tx.run("insert or replace into settings values ('audit_witnessed', ?)", end)
        return records

    def _witness_body(self, reading: Reading, after: int, upto: int) -> bytes:
        events = reading.rows(
            "select payload from audit where seq > ? and seq <= ? order by seq", after, upto
        )
        head = _newest_head(reading, upto)
        content = {
            "first": after + 1,
            "events": [bytes(payload).decode() for (payload,) in events if payload],  # type: ignore[arg-type]
            "head": None if head is None else _head_json(head),
            "public_key": b64encode(self.public_key).decode(),
        }
        return json.dumps(content, separators=(",", ":")).encode()

    def heads(self, after_seq: int = 0) -> list[Head]:
        """Signed heads, oldest first."""
        with self._store.reading() as reading:
            return _heads(reading, after_seq)

    def find(self, name: str) -> list[AuditEvent]:
        """All that is known about a slip, reference, session or pseudonym, in order.

        One step is followed: the sessions and references that the events found name bring in
        their own events. Other people they name do not.
        """
        with self._store.reading() as reading:
            direct = _by_name(reading, name)
            found = {event.seq: event for event in direct}
            for other in self._links(direct) - {name}:
                found.update((event.seq, event) for event in _by_name(reading, other))
        return [found[seq] for seq in sorted(found)]

    def trail(self, person: Pseudonym) -> list[AuditEvent]:
        """A person's own trail."""
        return self.find(person)

    def verify(self, witnessed: Sequence[Head] = ()) -> Intact | Tampered:
        """Walk the whole chain. `witnessed`: heads as the gateway holds them."""
        return _Verification(self, self._store, self._catalogue, witnessed).run()

    def genuine(self, head: Head) -> bool:
        """Whether the head was signed by this terminal's key."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(
                head.signature, head.signed()
            )
        except InvalidSignature:
            return False
        return True

    def first_hash(self) -> bytes:
        """What the first link hashes as its predecessor: the chain is this key's."""
        return sha256(b"kiosk audit chain\0" + self.public_key).digest()

    def _links(self, events: Sequence[AuditEvent]) -> set[str]:
        return {
            str(fact)
            for event in events
            for name, fact in event.facts
            if self._catalogue.fields[name].type in {"session", "reference", "slip"}
        }

    def _end(self, tx: Transaction) -> tuple[int, bytes]:
        seq, link = tx.recall("audit_seq"), tx.recall("audit_hash")
        if isinstance(seq, int) and isinstance(link, bytes):
            return seq, link
        row = tx.one("select seq, hash from audit order by seq desc limit 1")
        if row is None:
            return 0, self.first_hash()
        seq, link = row
        assert isinstance(seq, int) and isinstance(link, bytes)
        return seq, link


class _Verification:
    """One walk along the chain, in chunks, so that it never keeps a writer waiting."""

    def __init__(
        self, audit: Audit, store: Store, catalogue: Catalogue, witnessed: Sequence[Head]
    ) -> None:
        self._audit = audit
        self._store = store
        self._catalogue = catalogue
        self._witnessed = witnessed
        self._seq = 0
        self._hash = audit.first_hash()
        self._names = 0

    def run(self) -> Intact | Tampered:
        with self._store.reading() as reading:
            end = _number(reading.one("select max(seq) from audit"))
            heads = _heads(reading, 0)
        claims = {head.seq: head for head in heads}
        for head in (*heads, *self._witnessed):
            if not self._audit.genuine(head):
                return Tampered(head.seq, "a head is not signed by this terminal")
            if head.seq > end:
                return Tampered(end + 1, "events are missing at the end")
            if claims.setdefault(head.seq, head).hash != head.hash:
                return Tampered(head.seq, "the gateway witnessed another history")
        fault = self._walk(end, claims) or self._check_names(end)
        if fault is not None:
            return fault
        return Intact(end, end - max(claims, default=0))

    def _walk(self, end: int, claims: dict[int, Head]) -> Tampered | None:
        while self._seq < end:
            with self._store.reading() as reading:
                rows = reading.rows(
                    "select seq, payload, hash from audit where seq > ? and seq <= ? "
                    "order by seq limit ?",
                    *(self._seq, end, CHUNK_EVENTS),
                )
            if not rows:
                return Tampered(self._seq + 1, "events are missing")
            for row in rows:
                fault = self._follow(row, claims)
                if fault is not None:
                    return fault
        return None

    def _follow(self, row: Row, claims: dict[int, Head]) -> Tampered | None:
        seq, payload, stored = row
        self._seq += 1
        if seq != self._seq:
            return Tampered(self._seq, "an event is missing or out of order")
        if not isinstance(payload, bytes):
            return Tampered(self._seq, "an event is not what was written")
        self._hash = link_hash(self._hash, self._seq, payload)
        if stored != self._hash:
            return Tampered(self._seq, "an event or its link was changed")
        head = claims.get(self._seq)
        if head is not None and head.hash != self._hash:
            return Tampered(self._seq, "the chain does not lead to a signed head")
        event = _event(self._seq, payload)
        kind = self._catalogue.events.get(event.event)
        names = set() if kind is None else set(kind.searchable(dict(event.facts)))
        self._names += sum(_mark(name, self._seq) for name in names)
        return None

    def _check_names(self, end: int) -> Tampered | None:
        """The index that find() uses must list exactly what the events say."""
        after_name, after_seq = "", 0
        while True:
            with self._store.reading() as reading:
                rows = reading.rows(
                    "select name, seq from audit_names where (name, seq) > (?, ?) "
                    "order by name, seq limit ?",
                    *(after_name, after_seq, CHUNK_EVENTS),
                )
            if not rows:
                break
            after_name, after_seq = str(rows[-1][0]), _number((rows[-1][1],))
            for name, seq in rows:
                if _number((seq,)) <= end:
                    self._names -= _mark(str(name), _number((seq,)))
        return Tampered(end, "the index does not fit the events") if self._names else None


def link_hash(previous: bytes, seq: int, payload: bytes) -> bytes:
    """The hash of a link: over its predecessor, its place in the chain, and its bytes."""
    return sha256(previous + seq.to_bytes(8, "big") + payload).digest()


def _mark(name: str, seq: int) -> int:
    """A number for one index entry; sums of them are equal only for equal indexes."""
    return int.from_bytes(sha256(f"{name}\0{seq}".encode()).digest()[:16], "big")


def _event(seq: int, payload: bytes) -> AuditEvent:
    content = json.loads(payload)
    facts = tuple((name, fact) for name, fact in content.items() if name not in ("at", "event"))
    return AuditEvent(seq, content["at"], content["event"], facts)


def _by_name(reading: Reading, name: str) -> list[AuditEvent]:
    return list(_events(reading, name))


def _events(reading: Reading, name: str) -> Iterator[AuditEvent]:
    for seq, payload in reading.rows(
        "select audit.seq, payload from audit_names join audit using (seq) where name = ? "
        "order by audit.seq",
        name,
    ):
        assert isinstance(seq, int) and isinstance(payload, bytes)
        yield _event(seq, payload)


def _heads(reading: Reading, after_seq: int) -> list[Head]:
    rows = reading.rows(
        "select seq, hash, at, signature from audit_heads where seq > ? order by seq", after_seq
    )
    return [_head(row) for row in rows]


def _newest_head(reading: Reading, upto: int) -> Head | None:
    row = reading.one(
        "select seq, hash, at, signature from audit_heads where seq <= ? order by seq desc limit 1",
        upto,
    )
    return None if row is None else _head(row)


def _head(row: Row) -> Head:
    seq, link, at, signature = row
    assert isinstance(seq, int) and isinstance(link, bytes)
    assert isinstance(at, int) and isinstance(signature, bytes)
    return Head(seq, link, at, signature)


def _head_json(head: Head) -> dict[str, int | str]:
    return {
        "seq": head.seq,
        "hash": head.hash.hex(),
        "at_ms": head.at_ms,
        "signature": b64encode(head.signature).decode(),
    }


def _number(row: Row | None) -> int:
    value = None if row is None else row[0]
    assert value is None or isinstance(value, int)
    return value or 0
