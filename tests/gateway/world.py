"""A gateway before the demo hospital, in this process, under the test's own clock."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from gateway import fleet
from gateway.adapters.demo import ledger
from gateway.adapters.demo.ledger import HisEntry, ProviderEntry
from gateway.cli import DemoParts, demo_parts, open_store
from gateway.policy import PolicyFile
from gateway.sealing import Keys
from gateway.tables import alarms
from kiosk.hospital import contract as c
from kiosk.logs import logger

MORNING = datetime(2026, 11, 20, 8, 42, tzinfo=timezone(timedelta(hours=8)))
TERMINAL = "T1"
TOKEN = "the token of terminal 1"
MASTER = bytes(range(32))


class HandClock:
    """Shows what it was set to."""

    def __init__(self, now: datetime = MORNING) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **amount: float) -> None:
        self.now += timedelta(**amount)


@dataclass
class World:
    """One gateway and the truth behind it."""

    parts: DemoParts
    clock: HandClock
    log: io.StringIO  # what the gateway has logged

    def ask(self, request: Any, terminal: str = TERMINAL) -> Any:
        """Through JSON both ways, as over the wire."""
        shape: Any = type(request)
        endpoint = c.endpoint_of(shape)
        answer = self.parts.gateway.answer(terminal, endpoint, c.to_json(request))
        return c.from_json(endpoint.reply, answer)

    def his(self, kind: str = "") -> tuple[HisEntry, ...]:
        with self.parts.store.reading() as connection:
            return ledger.his_entries(connection, kind)

    def provider(self, reference: str = "") -> tuple[ProviderEntry, ...]:
        with self.parts.store.reading() as connection:
            return ledger.provider_entries(connection, reference)

    def taken_fen(self, reference: str) -> int:
        with self.parts.store.reading() as connection:
            return ledger.taken_fen(connection, reference)

    def alarms(self) -> list[str]:
        with self.parts.store.reading() as connection:
            rows = connection.execute(alarms.select().order_by(alarms.c.id))
            return [row.kind for row in rows]

    def close(self) -> None:
        self.parts.store.close()


def make_world(url: str, policy: PolicyFile | None = None, clock: HandClock | None = None) -> World:
    """A gateway on `url`, its tables made, its day opened, terminals T1 and T2 enrolled."""
    clock = clock or HandClock()
    store = open_store(url)
    rules = policy or PolicyFile(None, "")
    out = io.StringIO()
    log = logger("gateway", clock, out, logging.DEBUG)
    page = "https://pay.demo.invalid/"
    parts = demo_parts(store, Keys(MASTER), clock, pay_page=page, rules=rules, log=log)
    fleet.add_terminal(store, TERMINAL, clock(), TOKEN)
    fleet.add_terminal(store, "T2", clock(), "the token of terminal 2")
    return World(parts, clock, out)


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder}/gateway.db"


def all_at_once(count: int, act: Callable[[int], Any]) -> list[Any]:
    """What `count` threads got, started together; an exception is a result too."""
    gate = threading.Barrier(count)
    results: list[Any] = [None] * count

    def run(place: int) -> None:
        gate.wait()
        try:
            results[place] = act(place)
        except (AssertionError, RuntimeError, ValueError, LookupError) as bug:
            results[place] = bug

    threads = [threading.Thread(target=run, args=(place,)) for place in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert all(result is not None for result in results), "a thread gave no answer"
    return results


def record(sequence: int, body: Any, kind: str, key: str = "", at: datetime = MORNING) -> c.Record:
    text = body if isinstance(body, str) else c.to_json(body).decode()
    return c.Record(sequence, key or f"key-{sequence}", kind, at, text)


def screening(slip: str, waited_s: int = 60, **more: Any) -> c.ScreeningRecord:
    return c.ScreeningRecord(
        slip=slip,
        at=MORNING,
        volunteer="V1",
        questionnaire="2026-1",
        substitute="id_card",
        yes=(),
        route="pass",
        waited_s=waited_s,
        name="马德福",
        number="610102194302110097",
        **more,
    )


def states(reply: c.OutboxReply) -> Sequence[str]:
    return [verdict.state for verdict in reply.verdicts]
