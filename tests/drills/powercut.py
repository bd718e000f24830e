"""Power cuts at every write: nothing acknowledged is lost, nothing is half there.

    python -m tests.drills.powercut --cuts 100000 [--seed S] [--json]

A story of all operations of the store runs on files in memory (powerfail.py) until the power
fails; what the disk may then hold is opened again and must be the state after the last
acknowledged step, or after the one that was under way. Creating the store and every later
migration are part of the story.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from pathlib import Path
from random import Random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from offline.audit import Audit
from offline.catalogue import Catalogue
from offline.clock import Clock
from offline.errors import StoreError
from offline.journal import Journal, State
from offline.leases import Lease, LeasedNumber, Leases
from offline.migrations import MIGRATIONS
from offline.outbox import Accepted, Outbox, Refused
from offline.retention import Keep, Retention
from offline.store import Store
from offline.vault import Vault
from tests.bench.report import Promise, report
from tests.drills.powerfail import KINDS, ApswDatabase, Disk, MemoryFiles, PowerFailed

CHECKPOINT_PAGES = "6"
"""Small, so that a cut often hits a checkpoint."""

MUTANTS: Mapping[str, Mapping[str, str]] = {
    "none": {},
    "synchronous_normal": {"synchronous": "normal"},
    "synchronous_off": {"synchronous": "off"},
    "journal_in_memory": {"journal_mode": "memory"},
}

UPGRADE = (
    "alter table payments add column business_date text",
    "update payments set business_date = '2026-01-01'",
    "create table seen (reference text primary key, at integer) without rowid",
    "insert into seen select reference, opened_at from payments",
    "create index seen_at on seen (at)",
)
"""A migration as the next version may bring it, over a store that is in use."""

NAMES = count()
SIGNING_KEY = Ed25519PrivateKey.from_private_bytes(b"\2" * 32)
CATALOGUE = Catalogue.read()


@dataclass
class Life:
    """One store on one disk, and how many steps it has acknowledged."""

    folder: Path
    disk: Disk
    overrides: Mapping[str, str]
    seed: int
    migrations: tuple[tuple[str, ...], ...] = MIGRATIONS
    acknowledged: int = -1
    store: Store | None = None
    _files: MemoryFiles | None = None

    def open(self) -> Store:
        if self._files is None:
            self._files = MemoryFiles(f"memory-{next(NAMES)}", self.disk)
        files = self._files
        chance = Random(self.seed + len(self.disk.durable))
        self.store = Store.open(
            self.folder / "kiosk.db",
            sealing=Vault(b"\1" * 32, random_bytes=chance.randbytes),
            clock=Clock(lambda: 1.8e9, lambda: 5.0, "boot"),
            connect=lambda path: ApswDatabase(path, files, self.overrides),
            migrations=self.migrations,
        )
        return self.store

    def end(self) -> None:
        """Let go of everything without a word to the disk."""
        self.disk.off = True
        if self.store is not None:
            with suppress(StoreError, PowerFailed):
                self.store.close()
        if self._files is not None:
            self._files.unregister()


Step = Callable[[Life], None]


def story(seed: int) -> list[Step]:
    """All that the store can do, in a random order that makes sense."""
    chance = Random(seed)
    steps: list[Step] = [_open]
    for number in range(5):
        reference = f"R{number}"
        steps += [_paid(reference, state) for state in (None, State.SENT, State.PAID)]
        extra = [_settle_records, _restart, _lease(number), _fold, _purge, _witness]
        steps += chance.sample(extra, 2)
        steps += [_paid(reference, state) for state in (State.BOOKING, State.SETTLED)]
    steps += [_erase, _upgrade, _paid_after_upgrade, _fold, _restart]
    return steps


def _open(life: Life) -> None:
    life.open()


def _restart(life: Life) -> None:
    assert life.store is not None
    life.store.close()
    life.open()


def _upgrade(life: Life) -> None:
    life.migrations = (*MIGRATIONS, UPGRADE)
    _restart(life)


def _paid_after_upgrade(life: Life) -> None:
    store, journal, _, _ = _rooms(life)
    with store.transaction() as tx:
        journal.noted(tx, "R1", b"late answer")
        tx.run("insert into seen values ('R9', 1)")


def _rooms(life: Life) -> tuple[Store, Journal, Outbox, Audit]:
    store = life.store
    assert store is not None
    return store, Journal(store), Outbox(store), Audit(store, SIGNING_KEY, CATALOGUE)


def _paid(reference: str, state: State | None) -> Step:
    def step(life: Life) -> None:
        store, journal, outbox, audit = _rooms(life)
        person = store.vault.pseudonym(reference[:2])
        with store.transaction() as tx:
            if state is None:
                journal.open_payment(
                    tx, reference, kind="card", amount_fen=1, subject=b"s" * 300, person=person
                )
            else:
                journal.moved(tx, reference, state, b"e" * 50)
            key = f"{reference}-{state}"
            outbox.queue(tx, key, kind="payment", body=b"b" * 700, person=person)
            audit.append(tx, "payment_moved", reference=reference, state=str(state).lower())

    return step


def _settle_records(life: Life) -> None:
    store, _, outbox, _ = _rooms(life)
    taken = outbox.take(4)
    verdicts = [Accepted(), Refused("no"), Accepted(), Accepted()]
    with store.transaction() as tx:
        outbox.answered_all(tx, list(zip([r.key for r in taken], verdicts, strict=False)))


def _lease(number: int) -> Step:
    def step(life: Life) -> None:
        store = _rooms(life)[0]
        numbers = tuple(LeasedNumber(f"{n}", b"x" * 60) for n in range(8))
        with store.transaction() as tx:
            Leases(store).granted(tx, Lease(f"L{number}", "pool", 2**45, numbers))
            Leases(store).take(tx, "pool", taken_for=f"op{number}", now_ms=0)

    return step


def _fold(life: Life) -> None:
    _rooms(life)[0].fold()


def _purge(life: Life) -> None:
    store = _rooms(life)[0]
    with store.transaction() as tx:
        Retention(store, [Keep("payment", -1)]).purge(tx)


def _witness(life: Life) -> None:
    store, _, outbox, audit = _rooms(life)
    with store.transaction() as tx:
        audit.witness(tx, outbox)


def _erase(life: Life) -> None:
    store = _rooms(life)[0]
    with store.transaction() as tx:
        store.vault.destroy(tx, store.vault.pseudonym("R0"))


def digest(store: Store) -> str:
    """A hash over every row of every table."""
    hashed = sha256()
    with store.reading() as reading:
        tables = reading.rows("select name from sqlite_master where type = 'table' order by name")
        for (table,) in tables:
            hashed.update(repr((table, reading.rows(f"select * from {table}"))).encode())
    return hashed.hexdigest()


def lived(life: Life, steps: list[Step], digests: list[str] | None = None) -> None:
    """Run the story, counting acknowledged steps, until it ends or the power does."""
    for number, step in enumerate(steps):
        step(life)
        life.acknowledged = number
        if digests is not None:
            assert life.store is not None
            digests.append(digest(life.store))


@dataclass
class Tally:
    cuts: int = 0
    acknowledged_lost: int = 0
    corrupt: int = 0
    half_there: int = 0

    def add(self, verdict: str) -> None:
        self.cuts += 1
        if verdict != "whole":
            setattr(self, verdict, getattr(self, verdict) + 1)


class Drill:
    """One story at a time: once whole, to know its states; then cut many times."""

    def __init__(self, folder: Path, overrides: Mapping[str, str], seed: int) -> None:
        self._folder = folder
        self._overrides = {"wal_autocheckpoint": CHECKPOINT_PAGES, **overrides}
        self._seed = seed
        self._chance = Random(seed)
        self._steps = story(seed)
        self._digests: list[str] = []
        whole = self._life(Disk())
        lived(whole, self._steps, self._digests)
        self.operations = whole.disk.operations
        whole.end()

    def _life(self, disk: Disk) -> Life:
        return Life(self._folder, disk, self._overrides, self._seed)

    def _survivor(self, life: Life, kind: str) -> Life:
        image = life.disk.image(kind, self._chance)
        seen = {name: bytearray(data) for name, data in image.items()}
        survivor = self._life(Disk(durable=image, seen=seen))
        survivor.migrations = life.migrations
        return survivor

    def cut(self, at: int, tally: Tally) -> None:
        """The power fails before operation `at`; every kind of image is opened again."""
        life = self._life(Disk(fails_at=at))
        with suppress(StoreError, PowerFailed):
            lived(life, self._steps)
        life.end()
        for kind in KINDS:
            verdict = self._reopened(self._survivor(life, kind), life.acknowledged)
            tally.add(verdict)
            if verdict != "whole":
                print(f"{verdict}: story {self._seed}, operation {at}, un-synced changes {kind}")

    def _reopened(self, life: Life, acknowledged: int) -> str:
        try:
            store = life.open()
            with store.reading() as reading:
                sound = reading.one("pragma integrity_check") == ("ok",)
            found = digest(store)
        except (StoreError, AssertionError):
            return "corrupt"
        finally:
            life.end()
        if not sound:
            return "corrupt"
        if found in self._digests[max(acknowledged, 0) : acknowledged + 2]:
            return "whole"
        return "acknowledged_lost" if found in self._digests else "half_there"


def run(cuts: int, seed: int, mutant: str) -> Tally:
    """So many cuts, over one random story after another."""
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="powercut-") as name:
        for number in count():
            drill = Drill(Path(name), MUTANTS[mutant], seed * 1_000_003 + number)
            points = list(range(1, drill.operations + 1))
            for at in Random(f"{seed}/{number}").sample(points, min(len(points), 400)):
                if tally.cuts >= cuts:
                    return tally
                drill.cut(at, tally)
    raise AssertionError("unreachable")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutant", choices=tuple(MUTANTS), default="none")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    tally = run(options.cuts, options.seed, options.mutant)
    results = {**vars(tally), "seconds": round(time.monotonic() - began, 1)}
    keys = ("acknowledged_lost", "corrupt", "half_there")
    return report(results, [Promise(key, "==", 0) for key in keys], as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
