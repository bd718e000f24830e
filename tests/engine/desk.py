"""A terminal on virtual time: the real engine, flows and store; the world is in the test's hand.

`log` holds commits and orders in the order in which they happened. Nothing is carried out: the
story answers for devices and hospital.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from kiosk.app import businesses
from kiosk.engine.engine import Engine, Setting
from kiosk.flows.effects import ChargePad, Effect, PrintSlip
from kiosk.flows.events import CardRead, PadApproved, PadCompleted, SlipPrinted
from kiosk.flows.scene import Rules
from kiosk.hospital.contract import (
    AskDepartments,
    AskToday,
    Charge,
    CloseOrder,
    DepartmentList,
    Identify,
    Known,
    OpenOrder,
    OrderOpened,
    PreSettle,
    Quoted,
    Settle,
    Settled,
    Today,
)
from kiosk.ports import Answered, AskHospital, DeviceStood, HospitalStood, Order, Ticked
from kiosk.records import Opening, StaffMember, StoreRecords, open_records
from kiosk.views import Named, Touch, View
from offline.clock import Clock as StoreClock
from tests.flows.people import DAY, DEPARTMENTS, NOW, RULES, WANG, WANG_CARD
from tests.flows.till import quote

HOSPITAL = Named("市第一医院", "First City Hospital")
PLACE = Named("3号门", "Gate 3")
STAFF = {"01": StaffMember("张志", "3号门")}
PARTS = ("id_reader", "scanner", "receipt_printer", "a4_printer", "pad")


@dataclass
class HandClock:
    """Wall and boot time, moved by the test alone."""

    at: datetime = NOW
    boot_s: float = 5_000.0

    def now(self) -> datetime:
        return self.at

    def monotonic_s(self) -> float:
        return self.boot_s

    def pass_s(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.boot_s += seconds

    def store_clock(self) -> StoreClock:
        return StoreClock(lambda: self.at.timestamp(), lambda: self.boot_s, "boot-1")


class Watched:
    """The real records; notes each commit in the log before it is durable and after."""

    def __init__(self, records: StoreRecords, log: list[Any]) -> None:
        self._records, self._log = records, log

    def commit(self, keeps: Sequence[Effect], session: str) -> None:
        self._records.commit(keeps, session)
        self._log.append(Committed(tuple(keeps)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._records, name)


@dataclass(frozen=True)
class Committed:
    keeps: tuple[Effect, ...]


@dataclass
class Desk:
    folder: Path
    clock: HandClock = field(default_factory=HandClock)
    log: list[Any] = field(default_factory=list)
    views: list[View] = field(default_factory=list)
    open: list[AskHospital] = field(default_factory=list)
    engine: Engine = field(init=False)
    records: StoreRecords = field(init=False)
    opening: Opening = field(default_factory=lambda: Opening(ballast_bytes=64 * 1024))
    before: Callable[[StoreRecords], None] = field(default=lambda records: None)
    rules: Rules = RULES
    quote_key: str = ""

    def __post_init__(self) -> None:
        self.start()

    # --- starting and dying

    def start(self) -> None:
        chance = Random(7)
        self.records = open_records(
            self.folder,
            STAFF,
            clock=self.clock.store_clock(),
            zone=self.clock.at.tzinfo,  # type: ignore[arg-type]
            random_bytes=chance.randbytes,
            chance=chance,
            terminal=self.rules.terminal,
            quote_key=self.quote_key,
            opening=self.opening,
        )
        self.before(self.records)
        self.open.clear()
        self.engine = Engine(
            Setting(HOSPITAL, PLACE, self.rules),
            businesses(),
            records=Watched(self.records, self.log),  # type: ignore[arg-type]
            outside=self,
            clock=self.clock,
            show=self.views.append,
        )
        self.engine.start()
        self.engine.tell(HospitalStood(True))

    def restart(self) -> list[Any]:
        """As after SIGKILL: nothing of memory is left. What the new start did."""
        self.records.close()
        seen = len(self.log)
        self.start()
        return self.log[seen:]

    # --- the engine's Outside

    def order(self, order: Order) -> None:
        self.log.append(order)
        if isinstance(order, AskHospital):
            self.open.append(order)

    # --- hands, devices, hospital

    def tell(self, *events: Any) -> Desk:
        for event in events:
            self.engine.tell(event)
        return self

    def touch(self, *targets: str) -> Desk:
        for target in targets:
            self.tell(Touch(self.view.serial, target))
        return self

    def keys(self, text: str) -> Desk:
        return self.touch(*(f"key:{key}" for key in text), "ok")

    def pass_s(self, seconds: float, step_s: float = 0.5) -> Desk:
        """Time goes by, tick by tick, as the loop ticks."""
        for _ in range(round(seconds / step_s)):
            self.clock.pass_s(step_s)
            self.tell(Ticked())
        return self

    def asked(self, kind: type) -> AskHospital:
        """The newest open question of this kind."""
        found = [ask for ask in self.open if isinstance(ask.request, kind)]
        assert found, f"{kind.__name__} was not asked: {[type(a.request) for a in self.open]}"
        return found[-1]

    def answer(self, kind: type, reply: Any = None, why: Any = "") -> Desk:
        ask = self.asked(kind)
        self.open.remove(ask)
        return self.tell(Answered(ask.id, reply, why))

    # --- longer ways

    def lay(self, card: Any = WANG_CARD, patient: Any = WANG, today: Today = DAY) -> Desk:
        """A card is laid down, and its owner's page comes up."""
        self.tell(CardRead(card))
        return self.answer(Identify, Known(patient)).answer(AskToday, today)

    def bill(self) -> Desk:
        """Wang at the bill page, the code shown."""
        self.lay().touch("task:pay").answer(PreSettle, Quoted(quote()))
        return self.answer(OpenOrder, OrderOpened("https://pay.demo.invalid/o/1"))

    def at_pad(self) -> str:
        """Wang at the pad; the reference."""
        self.bill().touch("card")
        shown = self.asked(CloseOrder).request.reference
        self.answer(CloseOrder, Charge(shown, "closed"))
        reference: str = self.last(ChargePad).reference
        return reference

    def settle(self, reference: str) -> Desk:
        """The pad approves, the hospital books, the pad completes, the slip comes out."""
        fen = self.last(ChargePad).amount_fen
        self.tell(PadApproved(reference, fen, "trace 7"))
        self.answer(Settle, Settled(reference, "R1")).tell(PadCompleted(reference))
        return self.tell(SlipPrinted(self.last(PrintSlip).job))

    def departments(self) -> Desk:
        return self.answer(AskDepartments, DepartmentList(DEPARTMENTS))

    def printer(self, well: bool) -> Desk:
        return self.tell(DeviceStood("receipt_printer", well))

    # --- what a story asks about

    @property
    def view(self) -> View:
        return self.views[-1]

    @property
    def page(self) -> Any:
        return self.view.page

    @property
    def frame(self) -> Any:
        return self.view.frame

    def orders(self, *kinds: type) -> list[Any]:
        """Everything that was ordered, or only some kinds of it."""
        orders = [one for one in self.log if not isinstance(one, Committed)]
        return [one for one in orders if not kinds or isinstance(one, kinds)]

    def last(self, kind: type) -> Any:
        return self.orders(kind)[-1]

    def requests(self) -> list[str]:
        return [type(ask.request).__name__ for ask in self.orders(AskHospital)]

    def keeps(self) -> list[Effect]:
        """Every record that became durable."""
        return [keep for one in self.log if isinstance(one, Committed) for keep in one.keeps]

    def events(self) -> list[str]:
        """Audit events, in order."""
        return [keep.event for keep in self.keeps() if hasattr(keep, "event")]
