"""A payment told as a story: what was said to it, what it wrote down and what it asked for.

`moves` are the states that became durable, `orders` what left the terminal, both in order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from kiosk.flows import payment as saga
from kiosk.flows.effects import (
    Ask,
    ChargePad,
    CompletePad,
    Effect,
    KeepAudit,
    KeepMove,
    KeepQueued,
    RecallPad,
    ReleasePad,
    Wake,
)
from kiosk.flows.effects import CancelPad as CancelAtPad
from kiosk.flows.events import (
    Failed,
    PadApproved,
    PadCompleted,
    PadDeclined,
    PadRecalled,
    PadReleased,
    PadSilent,
    PadUnreachable,
    Replied,
    Woke,
)
from kiosk.flows.payment import GivenUp, Payment
from kiosk.hospital.contract import (
    Charge,
    Method,
    OrderOpened,
    Settled,
    SettlementNotFound,
    SettleRefused,
)
from offline import journal
from tests.flows.people import NOW, WANG_NUMBER

REF = "K03-261122-8K42"
OTHER = "K03-261122-9Z99"
FEN = 4120
PAYER_CODE = "134567890123456789"

ORDERS = (ChargePad, CompletePad, ReleasePad, CancelAtPad, RecallPad)

APPROVED = PadApproved(REF, FEN, "trace 7")
OTHER_AMOUNT = PadApproved(REF, FEN + 1, "trace 7")
DECLINED = PadDeclined(REF, "declined")
CANCELLED = PadDeclined(REF, "cancelled_at_pad")
SILENT = PadSilent(REF)
COMPLETED = PadCompleted(REF)
RELEASED = PadReleased(REF)
UNREACHABLE = PadUnreachable(REF)
GIVEN_UP = GivenUp()


def recalled(found: Any, amount_fen: int = FEN) -> PadRecalled:
    return PadRecalled(REF, found, amount_fen, "trace 7")


def replied(what: str, reply: Any) -> Replied:
    return Replied(f"pay:{REF}:{what}", reply)


def failed(what: str, why: Any = "unknown") -> Failed:
    return Failed(f"pay:{REF}:{what}", why)


def woke(what: str) -> Woke:
    return Woke(f"pay:{REF}:{what}")


def charge(what: str, state: Any, amount_fen: int = FEN, reference: str = REF) -> Replied:
    return replied(what, Charge(reference, state, amount_fen, "4200", "2026-11-22"))


BOOKED = replied("settle", Settled(REF, "R1"))
REFUSED = replied("settle", SettleRefused(REF, "hold_ended"))
LOST = failed("settle")
OPENED = replied("order", OrderOpened("https://pay.demo.invalid/o/1"))
NOT_FOUND = replied("settlement", SettlementNotFound(REF))


def attempt(method: Method = "card", amount_fen: int = FEN, **more: Any) -> Payment:
    """An attempt nobody has heard of yet."""
    code = PAYER_CODE if method == "payer_code" else ""
    return Payment(REF, method, amount_fen, "P100", "Q1", NOW, WANG_NUMBER, payer_code=code, **more)


def order_of(effect: Effect) -> str:
    """What leaves the terminal by this effect; empty: nothing."""
    if isinstance(effect, Ask):
        return type(effect.request).__name__
    return type(effect).__name__ if isinstance(effect, ORDERS) else ""


@dataclass
class Told:
    """One payment and all that it did."""

    payment: Payment
    done: list[Effect] = field(default_factory=list)

    @classmethod
    def begin(cls, payment: Payment) -> Told:
        return cls(payment)._did(saga.begin(payment))

    @classmethod
    def recover(cls, payment: Payment) -> Told:
        return cls(payment)._did(saga.recover(payment))

    def tell(self, *events: Any) -> Told:
        for event in events:
            self._did(saga.step(self.payment, event))
        return self

    def _did(self, stepped: saga.Stepped) -> Told:
        self.payment, effects = stepped
        self.done += effects
        return self

    @property
    def moves(self) -> list[str]:
        return [effect.state for effect in self.done if isinstance(effect, KeepMove)]

    @property
    def orders(self) -> list[str]:
        return [order for effect in self.done if (order := order_of(effect))]

    @property
    def evidence(self) -> list[str]:
        kept = [effect for effect in self.done if isinstance(effect, KeepAudit)]
        return [str(dict(effect.fields)["cause"]) for effect in kept]

    @property
    def queued(self) -> list[KeepQueued]:
        return [effect for effect in self.done if isinstance(effect, KeepQueued)]

    def waits(self) -> dict[str, float]:
        """The timers that were set last, by name."""
        wakes = [effect for effect in self.done if isinstance(effect, Wake)]
        return {wake.name.rpartition(":")[2]: wake.after_s for wake in wakes}


def forbidden(before: str, moves: Iterable[str]) -> str:
    """The first move that the journal would not take; empty: all are allowed."""
    at = journal.State(before.lower())
    for move in moves:
        following = journal.State(move.lower())
        if following not in journal.MOVES[at]:
            return f"{at} → {following}"
        at = following
    return ""
