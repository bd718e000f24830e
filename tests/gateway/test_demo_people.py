"""The demo hospital's people and codes: always the same, valid, nobody's."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest

from gateway.adapters.demo import people, places
from gateway.adapters.demo.codes import demo_codes
from gateway.adapters.demo.crowd import PEOPLE, everybody
from gateway.adapters.demo.reports import reports_on
from kiosk.domain.identity import Credential, DocumentKind, IdNumber, Sex, age_on
from kiosk.hospital import contract as c
from tests.gateway.world import MORNING, World

LIKE_A_CITIZENS = {
    DocumentKind.RESIDENT,
    DocumentKind.HK_MACAU_TAIWAN,
    DocumentKind.FOREIGN_RESIDENT,
}


def identify(world: World, credential: Credential, value: str, **more: Any) -> Any:
    return world.ask(c.Identify(credential, value, **more))


def test_there_are_two_hundred_and_every_number_is_valid_and_different() -> None:
    """Rows 2 and 3: the ID number is the main index; other documents stand beside it."""
    listed = everybody()
    assert len(listed) == PEOPLE == 200
    assert len({person.number for person in listed}) == 200
    assert len({person.id for person in listed}) == 200
    for person in listed:
        if person.document in LIKE_A_CITIZENS:
            number = IdNumber.parse(person.number)
            assert number.born == person.born
            assert (int(person.number[16]) % 2 == 1) == (person.sex is Sex.MALE)
    kinds = Counter(person.document for person in listed)
    assert set(kinds) == set(DocumentKind)
    elders = sum(age_on(person.born, date(2026, 11, 20)) >= 60 for person in listed)
    assert elders > 80, "a hospital's people are old"


def test_the_same_people_are_made_in_every_process() -> None:
    """Hash seeds differ between processes; the people do not."""
    program = (
        "from gateway.adapters.demo.crowd import everybody; import hashlib;"
        "print(hashlib.sha256('|'.join(p.number + p.name + str(p.ties) for p in everybody())"
        ".encode()).hexdigest())"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    }
    assert len(said) == 1


def test_ties_lead_to_people_and_the_holder_has_three_dependants(light_world: World) -> None:
    known = {person.id for person in everybody()}
    assert all(tie.person in known for person in everybody() for tie in person.ties)
    dependants = light_world.ask(c.AskToday(people.HOLDER.id)).dependants
    assert [one.relation for one in dependants] == ["parent", "parent", "child"]
    (mother,) = light_world.ask(c.AskToday(people.DAUGHTER.id)).dependants
    assert (mother.person, mother.relation) == (people.MOTHER.id, "parent")


def test_the_hospital_has_twelve_departments_and_forty_doctors() -> None:
    assert len(places.WARDS) == 12
    doctors = [doctor.name for ward in places.WARDS for doctor in ward.doctors]
    assert len(doctors) == len(set(doctors)) == 40
    for hour in range(24):
        for ward in places.WARDS:
            assert places.plan_at(ward, MORNING.replace(hour=hour, minute=1))


def test_every_slots_name_leads_back_to_it() -> None:
    for ward in places.WARDS:
        for plan in places.plans(ward, MORNING.date(), MORNING.tzinfo):
            assert places.plan(plan.slot.id, MORNING.tzinfo) == plan


@pytest.mark.parametrize(
    ("credential", "value"),
    [
        (Credential.ID_CARD, "11010519491231002X"),
        (Credential.ID_CARD, " 11010519491231002x "),
        (Credential.HOSPITAL_CARD, "mz0001"),
        (Credential.HEALTH_CODE, demo_codes(people.ELDER, MORNING).health_code),
        (Credential.INSURANCE_CODE, demo_codes(people.ELDER, MORNING).insurance_code),
        (Credential.VOUCHED, "11010519491231002X"),
    ],
)
def test_whatever_is_shown_leads_to_one_person(
    light_world: World, credential: Credential, value: str
) -> None:
    """Row 6: codes and cards resolve to one session."""
    known = identify(light_world, credential, value)
    assert isinstance(known, c.Known)
    assert known.patient.person == people.ELDER.id


@pytest.mark.parametrize("person", [people.CHILD, people.HONG_KONG, people.PASSPORT])
def test_other_documents_are_indexes_too(light_world: World, person: people.Person) -> None:
    """Row 3: birth certificate, residence permit, passport."""
    known = identify(light_world, Credential.ID_CARD, person.number, document=person.document)
    assert isinstance(known, c.Known)
    assert known.patient.person == person.id


def test_a_number_of_another_kind_of_document_finds_nobody(light_world: World) -> None:
    found = identify(light_world, Credential.ID_CARD, people.PASSPORT.number)
    assert found == c.NotKnown()


def test_a_dynamic_code_ends_and_a_strange_one_names_nobody(light_world: World) -> None:
    codes = demo_codes(people.ELDER, MORNING)
    light_world.clock.advance(minutes=5)
    assert isinstance(identify(light_world, Credential.HEALTH_CODE, codes.health_code), c.Known)
    light_world.clock.advance(minutes=1)
    expired = identify(light_world, Credential.HEALTH_CODE, codes.health_code)
    assert expired == c.CodeExpired()
    assert identify(light_world, Credential.HEALTH_CODE, f"{'0' * 64}:1:1") == c.NotKnown()
    assert identify(light_world, Credential.INSURANCE_CODE, "0" * 28) == c.NotKnown()


def test_a_printed_code_and_a_typed_number_ask_for_a_second_factor(light_world: World) -> None:
    """Rows 10 and 11."""
    printed = demo_codes(people.ELDER, MORNING).printed_health_code
    asked = identify(light_world, Credential.HEALTH_CODE, printed)
    assert asked == c.SecondFactorAsked("number_last4")
    wrong = identify(light_world, Credential.HEALTH_CODE, printed, second_factor="0000")
    assert wrong == asked
    right = identify(light_world, Credential.HEALTH_CODE, printed, second_factor="002x")
    assert isinstance(right, c.Known)
    typed = people.ELDER.number
    by_phone = c.SecondFactorAsked("phone_last4")
    assert identify(light_world, Credential.TYPED_NUMBER, typed) == by_phone
    right = identify(light_world, Credential.TYPED_NUMBER, typed, second_factor="0001")
    assert isinstance(right, c.Known)


def test_codes_have_the_forms_of_the_field() -> None:
    """PROTOCOLS §3."""
    for person in everybody():
        codes = demo_codes(person, MORNING)
        assert re.fullmatch(r"[0-9A-Fa-f]{64}:1(:.*)?", codes.health_code)
        assert re.fullmatch(r"[0-9A-Fa-f]{64}:0(:.*)?", codes.printed_health_code)
        assert len(codes.insurance_code) == 28
        assert re.fullmatch(r"1[0-5]\d{16}", codes.wechat)
        assert re.fullmatch(r"(2[5-9]|30)\d{14,22}", codes.alipay)
        assert re.fullmatch(r"62\d{17}", codes.unionpay)


def test_payer_codes_change_with_time() -> None:
    now, later = (demo_codes(people.ELDER, MORNING + timedelta(seconds=s)) for s in (0, 1))
    assert now.wechat != later.wechat
    assert now.alipay != later.alipay
    assert now.unionpay != later.unionpay


def test_the_tours_people_have_what_their_journeys_need(light_world: World) -> None:
    elder = light_world.ask(c.AskToday(people.ELDER.id))
    (appointment,) = elder.appointments
    assert (appointment.department, appointment.doctor, appointment.floor) == (
        "心内科",
        "李建国",
        3,
    )
    assert (appointment.starts.hour, appointment.ends.hour) == (9, 10)
    assert [report.ready for report in elder.reports] == [True, False]
    assert [report.title for report in elder.reports] == ["血常规", "肝功能"]
    two = light_world.ask(c.AskToday(people.TWO_REPORTS.id)).reports
    assert [report.ready for report in two] == [True, True]
    for payer in (people.PAYS_BY_PAD, people.PAYS_BY_CODE, people.MOTHER):
        assert len(light_world.ask(c.AskToday(payer.id)).bills) == 1
    nothing = light_world.ask(c.AskToday(people.GREEN_ELDER.id))
    assert (nothing.appointments, nothing.bills, nothing.reports) == ((), (), ())


def test_a_start_at_any_hour_finds_the_elder_an_appointment_now(light_world: World) -> None:
    """Each start has a fresh appointment that can be checked in."""
    for hour in (0, 7, 12, 17, 23):
        day = 21 + hour
        light_world.clock.now = MORNING + timedelta(days=day)
        light_world.clock.now = light_world.clock.now.replace(hour=hour, minute=50)
        light_world.parts.gateway.open_day()
        (appointment,) = light_world.ask(c.AskToday(people.ELDER.id)).appointments
        now = light_world.clock()
        assert appointment.ends > now
        asked = c.CheckIn(f"c{hour}", people.ELDER.id, appointment.id)
        if appointment.starts - now <= timedelta(hours=2):
            assert isinstance(light_world.ask(asked), c.CheckedIn)


def test_reports_of_a_day_are_always_the_same() -> None:
    one, other = (reports_on(people.ELDER, date(2026, 11, 20), None) for _ in range(2))
    assert one == other
