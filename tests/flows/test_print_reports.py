"""Stories of printing all new reports: one touch, and a printer with moods."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kiosk.devices.report_printer import NEEDS
from kiosk.flows.effects import Ask, CancelReport, PrintReport
from kiosk.flows.events import (
    Replied,
    ReportFailed,
    ReportPaused,
    ReportPrinted,
    ReportSending,
)
from kiosk.hospital.contract import FetchReport, Known, PrintedRecord, ReportFile
from kiosk.views import Finished, Works
from tests.flows.people import DAY, LATER, LI_CARD, NOTHING, NOW, READY, WANG, WANG_CARD
from tests.flows.walk import Walk

PDF = ReportFile("R1", b"JVBERi0=", 1)


def begun(**scene: object) -> Walk:
    return Walk.at("print_reports", None, **{"person": WANG, "today": DAY, **scene})


def job(walk: Walk) -> str:
    return str(walk.last(PrintReport).job)


def printed(walk: Walk) -> Walk:
    walk.reply(PDF)
    return walk.tell(ReportSending(job(walk))).tell(ReportPrinted(job(walk)))


def test_one_touch_prints_all_new_reports() -> None:
    """Rows 77, 107: one tap (K5); each marked only after the printer's word."""
    today = replace(DAY, appointments=(), bills=())
    walk = Walk.at("attract").lay(WANG_CARD).reply(Known(WANG)).reply(today).touch("next")
    assert walk.asked() == FetchReport("P100", "R1")
    printed(printed(walk))
    assert isinstance(walk.page, Finished)
    assert (walk.page.what, walk.page.count, walk.taps) == ("reports_printed", 2, 1)
    bodies = [one.body for one in walk.queued()]
    assert bodies == [PrintedRecord("P100", "R1", NOW), PrintedRecord("P100", "R2", NOW)]
    assert len({one.key for one in walk.queued()}) == 2


def test_the_page_says_which_of_how_many_and_what_comes_later() -> None:
    """Row 76: ready or not, and when."""
    walk = begun()
    assert (walk.page.number, walk.page.of, walk.page.stage) == (1, 2, "fetching")
    walk.reply(PDF)
    assert walk.page.stage == "sending"
    walk.tell(ReportSending(job(walk)))
    assert (walk.page.stage, walk.page.title) == ("printing", "血常规")
    assert (walk.page.later_title, walk.page.later_at) == (LATER.title, LATER.ready_at)
    walk.tell(ReportPrinted(job(walk)))
    assert (walk.page.number, walk.page.title) == (2, "肝功能")


def test_nothing_is_marked_before_the_printer_says_so() -> None:
    """Row 77."""
    walk = begun().reply(PDF)
    walk.tell(ReportSending(job(walk)))
    assert walk.queued() == []


def test_an_answer_said_twice_prints_and_marks_once() -> None:
    walk = begun()
    tag = walk.pending[0].tag  # type: ignore[union-attr]
    walk.reply(PDF).tell(Replied(tag, PDF))
    first = job(walk)
    walk.tell(ReportPrinted(first)).tell(ReportPrinted(first))
    assert len(walk.every(PrintReport)) == 1
    assert len(walk.queued()) == 1


@pytest.mark.parametrize("why", sorted({*NEEDS.values(), "a4_printer_busy"} - {""}))
def test_out_of_paper_is_said_and_goes_on_when_there_is_paper(why: str) -> None:
    walk = begun().reply(PDF)
    walk.tell(ReportPaused(job(walk), why))
    assert (walk.page.stage, walk.notice, walk.shown.notice.part) == ("paused", why, "a4_printer")
    walk.tell(ReportSending(job(walk)))
    assert (walk.page.stage, walk.notice) == ("printing", "")
    walk.tell(ReportPrinted(job(walk)))
    assert len(walk.queued()) == 1


def test_paper_that_never_comes_sends_to_the_window_and_leaves_no_sheet_for_the_next() -> None:
    """Row 77: the window is named; row 114: nobody else's report comes out later."""
    walk = begun().reply(PDF)
    walk.tell(ReportPaused(job(walk), "no_report_paper")).wake("paused")
    assert (walk.page.what, walk.page.count, walk.page.window) == ("reports_failed", 0, "1")
    assert walk.last(CancelReport).job == job(walk)


