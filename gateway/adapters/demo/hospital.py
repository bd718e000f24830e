"""The demo hospital behind the Hospital port: who does what, and what a person may see."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import date, timedelta, tzinfo

from sqlalchemy import Connection, MetaData, select

from gateway import slots
from gateway.adapters.demo import ledger, places, reports
from gateway.adapters.demo import people as known
from gateway.adapters.demo.bills import Account, history_on, unpaid_on
from gateway.adapters.demo.calendar import Calendar, ahead_of_day, on_site
from gateway.adapters.demo.crowd import everybody
from gateway.adapters.demo.fees import fees_on
from gateway.adapters.demo.insurance import split
from gateway.adapters.demo.knobs import Knobs
from gateway.adapters.demo.pdf import ReportPress
from gateway.adapters.demo.people import Person
from gateway.adapters.demo.places import SlotPlan, Ward
from gateway.adapters.demo.registry import Registry, dependant_of, patient
from gateway.adapters.demo.settlement import Desk, Sign
from gateway.adapters.demo.tables import metadata, printed
from gateway.adapters.port import Booking, Refused, Work
from gateway.slots import AlreadyRegistered, NoneLeft, Quota
from gateway.store import insert_new
from gateway.tables import to_us
from kiosk.domain.report import Report
from kiosk.domain.visit import Department, Hold, Slot
from kiosk.hospital import contract as c

_LEASE_NUMBERS_MAX = 20
_LAST_SEEN_IN = {
    known.ELDER.id: "cardio",
    known.BY_CARD.id: "internal",
    known.BY_HEALTH_CODE.id: "skin",
}


class DemoHospital:
    """The Hospital port on the gateway's own database. `zone` is the hospital's."""

    name = "市第一医院"
    name_en = "City First Hospital"

    def __init__(self, knobs: Knobs, sign: Sign, zone: tzinfo | None) -> None:
        self._registry = Registry(everybody())
        self._calendar = Calendar(zone)
        self._desk = Desk(self._registry, self._calendar, knobs, sign)
        self._press = ReportPress(self.name, self.name_en)
        self._zone = zone

    def schemas(self) -> Sequence[MetaData]:
        return (metadata,)

    def open_day(self, work: Work) -> None:
        self._calendar.open_day(work, self._registry.people)

    # -- who

    def identify(self, work: Work, ask: c.Identify) -> c.IdentifyReply:
        return self._registry.identify(work, ask)

    def enter(self, work: Work, ask: c.Enter) -> c.Known:
        person = self._registry.enter(work, ask.identity, ask.phone)
        ledger.write(work, "entered", person.id, person.id)
        return c.Known(patient(person))

    def bind_relative(self, work: Work, ask: c.BindRelative) -> c.Bound:
        """The person who acts is entered if new; both sides stand in the book (rows 22, 37)."""
        dependant = self._registry.person(work.connection, ask.person)
        holder = self._registry.enter(work, ask.acting, "")
        self._registry.bind(work, holder, dependant, ask.relation)
        ledger.write(work, "bound", dependant.id, holder.id, detail=ask.relation)
        return c.Bound(dependant_of(dependant, ask.relation))

    def today(self, work: Work, ask: c.AskToday) -> c.Today:
        self._registry.may_act(work.connection, ask.acting, ask.person)
        person = self._registry.person(work.connection, ask.person)
        day = work.now.date()
        owed = self._owed(work.connection, person, day)
        shares = [split(person.insurance, account.shares).own_fen for account in owed]
        return c.Today(
            appointments=self._calendar.on_day(work.connection, person.id, day),
            bills=tuple(account.bill(paid=False) for account in owed),
            own_estimate_fen=sum(shares),
            reports=self._reports(work, person),
            dependants=self._registry.dependants(work.connection, person),
            last_department=_LAST_SEEN_IN.get(person.id, ""),
        )

    # -- registration and check-in

    def departments(self, work: Work, ask: c.AskDepartments) -> c.DepartmentList:
        taken = slots.taken_by_slot(work.connection, ask.day.isoformat(), work.now)
        return c.DepartmentList(
            tuple(self._department(work, ward, ask.day, taken) for ward in places.WARDS)
        )

    def slots(self, work: Work, ask: c.AskSlots) -> c.SlotList:
        ward = places.ward(ask.department_id)
        if ward is None:
            raise Refused(404, "department_unknown")
        taken = slots.taken_by_slot(work.connection, ask.day.isoformat(), work.now)
        offered = self._offered(work, ward, ask.day)
        return c.SlotList(
            tuple(_slot(plan, slots.left(quota, taken.get(plan.slot.id, frozenset())))
                  for plan, quota in offered)
        )  # fmt: skip

    def hold_slot(self, work: Work, ask: c.HoldSlot) -> c.HoldReply:
        person = self._registry.person(work.connection, ask.person)
        plan = places.plan(ask.slot_id, self._zone)
        quota = None if plan is None else self._quota(work, plan)
        if plan is None or quota is None:
            return c.SlotGone("closed")
        claimed = slots.hold(
            work.connection,
            quota,
            key=ask.key,
            person=person.id,
            terminal=work.terminal,
            now=work.now,
        )
        match claimed:
            case NoneLeft():
                return c.SlotGone("none_left")
            case AlreadyRegistered():
                return c.SlotGone("already_registered")
        ledger.write(work, "held", ask.key, person.id, detail=plan.slot.id)
        taken = slots.taken_by_slot(work.connection, quota.day, work.now)
        left = slots.left(quota, taken.get(plan.slot.id, frozenset()))
        assert claimed.until is not None
        return c.Held(Hold(ask.key, _slot(plan, left), claimed.until))

    def release_hold(self, work: Work, ask: c.ReleaseHold) -> c.Done:
        if slots.release(work.connection, ask.hold_key):
            ledger.write(work, "released", ask.hold_key, "")
        return c.Done()

    def check_in(self, work: Work, ask: c.CheckIn) -> c.CheckInReply:
        return self._calendar.check_in(work, ask)

    def take_check_in(self, work: Work, record: c.CheckInRecord) -> str:
        return self._calendar.take_check_in(work, record)

    def take_registration(self, work: Work, record: c.RegistrationRecord) -> str:
        if record.person:
            person = self._registry.person(work.connection, record.person)
        elif record.identity is not None:
            person = self._registry.enter(work, record.identity, "")
        else:
            return "nobody_named"
        claimed = slots.book_leased(
            work.connection,
            lease_id=record.lease_id,
            number=record.number,
            terminal=work.terminal,
            person=person.id,
        )
        if claimed is None:
            return "not_leased"
        appointment = self._calendar.booked(work, person.id, claimed, record.slip)
        self._calendar.arrived(work, appointment.id)
        return ""

    def take_lease_back(self, work: Work, record: c.LeaseReturnedRecord) -> str:
        freed = slots.take_back(
            work.connection,
            lease_id=record.lease_id,
            numbers=record.numbers,
            terminal=work.terminal,
        )
        ledger.write(work, "lease_returned", record.lease_id, "", detail=str(freed))
        return "" if freed == len(record.numbers) else "not_leased"

    def grant_lease(self, work: Work, ask: c.GrantLease) -> c.Lease:
        """A block in the department's first window with free numbers; it ends with the window."""
        ward = places.ward(ask.department_id)
        if ward is None:
            raise Refused(404, "department_unknown")
        least = ask.lasting_until or work.now
        offered = [one for one in self._offered(work, ward, ask.day) if one[0].slot.ends > least]
        if not offered:
            raise Refused(404, "no_slot")
        taken = slots.taken_by_slot(work.connection, ask.day.isoformat(), work.now)
        free = ((p, q) for p, q in offered if slots.left(q, taken.get(p.slot.id, frozenset())))
        plan, quota = next(free, offered[0])
        block = slots.lease(
            work.connection,
            quota,
            key=ask.key,
            terminal=work.terminal,
            numbers=min(ask.numbers, _LEASE_NUMBERS_MAX),
            until=plan.slot.ends,
            now=work.now,
        )
        ledger.write(work, "leased", ask.key, "", detail=f"{plan.slot.id} {block}")
        slot = _slot(plan, block.count)
        numbers = range(block.first, block.first + block.count)
        called = tuple(plan.called(number) for number in numbers)
        return c.Lease(ask.key, slot, block.first, block.count, plan.slot.ends, called)

    # -- money

    def pre_settle(self, work: Work, ask: c.PreSettle) -> c.PreSettleReply:
        return self._desk.pre_settle(work, ask)

    def settle(self, work: Work, ask: c.Settle) -> c.SettleReply:
        return self._desk.settle(work, ask)

    def refuse_settlement(self, work: Work, ask: c.Settle, reason: str) -> c.SettleReply:
        return self._desk.refuse(work, ask, reason)

    def query_settlement(self, work: Work, ask: c.QuerySettlement) -> c.SettlementReply:
        return self._desk.query(work, ask)

    def account(self, work: Work, ask: c.AskAccount) -> c.Account:
        person = self._registry.person(work.connection, ask.person)
        day = work.now.date()
        due = self._due(work.connection, person, day)
        paid = self._desk.paid(work.connection, [account.id for account in due])
        bills = [account.bill(paid=account.id in paid) for account in due]
        bills += [account.bill(paid=True) for account in history_on(person, day)]
        return c.Account(tuple(bills))

    def bookings(self, work: Work, first: date, last: date) -> Iterable[Booking]:
        return ledger.bookings(work, first, last)

    def bookings_of(self, work: Work, references: Sequence[str]) -> Iterable[Booking]:
        return ledger.bookings_of(work, references)

    # -- reports

    def fetch_report(self, work: Work, ask: c.FetchReport) -> c.ReportFile:
        person = self._registry.person(work.connection, ask.person)
        report = reports.report_of(ask.report_id, person, self._zone)
        if report is None:
            raise Refused(404, "report_unknown")
        if report.ready_at > work.now:
            raise Refused(409, "report_not_ready")
        return c.ReportFile(report.id, self._press.lab_report(report, person), pages=1)

    def mark_printed(self, work: Work, ask: c.MarkPrinted) -> c.Done:
        self._print(work, ask.person, ask.report_id)
        return c.Done()

    def take_printed(self, work: Work, record: c.PrintedRecord) -> str:
        self._print(work, record.person, record.report_id)
        return ""

    # -- others

    def look_up_health_code(self, work: Work, ask: c.LookUpHealthCode) -> c.HealthCode:
        """Green for all but one in fifteen, always the same for the same number."""
        draw = random.Random(f"health code {ask.number}").random()
        return c.HealthCode("attention" if draw < 1 / 15 else "clear", work.now)

    def day_list(self, work: Work, ask: c.AskDayList) -> c.DayList:
        """Who comes today, and who may act for others (row 123)."""
        coming = self._calendar.people_on_day(work.connection, ask.day)
        holders = {person.id for person in self._registry.people if person.ties}
        expected = [self._expected(work, one, ask.day) for one in sorted(coming | holders)]
        departments = self.departments(work, c.AskDepartments(ask.day)).departments
        return c.DayList(ask.day, tuple(expected), departments)

    def _expected(self, work: Work, person_id: str, day: date) -> c.Expected:
        person = self._registry.person(work.connection, person_id)
        return c.Expected(
            person=person.id,
            number=person.number,
            name=person.name,
            born=person.born,
            appointments=self._calendar.on_day(work.connection, person.id, day),
            dependants=self._registry.dependants(work.connection, person),
        )

    def _owed(self, connection: Connection, person: Person, day: date) -> tuple[Account, ...]:
        due = self._due(connection, person, day)
        paid = self._desk.paid(connection, [account.id for account in due])
        return tuple(account for account in due if account.id not in paid)

    def _due(self, connection: Connection, person: Person, day: date) -> tuple[Account, ...]:
        return (*unpaid_on(person, day), *fees_on(connection, person, day, self._zone))

    def _reports(self, work: Work, person: Person) -> tuple[Report, ...]:
        """What is not printed yet, and what is still to come (row 76)."""
        listed = reports.reports_on(person, work.now.date(), self._zone)
        wanted = printed.c.report_id.in_([report.id for report in listed])
        done = set(work.connection.execute(select(printed.c.report_id).where(wanted)).scalars())
        return tuple(
            Report(one.id, one.panel.title, one.ready_at, one.ready_at <= work.now)
            for one in listed
            if one.id not in done
        )

    def _print(self, work: Work, person_id: str, report_id: str) -> None:
        person = self._registry.person(work.connection, person_id)
        if reports.report_of(report_id, person, self._zone) is None:
            raise Refused(404, "report_unknown")
        insert_new(work.connection, printed, [{"report_id": report_id, "at": to_us(work.now)}])
        ledger.write(work, "printed", report_id, person.id)

    def _department(
        self, work: Work, ward: Ward, day: date, taken: dict[str, frozenset[int]]
    ) -> Department:
        left = sum(
            slots.left(quota, taken.get(plan.slot.id, frozenset()))
            for plan, quota in self._offered(work, ward, day)
        )
        return Department(ward.id, ward.name, ward.name_en, ward.floor, left, ward.icon)

    def _offered(self, work: Work, ward: Ward, day: date) -> list[tuple[SlotPlan, Quota]]:
        """Windows that are not over, each with the numbers that may be taken here (row 38)."""
        found = []
        for plan in places.plans(ward, day, self._zone):
            quota = self._quota(work, plan)
            if quota is not None:
                found.append((plan, quota))
        return found

    def _quota(self, work: Work, plan: SlotPlan) -> Quota | None:
        """Today the walk-ins' numbers, on later days the appointments'; None: not offered."""
        days = plan.slot.starts.date() - work.now.date()
        if plan.slot.ends <= work.now or days >= timedelta(days=places.BOOKING_DAYS):
            return None
        return on_site(plan) if days == timedelta(0) else ahead_of_day(plan)


def _slot(plan: SlotPlan, left: int) -> Slot:
    slot = plan.slot
    return Slot(
        slot.id,
        slot.department_id,
        slot.doctor,
        slot.title,
        slot.starts,
        slot.ends,
        left,
        slot.fee_fen,
        slot.room,
    )
