"""What Prometheus is told at /metrics: counts, ages and times; no person, no terminal's name.

Counters are this process's own since its start; what the database holds is asked at each scrape,
and is the same from every gateway before it.
"""

from __future__ import annotations

from collections import Counter as Counting
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Connection, func, select

from gateway.clock import Clock
from gateway.store import Store, StoreAway
from gateway.tables import alarms, from_us, refused, terminals, to_us
from kiosk.hospital import contract as c

MEDIA_TYPE = CONTENT_TYPE_LATEST
SILENT_AFTER = timedelta(minutes=3)
_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)


class Metrics:
    """Of one gateway process."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Held(store, clock))
        self._records = Counter(
            "gateway_records", "Records judged", ["verdict"], registry=self._registry
        )
        self._answers = Counter(
            "gateway_answers", "Requests answered", ["endpoint", "status"], registry=self._registry
        )
        self._times = Histogram(
            "gateway_answer_seconds",
            "From the head of the request to the whole answer",
            ["endpoint"],
            buckets=_BUCKETS_S,
            registry=self._registry,
        )

    def judged(self, verdicts: Iterable[c.Verdict]) -> None:
        for state, count in Counting(verdict.state for verdict in verdicts).items():
            self._records.labels(state).inc(count)

    def answered(self, endpoint: str, status: int, took_s: float) -> None:
        self._answers.labels(endpoint, str(status)).inc()
        self._times.labels(endpoint).observe(took_s)

    def text(self) -> bytes:
        """The page in Prometheus' text format."""
        return generate_latest(self._registry)


class _Held(Collector):
    """What the database says at this moment."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing, so that registering does not ask the database."""
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        found: list[GaugeMetricFamily] = []
        up = True
        try:
            with self._store.reading() as connection:
                found = [*_of_terminals(connection, self._clock()), *_of_rows(connection)]
        except StoreAway:
            up = False
        yield GaugeMetricFamily("gateway_store_up", "The database answers", value=up)
        yield from found


def _of_terminals(connection: Connection, now: datetime) -> Iterator[GaugeMetricFamily]:
    since = to_us(now - SILENT_AFTER)
    enrolled, seen, waiting, oldest = connection.execute(
        select(
            func.count(),
            func.count().filter(terminals.c.seen >= since),
            func.coalesce(func.sum(terminals.c.waiting), 0),
            func.min(terminals.c.oldest),
        ).where(terminals.c.revoked.is_(False))
    ).one()
    standing = GaugeMetricFamily("gateway_terminals", "Terminals", labels=["standing"])
    standing.add_metric(["seen"], seen)
    standing.add_metric(["silent"], enrolled - seen)
    yield standing
    yield GaugeMetricFamily("gateway_waiting_records", "Not yet sent, as told", value=int(waiting))
    age = 0.0 if oldest is None else max(0.0, (now - from_us(oldest)).total_seconds())
    # A silent terminal's oldest record grows older all the same.
    yield GaugeMetricFamily("gateway_oldest_unsynced_seconds", "Age of the oldest", value=age)


def _of_rows(connection: Connection) -> Iterator[GaugeMetricFamily]:
    kept = GaugeMetricFamily("gateway_refused_records", "Kept until seen", labels=["reason"])
    by_reason = select(refused.c.reason, func.count()).group_by(refused.c.reason)
    for reason, count in connection.execute(by_reason):
        kept.add_metric([reason], count)
    yield kept
    told = GaugeMetricFamily("gateway_alarms", "Raised so far", labels=["kind"])
    by_kind = select(alarms.c.kind, func.count()).group_by(alarms.c.kind)
    for kind, count in connection.execute(by_kind):
        told.add_metric([kind], count)
    yield told
