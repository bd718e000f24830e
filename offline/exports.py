"""Sealed exports of a store, listed when they are made, so that erasing a person reaches them.

Rule: listed before its first byte and never struck off: a copy may have been carried away. Only an
export of this very store is destroyed; what another store left may be the last that it wrote.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from offline.files import destroy
from offline.gates import fingerprint
from offline.settings import Settings
from offline.store import Store, Transaction

LIST = "exports"


@dataclass(frozen=True)
class Listed:
    """`fingerprint` empty: it was begun, and whether it was finished nobody has told."""

    name: str
    fingerprint: str


class Exports:
    """Those of one store, in the folder beside it."""

    def __init__(self, store: Store) -> None:
        self._settings = Settings(store)
        self.folder = store.path.parent / "exports"

    def listed(self) -> tuple[Listed, ...]:
        """All that were ever made of this store, oldest first."""
        return tuple(Listed(*one) for one in json.loads(self._settings.get(LIST) or "[]"))

    def begin(self, tx: Transaction, listed: tuple[Listed, ...], name: str) -> None:
        """Before the export is written; `listed` as it stands."""
        self._set(tx, (*listed, Listed(name, "")))

    def finish(self, tx: Transaction, listed: tuple[Listed, ...], name: str) -> None:
        """It is whole: by this fingerprint every copy is known."""
        mark = fingerprint(self.folder / name)
        self._set(tx, tuple(Listed(name, mark) if one.name == name else one for one in listed))

    def _set(self, tx: Transaction, listed: tuple[Listed, ...]) -> None:
        told = [[one.name, one.fingerprint] for one in listed]
        self._settings.set(tx, LIST, json.dumps(told))

    def here(self) -> tuple[Path, ...]:
        """Of this store, still in the folder: nothing is in them that the store has not."""
        paths = (self.folder / one.name for one in self.listed())
        return tuple(path for path in paths if path.exists())

    def strange(self) -> tuple[str, ...]:
        """Names of exports in the folder that this store did not make."""
        known = {one.name for one in self.listed()}
        found = self.folder.glob("*") if self.folder.is_dir() else ()
        return tuple(sorted(path.name for path in found if path.name not in known))

    def drop(self) -> None:
        """Destroy those of this store."""
        for path in self.here():
            destroy(path)
