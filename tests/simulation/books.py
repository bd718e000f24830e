"""The ledgers that are compared: the pad's, the provider's and the hospital's own.

Rule: nothing of ours is imported but messages; each book is written by its owner alone, and says
by itself when somebody broke a rule of money.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from kiosk.hospital.contract import (
    Charge,
    Settle,
    Settled,
    SettlementNotFound,
    SettleRefused,
)

REVERSE_NOT_BEFORE_S = 15.0

Fate = Literal["held", "completed", "reversed"]


@dataclass
class PadEntry:
    """One charge in the pad's memory."""

    trace: int
    reference: str  # the world's note, for comparing; a pad does not carry it
    amount_fen: int
    asked_fen: int
    fate: Fate
    at_s: float


@dataclass
class PadBook:
    entries: list[PadEntry] = field(default_factory=list)

    def charge(self, reference: str, amount_fen: int, asked_fen: int, at_s: float) -> PadEntry:
        entry = PadEntry(len(self.entries) + 2, reference, amount_fen, asked_fen, "held", at_s)
        self.entries.append(entry)
        return entry

    def standing(self, reference: str) -> int:
        """What a card has lost under this reference."""
        mine = [one for one in self.entries if one.reference == reference]
        return sum(one.amount_fen for one in mine if one.fate != "reversed")

    def charges(self, reference: str) -> int:
        return sum(one.reference == reference for one in self.entries)


@dataclass
class Order:
    amount_fen: int
    state: Literal["waiting", "paid", "declined", "closed", "reversed"] = "waiting"
    due_s: float | None = None  # a password is being typed: paid then, whatever happens meanwhile
    paid_at_s: float = 0.0
    charges: int = 0


@dataclass
class ProviderBook:
    """WeChat and the like: one order a reference, charged once, closed for ever."""

    now_s: Callable[[], float]
    broken: Callable[[str], None]
    orders: dict[str, Order] = field(default_factory=dict)

    def open(self, reference: str, amount_fen: int) -> None:
        self.orders.setdefault(reference, Order(amount_fen))

    def scan(self, reference: str) -> None:
        """A phone has scanned the shown code and pays."""
        order = self._due(reference)
        if order is not None and order.state == "waiting":
            self._take(order)

    def by_code(self, reference: str, amount_fen: int, outcome: str, after_s: float) -> Charge:
        order = self.orders.setdefault(reference, Order(amount_fen))
        if order.state == "waiting" and order.due_s is None:
            match outcome:
                case "paid":
                    self._take(order)
                case "declined":
                    order.state = "declined"
                case "typing":
                    order.due_s = self.now_s() + after_s
                case "never":
                    pass
        return self._said(reference)

    def query(self, reference: str) -> Charge:
        return self._said(reference)

    def close(self, reference: str) -> Charge:
        order = self._due(reference) or self.orders.setdefault(reference, Order(0))
        if order.state == "waiting" and order.due_s is None:
            order.state = "closed"
        return self._said(reference)

    def reverse(self, reference: str, will: bool) -> Charge:
        order = self._due(reference) or self.orders.setdefault(reference, Order(0))
        if order.state == "paid":
            if self.now_s() - order.paid_at_s < REVERSE_NOT_BEFORE_S:
                self.broken(f"{reference}: reversed before the provider's minimum")
            if will:
                order.state = "reversed"
        elif order.state == "waiting" and order.due_s is None:
            order.state = "closed"
        return self._said(reference)

    def standing(self, reference: str) -> int:
        order = self._due(reference)
        return order.amount_fen if order is not None and order.state == "paid" else 0

    def _take(self, order: Order) -> None:
        order.state, order.paid_at_s = "paid", self.now_s()
        order.charges += 1

    def _due(self, reference: str) -> Order | None:
        order = self.orders.get(reference)
        waits = order is not None and order.state == "waiting" and order.due_s is not None
        if waits and order.due_s <= self.now_s():
            self._take(order)
        return order

    def _said(self, reference: str) -> Charge:
        order = self._due(reference)
        if order is None:
            return Charge(reference, "not_found")
        return Charge(reference, order.state, order.amount_fen, "4200", "2026-11-22")


@dataclass
class HospitalBook:
    """The HIS behind its gateway: books once a reference and a bill, and never forgets a no."""

    provider: ProviderBook
    answers: dict[str, Any] = field(default_factory=dict)  # the final word on a reference
    booked: dict[str, Settle] = field(default_factory=dict)
    paid_bills: dict[str, str] = field(default_factory=dict)  # bill → reference
    bill_of_quote: dict[str, str] = field(default_factory=dict)
    locks: dict[str, bool] = field(default_factory=dict)

    def settle(self, ask: Settle, refuses: bool) -> Any:
        """None: away; the provider does not say yet, so nothing is booked."""
        known = self.answers.get(ask.reference)
        if known is not None:
            return known
        if reason := self._objection(ask, refuses):
            if reason == "wait":
                return None
            said: Any = SettleRefused(ask.reference, reason)  # type: ignore[arg-type]
        else:
            self.booked[ask.reference] = ask
            self.paid_bills[self.bill_of_quote[ask.quote_id]] = ask.reference
            said = Settled(ask.reference, f"R{len(self.booked)}")
        self.answers[ask.reference] = said
        return said

    def _objection(self, ask: Settle, refuses: bool) -> str:
        if self.bill_of_quote[ask.quote_id] in self.paid_bills:
            return "already_paid"
        if ask.method != "card" and ask.amount_fen:
            said = self.provider.query(ask.reference)
            if said.state == "waiting":
                return "wait"
            if said.state != "paid":
                return "not_paid"
        return "hold_ended" if refuses else ""

    def query(self, reference: str) -> Any:
        known = self.answers.get(reference)
        if known is None:
            self.answers[reference] = SettleRefused(reference, "closed")
            return SettlementNotFound(reference)
        return known

    def said_no(self, reference: str) -> bool:
        return isinstance(self.answers.get(reference), SettleRefused)
