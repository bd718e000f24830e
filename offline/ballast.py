"""Room kept back for the end: a file to throw overboard, and the question before each payment.

A payment is begun only while its records can be promised. When the disk fills up under one that
has begun, the ballast goes and the record is written after all.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from offline.errors import StoreError, StoreFull
from offline.files import sync_folder
from offline.mend import needs_comparing
from offline.store import Store, Transaction

BALLAST_BYTES = 64 * 1024 * 1024
"""Frees room for some ten thousand steps: months of one terminal's unfinished payments."""

FLOOR_BYTES = 16 * 1024 * 1024
"""Room that must be free besides: the WAL may grow by as much before it is folded in."""

WAL_BYTES_MAX = 16 * 1024 * 1024
"""S7: checkpoints come every 4 MB; a WAL beyond this is not being emptied."""

T = TypeVar("T")


@dataclass(frozen=True)
class PaymentsOn:
    """A payment begun now can be recorded to its end."""


@dataclass(frozen=True)
class PaymentsOff:
    """No payment may be begun; the cause is a code of the audit catalogue."""

    cause: Literal[
        "store_broken",
        "store_unchecked",
        "store_mended",
        "disk_nearly_full",
        "ballast_used",
        "wal_too_big",
        "disk_full",
    ]


class Ballast:
    """The reserve beside the store, on the same disk."""

    def __init__(
        self, store: Store, *, size_bytes: int = BALLAST_BYTES, floor_bytes: int = FLOOR_BYTES
    ) -> None:
        self._store = store
        self._path = store.path.with_name("ballast")
        self._size_bytes = size_bytes
        self._floor_bytes = floor_bytes
        self._compared = False

    def load(self) -> bool:
        """Put the ballast in place, if there is room for it besides the floor. At every start."""
        if self._loaded():
            return True
        if free_bytes(self._path.parent) < self._size_bytes + self._floor_bytes:
            return False
        try:
            _allocate(self._path, self._size_bytes)
        except OSError:
            self.drop()
            return False
        sync_folder(self._path.parent)
        return True

    def drop(self) -> bool:
        """Throw it overboard. False when it was gone already."""
        try:
            self._path.unlink()
        except FileNotFoundError:
            return False
        sync_folder(self._path.parent)
        return True

    def admission(self, probe: bool = True) -> PaymentsOn | PaymentsOff:
        """Whether a payment may be begun: asked before its intent, long before the pad is armed.

        Ends with a real durable write, since free space alone promises nothing; without `probe`
        it is a look that wears no disk.
        """
        if self._store.broken:
            return PaymentsOff("store_broken")
        if not self._store.checked:
            return PaymentsOff("store_unchecked")
        if self._mended():
            return PaymentsOff("store_mended")
        if not self.load():
            return PaymentsOff("ballast_used")
        if free_bytes(self._path.parent) < self._floor_bytes:
            return PaymentsOff("disk_nearly_full")
        if self._wal_too_big():
            return PaymentsOff("wal_too_big")
        if not probe:
            return PaymentsOn()
        try:
            with self._store.transaction() as tx:
                tx.run("insert or replace into settings values ('probe', ?)", tx.at_ms)
        except StoreError as fault:
            return PaymentsOff("disk_full" if isinstance(fault, StoreFull) else "store_broken")
        return PaymentsOn()

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run work in a transaction; when the disk is full, drop the ballast and run it again.

        For what must be recorded because it has happened. Raises StoreFull if even that fails.
        """
        try:
            with self._store.transaction() as tx:
                return work(tx)
        except StoreFull:
            if not self.drop():
                raise
        with self._store.transaction() as tx:
            return work(tx)

    def _mended(self) -> bool:
        """Asked of the disk until it is not so: from then on it never is, in this process."""
        if self._compared:
            return False
        try:
            self._compared = not needs_comparing(self._store)
        except StoreError:
            return True
        return not self._compared

    def _wal_too_big(self) -> bool:
        """A WAL that no checkpoint empties grows with every step, until the disk is full."""
        if wal_bytes(self._store.path) <= WAL_BYTES_MAX:
            return False
        try:
            self._store.fold()
        except StoreError:
            return True
        return wal_bytes(self._store.path) > WAL_BYTES_MAX

    def _loaded(self) -> bool:
        try:
            return self._path.stat().st_blocks * 512 >= self._size_bytes
        except FileNotFoundError:
            return False


def wal_bytes(path: Path) -> int:
    """How long the store's WAL is."""
    try:
        return path.with_name(path.name + "-wal").stat().st_size
    except FileNotFoundError:
        return 0


def free_bytes(folder: Path) -> int:
    """What an ordinary user may still write on the disk of folder."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def _allocate(path: Path, size_bytes: int) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, size_bytes)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
