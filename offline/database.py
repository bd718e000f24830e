"""The SQL engine behind the store: the few calls we make, and what its errors mean to us.

The port exists so that the power-cut drill can run the same store on another binding of SQLite,
one whose file operations it controls. Nothing outside this module knows sqlite3.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from offline.errors import (
    StoreBroken,
    StoreBusy,
    StoreCorrupt,
    StoreError,
    StoreFull,
)

Value = str | int | float | bytes | None
Row = tuple[Value, ...]

CACHED_STATEMENTS = 256
"""Every statement of the write path stays prepared; there are fewer than a hundred."""

WAL_RESET_FIXED = (3, 51, 3)
"""Before it, a checkpoint racing a second connection's commit could corrupt the file."""


class Database(Protocol):
    """One connection in autocommit; transactions are begun and ended by statements."""

    def run(self, sql: str, values: Sequence[Value] = ()) -> int:
        """Execute one statement; how many rows it changed."""

    def run_many(self, sql: str, values: Sequence[Sequence[Value]]) -> None:
        """Execute one statement for each row of values."""

    def rows(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        """Execute one query; all its rows."""

    def in_transaction(self) -> bool:
        """Whether a transaction is open (SQLite ends some by itself after an error)."""

    def version(self) -> tuple[int, ...]:
        """The version of the SQLite underneath."""

    def close(self) -> None:
        """Close the connection."""


class SqliteDatabase:
    """The product's Database: Python's own sqlite3."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(
            path,
            isolation_level=None,
            check_same_thread=False,  # the store's lock serialises its callers
            cached_statements=CACHED_STATEMENTS,
            timeout=0,
        )

    def run(self, sql: str, values: Sequence[Value] = ()) -> int:
        try:
            return self._connection.execute(sql, values).rowcount
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise meaning(error) from error

    def run_many(self, sql: str, values: Sequence[Sequence[Value]]) -> None:
        try:
            self._connection.executemany(sql, values)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise meaning(error) from error

    def rows(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise meaning(error) from error

    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def version(self) -> tuple[int, ...]:
        return sqlite3.sqlite_version_info

    def close(self) -> None:
        self._connection.close()


def legible_rows(path: Path, table: str, key: str) -> list[Row]:
    """What can still be read of a table in a damaged file: from its front, then from its back.

    One damaged page in the middle costs the rows on it; between two of them all is lost.
    """
    found: dict[Row, None] = {}
    for direction in ("asc", "desc"):
        try:
            connection = sqlite3.connect(path, isolation_level=None)
            connection.text_factory = _legible
            order = ", ".join(f"{column} {direction}" for column in key.split(", "))
            for row in connection.execute(f"select * from {table} order by {order}"):
                found[row] = None
        except (sqlite3.Error, UnicodeDecodeError):
            continue
        finally:
            connection.close()
    return list(found)


def _legible(text: bytes) -> str:
    return text.decode("utf-8", "replace")


def meaning(error: Exception) -> StoreError | AssertionError:
    """What an error of SQLite says about our data. A broken constraint is a bug of ours.

    Texts of a damaged file may not be UTF-8: sqlite3 then fails in its own ways, without a code.
    """
    code = getattr(error, "sqlite_errorcode", None)
    if code is None and isinstance(error, sqlite3.OperationalError | UnicodeDecodeError):
        return StoreCorrupt("a text is not UTF-8")
    return meaning_of_code(None if code is None else code & 0xFF, type(error).__name__)


def meaning_of_code(primary: int | None, name: str) -> StoreError | AssertionError:
    """By SQLite's primary result code, which every binding knows; texts are never passed on."""
    match primary:
        case sqlite3.SQLITE_CONSTRAINT | sqlite3.SQLITE_MISUSE | sqlite3.SQLITE_MISMATCH | None:
            return AssertionError(f"the store was used wrongly: {name} {primary}")
        case sqlite3.SQLITE_ERROR | sqlite3.SQLITE_RANGE:
            return AssertionError(f"the store was asked nonsense: {name} {primary}")
        case sqlite3.SQLITE_FULL:
            return StoreFull("no room on the disk")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return StoreCorrupt("the database file is damaged")
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreBusy("another connection holds the database")
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return StoreBroken("the database cannot be opened or written: is it its user's own?")
    return StoreBroken(f"SQLite result {primary}: the disk failed")
