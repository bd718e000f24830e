"""One terminal on virtual time, with everything around it faulty by one seed.

Rule: the same seed gives the same life, so a failure is a number to run again. The engine, the
flows and the sagas are the product's; ledgers around them are books.py's.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from kiosk.app import businesses
from kiosk.engine.engine import Engine, Setting
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
from kiosk.flows.events import (
    PadRecalled,
    PadReleased,
    ReportFailed,
    SlipFailed,
    SlipPrinted,
)
from kiosk.flows.slips import PaymentSlip
from kiosk.hospital.contract import OpenOrder, PayByCode, Settle
from kiosk.ports import (
    Answered,
    AskHospital,
    DeviceStood,
    HospitalStood,
    Order,
    TellHospital,
    Ticked,
)
from kiosk.views import Named, View
from tests.flows.people import NOW, RULES
from tests.simulation.books import HospitalBook, ProviderBook
from tests.simulation.cash_box import CashFaults, SimulatedCashBox
from tests.simulation.hospital import Away, MiniHospital
from tests.simulation.memory import MemoryRecords
from tests.simulation.pad import PadFaults, SimulatedPad

TIMEOUT_S = 10.0
LONGEST_PAGE_S = 900.0
"""A call for help stays for five minutes, then the page under it runs out."""

TICK_S = 20.0
"""Nothing at all happens for so long: time is looked at."""


@dataclass
class Line:
    """The line to the gateway. Chances a request; `away` while the gateway is down."""

    lost_request: float = 0.0
    lost_answer: float = 0.0
    slow: float = 0.0
    garbled: float = 0.0
    away: bool = False


@dataclass
class Broken(Exception):
    """A promise that did not hold."""

    words: str

    def __str__(self) -> str:
        return self.words


@dataclass
class SimulatedClock:
    """Wall time may jump; boot time never does."""

    boot_s: float = 1_000.0
    ahead: timedelta = timedelta(0)

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.boot_s - 1_000.0) + self.ahead

    def monotonic_s(self) -> float:
        return self.boot_s


@dataclass
class World:
    """Build it, run() it for so many payments, then settle() and compare the books."""

    seed: int
    chance: Random = field(init=False)
    clock: SimulatedClock = field(default_factory=SimulatedClock)
    records: MemoryRecords = field(default_factory=MemoryRecords)
    line: Line = field(default_factory=Line)
    printer_fails: float = 0.0
    slips: list[PaymentSlip] = field(default_factory=list)
    shown: dict[str, set[str]] = field(default_factory=dict)  # reference → results on the screen
    gone_back: set[str] = field(default_factory=set)  # the pad has told core so
    broken: list[str] = field(default_factory=list)
    starts: int = 0
    on_view: Callable[[View], None] = field(default=lambda view: None)
    engine: Engine = field(init=False)
    provider: ProviderBook = field(init=False)
    book: HospitalBook = field(init=False)
    hospital: MiniHospital = field(init=False)
    pad: SimulatedPad = field(init=False)
    box: SimulatedCashBox = field(init=False)
    view: View = field(init=False)
    _queue: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _count: int = 0
    _printer_well: bool = True
    _telling: bool = False

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.provider = ProviderBook(self.clock.monotonic_s, self.broken.append)
        self.book = HospitalBook(self.provider)
        self.hospital = MiniHospital(self.book, self.provider, self.chance, self.clock.now)
        self.hospital.may_reverse = self.may_give_back
        self.pad = SimulatedPad(
            Random(self.seed + 1),
            self.clock.monotonic_s,
            self.later,
            self.tell,
            self.may_give_back,
        )
        self.box = SimulatedCashBox(
            Random(self.seed + 2), self.clock.monotonic_s, self.later, self.tell
        )
        self.start()

    # --- core's life

    def start(self) -> None:
        """A new core on the same disk."""
        self.starts += 1
        self.engine = Engine(
            Setting(Named("市第一医院"), Named("3号门"), replace(RULES, offline_bills="quoted")),
            businesses(),
            records=self.records,
            outside=self,
            clock=self.clock,
            show=self._see,
        )
        self.engine.start()
        self.engine.tell(HospitalStood(not self.line.away))
        self.pad.connect()
        self.box.connect()
        self._look()

    def line_turns(self) -> None:
        """The gateway goes away, or is back; core hears of it at the next heartbeat, or never."""
        self.line.away = not self.line.away
        if self.chance.random() < 0.8:
            self.tell(HospitalStood(not self.line.away))

    def kill(self) -> None:
        """Between two steps; what has been sent goes on without us."""
        self.start()

    # --- time

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._queue, (self.clock.boot_s + seconds, self._count, what))

    def step(self) -> None:
        """To whatever comes next: something that happens, a timer of core, or a look at time."""
        due_s = self.engine.next_due_s()
        next_s = min(
            self._queue[0][0] if self._queue else float("inf"),
            due_s if due_s is not None else float("inf"),
            self.clock.boot_s + TICK_S,
        )
        self.clock.boot_s = max(self.clock.boot_s, next_s)
        if self._queue and self._queue[0][0] <= self.clock.boot_s:
            heapq.heappop(self._queue)[2]()
        self.tell(Ticked())

    def tell(self, told: Any) -> None:
        match told:
            case PadReleased(reference) | PadRecalled(reference, "reversed"):
                self.gone_back.add(reference)
        self.engine.tell(told)
        self._look()

    # --- the engine's Outside

    def order(self, order: Order) -> None:
        match order:
            case AskHospital(id, request):
                self._may_ask(request)
                self._ask(id, request)
            case TellHospital(request):
                self.later(self.chance.uniform(0.1, 20), lambda: self._quietly(request))
            case ChargePad(reference):
                self._may_charge(reference)
                self.later(0.0, lambda: self.pad.order(order))
            case CompletePad() | ReleasePad() | CancelPad() | RecallPad():
                self.later(0.0, lambda: self.pad.order(order))
            case AcceptCash() | StackNote() | ReturnNote() | StopCash() | RecallCash():
                self.later(0.0, lambda: self.box.order(order))
            case PrintSlip():
                self._print(order)
            case PrintReport(job):
                self.later(1.0, lambda: self.tell(ReportFailed(job, "a4_printer_away")))
            case CancelReport():
                pass

    def _quietly(self, request: Any) -> None:
        try:
            self.hospital.ask(request)
        except Away:
            self.later(5.0, lambda: self._quietly(request))

    def _ask(self, id: int, request: Any) -> None:
        born = self.starts

        def said(reply: Any = None, why: Any = "") -> None:
            if born == self.starts:  # an answer for a core that is no more reaches nobody
                self.tell(Answered(id, reply, why))

        def carry(answer: bool, garbled: bool) -> None:
            try:
                reply = self.hospital.ask(request)
            except Away:
                if answer:
                    said(why="unreachable")
                return
            if answer and garbled:
                said(why="bad")
            elif answer:
                said(reply)

        luck, line = self.chance.random(), self.line
        took_s = self.chance.uniform(0.02, 1.5)
        if line.away:
            self.later(took_s, lambda: said(why="unreachable"))
        elif luck < line.lost_request:
            self.later(TIMEOUT_S, lambda: said(why="unknown"))
        elif luck < line.lost_request + line.lost_answer:
            self.later(took_s, lambda: carry(False, False))
            self.later(TIMEOUT_S, lambda: said(why="unknown"))
        elif luck < line.lost_request + line.lost_answer + line.slow:
            self.later(TIMEOUT_S, lambda: said(why="unknown"))
            self.later(TIMEOUT_S + self.chance.uniform(0.1, 30), lambda: carry(False, False))
        else:
            garbled = self.chance.random() < line.garbled
            self.later(took_s, lambda: carry(True, garbled))

    def _print(self, order: PrintSlip) -> None:
        if isinstance(order.slip, PaymentSlip):
            self.slips.append(order.slip)
        if self._printer_well and self.chance.random() >= self.printer_fails:
            self.later(1.5, lambda: self.tell(SlipPrinted(order.job)))
            return
        maybe = self.chance.random() < 0.5
        self.later(1.0, lambda: self.tell(SlipFailed(order.job, "no_receipt_paper", maybe)))
        self.later(1.1, lambda: self._printer(False))
        self.later(self.chance.uniform(3, 60), lambda: self._printer(True))

    def _printer(self, well: bool) -> None:
        if well != self._printer_well:
            self._printer_well = well
            self.tell(DeviceStood("receipt_printer", well))

    # --- what may never happen, looked at while it happens

    def _may_ask(self, request: Any) -> None:
        match request:
            case OpenOrder(reference) | PayByCode(reference):
                self._may_charge(reference)
            case Settle(reference) if reference in self.gone_back:
                self.broken.append(f"{reference}: to be booked, and the pad gave the money back")

    def _may_charge(self, reference: str) -> None:
        """Once, and not before it is on disk."""
        if self.records.moves.get(reference, [""])[-1] != "SENT":
            self.broken.append(f"{reference}: money asked for before it was on disk, or again")

    def may_give_back(self, reference: str) -> None:
        """Money goes back only after the hospital's definite no, and never while it may book."""
        if reference in self.book.booked:
            self.broken.append(f"{reference}: given back, and the hospital has booked it")
        elif not self.book.said_no(reference):
            self.broken.append(f"{reference}: given back before the hospital said no")

    def standing(self, reference: str) -> int:
        by_card_or_code = self.pad.book.standing(reference) + self.provider.standing(reference)
        return by_card_or_code + self.box.stacked[reference]

    def _see(self, view: View) -> None:
        self.view = view

    def _look(self) -> None:
        """The screen never says that nothing was taken while money stands."""
        page: Any = self.view.page
        if page.page != "payment_result" or not self.records.payments:
            return
        reference = list(self.records.payments)[-1]
        self.shown.setdefault(reference, set()).add(page.result)
        if page.result in ("not_charged", "reversed") and self.standing(reference):
            self.broken.append(f"{reference}: the screen says {page.result}, money has moved")
        if page.result == "settled" and reference not in self.book.booked:
            self.broken.append(f"{reference}: the screen says paid, the hospital has no booking")

    # --- bad days

    def weather(self) -> None:
        """Chances for the next hours; every seed has its own."""
        some = self.chance.choice((0.0, 0.1, 0.3, 0.6))
        self.line = Line(*(self.chance.random() * some for _ in range(4)))
        self.hospital.refuses = self.chance.choice((0.0, 0.1, 0.5))
        self.hospital.will_not_reverse = self.chance.random() * some
        self.hospital.silent = self.chance.random() * some
        self.printer_fails = self.chance.random() * some
        self.pad.faults = PadFaults(*(self.chance.random() * some for _ in range(9)))
        self.pad.faults.repeats = self.chance.choice((0.0, 0.7))
        self.box.faults = CashFaults(*(self.chance.random() * some / 4 for _ in range(6)))

    def clear_sky(self) -> None:
        """Everything works again; what is held too long has been let go."""
        self.line, self.printer_fails = Line(), 0.0
        self.hospital.refuses = self.hospital.will_not_reverse = 0.0
        self.hospital.silent = 0.0
        self.pad.faults = PadFaults()
        self.box.mend()
        self._printer(True)

    def settle(self, within_s: float = 7200.0) -> None:
        """Let all that is open come to its end."""
        self.clear_sky()
        until_s, quiet_s = self.clock.boot_s + within_s, self.clock.boot_s + LONGEST_PAGE_S
        while self.clock.boot_s < until_s:
            if not self.records.open_payments() and self.clock.boot_s > quiet_s:
                return
            self.step()
