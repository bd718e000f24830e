"""A laboratory report as an A4 page: header, person, results, and where each value lies.

Text is text (it can be searched and read aloud) in an embedded font. A value outside its range is
marked by an arrow and a shape, never by colour alone.
"""

from __future__ import annotations

import hashlib
import io
import threading
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from gateway.adapters.demo.font import truetype
from gateway.adapters.demo.people import Person
from gateway.adapters.demo.reports import LabReport, Result
from kiosk.domain.identity import Sex, age_on

_WIDTH, _HEIGHT = A4
_LEFT, _RIGHT = 18 * mm, _WIDTH - 18 * mm
_INK, _SOFT, _LINE = HexColor("#10202B"), HexColor("#3A4A55"), HexColor("#5E6D77")
_TEAL, _TINT, _BAND = HexColor("#004F63"), HexColor("#E3F1F4"), HexColor("#B9D9E0")
_TOP_OF_TABLE = _HEIGHT - 88 * mm
_ROW = 11 * mm
# Columns: left edge in mm from the margin, heading.
_COLUMNS = (
    (2, "项目"),
    (42, "代号"),
    (61, "结果"),
    (80, "单位"),
    (97, "参考区间"),
    (122, "在参考区间中的位置"),
)
_PLOT_LEFT, _PLOT_RIGHT = _LEFT + 122 * mm, _RIGHT - 2 * mm
_SEX = {Sex.MALE: "男", Sex.FEMALE: "女", Sex.UNKNOWN: "未说明"}
_NOTES = (
    "○ 在参考区间内    ▲ 高于参考区间    ▼ 低于参考区间    深色条为参考区间",
    "结果由医生结合病情解释。对结果有疑问，请到检验科窗口（2 楼）询问。",
    "演示医院的演示数据，人物与数值均为虚构。",
)


@dataclass(frozen=True)
class _Fonts:
    text: str
    bold: str


class ReportPress:
    """Makes reports; keeps the faces it has made, since making one takes a fifth of a second."""

    def __init__(self, hospital: str, hospital_en: str) -> None:
        self._hospital, self._hospital_en = hospital, hospital_en
        self._lock = threading.Lock()  # one of reportlab's fonts serves one document at a time
        self._characters: frozenset[str] = frozenset()
        self._faces: tuple[TTFont, ...] = ()

    def lab_report(self, report: LabReport, person: Person) -> bytes:
        """The PDF of one report, one page."""
        words = _Words(report, person, self._hospital, self._hospital_en)
        with self._lock:
            if not words.characters <= self._characters:
                self._characters |= words.characters
                for face in self._faces:
                    face.unregister()
                self._faces = _register(self._characters)
            text, bold = self._faces
            return _page(report, words, _Fonts(text.fontName, bold.fontName))


def _page(report: LabReport, words: _Words, fonts: _Fonts) -> bytes:
    out = io.BytesIO()
    canvas = Canvas(
        out, pagesize=A4, pageCompression=1, invariant=1, lang="zh-CN", initialFontName=fonts.text
    )
    canvas.setTitle(f"{report.panel.title} {report.id}")
    canvas.setAuthor(words.hospital)
    _header(canvas, fonts, words)
    _person(canvas, fonts, words)
    _table(canvas, fonts, report)
    _footer(canvas, fonts, words)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


