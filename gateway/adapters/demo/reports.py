"""Laboratory reports of the demo hospital: who has which on a day, and what stands in them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from gateway.adapters.demo import people as known
from gateway.adapters.demo.people import Person


@dataclass(frozen=True)
class Analyte:
    """One thing measured. The value is drawn within or a little outside the range."""

    name: str
    code: str
    unit: str
    low: float
    high: float
    decimals: int


@dataclass(frozen=True)
class Result:
    analyte: Analyte
    value: float

    @property
    def flag(self) -> str:
        """↑ above, ↓ below, empty within the reference range."""
        if self.value > self.analyte.high:
            return "↑"
        return "↓" if self.value < self.analyte.low else ""

    @property
    def shown(self) -> str:
        return f"{self.value:.{self.analyte.decimals}f}"

    @property
    def reference(self) -> str:
        places = self.analyte.decimals
        return f"{self.analyte.low:.{places}f}–{self.analyte.high:.{places}f}"


@dataclass(frozen=True)
class Panel:
    """One kind of report."""

    title: str
    title_en: str
    specimen: str
    department: str
    analytes: tuple[Analyte, ...]


@dataclass(frozen=True)
class LabReport:
    id: str
    panel: Panel
    taken_at: datetime
    ready_at: datetime
    results: tuple[Result, ...]


BLOOD_COUNT = Panel(
    "血常规", "Complete blood count", "全血", "检验科",
    (
        Analyte("白细胞计数", "WBC", "10^9/L", 3.5, 9.5, 2),
        Analyte("中性粒细胞百分数", "NEUT%", "%", 40, 75, 1),
        Analyte("淋巴细胞百分数", "LYMPH%", "%", 20, 50, 1),
        Analyte("单核细胞百分数", "MONO%", "%", 3, 10, 1),
        Analyte("红细胞计数", "RBC", "10^12/L", 3.8, 5.1, 2),
        Analyte("血红蛋白", "HGB", "g/L", 115, 150, 0),
        Analyte("红细胞压积", "HCT", "%", 35, 45, 1),
        Analyte("平均红细胞体积", "MCV", "fL", 82, 100, 1),
        Analyte("血小板计数", "PLT", "10^9/L", 125, 350, 0),
        Analyte("C 反应蛋白", "CRP", "mg/L", 0, 10, 1),
    ),
)  # fmt: skip
LIVER = Panel(
    "肝功能", "Liver panel", "血清", "检验科",
    (
        Analyte("丙氨酸氨基转移酶", "ALT", "U/L", 7, 40, 0),
        Analyte("天门冬氨酸氨基转移酶", "AST", "U/L", 13, 35, 0),
        Analyte("总胆红素", "TBIL", "μmol/L", 3.4, 20.5, 1),
        Analyte("白蛋白", "ALB", "g/L", 40, 55, 1),
        Analyte("碱性磷酸酶", "ALP", "U/L", 50, 135, 0),
    ),
)  # fmt: skip
URINE = Panel(
    "尿常规", "Urinalysis", "尿液", "检验科",
    (
        Analyte("尿比重", "SG", "", 1.010, 1.025, 3),
        Analyte("酸碱度", "pH", "", 5.0, 7.5, 1),
        Analyte("红细胞", "RBC", "/μL", 0, 17, 0),
        Analyte("白细胞", "WBC", "/μL", 0, 28, 0),
    ),
)  # fmt: skip
PANELS = (BLOOD_COUNT, LIVER, URINE)


def reports_on(person: Person, day: date, zone: tzinfo | None) -> tuple[LabReport, ...]:
    """This person's reports as they stand on `day`: ready ones first."""
    before = day - timedelta(days=2)
    number = person.serial
    if person.id == known.ELDER.id:
        coming = _report(person, day, 2, LIVER, ready=day + timedelta(days=1), zone=zone)
        return (_report(person, day, 1, BLOOD_COUNT, ready=before, zone=zone), coming)
    if person.id == known.TWO_REPORTS.id:
        first = _report(person, day, 1, BLOOD_COUNT, ready=before, zone=zone)
        return (first, _report(person, day, 2, URINE, ready=before, zone=zone))
    if number > len(known.KNOWN) and number % 4 == 1:
        return (_report(person, day, 1, PANELS[number % 3], ready=before, zone=zone),)
    return ()


def report_of(report_id: str, person: Person, zone: tzinfo | None) -> LabReport | None:
    """This person's report with this id, of whatever day."""
    try:
        day = datetime.strptime(report_id[1:9], "%Y%m%d").date()
    except ValueError:
        return None
    return next((one for one in reports_on(person, day, zone) if one.id == report_id), None)


def _report(
    person: Person, day: date, place: int, panel: Panel, *, ready: date, zone: tzinfo | None
) -> LabReport:
    draw = random.Random(f"report {person.id} {panel.title}")
    ready_at = datetime.combine(ready, time(9, 30), zone)
    results = tuple(Result(analyte, _value(draw, analyte)) for analyte in panel.analytes)
    report_id = f"R{day:%Y%m%d}-{person.id}-{place}"
    return LabReport(report_id, panel, ready_at - timedelta(hours=26), ready_at, results)


def _value(draw: random.Random, analyte: Analyte) -> float:
    """About one in seven lies outside its range."""
    width = analyte.high - analyte.low
    value = draw.uniform(analyte.low + 0.1 * width, analyte.high - 0.1 * width)
    if draw.random() < 0.15:
        value = analyte.high + width * draw.uniform(0.05, 0.3)
    return max(0.0, round(value, analyte.decimals))
