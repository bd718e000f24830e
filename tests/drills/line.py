"""A bad line between a terminal and its gateway.

As root: a network namespace behind a veth pair, where nftables drops packets both ways, or all of
them. Else, after one line that says so: a relay on loopback that cuts connections instead, which
loses requests and answers but not packets.
"""

from __future__ import annotations

import ctypes
import os
import selectors
import socket
import subprocess
import threading
from contextlib import suppress
from random import Random
from typing import Protocol

_CLONE_NEWNET = 0x40000000


class Line(Protocol):
    """The gateway listens on `host`; the terminal asks url(), in threads that called enter()."""

    kind: str
    host: str

    def url(self, port: int) -> str: ...

    def enter(self) -> None: ...

    def silence(self) -> None:
        """From now on nothing passes, and nobody is told."""
        ...

    def close(self) -> None: ...


def bad_line(loss: int, chance: Random) -> Line:
    """A line that loses `loss` of a hundred packets each way."""
    try:
        return Namespace(loss)
    except (OSError, subprocess.SubprocessError) as fault:
        why = "not root" if os.geteuid() else f"no namespace ({type(fault).__name__})"
        print(f"{why}: the line is a relay that cuts connections instead of losing packets")
        return Relay(loss, chance)


class Namespace:
    """The terminal's side is a namespace of its own; all its packets pass nftables."""

    kind = "namespace"

    def __init__(self, loss: int) -> None:
        if os.geteuid() != 0:
            raise PermissionError
        self._process = subprocess.Popen(
            ["unshare", "-n", "sh", "-c", "echo there; exec sleep 7200"], stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()
        try:
            self._connect()
            self._drop(f"numgen random mod 100 < {loss} drop" if loss else "accept")
        except BaseException:
            self.close()
            raise

    def _connect(self) -> None:
        pid = self._process.pid  # two lines at once must not meet
        net, name = f"10.{64 + pid // 256 % 64}.{pid % 256}", f"kd{pid}"
        self.host = f"{net}.1"
        far = f"ip addr add {net}.2/24 dev {name}b && ip link set {name}b up"
        for command in (
            f"ip link add {name}a type veth peer name {name}b netns {self._process.pid}",
            f"ip addr add {net}.1/24 dev {name}a",
            f"ip link set {name}a up",
            f"nsenter -t {self._process.pid} -n sh -c '{far}'",
        ):
            subprocess.run(["sh", "-c", command], check=True, capture_output=True, timeout=10)

    def _drop(self, rule: str) -> None:
        chains = "\n".join(
            f"chain {hook} {{\ntype filter hook {hook} priority 0; policy accept;\n{rule}\n}}"
            for hook in ("input", "output")
        )
        script = f"flush ruleset\ntable inet line {{\n{chains}\n}}\n"
        command = ["nsenter", "-t", str(self._process.pid), "-n", "nft", "-f", "-"]
        subprocess.run(command, input=script.encode(), check=True, capture_output=True, timeout=10)

    def url(self, port: int) -> str:
        return f"http://{self.host}:{port}"

    def enter(self) -> None:
        """This thread alone goes over: setns(2)."""
        with open(f"/proc/{self._process.pid}/ns/net") as there:
            if ctypes.CDLL(None, use_errno=True).setns(there.fileno(), _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")

    def silence(self) -> None:
        self._drop("drop")

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


class Relay:
    """Carries connections on loopback; each piece may end its connection instead of arriving."""

    kind = "relay"
    host = "127.0.0.1"

    def __init__(self, loss: int, chance: Random) -> None:
        self._loss, self._chance = loss / 100, chance
        self._listener = socket.create_server((self.host, 0))
        self._target = 0
        self._silent = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def url(self, port: int) -> str:
        self._target = port
        return f"http://{self.host}:{self._listener.getsockname()[1]}"

    def enter(self) -> None:
        pass

    def silence(self) -> None:
        self._silent.set()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with (
            near,
            suppress(OSError),
            socket.create_connection((self.host, self._target), 3) as far,
        ):
            watch = selectors.DefaultSelector()
            watch.register(near, selectors.EVENT_READ, far)
            watch.register(far, selectors.EVENT_READ, near)
            while self._moved(watch):
                pass

    def _moved(self, watch: selectors.BaseSelector) -> bool:
        """Carry what came; False when the connection is over."""
        for key, _ in watch.select():
            source, target = key.fileobj, key.data
            assert isinstance(source, socket.socket)
            piece = source.recv(65536)
            if self._silent.is_set():
                continue
            if not piece or self._chance.random() < self._loss:
                return False
            target.sendall(piece)
        return True
