"""The bill page and the payment behind it, joined as the engine joins them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from kiosk.domain.bill import Bill, BillLine, Quote, Split
from kiosk.flows import pay
from kiosk.flows import payment as saga
from kiosk.flows.effects import (
    AskQuote,
    BeginPayment,
    Effect,
    EndSession,
    GiveUpPayment,
    Go,
    HeldQuote,
    PayOrder,
    PrintSlip,
    Wake,
)
from kiosk.flows.events import Failed, PaymentMoved, Replied, SlipPrinted, Touched, Woke
from kiosk.flows.payment import GivenUp, Payment
from kiosk.flows.scene import Scene, Shown
from kiosk.hospital.contract import Charge, OrderOpened, Quoted, Settled, SettleRefused
from kiosk.views import Works
from tests.flows.payments import order_of
from tests.flows.people import BILL, NOW, RULES, WANG

ORDER = PayOrder(("B1",))
PAYER_CODE = "134567890123456789"


def quote(split: Split | None = None, lines: tuple[BillLine, ...] = BILL.lines) -> Quote:
    """The mock-up's bill: 128.50, of which the person pays 41.20."""
    parts = split or Split(7130, 1600, 0, 4120)
    return Quote("Q1", (BILL.id,), lines, parts, True, NOW + timedelta(minutes=30), "signed")


def bill_of(count: int) -> Bill:
    return Bill("B9", "多项", tuple(BillLine(f"项目{n}", 1, 100) for n in range(count)))


@dataclass
class Till:
    """`done` holds every effect of page and payment; `left` is where the page went."""

    scene: Scene
    state: pay.Pay = field(init=False)
    payments: list[Payment] = field(default_factory=list)
    done: list[Effect] = field(default_factory=list)
    left: list[Effect] = field(default_factory=list)
    held: Quote | None = None

    @classmethod
    def open(cls, order: PayOrder = ORDER, held: Quote | None = None, **scene: Any) -> Till:
        shown = {"person": WANG, **scene}
        till = cls(replace(Scene(NOW, 700, RULES, Works()), **shown), held=held)
        till.state, effects = pay.start(till._fresh(), order)
        till._do(effects)
        return till

    @classmethod
    def choosing(cls, **scene: Any) -> Till:
        """The code is on the screen."""
        return cls.open(**scene).quoted().opened()

    # --- what a story does

    def tell(self, *events: Any) -> Till:
        for event in events:
            self.state, effects = pay.step(self.state, event, self._fresh())
            self._do(effects)
        return self

    def touch(self, *targets: str) -> Till:
        return self.tell(*(Touched(target) for target in targets))

    def later(self, seconds: float) -> Till:
        self.scene = replace(self.scene, now=self.scene.now + timedelta(seconds=seconds))
        return self

    def wake(self, name: str) -> Till:
        """One of the page's own times has come."""
        assert name in self.waits(), f"nobody asked to be woken for {name}"
        return self.later(self.waits()[name]).tell(Woke(name))

    def quoted(self, told: Quote | None = None) -> Till:
        return self.tell(Replied("quote", Quoted(told or quote())))

    def fails_quote(self, why: Any = "unreachable") -> Till:
        return self.tell(Failed("quote", why))

    def pay(self, *events: Any) -> Till:
        """Something is told to the payment that is open."""
        for event in events:
            before = self.payment
            now, effects = saga.step(before, event)
            self._moved(before, now, effects)
        return self

    def opened(self) -> Till:
        return self.says("order", _opened(self.payment))

    def says(self, what: str, reply: Any) -> Till:
        return self.pay(Replied(f"pay:{self.payment.reference}:{what}", reply))

    def fails(self, what: str, why: Any = "unknown") -> Till:
        return self.pay(Failed(f"pay:{self.payment.reference}:{what}", why))

    def charge(self, what: str, state: Any) -> Till:
        return self.says(what, Charge(self.payment.reference, state, self.payment.amount_fen))

    def booked(self, **more: Any) -> Till:
        return self.says("settle", Settled(self.payment.reference, "R1", **more))

    def refused(self) -> Till:
        return self.says("settle", SettleRefused(self.payment.reference, "already_paid"))

    def printed(self) -> Till:
        return self.tell(SlipPrinted(self.slips()[-1].job))

    # --- what a story asks about

    @property
    def payment(self) -> Payment:
        return self.payments[-1]

    @property
    def shown(self) -> Shown:
        return pay.view(self.state, self.scene)

    @property
    def page(self) -> Any:
        return self.shown.page

    @property
    def notice(self) -> str:
        return self.shown.notice.code if self.shown.notice else ""

    def orders(self) -> list[str]:
        """What left for pad, provider and hospital."""
        return [order for effect in self.done if (order := order_of(effect))]

    def slips(self) -> list[PrintSlip]:
        return [effect for effect in self.done if isinstance(effect, PrintSlip)]

    def every(self, kind: type) -> list[Any]:
        return [effect for effect in self.done if isinstance(effect, kind)]

    def waits(self) -> dict[str, float]:
        wakes = [e for e in self.done if isinstance(e, Wake) and not e.name.startswith("pay:")]
        return {wake.name: wake.after_s for wake in wakes}

    # --- what the engine does

    def _fresh(self) -> Scene:
        open_now = any(not one.final for one in self.payments) or self.scene.payment_open
        self.scene = replace(self.scene, fresh=self.scene.fresh + 1)
        return replace(self.scene, payment_open=open_now)

    def _do(self, effects: tuple[Effect, ...]) -> None:
        self.done += effects
        for effect in effects:
            match effect:
                case BeginPayment():
                    self._begin(effect)
                case AskQuote(tag):
                    self.tell(Replied(tag, HeldQuote(self.held)))
                case GiveUpPayment(reference):
                    assert reference == self.payment.reference, "only the open one is given up"
                    self.pay(GivenUp())
                case Go() | EndSession():
                    self.left.append(effect)

    def _begin(self, begin: BeginPayment) -> None:
        assert all(one.final for one in self.payments), "one open payment a terminal"
        assert begin.reference not in {one.reference for one in self.payments}
        person = self.scene.person
        assert person is not None
        payment = Payment(
            begin.reference,
            begin.method,
            begin.amount_fen,
            person.person,
            begin.quote.id,
            self.scene.now,
            hold_key=begin.hold_key,
            payer_code=begin.payer_code,
        )
        self.payments.append(payment)
        self._moved(payment, *saga.begin(payment))

    def _moved(self, before: Payment, now: Payment, effects: tuple[Effect, ...]) -> None:
        self.payments[-1] = now
        self.done += effects
        if now != before or now.at == "SENT":
            url, progress = now.url, now.progress
            moved = PaymentMoved(now.reference, now.at, now.reason, url, progress, now.settled)
            self.tell(moved)


def _opened(payment: Payment) -> Any:
    return OrderOpened(f"https://pay.demo.invalid/o/{payment.reference}")
