"""Files in memory that lose power: what was written but not synced may be gone, torn, reordered.

An SQLite file system for APSW. Every write, truncation and sync is one operation; before the n-th
the power fails, and from then on nothing works. images() then gives folders as a disk might hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import apsw

from offline.database import Row, Value, meaning_of_code
from offline.store import PRAGMAS

SECTOR_BYTES = 512
"""What a disk writes whole; a write is torn only between sectors."""

WANTED = {name: wanted for name, _, wanted in PRAGMAS}


class PowerFailed(Exception):
    """The machine is off."""


@dataclass(frozen=True)
class Change:
    """A write (data at offset), or a truncation (data None: the file ends at offset)."""

    name: str
    offset: int
    data: bytes | None

    def apply(self, image: bytearray) -> None:
        if self.data is None:
            del image[self.offset :]
            return
        if len(image) < self.offset:
            image.extend(bytes(self.offset - len(image)))
        image[self.offset : self.offset + len(self.data)] = self.data

    def torn(self, chance: Random) -> Change:
        """Only its first sectors reached the disk."""
        if self.data is None:
            return self
        sectors = len(self.data) // SECTOR_BYTES
        return Change(self.name, self.offset, self.data[: chance.randint(0, sectors) * 512])


@dataclass
class Disk:
    """What was promised to be on the disk, what programs see, and the changes in between."""

    fails_at: int = -1
    operations: int = 0
    durable: dict[str, bytearray] = field(default_factory=dict)
    seen: dict[str, bytearray] = field(default_factory=dict)
    pending: list[Change] = field(default_factory=list)
    off: bool = False

    def operate(self) -> None:
        """Count one operation; raise PowerFailed when it is the last."""
        if self.off:
            raise PowerFailed
        self.operations += 1
        if self.operations == self.fails_at:
            self.off = True
            raise PowerFailed

    def change(self, change: Change) -> None:
        self.operate()
        change.apply(self.seen[change.name])
        self.pending.append(change)

    def sync(self, name: str) -> None:
        self.operate()
        self.durable[name] = bytearray(self.seen[name])
        self.pending = [change for change in self.pending if change.name != name]

    def delete(self, name: str) -> None:
        self.operate()
        self.seen.pop(name, None)
        self.durable.pop(name, None)
        self.pending = [change for change in self.pending if change.name != name]

    def image(self, kind: str, chance: Random) -> dict[str, bytearray]:
        """What the next start finds: `kind` says how the un-synced changes fared."""
        fate = _fate(kind, self.pending, chance)
        found = {name: bytearray(content) for name, content in self.durable.items()}
        for change in fate:
            change.apply(found.setdefault(change.name, bytearray()))
        return found


KINDS = ("dropped", "kept", "some", "torn", "reordered")


def _fate(kind: str, pending: Sequence[Change], chance: Random) -> list[Change]:
    match kind:
        case "dropped":
            return []
        case "kept":
            return list(pending)
        case "some":
            return [change for change in pending if chance.random() < 0.5]
        case "torn":
            upto = chance.randint(0, len(pending))
            last = [change.torn(chance) for change in pending[upto : upto + 1]]
            return [*pending[:upto], *last]
    assert kind == "reordered"
    some = [change for change in pending if chance.random() < 0.7]
    chance.shuffle(some)
    return some


class MemoryFile:
    """One open file of a Disk, as SQLite sees it."""

    def __init__(self, disk: Disk, name: str) -> None:
        self._disk, self._name = disk, name
        self.excepthook = None

    def xRead(self, amount: int, offset: int) -> bytes:
        return bytes(self._disk.seen[self._name][offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.change(Change(self._name, offset, bytes(data)))

    def xTruncate(self, size: int) -> None:
        self._disk.change(Change(self._name, size, None))

    def xSync(self, flags: int) -> None:
        self._disk.sync(self._name)

    def xFileSize(self) -> int:
        return len(self._disk.seen[self._name])

    def xSectorSize(self) -> int:
        return 4096

    def xDeviceCharacteristics(self) -> int:
        return int(apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE)

    def xFileControl(self, op: int, pointer: int) -> bool:
        return False

    def xLock(self, level: int) -> None: ...

    def xUnlock(self, level: int) -> None: ...

    def xCheckReservedLock(self) -> bool:
        return False

    def xClose(self) -> None: ...


class MemoryFiles(apsw.VFS):  # type: ignore[misc]
    """The file system SQLite is given; keep the object as long as a connection lives."""

    def __init__(self, name: str, disk: Disk) -> None:
        self.name = name
        self.disk = disk
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> MemoryFile:
        text = name.filename() if hasattr(name, "filename") else str(name)
        self.disk.seen.setdefault(_short(text), bytearray())
        flags[1] = flags[0]
        return MemoryFile(self.disk, _short(text))

    def xDelete(self, name: str, sync_folder: bool) -> None:
        self.disk.delete(_short(name))

    def xAccess(self, name: str, flags: int) -> bool:
        return _short(name) in self.disk.seen

    def xFullPathname(self, name: str) -> str:
        return name


def _short(name: str) -> str:
    return Path(name).name


class ApswDatabase:
    """The store's Database on APSW's SQLite. `overrides` are pragmas set against the product's
    will: the store is told what it wants to hear."""

    def __init__(
        self, path: Path, files: MemoryFiles, overrides: Mapping[str, str] | None = None
    ) -> None:
        self._connection = apsw.Connection(str(path), vfs=files.name)
        self._overrides = overrides or {}
        self._files = files

    def run(self, sql: str, values: Sequence[Value] = ()) -> int:
        try:
            self._connection.execute(sql, tuple(values))
            return int(self._connection.changes())
        except apsw.Error as error:
            raise self._meaning(error) from error

    def run_many(self, sql: str, values: Sequence[Sequence[Value]]) -> None:
        for row in values:
            self.run(sql, row)

    def rows(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        name, _, value = sql.removeprefix("pragma ").partition("=")
        if sql.startswith("pragma ") and name in self._overrides:
            if not value:
                return [(WANTED[name],)]
            sql = f"pragma {name}={self._overrides[name]}"
        try:
            return self._connection.execute(sql, tuple(values)).fetchall()
        except apsw.Error as error:
            raise self._meaning(error) from error

    def _meaning(self, error: apsw.Error) -> Exception:
        if self._files.disk.off:
            return PowerFailed()
        return meaning_of_code(getattr(error, "result", None), type(error).__name__)

    def in_transaction(self) -> bool:
        return bool(self._connection.in_transaction)

    def version(self) -> tuple[int, ...]:
        return tuple(int(part) for part in apsw.sqlite_lib_version().split("."))

    def close(self) -> None:
        try:
            self._connection.close()
        except (apsw.Error, PowerFailed) as error:
            raise PowerFailed from error
