"""Pad and cash box: the product's emulators behind TCP ports, with hands, ledgers, and the clock.

Rule: like the other servers nothing of the terminal is in here, and nothing is ever killed; the
clock that all processes share is turned here, because the devices must see each of its steps.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from drivers.cashbox.emulator import BillValidatorEmulator, NoteLedger
from drivers.mispos.emulator import MisPosEmulator
from drivers.pad_ledger import PadLedger
from drivers.unionpay.emulator import UnionPayEmulator
from drivers.zvt.emulator import Abandoned, PadEmulator, PadModel
from tests.crash.lines import Server
from tests.crash.page import Page
from tests.crash.scenario import Scenario, scenario_from

TICK_S = 0.05
TICKS_MAX = 400
"""A long wait is walked in longer steps: nothing of a device's is as slow as an hour."""

BYTES_S = 2.0
"""Bytes that were written are here within this time, in the machine's own seconds."""

PUSHED_AFTER_S = 1.5
PUSHED_YUAN = 10


class Booth(Protocol):
    """One device with its hands."""

    def begin(self, scenario: Scenario) -> None: ...

    def connected(self) -> None: ...

    def gone(self) -> None: ...

    def receive(self, data: bytes) -> bytes: ...

    def tick(self, now_s: float) -> bytes:
        """The hands act, then the device."""

    def book(self) -> list[dict[str, Any]]: ...


# --- the pad -------------------------------------------------------------------------------------


class PadBooth:
    """A pad that has paid once before: the technician's test."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._emulator: PadEmulator | MisPosEmulator | UnionPayEmulator
        self._emulator = self._zvt()
        self._scenario: Scenario | None = None
        self._wanted_s: float | None = None

    def _wall(self) -> Any:
        return self._page.now().replace(tzinfo=None)

    def _zvt(self) -> PadEmulator:
        return PadEmulator(PadLedger(), self._wall, PadModel(serial_line=False))

    def begin(self, scenario: Scenario) -> None:
        self._scenario, self._wanted_s = scenario, None
        match scenario.kind:
            case "mispos":
                self._emulator = MisPosEmulator(PadLedger(), self._wall)
            case "unionpay":
                self._emulator = UnionPayEmulator(PadLedger(), self._wall)
            case "zvt":
                self._emulator = self._zvt()
        pad = self._emulator
        pad.tick(self._page.now_s)
        test = pad.ledger.charge(1, "0000", "test", self._page.now().isoformat(timespec="seconds"))
        pad.ledger.complete(test.trace)
        if scenario.pad:
            pad.misbehave(scenario.pad)
        pad.knobs.bank_s = 2.0
        if isinstance(pad, PadEmulator):
            pad.knobs.pin_s, pad.knobs.abandoned_s = 1.5, 30.0
            if scenario.pad_keeps:
                pad.knobs.when_abandoned = Abandoned.KEEPS
        if not scenario.bank_says_yes:
            pad.decline()

    def connected(self) -> None:
        if isinstance(self._emulator, PadEmulator):
            self._emulator.connected()

    def gone(self) -> None:
        """A pad does not look at its line."""

    def receive(self, data: bytes) -> bytes:
        return self._emulator.tick(self._page.now_s) + self._emulator.receive(data)

    def tick(self, now_s: float) -> bytes:
        self._hands()
        return self._emulator.tick(now_s)

    def _hands(self) -> None:
        """Whoever stands before the pad acts a moment after it asks for a card."""
        pad, scenario = self._emulator, self._scenario
        if scenario is None or not pad.waits_for_card:
            self._wanted_s = None
            return
        if self._wanted_s is None:
            self._wanted_s = self._page.now_s
        waited_s = self._page.now_s - self._wanted_s
        match scenario.hand:
            case "card" if waited_s > 1.0:
                pad.present_card()
            case "slow" if waited_s > 25.0:
                pad.present_card()
            case "red_key" if waited_s > 2.0:
                pad.press_cancel()

    def book(self) -> list[dict[str, Any]]:
        entries = self._emulator.ledger.entries[1:]
        return [asdict(one) | {"fate": one.fate.value} for one in entries]


# --- the cash box --------------------------------------------------------------------------------


@dataclass
class Note:
    """One note, with what became of it: held, stacked, returned or stuck."""

    at: str
    fen: int
    fate: str = "held"


class CashBooth:
    """A validator that goes on taking notes while the terminal is dead, as a real one does."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._begin("", pushes=False)

    def begin(self, scenario: Scenario) -> None:
        self._begin(scenario.box, scenario.pushes)

    def _begin(self, misbehaviour: str, pushes: bool) -> None:
        self._box = BillValidatorEmulator(NoteLedger())
        self._box.tick(self._page.now_s)
        if misbehaviour:
            self._box.misbehave(misbehaviour)
        self._pushes, self._gone_s = pushes, float("inf")
        self._notes: list[Note] = []
        self._read = 0

    def connected(self) -> None:
        self._gone_s = float("inf")

    def gone(self) -> None:
        self._gone_s = self._page.now_s

    def receive(self, data: bytes) -> bytes:
        said = self._box.tick(self._page.now_s) + self._box.receive(data)
        self._watch()
        return said

    def tick(self, now_s: float) -> bytes:
        if self._pushes and now_s >= self._gone_s + PUSHED_AFTER_S:
            self._pushes = False
            self.insert(PUSHED_YUAN)
        said = self._box.tick(now_s)
        self._watch()
        return said

    def insert(self, yuan: int) -> bool:
        """Whether the note was drawn in."""
        drawn_in = self._box.insert_note(yuan)
        self._watch()
        return drawn_in

    def _watch(self) -> None:
        """Its ledger has no clock: each line is given the time when it is first seen."""
        for event, fen in self._box.ledger.events[self._read :]:
            self._read += 1
            if event == "inserted":
                self._notes.append(Note(self._page.now().isoformat(), fen))
            else:
                assert self._notes[-1].fen == fen, "one note at a time is on its way"
                self._notes[-1].fate = event

    def book(self) -> list[dict[str, Any]]:
        return [asdict(note) for note in self._notes]


