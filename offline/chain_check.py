"""Walking the whole chain: every link, head, witness and index entry must fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from offline.catalogue import Catalogue
from offline.chain import (
    Head,
    Intact,
    Tampered,
    event_of,
    heads_after,
    link_hash,
    mark,
    number,
)
from offline.database import Row
from offline.store import Store

CHUNK_EVENTS = 5000
"""Verification lets writers in after so many: 5,000 links take about 10 ms."""


class Verification:
    """One walk along the chain, in chunks, so that it never keeps a writer waiting."""

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue,
        *,
        first_hash: bytes,
        genuine: Callable[[Head], bool],
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._genuine = genuine
        self._seq = 0
        self._hash = first_hash
        self._names = 0

    def run(self, witnessed: Sequence[Head]) -> Intact | Tampered:
        """Walk from the first event to the one that was last at the start."""
        with self._store.reading() as reading:
            end = number(reading.one("select max(seq) from audit"))
            heads = heads_after(reading, 0)
        claims = {head.seq: head for head in heads}
        for head in (*heads, *witnessed):
            if not self._genuine(head):
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
        try:
            event = event_of(self._seq, payload)
        except (ValueError, KeyError):
            return Tampered(self._seq, "an event is not what was written")
        kind = self._catalogue.events.get(event.event)
        names = set() if kind is None else kind.searchable(dict(event.facts))
        self._names += sum(mark(name, self._seq) for name in names)
        return None

    def _check_names(self, end: int) -> Tampered | None:
        """The index that find() uses must list exactly what the events say."""
        after_name, after_seq = "", 0
        while True:
            with self._store.reading() as reading:
                rows = reading.rows(
                    "select name, n, seq from names where (name, room, n) > (?, 'audit', ?) "
                    "and room = 'audit' order by name, room, n limit ?",
                    *(after_name, after_seq, CHUNK_EVENTS),
                )
                last = number(reading.one("select max(seq) from audit"))
            if not rows:
                break
            after_name, after_seq = str(rows[-1][0]), number((rows[-1][1],))
            for name, n, seq in rows:
                if number((seq,)) > last or n != seq:
                    return Tampered(last + 1, "events are missing at the end")
                if number((seq,)) <= end:
                    self._names -= mark(str(name), number((seq,)))
        return Tampered(end, "the index does not fit the events") if self._names else None
