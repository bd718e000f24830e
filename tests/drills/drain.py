"""A day without the gateway, and then everything arrives once over a line that loses a third.

    python -m tests.drills.drain --queued 5000 [--seed S] [--mutant NAME] [--json]

The terminal's own store, sender and client queue records through a day (its clocks are handed in),
then send them through 30 % loss both ways while the gateway and PostgreSQL are killed in the middle
of batches, and batches come twice, late and out of order. Counted are the gateway's tables and the
hospital's own book.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from queue import Empty, SimpleQueue
from random import Random
from typing import Any

from sqlalchemy import func, select

from gateway import fleet
from gateway.adapters.demo import ledger, reports
from gateway.adapters.demo.crowd import everybody
from gateway.cli import open_store
from gateway.sealing import load_or_make
from gateway.store import Store
from gateway.tables import hand_overs, records, refused, screenings
from kiosk.engine.workers import Sender, Stop
from kiosk.flows.effects import KeepQueued
from kiosk.hospital import contract as c
from kiosk.hospital import faults
from kiosk.hospital.client import HospitalClient
from kiosk.hospital.lines import Lines
from kiosk.records import StoreRecords, open_records
from offline.clock import Clock
from tests.bench.report import Promise, report
from tests.drills.line import Line, bad_line
from tests.gateway.postgres import Cluster, cluster
from tests.gateway.served import Program

ZONE = timezone(timedelta(hours=8))
DAY_S = 24 * 3600.0
TRIES_IN_OUTAGE = 40
TWICE_SHARE, LATE_SHARE = 0.05, 0.05
PATIENCE_S = 1800.0
KILL_WITHIN_S = 0.2
"""A batch takes about so long: some are cut before their commit, some after."""

MUTANTS = ("none", "forgets_unanswered", "new_keys")
"""forgets_unanswered: a batch without an answer is taken as accepted; new_keys: a batch that is
sent again gets other keys and places."""


@dataclass(frozen=True)
class Plan:
    queued: int
    loss: int
    gateway_kills: int
    postgres_kills: int
    seed: int
    mutant: str = "none"
    beat_s: float = 5.0


class OutageClock:
    """Both clocks of the terminal, `behind_s` before the real ones until the outage is over."""

    def __init__(self, behind_s: float) -> None:
        self.behind_s = behind_s

    def store_clock(self) -> Clock:
        return Clock(
            lambda: time.time() - self.behind_s, lambda: time.monotonic() - self.behind_s, "drill"
        )

    def now(self) -> datetime:
        return datetime.fromtimestamp(time.time() - self.behind_s, ZONE)


class Killer:
    """Kills the gateway or PostgreSQL a moment after a batch left, and starts them again.

    On a thread of its own, made where the gateway is at home: what it starts must not live behind
    the bad line.
    """

    def __init__(self, gateway: Program, postgres: Cluster, plan: Plan) -> None:
        self._gateway, self._postgres = gateway, postgres
        self._chance = Random(f"{plan.seed}/kills")
        self._left = [*["gateway"] * plan.gateway_kills, *["postgres"] * plan.postgres_kills]
        self._chance.shuffle(self._left)
        self._planned = len(self._left)
        self._orders: SimpleQueue[str | None] = SimpleQueue()
        self._ready = threading.Event()
        self._ready.set()
        self._ordering = threading.Lock()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self.done: Counter[str] = Counter()

    def batch_leaves(self, arriving: float) -> None:
        """`arriving`: share of the records once this batch is there; kills keep step with it, so
        that a large batch meets several. Waits until all are up."""
        with self._ordering:
            self._ready.wait()
            if self._left and sum(self.done.values()) < arriving * self._planned:
                self._ready.clear()
                self._orders.put(self._left.pop())

    def _run(self) -> None:
        while (whom := self._orders.get()) is not None:
            time.sleep(self._chance.uniform(0, KILL_WITHIN_S))
            victim: Program | Cluster = self._gateway if whom == "gateway" else self._postgres
            victim.kill()
            self.done[whom] += 1
            victim.start()
            self._ready.set()

    def end(self) -> None:
        self._orders.put(None)
        self._thread.join()


@dataclass
class Mail:
    """The terminal's requests on their way: some arrive twice, some late, after others."""

    lines: Lines
    line: Line
    killer: Killer
    chance: Random
    mutant: str
    clock: OutageClock
    queued: int
    arrived: int = 0
    late: list[c.Outbox] = field(default_factory=list)
    tries: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    _here: threading.local = field(default_factory=threading.local)
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def beat(self, waiting: int) -> None:
        self._enter()
        self.lines.ask(c.Hello("T1", "drill", self.clock.now(), waiting))

    def send(self, batch: Sequence[c.Record]) -> c.OutboxReply:
        self._enter()
        sent = self._mutated(c.Outbox(tuple(batch)))
        self.requests += 1
        self.killer.batch_leaves((self.arrived + len(batch)) / self.queued)
        try:
            reply: c.OutboxReply = self.lines.ask(sent)
        except faults.HospitalError:
            if self.mutant == "forgets_unanswered":
                return c.OutboxReply(tuple(c.Verdict(r.key, "accepted") for r in batch), 0)
            raise
        with self._counting:
            self.arrived += len(batch)
            again = self._again(sent)
        for old in again:
            with suppress(faults.HospitalError):
                self.lines.ask(old)
        if self.mutant == "new_keys":
            return c.OutboxReply(tuple(c.Verdict(r.key, "accepted") for r in batch), 0)
        return reply

    def _again(self, sent: c.Outbox) -> list[c.Outbox]:
        """What arrives a second time now."""
        if self.chance.random() < LATE_SHARE:
            self.late.append(c.Outbox(tuple(reversed(sent.records))))
        again = [sent] if self.chance.random() < TWICE_SHARE else []
        if self.late and self.chance.random() < LATE_SHARE:
            again.append(self.late.pop(self.chance.randrange(len(self.late))))
        return again

    def _enter(self) -> None:
        """The sender's threads alone live behind the bad line."""
        if not getattr(self._here, "inside", False):
            self.line.enter()
            self._here.inside = True

    def _mutated(self, sent: c.Outbox) -> c.Outbox:
        if self.mutant != "new_keys":
            return sent
        self.tries.update(record.key for record in sent.records)
        return c.Outbox(
            tuple(
                c.Record(
                    one.sequence + 1_000_000 * (self.tries[one.key] - 1),
                    f"{one.key}/{self.tries[one.key]}",
                    one.kind,
                    one.at,
                    one.body,
                )
                for one in sent.records
            )
        )