class _Words:
    """All that is written on the page, so that the font can be made for it."""

    def __init__(self, report: LabReport, person: Person, hospital: str, hospital_en: str) -> None:
        panel = report.panel
        self.hospital, self.hospital_en = hospital, hospital_en
        self.title = f"检验报告单 · {panel.title}"
        self.title_en = f"Laboratory report · {panel.title_en}"
        number = f"{person.number[:3]}{'*' * (len(person.number) - 7)}{person.last4}"
        self.facts = (
            ("姓名", person.name),
            ("性别", _SEX[person.sex]),
            ("年龄", f"{age_on(person.born, report.taken_at.date())} 岁"),
            ("证件号", number),
            ("病案号", person.id),
            ("标本", panel.specimen),
            ("采样时间", _moment(report.taken_at)),
            ("报告时间", _moment(report.ready_at)),
            ("报告编号", report.id),
        )
        self.signed = f"{panel.department}    检验：田秋实    审核：卫明"
        rows = [f"{r.analyte.name}{r.analyte.code}{r.analyte.unit}" for r in report.results]
        facts = "".join(label + value for label, value in self.facts)
        heads = "".join(head for _, head in _COLUMNS)
        heading = (self.hospital, self.hospital_en, self.title, self.title_en, self.signed)
        everything = "".join(chain(heading, (facts, heads), rows, _NOTES))
        ascii_signs = "".join(map(chr, range(0x20, 0x7F)))
        self.characters = frozenset(everything + ascii_signs + "–↑↓：，。（）第页共")


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _register(characters: frozenset[str]) -> tuple[TTFont, TTFont]:
    """Give reportlab the two faces, under names that tell which characters they hold."""
    mark = hashlib.sha256("".join(sorted(characters)).encode()).hexdigest()[:8]
    faces = []
    for name, bold in ((f"Text-{mark}", False), (f"Bold-{mark}", True)):
        face = TTFont(name, io.BytesIO(truetype(characters, name, bold=bold)))
        pdfmetrics.registerFont(face)
        faces.append(face)
    return faces[0], faces[1]


def _header(canvas: Canvas, fonts: _Fonts, words: _Words) -> None:
    canvas.setFillColor(_TEAL)
    canvas.rect(0, _HEIGHT - 5 * mm, _WIDTH, 5 * mm, stroke=0, fill=1)
    canvas.setFillColor(_INK)
    canvas.setFont(fonts.bold, 20)
    canvas.drawCentredString(_WIDTH / 2, _HEIGHT - 19 * mm, words.hospital)
    canvas.setFont(fonts.text, 9.5)
    canvas.setFillColor(_SOFT)
    canvas.drawCentredString(_WIDTH / 2, _HEIGHT - 25 * mm, words.hospital_en)
    canvas.setFillColor(_INK)
    canvas.setFont(fonts.bold, 15)
    canvas.drawCentredString(_WIDTH / 2, _HEIGHT - 36 * mm, words.title)
    canvas.setFont(fonts.text, 9.5)
    canvas.setFillColor(_SOFT)
    canvas.drawCentredString(_WIDTH / 2, _HEIGHT - 41.5 * mm, words.title_en)


def _person(canvas: Canvas, fonts: _Fonts, words: _Words) -> None:
    top = _HEIGHT - 47 * mm
    canvas.setFillColor(_TINT)
    canvas.roundRect(_LEFT, top - 29 * mm, _RIGHT - _LEFT, 29 * mm, 2.5 * mm, stroke=0, fill=1)
    for place, (label, value) in enumerate(words.facts):
        column, row = place % 3, place // 3
        x = _LEFT + 5 * mm + column * 56 * mm
        y = top - 8 * mm - row * 8.5 * mm
        canvas.setFillColor(_SOFT)
        canvas.setFont(fonts.text, 9.5)
        canvas.drawString(x, y, label)
        canvas.setFillColor(_INK)
        canvas.setFont(fonts.bold, 10)
        canvas.drawString(x + 16 * mm, y, value)


def _table(canvas: Canvas, fonts: _Fonts, report: LabReport) -> None:
    y = _TOP_OF_TABLE
    canvas.setStrokeColor(_TEAL)
    canvas.setLineWidth(1.2)
    canvas.line(_LEFT, y + 7 * mm, _RIGHT, y + 7 * mm)
    canvas.setFillColor(_TEAL)
    canvas.setFont(fonts.bold, 9.5)
    for left, head in _COLUMNS:
        canvas.drawString(_LEFT + left * mm, y + 2 * mm, head)
    canvas.setLineWidth(0.8)
    canvas.line(_LEFT, y - 1.5 * mm, _RIGHT, y - 1.5 * mm)
    for place, result in enumerate(report.results):
        _row(canvas, fonts, result, y - 9 * mm - place * _ROW)
    canvas.setStrokeColor(_TEAL)
    canvas.setLineWidth(1.2)
    bottom = y - 2 * mm - len(report.results) * _ROW
    canvas.line(_LEFT, bottom, _RIGHT, bottom)


