"""Small facts by name that must survive a restart: identifiers, versions, floors, counters."""

from __future__ import annotations

from offline.store import Store, Transaction

PREFIX = "own/"
"""Keeps callers' names apart from the counters of the store itself."""


class Settings:
    """Text values and dense counters. Nothing personal: these are not sealed."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, name: str) -> str | None:
        """The value, or None if it was never set."""
        with self._store.reading() as reading:
            row = reading.one("select value from settings where name = ?", PREFIX + name)
        return None if row is None else str(row[0])

    def set(self, tx: Transaction, name: str, value: str) -> None:
        """Replace the value."""
        tx.run("insert or replace into settings values (?, ?)", PREFIX + name, value)

    def next_number(self, tx: Transaction, name: str) -> int:
        """1, 2, 3 …: never the same twice, once the transaction is durable."""
        stored = f"count/{name}"
        tx.run(
            "insert into settings values (?, 1) on conflict (name) do update set value = value + 1",
            stored,
        )
        row = tx.one("select value from settings where name = ?", stored)
        assert row is not None and isinstance(row[0], int)
        return row[0]