def keeps(plan: Plan, now: datetime, chance: Random) -> list[KeepQueued]:
    """What happens at a terminal in a day: mostly the entrance, some prints and hand-overs."""
    people = everybody()
    due = [
        (person, report.id)
        for person in people
        for report in reports.reports_on(person, now.date(), ZONE)
    ]
    made = []
    for number in range(plan.queued):
        key, who = f"T1-{number:06d}", chance.choice(people)
        if number % 5 == 0 and due:
            person, report_id = due.pop()
            body: Any = c.PrintedRecord(person.id, report_id, now)
            made.append(KeepQueued("printed", key, person.number, body))
        elif number % 11 == 0:
            body = c.HandOverRecord(f"S{number:06d}", now, who.id, "pay", amount_fen=number)
            made.append(KeepQueued("hand_over", key, who.number, body))
        else:
            made.append(KeepQueued("screening", key, who.number, screened(number, who, now)))
    return made


def screened(number: int, who: Any, now: datetime) -> c.ScreeningRecord:
    return c.ScreeningRecord(
        slip=f"G{number:06d}",
        at=now,
        volunteer="V1",
        questionnaire="2026-1",
        substitute="id_card",
        yes=(),
        route="pass",
        waited_s=number % 600,
        name=who.name,
        number=who.number,
    )


