"""A real port on which a cable is pulled, put back, exchanged or renumbered at a chosen moment.

Rule: the moment is reached by what the driver has written, heard or was told, never by waiting.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from drivers.deadline import Clock, Deadline
from drivers.errors import DeadlineExceeded, DeviceAbsent, DriverError
from drivers.finding.finder import Look, PortFinder, ports_like
from drivers.hosts.fifo_host import FifoHost
from drivers.hosts.host import EmulatorHost
from drivers.hosts.pty_host import PtyHost
from drivers.hosts.tcp_host import TcpHost
from drivers.identity import DeviceIdentity
from drivers.transport import ByteStream, Emulator
from drivers.transports.any_port import open_port

CLOCK = time.monotonic
QUICKER = 6


def quick_clock() -> float:
    """For devices whose manual has waits of seconds: all of the bench's time, six times faster."""
    return time.monotonic() * QUICKER


SLICE_S = 0.005
TRIES = 5
PIECE_BYTES = 8192
SOON_S = 10.0

COLUMNS = ("unplugged", "plugged again", "another device there", "another number")
Port = Literal["pty", "tcp", "fifo"]


def within(seconds: float) -> Deadline:
    return Deadline.after(CLOCK, seconds)


class Wire:
    """What the driver wrote and heard, and the device behind it."""

    def __init__(self, host: EmulatorHost[Any] | None, moment: Moment, gate: bytes) -> None:
        self.sent, self.heard = bytearray(), bytearray()
        self.marked = self.struck = False
        self.host, self._moment, self._gate = host, moment, gate
        self.strike: Callable[[], None] = lambda: None

    def mark(self) -> None:
        """The visit has come so far: some moments are only meant after this."""
        self.marked = True

    def emulator(self, ask: Callable[[Any], Any]) -> Any:
        assert self.host is not None
        return self.host.with_emulator(ask)

    def happen(self) -> None:
        """Now, whatever the moment says."""
        if not self.struck:
            self.struck = True
            self.strike()

    def shut(self, gate: bytes) -> None:
        """From now on nothing is read after this is said, until the moment."""
        self.sent.clear()
        self._gate = gate

    def look(self) -> None:
        """Strike if the moment has come."""
        if not self.struck and self._moment is not None and self._moment(self):
            self.happen()

    def hold(self, deadline: Deadline) -> None:
        """Behind the gate nothing is read before the moment: the answer must not win a race."""
        while not self.struck and self._gate and self._gate in self.sent:
            self.look()
            deadline.check("moment that never came")


Moment = Callable[[Wire], bool] | None
"""When the cable is moved; None: before the visit begins, or when it says so itself."""


class Striking:
    """A ByteStream on a real port; looks for the moment around every piece that passes."""

    def __init__(self, stream: ByteStream, wire: Wire | None, clock: Clock = CLOCK) -> None:
        self._stream, self._wire, self._clock = stream, wire or Wire(None, None, b""), clock

    def write(self, data: bytes, deadline: Deadline) -> None:
        for at in range(0, len(data), PIECE_BYTES):
            piece = data[at : at + PIECE_BYTES]
            self._stream.write(piece, deadline)
            self._wire.sent += piece
            self._wire.look()

    def read(self, deadline: Deadline) -> bytes:
        while True:
            self._wire.look()
            self._wire.hold(deadline)
            try:
                soon_s = self._clock() + SLICE_S * (self._clock() / CLOCK())
                data = self._stream.read(Deadline(self._clock, min(deadline.at_s, soon_s)))
            except DeadlineExceeded:
                deadline.check("byte")
                continue
            self._wire.heard += data
            return data

    def discard_input(self) -> None:
        self._stream.discard_input()

    def close(self) -> None:
        self._stream.close()


@dataclass(frozen=True)
class State:
    """One state of a device in use: how it is reached, and what is under way when it strikes."""

    visit: Callable[[Any, Wire], object]
    moment: Moment = None
    gate: bytes = b""
    by_itself: bool = False
    """Whether the visit says when; it calls wire.happen()."""
    prepare: Callable[[Any], None] = lambda emulator: None


@dataclass(frozen=True)
class Kind:
    """One driver on a real port. `look` is harmless and short; `settle` says what is true after."""

    make: Callable[[], Emulator]
    driver: Callable[[ByteStream], Any]
    look: Callable[[Any], object]
    states: dict[str, State]
    stranger: Callable[[], Emulator]
    settle: Callable[[Any, Any], str]
    port: Port = "pty"
    clock: Clock = CLOCK
    calm: Callable[[Any], None] = lambda emulator: emulator.behave()
    open: Callable[[str], ByteStream] = lambda name: open_port(name, 115200, CLOCK)
    connect_by_name: Callable[[str, Wire | None], Any] | None = None
    """For a driver that opens its own connections."""

    def connect(self, name: str, wire: Wire | None) -> Any:
        """Open the port. DeviceAbsent."""
        if self.connect_by_name is not None:
            return self.connect_by_name(name, wire)
        return self.driver(Striking(self.open(name), wire, self.clock))


