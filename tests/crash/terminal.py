"""The product between the books: engine, flows, store, pad driver, hospital client; one thread.

Rule: everything is the product's own but threads and time. What its workers do side by side is
done here one after the other, in the order that the scenario's virtual time gives.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from kiosk.app import businesses
from kiosk.engine.engine import Engine, Setting
from kiosk.engine.workers import TELL_AGAIN_S, TELL_TRIES, ask
from kiosk.flows.effects import (
    AcceptCash,
    CancelPad,
    CancelReport,
    ChargePad,
    CompletePad,
    PrintReport,
    PrintSlip,
    RecallCash,
    RecallPad,
    ReleasePad,
    ReturnNote,
    StackNote,
    StopCash,
)
from kiosk.flows.events import ReportFailed, SlipPrinted
from kiosk.hospital.client import HospitalClient
from kiosk.hospital.contract import endpoint_of
from kiosk.ports import (
    Answered,
    AskHospital,
    HospitalStood,
    Listen,
    Order,
    TellHospital,
    Ticked,
    Told,
)
from kiosk.records import Opening, StoreRecords, open_records
from kiosk.views import Named, View
from offline.clock import Clock
from offline.database import SqliteDatabase
from tests.crash.lines import LineClient
from tests.crash.marks import (
    MarkedDatabase,
    MarkedFiles,
    MarkedRecords,
    MarkedSession,
    Marks,
    marked_apsw,
)
from tests.crash.page import Page
from tests.crash.person import Person
from tests.crash.scenario import Scenario
from tests.crash.stations import CashStation, PadStation, order_name
from tests.flows.people import NOW, RULES

TICK_S = 20.0
QUIET_S = 20.0
"""Nothing is open for so long: this life is over."""

BALLAST_BYTES = 65536
LIFE_S_MAX = 4 * 3600.0


@dataclass(frozen=True)
class Place:
    """Where a terminal stands: the shared page, its folder, and the ways to the others."""

    page: Page
    folder: Path
    ports: dict[str, int]  # device → its line
    devices_control: Path
    provider_control: Path
    session: MarkedSession
    hospital: HospitalClient  # made before the fork, connects after it


def open_marked(place: Place, marks: Marks, scenario: Scenario, chance: Random) -> MarkedRecords:
    """The product's store in the folder, opened as core opens it, with marks."""
    files = MarkedFiles(f"marked-{scenario.seed}", marks)
    connect: Callable[[Path], Any] = lambda path: MarkedDatabase(path, marks)  # noqa: E731
    if scenario.syscalls:
        connect = lambda path: marked_apsw(path, files)  # noqa: E731
    return MarkedRecords(opened(place.folder, place.page, chance, connect), marks)


def opened(
    folder: Path, page: Page, chance: Random, connect: Callable[[Path], Any] = SqliteDatabase
) -> StoreRecords:
    """A terminal's records on the drill's clock."""
    zone: Any = NOW.tzinfo
    return open_records(
        folder,
        {},
        clock=Clock(page.wall_s, page.read_s, "boot"),
        zone=zone,
        random_bytes=chance.randbytes,
        chance=chance,
        terminal="K03",
        opening=Opening(connect=connect, ballast_bytes=BALLAST_BYTES),
    )


