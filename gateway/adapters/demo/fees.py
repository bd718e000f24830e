"""Fees of numbers that a terminal gave out alone: owed once the hospital has heard of them.

A number that was locked and paid here has no bill: its fee went with the booking.
"""

from __future__ import annotations

from datetime import date, tzinfo

from sqlalchemy import Connection, select

from gateway.adapters.demo import places
from gateway.adapters.demo.bills import Account, Item
from gateway.adapters.demo.english import REGISTRATION
from gateway.adapters.demo.insurance import Category
from gateway.adapters.demo.people import Person
from gateway.tables import claims
from kiosk.domain.bill import BillLine


def fees_on(
    connection: Connection, person: Person, day: date, zone: tzinfo | None
) -> tuple[Account, ...]:
    """What this person owes for leased numbers of `day`, paid meanwhile or not."""
    rows = connection.execute(
        select(claims.c.slot_id, claims.c.number).where(
            claims.c.person == person.id,
            claims.c.day == day.isoformat(),
            claims.c.state == "booked",
            claims.c.lease_id != "",
        )
    )
    return tuple(_fee(f"F{slot_id}-{number}", slot_id, zone) for slot_id, number in rows)


def fee_of(
    connection: Connection, bill_id: str, person: Person, zone: tzinfo | None
) -> Account | None:
    """This person's fee with this bill's id."""
    planned = places.plan(bill_id[1:].rpartition("-")[0], zone)
    if planned is None:
        return None
    day = planned.slot.starts.date()
    return next((one for one in fees_on(connection, person, day, zone) if one.id == bill_id), None)


def fee_line(planned: places.SlotPlan) -> Item:
    """The one line of a registration's fee."""
    line = BillLine(
        f"挂号费（{planned.doctor.title}）", 1, planned.slot.fee_fen, name_en=REGISTRATION
    )
    return Item(line, Category.REGISTRATION)


def _fee(bill_id: str, slot_id: str, zone: tzinfo | None) -> Account:
    planned = places.plan(slot_id, zone)
    assert planned is not None, "a number of a slot that is not in the timetable is booked"
    return Account(bill_id, planned.ward.name, (fee_line(planned),))
