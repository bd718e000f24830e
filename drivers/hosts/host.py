"""What every host does: own the emulator, give it bytes and time, send what it says at line speed.

One thread owns the port. Others touch the emulator only through with_emulator, and the port only
through commands that the thread carries out between two looks at it.
"""

from __future__ import annotations

import os
import queue
import select
import threading
from collections.abc import Callable
from typing import Generic, Self, TypeVar

from drivers.deadline import Clock
from drivers.hosts.pace import Pace
from drivers.transport import Emulator

EmulatorT = TypeVar("EmulatorT", bound=Emulator)
ResultT = TypeVar("ResultT")

TICK_S = 0.01  # an idle emulator hears the time this often
BURST_TICK_S = 0.001  # and this often while bytes are paced (11 bytes at 115200)
COMMAND_S = 5.0  # a host thread that takes longer than this has died
TAKE_BYTES = 4096
OUTGOING_BYTES_MAX = 1 << 20  # an emulator that babbles into an unread port is cut off here


class EmulatorHost(Generic[EmulatorT]):
    """Runs `emulator` behind a port that a subclass opens. `clock` never goes back.

    `baud` paces both directions at that line speed; None is as fast as the machine.
    """

    def __init__(
        self,
        emulator: EmulatorT,
        clock: Clock,
        baud: int | None = None,
        *,
        bits_per_byte: int = 10,
    ) -> None:
        self._emulator = emulator
        self._clock = clock
        self._lock = threading.Lock()
        self._commands: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._wake_read, self._wake_write = -1, -1
        self._outgoing = bytearray()
        self._in_pace = Pace(baud, bits_per_byte)
        self._out_pace = Pace(baud, bits_per_byte)

    # -- for the hands of a bench, a test or the demo

    def start(self) -> None:
        """Open the port and run. May be called again after stop."""
        assert self._thread is None, "already started"
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._stopping = False
        self._open_port()
        self._thread = threading.Thread(target=self._run, name=type(self).__name__, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the port and end the thread; may be called twice."""
        if self._thread is None:
            return
        self._stopping = True
        self._wake()
        self._thread.join(COMMAND_S)
        assert not self._thread.is_alive(), "the host's thread does not end"
        self._thread = None
        os.close(self._wake_read)
        os.close(self._wake_write)

    def unplug(self) -> None:
        """Pull the cable: the driver's port dies, and cannot be opened again until plug()."""
        self._carry_out(self._pull)

    def plug(self) -> None:
        """Put the cable back."""
        self._carry_out(self._open_port)

    def with_emulator(self, act: Callable[[EmulatorT], ResultT]) -> ResultT:
        """Run `act` on the emulator while its thread stands still: the way to turn its knobs."""
        with self._lock:
            result = act(self._emulator)
        self._wake()
        return result

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_fault: object) -> None:
        self.stop()

    # -- for the kind of port

    def _open_port(self) -> None:
        """Make the port that a driver can open."""
        raise NotImplementedError

    def _close_port(self) -> None:
        """Take it away; may be called twice."""
        raise NotImplementedError

    def _descriptors(self) -> list[int]:
        """What to wait on for input."""
        raise NotImplementedError

    def _take(self, count: int) -> bytes:
        """Up to count bytes that the driver sent; none is fine."""
        raise NotImplementedError

    def _put(self, data: bytes) -> int:
        """Send to the driver; how many bytes went."""
        raise NotImplementedError

    # -- the thread

    def _run(self) -> None:
        try:
            while not self._stopping:
                heard_something = self._wait()
                while not self._commands.empty():
                    self._commands.get()()
                self._hear(heard_something)
                self._speak()
        finally:
            self._pull()

    def _wait(self) -> bool:
        """Until something comes or the next tick is due; whether the driver may have sent."""
        paced = self._in_pace.busy or self._out_pace.busy
        listening = [] if self._in_pace.busy else self._descriptors()
        poll = select.poll()
        poll.register(self._wake_read, select.POLLIN)
        for fd in listening:
            poll.register(fd, select.POLLIN)
        tick_s = BURST_TICK_S if paced or self._outgoing else TICK_S
        ready = {fd for fd, _ in poll.poll(tick_s * 1000)}
        if self._wake_read in ready:
            self._drain_wake()
        return self._in_pace.busy or not ready.isdisjoint(listening)

    def _hear(self, heard_something: bool) -> None:
        data = self._take_paced() if heard_something else b""
        with self._lock:
            # The time first: an emulator reckons its thinking time from the last it heard.
            answer = self._emulator.tick(self._clock())
            answer += self._emulator.receive(data) if data else b""
        self._outgoing += answer[: OUTGOING_BYTES_MAX - len(self._outgoing)]

    def _take_paced(self) -> bytes:
        allowed = self._in_pace.allowance(self._clock(), TAKE_BYTES)
        if allowed <= 0:
            return b""
        data = self._take(allowed)
        if data:
            self._in_pace.carried(len(data))
        else:
            self._in_pace.rest()
        return data

    def _speak(self) -> None:
        if not self._outgoing:
            self._out_pace.rest()
            return
        allowed = self._out_pace.allowance(self._clock(), len(self._outgoing))
        if allowed > 0:
            sent = self._put(bytes(self._outgoing[:allowed]))
            self._out_pace.carried(sent)
            del self._outgoing[:sent]

    def _pull(self) -> None:
        self._close_port()
        self._outgoing.clear()

    def _carry_out(self, command: Callable[[], None]) -> None:
        assert self._thread is not None, "start the host first"
        done = threading.Event()

        def act() -> None:
            command()
            done.set()

        self._commands.put(act)
        self._wake()
        assert done.wait(COMMAND_S), "the host's thread has died"

    def _wake(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            with_room = select.select([], [self._wake_write], [], 0)[1]
            if with_room:
                os.write(self._wake_write, b"!")

    def _drain_wake(self) -> None:
        try:
            os.read(self._wake_read, TAKE_BYTES)
        except BlockingIOError:
            return
