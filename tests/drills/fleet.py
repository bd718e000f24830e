"""Ten thousand terminals before one gateway and one PostgreSQL, and then a storm of backlogs.

    python -m tests.drills.fleet --terminals 10000 --minutes 10 --backlog 600000 [--json]

First each terminal says hello and sends a record a minute; then all deliver their share of the
backlog at once while the hellos go on. Counted in the gateway's own tables. Plain HTTP on
loopback: TLS ends before the gateway or costs its handshakes on top (RELIABILITY §4).
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hashlib
import itertools
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from sqlalchemy import func, select

from gateway.cli import open_store
from gateway.store import Store, insert_new
from gateway.tables import records, screenings, terminals, to_us
from tests.bench.report import Promise, report
from tests.drills.fleet_load import Line, Terminal, Times, steady, storm
from tests.gateway.postgres import cluster
from tests.gateway.served import Program

BATCH = 60
TELL_S = 20.0
MUTANTS = ("none", "acknowledges_first")
"""acknowledges_first: some batches are taken as answered although they never left."""


Tell = Callable[[str], None]


@dataclass(frozen=True)
class Size:
    terminals: int
    minutes: float
    backlog: int
    seed: int = 1
    mutant: str = "none"


@contextmanager
def hospital(folder: Path, given: str = "") -> Iterator[tuple[str, Program]]:
    """PostgreSQL (one of its own, or `given` as a URL) and one gateway before it."""
    with ExitStack() as stack:
        url = given or stack.enter_context(cluster(folder / "cluster")).new_database()
        gateway = Program(url, folder)
        gateway.start()
        try:
            yield url, gateway
        finally:
            gateway.stop()


def enrolled(store: Store, count: int, port: int, chance: Random) -> list[Terminal]:
    """Terminals with a token each, entered at once rather than one by one."""
    made, rows = [], []
    for number in range(count):
        token = f"token-{number}-{chance.randrange(2**60)}"
        made.append(Terminal(number, token, Line("127.0.0.1", port), Random(chance.random())))
        token_hash = hashlib.sha256(token.encode()).hexdigest()
        row = {"name": made[-1].name, "token_hash": token_hash, "added": to_us(datetime.now(UTC))}
        rows.append(row)
    with store.writing() as connection:
        insert_new(connection, terminals, rows)
    return made


async def run(fleet: list[Terminal], size: Size, chance: Random, tell: Tell) -> dict[str, object]:
    calm, stormy = Times(), Times()
    gc.freeze()  # ten thousand terminals are no litter: a look through them all stops the clock
    with telling(tell, "calm", calm):
        await steady(fleet, calm, size.minutes * 60, chance)
    tell("the backlogs are made")
    share = min(size.backlog // len(fleet), BATCH)
    rounds = max(1, round(size.backlog / (share * len(fleet)))) if share else 0
    batches = [[terminal.records(share) for terminal in fleet] for _ in range(rounds)]
    if size.mutant == "acknowledges_first":
        fleet[0].records(1)
    others = [terminal.beside() for terminal in fleet[:50]]
    still = asyncio.create_task(_hellos(others, 60 / len(fleet), stormy))
    drained_s = 0.0
    with telling(tell, "storm", stormy):
        for batch in batches:
            drained_s += await storm(fleet, batch, stormy)
    still.cancel()
    for terminal in (*fleet, *others):
        terminal.line.close()
    return {
        "steady_requests": len(calm.hellos) + len(calm.batches),
        "p99_ms": _p99_ms(calm.hellos + calm.batches),
        "p50_ms": round(sorted(calm.hellos + calm.batches)[len(calm.hellos)] * 1000, 1),
        "drain_minutes": round(drained_s / 60, 3),
        "longest_wait_minutes": round(max(stormy.batches, default=0.0) / 60, 3),
        "storm_hello_p99_ms": _p99_ms(stormy.hellos),
        "sent_away": stormy.sent_away + calm.sent_away,
        "unanswered": calm.unanswered,
        "unanswered_in_storm": stormy.unanswered,
        "wrong": calm.wrong + stormy.wrong,
    }


@contextmanager
def telling(tell: Tell, phase: str, times: Times) -> Iterator[None]:
    """Says every TELL_S how it goes: a long run that fails should be seen to, early."""

    async def run() -> None:
        began = time.monotonic()
        while True:
            await asyncio.sleep(TELL_S)
            tell(
                f"{phase} {time.monotonic() - began:.0f} s: {len(times.hellos)} hellos "
                f"p99 {_p99_ms(times.hellos[-2000:]):.0f} ms of late, {len(times.batches)} batches "
                f"p99 {_p99_ms(times.batches[-2000:]):.0f} ms, {times.sent_away} sent away, "
                f"{times.unanswered} unanswered, {times.wrong} wrong"
            )

    task = asyncio.get_running_loop().create_task(run())
    try:
        yield
    finally:
        task.cancel()


async def _hellos(others: list[Terminal], every_s: float, times: Times) -> None:
    """As many as of the whole fleet, on lines that carry nothing else: people are not kept
    waiting by a backlog."""
    running: set[asyncio.Task[None]] = set()
    for terminal in itertools.cycle(others):
        await asyncio.sleep(every_s)
        task = asyncio.create_task(terminal.hello(time.monotonic(), times))
        running.add(task)
        task.add_done_callback(running.discard)


def _p99_ms(times: list[float]) -> float:
    return round(sorted(times)[int(len(times) * 0.99)] * 1000, 1) if times else 0.0


def judged(store: Store, fleet: list[Terminal]) -> dict[str, int]:
    """What the gateway's tables hold of what the terminals were answered for."""
    with store.reading() as connection:
        held = dict(connection.execute(select(terminals.c.name, terminals.c.held_up_to)).all())
        kept = connection.execute(select(func.count()).select_from(records)).scalar_one()
        effects = connection.execute(select(func.count()).select_from(screenings)).scalar_one()
    sent = sum(terminal.sequence for terminal in fleet)
    missing = sum(max(0, terminal.sequence - held[terminal.name]) for terminal in fleet)
    return {
        "records": sent,
        "effects": effects,
        "lost": max(missing, sent - kept, sent - effects),
        "duplicated": max(0, kept - sent, effects - sent),
    }