def _row(canvas: Canvas, fonts: _Fonts, result: Result, y: float) -> None:
    analyte = result.analyte
    outside = result.flag != ""
    cells = (analyte.name, analyte.code, "", "", result.reference)
    canvas.setFillColor(_INK)
    canvas.setFont(fonts.text, 10)
    for (left, _), cell in zip(_COLUMNS, cells, strict=False):
        canvas.drawString(_LEFT + left * mm, y, cell)
    canvas.setFont(fonts.bold if outside else fonts.text, 10.5)
    canvas.drawString(_LEFT + _COLUMNS[2][0] * mm, y, f"{result.shown} {result.flag}".strip())
    _unit(canvas, fonts, analyte.unit, _LEFT + _COLUMNS[3][0] * mm, y)
    _plot(canvas, result, y + 1.2 * mm)
    canvas.setStrokeColor(_BAND)
    canvas.setLineWidth(0.4)
    canvas.line(_LEFT, y - 4 * mm, _RIGHT, y - 4 * mm)


def _unit(canvas: Canvas, fonts: _Fonts, unit: str, x: float, y: float) -> None:
    """`10^9/L` with a raised 9: Noto has the small ² and ³ but not all of the others."""
    before, raised, after = unit.partition("^")
    power, slash, rest = after.partition("/")
    line = canvas.beginText(x, y)
    line.setFont(fonts.text, 10)
    line.textOut(before)
    line.setFont(fonts.text, 7)
    line.setRise(3)
    line.textOut(power if raised else "")
    line.setRise(0)
    line.setFont(fonts.text, 10)
    line.textOut(slash + rest)
    canvas.drawText(line)


def _plot(canvas: Canvas, result: Result, y: float) -> None:
    """The range fills the middle half; the value stands where it falls, or at an end."""
    width = _PLOT_RIGHT - _PLOT_LEFT
    low, high = _PLOT_LEFT + width / 4, _PLOT_RIGHT - width / 4
    canvas.setStrokeColor(_LINE)
    canvas.setLineWidth(0.6)
    canvas.line(_PLOT_LEFT, y, _PLOT_RIGHT, y)
    canvas.setFillColor(_BAND)
    canvas.rect(low, y - 1.3 * mm, high - low, 2.6 * mm, stroke=0, fill=1)
    analyte = result.analyte
    share = (result.value - analyte.low) / (analyte.high - analyte.low)
    x = min(max(low + share * (high - low), _PLOT_LEFT + 1.5 * mm), _PLOT_RIGHT - 1.5 * mm)
    canvas.setStrokeColor(_INK)
    canvas.setFillColor(_INK)
    canvas.setLineWidth(1.1)
    if not result.flag:
        canvas.setFillColor(HexColor("#FFFFFF"))
        canvas.circle(x, y, 1.4 * mm, stroke=1, fill=1)
        return
    up = 1 if result.flag == "↑" else -1
    path = canvas.beginPath()
    path.moveTo(x, y + up * 2 * mm)
    path.lineTo(x - 1.8 * mm, y - up * 1.4 * mm)
    path.lineTo(x + 1.8 * mm, y - up * 1.4 * mm)
    path.close()
    canvas.drawPath(path, stroke=1, fill=1)


def _footer(canvas: Canvas, fonts: _Fonts, words: _Words) -> None:
    y = 34 * mm
    canvas.setStrokeColor(_LINE)
    canvas.setLineWidth(0.5)
    canvas.line(_LEFT, y + 7 * mm, _RIGHT, y + 7 * mm)
    canvas.setFillColor(_INK)
    canvas.setFont(fonts.bold, 10)
    canvas.drawString(_LEFT, y, words.signed)
    canvas.setFont(fonts.text, 9)
    canvas.setFillColor(_SOFT)
    for place, note in enumerate(_NOTES):
        canvas.drawString(_LEFT, y - 7 * mm - place * 5 * mm, note)
    canvas.drawRightString(_RIGHT, y, "第 1 页，共 1 页")
