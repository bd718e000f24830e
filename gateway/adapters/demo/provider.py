"""A payment provider with its own book: one order a reference, charged at most once.

Slow, silent, late or declining by its knob. It speaks to the gateway only through the Provider
port and in transactions of its own, as a provider elsewhere would.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from gateway.adapters.demo.knobs import Knobs, ProviderMode
from gateway.adapters.demo.tables import orders, provider_ledger, used_codes
from gateway.adapters.port import AnswerLost
from gateway.store import Store, insert_new
from gateway.tables import from_us, to_us
from kiosk.domain.money import Fen
from kiosk.hospital import contract as c

# WeChat 18 digits 10–15…, Alipay 16–24 digits 25–30…, UnionPay 19 digits 62…
_PAYER_CODE = re.compile(r"1[0-5]\d{16}|(?:2[5-9]|30)\d{14,22}|62\d{17}")


@dataclass(frozen=True)
class _Order:
    reference: str
    amount_fen: Fen
    state: str
    provider_reference: str
    business_date: str
    reason: str
    due: int | None

    @property
    def charge(self) -> c.Charge:
        state: Any = self.state
        return c.Charge(
            self.reference,
            state,
            self.amount_fen,
            self.provider_reference,
            self.business_date,
            self.reason,
        )


class DemoProvider:
    """The Provider port. `wait` is how a slow answer takes its time."""

    def __init__(
        self,
        store: Store,
        knobs: Knobs,
        clock: Callable[[], datetime],
        wait: Callable[[float], None],
        pay_page: str = "https://pay.demo.invalid/o/",
    ) -> None:
        self._store, self._knobs, self._clock = store, knobs, clock
        self._wait, self._pay_page = wait, pay_page

    def open(self, reference: str, amount_fen: int) -> str:
        with self._store.writing() as connection:
            self._order(connection, reference, amount_fen)
        self._answer()
        return f"{self._pay_page}{reference}"

    def charge(self, reference: str, amount_fen: int, code: str) -> c.Charge:
        settings = self._knobs.now
        with self._store.writing() as connection:
            order = self._order(connection, reference, amount_fen)
            if order.state == "waiting" and order.due is None:
                if reason := self._objection(connection, order, amount_fen, code):
                    order = self._change(connection, order, "declined", reason)
                elif settings.provider is ProviderMode.LATE:
                    order = self._promise(connection, order, settings.provider_seconds)
                else:
                    order = self._change(connection, order, "paid")
        self._answer()
        return order.charge

    def pay(self, reference: str) -> c.Charge:
        """The payer's own phone: pays an open order. Always answers, whatever the knob says."""
        with self._store.writing() as connection:
            order = self._found(connection, reference)
            if order is None:
                return c.Charge(reference, "not_found")
            if order.state == "waiting":
                order = self._change(connection, order, "paid")
        return order.charge

    def query(self, reference: str) -> c.Charge:
        with self._store.writing() as connection:
            order = self._found(connection, reference)
        self._answer()
        return c.Charge(reference, "not_found") if order is None else order.charge

    def close(self, reference: str) -> c.Charge:
        """An order never heard of is closed as well, so that it cannot be charged later."""
        with self._store.writing() as connection:
            order = self._order(connection, reference, 0)
            if order.state == "waiting" and order.due is None:
                order = self._change(connection, order, "closed")
        self._answer()
        return order.charge

    def reverse(self, reference: str) -> c.Charge:
        with self._store.writing() as connection:
            order = self._order(connection, reference, 0)
            if order.state == "paid":
                order = self._change(connection, order, "reversed")
            elif order.state == "waiting" and order.due is None:
                order = self._change(connection, order, "closed")
        self._answer()
        return order.charge

    def _answer(self) -> None:
        settings = self._knobs.now
        if settings.provider is ProviderMode.SLOW:
            self._wait(settings.provider_seconds)
        if settings.provider is ProviderMode.SILENT:
            raise AnswerLost

    def _objection(self, connection: Connection, order: _Order, amount: Fen, code: str) -> str:
        if self._knobs.now.provider is ProviderMode.DECLINING:
            return "insufficient_funds"
        if amount <= 0 or amount != order.amount_fen:
            return "amount_differs"
        if not _PAYER_CODE.fullmatch(code):
            return "code_unknown"
        row = {
            "code_hash": hashlib.sha256(code.encode()).hexdigest(),
            "reference": order.reference,
        }
        return "" if insert_new(connection, used_codes, [row]) else "code_used"

    def _order(self, connection: Connection, reference: str, amount_fen: int) -> _Order:
        """The order, opened if it was not there."""
        row = {"reference": reference, "amount_fen": amount_fen, "state": "waiting"}
        if insert_new(connection, orders, [row]) == 1:
            self._note(connection, "opened", reference, amount_fen, "")
        found = self._found(connection, reference)
        assert found is not None
        return found

    def _found(self, connection: Connection, reference: str) -> _Order | None:
        """The order, locked, after what had come due."""
        row = connection.execute(
            select(orders).where(orders.c.reference == reference).with_for_update()
        ).first()
        if row is None:
            return None
        order = _Order(*row)
        if order.state == "waiting" and order.due is not None and order.due <= self._now_us():
            return self._change(connection, order, "paid")
        return order

    def _promise(self, connection: Connection, order: _Order, seconds: float) -> _Order:
        due = to_us(self._clock() + timedelta(seconds=seconds))
        where = orders.c.reference == order.reference
        connection.execute(update(orders).where(where).values(due=due))
        return _Order(**{**vars(order), "due": due})

    def _change(
        self, connection: Connection, order: _Order, state: str, reason: str = ""
    ) -> _Order:
        """The only place where an order moves; the book gets its line in the same transaction."""
        changed = {
            "state": state,
            "reason": reason,
            "provider_reference": order.provider_reference,
            "business_date": order.business_date,
        }
        if state == "paid":
            serial = hashlib.sha256(order.reference.encode()).hexdigest()[:16].upper()
            changed |= {
                "provider_reference": f"4200{serial}",
                "business_date": self._charged_at(order).date().isoformat(),
            }
        where = orders.c.reference == order.reference
        connection.execute(update(orders).where(where).values(changed))
        kind = "charged" if state == "paid" else state
        reference = changed["provider_reference"]
        self._note(connection, kind, order.reference, order.amount_fen, reference)
        return _Order(**{**vars(order), **changed})

    def _note(
        self, connection: Connection, kind: str, reference: str, amount: Fen, own: str
    ) -> None:
        row = {
            "at": self._now_us(),
            "kind": kind,
            "reference": reference,
            "amount_fen": amount,
            "provider_reference": own,
            "business_date": self._clock().date().isoformat(),
        }
        connection.execute(provider_ledger.insert().values(row))

    def _charged_at(self, order: _Order) -> datetime:
        now = self._clock()
        return now if order.due is None else from_us(order.due, now.tzinfo)

    def _now_us(self) -> int:
        return to_us(self._clock())
