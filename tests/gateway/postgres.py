"""A PostgreSQL of the tests' own: a throw-away cluster on a free port, gone with its folder.

`with cluster(folder) as postgres: postgres.new_database()` gives a URL for the gateway's store.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

_VERSIONS = Path("/usr/lib/postgresql")
_START_S = 60.0  # a busy machine may be slow; a broken one is slower


class Cluster:
    """One running PostgreSQL."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder, self.port = folder, port
        self._names = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, or start again after kill(); returns when connections are taken."""
        command = [
            *_as_postgres(),
            str(_binaries() / "postgres"),
            "-D",
            str(self._folder / "data"),
            "-p",
            str(self.port),
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            f"unix_socket_directories={self._folder}",
            "-c",
            "max_connections=200",
        ]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        wait = [str(_binaries() / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        ready = f"until {' '.join(wait)}; do sleep 0.05; done"
        subprocess.run(["sh", "-c", ready], check=True, timeout=_START_S)

    def kill(self) -> None:
        """SIGKILL to the postmaster and its children, as a power cut would."""
        assert self._process is not None
        children = _children(self._process.pid)
        for pid in (self._process.pid, *children):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue  # ended by itself when the postmaster went
        self._process.wait()
        (self._folder / "data" / "postmaster.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)  # at once: nothing is kept
            self._process.wait(timeout=_START_S)

    def new_database(self, template: str = "template1") -> str:
        """An empty database, or a copy of `template`; its URL."""
        name = f"t{next(self._names)}"
        with psycopg.connect(self._admin, autocommit=True) as admin:
            admin.execute(f"create database {name} template {template}")
        return self.url(name)

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"

    @property
    def _admin(self) -> str:
        return f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres"


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """A cluster in `folder`, or a skip with the reason when PostgreSQL is not installed."""
    if not _VERSIONS.exists():
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        for parent in folder.parents:  # pytest's folders are 0700, postgres must pass through
            if parent.stat().st_uid == 0 and not parent.stat().st_mode & 0o001:
                parent.chmod(parent.stat().st_mode | 0o011)
    initdb = [str(_binaries() / "initdb"), "-D", str(folder / "data"), "-A", "trust", "-U"]
    initdb += ["postgres", "--locale=C.UTF-8", "-E", "UTF8"]
    subprocess.run([*_as_postgres(), *initdb], check=True, capture_output=True, timeout=60)
    running = Cluster(folder, free_port())
    running.start()
    try:
        yield running
    finally:
        running.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _binaries() -> Path:
    newest = max(_VERSIONS.iterdir(), key=lambda version: int(version.name))
    return newest / "bin"


def _as_postgres() -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listed.read_text().split()] if listed.exists() else []
