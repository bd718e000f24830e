"""Departments, doctors, slots, appointments and what a person is told after checking in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


@dataclass(frozen=True)
class Department:
    """A place that sees patients today; `on_site_left` counts the numbers kept for walk-ins."""

    id: str
    name: str
    name_en: str
    floor: int
    on_site_left: int
    icon: str = "hospital-building"


@dataclass(frozen=True)
class Slot:
    """One doctor's arrival window (≤ 60 min) and how many numbers are left in it."""

    id: str
    department_id: str
    doctor: str
    title: str  # 主任医师, 副主任医师, 主治医师 …
    starts: datetime
    ends: datetime
    left: int
    fee_fen: int
    room: str

    def __post_init__(self) -> None:
        minutes = (self.ends - self.starts).total_seconds() / 60
        assert 10 <= minutes <= 60, f"a slot of {minutes} min"


@dataclass(frozen=True)
class Hold:
    """A number locked for one person until `until`; unlocked on leaving, time-out and crash."""

    id: str
    slot: Slot
    until: datetime


@dataclass(frozen=True)
class LentSlot:
    """A slot of which this terminal owns `slot.left` numbers that it alone may give out now."""

    department: Department
    slot: Slot


@dataclass(frozen=True)
class GivenNumber:
    """A leased number that a person has got; `again`: they had got it before.

    `called` is what is called at the door.
    """

    lease: str
    number: int
    called: str
    of: LentSlot
    again: bool = False


class AppointmentState(StrEnum):
    BOOKED = "booked"
    CHECKED_IN = "checked_in"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"


@dataclass(frozen=True)
class Appointment:
    """A registration of one person: one doctor, one window, one room."""

    id: str
    department: str
    department_en: str
    doctor: str
    starts: datetime
    ends: datetime
    floor: int
    room: str
    state: AppointmentState = AppointmentState.BOOKED

    def on(self, day: date) -> bool:
        return self.starts.date() == day


@dataclass(frozen=True)
class Ticket:
    """The answer to a check-in: where to wait, how many are before, about how long."""

    appointment: Appointment
    number: str  # the number that is called, e.g. A012
    ahead: int | None  # None: given out offline, the hospital has not said
    minutes: int | None
    offline: bool = False


@dataclass(frozen=True)
class Dependant:
    """Somebody for whom this person may act; `person` is the hospital's id.

    `relation` is a key (child, parent, spouse, …): what they are to the one who acts.

    `number` (the ID number, for records and audit) and `insurance` as in contract.Patient.
    """

    person: str
    name: str = field(repr=False)
    relation: str
    born: date | None = field(default=None, repr=False)
    last4: str = field(default="", repr=False)
    number: str = field(default="", repr=False)
    insurance: str = ""
