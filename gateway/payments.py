"""Charges at the payment provider: asked by reference, never guessed; silence is `unknown`.

The provider is called outside any transaction. Only a final answer is kept as the operation's
first answer; after anything else the same request asks the provider again, by the same reference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from gateway.adapters.port import PROVIDER_S, AnswerLost, Away, Hospital, Provider, Work
from gateway.operations import Operation, alarm, answered, begin, begin_again, finish
from gateway.sealing import Keys
from gateway.store import Store
from kiosk.hospital import contract as c

_FINAL = frozenset({"paid", "declined", "closed", "reversed"})


class Payments:
    """The endpoints open-order, pay-by-code, query-charge, close-order and reverse-charge."""

    def __init__(
        self,
        store: Store,
        keys: Keys,
        provider: Provider,
        hospital: Hospital,
        clock: Callable[[], datetime],
    ) -> None:
        self._store, self._keys, self._clock = store, keys, clock
        self._provider, self._hospital = provider, hospital

    def open_order(self, terminal: str, ask: c.OpenOrder) -> c.OrderOpened:
        """The order's page. Refused as Away when the provider is silent: nobody was charged."""
        operation = _operation("open-order", ask.reference, ask)
        known, _ = self._claim(terminal, operation)
        if known is not None:
            opened: c.OrderOpened = c.from_json(c.OrderOpened, known)
            return opened
        try:
            url = self._provider.open(ask.reference, ask.amount_fen)
        except AnswerLost as lost:
            raise Away from lost
        reply = c.OrderOpened(url)
        self._keep(terminal, operation, c.to_json(reply))
        return reply

    def pay_by_code(self, terminal: str, ask: c.PayByCode) -> c.Charge:
        """Charge once. A second call with the same reference asks what became of the first."""
        return self._final_once(
            terminal,
            _operation("pay-by-code", ask.reference, ask),
            lambda: self._provider.charge(ask.reference, ask.amount_fen, ask.code),
        )

    def close_order(self, terminal: str, ask: c.CloseOrder) -> c.Charge:
        return self._final_once(
            terminal,
            _operation("close-order", ask.reference, ask),
            lambda: self._provider.close(ask.reference),
        )

    def query_charge(self, terminal: str, ask: c.QueryCharge) -> c.Charge:
        return _said(ask.reference, lambda: self._provider.query(ask.reference))

    def reverse_charge(self, terminal: str, ask: c.ReverseCharge) -> c.Charge:
        """Give the money back, unless the hospital has booked: then `paid`, reason `booked`.

        Asking the hospital first closes the reference there, so that no late booking can follow.
        The first final word stays: after a refusal finance pays by hand, and an earlier request
        that was only slow must not give the money back a second time.
        """
        with self._store.writing() as connection:
            work = Work(connection, terminal, self._clock())
            settled = self._hospital.query_settlement(work, c.QuerySettlement(ask.reference))
            if isinstance(settled, c.Settled):
                alarm(work, "reversal_of_booked", ask.reference)
        if isinstance(settled, c.Settled):
            charge = _said(ask.reference, lambda: self._provider.query(ask.reference))
            return replace(charge, reason="booked")
        return self._final_once(
            terminal,
            _operation("reverse-charge", ask.reference, ask),
            lambda: self._provider.reverse(ask.reference),
            alone=True,
        )

    def verify(self, ask: c.Settle) -> str:
        """Why this settlement may not be booked by the provider's own word; empty: it may.

        Only for charges that went through the gateway; the pad's word, and the terminal's own for
        notes, reach us as evidence.
        Raises Away while the provider does not say: nothing is booked, the same key asks again.
        """
        if ask.method in ("card", "cash") or ask.amount_fen == 0:
            return ""
        charge = _said(ask.reference, lambda: self._provider.query(ask.reference))
        match charge.state:
            case "paid":
                return "" if charge.amount_fen == ask.amount_fen else "amount_differs"
            case "unknown" | "waiting":
                raise Away
        return "not_paid"

    def _final_once(
        self,
        terminal: str,
        operation: Operation,
        act: Callable[[], c.Charge],
        *,
        alone: bool = False,
    ) -> c.Charge:
        """`alone`: one at a time is at the provider with this key, the others hear `unknown`."""
        known, ours = self._claim(terminal, operation)
        if known is None and not ours and alone:
            return c.Charge(_reference(operation), "unknown", reason="being_asked")
        if known is None:
            charge = _said(_reference(operation), act)
            if charge.state not in _FINAL:
                return charge
            known = self._keep(terminal, operation, c.to_json(charge))
        first: c.Charge = c.from_json(c.Charge, known)
        return first

    def _claim(self, terminal: str, operation: Operation) -> tuple[bytes | None, bool]:
        """The key is durable before the provider hears of it. The kept answer, and: is it ours?"""
        with self._store.writing() as connection:
            work = Work(connection, terminal, self._clock())
            if begin(work, self._keys, operation):
                return None, True
            known = answered(connection, self._keys, operation)
            given_up = work.now - timedelta(seconds=PROVIDER_S)
            return known, known is None and begin_again(work, operation, given_up)

    def _keep(self, terminal: str, operation: Operation, answer: bytes) -> bytes:
        """The first final word, which may be another caller's: then the provider's book decides."""
        with self._store.writing() as connection:
            work = Work(connection, terminal, self._clock())
            first = finish(work, self._keys, operation, answer)
            if first != answer:
                alarm(work, "provider_said_otherwise", _reference(operation))
            return first


def _operation(endpoint: str, reference: str, ask: object) -> Operation:
    return Operation(f"{endpoint}:{reference}", endpoint, c.to_json(ask))


def _reference(operation: Operation) -> str:
    return operation.key.removeprefix(f"{operation.endpoint}:")


def _said(reference: str, ask: Callable[[], c.Charge]) -> c.Charge:
    """The provider's word; silence and absence are `unknown`, since a charge may have been made."""
    try:
        return ask()
    except (Away, AnswerLost):
        return c.Charge(reference, "unknown", reason="provider_silent")
