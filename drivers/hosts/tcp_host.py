"""An emulator behind a listening socket: one driver at a time, the next waits its turn."""

from __future__ import annotations

import socket
import struct

from drivers.deadline import Clock
from drivers.hosts.host import EmulatorHost, EmulatorT
from drivers.transport import MindsConnections

RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER of nothing: the peer sees a reset, not an end


class TcpHost(EmulatorHost[EmulatorT]):
    """`port` is where a driver connects, on this machine only; it stays the same after plug()."""

    def __init__(
        self,
        emulator: EmulatorT,
        clock: Clock,
        baud: int | None = None,
        *,
        port: int = 0,
        bits_per_byte: int = 10,
    ) -> None:
        super().__init__(emulator, clock, baud, bits_per_byte=bits_per_byte)
        self.port = port
        self._listener: socket.socket | None = None
        self._peer: socket.socket | None = None

    def _open_port(self) -> None:
        self._close_port()
        listener = socket.create_server(("127.0.0.1", self.port))
        listener.setblocking(False)
        self._listener, self.port = listener, listener.getsockname()[1]

    def _close_port(self) -> None:
        self._drop_peer(RESET_ON_CLOSE)
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _descriptors(self) -> list[int]:
        waited_on = self._peer or self._listener
        return [waited_on.fileno()] if waited_on is not None else []

    def _take(self, count: int) -> bytes:
        self._accept()
        if self._peer is None:
            return b""
        try:
            data = self._peer.recv(count)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self._drop_peer()
        return data

    def _put(self, data: bytes) -> int:
        if self._peer is None:
            return len(data)  # nobody is there to hear it
        try:
            return self._peer.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            self._drop_peer()
            return len(data)

    def _accept(self) -> None:
        if self._peer is not None or self._listener is None:
            return
        try:
            self._peer, _ = self._listener.accept()
        except BlockingIOError:
            return
        self._peer.setblocking(False)
        self._peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._outgoing.clear()  # said to the one before
        emulator: object = self._emulator
        if isinstance(emulator, MindsConnections):
            with self._lock:
                emulator.connected()

    def _drop_peer(self, linger: bytes | None = None) -> None:
        if self._peer is None:
            return
        if linger is not None:
            self._peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._peer.close()
        self._peer = None
