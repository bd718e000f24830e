"""One database, SQLite or PostgreSQL by URL; every change is one durable transaction.

SQLite runs with WAL and synchronous=FULL and takes its write lock at BEGIN, so that a transaction
never fails half-way for want of it. A commit whose outcome is not known is said to be just that.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from psycopg import Error as PostgresError
from sqlalchemy import (
    Column,
    Connection,
    CursorResult,
    Engine,
    MetaData,
    Table,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError, TimeoutError

BUSY_TIMEOUT_MS = 10_000  # another process (a command, a backup) may hold SQLite's write lock
POOL_CONNECTIONS = 40  # as many as the gateway has threads, and some for its commands and pages
POOL_WAIT_S = 10.0  # for one of them to come free
CONNECT_S = 4  # a machine that is off refuses nothing, it just never answers
ANSWER_MS = 15_000  # what was sent to PostgreSQL must be received by then, or the line is dead
IDLE_IN_TRANSACTION_S = 60  # a gateway that froze or lost its line frees its locks after so long
RESTED_S = 2.0
WAL_PAGES = 4000  # 16 MB before it is folded back; each folding costs three syncs
_SCHEMA_LOCK = 70_115_001  # any number: two gateways must not create tables at the same time


class StoreAway(Exception):
    """The database cannot be reached; nothing of this transaction was done."""


class CommitUnknown(Exception):
    """The commit was sent and its answer did not come: done or not done, ask by the key."""


class Store:
    """Transactions on one database. `url`: sqlite:///PATH or postgresql+psycopg://…"""

    def __init__(self, url: str, pool_wait_s: float = POOL_WAIT_S) -> None:
        self.engine = _engine(url, pool_wait_s)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        # SQLite's own lock is polled with growing pauses; within this process a queue is fairer.
        self._writer = threading.Lock() if self.is_sqlite else None

    def create(self, *schemas: MetaData) -> None:
        """Make the tables that are not there yet; safe when several gateways start together."""
        with self.writing() as connection:
            self.alone(connection)
            for schema in schemas:
                schema.create_all(connection)

    def alone(self, connection: Connection) -> None:
        """Until this transaction ends, no other one that asks for the same goes on."""
        if not self.is_sqlite:  # SQLite's transaction holds the write lock from its beginning
            connection.execute(text(f"select pg_advisory_xact_lock({_SCHEMA_LOCK})"))

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that commits at the end, or is undone whole by any exception.

        StoreAway when it could not begin for BUSY_TIMEOUT_MS, since others were writing.
        """
        if self._writer is None:
            with self._transaction(reading=False) as connection:
                yield connection
            return
        if not self._writer.acquire(timeout=BUSY_TIMEOUT_MS / 1000):
            raise StoreAway
        try:
            with self._transaction(reading=False) as connection:
                yield connection
        finally:
            self._writer.release()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One view of the data, whoever commits meanwhile; takes no write lock."""
        with self._transaction(reading=True) as connection:
            yield connection

    def forget_erased(self, table: Table) -> None:
        """Let go of the bytes that were overwritten: SQLite's WAL, PostgreSQL's old row versions.

        Outside any transaction. StoreAway.
        """
        sql = "pragma wal_checkpoint(truncate)" if self.is_sqlite else f"vacuum {table.name}"
        bare = {"kiosk_bare": True} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        try:
            with self.engine.connect().execution_options(**bare) as connection:
                connection.exec_driver_sql(sql)
        except DBAPIError as fault:
            raise StoreAway from fault

    @contextmanager
    def _transaction(self, *, reading: bool) -> Iterator[Connection]:
        options: dict[str, Any] = {"kiosk_reading": reading}
        if reading and not self.is_sqlite:  # SQLite's transactions have one view always
            options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        try:
            raw = self.engine.connect()
        except (DBAPIError, TimeoutError) as fault:
            raise StoreAway from fault
        with raw.execution_options(**options) as connection:
            try:
                with _undone_on_error(connection):
                    yield connection
            except OperationalError as fault:
                raise StoreAway from fault
            try:
                connection.commit()
            except DBAPIError as fault:
                raise CommitUnknown from fault

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def _undone_on_error(connection: Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        try:
            connection.rollback()
        except DBAPIError:
            connection.invalidate()
        raise


def insert_new(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> int:
    """Insert the rows whose keys are not there yet; how many of them were new."""
    if not rows:
        return 0
    statement = _ignoring_known(connection, table)
    counting = {"preserve_rowcount": True}  # SQLAlchemy drops the count of an INSERT otherwise
    return int(connection.execute(statement, list(rows), execution_options=counting).rowcount)


def bulk_new(
    connection: Connection, table: Table, names: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> int:
    """As insert_new, for many rows of one shape: by the driver, without a look at each value."""
    if not rows:
        return 0
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" for _ in names)
        sql = f"insert into {table.name} ({', '.join(names)}) values ({marks})"
        return _count(connection.exec_driver_sql(f"{sql} on conflict do nothing", list(rows)))
    dialect = connection.dialect
    types = (table.c[name].type.compile(dialect=dialect) for name in names)
    arrays = ", ".join(f"%s::{kind}[]" for kind in types)
    sql = f"insert into {table.name} ({', '.join(names)}) select * from unnest({arrays})"
    columns = tuple(list(column) for column in zip(*rows, strict=True))
    return _count(connection.exec_driver_sql(f"{sql} on conflict do nothing", columns))


def _count(result: CursorResult[Any]) -> int:
    return int(result.rowcount)


def insert_returning(
    connection: Connection, table: Table, rows: Sequence[dict[str, Any]], column: Column[Any]
) -> list[Any]:
    """As insert_new; gives the `column` of each row that was new."""
    if not rows:
        return []
    statement = _ignoring_known(connection, table).returning(column)
    return list(connection.execute(statement, list(rows)).scalars())


def _ignoring_known(connection: Connection, table: Table) -> Any:
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()


def _engine(url: str, pool_wait_s: float) -> Engine:
    if not url.startswith("sqlite"):
        made = create_engine(
            url,
            pool_size=POOL_CONNECTIONS,
            max_overflow=0,
            pool_timeout=pool_wait_s,
            hide_parameters=True,  # an error text must not quote a patient's data
            connect_args=_limits(url),
        )
        event.listen(made, "checkout", _look_when_rested)
        return made
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=POOL_CONNECTIONS,
        max_overflow=0,
        pool_timeout=pool_wait_s,
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _limits(url: str) -> dict[str, Any]:
    """Ends to waiting for PostgreSQL, in libpq's names; what the URL itself says goes first.

    None for a statement: a vacuum or an index may take its time.
    """
    limits = {
        "connect_timeout": CONNECT_S,
        "keepalives_idle": 5,
        "keepalives_interval": 3,
        "keepalives_count": 3,
        "tcp_user_timeout": ANSWER_MS,
        "options": f"-c lock_timeout={BUSY_TIMEOUT_MS}"
        f" -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_S * 1000}",
    }
    said = make_url(url).query
    return {name: value for name, value in limits.items() if name not in said}


def _look_when_rested(connection: Any, record: Any, _proxy: Any) -> None:
    """A connection that rested may have died meanwhile; one just used need not be asked again."""
    now_s = time.monotonic()
    if now_s - record.info.get("used_s", 0.0) > RESTED_S:
        try:
            connection.execute("select 1")
            connection.rollback()
        except PostgresError as fault:
            raise DisconnectionError from fault  # the pool tries another one
    record.info["used_s"] = now_s


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours, see _begin_sqlite
    mode = connection.execute("pragma journal_mode=wal").fetchone()[0]
    assert mode == "wal", f"SQLite answered {mode} to journal_mode=wal"
    connection.execute("pragma synchronous=full")
    connection.execute("pragma secure_delete=on")
    connection.execute(f"pragma wal_autocheckpoint={WAL_PAGES}")
    connection.execute("pragma foreign_keys=on")


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("kiosk_bare", False):
        return  # a checkpoint runs in no transaction
    reading = options.get("kiosk_reading", False)
    connection.exec_driver_sql("begin" if reading else "begin immediate")
