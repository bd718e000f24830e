"""Records per second from the terminal's outbox into the gateway, beside one by one.

    python -m tests.bench.sync [--records N] [--rounds N] [--json]

Ours is the product: sealed outbox, client, gateway, store, verdicts and effects, two batches in
flight. The peer reads a row, posts it with requests on a kept connection to a server that only
inserts and commits, and deletes the row. Both in turns, medians.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from statistics import median
from zoneinfo import ZoneInfo

import requests

from gateway import fleet
from gateway.adapters.demo.crowd import everybody
from gateway.cli import open_store
from kiosk.hospital import contract as c
from kiosk.hospital.client import HospitalClient
from kiosk.hospital.lines import Lines
from offline import outbox
from offline.clock import Clock
from offline.outbox import Outbox
from offline.store import Store
from offline.sync import Answered, Batch, Carrier, Sync
from offline.vault import Vault
from tests.bench.report import Promise, report
from tests.gateway.postgres import cluster, free_port
from tests.gateway.served import Program

PEOPLE = everybody()
KEYS = itertools.count(1)
ZONE = ZoneInfo("Asia/Shanghai")
WIRE_OVERHEAD_BYTES = 600  # head of request and of answer, as seen in a capture


def screening(chance: Random) -> bytes:
    """One person at the entrance, as the terminal would record it."""
    person = chance.choice(PEOPLE)
    now = datetime.now().astimezone()
    record = c.ScreeningRecord(
        slip=f"G{chance.randrange(10**8):08d}",
        at=now,
        volunteer=f"V{chance.randrange(30):02d}",
        questionnaire="2026-1",
        substitute="id_card",
        yes=("fever",) if chance.random() < 0.05 else (),
        route="pass",
        waited_s=chance.randrange(900),
        name=person.name,
        number=person.number,
    )
    return c.to_json(record)


class Terminal:
    """A terminal's store with an outbox, and the client that empties it."""

    def __init__(self, folder: Path, base_url: str, token: str) -> None:
        self._chance = Random(1)
        self.store = Store.open(
            folder / "kiosk.db",
            sealing=Vault(b"\1" * 32, random_bytes=os.urandom),
            clock=Clock(time.time, time.monotonic, "bench"),
        )
        self.outbox = Outbox(self.store)
        self.sync = Sync(self.store, self.outbox, chance=self._chance)
        self._lines = Lines(lambda: HospitalClient(base_url, "T1", token))
        self._carrier = Carrier()

    def fill(self, records: int) -> None:
        with self.store.transaction() as tx:
            for _ in range(records):
                key = f"K03-{next(KEYS):010d}"
                self.outbox.queue(tx, key, kind="screening", body=screening(self._chance))

    def drain(self) -> float:
        """Seconds until nothing waits."""
        began = time.perf_counter()
        while self.outbox.depth().waiting:
            applied = self.sync.drain(self._send, self._carrier)
            assert applied.wait_s == 0, "nobody asked for a rest"
        return time.perf_counter() - began

    def _send(self, batch: Batch) -> Answered:
        reply = self._lines.ask(c.Outbox(tuple(map(outgoing, batch.records))))
        assert all(verdict.state == "accepted" for verdict in reply.verdicts)
        return Answered(tuple((one.key, outbox.Accepted()) for one in reply.verdicts))

    def close(self) -> None:
        self.store.close()


def outgoing(record: outbox.Record) -> c.Record:
    assert isinstance(record.body, bytes)
    at = datetime.fromtimestamp(record.at_ms / 1000, ZONE)  # as kiosk/sending.py does
    return c.Record(record.seq, record.key, record.kind, at, record.body.decode())