def test_paper_that_ends_between_two_reports_leaves_the_second_one_new() -> None:
    """Row 77: one is printed and marked, one is not; the person may wait or go to the window."""
    walk = printed(begun()).reply(PDF)
    walk.tell(ReportSending(job(walk))).tell(ReportPaused(job(walk), "no_report_paper"))
    assert (walk.page.number, walk.page.stage, walk.notice) == (2, "paused", "no_report_paper")
    assert "window" in walk.shown.bar
    walk.wake("paused")
    assert (walk.page.what, walk.page.count, walk.page.window) == ("reports_failed", 1, "1")
    assert [one.body.report_id for one in walk.queued()] == ["R1"]
    (later,) = [one for one in walk.scene.today.reports if one.ready and not one.printed]
    assert later.id == "R2"


def test_whoever_stops_waiting_for_paper_is_led_to_the_window_and_keeps_the_report_new() -> None:
    walk = printed(begun()).reply(PDF)
    walk.tell(ReportPaused(job(walk), "no_report_paper"))
    waiting = job(walk)
    assert walk.touch("window").flow == "hand_over"
    assert walk.last(CancelReport).job == waiting
    marks = [one.body.report_id for one in walk.queued() if isinstance(one.body, PrintedRecord)]
    assert marks == ["R1"]


def test_a_cancelled_sheet_that_came_out_all_the_same_is_marked() -> None:
    walk = begun().reply(PDF)
    walk.tell(ReportPaused(job(walk), "no_report_paper")).wake("paused")
    walk.tell(ReportPrinted(job(walk))).tell(ReportPrinted(job(walk)))
    assert [one.body.report_id for one in walk.queued()] == ["R1"]
    assert walk.page.count == 1


def test_a_broken_printer_ends_it_with_what_is_done_and_the_window() -> None:
    walk = printed(begun()).reply(PDF)
    walk.tell(ReportFailed(job(walk), "a4_printer_away"))
    assert (walk.page.what, walk.page.count, walk.page.window) == ("reports_failed", 1, "1")
    assert walk.notice == "a4_printer_away"
    assert walk.touch("window").flow == "hand_over"


def test_a_report_that_cannot_be_had_does_not_stop_the_next() -> None:
    walk = printed(begun().fail())
    assert (walk.page.what, walk.page.count) == ("reports_failed", 1)
    assert walk.queued()[0].body.report_id == "R2"


def test_without_the_hospital_nothing_is_begun() -> None:
    walk = begun(works=Works(hospital=False))
    assert (walk.page.code, walk.every(Ask)) == ("hospital_away", [])
    walk.scene = replace(walk.scene, works=Works())
    assert walk.touch("again").page.stage == "fetching"


def test_no_new_report_says_when_the_next_one_comes() -> None:
    """Row 76: expected time."""
    walk = begun(today=replace(NOTHING, reports=(LATER,)))
    assert (walk.page.what, walk.page.count) == ("reports_printed", 0)
    assert walk.page.later_at == LATER.ready_at


def test_afterwards_home_no_longer_offers_what_is_printed() -> None:
    walk = printed(begun(today=replace(NOTHING, reports=READY[:1])))
    assert walk.touch("home").page.next.kind == "register"


@pytest.mark.parametrize("target", ["end", "back"])
def test_leaving_takes_the_sheet_back_and_it_stays_new(target: str) -> None:
    walk = begun().reply(PDF).touch(target)
    assert walk.every(CancelReport)
    assert walk.queued() == []


def test_leaving_before_anything_was_sent_cancels_nothing() -> None:
    assert begun().touch("end").every(CancelReport) == []


def test_another_persons_card_waits_until_the_sheets_are_out() -> None:
    walk = begun().reply(PDF).lay(LI_CARD)
    assert (walk.notice, walk.sessions) == ("other_persons_card", 1)
    assert walk.lay(WANG_CARD).sessions == 1


def test_nobody_known_is_asked_who_they_are() -> None:
    walk = Walk.at("print_reports", None)
    assert (walk.flow, walk.argument) == ("identify", "print_reports")


def test_no_idle_timer_runs_while_paper_moves() -> None:
    """U5."""
    assert begun().shown.idle == "never"
