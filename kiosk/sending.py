"""Records on their way to the gateway: what is due goes out, the verdicts come in, staff see them.

Rule: nothing leaves the outbox but by a verdict of the gateway; what it refused waits for a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from random import Random

from kiosk.hospital import faults
from kiosk.hospital.contract import OutboxReply, Record
from kiosk.ports import SendRecords
from offline import outbox, sync
from offline.audit import Audit
from offline.catalogue import PATTERNS
from offline.errors import StoreFull
from offline.store import Store

RECORDS_LISTED_MAX = 200
CAUSE = PATTERNS["code"]
FULL_REST_S = 5.0
KEYS_MAX = 1000
"""Keys in one answer of waiting_keys(): it goes over the link as one line."""


class Sending:
    """The outbox of one store. Safe to share between threads: the store takes turns."""

    def __init__(
        self, store: Store, box: outbox.Outbox, audit: Audit, *, zone: tzinfo, chance: Random
    ) -> None:
        self._store, self._outbox, self._audit, self._zone = store, box, audit, zone
        self._sync = sync.Sync(store, box, chance=chance)
        self._carrier = sync.Carrier()

    def waiting(self) -> int:
        return self._outbox.depth().waiting

    def oldest_s(self) -> int:
        """How long the oldest waiting record has waited, by this terminal's clock; 0: none."""
        oldest_ms = self._outbox.oldest_waiting_ms()
        if oldest_ms is None:
            return 0
        return max(0, self._store.clock.wall_ms() - oldest_ms) // 1000

    def waiting_keys(self) -> tuple[str, ...]:
        """The oldest records that wait for the gateway."""
        waiting = self._outbox.list(outbox.Standing.WAITING, KEYS_MAX)
        return tuple(record.key for record in waiting)

    def round(self, send: SendRecords) -> float:
        """What is due goes out, a few batches at most, verdicts come in; how long to rest, in s.

        A disk too full for the verdicts loses nothing: the same records go out again.
        """
        try:
            applied = self._sync.drain(lambda batch: self._carry(batch, send), self._carrier)
            self._tell_refused(applied.refused)
        except StoreFull:
            return FULL_REST_S
        return applied.wait_s

    def _tell_refused(self, refused: Sequence[tuple[str, str]]) -> None:
        for key, reason in refused:
            record = self._outbox.show(key)
            assert record is not None, "it was refused a moment ago"
            cause = reason if CAUSE.fullmatch(reason) else "other"
            with self._store.transaction() as tx:
                self._audit.append(tx, "record_refused", key=key, kind=record.kind, cause=cause)

    def records_of(self, standing: outbox.Standing) -> list[outbox.Record]:
        """The oldest ones of a standing, with their bodies."""
        return self._outbox.list(standing, RECORDS_LISTED_MAX)

    def record(self, key: str) -> outbox.Record | None:
        return self._outbox.show(key)

    def depth(self) -> outbox.Depth:
        return self._outbox.depth()

    def retry(self, key: str, who: str) -> bool:
        """Send a refused record again, by a person's will; False when it is not a refused one."""
        with self._store.transaction() as tx:
            done = self._outbox.retry(tx, key)
            if done:
                self._audit.append(tx, "record_retried", key=key, who=who)
        return done

    def _carry(self, batch: sync.Batch, send: SendRecords) -> sync.Reply:
        records = [self._outgoing(record) for record in batch.records]
        try:
            reply = send(records)
        except faults.HospitalBusy as busy:
            return sync.Busy(busy.wait_s)
        except faults.HospitalUnreachable:
            return sync.Unreachable()
        except (faults.HospitalOutcomeUnknown, faults.HospitalAnsweredBadly):
            # It was sent: a record of it may have felled the gateway, and is found by halving.
            return sync.Broke()
        except faults.HospitalRefused as refused:
            return sync.NotAllowed() if refused.status in (401, 403) else sync.Broke()
        return sync.Answered(tuple(_verdicts(reply)))

    def _outgoing(self, record: outbox.Record) -> Record:
        assert isinstance(record.body, bytes), "a record that waits has its body"
        at = datetime.fromtimestamp(record.at_ms / 1000, self._zone)
        return Record(record.seq, record.key, record.kind, at, record.body.decode())


def _verdicts(reply: OutboxReply) -> Iterable[tuple[str, outbox.Verdict]]:
    for verdict in reply.verdicts:
        match verdict.state:
            case "accepted":
                yield verdict.key, outbox.Accepted()
            case "refused":
                yield verdict.key, outbox.Refused(verdict.reason)
            case "later":
                yield verdict.key, outbox.PutOff(5.0)