class Peer:
    """get one / requests.post / delete."""

    def __init__(self, folder: Path, base_url: str) -> None:
        self._url, self._chance = base_url, Random(1)
        self._rows = sqlite3.connect(folder / "peer.db", isolation_level=None)
        self._rows.execute("pragma journal_mode=wal")
        self._rows.execute("pragma synchronous=full")
        self._rows.execute("create table outbox (id integer primary key, body blob)")
        self._session = requests.Session()

    def fill(self, records: int) -> None:
        bodies = [(screening(self._chance),) for _ in range(records)]
        self._rows.execute("begin")
        self._rows.executemany("insert into outbox (body) values (?)", bodies)
        self._rows.execute("commit")

    def drain(self) -> float:
        began = time.perf_counter()
        while row := self._rows.execute(
            "select id, body from outbox order by id limit 1"
        ).fetchone():
            self._session.post(self._url, data=row[1], timeout=10).raise_for_status()
            self._rows.execute("delete from outbox where id = ?", row[:1])
        return time.perf_counter() - began


@contextmanager
def bare_server(url: str) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.bare_server", url, str(port)]
    process = subprocess.Popen(command)
    ready = f"until curl -fs http://127.0.0.1:{port}/; do sleep 0.05; done"
    subprocess.run(["sh", "-c", ready], check=True, timeout=15, capture_output=True)
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.kill()
        process.wait()


@dataclass(frozen=True)
class Rates:
    """Records per second."""

    ours: float
    one_by_one: float


def measured(folder: Path, urls: tuple[str, str], records: int, rounds: int) -> Rates:
    """Ours and the peer in turns, each on a database of its own of the same kind."""
    with ExitStack() as stack:
        gateway = Program(urls[0], folder)
        gateway.start()
        stack.callback(gateway.stop)
        store = open_store(urls[0])
        token = fleet.add_terminal(store, "T1", datetime.now().astimezone())
        store.close()
        terminal = Terminal(folder, gateway.base_url, token)
        stack.callback(terminal.close)
        peer = Peer(folder, stack.enter_context(bare_server(urls[1])))
        few = max(20, records // 20)
        ours, theirs = [], []
        for _ in range(rounds + 1):
            terminal.fill(records)
            ours.append(records / terminal.drain())
            peer.fill(few)
            theirs.append(few / peer.drain())
    return Rates(median(ours[1:]), median(theirs[1:]))  # the first round warms up


def wire_share() -> float:
    """Bytes that travel for a batch, both ways and with heads, as a share of the plain JSON."""

    chance = Random(1)
    at = datetime.now().astimezone()
    sent = c.Outbox(
        tuple(
            c.Record(n, f"K03-{n:010d}", "screening", at, screening(chance).decode())
            for n in range(c.BATCH_RECORDS_MAX)
        )
    )
    verdicts = tuple(c.Verdict(record.key, "accepted") for record in sent.records)
    request, reply = c.to_json(sent), c.to_json(c.OutboxReply(verdicts, len(verdicts)))
    carried = len(gzip.compress(request, compresslevel=3)) + len(reply) + WIRE_OVERHEAD_BYTES
    return carried / (len(request) + len(reply))


def bench(folder: Path, records: int, rounds: int) -> dict[str, object]:
    folders = [folder / name for name in ("sqlite", "postgresql")]
    for one in folders:
        one.mkdir()
    lite = measured(
        folders[0],
        (f"sqlite:///{folders[0]}/gateway.db", f"sqlite:///{folders[0]}/bare.db"),
        records,
        rounds,
    )
    with cluster(folder / "cluster") as postgres:
        urls = (postgres.new_database(), postgres.new_database())
        pg = measured(folders[1], urls, records, rounds)
    return {
        "records_per_s": round(lite.ours),
        "one_by_one_per_s": round(lite.one_by_one),
        "vs_one_by_one": round(lite.ours / lite.one_by_one, 1),
        "records_per_s_postgresql": round(pg.ours),
        "one_by_one_per_s_postgresql": round(pg.one_by_one),
        "vs_one_by_one_postgresql": round(pg.ours / pg.one_by_one, 1),
        "wire_share": round(wire_share(), 3),
    }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        results = bench(Path(folder), given.records, given.rounds)
    promises = [
        Promise("vs_one_by_one", ">=", 30),
        Promise("vs_one_by_one_postgresql", ">=", 12),
        Promise("wire_share", "<=", 1 / 3),
    ]
    return report(results, promises, as_json=given.json)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
