"""A store in a folder of its own, with time and chance in the test's hand.

Rule: nothing is replaced by a stand-in but the clock, the random bytes and, where a test says so,
the moment at which the process dies.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from offline.audit import Audit
from offline.clock import Clock
from offline.database import Database, Row, SqliteDatabase, Value
from offline.journal import Journal
from offline.outbox import Outbox
from offline.store import Store
from offline.vault import Vault

IN_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Where tests keep their stores: a sync costs nothing there. Power loss is the drills' matter."""

START_MS = 1_767_225_600_000
"""2026-01-01 00:00 UTC."""

ZHANG = "11010519491231002X"
"""The example number of GB 11643-1999."""

LI = "440524188001010014"
"""The second example number of GB 11643-1999."""


@dataclass
class HandClock:
    """Time as the test sets it: wall and boot clock, and the boot they count from."""

    wall_ms: int = START_MS
    boot_ms: int = 5_000
    boot_id: str = "boot-1"

    def pass_ms(self, ms: int) -> None:
        """Time goes on for both clocks."""
        self.wall_ms += ms
        self.boot_ms += ms

    def reboot(self) -> None:
        """A new boot: its clock starts again."""
        self.boot_ms = 1_000
        self.boot_id = f"boot-{int(self.boot_id.split('-')[1]) + 1}"

    def clock(self) -> Clock:
        """As the store takes it; boot_id is fixed at opening, as on a real machine."""
        return Clock(lambda: self.wall_ms / 1000, lambda: self.boot_ms / 1000, self.boot_id)


@dataclass
class World:
    """One terminal's folder; open() and kill() as often as the test likes."""

    folder: Path
    time: HandClock = field(default_factory=HandClock)
    chance: Random = field(default_factory=lambda: Random(1))
    _open: list[Store] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return self.folder / "kiosk.db"

    def vault(self) -> Vault:
        return Vault.open(
            self.folder / "master.key",
            random_bytes=self.chance.randbytes,
            create=not self.path.exists(),
        )

    def open(self, connect: Callable[[Path], Database] = SqliteDatabase) -> Store:
        """Open the store as the core does."""
        store = Store.open(
            self.path, sealing=self.vault(), clock=self.time.clock(), connect=connect
        )
        self._open.append(store)
        return store

    def audit(self, store: Store) -> Audit:
        key = self.folder / "audit.key"
        return Audit.open(store, key, random_bytes=self.chance.randbytes, create=not key.exists())

    def after_kill(self, folder: Path) -> World:
        """A copy of what the disk holds now: what a start finds after SIGKILL at this moment."""
        shutil.copytree(self.folder, folder)
        return World(folder, self.time, self.chance)

    def close(self) -> None:
        for store in self._open:
            store.close()
        self._open.clear()

    def bytes_on_disk(self) -> bytes:
        """Everything the database's files hold, without the keys."""
        names = sorted(self.folder.glob("kiosk.db*"))
        return b"".join(name.read_bytes() for name in names)


class ProcessDied(BaseException):
    """Nothing after this line of the program ran."""


class DyingDatabase:
    """A real connection; before its n-th statement the process dies and nothing runs any more."""

    def __init__(self, path: Path, statements_left: int) -> None:
        self._database = SqliteDatabase(path)
        self.left = statements_left

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise ProcessDied

    def run(self, sql: str, values: Sequence[Value] = ()) -> int:
        self._count()
        return self._database.run(sql, values)

    def run_many(self, sql: str, values: Sequence[Sequence[Value]]) -> None:
        for row in values:
            self.run(sql, row)

    def rows(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        self._count()
        return self._database.rows(sql, values)

    def in_transaction(self) -> bool:
        return self.left >= 0 and self._database.in_transaction()

    def version(self) -> tuple[int, ...]:
        return self._database.version()

    def close(self) -> None:
        self._database.close()


@dataclass(frozen=True)
class Rooms:
    """The store and what is kept in it."""

    store: Store
    journal: Journal
    outbox: Outbox
    audit: Audit


def rooms(world: World, store: Store) -> Rooms:
    return Rooms(store, Journal(store), Outbox(store), world.audit(store))