def outage(
    terminal: StoreRecords, clock: OutageClock, what: Sequence[KeepQueued], asking: Lines
) -> None:
    """A day passes: each record at its own moment, and in between the gateway is tried in vain.

    As the sender does: no hello, no batch; but the line broke while batches were on their way.
    """

    def in_vain(batch: Sequence[c.Record]) -> c.OutboxReply:
        reply: c.OutboxReply = asking.ask(c.Outbox(tuple(batch)))
        return reply

    step_s = clock.behind_s / max(1, len(what))
    tries = max(1, len(what) // TRIES_IN_OUTAGE)
    for place, keep in enumerate(what):
        terminal.commit([keep], "")
        clock.behind_s -= step_s
        if place < 3 or place % tries == 0:
            with suppress(faults.HospitalError):
                if place >= 3:
                    asking.ask(c.Hello("T1", "drill", clock.now(), terminal.waiting()))
                terminal.send_round(in_vain)
    clock.behind_s = 0.0


def drained(terminal: StoreRecords, mail: Mail, beat_s: float) -> float:
    """The product's own sender until nothing waits; minutes."""
    told: SimpleQueue[Any] = SimpleQueue()
    stop = Stop()
    sender = Sender(terminal, mail.send, mail.beat, tell=told.put, stop=stop, beat_every_s=beat_s)
    began = time.monotonic()
    sender.start()
    while terminal.waiting() and time.monotonic() - began < PATIENCE_S:
        with suppress(Empty):
            told.get(timeout=1)
    took_s = time.monotonic() - began
    stop.set()
    sender.join(30)
    return took_s / 60


def judged(store: Store, keys: Any, queued: int) -> dict[str, int]:
    """Effects as the gateway's tables and the hospital's book have them, by what each names."""
    names: Counter[str] = Counter()
    with store.reading() as connection:
        for row in connection.execute(select(records).where(records.c.kind == "screening")):
            body = keys.unseal(row.body, f"records/{row.terminal}/{row.sequence}")
            names[c.from_json(c.ScreeningRecord, body).slip] += 1
        counted = connection.execute(select(func.count()).select_from(screenings)).scalar_one()
        names.update(connection.execute(select(hand_overs.c.slip)).scalars())
        names.update(one.subject for one in ledger.his_entries(connection, "printed"))
        kept = connection.execute(
            select(func.count()).select_from(records).where(records.c.state == "accepted")
        ).scalar_one()
        unwanted = connection.execute(select(func.count()).select_from(refused)).scalar_one()
    screened_names = sum(times for name, times in names.items() if name.startswith("G"))
    duplicates = sum(times - 1 for times in names.values()) + max(0, kept - queued)
    return {
        "effects": len(names),
        "duplicates": duplicates + max(0, counted - screened_names),
        "lost": queued - len(names) + max(0, screened_names - counted),
        "refused": unwanted,
    }


def drill(folder: Path, plan: Plan) -> dict[str, object]:
    chance = Random(plan.seed)
    clock = OutageClock(DAY_S)
    with ExitStack() as stack:
        postgres = stack.enter_context(cluster(folder / "cluster"))
        line = bad_line(plan.loss, chance)
        stack.callback(line.close)
        url = postgres.new_database()
        store = open_store(url)
        stack.callback(store.close)
        token = fleet.add_terminal(store, "T1", datetime.now(UTC))
        terminal = open_records(
            folder / "terminal",
            {},
            clock=clock.store_clock(),
            zone=ZONE,
            random_bytes=chance.randbytes,
            chance=Random(f"{plan.seed}/rest"),
        )
        stack.callback(terminal.close)
        gateway = Program(url, folder, host=line.host)
        asking = Lines(lambda: HospitalClient(gateway.base_url, "T1", token))
        outage(terminal, clock, keeps(plan, datetime.now(ZONE), chance), asking)
        assert terminal.waiting() == plan.queued, "something left although nobody was there"
        gateway.start()
        stack.callback(gateway.kill)
        killer = Killer(gateway, postgres, plan)
        lines = Lines(lambda: HospitalClient(line.url(gateway.port), "T1", token))
        mail = Mail(lines, line, killer, chance, plan.mutant, clock, plan.queued)
        minutes = drained(terminal, mail, plan.beat_s)
        killer.end()
        for old in mail.late:
            asking.ask(old)
        found = judged(store, load_or_make(folder / "key"), plan.queued)
        waiting = terminal.waiting()
    return {
        "queued": plan.queued,
        **found,
        "minutes": round(minutes, 2),
        "waiting": waiting,
        "line": line.kind,
        "requests": mail.requests,
        "gateway_kills": killer.done["gateway"],
        "postgres_kills": killer.done["postgres"],
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queued", type=int, default=5000)
    parser.add_argument("--loss", type=int, default=30, help="of a hundred packets, each way")
    parser.add_argument("--gateway-kills", type=int, default=50)
    parser.add_argument("--postgres-kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutant", choices=MUTANTS, default="none")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    plan = Plan(
        given.queued,
        given.loss,
        given.gateway_kills,
        given.postgres_kills,
        given.seed,
        given.mutant,
    )
    with tempfile.TemporaryDirectory(prefix="drain-") as folder:
        Path(folder).chmod(0o755)
        results = drill(Path(folder), plan)
    promises = [
        Promise("effects", "==", plan.queued),
        Promise("duplicates", "==", 0),
        Promise("lost", "==", 0),
        Promise("minutes", "<=", 10),
        Promise("gateway_kills", ">=", plan.gateway_kills),
        Promise("postgres_kills", ">=", plan.postgres_kills),
    ]
    return report({**results, "seed": plan.seed}, promises, as_json=given.json)


if __name__ == "__main__":
    sys.exit(main())
