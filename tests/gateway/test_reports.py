"""Laboratory reports: real A4 pages whose text can be read, and what is marked printed."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from gateway.adapters.demo import people
from gateway.adapters.demo.crowd import everybody
from gateway.adapters.demo.font import truetype
from gateway.adapters.demo.pdf import ReportPress
from gateway.adapters.demo.reports import reports_on
from gateway.adapters.port import Refused
from kiosk.hospital import contract as c
from tests.gateway.world import MORNING, World

REPORT = "R20261120-P0001-1"


def told(program: str, pdf: Path, *options: str) -> str:
    command = [program, *options, str(pdf), *(["-"] if program == "pdftotext" else [])]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def fetched(world: World, folder: Path) -> Path:
    pdf = folder / "report.pdf"
    pdf.write_bytes(world.ask(c.FetchReport(people.ELDER.id, REPORT)).pdf)
    return pdf


def test_a_report_is_an_a4_page_with_text_and_embedded_fonts(
    light_world: World, tmp_path: Path
) -> None:
    pdf = fetched(light_world, tmp_path)
    facts = told("pdfinfo", pdf)
    assert "Pages:           1" in facts
    assert "A4" in facts
    text = told("pdftotext", pdf)
    for words in ("市第一医院", "检验报告单", "血常规", "王秀兰", "白细胞计数", "参考区间"):
        assert words in text
    fonts = told("pdffonts", pdf).splitlines()[2:]
    assert fonts
    assert all(" yes yes " in font for font in fonts), "embedded, subset"


def test_a_report_shows_the_number_masked_only(light_world: World, tmp_path: Path) -> None:
    """Row 114: masked on paper."""
    text = told("pdftotext", fetched(light_world, tmp_path))
    assert people.ELDER.number not in text
    assert "110***********002X" in text


def test_a_character_beyond_the_basic_plane_has_an_outline() -> None:
    """reportlab's table for copying text out ends at U+FFFF, so this one is seen, not copied."""
    font = TTFont(io.BytesIO(truetype(frozenset("吴𠮷"), "Test")))
    glyph = font["glyf"][font.getBestCmap()[ord("𠮷")]]
    assert glyph.numberOfContours > 0


def test_a_persons_name_is_drawn_whole(tmp_path: Path) -> None:
    press = ReportPress("市第一医院", "City First Hospital")
    rare = [person for person in everybody() if set(person.name) & set("·喆翀龘㛃䶮")]
    assert len(rare) > 2
    for person in [*rare[:2], people.PASSPORT]:
        report = reports_on(people.ELDER, MORNING.date(), MORNING.tzinfo)[0]
        pdf = tmp_path / "one.pdf"
        pdf.write_bytes(press.lab_report(report, person))
        assert person.name in told("pdftotext", pdf)


def test_the_same_report_has_the_same_bytes(light_world: World) -> None:
    ask = c.FetchReport(people.ELDER.id, REPORT)
    assert light_world.ask(ask).pdf == light_world.ask(ask).pdf


def test_reports_are_ready_or_have_a_time(light_world: World) -> None:
    """Row 76: ready, or not ready and when."""
    ready, coming = light_world.ask(c.AskToday(people.ELDER.id)).reports
    assert ready.ready
    assert not coming.ready
    assert coming.ready_at > light_world.clock()
    with pytest.raises(Refused, match="report_not_ready"):
        light_world.ask(c.FetchReport(people.ELDER.id, coming.id))
    light_world.clock.now = coming.ready_at
    assert light_world.ask(c.FetchReport(people.ELDER.id, coming.id)).pdf


def test_a_printed_report_is_not_offered_again(world: World) -> None:
    world.ask(c.MarkPrinted("m1", people.ELDER.id, REPORT))
    world.ask(c.MarkPrinted("m1", people.ELDER.id, REPORT))
    left = world.ask(c.AskToday(people.ELDER.id)).reports
    assert [report.id for report in left] == ["R20261120-P0001-2"]
    assert len(world.his("printed")) == 1


@pytest.mark.parametrize("report", ["R20261120-P0006-1", "nonsense", "R20261120-P0001-9"])
def test_another_persons_report_is_not_given(light_world: World, report: str) -> None:
    for ask in (
        c.FetchReport(people.ELDER.id, report),
        c.MarkPrinted("m1", people.ELDER.id, report),
    ):
        with pytest.raises(Refused, match="report_unknown"):
            light_world.ask(ask)
