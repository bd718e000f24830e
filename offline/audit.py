"""The audit trail: an append-only chain of hashes over typed events, with signed heads.

Each link hashes the one before, its own sequence number and the exact bytes of the event. Heads
are signed and sent to the gateway, which witnesses them: what was cut off, changed or re-signed
later does not fit. Events name people only by pseudonym: erasing a person leaves the chain whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

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
    number,
    payload_of,
)
from offline.chain_check import Verification
from offline.files import secret_file
from offline.migrations import INSERT_NAME
from offline.outbox import Outbox
from offline.store import Reading, Store, Transaction
from offline.vault import Pseudonym

HEADER = b"kiosk audit key 1\n"
HEAD_EVENTS = 1000
"""A head is signed at least every so many events; audit.witness() adds one a minute."""


CASES_MAX = 1000
"""References and slips one question may lead to: a person's year has fewer."""


class _End(NamedTuple):
    """The last link: its number and hash."""

    seq: int
    hash: bytes


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
        key = signing_key(key_file, random_bytes=random_bytes, create=create)
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
        tx.add("insert into audit values (?, ?, ?)", seq, payload, link)
        for name in kind.searchable(facts):
            tx.add(INSERT_NAME, name, "audit", seq, seq)
        tx.remember("audit_end", _End(seq, link))
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
        """Sign a head and queue those the gateway has not seen; how many. Once a minute.

        The events stay here: to prove what they were, their newest hash is enough.
        """
        self.sign_head(tx)
        heads = heads_after(tx, _witnessed(tx))
        queued = 0
        for head in heads:
            # The hash in the key: a trail that went on from a backup has another head here, and
            # another terminal has one of the same number.
            key = f"audit/{head.seq}-{head.hash.hex()[:32]}"
            if tx.one("select 1 from names where name = ? and room = 'outbox'", key) is None:
                outbox.queue(tx, key, kind="audit_head", body=head_json(head))
                queued += 1
        if heads:
            tx.run("insert or replace into settings values ('audit_witnessed', ?)", heads[-1].seq)
        return queued

    def unwitnessed(self) -> int:
        """How many events came after the last head that was queued for the gateway."""
        with self._store.reading() as reading:
            return number(reading.one("select max(seq) from audit")) - _witnessed(reading)

    def heads(self, after_seq: int = 0) -> list[Head]:
        """Signed heads, oldest first."""
        with self._store.reading() as reading:
            return heads_after(reading, after_seq)

    def find(self, name: str) -> list[AuditEvent]:
        """All that is known about a slip, reference, session or pseudonym, in order.

        The references and slips that its events name bring in theirs, and so on: a slip its
        payment, the payment its registration. A session they belong to brings in what happened
        in it, but not what concerns another reference.
        """
        with self._store.reading() as reading:
            found: dict[int, AuditEvent] = {}
            cases, new = set[str](), {name}
            while new and len(cases) < CASES_MAX:
                events = [event for case in sorted(new) for event in by_name(reading, case)]
                found |= {event.seq: event for event in events}
                cases |= new
                new = self._named(events, {"reference", "slip"}) - cases
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

    def _end(self, tx: Transaction) -> _End:
        end = tx.recall("audit_end")
        if isinstance(end, _End):
            return end
        row = tx.one("select seq, hash from audit order by seq desc limit 1")
        if row is None:
            return _End(0, self.first_hash())
        seq, link = row
        assert isinstance(seq, int) and isinstance(link, bytes)
        return _End(seq, link)


def signing_key(
    key_file: Path, *, random_bytes: Callable[[int], bytes], create: bool
) -> Ed25519PrivateKey:
    """The key in key_file; on a first start made before the store, or a cut would part them."""
    seed = secret_file(key_file, HEADER, random_bytes=random_bytes, create=create)
    return Ed25519PrivateKey.from_private_bytes(seed)


def _witnessed(reading: Reading) -> int:
    return number(reading.one("select value from settings where name = 'audit_witnessed'"))
