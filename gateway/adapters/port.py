"""What a hospital and a payment provider must be able to do for the gateway; one adapter a product.

A hospital whose store is the gateway's database does its effect in the transaction it is handed
(`Work.connection`), so that effect and key are one commit. One behind a network must be idempotent
by the request's own key or reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from sqlalchemy import Connection, MetaData

from kiosk.hospital import contract as c

PROVIDER_S = 20.0


@dataclass(frozen=True)
class Work:
    """One request being answered. `now` is aware, in the hospital's own zone."""

    connection: Connection
    terminal: str
    now: datetime


@dataclass(frozen=True)
class Booking:
    """One payment in the hospital's own book. `at` is aware, in the hospital's zone."""

    reference: str
    amount_fen: int
    method: str
    at: datetime


class Refused(Exception):
    """The hospital understands and will not. `code` is for staff and logs: no personal data."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status, self.code = status, code


class Away(Exception):
    """The system behind the adapter cannot be reached; definitely nothing was done there."""


class AnswerLost(Exception):
    """The system behind the adapter may have done it; its answer did not come."""


class Hospital(Protocol):
    """The HIS. Each method takes one contract message and gives its reply, or raises Refused.

    Refused is raised before anything is changed. The take_ methods take in what a terminal did
    offline: empty when it stands, else why it cannot.
    """

    @property
    def name(self) -> str: ...

    @property
    def name_en(self) -> str: ...

    def schemas(self) -> Sequence[MetaData]:
        """Tables of the adapter's own that the store must have."""
        ...

    def open_day(self, work: Work) -> None:
        """Called once at start: prepare what this day needs."""
        ...

    def identify(self, work: Work, ask: c.Identify) -> c.IdentifyReply: ...

    def enter(self, work: Work, ask: c.Enter) -> c.Known: ...

    def today(self, work: Work, ask: c.AskToday) -> c.Today: ...

    def bind_relative(self, work: Work, ask: c.BindRelative) -> c.Bound: ...

    def departments(self, work: Work, ask: c.AskDepartments) -> c.DepartmentList: ...

    def slots(self, work: Work, ask: c.AskSlots) -> c.SlotList: ...

    def hold_slot(self, work: Work, ask: c.HoldSlot) -> c.HoldReply: ...

    def release_hold(self, work: Work, ask: c.ReleaseHold) -> c.Done: ...

    def check_in(self, work: Work, ask: c.CheckIn) -> c.CheckInReply: ...

    def pre_settle(self, work: Work, ask: c.PreSettle) -> c.PreSettleReply: ...

    def settle(self, work: Work, ask: c.Settle) -> c.SettleReply: ...

    def refuse_settlement(self, work: Work, ask: c.Settle, reason: str) -> c.SettleReply:
        """Close this reference with a refusal the gateway found itself; or what was settled."""
        ...

    def query_settlement(self, work: Work, ask: c.QuerySettlement) -> c.SettlementReply:
        """Closes a reference that was never received, so that *not found* is final."""
        ...

    def account(self, work: Work, ask: c.AskAccount) -> c.Account: ...

    def fetch_report(self, work: Work, ask: c.FetchReport) -> c.ReportFile: ...

    def mark_printed(self, work: Work, ask: c.MarkPrinted) -> c.Done: ...

    def look_up_health_code(self, work: Work, ask: c.LookUpHealthCode) -> c.HealthCode: ...

    def day_list(self, work: Work, ask: c.AskDayList) -> c.DayList: ...

    def grant_lease(self, work: Work, ask: c.GrantLease) -> c.Lease: ...

    def bookings(self, work: Work, first: date, last: date) -> Iterable[Booking]:
        """The hospital's own ledger of payments, both days included; doubles stand twice."""
        ...

    def bookings_of(self, work: Work, references: Sequence[str]) -> Iterable[Booking]:
        """The same ledger, of these references, whenever they were booked."""
        ...

    def take_check_in(self, work: Work, record: c.CheckInRecord) -> str:
        """A check-in made from the cached list, judged by the moment it was made."""
        ...

    def take_registration(self, work: Work, record: c.RegistrationRecord) -> str:
        """A registration from a leased number. Refused only if the number was not lent."""
        ...

    def take_lease_back(self, work: Work, record: c.LeaseReturnedRecord) -> str: ...

    def take_printed(self, work: Work, record: c.PrintedRecord) -> str: ...


class Provider(Protocol):
    """A payment provider. Idempotent by reference; may raise Away or AnswerLost at any call.

    A call has ended within PROVIDER_S: by then whoever asked has gone, and asks again.
    """

    def open(self, reference: str, amount_fen: int) -> str:
        """A page's address for the payer's phone. Opening charges nobody."""
        ...

    def charge(self, reference: str, amount_fen: int, code: str) -> c.Charge: ...

    def query(self, reference: str) -> c.Charge: ...

    def close(self, reference: str) -> c.Charge: ...

    def reverse(self, reference: str) -> c.Charge: ...
