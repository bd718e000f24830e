"""The chain's own shapes: links, signed heads, and how they are read back from the tables."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from offline.catalogue import Fact, in_index
from offline.database import Row
from offline.store import Reading


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


def link_hash(previous: bytes, seq: int, payload: bytes) -> bytes:
    """The hash of a link: over its predecessor, its place in the chain, and its bytes."""
    return sha256(previous + seq.to_bytes(8, "big") + payload).digest()


def payload_of(at_ms: int, event: str, facts: Mapping[str, Fact]) -> bytes:
    """The JSON of an event. The catalogue's types hold no character that JSON would escape."""
    text = f'{{"at":{at_ms},"event":"{event}"'
    for name, fact in facts.items():
        if isinstance(fact, str):
            text += f',"{name}":"{fact}"'
        elif isinstance(fact, bool):
            text += f',"{name}":{"true" if fact else "false"}'
        else:
            text += f',"{name}":{fact}'
    return (text + "}").encode()


def mark(name: str, seq: int) -> int:
    """A number for one index entry; sums of them are equal only for equal indexes."""
    return int.from_bytes(sha256(f"{name}\0{seq}".encode()).digest()[:16], "big")


def event_of(seq: int, payload: bytes) -> AuditEvent:
    content = json.loads(payload)
    facts = tuple((name, fact) for name, fact in content.items() if name not in ("at", "event"))
    return AuditEvent(seq, content["at"], content["event"], facts)


def by_name(reading: Reading, name: str) -> list[AuditEvent]:
    rows = reading.rows(
        "select audit.seq, payload from names join audit using (seq) "
        "where name in (?, ?) and room = 'audit' order by n",
        *in_index(name),
    )
    return [event_of(number((seq,)), bytes(payload)) for seq, payload in rows]  # type: ignore[arg-type]


def heads_after(reading: Reading, after_seq: int) -> list[Head]:
    rows = reading.rows(
        "select seq, hash, at, signature from audit_heads where seq > ? order by seq", after_seq
    )
    return [_head(row) for row in rows]


def _head(row: Row) -> Head:
    seq, link, at, signature = row
    assert isinstance(seq, int) and isinstance(link, bytes)
    assert isinstance(at, int) and isinstance(signature, bytes)
    return Head(seq, link, at, signature)


def head_json(head: Head) -> bytes:
    """The record for the gateway. `at` has milliseconds, as they were signed."""
    at = datetime.fromtimestamp(head.at_ms / 1000, UTC)
    content = {
        "sequence": head.seq,
        "chain_hash": head.hash.hex(),
        "signature": b64encode(head.signature).decode(),
        "at": at.isoformat(timespec="milliseconds"),
    }
    return json.dumps(content, separators=(",", ":")).encode()


def number(row: Row | None) -> int:
    value = None if row is None else row[0]
    assert value is None or isinstance(value, int)
    return value or 0
