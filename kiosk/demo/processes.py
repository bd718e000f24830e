"""Programs of the demo: started, restarted when they die, ended by their own pid."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic

RESTART_S = 0.2
END_S = 5.0
_PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Program:
    """One process that is kept running, as systemd keeps it on a terminal."""

    def __init__(
        self, name: str, command: Sequence[str], log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.name, self._command, self._log = name, tuple(command), log
        self._env = {**os.environ, **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self.starts = 0

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it, and again whenever it ends, until stop()."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._keep, name=f"keep-{self.name}", daemon=True)
        started = self.starts
        with self._changed:
            self._thread.start()
            self._changed.wait_for(lambda: self.starts > started, END_S)

    def stop(self) -> None:
        """TERM, and KILL when that is not heard in time; also for one just started again."""
        self._stopping.set()
        until_s, told = monotonic() + END_S, 0
        while self._thread is not None and self._thread.is_alive():
            process = self._process
            if process is not None and process.poll() is None:
                if monotonic() > until_s:
                    process.kill()
                elif process.pid != told:
                    told = process.pid
                    process.terminate()
            self._thread.join(0.05)
        self._thread = None

    def halt(self) -> None:
        """SIGKILL, and not started again before start()."""
        self._stopping.set()
        self.kill()
        self.stop()

    def kill(self) -> None:
        """SIGKILL, and its end; it is started again."""
        process = self._process
        assert process is not None
        process.kill()
        process.wait(END_S)

    def _keep(self) -> None:
        while not self._stopping.is_set():
            with self._log.open("ab") as log:
                process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=self._env,
                    preexec_fn=_die_with_parent,
                )
            with self._changed:
                self._process = process
                self.starts += 1
                self._changed.notify_all()
            process.wait()
            self._stopping.wait(RESTART_S)


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """A command line for a module of ours with this very Python."""
    return (sys.executable, "-m", module, *arguments)
