"""What the gateway answers: one method, given a terminal, an endpoint and a body.

Knows nothing of HTTP. Reads run in one view of the data; changes are done once by their key;
charges are the provider's; batches are ingested.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import ValidationError

from gateway import factors, fleet
from gateway.adapters.port import Hospital, Provider, Refused, Work
from gateway.ingest import Ingest
from gateway.metrics import Metrics
from gateway.operations import KeyReused, Operation, alarm, forestall, once, peek
from gateway.payments import Payments
from gateway.policy import PolicyFile
from gateway.sealing import Keys
from gateway.store import Store
from gateway.tables import look_ups, to_us
from kiosk.hospital import contract as c
from kiosk.logs import Log

Handler = Callable[[Work, Any], Any]
_COUNT_EVERY = timedelta(minutes=1)


class Gateway:
    """One gateway; any number of them may share one PostgreSQL, since all state is in the store."""

    def __init__(
        self,
        store: Store,
        keys: Keys,
        hospital: Hospital,
        provider: Provider,
        *,
        policy: PolicyFile,
        clock: Callable[[], datetime],
        log: Log,
    ) -> None:
        self.store, self.keys, self.clock, self.log = store, keys, clock, log
        self.hospital = hospital
        self.metrics = Metrics(store, clock)
        self._policy = policy
        self._beat_s, self._counted = fleet.BEAT_FIRST_S, datetime.min.replace(tzinfo=UTC)
        self._payments = Payments(store, keys, provider, hospital, clock)
        self._ingest = Ingest(store, keys, hospital, clock, log)
        self._reads = self._reading()
        self._writes = self._writing()
        self._changes = self._changing()
        self._charges = self._charging()
        covered = {*self._reads, *self._writes, *self._changes, *self._charges, "outbox"}
        assert covered == {endpoint.name for endpoint in c.ENDPOINTS}, "an endpoint has no handler"

    def open_day(self) -> None:
        with self.store.writing() as connection:
            self.hospital.open_day(Work(connection, "", self.clock()))

    def known(self, name: str, token: str) -> str:
        """The terminal's name, or Refused(401)."""
        with self.store.reading() as connection:
            return fleet.terminal_of(connection, name, token)

    def answer_to(self, name: str, token: str, endpoint: c.Endpoint, body: bytes) -> bytes:
        """As answer(), for who says to be `name` and shows a token; else Refused(401).

        What all terminals do all the time looks at the token in the transaction of its effect.
        """
        try:
            return self._answer_to(name, token, endpoint, body)
        except ValidationError:
            self.known(name, token)  # a stranger is not even told that the body was wrong
            raise

    def _answer_to(self, name: str, token: str, endpoint: c.Endpoint, body: bytes) -> bytes:
        match endpoint.name:
            case "outbox":
                reply: Any = self._take(name, c.from_json(c.Outbox, body), token)
            case "hello":
                hello = c.from_json(c.Hello, body)
                with self.store.writing() as connection:
                    reply = self._hello(Work(connection, name, self.clock()), hello, token)
            case _:
                return self.answer(self.known(name, token), endpoint, body)
        return c.to_json(reply, endpoint.reply)

    def answer(self, terminal: str, endpoint: c.Endpoint, body: bytes) -> bytes:
        """The reply as JSON, or Refused, KeyReused, Away, AnswerLost, StoreAway, CommitUnknown.

        pydantic's ValidationError when the body is not the contract's (its text quotes data).
        """
        ask = c.from_json(endpoint.request, body)
        if endpoint.name == "outbox":
            reply = self._take(terminal, ask, None)
        elif endpoint.name in self._charges:
            reply = self._guarded(terminal, lambda: self._charges[endpoint.name](terminal, ask))
        elif endpoint.name in self._changes:
            done: bytes = self._guarded(terminal, lambda: self._change(terminal, endpoint, ask))
            return done
        else:
            reply = self._look(terminal, endpoint, ask)
        return c.to_json(reply, endpoint.reply)

    def _take(self, terminal: str, ask: c.Outbox, token: str | None) -> c.OutboxReply:
        reply = self._ingest.take(terminal, ask.records, token)
        self.metrics.judged(reply.verdicts)
        return reply

    def _look(self, terminal: str, endpoint: c.Endpoint, ask: Any) -> Any:
        writes = endpoint.name in self._writes
        handler = (self._writes if writes else self._reads)[endpoint.name]
        if isinstance(ask, c.Identify) and ask.second_factor:
            writes, handler = True, self._try_factor
        with self.store.writing() if writes else self.store.reading() as connection:
            return handler(Work(connection, terminal, self.clock()), ask)

    def _try_factor(self, work: Work, ask: c.Identify) -> c.IdentifyReply:
        return factors.tried(work, self.keys, ask, self.hospital.identify)

    def _change(self, terminal: str, endpoint: c.Endpoint, ask: Any) -> bytes:
        operation = Operation(_key(endpoint, ask), endpoint.name, c.to_json(ask))
        objection = ""
        if isinstance(ask, c.Settle):
            with self.store.reading() as connection:
                known = peek(Work(connection, terminal, self.clock()), self.keys, operation)
            if known is not None:
                return known
            objection = self._payments.verify(ask)
        with self.store.writing() as connection:
            work = Work(connection, terminal, self.clock())

            def effect() -> bytes:
                if objection:
                    reply = self.hospital.refuse_settlement(work, ask, objection)
                else:
                    reply = self._changes[endpoint.name](work, ask)
                return c.to_json(reply, endpoint.reply)

            return once(work, self.keys, operation, effect)

    def _guarded(self, terminal: str, act: Callable[[], Any]) -> Any:
        """A reused key is alarmed in a transaction of its own: the refused one was undone."""
        try:
            return act()
        except KeyReused as reused:
            with self.store.writing() as connection:
                work = Work(connection, terminal, self.clock())
                alarm(work, "key_reused", reused.key)
            raise

    def _reading(self) -> dict[str, Handler]:
        hospital = self.hospital
        return {
            "identify": hospital.identify,
            "today": hospital.today,
            "departments": hospital.departments,
            "slots": hospital.slots,
            "account": hospital.account,
            "fetch-report": hospital.fetch_report,
            "day-list": hospital.day_list,
            "ask-help": fleet.ask_help,
        }

    def _writing(self) -> dict[str, Handler]:
        return {
            "hello": self._hello,
            "pre-settle": self.hospital.pre_settle,
            "query-settlement": self.hospital.query_settlement,
            "look-up-health-code": self._look_up,
        }

    def _changing(self) -> dict[str, Handler]:
        hospital = self.hospital
        return {
            "enter": hospital.enter,
            "bind-relative": hospital.bind_relative,
            "hold-slot": hospital.hold_slot,
            "release-hold": self._release_hold,
            "check-in": hospital.check_in,
            "settle": hospital.settle,
            "mark-printed": hospital.mark_printed,
            "call-help": fleet.call_help,
            "grant-lease": hospital.grant_lease,
        }

    def _charging(self) -> dict[str, Callable[[str, Any], Any]]:
        return {
            "open-order": self._payments.open_order,
            "pay-by-code": self._payments.pay_by_code,
            "query-charge": self._payments.query_charge,
            "close-order": self._payments.close_order,
            "reverse-charge": self._payments.reverse_charge,
        }

    def _release_hold(self, work: Work, ask: c.ReleaseHold) -> c.Done:
        """Also for a hold that is still on its way: when it comes, its number is not locked."""
        gone = c.to_json(c.SlotGone("closed"), c.HoldReply)
        early = Operation(ask.hold_key, c.endpoint_of(c.HoldSlot).name, b"")
        if forestall(work, self.keys, early, gone):
            return c.Done()
        return self.hospital.release_hold(work, ask)

    def _hello(self, work: Work, ask: c.Hello, token: str | None = None) -> c.HelloReply:
        fleet.heard(work, ask, token)
        if abs(work.now - self._counted) >= _COUNT_EVERY:
            self._beat_s, self._counted = fleet.beat_s(work.connection), work.now
        return c.HelloReply(
            now=work.now,
            hospital=self.hospital.name,
            hospital_en=self.hospital.name_en,
            quote_key=self.keys.public_key,
            beat_s=self._beat_s,
        )

    def _look_up(self, work: Work, ask: c.LookUpHealthCode) -> c.HealthCode:
        """Only while a signed policy is on; who asked and why is kept (rows 19, 25)."""
        if self._policy.in_force(work.now) is None:
            raise Refused(403, "policy_off")
        if not ask.because.strip() or not ask.operator.strip():
            raise Refused(400, "reason_missing")
        row = {
            "at": to_us(work.now),
            "terminal": work.terminal,
            "number_hash": self.keys.digest(ask.number.encode()),
            "operator": ask.operator[:80],
            "because": ask.because[:300],
        }
        work.connection.execute(look_ups.insert().values(row))
        return self.hospital.look_up_health_code(work, ask)


def _key(endpoint: c.Endpoint, ask: Any) -> str:
    """The request's own key; a payment's reference serves several endpoints and is told apart."""
    if isinstance(ask, c.Settle):
        return f"{endpoint.name}:{ask.reference}"
    key: str = ask.key
    return key
