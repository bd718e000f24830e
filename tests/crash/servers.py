"""The three who keep books of their own: pad, provider and hospital, each in its own process.

Rule: nothing of the terminal is in them. They are never killed; a scenario begins with a clean
book, and the book is handed to whoever compares it.
"""

from __future__ import annotations

import gzip
import select
import socket
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

from drivers.pad_ledger import PadLedger
from drivers.zvt.emulator import Abandoned, PadEmulator, PadModel
from kiosk.hospital import contract as c
from tests.crash.lines import LineClient, Server
from tests.crash.page import BEGIN_S, Page
from tests.crash.scenario import Fates, Scenario
from tests.simulation.books import HospitalBook, Order, ProviderBook
from tests.simulation.hospital import Away, MiniHospital

TICK_S = 0.05
TICKS_MAX = 400
"""A long wait is walked in longer steps: nothing of the pad's is as slow as an hour."""

BYTES_S = 2.0
"""Bytes that were written are here within this time, in the machine's own seconds."""


CLEAR = ("identify", "today", "departments", "slots", "pre-settle")
"""Questions before any money: their bad days would only keep people from paying."""


def scenario_from(told: dict[str, Any]) -> Scenario:
    fates = Fates(**{**told["fates"], "away_s": tuple(told["fates"]["away_s"])})
    return Scenario(**{**told, "fates": fates})


# --- the pad -------------------------------------------------------------------------------------


class PadProcess:
    """The product's pad emulator behind a TCP port, with hands before it and a clock to turn."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._emulator = self._fresh()
        self._scenario: Scenario | None = None
        self._peer: PadPeer | None = None
        self._wanted_s: float | None = None

    def _fresh(self) -> PadEmulator:
        model = PadModel(serial_line=False)
        wall = lambda: self._page.now().replace(tzinfo=None)  # noqa: E731
        emulator = PadEmulator(PadLedger(), wall, model)
        emulator.tick(self._page.now_s)
        return emulator

    def connect(self, connection: socket.socket) -> PadPeer:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._peer = PadPeer(connection, self)
        self._emulator.connected()
        return self._peer

    def gone(self, peer: PadPeer) -> None:
        """That terminal has closed the line, or was killed."""
        if self._peer is peer:
            self._peer = None

    def heard(self, peer: PadPeer, data: bytes) -> None:
        """Of a terminal that was killed as well: what it sent is still on the line."""
        self._say(self._emulator.tick(self._page.now_s) + self._emulator.receive(data), peer)

    def _say(self, data: bytes, peer: PadPeer | None) -> None:
        if data and peer is not None:
            peer.say(data)

    def handle(self, asked: dict[str, Any]) -> dict[str, Any]:
        match asked:
            case {"begin": told}:
                self._begin(scenario_from(told))
            case {"until_s": until_s, "port": port, "written": written, "quiet": quiet}:
                if port != (self._peer.port if self._peer else 0):
                    return {}  # connected, not yet accepted: to be asked again
                return self._go_on(until_s, written, quiet)
            case {"books": _}:
                entries = self._emulator.ledger.entries[1:]
                told = [asdict(one) | {"fate": one.fate.value} for one in entries]
                return {"entries": told}
        return {}

    def _begin(self, scenario: Scenario) -> None:
        """A pad that has paid once before: the technician's test."""
        self._scenario, self._peer, self._wanted_s = scenario, None, None
        self._emulator = pad = self._fresh()
        test = pad.ledger.charge(1, "0000", "test", self._page.now().isoformat(timespec="seconds"))
        pad.ledger.complete(test.trace)
        if scenario.pad:
            pad.misbehave(scenario.pad)
        pad.knobs.pin_s, pad.knobs.bank_s, pad.knobs.abandoned_s = 1.5, 2.0, 30.0
        if scenario.pad_keeps:
            pad.knobs.when_abandoned = Abandoned.KEEPS
        if not scenario.bank_says_yes:
            pad.decline()

    def _go_on(self, until_s: float, written: int, quiet: bool) -> dict[str, Any]:
        """Time goes on, at most until the pad has said something, unless nobody listens."""
        peer = self._peer
        if peer is not None:
            peer.await_bytes(written)
        sent = peer.take_sent() if peer is not None else 0
        while (quiet or not sent) and self._page.now_s < until_s:
            step_s = max(TICK_S, (until_s - self._page.now_s) / TICKS_MAX)
            self._page.now_s = min(until_s, self._page.now_s + step_s)
            self._hands()
            self._say(self._emulator.tick(self._page.now_s), peer)
            sent += peer.take_sent() if peer is not None else 0
        return {"sent": sent}

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