# --- their process -------------------------------------------------------------------------------


class Devices:
    """The devices' lines, and the clock."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.cash = CashBooth(page)
        self.booths: dict[str, Booth] = {"pad": PadBooth(page), "cash": self.cash}
        self._peers: dict[str, DevicePeer] = {}
        self._there: tuple[str, ...] = ("pad",)

    def connect(self, name: str) -> Callable[[socket.socket], DevicePeer]:
        def made(connection: socket.socket) -> DevicePeer:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer = self._peers[name] = DevicePeer(connection, self, name)
            self.booths[name].connected()
            return peer

        return made

    def gone(self, peer: DevicePeer) -> None:
        """That terminal has closed the line, or was killed."""
        if self._peers.get(peer.name) is peer:
            del self._peers[peer.name]
            self.booths[peer.name].gone()

    def heard(self, peer: DevicePeer, data: bytes) -> None:
        """Of a terminal that was killed as well: what it sent is still on the line."""
        peer.say(self.booths[peer.name].receive(data))

    def handle(self, asked: dict[str, Any]) -> dict[str, Any]:
        match asked:
            case {"begin": told}:
                scenario = scenario_from(told)
                self._peers.clear()
                self._there = (scenario.device,)
                for name in self._there:
                    self.booths[name].begin(scenario)
            case {"until_s": until_s, "lines": lines, "awaits": awaits}:
                ports = {name: peer.port for name, peer in self._peers.items()}
                if ports != {name: port for name, (port, _) in lines.items()}:
                    return {}  # connected, not yet accepted: to be asked again
                written = {name: count for name, (_, count) in lines.items()}
                return {"sent": self._go_on(until_s, written, awaits)}
            case {"insert": yuan}:
                return {"drawn_in": self.cash.insert(yuan)}
            case {"books": _}:
                books: dict[str, Any] = {name: [] for name in self.booths}
                return {**books, **{name: self.booths[name].book() for name in self._there}}
        return {}

    def _go_on(self, until_s: float, written: dict[str, int], awaits: str) -> int:
        """Time goes on, at most until `awaits` has said something; empty: nobody listens."""
        for name, count in written.items():
            self._peers[name].await_bytes(count)
        sent = self._said(awaits)
        while not sent and self._page.now_s < until_s:
            step_s = max(TICK_S, (until_s - self._page.now_s) / TICKS_MAX)
            self._page.now_s = min(until_s, self._page.now_s + step_s)
            for name in self._there:
                said = self.booths[name].tick(self._page.now_s)
                if name in self._peers:
                    self._peers[name].say(said)
            sent = self._said(awaits)
        for name in written.keys() - {awaits}:
            self._said(name)  # nobody waits for it; whoever asks next throws it away
        return sent

    def _said(self, awaits: str) -> int:
        peer = self._peers.get(awaits)
        return peer.take_sent() if peer is not None else 0


class DevicePeer:
    """The terminal's end of a device's line."""

    def __init__(self, connection: socket.socket, devices: Devices, name: str) -> None:
        self.connection, self._devices, self.name = connection, devices, name
        self.port = connection.getpeername()[1]
        self._sent = self._heard = 0

    def hear(self) -> bool:
        try:
            data = self.connection.recv(4096, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True  # read already, for another's sake
        except OSError:
            data = b""
        self._heard += len(data)
        if data:
            self._devices.heard(self, data)
        else:
            self._devices.gone(self)
        return bool(data)

    def await_bytes(self, written: int) -> None:
        while self._heard < written and select.select([self.connection], [], [], BYTES_S)[0]:
            if not self.hear():
                return

    def say(self, data: bytes) -> None:
        if not data:
            return
        try:
            self.connection.sendall(data)
        except OSError:
            return  # nobody is there to hear it
        self._sent += len(data)

    def take_sent(self) -> int:
        sent, self._sent = self._sent, 0
        return sent


def run_devices(
    page: Page, pad: socket.socket, cash: socket.socket, control: socket.socket
) -> None:
    """Until it is killed."""
    devices, server = Devices(page), Server()
    server.listen(pad, devices.connect("pad"))
    server.listen(cash, devices.connect("cash"))
    server.listen_lines(control, devices.handle)
    server.run()