def drill(
    folder: Path, size: Size, given_url: str = "", tell: Tell = lambda words: None
) -> dict[str, object]:
    chance = Random(size.seed)
    with hospital(folder, given_url) as (url, gateway):
        store = open_store(url)
        tell(f"{size.terminals} terminals are being enrolled")
        fleet = enrolled(store, size.terminals, gateway.port, chance)
        measured = asyncio.run(run(fleet, size, chance, tell))
        told = judged(store, fleet)
        store.close()
    return {"terminals": size.terminals, "minutes": size.minutes, **measured, **told}


def allow_sockets(count: int) -> None:
    """Each terminal keeps one, at both ends."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + 1000
    if os.geteuid() == 0:
        most = max(most, wanted)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, most), most))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--terminals", type=int, default=10_000)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--backlog", type=int, default=600_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutant", choices=MUTANTS, default="none")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    allow_sockets(given.terminals)
    size = Size(given.terminals, given.minutes, given.backlog, given.seed, given.mutant)
    with tempfile.TemporaryDirectory(prefix="fleet-") as folder:
        Path(folder).chmod(0o755)
        began = time.monotonic()
        results = drill(
            Path(folder),
            size,
            tell=lambda words: print(f"{time.monotonic() - began:6.0f} s  {words}", flush=True),
        )
    promises = [
        Promise("p99_ms", "<=", 500),
        Promise("drain_minutes", "<=", 30),
        Promise("longest_wait_minutes", "<=", 10),
        *(Promise(key, "==", 0) for key in ("lost", "duplicated", "wrong", "unanswered")),
    ]
    return report(results, promises, as_json=given.json)


if __name__ == "__main__":
    sys.exit(main())
