"""One SQLite file, one process, one connection; Store.transaction() is the only way to write.

Everything done in one transaction becomes durable together, with one sync, before the `with`
block ends; an exception inside it leaves nothing. WAL with synchronous=FULL and exclusive
locking: there is no second connection, hence no checkpoint race and no reader that holds the WAL.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from pathlib import Path
from threading import RLock
from types import TracebackType

from offline.clock import Clock
from offline.database import WAL_RESET_FIXED, Database, Row, SqliteDatabase, Value
from offline.errors import (
    KeyMismatch,
    StoreBroken,
    StoreBusy,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreTooNew,
    StoreUnsafe,
)
from offline.files import write_durably
from offline.migrations import MIGRATIONS
from offline.vault import Vault

PAGE_BYTES = 4096
"""Measured: half of it splits pages twice as often, twice of it copies more than it saves."""

PRAGMAS = (
    # (name, value set, answer wanted). The answer is fetched: a failed switch raises nothing.
    ("locking_mode", "exclusive", "exclusive"),
    ("journal_mode", "wal", "wal"),
    ("synchronous", "full", 2),  # NORMAL lost acknowledged commits in simulated power cuts
    ("secure_delete", "on", 1),
    ("foreign_keys", "on", 1),
    ("cache_size", "-32768", -32768),  # KiB: the paths to the newest rows stay in memory
    ("wal_autocheckpoint", "1000", 1000),  # pages: a WAL of about 4 MB
    ("journal_size_limit", "16777216", 16777216),  # bytes; S7: the WAL never stays above 16 MB
    ("temp_store", "memory", 2),  # sealed or not, nothing of ours goes to /tmp
)


class Reading:
    """A consistent look at the store; valid inside the `with` block that gave it."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self.vault = vault

    def rows(self, sql: str, *values: Value) -> list[Row]:
        """All rows of a query."""
        return self._database.rows(sql, values)

    def one(self, sql: str, *values: Value) -> Row | None:
        """The first row of a query, or None."""
        rows = self._database.rows(sql, values)
        return rows[0] if rows else None


class Transaction(Reading):
    """What belongs together and becomes durable together. `at_ms` is the moment it began."""

    def __init__(
        self, database: Database, vault: Vault, at_ms: int, memory: dict[str, object]
    ) -> None:
        self._database = database
        self.vault = vault
        self.at_ms = at_ms
        self._memory = memory
        self._added: dict[str, list[Sequence[Value]]] = {}

    def run(self, sql: str, *values: Value) -> int:
        """Execute one statement; how many rows it changed."""
        self.flush()
        return self._database.run(sql, values)

    def rows(self, sql: str, *values: Value) -> list[Row]:
        """All rows of a query."""
        self.flush()
        return self._database.rows(sql, values)

    def one(self, sql: str, *values: Value) -> Row | None:
        """The first row of a query, or None."""
        rows = self.rows(sql, *values)
        return rows[0] if rows else None

    def add(self, sql: str, *values: Value) -> None:
        """Insert a row, at the latest at the commit, and before anything is read or changed.

        Many rows of one kind go in together, which halves the work of a group of writers. A
        constraint that is broken shows only then; nothing is written in any case.
        """
        rows = self._added.get(sql)
        if rows is None:
            self._added[sql] = [values]
        else:
            rows.append(values)

    def flush(self) -> None:
        """Put in what add() kept; the statements in the order of their first use."""
        if self._added:
            added, self._added = self._added, {}
            for sql, values in added.items():
                if len(values) == 1:
                    self._database.run(sql, values[0])
                else:
                    self._database.run_many(sql, values)

    def remember(self, name: str, value: object) -> None:
        """Keep what was last written, to spare the next transaction a query."""
        self._memory[name] = value

    def recall(self, name: str) -> object:
        """What remember() kept; None at first, and after any rollback."""
        return self._memory.get(name)


