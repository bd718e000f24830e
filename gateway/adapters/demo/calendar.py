"""Appointments of the demo hospital: made from a number, checked in once, numbered to be called."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from sqlalchemy import Connection, func, select, update

from gateway import slots
from gateway.adapters.demo import ledger, places
from gateway.adapters.demo import people as known
from gateway.adapters.demo.people import Person
from gateway.adapters.demo.places import SlotPlan
from gateway.adapters.demo.tables import appointments, days
from gateway.adapters.port import Work
from gateway.slots import Claimed, NoneLeft, Quota
from gateway.store import insert_new
from kiosk.domain.visit import Appointment, AppointmentState, Ticket
from kiosk.hospital import contract as c

EARLY = timedelta(hours=2)  # who comes earlier is asked to come back
LATE = timedelta(hours=1)  # who comes later needs the desk
_MINUTES_EACH = 6
_CROWD_ON_A_DAY = 60


def on_site(plan: SlotPlan) -> Quota:
    """The walk-ins' numbers (row 38)."""
    return Quota(plan.slot.id, plan.slot.starts.date().isoformat(), 1, plan.on_site)


def ahead_of_day(plan: SlotPlan) -> Quota:
    """Numbers for those who book before the day."""
    first = plan.on_site + 1
    day = plan.slot.starts.date().isoformat()
    return Quota(plan.slot.id, day, first, plan.on_site + plan.appointments)


@dataclass(frozen=True)
class _Booking:
    """An appointment as the table has it."""

    id: str
    person: str
    slot_id: str
    day: str
    number: int
    state: str
    reference: str