class Terminal:
    """One life of core: from its start until all is quiet, or until it is killed."""

    def __init__(self, place: Place, marks: Marks, scenario: Scenario, life: int) -> None:
        self.place, self.marks, self.scenario = place, marks, scenario
        self._chance = Random(f"{scenario.seed}/{life}")
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._count = self._telling = 0
        self._dying = False
        place.session.marks = marks
        self._devices_line = LineClient(place.devices_control)
        self.station = CashStation(self) if scenario.device == "cash" else PadStation(self)
        self.records = open_marked(place, marks, scenario, self._chance)
        self.view: View
        self.engine = Engine(
            Setting(Named("市第一医院"), Named("3号门"), RULES),
            businesses(),
            records=self.records,
            outside=self,
            clock=self,
            show=self._show,
        )
        self._person = Person(self, scenario, self._scan, self._chance, _visits(scenario, life))

    # --- the engine's clock, and everybody's

    @property
    def now_s(self) -> float:
        return self.place.page.now_s

    def now(self) -> datetime:
        return self.place.page.now()

    def monotonic_s(self) -> float:
        return self.place.page.now_s

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._queue, (self.now_s + seconds, self._count, what))

    def next_s(self) -> float:
        """When something is due, at the latest a look at the time."""
        if self._dying:
            return self.now_s + TICK_S
        due_s = self.engine.next_due_s()
        queued_s = self._queue[0][0] if self._queue else self.now_s + TICK_S
        return min(queued_s, self.now_s + TICK_S if due_s is None else due_s)

    def run_due(self) -> None:
        """Timers, answers and fingers whose time has come."""
        if self._dying:
            return
        while self._queue and self._queue[0][0] <= self.now_s:
            heapq.heappop(self._queue)[2]()
        due_s = self.engine.next_due_s()
        if due_s is not None and due_s <= self.now_s:
            self.tell(Ticked())

    def pass_time(self, until_s: float, *, quiet: bool) -> int:
        """The devices turn the clock; how many bytes ours said. Not quiet: up to its first."""
        lines, awaits = self.station.lines(), "" if quiet else self.station.name
        while True:
            until_s = max(until_s, self.now_s)
            said = self._devices_line.ask(until_s=until_s, lines=lines, awaits=awaits)
            if "sent" in said:
                return int(said["sent"])

    # --- a life

    def live(self) -> None:
        self.engine.start()
        self.tell(HospitalStood(True))
        self.station.open()
        self._person.begin()
        ends_s = self.now_s + LIFE_S_MAX
        quiet_s = self.now_s
        while self.now_s < ends_s and self.now_s < quiet_s + QUIET_S:
            self._go_on()
            if self._telling or self._person.busy or self.engine.status()["open_payments"]:
                quiet_s = self.now_s
        self.records.close()

    def close(self) -> None:
        """Hang up everywhere."""
        self.station.close()
        self._devices_line.close()
        self.place.hospital.close()

    def _go_on(self) -> None:
        station = self.station
        if station.orders:
            station.serve(station.orders.popleft())
        elif self._queue and self._queue[0][0] <= self.now_s:
            self.run_due()
        elif station.attend_s <= self.now_s:
            station.serve(None)
        else:
            self.pass_time(min(self.next_s(), station.attend_s), quiet=True)
            self.run_due()

    def tell(self, told: Told) -> None:
        if not self._dying:
            self.engine.tell(told)

    def _show(self, view: View) -> None:
        self.view = view

    # --- the engine's Outside

    def order(self, order: Order) -> None:
        if not isinstance(order, Listen):
            self.marks.at(f"effect {order_name(order)}")
            self.marks.at(f"effect {order_name(order)}: taken", torn=lambda: self._taken(order))
        match order:
            case AskHospital(id, request):
                self.later(self._chance.uniform(0.0, 0.3), lambda: self._ask(id, request))
            case TellHospital(request):
                self._telling += 1
                self.later(0.1, lambda: self._insist(request, TELL_TRIES))
            case Listen():
                self.station.listen = order
            case ChargePad() | CompletePad() | ReleasePad() | RecallPad() | CancelPad():
                self.station.order(order)
            case AcceptCash() | StackNote() | ReturnNote() | StopCash() | RecallCash():
                self.station.order(order)
            case PrintSlip(job):
                self.later(1.5, lambda: self.tell(SlipPrinted(job)))
            case PrintReport(job):
                self.later(1.0, lambda: self.tell(ReportFailed(job, "a4_printer_away")))
            case CancelReport():
                pass

    def _taken(self, order: Order) -> None:
        """A worker was quick: it has carried the order out when the kill comes, and nobody here
        hears of it."""
        self._dying = True
        match order:
            case AskHospital(_, request) | TellHospital(request):
                self._exchange(0, request)
            case ChargePad() | CompletePad() | ReleasePad():
                self.station.take(order)
            case AcceptCash() | StackNote() | ReturnNote() | StopCash():
                self.station.take(order)

    def _exchange(self, id: int, request: Any) -> Answered:
        """As a thread of the pool does it: the product's client, faults turned into words."""
        self.place.session.doing = endpoint_of(type(request)).name
        return ask(self.place.hospital, id, request)

    def _ask(self, id: int, request: Any) -> None:
        answered = self._exchange(id, request)
        waits = answered.why == "unknown"  # a broken line is noticed at the deadline
        took_s = endpoint_of(type(request)).timeout_s if waits else self._chance.uniform(0.02, 1.5)
        self.later(took_s, lambda: self.tell(answered))

    def _insist(self, request: Any, tries: int) -> None:
        if tries and self._exchange(0, request).why in ("unreachable", "unknown"):
            self.later(TELL_AGAIN_S, lambda: self._insist(request, tries - 1))
        else:
            self._telling -= 1

    def insert(self, yuan: int) -> None:
        """The person pushes a note in; whether it is drawn in is the box's to say."""
        self._devices_line.ask(insert=yuan)

    def _scan(self, reference: str) -> None:
        """The person's own phone pays a shown code."""
        phone = LineClient(self.place.provider_control)
        phone.ask(scan=reference)
        phone.close()


def _visits(scenario: Scenario, life: int) -> int:
    if life == 0:
        return 1
    return int(scenario.comes_again)
