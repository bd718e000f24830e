"""A gateway on a real port: in a thread under the test's clock, or as the program itself."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from fastapi import FastAPI

from gateway.cli import demo_app
from gateway.server import server
from kiosk.hospital.client import HospitalClient
from tests.gateway.postgres import free_port
from tests.gateway.world import TERMINAL, TOKEN, World

_START_S = 15.0


@contextmanager
def served(
    world: World, *, controls: bool = False, application: FastAPI | None = None
) -> Iterator[str]:
    """The world's gateway on a loopback port; its base URL."""
    made = application or demo_app(world.parts, with_controls=controls)
    listener = socket.create_server(("127.0.0.1", 0))
    port: int = listener.getsockname()[1]
    running = server(made, "127.0.0.1", port)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        running.should_exit = True
        thread.join(timeout=_START_S)
        listener.close()


def client(base_url: str, terminal: str = TERMINAL, token: str = TOKEN) -> HospitalClient:
    return HospitalClient(base_url, terminal, token)


class Program:
    """`kiosk-gateway serve` as a process of its own."""

    def __init__(self, url: str, folder: Path, *more: str, host: str = "127.0.0.1") -> None:
        self.port = free_port()
        self.base_url = f"http://{host}:{self.port}"
        self._log = folder / "gateway.log"
        self._command = [sys.executable, "-m", "gateway.cli", "serve", "--url", url]
        self._command += ["--host", host, "--port", str(self.port)]
        self._command += ["--key-file", str(folder / "key"), "--plain", *more]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log)
        ready = f"until curl -fs {self.base_url}/healthz; do kill -0 {self.process.pid} || exit 1; "
        wait = ready + "sleep 0.05; done"
        subprocess.run(["sh", "-c", wait], check=True, timeout=_START_S, capture_output=True)

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=_START_S)

    @property
    def log(self) -> str:
        return self._log.read_text()


def post(base_url: str, path: str, body: bytes, **headers: str) -> requests.Response:
    """A plain call with terminal 1's token, for what the client would never send."""
    given = {"X-Terminal": TERMINAL, "Authorization": f"Bearer {TOKEN}", **headers}
    return requests.post(f"{base_url}{path}", data=body, headers=given, timeout=10)
