"""Where a terminal may be killed: every durable step, and every write, sync, send and receive.

Rule: marks are handed in (records, database, file system, stream, session); nothing of the product
knows of them, and nothing in it is replaced.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw
import requests

from drivers.deadline import Deadline
from drivers.transport import ByteStream
from kiosk.flows.effects import Effect, KeepCash, KeepMove
from kiosk.records import StoreRecords
from offline.database import SqliteDatabase, Value
from tests.crash.page import Page
from tests.drills.powerfail import ApswDatabase, Disk


@dataclass
class Marks:
    """Counts them; at the one numbered `kill_at` the process ends by SIGKILL. 0: it lives.

    Only those count that `counts` says so of: all, by default.
    """

    page: Page
    kill_at: int = 0
    counts: Callable[[str], bool] = field(default=lambda label: True)
    trail: list[str] = field(default_factory=list)
    _counted: int = 0

    def at(self, label: str, torn: Callable[[], object] | None = None) -> None:
        """`torn` is done first: what half of a write or a send leaves behind."""
        self.trail.append(label)
        if not self.counts(label):
            return
        self._counted += 1
        if self._counted == self.kill_at:
            self.page.last_word = f"{len(self.trail)} {label}"
            if torn is not None:
                torn()
            os.kill(os.getpid(), signal.SIGKILL)


# --- durable steps -------------------------------------------------------------------------------


class MarkedRecords:
    """The product's records, with a mark on either side of each commit of the engine's."""

    def __init__(self, records: StoreRecords, marks: Marks) -> None:
        self._records, self._marks = records, marks

    def commit(self, keeps: Sequence[Effect], session: str) -> None:
        step = _step(keeps)
        self._marks.at(f"durable {step}: before")
        self._records.commit(keeps, session)
        self._marks.at(f"durable {step}: after")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._records, name)


def _step(keeps: Sequence[Effect]) -> str:
    """The states that become durable together; else what kind of record it is."""
    states = [keep.state for keep in keeps if isinstance(keep, KeepMove)]
    notes = [_note(keep) for keep in keeps if isinstance(keep, KeepCash)]
    kinds = sorted({type(keep).__name__ for keep in keeps})
    return "+".join([*notes, *states] or kinds)


def _note(keep: KeepCash) -> str:
    """Where a banknote is by this record."""
    if keep.note_fen:
        return "note to the box"
    return "note kept" if keep.kept_fen else "note back"


# --- the database: statements of the product's own binding ---------------------------------------


class MarkedDatabase(SqliteDatabase):
    """The product's Database, with marks between its statements."""

    def __init__(self, path: Path, marks: Marks) -> None:
        self._marks = marks
        super().__init__(path)

    def run(self, sql: str, values: Sequence[Value] = ()) -> int:
        word = sql.split(maxsplit=1)[0]
        self._marks.at(f"sql {word}: before")
        changed = super().run(sql, values)
        self._marks.at(f"sql {word}: after")
        return changed

    def run_many(self, sql: str, values: Sequence[Sequence[Value]]) -> None:
        self._marks.at("sql insert: before")
        super().run_many(sql, values)
        self._marks.at("sql insert: after")


# --- the database: writes and syncs of its files -------------------------------------------------


class MarkedFiles(apsw.VFS):  # type: ignore[misc]
    """SQLite's own file system on the real disk, with marks; keep it while a connection lives."""

    def __init__(self, name: str, marks: Marks) -> None:
        self.name, self.marks, self.disk = name, marks, Disk()
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> MarkedFile:
        return MarkedFile(self.marks, name, flags)

    def xDelete(self, name: str, sync_folder: bool) -> None:
        self.marks.at("file delete: before")
        super().xDelete(name, sync_folder)
        self.marks.at("file delete: after")


class MarkedFile(apsw.VFSFile):  # type: ignore[misc]
    """One of its files."""

    def __init__(self, marks: Marks, name: Any, flags: list[int]) -> None:
        text = name.filename() if hasattr(name, "filename") else str(name)
        self._what = "wal" if text.endswith("-wal") else "db"
        self._marks = marks
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        write = super().xWrite
        self._marks.at(f"file write {self._what}: before")
        half = bytes(data[: len(data) // 2])
        self._marks.at(f"file write {self._what}: half", torn=lambda: write(half, offset))
        write(data, offset)
        self._marks.at(f"file write {self._what}: after")

    def xSync(self, flags: int) -> None:
        self._marks.at(f"file sync {self._what}: before")
        super().xSync(flags)
        self._marks.at(f"file sync {self._what}: after")

    def xTruncate(self, size: int) -> None:
        self._marks.at(f"file truncate {self._what}: before")
        super().xTruncate(size)
        self._marks.at(f"file truncate {self._what}: after")


def marked_apsw(path: Path, files: MarkedFiles) -> ApswDatabase:
    """The store's Database on a file system with marks."""
    return ApswDatabase(path, files)


# --- the pad's line ------------------------------------------------------------------------------


class MarkedStream:
    """A ByteStream with marks around each send and receive; `doing`: whose line, which order."""

    def __init__(self, inner: ByteStream, marks: Marks, doing: Callable[[], str]) -> None:
        self._inner, self._marks, self._doing = inner, marks, doing
        self.written = 0

    def write(self, data: bytes, deadline: Deadline) -> None:
        what = f"{self._doing()} send"
        self._marks.at(f"{what}: before")
        half = data[: len(data) // 2]
        self._marks.at(f"{what}: half", torn=lambda: self._inner.write(half, deadline))
        self._inner.write(data, deadline)
        self.written += len(data)
        self._marks.at(f"{what}: after")

    def read(self, deadline: Deadline) -> bytes:
        self.mark_receive("before")
        data = self._inner.read(deadline)
        self.mark_receive("after")
        return data

    def mark_receive(self, when: str) -> None:
        self._marks.at(f"{self._doing()} receive: {when}")

    def discard_input(self) -> None:
        self._inner.discard_input()

    def close(self) -> None:
        self._inner.close()


# --- the hospital's line -------------------------------------------------------------------------


class MarkedSession(requests.Session):
    """Handed to the product's HospitalClient; its connections mark each send and receive."""

    marks: Marks
    """Given after the fork; until then nothing is connected."""

    doing = ""

    def mount(self, prefix: str | bytes, adapter: Any) -> None:
        schemes = adapter.poolmanager.pool_classes_by_scheme
        pool = schemes["http"]
        marked = _marked_connection(pool.ConnectionCls, self)
        named = type("_MarkedPool", (pool,), {"ConnectionCls": marked})
        adapter.poolmanager.pool_classes_by_scheme = {**schemes, "http": named}
        super().mount(prefix, adapter)

    def mark(self, what: str, torn: Callable[[], object] | None = None) -> None:
        self.marks.at(f"hospital {self.doing} {what}", torn)


def _marked_connection(plain: Any, session: MarkedSession) -> Any:
    class Marked(plain):  # type: ignore[misc]
        def _new_conn(self) -> Any:
            session.marks.at("hospital connect: before")
            sock = super()._new_conn()
            receive = sock.recv_into

            def recv_into(*args: Any, **kwargs: Any) -> int:
                session.mark("receive: before")
                count: int = receive(*args, **kwargs)
                session.mark("receive: after")
                return count

            sock.recv_into = recv_into
            return sock

        def send(self, data: Any) -> None:
            if self.sock is None:
                self.connect()
            session.mark("send: before")
            half = bytes(data)[: len(data) // 2]
            session.mark("send: half", torn=lambda: self.sock.sendall(half))
            super().send(data)
            session.mark("send: after")

    return Marked