class Calendar:
    """Who comes when. `zone` is the hospital's own."""

    def __init__(self, zone: tzinfo | None) -> None:
        self._zone = zone

    def on_day(self, connection: Connection, person_id: str, day: date) -> tuple[Appointment, ...]:
        rows = connection.execute(
            select(appointments).where(
                appointments.c.person == person_id, appointments.c.day == day.isoformat()
            )
        )
        found = (self._appointment(_Booking(*row)) for row in rows)
        return tuple(sorted(found, key=lambda one: one.starts))

    def people_on_day(self, connection: Connection, day: date) -> frozenset[str]:
        wanted = appointments.c.day == day.isoformat()
        rows = connection.execute(select(appointments.c.person).where(wanted))
        return frozenset(rows.scalars())

    def booked(self, work: Work, person_id: str, claimed: Claimed, reference: str) -> Appointment:
        """Make the appointment for a number that was just booked."""
        name = hashlib.sha256(f"{claimed.slot_id} {claimed.number}".encode()).hexdigest()[:12]
        return self._insert(work, f"A{name}", person_id, claimed, reference)

    def check_in(self, work: Work, ask: c.CheckIn) -> c.CheckInReply:
        """Once, today, around the window (row 48); the second time gives the same ticket."""
        row = self._booking(work.connection, ask.appointment_id)
        if row is None or row.person != ask.person:
            return c.CheckInRefused("unknown")
        appointment = self._appointment(row)
        refusal = _refusal(appointment, work.now)
        if refusal is not None:
            return refusal
        return c.CheckedIn(self._checked_in(work, ask.appointment_id))

    def take_check_in(self, work: Work, record: c.CheckInRecord) -> str:
        """A check-in made offline: judged by the moment it was made."""
        row = self._booking(work.connection, record.appointment_id)
        if row is None or row.person != record.person:
            return "unknown"
        refusal = _refusal(self._appointment(row), record.at.astimezone(work.now.tzinfo))
        if refusal is not None:
            return refusal.reason
        self._checked_in(work, record.appointment_id)
        return ""

    def check_in_if_today(self, work: Work, appointment_id: str) -> Ticket | None:
        """Who registers here for today is here."""
        row = self._booking(work.connection, appointment_id)
        assert row is not None
        if row.day != work.now.date().isoformat():
            return None
        return self._checked_in(work, appointment_id)

    def arrived(self, work: Work, appointment_id: str) -> Ticket:
        """Who took a number at a terminal is here, even if the hospital hears of it later."""
        return self._checked_in(work, appointment_id)

    def open_day(self, work: Work, everybody: Sequence[Person]) -> None:
        """Appointments of this day: the crowd's once, the elder's for this hour at each start."""
        day = work.now.date()
        if insert_new(work.connection, days, [{"day": day.isoformat()}]) == 1:
            self._book_crowd(work, everybody)
        plan = places.plan_at(places.WARDS[0], _first_hour(work.now))
        appointment_id = f"A{plan.slot.starts:%Y%m%d%H%M}-{known.ELDER.id}"
        if self._booking(work.connection, appointment_id) is None:
            self._give(work, plan, known.ELDER.id, appointment_id)

    def _book_crowd(self, work: Work, everybody: Sequence[Person]) -> None:
        """Three sit in the elder's window before her, the others are spread over the day."""
        crowd = [person for person in everybody if person not in known.KNOWN]
        first = places.plan_at(places.WARDS[0], _first_hour(work.now))
        for place, person in enumerate(crowd[:_CROWD_ON_A_DAY]):
            if place < 3:
                plan = first
            else:
                ward = places.WARDS[place % len(places.WARDS)]
                hour = (8, 9, 10, 11, 13, 14, 15, 16)[place // len(places.WARDS) % 8]
                starts = work.now.replace(hour=hour, minute=0, second=0, microsecond=0)
                plan = places.plan_at(ward, starts)
            appointment_id = f"A{work.now:%Y%m%d}-{person.id}"
            if self._give(work, plan, person.id, appointment_id) and place < 2:
                self._checked_in(work, appointment_id)

    def _give(self, work: Work, plan: SlotPlan, person_id: str, appointment_id: str) -> bool:
        quota = ahead_of_day(plan)
        claimed = slots.take(work.connection, quota, key=appointment_id, person=person_id)
        if isinstance(claimed, NoneLeft):
            return False
        self._insert(work, appointment_id, person_id, claimed, "")
        return True

    def _insert(
        self, work: Work, appointment_id: str, person_id: str, claimed: Claimed, reference: str
    ) -> Appointment:
        booking = _Booking(
            id=appointment_id,
            person=person_id,
            slot_id=claimed.slot_id,
            day=self._plan(claimed.slot_id).slot.starts.date().isoformat(),
            number=claimed.number,
            state=AppointmentState.BOOKED.value,
            reference=reference,
        )
        work.connection.execute(appointments.insert().values(vars(booking)))
        ledger.write(work, "booked", appointment_id, person_id, detail=claimed.slot_id)
        return self._appointment(booking)

    def _checked_in(self, work: Work, appointment_id: str) -> Ticket:
        changed = work.connection.execute(
            update(appointments)
            .where(
                appointments.c.id == appointment_id,
                appointments.c.state == AppointmentState.BOOKED.value,
            )
            .values(state=AppointmentState.CHECKED_IN.value)
        )
        booking = self._booking(work.connection, appointment_id)
        assert booking is not None
        if changed.rowcount == 1:
            ledger.write(work, "checked_in", appointment_id, booking.person)
        return self._ticket(work, booking)

    def _ticket(self, work: Work, booking: _Booking) -> Ticket:
        plan = self._plan(booking.slot_id)
        before = select(func.count()).where(
            appointments.c.slot_id == booking.slot_id,
            appointments.c.state == AppointmentState.CHECKED_IN.value,
            appointments.c.number < booking.number,
        )
        ahead = int(work.connection.execute(before).scalar_one())
        until_window = max(timedelta(0), plan.slot.starts - work.now)
        return Ticket(
            appointment=self._appointment(booking),
            number=plan.called(booking.number),
            ahead=ahead,
            minutes=round(until_window.total_seconds() / 60) + ahead * _MINUTES_EACH,
        )

    def _booking(self, connection: Connection, appointment_id: str) -> _Booking | None:
        wanted = select(appointments).where(appointments.c.id == appointment_id)
        row = connection.execute(wanted.with_for_update()).first()
        return None if row is None else _Booking(*row)

    def _appointment(self, booking: _Booking) -> Appointment:
        plan = self._plan(booking.slot_id)
        return Appointment(
            id=booking.id,
            department=plan.ward.name,
            department_en=plan.ward.name_en,
            doctor=plan.doctor.name,
            starts=plan.slot.starts,
            ends=plan.slot.ends,
            floor=plan.ward.floor,
            room=plan.slot.room,
            state=AppointmentState(booking.state),
        )

    def _plan(self, slot_id: str) -> SlotPlan:
        plan = places.plan(slot_id, self._zone)
        assert plan is not None, "a number of a slot that is not in the timetable"
        return plan


def _refusal(appointment: Appointment, at: datetime) -> c.CheckInRefused | None:
    if appointment.state is AppointmentState.CANCELLED:
        return c.CheckInRefused("cancelled")
    if appointment.state is AppointmentState.CHECKED_IN:
        return None
    if not appointment.on(at.date()):
        return c.CheckInRefused("not_today")
    if at < appointment.starts - EARLY:
        return c.CheckInRefused("too_early")
    return c.CheckInRefused("too_late") if at > appointment.ends + LATE else None


def _first_hour(now: datetime) -> datetime:
    """The elder's window: nine o'clock, or the hour that it is now when it is later than that."""
    return now.replace(hour=max(9, now.hour), minute=0, second=0, microsecond=0)