class Sockets:
    """Where devices are plugged in, by number; the port's name is the number's."""

    def __init__(self, folder: Path, stack: ExitStack, kind: Kind) -> None:
        self._folder, self._stack, self._port, self._clock = folder, stack, kind.port, kind.clock
        self._tcp: dict[int, int] = {}

    @property
    def pattern(self) -> str:
        return str(self._folder / "ttyUSB*")

    def plug(self, number: int, emulator: Emulator) -> EmulatorHost[Any]:
        path = self._folder / f"ttyUSB{number}"
        host: EmulatorHost[Any]
        match self._port:
            case "pty":
                host = PtyHost(emulator, self._clock, link=path)
            case "fifo":
                host = FifoHost(emulator, self._clock, path)
            case "tcp":
                host = TcpHost(emulator, self._clock, port=self._tcp.get(number, 0))
        self._stack.enter_context(host)
        if isinstance(host, TcpHost):
            self._tcp[number] = host.port
        return host

    def name(self, number: int) -> str:
        if self._port == "tcp":
            return f"tcp://127.0.0.1:{self._tcp[number]}"
        return str(self._folder / f"ttyUSB{number}")


class Bench:
    """One cell: a device in a state, and its cable moved."""

    def __init__(self, kind: Kind, state: State, sockets: Sockets) -> None:
        self.kind, self.state, self.sockets = kind, state, sockets
        self.emulator = kind.make()
        self.host = sockets.plug(0, self.emulator)

    def run(self, column: str) -> str:
        """What was told in the state; what opening and looking gave; what is true in the end."""
        wire = Wire(self.host, self.state.moment, self.state.gate)
        wire.strike = lambda: self._move(column)
        driver = self.kind.connect(self.sockets.name(0), wire)
        self.host.with_emulator(self.state.prepare)
        if self.state.moment is None and not self.state.by_itself:
            wire.happen()
        told = outcome_of(lambda: self.state.visit(driver, wire))
        assert wire.struck, "the state was never reached"
        close(driver)
        return f"{told}; {self._after(column)}"

    def _move(self, column: str) -> None:
        match column:
            case "unplugged":
                self.host.unplug()
            case "plugged again":
                self.host.unplug()
                self.host.plug()
            case "another device there":
                self.host.stop()
                self.host = self.sockets.plug(0, self.kind.stranger())
            case "another number":
                self.host.stop()
                self.host = self.sockets.plug(1, self.emulator)

    def _after(self, column: str) -> str:
        """At the old name, by a look and nothing else; then at the right one."""
        number = 0
        self.kind.calm(self.emulator)
        at_old_name = self._looked(0, 1 if column == "another device there" else TRIES)
        match column:
            case "unplugged":
                self.host.plug()
            case "another device there":
                self.host.stop()
                self.host = self.sockets.plug(0, self.emulator)
            case "another number":
                number = 1
        name = self._found(self.sockets.name(number))
        driver = self.kind.connect(name, None)
        assert self._looks(driver, TRIES) == "well"
        truth = self.kind.settle(self.emulator, driver)
        close(driver)
        return f"{at_old_name}; {truth}"

    def _looked(self, number: int, tries: int) -> str:
        try:
            driver = self.kind.connect(self.sockets.name(number), None)
        except DeviceAbsent:
            return "absent"
        looked = self._looks(driver, tries)
        close(driver)
        return "absent" if looked == "DeviceAbsent" else looked

    def _looks(self, driver: Any, tries: int) -> str:
        """As a worker, which asks again: a device may first say what it still had to say."""
        looked = "DeadlineExceeded"
        while looked == "DeadlineExceeded" and tries > 0:
            looked, tries = outcome_of(lambda: self.kind.look(driver)), tries - 1
        return looked

    def _found(self, name: str) -> str:
        """On a line a device is found by asking: a new number is no reason to call anybody."""
        if self.kind.port != "pty":
            return name

        def ask(stream: ByteStream) -> DeviceIdentity:
            self.kind.look(self.kind.driver(Striking(stream, None, self.kind.clock)))
            return DeviceIdentity("", "")

        looks = [Look("it", ask)]
        finder = PortFinder(lambda: ports_like([self.sockets.pattern]), looks, CLOCK)
        for _ in range(TRIES):
            with suppress(DeviceAbsent):
                assert finder.port_of("it") == name
                return name
        raise AssertionError(f"nothing answers at {name}")


def outcome_of(act: Callable[[], object]) -> str:
    """The fault's name, or `well`."""
    try:
        act()
    except DriverError as fault:
        return type(fault).__name__
    return "well"


def close(driver: Any) -> None:
    if hasattr(driver, "close"):
        driver.close()
