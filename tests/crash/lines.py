"""The wires between the drill's processes: one JSON object a line over a unix socket, answered."""

from __future__ import annotations

import json
import selectors
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

Handler = Callable[[dict[str, Any]], dict[str, Any]]


class Peer(Protocol):
    """One connection of a server; hear() False: it is over."""

    connection: socket.socket

    def hear(self) -> bool: ...


class LinePeer:
    """Questions in, an answer each."""

    def __init__(self, connection: socket.socket, handle: Handler) -> None:
        self.connection, self._handle = connection, handle
        self._buffer = bytearray()

    def hear(self) -> bool:
        try:
            data = self.connection.recv(65536, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True  # read already, for another's sake
        except OSError:
            return False
        self._buffer += data
        while (end := self._buffer.find(b"\n")) >= 0:
            asked = json.loads(self._buffer[:end])
            del self._buffer[: end + 1]
            try:
                self.connection.sendall(json.dumps(self._handle(asked)).encode() + b"\n")
            except OSError:
                return False  # whoever asked was killed meanwhile
        return bool(data)


class LineClient:
    """Asks one server; one answer each. Made after the fork by whoever uses it."""

    def __init__(self, path: Path) -> None:
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._connection.connect(str(path))
        self._lines = self._connection.makefile("rb")

    def ask(self, **asked: Any) -> dict[str, Any]:
        self._connection.sendall(json.dumps(asked).encode() + b"\n")
        line = self._lines.readline()
        assert line, f"nobody answers {asked}"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        self._lines.close()
        self._connection.close()


class Server:
    """A process's only loop: several listeners, each with its own kind of peer."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def listen(self, listener: socket.socket, make: Callable[[socket.socket], Peer]) -> None:
        self._selector.register(listener, selectors.EVENT_READ, make)

    def listen_lines(self, listener: socket.socket, handle: Handler) -> None:
        self.listen(listener, lambda connection: LinePeer(connection, handle))

    def run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                found: Any = key.fileobj
                if callable(key.data):
                    connection, _ = found.accept()
                    peer = key.data(connection)
                    self._selector.register(connection, selectors.EVENT_READ, peer)
                elif not key.data.hear():
                    self._selector.unregister(found)
                    found.close()


def unix_listener(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(16)
    return listener
