"""One demo world for the stories of a module; each story leaves the terminal at its first page."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from drivers.idcard.card import encode
from drivers.pad_ledger import Entry
from gateway.adapters.demo.bills import unpaid_on
from gateway.adapters.demo.crowd import everybody
from gateway.adapters.demo.people import AIDED, KNOWN, Person
from kiosk.demo.devices import card_of
from kiosk.demo.journeys import to_the_bill, until_payable
from kiosk.demo.observer import Observer
from kiosk.demo.tour import Tour, Walk, everything_works
from kiosk.demo.world import DemoWorld
from kiosk.domain.identity import DocumentKind
from kiosk.link import LinkClient, LinkLost
from kiosk.profile import read_profile
from kiosk.views import PaymentResult, View
from ui.hands import HandsClient

CHARGE_S = 12
"""Shorter than on a terminal, so that a pad's silence does not make the suite silent too."""


def debtors(world: DemoWorld) -> Iterator[Person]:
    """People with an ID card and an unpaid bill of which a part is their own."""
    for person in (*everybody(), *KNOWN):
        card = person.document is DocumentKind.RESIDENT
        if card and person.insurance != AIDED and unpaid_on(person, world.now.date()):
            yield person


class Terminal:
    """The world, what the screen shows, and hands for one story."""

    def __init__(self, world: DemoWorld, tour: Tour) -> None:
        self.world, self.tour = world, tour
        self._debtors = debtors(world)

    def debtor(self) -> Person:
        """Somebody who owes and has not been used by another story."""
        return next(self._debtors)

    @property
    def observer(self) -> Observer:
        return self.tour.observer

    # --- ledgers that are not ours

    def charges(self) -> tuple[Entry, ...]:
        """The pad's own ledger."""
        return self.world.devices.pad.with_emulator(lambda pad: pad.ledger.entries)

    def until_charged(self, count: int) -> None:
        self.until(lambda: len(self.charges()) >= count, f"{count} charges at the pad")

    def bookings(self, reference: str) -> int:
        """How often the hospital's own book has a settlement of this reference."""
        book = self.world.ledgers()["hospital"]
        return sum(reference in json.dumps(entry) for entry in book if entry["kind"] == "settled")

    def marked_printed(self, person: Person) -> int:
        """How many of this person's reports the hospital's own book has as printed."""
        book = self.world.ledgers()["hospital"]
        return sum(entry["kind"] == "printed" and entry["person"] == person.id for entry in book)

    # --- the terminal as a technician sees it

    def status(self) -> dict[str, Any]:
        return self._ask("status")

    def _ask(self, what: str, **arguments: str) -> dict[str, Any]:
        client = LinkClient(self.world.socket_path, "cli")
        answer = client.ask(what, **arguments)
        client.close()
        return answer

    def waiting(self) -> list[str]:
        """Keys of the records that wait for the gateway."""
        return list(self._ask("waiting")["keys"])

    def open_payment(self) -> str:
        (reference,) = self.status()["open_payments"]
        return str(reference)

    def until_payment(self, reference: str, at: str, timeout_s: float = 60.0) -> None:
        self.until(lambda: self._payment(reference) == at, f"{reference} {at}", timeout_s)

    def _payment(self, reference: str) -> str:
        try:
            return str(self._ask("payment", reference=reference)["state"])
        except LinkLost:
            return ""

    def runs(self) -> list[dict[str, str]]:
        """What the trail says of core's starts and ends; core is ended for it, and starts again."""
        store = Path(read_profile(self.world.profile_path).terminal.folder) / "kiosk.db"
        self.world.core.stop()
        with closing(sqlite3.connect(store)) as alone:
            rows = alone.execute("select payload from audit order by seq").fetchall()
        self.world.core.start()
        told = (json.loads(payload) for (payload,) in rows)
        return [event for event in told if event["event"].startswith("terminal_")]

    def until(self, true: Callable[[], bool], what: str, timeout_s: float = 20.0) -> None:
        until_s = monotonic() + timeout_s
        while not true():
            assert monotonic() < until_s, f"waited {timeout_s} s for {what}"
            self.world.rest(0.05)

    # --- eyes

    def texts(self) -> list[str]:
        """Every text that the screen shows now."""
        return [text["text"] for text in self.tour.hands.tree()["texts"]]

    def results_from_now(self) -> Callable[[], list[str]]:
        """What payment results the screen will have shown when this is called."""
        watching = Observer(self.world.socket_path)
        seen: list[str] = []

        def note(view: View) -> bool:
            if isinstance(view.page, PaymentResult):
                seen.append(view.page.result)
            return False

        watching.watch(note)
        watching.start()

        def results() -> list[str]:
            # Two observers are told one after the other: this one has heard it all as well.
            watching.wait(lambda view: view == self.observer.view, "what the other has seen")
            watching.stop()
            return seen

        return results

    def slips(self) -> list[str]:
        """The text of every slip that came out."""
        folder = self.world.devices.slips
        return [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.txt"))]

    def printer_refusals(self) -> list[str]:
        """Commands that the printer's manual does not know."""
        return self.world.devices.printer.with_emulator(lambda printer: list(printer.refused))

    def card_with_name(self, name: str) -> bytes:
        """A card whose name field holds what no name may."""
        text = bytearray(encode(card_of(self.debtor())))
        text[:30] = name.ljust(15)[:15].encode("utf-16-le")
        return bytes(text)

    # --- hands

    def pay_by_card(self, walk: Walk) -> None:
        to_the_bill(walk)
        until_payable(walk)
        walk.tap("card")

    def walk(self) -> Walk:
        return Walk(self.world, self.observer, self.tour.hands)

    def hands_again(self) -> None:
        """After the screen's process was killed: a new connection to its hands."""
        self.tour.hands.close()
        self.tour.hands = HandsClient(self.world.hands_path)


@pytest.fixture(scope="package")
def _whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    folder: Path = tmp_path_factory.mktemp("world")
    # The A4 printer's programs run as other users: they must be able to come in.
    for path in (folder, *folder.parents[:2]):
        path.chmod(0o755)
    world = DemoWorld(folder, charge_s=CHARGE_S)
    tour = Tour(world, folder / "out")
    try:
        world.start()
        tour.start()
        try:
            yield Terminal(world, tour)
        finally:
            tour.stop()
    finally:
        world.stop()


@pytest.fixture
def terminal(_whole: Terminal) -> Iterator[Terminal]:
    _whole.observer.wait(everything_works, "all devices and the hospital", 30.0)
    yield _whole
    world = _whole.world
    if not world.gateway.running:
        world.start_gateway()
    world.control("hospital", {"mode": "normal"})
    world.control("provider", {"mode": "normal"})
    world.devices.behave()
    _whole.hands_again()
    walk = _whole.walk()
    walk.lift()
    _leave(_whole, walk)


def _leave(terminal: Terminal, walk: Walk) -> None:
    """Back to the first page, from wherever a story (or its failure) has left the terminal."""
    view = terminal.observer.view
    if view is not None and view.page.page in ("pad_busy", "pay", "type_in"):
        left = view.page.page
        walk.tap("back")
        terminal.observer.wait(lambda view: view.page.page != left, f"{left} left", 30)
    walk.end()
