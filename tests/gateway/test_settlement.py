"""Quotes and settlements: booked once or never, by reference, whatever comes late or twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.demo import people
from gateway.adapters.demo.insurance import SCHEMES, Category, split
from gateway.adapters.demo.knobs import HospitalMode, Settings
from gateway.adapters.port import Refused
from gateway.sealing import verified
from kiosk.domain.bill import Split
from kiosk.domain.visit import AppointmentState
from kiosk.hospital import contract as c
from tests.gateway.world import World, all_at_once

ELDER = people.ELDER.id
TODAY = date(2026, 11, 20)


def bills_of(world: World, person: str) -> tuple[str, ...]:
    return tuple(bill.id for bill in world.ask(c.AskToday(person)).bills)


def quoted(world: World, person: str = ELDER, **more: Any) -> Any:
    return world.ask(c.PreSettle(person, bills_of(world, person), **more)).quote


def settle(reference: str, quote: Any, person: str = ELDER, **more: Any) -> c.Settle:
    amount = quote.split.own_fen
    asked = c.Settle(reference, person, quote.id, amount, "card", "trace 17")
    return replace(asked, **more)


def held_quote(world: World, person: str = people.BY_CARD.id, day: date = TODAY) -> Any:
    slot = next(one for one in world.ask(c.AskSlots("cardio", day)).slots if one.left)
    world.ask(c.HoldSlot("hold-1", slot.id, person))
    return world.ask(c.PreSettle(person, hold_key="hold-1")).quote


def test_the_elders_bill_splits_as_the_page_shows(world: World) -> None:
    """Rows 61 and 62: one page, three layers, the sum proven."""
    quote = quoted(world)
    assert [(line.name, line.quantity, line.amount_fen) for line in quote.lines] == [
        ("血常规检查", 1, 3500),
        ("阿司匹林肠溶片", 2, 9350),
    ]
    assert quote.split == Split(basic_fen=7130, serious_fen=1600, aid_fen=0, own_fen=4120)
    assert world.ask(c.AskToday(ELDER)).own_estimate_fen == 4120


def test_every_item_has_an_english_name_for_who_reads_no_chinese(light_world: World) -> None:
    for person in (people.ELDER, people.MOTHER, people.PAYS_BY_PAD, people.PAYS_BY_CODE):
        bills = light_world.ask(c.AskAccount(person.id)).bills
        assert bills
        assert all(line.name_en.isascii() and line.name_en for b in bills for line in b.lines)


def test_three_layers_share_the_mothers_bill(light_world: World) -> None:
    """Row 62: basic insurance, serious-illness insurance and medical aid all pay a part."""
    parts = quoted(light_world, people.MOTHER.id).split
    assert min(parts.basic_fen, parts.serious_fen, parts.aid_fen, parts.own_fen) > 0
    assert parts.total_fen == 28730


def test_without_insurance_the_person_pays_all(light_world: World) -> None:
    parts = quoted(light_world, insured=False).split
    assert parts == Split(0, 0, 0, 12850)


@given(
    st.sampled_from(sorted(SCHEMES)),
    st.lists(st.tuples(st.sampled_from(list(Category)), st.integers(1, 2_000_000)), max_size=30),
    st.booleans(),
)
def test_the_parts_always_add_up_and_none_is_negative(
    scheme: str, items: list[tuple[Category, int]], insured: bool
) -> None:
    """Row 62. Split itself asserts that no part is negative."""
    parts = split(scheme, items, insured=insured)
    assert parts.total_fen == sum(amount for _, amount in items)
    if not insured:
        assert parts.own_fen == parts.total_fen


def test_a_quote_is_signed_and_a_changed_one_is_seen(world: World) -> None:
    quote = quoted(world)
    key = world.parts.keys.public_key
    plain = replace(quote, signature="")
    assert verified(key, quote.signature, c.to_json(plain))
    cheaper = replace(plain, split=Split(7130, 1600, 4119, 1))
    assert not verified(key, quote.signature, c.to_json(cheaper))


def test_a_settlement_is_booked_and_the_bill_is_gone(world: World) -> None:
    quote = quoted(world)
    settled = world.ask(settle("R1", quote))
    assert isinstance(settled, c.Settled)
    assert world.ask(settle("R1", quote)) == settled
    assert world.ask(c.QuerySettlement("R1")) == settled
    assert bills_of(world, ELDER) == ()
    assert [(e.subject, e.amount_fen) for e in world.his("settled")] == [("R1", 4120)]
    paid = [bill for bill in world.ask(c.AskAccount(ELDER)).bills if bill.paid]
    assert quote.bill_ids[0] in {bill.id for bill in paid}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"amount_fen": 4119}, "amount_differs"),
        ({"amount_fen": 0}, "amount_differs"),
        ({"person": people.BY_CARD.id}, "split_changed"),
        ({"quote_id": "Qunknown"}, "split_changed"),
        ({"hold_key": "hold-9"}, "split_changed"),
    ],
)
def test_what_does_not_fit_its_quote_is_refused(
    light_world: World, change: dict[str, Any], reason: str
) -> None:
    refused = light_world.ask(settle("R1", quoted(light_world), **change))
    assert refused == c.SettleRefused("R1", reason)  # type: ignore[arg-type]
    assert light_world.ask(c.QuerySettlement("R1")) == refused
    assert not light_world.his("settled")


def test_asking_closes_a_reference_that_was_never_received(world: World) -> None:
    """So that *not found* is final: the booking on its way finds the door shut."""
    quote = quoted(world)
    assert world.ask(c.QuerySettlement("R1")) == c.SettlementNotFound("R1")
    assert world.ask(settle("R1", quote)) == c.SettleRefused("R1", "closed")
    assert world.ask(c.QuerySettlement("R1")) == c.SettlementNotFound("R1")
    assert not world.his("settled")
    assert isinstance(world.ask(settle("R2", quote)), c.Settled)


def test_a_booking_and_a_question_at_once_never_both_win(world: World) -> None:
    quote = quoted(world)
    paid = False
    for attempt in range(6):
        reference = f"R{attempt}"
        asked = [
            settle(reference, quote) if place % 2 else c.QuerySettlement(reference)
            for place in range(6)
        ]
        answers = all_at_once(6, lambda place, asked=asked: world.ask(asked[place]))
        said_no = any(isinstance(answer, c.SettlementNotFound) for answer in answers)
        booked = any(isinstance(answer, c.Settled) for answer in answers)
        assert not (said_no and booked)
        # Once an attempt has booked the bill, the others may only hear that it is paid.
        assert said_no or booked or paid
        paid = paid or booked
    assert len(world.his("settled")) == int(paid)


def test_two_references_for_one_bill_book_one(world: World) -> None:
    quote = quoted(world)
    answers = all_at_once(8, lambda place: world.ask(settle(f"R{place}", quote)))
    booked = [answer for answer in answers if isinstance(answer, c.Settled)]
    refused = [answer.reason for answer in answers if isinstance(answer, c.SettleRefused)]
    assert (len(booked), refused) == (1, ["already_paid"] * 7)
    assert len(world.his("settled")) == 1


def test_a_paid_bill_gets_no_second_quote(light_world: World) -> None:
    bills = bills_of(light_world, ELDER)
    light_world.ask(settle("R1", quoted(light_world)))
    assert light_world.ask(c.PreSettle(ELDER, bills)) == c.QuoteRefused("already_paid")


@pytest.mark.parametrize("bills", [(), ("B20261120-P0002-1",), ("nonsense",)])
def test_bills_that_are_not_this_persons_get_no_quote(
    light_world: World, bills: tuple[str, ...]
) -> None:
    assert light_world.ask(c.PreSettle(ELDER, bills)) == c.QuoteRefused("unknown_bill")


def test_the_same_bill_twice_in_one_quote_is_refused(light_world: World) -> None:
    bill = bills_of(light_world, ELDER)[0]
    assert light_world.ask(c.PreSettle(ELDER, (bill, bill))) == c.QuoteRefused("unknown_bill")


def test_a_registration_is_held_paid_and_booked(world: World) -> None:
    """Rows 36, 39 and 48: the appointment has its window; who registers for today is here."""
    quote = held_quote(world)
    person = people.BY_CARD.id
    settled = world.ask(settle("R1", quote, person, hold_key="hold-1"))
    assert isinstance(settled, c.Settled)
    assert settled.appointment is not None
    assert settled.ticket is not None
    assert settled.appointment.state is AppointmentState.CHECKED_IN
    assert settled.ticket.number.startswith("A")
    assert [one.id for one in world.ask(c.AskToday(person)).appointments] == [
        settled.appointment.id
    ]
    assert quote.split.own_fen == 500, "chief's fee 25 yuan, employees' insurance pays 20"


def test_a_registration_for_tomorrow_is_booked_without_a_ticket(light_world: World) -> None:
    """Row 36."""
    quote = held_quote(light_world, day=date(2026, 11, 21))
    settled = light_world.ask(settle("R1", quote, people.BY_CARD.id, hold_key="hold-1"))
    assert settled.ticket is None
    assert settled.appointment.state is AppointmentState.BOOKED
    assert settled.appointment.on(date(2026, 11, 21))


def test_a_hold_that_has_ended_is_not_booked(world: World) -> None:
    quote = held_quote(world)
    world.clock.advance(minutes=5)
    refused = world.ask(settle("R1", quote, people.BY_CARD.id, hold_key="hold-1"))
    assert refused == c.SettleRefused("R1", "hold_ended")
    again = c.PreSettle(people.BY_CARD.id, hold_key="hold-1")
    assert world.ask(again) == c.QuoteRefused("hold_ended")


def test_one_hold_is_booked_once_even_under_two_references(world: World) -> None:
    quote = held_quote(world)
    answers = all_at_once(
        6, lambda n: world.ask(settle(f"R{n}", quote, people.BY_CARD.id, hold_key="hold-1"))
    )
    assert sum(isinstance(answer, c.Settled) for answer in answers) == 1
    assert len(world.his("settled")) == 1


def test_a_hospital_that_refuses_keeps_to_its_word(light_world: World) -> None:
    quote = quoted(light_world)
    light_world.parts.knobs.turn(Settings(hospital=HospitalMode.REFUSING))
    refused = light_world.ask(settle("R1", quote))
    assert refused == c.SettleRefused("R1", "split_changed")
    light_world.parts.knobs.turn(Settings())
    assert light_world.ask(settle("R1", quote)) == refused
    assert isinstance(light_world.ask(settle("R2", quote)), c.Settled)


def test_a_daughter_pays_for_her_mother_and_a_stranger_cannot(light_world: World) -> None:
    """Row 37: acting for another needs a tie."""
    mother, daughter = people.MOTHER.id, people.DAUGHTER.id
    quote = quoted(light_world, mother)
    stranger = settle("R1", quote, mother, acting=people.BY_CARD.id)
    with pytest.raises(Refused, match="not_bound"):
        light_world.ask(stranger)
    settled = light_world.ask(settle("R2", quote, mother, acting=daughter))
    assert isinstance(settled, c.Settled)


def test_a_quote_outlives_its_time_for_booking_what_was_paid_in_time(light_world: World) -> None:
    """Its end limits charging at the terminal; a payment made offline arrives later."""
    quote = quoted(light_world)
    light_world.clock.advance(hours=20)
    assert isinstance(light_world.ask(settle("R1", quote)), c.Settled)


def test_the_account_lists_every_item_and_a_stay_by_day(light_world: World) -> None:
    """Row 73: itemised, outpatient and inpatient by day."""
    bills = light_world.ask(c.AskAccount(people.TWO_REPORTS.id)).bills
    stay = next(bill for bill in bills if "住院" in bill.title)
    days = [line.day for line in stay.lines]
    assert len(set(days)) == 4
    assert days == sorted(days, key=str)
    assert all(line.amount_fen > 0 for bill in bills for line in bill.lines)
