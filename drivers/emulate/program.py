"""One emulator as a program: a port, a console on standard input, an orderly end on SIGTERM.

Rule: the first line of output is the port and nothing else; each line read is answered by one line,
`help` by several, of which the last is ok. The end of the input is not the end of the emulator.
"""

from __future__ import annotations

import os
import select
import signal
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from drivers.deadline import Clock
from drivers.emulate.catalogue import KINDS, Kind, Port, Wish
from drivers.emulate.hands import Bench, WordError
from drivers.errors import DriverError
from drivers.hosts.fifo_host import FifoHost
from drivers.hosts.host import EmulatorHost
from drivers.hosts.pcsc_daemon import PcscDaemon
from drivers.hosts.pty_host import PtyHost
from drivers.hosts.tcp_host import TcpHost
from drivers.hosts.vpcd_host import VirtualCard, VpcdHost
from drivers.transport import Emulator

LINE_BYTES_MAX = 4096


class CannotEmulate(Exception):
    """What was asked for does not exist; the text says what does."""


@dataclass(frozen=True)
class Asked:
    """What the command line said. `port` None: the usual one; `tcp` 0: any free one.

    `folder` gets paper, ledgers and the port under the name `port`; None: one that ends with it.
    """

    name: str
    port: Port | None = None
    tcp: int = 0
    model: str = ""
    folder: Path | None = None
    paced: bool = False
    misbehave: str = ""


def listing() -> list[str]:
    """Every emulator, a line each."""
    return [f"{name:12} {'/'.join(kind.ports):9} {kind.words}" for name, kind in KINDS.items()]


class SlotHost(VpcdHost):
    """A card in the slot of a daemon of its own; `path` is where clients find that."""

    def __init__(self, card: VirtualCard, clock: Clock, daemon: PcscDaemon) -> None:
        super().__init__(card, clock, daemon.dial())
        self.path = str(daemon.socket_path)


AnyHost = EmulatorHost[Emulator] | SlotHost


class Program:
    """`clock` never goes back; `wall` is the devices' own local time."""

    def __init__(self, asked: Asked, clock: Clock, wall: Callable[[], datetime]) -> None:
        """CannotEmulate: no such emulator, port or model."""
        self._kind, self._port = _chosen(asked)
        self._asked, self._clock, self._wall = asked, clock, wall
        self._stop_read, self._stop_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def stop(self) -> None:
        """End run(); may be called by a signal's handler."""
        os.write(self._stop_write, b"!")

    def run(self, lines: IO[bytes], say: Callable[[str], None]) -> None:
        """Until stop() or the word quit. CannotEmulate: no such misbehaviour."""
        with ExitStack() as stack:
            stack.callback(os.close, self._stop_read)
            stack.callback(os.close, self._stop_write)
            folder = self._asked.folder
            if folder is None:
                made = stack.enter_context(tempfile.TemporaryDirectory(prefix="emulate-"))
                folder = Path(made)
            folder.mkdir(parents=True, exist_ok=True)
            bench = self._kind.make(Wish(folder, self._wall, self._asked.model, self._port))
            self._misbehave(bench)
            host = self._host(bench.emulator, folder, stack)
            stack.enter_context(host)
            say(_name_of(host))
            self._converse(lines.fileno(), host, bench, say)

    def _misbehave(self, bench: Bench) -> None:
        word = self._asked.misbehave
        if word and word not in bench.misbehaviours:
            known = ", ".join(bench.misbehaviours)
            raise CannotEmulate(f"{self._asked.name} knows no {word!r}; there are: {known}")
        if word:
            bench.emulator.misbehave(word)

    def _host(self, emulator: Emulator, folder: Path, stack: ExitStack) -> AnyHost:
        asked, clock, bits = self._asked, self._clock, self._kind.bits_per_byte
        baud = self._kind.baud if asked.paced else None
        match self._port:
            case "pty":
                link = folder / "port" if asked.folder else None
                return PtyHost(emulator, clock, baud, link=link, bits_per_byte=bits)
            case "tcp":
                return TcpHost(emulator, clock, baud, port=asked.tcp, bits_per_byte=bits)
            case "fifo":
                return FifoHost(emulator, clock, folder / "port")
            case "pcsc":
                assert isinstance(emulator, VirtualCard)
                return self._slot(emulator, folder, stack)

    def _slot(self, card: VirtualCard, folder: Path, stack: ExitStack) -> SlotHost:
        """A pcscd of its own, whose socket is the port: PCSCLITE_CSOCK_NAME for a client."""
        daemon = PcscDaemon(folder.absolute() / "pcscd", self._clock)
        try:
            daemon.start()
        except DriverError as fault:
            raise CannotEmulate(str(fault)) from None
        stack.callback(daemon.stop)
        return SlotHost(card, self._clock, daemon)

    def _converse(self, fd: int, host: AnyHost, bench: Bench, say: Callable[[str], None]) -> None:
        heard, listening = b"", [fd]
        while True:
            ready, _, _ = select.select([self._stop_read, *listening], [], [])
            if self._stop_read in ready:
                return
            data = os.read(fd, LINE_BYTES_MAX)
            listening = listening if data else []
            *lines, heard = (heard + data).split(b"\n")
            heard = heard[:LINE_BYTES_MAX]
            for line in lines:
                words = line.decode(errors="replace").strip()
                if words == "quit":
                    return
                if words:
                    for told in _answer(host, bench, words):
                        say(told)


def _answer(host: AnyHost, bench: Bench, words: str) -> list[str]:
    match words:
        case "help":
            own = [f"{'unplug':28} pull the cable", f"{'plug':28} put it back, name the port"]
            return [*bench.help(), *own, "ok"]
        case "unplug":
            host.unplug()
            return ["ok"]
        case "plug":
            host.plug()
            return [_name_of(host)]
    try:
        return [host.with_emulator(lambda _emulator: bench.carry_out(words))]
    except WordError as error:
        return [f"error: {error}"]


def _name_of(host: AnyHost) -> str:
    match host:
        case TcpHost():
            return f"127.0.0.1:{host.port}"
        case PtyHost() | FifoHost() | SlotHost():
            return host.path
    raise AssertionError(f"a host without a name: {type(host).__name__}")


def _chosen(asked: Asked) -> tuple[Kind, Port]:
    kind = KINDS.get(asked.name)
    if kind is None:
        raise CannotEmulate(f"no emulator {asked.name!r}; there are {', '.join(KINDS)}")
    port = asked.port or kind.ports[0]
    if port not in kind.ports:
        raise CannotEmulate(f"{asked.name} has no {port} port, only {', '.join(kind.ports)}")
    if asked.model and asked.model not in kind.models:
        known = ", ".join(kind.models) or "one only, without a name"
        raise CannotEmulate(f"{asked.name} has no model {asked.model!r}; there are: {known}")
    if asked.paced and kind.baud is None:
        raise CannotEmulate(f"{asked.name} has no line speed to keep")
    return kind, port


def run_until_signal(asked: Asked, clock: Clock, lines: IO[bytes], out: IO[str]) -> None:
    """As a program: ends on SIGTERM and SIGINT with everything closed. CannotEmulate."""
    program = Program(asked, clock, datetime.now)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: program.stop())

    def say(words: str) -> None:
        print(words, file=out, flush=True)

    program.run(lines, say)