class PadPeer:
    """The terminal's end of the pad's line."""

    def __init__(self, connection: socket.socket, pad: PadProcess) -> None:
        self.connection, self._pad = connection, pad
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
            self._pad.heard(self, data)
        else:
            self._pad.gone(self)
        return bool(data)

    def await_bytes(self, written: int) -> None:
        while self._heard < written and select.select([self.connection], [], [], BYTES_S)[0]:
            if not self.hear():
                return

    def say(self, data: bytes) -> None:
        try:
            self.connection.sendall(data)
        except OSError:
            return  # nobody is there to hear it
        self._sent += len(data)

    def take_sent(self) -> int:
        sent, self._sent = self._sent, 0
        return sent


def run_pad(page: Page, port: socket.socket, control: socket.socket) -> None:
    """Until it is killed."""
    pad, server = PadProcess(page), Server()
    server.listen(port, pad.connect)
    server.listen_lines(control, pad.handle)
    server.run()


# --- the provider --------------------------------------------------------------------------------


class ProviderProcess:
    """The provider's book, asked by the hospital and by people's phones."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._begin()

    def _begin(self) -> None:
        self._broken: list[str] = []
        self._book = ProviderBook(self._page.read_s, self._broken.append)

    def handle(self, asked: dict[str, Any]) -> dict[str, Any]:
        match asked:
            case {"begin": _}:
                self._begin()
            case {"books": _}:
                standing = {of: self._book.standing(of) for of in self._book.orders}
                orders = {of: asdict(order) for of, order in self._book.orders.items()}
                return {"orders": orders, "standing": standing, "broken": self._broken}
            case {"scan": reference}:
                self._book.scan(reference)
            case {"call": name, "with": given}:
                said = getattr(self._book, name)(*given)
                return asdict(said) if said is not None else {}
        return {}


class ProviderLine:
    """What the hospital knows of the provider: its answers."""

    def __init__(self, path: Path) -> None:
        self._line = LineClient(path)
        self.orders: dict[str, Order] = {}  # the book itself is not here

    def open(self, reference: str, amount_fen: int) -> None:
        self._line.ask(**{"call": "open", "with": [reference, amount_fen]})

    def by_code(self, reference: str, amount_fen: int, outcome: str, after_s: float) -> c.Charge:
        return self._said("by_code", reference, amount_fen, outcome, after_s)

    def query(self, reference: str) -> c.Charge:
        return self._said("query", reference)

    def close(self, reference: str) -> c.Charge:
        return self._said("close", reference)

    def reverse(self, reference: str, will: bool) -> c.Charge:
        return self._said("reverse", reference, will)

    def _said(self, name: str, *given: Any) -> c.Charge:
        return c.Charge(**self._line.ask(**{"call": name, "with": list(given)}))


def run_provider(page: Page, control: socket.socket) -> None:
    """Until it is killed."""
    server = Server()
    server.listen_lines(control, ProviderProcess(page).handle)
    server.run()


# --- the hospital --------------------------------------------------------------------------------


class HospitalProcess:
    """The HIS behind the gateway's endpoints, over HTTP, on a line that has bad days."""

    def __init__(self, page: Page, provider: Path) -> None:
        self._page, self._provider = page, ProviderLine(provider)
        self._late: list[tuple[float, Any]] = []
        self._broken: list[str] = []
        self._fates, self._chance = Fates(), Random(0)
        self._hospital = self._fresh()

    def _fresh(self) -> MiniHospital:
        provider: Any = self._provider
        return MiniHospital(HospitalBook(provider), provider, self._chance, self._page.now)

    def handle(self, asked: dict[str, Any]) -> dict[str, Any]:
        match asked:
            case {"begin": told}:
                self._begin(scenario_from(told))
            case {"books": _}:
                self._catch_up(float("inf"))
                return self._books()
        return {}

    def _begin(self, scenario: Scenario) -> None:
        self._chance, self._fates = Random(scenario.seed), scenario.fates
        self._late, self._broken = [], []
        self._hospital = hospital = self._fresh()
        hospital.refuses = 1.0 if scenario.refuses else 0.0
        hospital.will_not_reverse = scenario.will_not_reverse
        hospital.silent, hospital.payer = scenario.provider_silent, scenario.phone
        hospital.may_reverse = self._may_reverse
        hospital.new_patient()

    def _books(self) -> dict[str, Any]:
        book = self._hospital.book
        booked = {of: ask.amount_fen for of, ask in book.booked.items()}
        refused = [of for of in book.answers if book.said_no(of)]
        told = {"booked": booked, "refused": refused, "quotes": book.bill_of_quote}
        return {**told, "broken": self._broken}

    def _may_reverse(self, reference: str) -> None:
        """Money goes back only after a definite no."""
        if not self._hospital.book.said_no(reference):
            self._broken.append(f"{reference}: to be reversed before the hospital said no")

    def answer(self, path: str, body: bytes) -> tuple[int, bytes] | None:
        """Status and body; None: the line breaks before anybody has answered."""
        self._catch_up(self._page.now_s)
        endpoint = next(one for one in c.ENDPOINTS if one.path == path)
        request = c.from_json(endpoint.request, body)
        if endpoint.name in CLEAR:
            return self._ask(request, endpoint.reply)
        begins_s, ends_s = self._fates.away_s
        if begins_s <= self._page.now_s - BEGIN_S < ends_s:
            return 503, b'{"code":"away"}'
        luck, fates = self._chance.random(), self._fates
        if luck < fates.lost_request:
            return None
        if luck < fates.lost_request + fates.late:
            late_s = self._page.now_s + self._chance.uniform(0.5, 60.0)
            self._late.append((late_s, request))
            return None
        answer = self._ask(request, endpoint.reply)
        if luck < fates.lost_request + fates.late + fates.lost_answer:
            return None
        if self._chance.random() < fates.garbled:
            return 200, b"<html>"
        return answer

    def _ask(self, request: Any, reply: Any) -> tuple[int, bytes]:
        try:
            return 200, c.to_json(self._hospital.ask(request), reply)
        except Away:
            return 503, b'{"code":"away"}'

    def _catch_up(self, until_s: float) -> None:
        """Requests that lay somewhere on the way arrive, and nobody hears the answer."""
        due = sorted((one for one in self._late if one[0] <= until_s), key=lambda one: one[0])
        self._late = [one for one in self._late if one[0] > until_s]
        for _, request in due:
            self._ask(request, c.endpoint_of(type(request)).reply)


