"""Provider and hospital: with the devices (devices.py) the three who keep books of their own.

Rule: nothing of the terminal is in them. They are never killed; a scenario begins with a clean
book, and the book is handed to whoever compares it.
"""

from __future__ import annotations

import gzip
import socket
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

from kiosk.hospital import contract as c
from tests.crash.lines import LineClient, Server
from tests.crash.page import BEGIN_S, Page
from tests.crash.scenario import Fates, Scenario, scenario_from
from tests.simulation.books import HospitalBook, Order, ProviderBook
from tests.simulation.hospital import Away, MiniHospital

CLEAR = ("identify", "today", "departments", "slots", "pre-settle")
"""Questions before any money: their bad days would only keep people from paying."""


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
        hospital.own_fen = scenario.own_fen
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
