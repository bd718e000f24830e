"""Quotes and settlements of the demo hospital: one reference is booked at most once, or never.

A reference that is asked about before it was received is closed by the asking: a booking that
arrives later is refused, so that *not found* can be believed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import Connection, select, update

from gateway import slots
from gateway.adapters.demo import ledger
from gateway.adapters.demo.bills import Account, account_of
from gateway.adapters.demo.calendar import Calendar
from gateway.adapters.demo.fees import fee_line, fee_of
from gateway.adapters.demo.insurance import split
from gateway.adapters.demo.knobs import HospitalMode, Knobs
from gateway.adapters.demo.people import SELF_PAY, Person
from gateway.adapters.demo.places import plan
from gateway.adapters.demo.registry import Registry
from gateway.adapters.demo.tables import paid_bills, quotes, settlements
from gateway.adapters.port import Work
from gateway.store import insert_new
from gateway.tables import to_us
from kiosk.domain.bill import Quote
from kiosk.hospital import contract as c

QUOTE_TIME = timedelta(minutes=30)
Sign = Callable[[bytes], str]


@dataclass(frozen=True)
class _Refusal:
    reason: str


@dataclass(frozen=True)
class _Stored:
    """A quote as it was given."""

    person: str
    hold_key: str
    insured: bool
    quote: Quote


class Desk:
    """Pre-settlement and settlement."""

    def __init__(self, registry: Registry, calendar: Calendar, knobs: Knobs, sign: Sign) -> None:
        self._registry, self._calendar = registry, calendar
        self._knobs, self._sign = knobs, sign

    def paid(self, connection: Connection, bill_ids: list[str]) -> frozenset[str]:
        """Those of the bills that somebody has paid."""
        wanted = paid_bills.c.bill_id.in_(bill_ids)
        return frozenset(connection.execute(select(paid_bills.c.bill_id).where(wanted)).scalars())

    def pre_settle(self, work: Work, ask: c.PreSettle) -> c.PreSettleReply:
        person = self._registry.person(work.connection, ask.person)
        due = self._due(work, person, ask)
        if isinstance(due, _Refusal):
            return c.QuoteRefused(due.reason)  # type: ignore[arg-type]
        quote = self._quote(work, person, ask, due)
        row = {
            "id": quote.id,
            "person": person.id,
            "hold_key": ask.hold_key,
            "insured": quote.insured,
            "quote": c.to_json(quote).decode(),
        }
        insert_new(work.connection, quotes, [row])
        return c.Quoted(quote)

    def settle(self, work: Work, ask: c.Settle) -> c.SettleReply:
        """Book once. What was decided about a reference before is said again."""
        decided = self._claim(work, ask.reference)
        if decided is not None:
            return decided
        outcome = self._judge(work, ask)
        if isinstance(outcome, _Refusal):
            return self._refuse(work, ask, outcome.reason)
        return self._decide(work, ask.reference, "settled", outcome)

    def refuse(self, work: Work, ask: c.Settle, reason: str) -> c.SettleReply:
        decided = self._claim(work, ask.reference)
        return decided if decided is not None else self._refuse(work, ask, reason)

    def query(self, work: Work, ask: c.QuerySettlement) -> c.SettlementReply:
        row = {"reference": ask.reference, "state": "closed", "at": to_us(work.now)}
        if insert_new(work.connection, settlements, [row]) == 1:
            return c.SettlementNotFound(ask.reference)
        state, reply = self._stored(work.connection, ask.reference)
        if state == "closed":
            return c.SettlementNotFound(ask.reference)
        return reply

    # -- quotes

    def _due(self, work: Work, person: Person, ask: c.PreSettle) -> list[Account] | _Refusal:
        if ask.hold_key:
            claimed = slots.held(work.connection, ask.hold_key, person.id, work.now)
            if claimed is None:
                return _Refusal("hold_ended")
            return [self._fee(work, ask.hold_key, claimed.slot_id)]
        found = [
            account_of(bill_id, person) or fee_of(work.connection, bill_id, person, work.now.tzinfo)
            for bill_id in ask.bill_ids
        ]
        accounts = [account for account in found if account is not None]
        if not accounts or len(accounts) != len(found) or len(set(ask.bill_ids)) != len(found):
            return _Refusal("unknown_bill")
        if self.paid(work.connection, list(ask.bill_ids)):
            return _Refusal("already_paid")
        return accounts

    def _fee(self, work: Work, hold_key: str, slot_id: str) -> Account:
        planned = plan(slot_id, work.now.tzinfo)
        assert planned is not None, "a number of a slot that is not in the timetable is held"
        return Account(hold_key, planned.ward.name, (fee_line(planned),))

    def _quote(self, work: Work, person: Person, ask: c.PreSettle, due: list[Account]) -> Quote:
        shares = [share for account in due for share in account.shares]
        insured = ask.insured and person.insurance != SELF_PAY
        parts = split(person.insurance, shares, insured=insured)
        lines = tuple(item.line for account in due for item in account.items)
        until = work.now + QUOTE_TIME
        asked = f"{work.terminal} {person.id} {ask.bill_ids} {ask.hold_key} {insured}"
        name = f"{asked} {until.isoformat()} {parts}"
        quote = Quote(
            id=f"Q{hashlib.sha256(name.encode()).hexdigest()[:20]}",
            bill_ids=ask.bill_ids,
            lines=lines,
            split=parts,
            insured=insured,
            valid_until=until,
            person=person.id,
            terminal=work.terminal,
        )
        return replace(quote, signature=self._sign(c.to_json(quote)))

    # -- settlements

    def _claim(self, work: Work, reference: str) -> c.SettleReply | None:
        """Take the reference for this booking; what was decided about it, when it was taken."""
        row = {"reference": reference, "state": "working", "at": to_us(work.now)}
        if insert_new(work.connection, settlements, [row]) == 1:
            return None
        state, reply = self._stored(work.connection, reference)
        return c.SettleRefused(reference, "closed") if state == "closed" else reply

    def _stored(self, connection: Connection, reference: str) -> tuple[str, c.SettleReply]:
        row = connection.execute(
            select(settlements.c.state, settlements.c.reply).where(
                settlements.c.reference == reference
            )
        ).one()
        if row.state == "closed":
            return "closed", c.SettleRefused(reference, "closed")
        assert row.state in ("settled", "refused"), f"committed while {row.state}"
        return row.state, c.from_json(c.SettleReply, row.reply)

    def _decide(
        self, work: Work, reference: str, state: str, reply: c.SettleReply
    ) -> c.SettleReply:
        work.connection.execute(
            update(settlements)
            .where(settlements.c.reference == reference)
            .values(state=state, reply=c.to_json(reply, c.SettleReply).decode())
        )
        return reply

    def _refuse(self, work: Work, ask: c.Settle, reason: str) -> c.SettleReply:
        ledger.write(work, "settle_refused", ask.reference, ask.person, detail=reason)
        refused = c.SettleRefused(ask.reference, reason)  # type: ignore[arg-type]
        return self._decide(work, ask.reference, "refused", refused)

    def _judge(self, work: Work, ask: c.Settle) -> c.Settled | _Refusal:
        if self._knobs.now.hospital is HospitalMode.REFUSING:
            return _Refusal("split_changed")
        self._registry.may_act(work.connection, ask.acting, ask.person)
        stored = self._given(work.connection, ask.quote_id)
        if stored is None or (stored.person, stored.hold_key) != (ask.person, ask.hold_key):
            return _Refusal("split_changed")
        if stored.quote.terminal != work.terminal:  # a quote is for the terminal that asked
            return _Refusal("split_changed")
        if stored.quote.split.own_fen != ask.amount_fen:
            return _Refusal("amount_differs")
        if stored.hold_key:
            return self._book_number(work, ask, stored)
        return self._book_bills(work, ask, stored)

    def _given(self, connection: Connection, quote_id: str) -> _Stored | None:
        row = connection.execute(select(quotes).where(quotes.c.id == quote_id)).first()
        if row is None:
            return None
        quote: Quote = c.from_json(Quote, row.quote)
        return _Stored(row.person, row.hold_key, row.insured, quote)

    def _book_bills(self, work: Work, ask: c.Settle, stored: _Stored) -> c.Settled | _Refusal:
        """All bills of the quote or none. A quote's end limits charging, not booking."""
        rows = [{"bill_id": id, "reference": ask.reference} for id in stored.quote.bill_ids]
        point = work.connection.begin_nested()
        if insert_new(work.connection, paid_bills, rows) != len(rows):
            point.rollback()
            return _Refusal("already_paid")
        point.commit()
        return c.Settled(ask.reference, self._receipt(work, ask))

    def _book_number(self, work: Work, ask: c.Settle, stored: _Stored) -> c.Settled | _Refusal:
        claimed = slots.book(work.connection, stored.hold_key, ask.person, work.now)
        if claimed is None:
            return _Refusal("hold_ended")
        receipt = self._receipt(work, ask)
        appointment = self._calendar.booked(work, ask.person, claimed, ask.reference)
        ticket = self._calendar.check_in_if_today(work, appointment.id)
        appointment = appointment if ticket is None else ticket.appointment
        return c.Settled(ask.reference, receipt, appointment, ticket)

    def _receipt(self, work: Work, ask: c.Settle) -> str:
        line = ledger.write(
            work,
            "settled",
            ask.reference,
            ask.person,
            amount_fen=ask.amount_fen,
            detail=f"{ask.quote_id} {ask.method}",
        )
        return f"{work.now:%y%m%d}{line:06d}"