class HttpPeer:
    """HTTP/1.1 as the product's client speaks it: one request at a time, kept alive."""

    def __init__(self, connection: socket.socket, hospital: HospitalProcess) -> None:
        self.connection, self._hospital = connection, hospital
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray()

    def hear(self) -> bool:
        try:
            data = self.connection.recv(65536, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True  # read already, for another's sake
        except OSError:
            return False
        self._buffer += data
        while (request := self._take()) is not None:
            answer = self._hospital.answer(*request)
            if answer is None:
                return False
            try:
                self.connection.sendall(_response(*answer))
            except OSError:
                return False
        return bool(data)

    def _take(self) -> tuple[str, bytes] | None:
        """A whole request, or None: half of one is never acted on."""
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        first, *rest = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (h.partition(":") for h in rest)
        }
        length = int(headers.get("content-length", "0"))
        if len(self._buffer) < end + 4 + length:
            return None
        body = bytes(self._buffer[end + 4 : end + 4 + length])
        del self._buffer[: end + 4 + length]
        packed = headers.get("content-encoding") == "gzip"
        return first.split()[1], gzip.decompress(body) if packed else body


def _response(status: int, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def run_hospital(page: Page, provider: Path, port: socket.socket, control: socket.socket) -> None:
    """Until it is killed."""
    hospital, server = HospitalProcess(page, provider), Server()
    server.listen(port, lambda connection: HttpPeer(connection, hospital))
    server.listen_lines(control, hospital.handle)
    server.run()
