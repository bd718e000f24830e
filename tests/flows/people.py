"""Invented people, appointments, bills and rules that the flows' stories are told with."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

from kiosk.domain.bill import Bill, BillLine, Quote, Split
from kiosk.domain.identity import Credential, DocumentKind, Identity, Sex, check_character
from kiosk.domain.report import Report
from kiosk.domain.screening import Question, Questionnaire, Route
from kiosk.domain.visit import (
    Appointment,
    AppointmentState,
    Department,
    Dependant,
    GivenNumber,
    Hold,
    LentSlot,
    Slot,
    Ticket,
)
from kiosk.flows.scene import Rules
from kiosk.hospital.contract import Expected, Patient, Today

NOW = datetime(2026, 11, 22, 8, 42, tzinfo=timezone(timedelta(hours=8)))


def number(first_17: str) -> str:
    """A whole ID number for 17 digits."""
    return first_17 + check_character(first_17)


WANG_NUMBER = number("11010519480312002")
LI_NUMBER = number("32010219850607123")
CHEN_NUMBER = number("44010619450101018")


def card(of: str, name: str, valid_to: date | None = None) -> Identity:
    """What the reader says of a resident's card."""
    born = date(int(of[6:10]), int(of[10:12]), int(of[12:14]))
    return Identity(DocumentKind.RESIDENT, of, name, Credential.ID_CARD, born, Sex.FEMALE, valid_to)


WANG_CARD = card(WANG_NUMBER, "王秀兰")
LI_CARD = card(LI_NUMBER, "李建国")
CHEN_CARD = card(CHEN_NUMBER, "陈刚")

WANG = Patient(
    "P100", "王秀兰", WANG_NUMBER, WANG_CARD.born, Sex.FEMALE, "职工医保", phone_last4="4321"
)
LI = Patient("P200", "李建国", LI_NUMBER, LI_CARD.born, Sex.MALE, "居民医保")
CHEN = Patient("P300", "陈刚", CHEN_NUMBER, CHEN_CARD.born, Sex.MALE, "")


def appointment(
    of: str = "A1", hour: int = 9, state: AppointmentState = AppointmentState.BOOKED
) -> Appointment:
    """One hour with 李医生 today."""
    starts = NOW.replace(hour=hour, minute=0)
    ends = starts + timedelta(hours=1)
    return Appointment(of, "心内科", "Cardiology", "李医生", starts, ends, 3, "305", state)


TICKET = Ticket(appointment(state=AppointmentState.CHECKED_IN), "A012", 4, 25)
BILL = Bill(
    "B1", "血常规", (BillLine("血常规检查", 1, 3500), BillLine("阿司匹林", 2, 9350)), paid=False
)
READY = (
    Report("R1", "血常规", NOW - timedelta(hours=1), ready=True),
    Report("R2", "肝功能", NOW - timedelta(hours=1), ready=True),
)
LATER = Report("R3", "胸片报告", NOW + timedelta(hours=3), ready=False)
CHILD = Dependant("P200", "李建国", "child", LI_CARD.born, LI_NUMBER[-4:], LI_NUMBER, "居民医保")
SPOUSE = Dependant("P300", "陈刚", "spouse", CHEN_CARD.born, CHEN_NUMBER[-4:], CHEN_NUMBER, "")

DAY = Today((appointment(),), (BILL,), 4120, (*READY, LATER), (CHILD, SPOUSE), "D1")
NOTHING = Today((), (), 0, (), ())
WANG_EXPECTED = Expected(
    "P100", WANG_NUMBER, "王秀兰", WANG_CARD.born, (appointment(),), (CHILD, SPOUSE)
)

DEPARTMENTS = tuple(
    Department(f"D{at}", f"{at}科", f"Department {at}", 1 + at % 4, on_site_left=at)
    for at in range(9)
)


def slot(of: str, hour: int, left: int = 5, day: int = 0) -> Slot:
    """An hour of department D1."""
    starts = NOW.replace(hour=hour, minute=0) + timedelta(days=day)
    ends = starts + timedelta(hours=1)
    return Slot(of, "D1", "李医生", "主任医师", starts, ends, left, 2500, "305")


SLOTS = tuple(slot(f"S{hour}", hour) for hour in range(9, 17))


def lent(of: Slot, left: int = 2, department: int = 1) -> LentSlot:
    """A slot of department D1 (or another) with numbers that this terminal owns."""
    return LentSlot(DEPARTMENTS[department], replace(of, left=left))


def given(of: LentSlot, number: int = 3, again: bool = False) -> GivenNumber:
    return GivenNumber("L1", number, f"A{number:03d}", of, again)


def hold(of: Slot, minutes: int = 5) -> Hold:
    return Hold("H1", of, NOW + timedelta(minutes=minutes))


def quote(insured: bool = True) -> Quote:
    """A fee of 25 yuan, of which insurance takes 20."""
    split = Split(2000, 0, 0, 500) if insured else Split(0, 0, 0, 2500)
    lines = (BillLine("挂号费", 1, 2500),)
    return Quote("Q1", ("B9",), lines, split, insured, NOW + timedelta(minutes=5), "signed")


QUESTIONNAIRE = Questionnaire(
    "2026-11",
    14,
    (
        Question("fever", "发热、咳嗽", "Fever or cough", "thermometer", "fever_clinic"),
        Question("travel", "去过……", "Been to …", "map-marker", "desk"),
        Question("contact", "接触过……", "Met …", "account-alert", "fever_clinic"),
    ),
    (
        Route("fever_clinic", "发热门诊，出门右转", "Fever clinic, outside to the right"),
        Route("desk", "预检分诊台", "Triage desk"),
    ),
)
RULES = Rules("K03", "3号门", QUESTIONNAIRE)
