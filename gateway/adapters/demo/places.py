"""The demo hospital's departments, doctors and timetable; a slot follows from its name alone.

A slot's id says department, doctor, day and minute, so the timetable needs no table and has no end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from kiosk.domain.visit import Department, Slot

BOOKING_DAYS = 14
_DAY_HOURS = (8, 9, 10, 11, 13, 14, 15, 16)
_NIGHT_HOURS = (0, 1, 2, 3, 4, 5, 6, 7, 12, 17, 18, 19, 20, 21, 22, 23)
_ON_SITE_MAX = {60: 5, 30: 4, 20: 3}  # by minutes of a window, exclusive
_APPOINTMENTS = 6


@dataclass(frozen=True)
class Doctor:
    id: str
    name: str
    title: str
    fee_fen: int
    night: bool = False  # evening and night clinic, so that every hour has somebody


@dataclass(frozen=True)
class Ward:
    """A department as the hospital plans it. `window_min`: how fine its arrival windows are."""

    id: str
    name: str
    name_en: str
    floor: int
    icon: str
    letter: str
    doctors: tuple[Doctor, ...]
    window_min: int = 60
    on_site: bool = True  # False: today's walk-in numbers are all gone


@dataclass(frozen=True)
class SlotPlan:
    """A slot and its two quotas; numbers 1…on_site are the walk-ins', the rest appointments'."""

    ward: Ward
    doctor: Doctor
    slot: Slot
    on_site: int
    appointments: int
    first_called: int  # what number 1 of this window is called, less one

    def called(self, number: int) -> str:
        """The number as it is called at the door, e.g. A012."""
        return f"{self.ward.letter}{self.first_called + number:03d}"


_TITLES = {
    "chief": ("主任医师", 2500),
    "deputy": ("副主任医师", 1500),
    "attending": ("主治医师", 800),
}


def _doctors(ward: str, *names: str) -> tuple[Doctor, ...]:
    """The first is the chief, the last one has the night."""
    ranks = ("chief", "deputy", "attending", "attending")
    return tuple(
        Doctor(f"{ward}{place + 1}", name, *_TITLES[rank], night=place == len(names) - 1)
        for place, (name, rank) in enumerate(zip(names, ranks, strict=False))
    )


WARDS: tuple[Ward, ...] = (
    Ward("cardio", "心内科", "Cardiology", 3, "heart-pulse", "A",
         _doctors("cardio", "李建国", "方静", "陈思远", "何伟")),
    Ward("internal", "普通内科", "Internal medicine", 2, "stethoscope", "B",
         _doctors("internal", "王海涛", "林佳", "许文斌", "唐晓")),
    Ward("surgery", "普通外科", "General surgery", 4, "medical-bag", "C",
         _doctors("surgery", "张立新", "秦岭", "顾明")),
    Ward("bones", "骨科", "Orthopaedics", 4, "bone", "D",
         _doctors("bones", "郑大勇", "韩冰", "彭涛"), window_min=30),
    Ward("children", "儿科", "Paediatrics", 1, "baby-face-outline", "E",
         _doctors("children", "沈雅琴", "蒋玲", "高翔", "田园"), window_min=30),
    Ward("women", "妇产科", "Obstetrics and gynaecology", 5, "human-pregnant", "F",
         _doctors("women", "罗敏", "白露", "叶青"), on_site=False),
    Ward("eyes", "眼科", "Ophthalmology", 6, "eye-outline", "G",
         _doctors("eyes", "梁瑞", "江雪", "石磊"), window_min=20),
    Ward("teeth", "口腔科", "Dentistry", 6, "tooth-outline", "H",
         _doctors("teeth", "冯春", "苏航", "丁宁"), window_min=30),
    Ward("ears", "耳鼻喉科", "Ear, nose and throat", 6, "ear-hearing", "J",
         _doctors("ears", "曹阳", "夏荷", "任杰")),
    Ward("skin", "皮肤科", "Dermatology", 5, "hand-back-right-outline", "K",
         _doctors("skin", "钱进", "段玉", "汪洋")),
    Ward("herbs", "中医科", "Chinese medicine", 2, "leaf", "L",
         _doctors("herbs", "孔令仪", "黎民", "尹航")),
    Ward("nerves", "神经内科", "Neurology", 3, "brain", "M",
         _doctors("nerves", "范宏", "万里", "陆平", "邵华")),
)  # fmt: skip
EMERGENCY = Department("emergency", "急诊科", "Emergency", 1, 0, "ambulance")
"""Never registered at a terminal: the button on each first page leads to its desk (row 44)."""

_WARD_BY_ID = {ward.id: ward for ward in WARDS}


def ward(ward_id: str) -> Ward | None:
    return _WARD_BY_ID.get(ward_id)


def plans(ward: Ward, day: date, zone: tzinfo | None) -> Iterator[SlotPlan]:
    """All windows of a department on one day, earliest first, chief first."""
    for hour in range(24):
        for doctor in ward.doctors:
            if hour in _hours(doctor):
                for minute in range(0, 60, ward.window_min):
                    yield _plan(ward, doctor, datetime.combine(day, time(hour, minute), zone))


def plan(slot_id: str, zone: tzinfo | None) -> SlotPlan | None:
    """The slot with this id, or None when the hospital never offered it."""
    try:
        ward_id, doctor_id, day_text, start_text = slot_id.split(".")
        starts = datetime.strptime(f"{day_text}{start_text}", "%Y%m%d%H%M").replace(tzinfo=zone)
    except ValueError:
        return None
    found = ward(ward_id)
    doctors = found.doctors if found else ()
    doctor = next((one for one in doctors if one.id == doctor_id), None)
    if found is None or doctor is None or starts.minute % found.window_min:
        return None
    return _plan(found, doctor, starts) if starts.hour in _hours(doctor) else None


def plan_at(ward: Ward, moment: datetime) -> SlotPlan:
    """The window of this department that `moment` lies in, of its most senior doctor on duty."""
    day_plans = plans(ward, moment.date(), moment.tzinfo)
    return next(p for p in day_plans if p.slot.starts <= moment < p.slot.ends)


def _hours(doctor: Doctor) -> tuple[int, ...]:
    return _NIGHT_HOURS if doctor.night else _DAY_HOURS


def _plan(ward: Ward, doctor: Doctor, starts: datetime) -> SlotPlan:
    slot_id = f"{ward.id}.{doctor.id}.{starts:%Y%m%d}.{starts:%H%M}"
    drawn = hashlib.sha256(slot_id.encode()).digest()[0] % _ON_SITE_MAX[ward.window_min]
    # At night at least one, so that a demonstration finds a number at every hour.
    on_site = max(drawn, doctor.night) if ward.on_site else 0
    window = (starts.hour * 60 + starts.minute) // ward.window_min
    room = f"{ward.floor}{int(doctor.id[-1]):02d} 诊室"
    slot = Slot(
        id=slot_id,
        department_id=ward.id,
        doctor=doctor.name,
        title=doctor.title,
        starts=starts,
        ends=starts + timedelta(minutes=ward.window_min),
        left=0,
        fee_fen=doctor.fee_fen,
        room=room,
    )
    return SlotPlan(ward, doctor, slot, on_site, _APPOINTMENTS, window * 20 % 980)