class _Writing:
    """The `with` block of Store.transaction(): a class, since every payment step pays for it."""

    __slots__ = ("_store", "_tx")

    def __init__(self, store: Store) -> None:
        self._store = store

    def __enter__(self) -> Transaction:
        self._tx = self._store.begin()
        return self._tx

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._store.end(self._tx, error)


class Store:
    """The open store. Safe to share between threads: they take turns."""

    def __init__(self, path: Path, database: Database, sealing: Vault, clock: Clock) -> None:
        self.path = path
        self.vault = sealing
        self.clock = clock
        self._database = database
        self._lock_file: int | None = None
        self._turn = RLock()
        self._inside = False
        self._broken = False
        self._checked = False
        self._memory: dict[str, object] = {}

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        sealing: Vault,
        clock: Clock,
        connect: Callable[[Path], Database] = SqliteDatabase,
        migrations: Sequence[Sequence[str]] = MIGRATIONS,
        check: bool = True,
    ) -> Store:
        """Lock, check and migrate the file at path, creating it on first start.

        A year's records take a moment to check: with check=False the store opens in milliseconds
        and check() must pass before the first payment.
        Raises StoreBusy, StoreUnsafe, StoreTooNew, StoreCorrupt or KeyMismatch; the file is then
        as it was found.
        """
        lock_file = take_lock(path)
        database: Database | None = None
        try:
            database = connect(path)
            store = cls(path, database, sealing, clock)
            store._prepare(migrations, check)
        except BaseException:
            try:
                if database is not None:
                    database.close()
            finally:
                os.close(lock_file)
            raise
        store._lock_file = lock_file
        return store

    def close(self) -> None:
        """Fold the WAL in and let go of the file."""
        with self._turn:
            try:
                self._database.close()
            finally:
                if self._lock_file is not None:
                    os.close(self._lock_file)
                    self._lock_file = None

    @property
    def broken(self) -> bool:
        """True after an I/O error: nothing more is written until the store is opened again."""
        return self._broken

    def transaction(self) -> AbstractContextManager[Transaction]:
        """All or nothing, durable when the block ends. Raises StoreFull or StoreBroken."""
        return _Writing(self)

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """A look that no other thread's write interrupts. Keep it short: writers wait."""
        with self._turn:
            try:
                yield Reading(self._database, self.vault)
            except StoreCorrupt:
                self._suspect()
                raise

    @property
    def checked(self) -> bool:
        """Whether check() has passed since the store was opened."""
        return self._checked

    def check(self) -> None:
        """Read every table once. Raises StoreCorrupt; between tables the others get their turn."""
        with self.reading() as reading:
            tables = reading.rows("select name from sqlite_master where type = 'table'")
        for (table,) in tables:
            with self._turn:
                try:
                    sound = self._database.rows(f"pragma quick_check({table!s})") == [("ok",)]
                except StoreCorrupt:
                    sound = False
                if not sound:
                    self._suspect()  # or a start that does not check would open it again and again
                    raise StoreCorrupt("quick_check found damage")
        self._checked = True

    def check_whole(self) -> None:
        """As check(), with every index held against its table. Raises StoreCorrupt; nightly."""
        with self._turn:
            if self._database.rows("pragma integrity_check(1)") != [("ok",)]:
                self._suspect()
                raise StoreCorrupt("integrity_check found damage")

    def fold(self) -> None:
        """Checkpoint and empty the WAL, so that deleted bytes are gone from the disk too."""
        with self._turn:
            assert not self._inside, "a checkpoint inside a transaction"
            self._database.rows("pragma wal_checkpoint(truncate)")

    def _suspect(self) -> None:
        """Damage was seen: leave word for the next start, which will mend (mend.py)."""
        self._broken = True
        write_durably(suspect_mark(self.path), b"damage was seen\n")

    def begin(self) -> Transaction:
        """Take the turn and begin; ended by end(). Callers use transaction()."""
        self._turn.acquire()
        try:
            assert not self._inside, "a transaction inside a transaction"
            if self._broken:
                raise StoreBroken("an earlier write failed; open the store again")
            try:
                self._database.run("begin immediate")
            except StoreError as error:
                self._undo(error)
                raise
        except BaseException:
            self._turn.release()
            raise
        self._inside = True
        return Transaction(self._database, self.vault, self.clock.wall_ms(), self._memory)

    def end(self, tx: Transaction, error: BaseException | None) -> None:
        """Commit, or roll back because of error, and let the next one in."""
        try:
            if error is None:
                tx.flush()
                self._database.run("commit")
            else:
                self._undo(error)
        except (StoreError, AssertionError) as fault:
            self._undo(fault)
            raise
        finally:
            self._inside = False
            self._turn.release()

    def _undo(self, error: BaseException) -> None:
        """Roll back; after anything but a full disk or a bug of ours, trust this handle no more."""
        self._memory.clear()
        self.vault.forget_keys()
        if isinstance(error, StoreError) and not isinstance(error, StoreFull):
            self._broken = True
        if isinstance(error, StoreCorrupt):
            self._suspect()
        try:
            if self._database.in_transaction():
                self._database.run("rollback")
        except StoreError:
            self._broken = True

    def _prepare(self, migrations: Sequence[Sequence[str]], check: bool) -> None:
        self._database.rows(f"pragma page_size={PAGE_BYTES}")  # heeded when the file is made
        for name, value, wanted in PRAGMAS:
            self._database.rows(f"pragma {name}={value}")
            found = self._database.rows(f"pragma {name}")
            if not found or found[0][0] != wanted:
                raise StoreUnsafe(f"SQLite did not accept {name}={value}")
        if check:
            self.check()
        refuse_unsafe(self._database.version(), self._exclusive())
        self._migrate(migrations)
        self._check_key()

    def _exclusive(self) -> bool:
        return self._database.rows("pragma locking_mode")[0][0] == "exclusive"

    def _migrate(self, migrations: Sequence[Sequence[str]]) -> None:
        [(version,)] = self._database.rows("pragma user_version")
        assert isinstance(version, int)
        if version > len(migrations):
            raise StoreTooNew(f"schema {version}, this software knows {len(migrations)}")
        for number in range(version, len(migrations)):
            with self.transaction() as tx:
                for statement in migrations[number]:
                    tx.run(statement)
                tx.run(f"pragma user_version={number + 1}")
                tx.run("insert or replace into settings values ('schema', ?)", schema_hash(tx))
        with self.reading() as reading:
            if reading.one("select value from settings where name = 'schema'") != (
                schema_hash(reading),
            ):
                raise StoreCorrupt("the schema is not the one that was made")

    def _check_key(self) -> None:
        """The key file must be this store's: with another one every sealed field is lost."""
        with self.transaction() as tx:
            found = tx.one("select value from settings where name = 'master_key'")
            if found is None:
                tx.run("insert into settings values ('master_key', ?)", self.vault.key_id)
            elif found[0] != self.vault.key_id:
                raise KeyMismatch("this key file belongs to another store")


def schema_hash(reading: Reading) -> str:
    """Of the statements that made the tables: quick_check does not notice a column renamed."""
    rows = reading.rows("select type, name, tbl_name, sql from sqlite_master order by name")
    return sha256(repr(rows).encode()).hexdigest()


def suspect_mark(path: Path) -> Path:
    """The file that says the store at path was found damaged while it was in use."""
    return path.with_name(path.name + ".suspect")


def refuse_unsafe(version: Sequence[int], exclusive: bool) -> None:
    """StoreUnsafe when this SQLite has the WAL-reset bug and could meet a second writer."""
    if tuple(version) < WAL_RESET_FIXED and not exclusive:
        raise StoreUnsafe("this SQLite corrupts a WAL that two connections write")


def take_lock(path: Path) -> int:
    """Hold `path`.lock until the descriptor is closed or the process ends; else StoreBusy."""
    descriptor = os.open(
        path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
    )
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise StoreBusy("another process holds this store") from None
    return descriptor
