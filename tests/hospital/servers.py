"""Servers on loopback that answer as told: raw bytes, cut, slow, endless, or not at all."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Behaviour = Callable[[socket.socket], None]
"""What the server does with one connection; closing it is done for it."""


class RawServer:
    """One behaviour a connection, the last one for all that follow."""

    def __init__(self, *behaviours: Behaviour, host: str = "127.0.0.1") -> None:
        self._behaviours = list(behaviours)
        self._listener = socket.create_server((host, 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://{host}:{self.port}"
        self.connections = 0
        self.ended = threading.Event()
        self._threads: list[threading.Thread] = []
        self._peers: list[socket.socket] = []

    def run(self) -> None:
        with suppress(OSError):
            while True:
                peer, _ = self._listener.accept()
                last = len(self._behaviours) - 1
                behaviour = self._behaviours[min(self.connections, last)]
                self.connections += 1
                thread = threading.Thread(target=self._serve, args=(peer, behaviour))
                self._threads.append(thread)
                self._peers.append(peer)
                thread.start()

    def _serve(self, peer: socket.socket, behaviour: Behaviour) -> None:
        with peer, suppress(OSError):
            behaviour(peer)

    def close(self) -> None:
        self.ended.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for peer in self._peers:
            with suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=5)


@contextmanager
def raw_server(*behaviours: Behaviour, host: str = "127.0.0.1") -> Iterator[RawServer]:
    server = RawServer(*behaviours, host=host)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(timeout=5)


def read_request(peer: socket.socket) -> bytes:
    """All of one request."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(peer)
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    lengths = [one for one in lines if one.startswith(b"content-length:")]
    length = int(lengths[0].split(b":")[1]) if lengths else 0
    while len(body) < length:
        body += _some(peer)
    return head + b"\r\n\r\n" + body


def _some(peer: socket.socket) -> bytes:
    data = peer.recv(65536)
    if not data:
        raise ConnectionError("the client has gone")
    return data


def answer(body: bytes, status: str = "200 OK", kind: str = "application/json") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def says(data: bytes) -> Behaviour:
    """Answers every request on the connection with these bytes."""

    def behave(peer: socket.socket) -> None:
        while True:
            read_request(peer)
            peer.sendall(data)

    return behave


def reads_then_closes(peer: socket.socket) -> None:
    read_request(peer)


def resets_under_the_request(peer: socket.socket) -> None:
    """After the first byte: a reset that comes before it meets a client that has sent nothing."""
    peer.recv(1)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def stays_silent(peer: socket.socket) -> None:
    """Half-open as the client sees it: the request is taken, nothing ever comes."""
    while peer.recv(65536):
        pass
