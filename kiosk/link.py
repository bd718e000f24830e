"""The local socket: views down, touches up, and the command line's questions; who may say what.

One unix socket, one JSON object a line. The first line a client sends is its hello:

    {"hello": "ui"}     it gets {"view": …} whenever the view changes, and may send {"touch": …}
    {"hello": "cli"}    it may send {"ask": "status", …} and gets one {"answer": …} each

The socket's folder belongs to the terminal's user; the kernel says who is at the other end.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kiosk.views import Touch, View, touch_from_json, touch_to_json, view_from_json, view_to_json

SOCKET_NAME = "core.sock"
"""In the terminal's folder."""

LINE_BYTES_MAX = 256 * 1024
"""A view with the longest list is under 20 kB; a longer line is no client of ours."""

Answerer = Callable[[str, dict[str, Any]], dict[str, Any]]


class LinkLost(Exception):
    """The other end went away."""


@dataclass
class _Client:
    connection: socket.socket
    role: str = ""
    buffer: bytearray = field(default_factory=bytearray)


def peer_uid(connection: socket.socket) -> int:
    """The user id of the process at the other end, from the kernel."""
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _pid, uid, _gid = struct.unpack("3i", data)
    return int(uid)


class LinkServer:
    """Core's end. `on_touch` and `answer` are called on the server's own thread."""

    def __init__(
        self,
        path: Path,
        on_touch: Callable[[Touch], None],
        answer: Answerer,
        on_ui: Callable[[bool], None] = lambda here: None,
        may_connect: Callable[[int], bool] = lambda uid: uid in (0, os.getuid()),
    ) -> None:
        self._path, self._on_touch, self._answer = path, on_touch, answer
        self._on_ui, self._may_connect = on_ui, may_connect
        self._lock = threading.Lock()
        self._view: View | None = None
        self._view_line = b""
        self._clients: dict[int, _Client] = {}
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_write.setblocking(False)
        self._stopping = False
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        path.chmod(0o600)
        self._listener.listen(8)
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._wake()
        self._thread.join(2)
        self._path.unlink(missing_ok=True)

    def show(self, view: View) -> None:
        """Send the view to every ui; the newest is kept for one that connects later."""
        with self._lock:
            self._view, self._view_line = view, b""
        self._wake()

    def _wake(self) -> None:
        with suppress(BlockingIOError):  # full of wakes that have not been heard: one is enough
            self._wake_write.send(b"!")

    def _run(self) -> None:
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        while not self._stopping:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj is self._wake_read:
                    self._wake_read.recv(4096)
                    self._send_view_to_all()
                elif (client := self._clients.get(key.fd)) and client is key.data:
                    self._read(client)  # not one that came in the place of one just dropped
        for client in list(self._clients.values()):
            self._drop(client)
        self._listener.close()

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        if not self._may_connect(peer_uid(connection)):
            connection.close()
            return
        connection.settimeout(2.0)  # a client that does not read is dropped, core never waits
        client = _Client(connection)
        self._clients[connection.fileno()] = client
        self._selector.register(connection, selectors.EVENT_READ, client)

    def _drop(self, client: _Client) -> None:
        self._selector.unregister(client.connection)
        del self._clients[client.connection.fileno()]
        client.connection.close()
        if client.role == "ui":
            self._on_ui(False)

    def _read(self, client: _Client) -> None:
        try:
            data = client.connection.recv(65536)
        except OSError:
            data = b""
        client.buffer += data
        if not data or len(client.buffer) > LINE_BYTES_MAX:
            self._drop(client)
            return
        while (end := client.buffer.find(b"\n")) >= 0:
            line = bytes(client.buffer[:end])
            del client.buffer[: end + 1]
            if not self._take_line(client, line):
                self._drop(client)
                return

    def _take_line(self, client: _Client, line: bytes) -> bool:
        """False: this client is to be dropped (it spoke what it may not)."""
        try:
            message = json.loads(line)
            match client.role, message:
                case "", {"hello": "ui"}:
                    client.role = "ui"
                    self._on_ui(True)
                    return self._send_view(client)
                case "", {"hello": "cli"}:
                    client.role = "cli"
                    return True
                case "ui", {"touch": touch}:
                    self._on_touch(touch_from_json(json.dumps(touch)))
                    return True
                case "cli", {"ask": str(what)}:
                    answer = {"answer": self._answer(what, message)}
                    client.connection.sendall(json.dumps(answer).encode() + b"\n")
                    return True
        except (ValueError, OSError, RecursionError):  # no JSON of ours is nested that deep
            return False
        return False

    def _send_view(self, client: _Client) -> bool:
        with self._lock:
            if self._view is not None and not self._view_line:  # put into words for the first ui
                self._view_line = b'{"view":' + view_to_json(self._view) + b"}\n"
            line = self._view_line
        try:
            client.connection.sendall(line)
        except OSError:
            return False
        return True

    def _send_view_to_all(self) -> None:
        for client in [client for client in self._clients.values() if client.role == "ui"]:
            if not self._send_view(client):
                self._drop(client)


class LinkClient:
    """The ui's end: blocking lines; raises LinkLost once the other end is gone."""

    def __init__(self, path: Path, role: str) -> None:
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._connection.connect(str(path))
        except OSError as error:
            self._connection.close()
            raise LinkLost(f"core is not at its socket: {error.strerror}") from error
        self._lines = self._connection.makefile("rb")
        self._say({"hello": role})

    def next_view(self) -> View:
        """Wait for the next view; whoever draws keeps only the newest of those that are here."""
        return view_from_json(json.dumps(self._next_line()["view"]))

    def touch(self, touch: Touch) -> None:
        self._say({"touch": json.loads(touch_to_json(touch))})

    def ask(self, what: str, **arguments: Any) -> dict[str, Any]:
        """One question of the command line, its answer."""
        self._say({"ask": what, **arguments})
        answer: dict[str, Any] = self._next_line()["answer"]
        return answer

    def close(self) -> None:
        """Both: the socket stays open as long as its file does."""
        self._lines.close()
        self._connection.close()

    def _say(self, message: dict[str, Any]) -> None:
        try:
            self._connection.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise LinkLost("core went away") from error

    def _next_line(self) -> dict[str, Any]:
        try:
            line = self._lines.readline(LINE_BYTES_MAX)
        except OSError as error:
            raise LinkLost("core went away") from error
        if not line.endswith(b"\n"):
            raise LinkLost("core went away")
        message: dict[str, Any] = json.loads(line)
        return message
