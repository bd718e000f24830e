"""A pcscd of our own with Debian's virtual reader, in its own network: for tests, bench and demo.

The virtual reader listens on every address; in a network namespace of its own only we can reach
it, and any number of daemons run side by side. That takes root. Why it cannot run is one line.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from drivers.deadline import Clock, Deadline
from drivers.errors import DeviceAbsent, TransportError
from drivers.pcsc.place import SOCKET_NAME_VARIABLE

READER = "Kiosk Virtual Reader"
SLOTS = 2  # the virtual reader has two, on two ports
LIBRARY = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
PCSCD = Path("/usr/sbin/pcscd")
PORT = 35963
START_S = 10.0
END_S = 5.0
DIAL_S = 5.0
CLONE_NEWNET = 0x40000000
RUN = "/run/pcscd"


def why_not() -> str:
    """Why no such daemon can run here, in one line; empty: it can."""
    if not PCSCD.exists():
        return "pcscd is not installed (apt-get install pcscd)"
    if not LIBRARY.exists():
        return "the virtual reader is not installed (apt-get install vsmartcard-vpcd)"
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return "unshare or ip is missing (apt-get install util-linux iproute2)"
    if os.geteuid() != 0:
        return "a card reader of our own needs root: its network is kept apart"
    return ""


class PcscDaemon:
    """pcscd and its virtual reader; `folder` is absolute and this daemon's alone."""

    def __init__(self, folder: Path, clock: Clock, port: int = PORT) -> None:
        self._folder, self._clock, self._port = folder, clock, port
        self._process: subprocess.Popen[bytes] | None = None
        self.readers: tuple[str, ...] = (READER,)
        """What is plugged in at the next start, in the order in which pcscd numbers it."""

    @property
    def socket_path(self) -> Path:
        """Where clients find it; set SOCKET_NAME_VARIABLE to it before their first call."""
        return self._folder / "run" / "pcscd.comm"

    @property
    def environment(self) -> dict[str, str]:
        """What a client program needs in its environment."""
        return {SOCKET_NAME_VARIABLE: str(self.socket_path)}

    def start(self) -> None:
        """Run until stop(). DeviceAbsent: it cannot run here, or does not come up."""
        if reason := why_not():
            raise DeviceAbsent(reason)
        assert self._process is None, "already started"
        run, conf = self._folder / "run", self._folder / "conf"
        for path in (run, conf):
            path.mkdir(parents=True, exist_ok=True)
        Path(RUN).mkdir(exist_ok=True)
        (conf / "vpcd").write_text("\n".join(self._reader(n) for n in range(len(self.readers))))
        self._process = subprocess.Popen(
            ("unshare", "-m", "-n", "--propagation", "private", "sh", "-c", self._script(run, conf))
        )
        self._wait_until_up()

    def stop(self) -> None:
        """End it; may be called twice."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
        self.socket_path.unlink(missing_ok=True)

    def dial(self, slot: int = 0) -> Callable[[], socket.socket]:
        """How a card gets into this slot: a connection to its port, made inside its network."""
        assert 0 <= slot < SLOTS
        return lambda: self._dial(self._port + slot)

    def _reader(self, number: int) -> str:
        port = self._port + SLOTS * number
        return (
            f'FRIENDLYNAME "{self.readers[number]}"\nDEVICENAME /dev/null:{port}\n'
            f"LIBPATH {LIBRARY}\nCHANNELID {port:#x}\n"
        )

    def _script(self, run: Path, conf: Path) -> str:
        log = self._folder / "pcscd.log"
        return (
            f"ip link set lo up && mount --bind '{run}' {RUN} && "
            f"exec setpriv --pdeathsig TERM {PCSCD} --foreground --config '{conf}' >'{log}' 2>&1"
        )

    def _wait_until_up(self) -> None:
        deadline = Deadline.after(self._clock, START_S)
        while not self.socket_path.exists():
            if self._has_ended_within(0.01) or deadline.remaining_s() <= 0:
                self.stop()
                raise DeviceAbsent("pcscd did not come up; see pcscd.log")

    def _has_ended_within(self, seconds: float) -> bool:
        assert self._process is not None
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _dial(self, port: int) -> socket.socket:
        """On a thread of its own: entering another network changes that thread only."""
        if self._process is None:
            raise DeviceAbsent("pcscd is not running")
        made: list[socket.socket] = []
        thread = threading.Thread(target=self._dial_inside, args=(self._process.pid, port, made))
        thread.start()
        thread.join()
        if not made:
            raise TransportError("the virtual reader's port does not answer")
        return made[0]

    def _dial_inside(self, pid: int, port: int, made: list[socket.socket]) -> None:
        with Path(f"/proc/{pid}/ns/net").open() as network:
            entered = ctypes.CDLL(None, use_errno=True).setns(network.fileno(), CLONE_NEWNET)
        assert entered == 0, "cannot enter the reader's network"
        try:
            made.append(socket.create_connection(("127.0.0.1", port), DIAL_S))
        except OSError:
            return
