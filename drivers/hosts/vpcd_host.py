"""A card of our own in Debian's virtual reader (vsmartcard-vpcd), on the reader's TCP port.

The reader listens, the card connects: plug() puts it in, unplug() pulls it out. A frame is two
bytes of length (big-endian) and its payload. From the reader one byte is power (00 off, 01 on,
02 reset; 04 asks for the answer to reset), more is a command.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from drivers.deadline import Clock
from drivers.hosts.host import EmulatorHost
from drivers.pcsc.port import CardEmulator

LENGTH_BYTES = 2
COMMAND_BYTES_MAX = 4096  # the longest short command is 261: who announces more is no reader
FEED_SLICE_BYTES = 4096

Dial = Callable[[], socket.socket]
"""A connection to the virtual reader's port, wherever that is."""


class VirtualCard:
    """An Emulator of the virtual reader's peer: frames in, frames out, around one card."""

    def __init__(self, card: CardEmulator) -> None:
        self.card = card
        self._buffer = bytearray()

    def receive(self, data: bytes) -> bytes:
        """Power and commands in any cut; the answers."""
        answers = bytearray()
        for at in range(0, len(data), FEED_SLICE_BYTES):
            self._buffer += data[at : at + FEED_SLICE_BYTES]
            while (payload := self._next()) is not None:
                answer = self._answer(payload)
                if answer is not None:
                    answers += len(answer).to_bytes(LENGTH_BYTES, "big") + answer
        return bytes(answers)

    @property
    def buffered_bytes(self) -> int:
        """How much waits for the rest of its frame."""
        return len(self._buffer)

    def tick(self, now_s: float) -> bytes:
        """A card says nothing unasked."""
        del now_s
        return b""

    def pull_out(self) -> None:
        """Half a frame dies with the connection."""
        self._buffer.clear()

    def _next(self) -> bytes | None:
        end = LENGTH_BYTES + int.from_bytes(self._buffer[:LENGTH_BYTES], "big")
        if end > LENGTH_BYTES + COMMAND_BYTES_MAX:
            self._buffer.clear()
        if len(self._buffer) < max(end, LENGTH_BYTES):
            return None
        payload = bytes(self._buffer[LENGTH_BYTES:end])
        del self._buffer[:end]
        return payload

    def _answer(self, payload: bytes) -> bytes | None:
        match payload:
            case b"":
                return None
            case b"\x00" | b"\x01" | b"\x02":
                self.card.power_up()
                return None
            case b"\x04":
                return self.card.atr
        return self.card.exchange(payload)


class VpcdHost(EmulatorHost[VirtualCard]):
    """Runs a card in the slot that `dial` leads to; it is put in by start() or plug()."""

    def __init__(self, card: CardEmulator | VirtualCard, clock: Clock, dial: Dial) -> None:
        super().__init__(card if isinstance(card, VirtualCard) else VirtualCard(card), clock)
        self._dial = dial
        self._slot: socket.socket | None = None

    def _open_port(self) -> None:
        self._close_port()
        slot = self._dial()
        slot.setblocking(False)
        slot.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._slot = slot

    def _close_port(self) -> None:
        self._emulator.pull_out()
        if self._slot is not None:
            self._slot.close()
            self._slot = None

    def _descriptors(self) -> list[int]:
        return [self._slot.fileno()] if self._slot is not None else []

    def _take(self, count: int) -> bytes:
        if self._slot is None:
            return b""
        # The reader sends length and payload apart: without this each costs 40 ms.
        self._slot.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        try:
            data = self._slot.recv(count)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self._close_port()  # pcscd has ended
        return data

    def _put(self, data: bytes) -> int:
        if self._slot is None:
            return len(data)
        try:
            return self._slot.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            self._close_port()
            return len(data)
