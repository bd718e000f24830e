"""The audit trail: an append-only chain of hashes over typed events, with signed heads.

Each link hashes the one before, its own sequence number and the exact bytes of the event. Heads
are signed and sent to the gateway, which witnesses them: what was cut off, changed or re-signed
later does not fit. Events name people only by pseudonym: erasing a person leaves the chain whole.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from offline.catalogue import Catalogue, Fact
from offline.chain import (
    AuditEvent,
    Head,
    Intact,
    Tampered,
    by_name,
    head_json,
    heads_after,
    link_hash,
    newest_head,
    number,
    payload_of,
)
from offline.chain_check import Verification
from offline.files import secret_file
from offline.outbox import Outbox
from offline.store import Reading, Store, Transaction
from offline.vault import Pseudonym

HEADER = b"kiosk audit key 1\n"
NAMED = "insert into names (name, room, n, seq) values (?, 'audit', ?, ?)"
HEAD_EVENTS = 1000
"""A head is signed at least every so many events; audit.witness() adds one a minute."""

WITNESS_EVENTS_MAX = 1000
"""Events in one record for the gateway: about 150 kB of JSON."""


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
        payload = payload_of(tx.at_ms, event, facts)
        seq, previous = self._end(tx)
        seq += 1
        link = link_hash(previous, seq, payload)
        tx.run("insert into audit values (?, ?, ?)", seq, payload, link)
        for name in set(kind.searchable(facts)):
            tx.run(
                "insert into names (name, room, n, seq) values (?, 'audit', ?, ?)", name, seq, seq
            )
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
        seen = number(tx.one("select value from settings where name = 'audit_witnessed'"))
        end, link = self._end(tx)
        records = 0
        while seen < end:
            upto = min(end, seen + WITNESS_EVENTS_MAX)
            body = self._witness_body(tx, seen, upto)
            # The link in the key: a trail that went on from a backup has other events here.
            outbox.queue(tx, f"audit/{upto}-{link.hex()[:8]}", kind="audit", body=body)
            seen, records = upto, records + 1
        tx.run("insert or replace into settings values ('audit_witnessed', ?)", end)
        return records

    def _witness_body(self, reading: Reading, after: int, upto: int) -> bytes:
        events = reading.rows(
            "select payload from audit where seq > ? and seq <= ? order by seq", after, upto
        )
        head = newest_head(reading, upto)
        content = {
            "first": after + 1,
            "events": [bytes(payload).decode() for (payload,) in events if payload],  # type: ignore[arg-type]
            "head": None if head is None else head_json(head),
            "public_key": b64encode(self.public_key).decode(),
        }
        return json.dumps(content, separators=(",", ":")).encode()

    def heads(self, after_seq: int = 0) -> list[Head]:
        """Signed heads, oldest first."""
        with self._store.reading() as reading:
            return heads_after(reading, after_seq)

    def find(self, name: str) -> list[AuditEvent]:
        """All that is known about a slip, reference, session or pseudonym, in order.

        The references and slips that its events name bring in theirs; a session they belong to
        brings in what happened in it, but not what concerns another reference.
        """
        with self._store.reading() as reading:
            cases = {name} | self._named(by_name(reading, name), {"reference", "slip"})
            found = {e.seq: e for case in cases for e in by_name(reading, case)}
            for session in self._named(found.values(), {"session"}):
                for event in by_name(reading, session):
                    if self._named([event], {"reference"}) <= cases:
                        found[event.seq] = event
        return [found[seq] for seq in sorted(found)]

    def trail(self, person: Pseudonym) -> list[AuditEvent]:
        """A person's own trail: what concerns them, without what names only others."""
        return [
            event
            for event in self.find(person)
            if self._named([event], {"person"}) <= {person}
            or person in self._named([event], {"person"})
        ]

    def verify(self, witnessed: Sequence[Head] = ()) -> Intact | Tampered:
        """Walk the whole chain. `witnessed`: heads as the gateway holds them."""
        walk = Verification(
            self._store, self._catalogue, first_hash=self.first_hash(), genuine=self.genuine
        )
        return walk.run(witnessed)

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

    def _named(self, events: Iterable[AuditEvent], types: set[str]) -> set[str]:
        """The values of fields of these types in the events."""
        return {
            str(fact)
            for event in events
            for name, fact in event.facts
            if self._catalogue.fields[name].type in types
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
