"""All new reports by one touch, one at a time; printed is what the printer said it printed.

Rule: a report is marked only after the printer's word, by a record of its own. When that word
never comes the report stays new: printed twice at worst, lost never.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from kiosk.domain.report import Report
from kiosk.flows.common import (
    OTHER_CARD,
    ignore,
    ignoring,
    index_of,
    is_stranger,
    leave_later,
    left_s,
    next_person,
)
from kiosk.flows.effects import (
    Ask,
    CancelReport,
    Effect,
    EndSession,
    Go,
    HandOver,
    KeepAudit,
    KeepQueued,
    PrintReport,
    SetToday,
    Wake,
)
from kiosk.flows.events import (
    CardLaid,
    CardRead,
    Event,
    Failed,
    Replied,
    ReportFailed,
    ReportPaused,
    ReportPrinted,
    ReportSending,
    Touched,
    Woke,
)
from kiosk.flows.scene import Accepts, Business, Scene, Shown
from kiosk.hospital.contract import FetchReport, PrintedRecord, ReportFile
from kiosk.views import BarKey, Finished, Notice, Page, Problem
from kiosk.views import PrintingReports as PrintingPage

PAUSED_S = 120.0
"""Somebody brings paper, or closes the cover, within two minutes; then the sheets go to the
window, since nobody may stand here when they come out."""

ATS = ("fetching", "sending", "printing", "paused", "finished", "problem")
IGNORED = ignoring(
    ATS,
    {
        Touched: "a second tap on the card that began it, or a target of the page before",
        CardLaid: "it is told apart from the card before once it is read",
        CardRead: "the card of the person whose reports these are",
        ReportPrinted: "another job's: a report that was given up, which stays new",
        ReportPaused: "another job's, or said again",
        ReportFailed: "another job's: a report that was given up, which stays new",
        ReportSending: "another job's, or said again after the printer had begun",
    },
)


@dataclass(frozen=True)
class PrintState:
    """At: fetching, sending, printing, paused (for paper), finished, problem.

    `left` begins with the report that is under way; `missed` could not be had or printed.
    """

    at: str
    left: tuple[Report, ...] = ()
    of: int = 0
    job: str = ""
    done: int = 0
    missed: int = 0
    notice: Notice | None = None
    leave_at: datetime | None = None

    @property
    def tag(self) -> str:
        return f"report:{self.job}"


Stepped = tuple[PrintState, tuple[Effect, ...]]


def start(scene: Scene, argument: Any) -> Stepped:
    if scene.person is None:
        return PrintState("fetching"), (Go("identify", "print_reports"),)
    ready = tuple(one for one in _reports(scene) if one.ready and not one.printed)
    state = PrintState("fetching", ready, len(ready))
    if not ready:
        return _finish(state, scene)
    if not scene.works.hospital:
        return replace(state, at="problem"), ()
    return _fetch(state, scene)


def step(state: PrintState, event: Event, scene: Scene) -> Stepped:
    match state.at, event:
        case "finished", _:
            return _step_finished(state, event, scene)
        case "problem", Touched(target):
            return _leave_problem(state, target, scene)
        case "fetching" | "sending" | "printing" | "paused", _:
            return _step_working(state, event, scene)
    return state, ignore(state.at, event, IGNORED)


def _step_working(state: PrintState, event: Event, scene: Scene) -> Stepped:
    match state.at, event:
        case "fetching", Replied(state.tag, ReportFile(pdf=pdf)):
            sending = replace(state, at="sending")
            return sending, (PrintReport(state.job, state.left[0].title, pdf),)
        case "fetching", Failed(state.tag):
            return _missed(state, scene)
        case "sending" | "printing" | "paused", _:
            return _step_printing(state, event, scene)
        case _, CardRead(identity) if is_stranger(identity, scene):
            return replace(state, notice=OTHER_CARD), ()
        case _, Touched("end" | "quit" | "back" | "window" as target):
            return _give_up(state, target)
    return state, ignore(state.at, event, IGNORED)


def _step_printing(state: PrintState, event: Event, scene: Scene) -> Stepped:
    match state.at, event:
        case "sending" | "paused", ReportSending(state.job):
            return replace(state, at="printing", notice=None), ()
        case _, ReportPrinted(state.job):
            return _printed(state, scene)
        case _, ReportPaused(state.job, why):
            paused = replace(state, at="paused", notice=Notice(why, "a4_printer"))
            return paused, (Wake("paused", PAUSED_S),)
        case _, ReportFailed(state.job, why):
            return _stop(replace(state, notice=Notice(why, "a4_printer")), scene)
        case "paused", Woke("paused"):
            stopped, effects = _stop(state, scene)
            return stopped, (CancelReport(state.job), *effects)
        case _, CardRead(identity) if is_stranger(identity, scene):
            return replace(state, notice=OTHER_CARD), ()
        case _, Touched("end" | "quit" | "back" | "window" as target):
            return _give_up(state, target)
    return state, ignore(state.at, event, IGNORED)


def _step_finished(state: PrintState, event: Event, scene: Scene) -> Stepped:
    match event:
        case ReportPrinted(state.job) if state.job:
            # Given up, and printed all the same: the sheet is there, so it is marked.
            done = replace(state, done=state.done + 1, missed=state.missed - 1)
            return replace(done, job=""), _mark(state, scene)
        case Touched("home" | "back" | "quit"):
            return state, (Go("home"),)
        case Touched("window"):
            return state, (Go("hand_over", HandOver("reports")),)
        case Touched("end") | Woke("over"):
            return state, (EndSession(),)
        case CardRead():
            return state, next_person(event, scene)
    return state, ignore(state.at, event, IGNORED)


def _leave_problem(state: PrintState, target: str, scene: Scene) -> Stepped:
    match target:
        case "again":
            return start(scene, None)
        case "back" | "quit":
            return state, (Go("home"),)
        case "window":
            return state, (Go("hand_over", HandOver("reports")),)
        case "end":
            return state, (EndSession(),)
    return state, ignore(state.at, Touched(target), IGNORED)


# --- one report after the other ------------------------------------------------------------------


def _fetch(state: PrintState, scene: Scene) -> Stepped:
    assert scene.person is not None
    fetching = replace(state, at="fetching", job=scene.key("report"), notice=None)
    request = FetchReport(scene.person.person, state.left[0].id)
    return fetching, (Ask(fetching.tag, request),)


def _printed(state: PrintState, scene: Scene) -> Stepped:
    marks = _mark(state, scene)
    following = replace(state, left=state.left[1:], done=state.done + 1, job="")
    further, effects = _next(following, scene)
    return further, (*marks, *effects)


def _mark(state: PrintState, scene: Scene) -> tuple[Effect, ...]:
    """The record and this session's own memory; the job is the key: one mark a print."""
    assert scene.person is not None and scene.today is not None
    report = state.left[0]
    record = PrintedRecord(scene.person.person, report.id, scene.now)
    reports = tuple(
        replace(one, printed=True) if one.id == report.id else one for one in scene.today.reports
    )
    person = index_of(scene.person)
    return (
        KeepQueued("printed", f"{state.job}-printed", person, record),
        KeepAudit("report_marked_printed", person, reference=state.job),
        SetToday(replace(scene.today, reports=reports)),
    )


def _missed(state: PrintState, scene: Scene) -> Stepped:
    """This one cannot be had now; the others may."""
    return _next(replace(state, left=state.left[1:], missed=state.missed + 1, job=""), scene)


def _next(state: PrintState, scene: Scene) -> Stepped:
    return _fetch(state, scene) if state.left else _finish(state, scene)


def _stop(state: PrintState, scene: Scene) -> Stepped:
    """The printer cannot: neither this report nor those behind it."""
    return _finish(replace(state, missed=state.missed + len(state.left)), scene)


def _finish(state: PrintState, scene: Scene) -> Stepped:
    leave_at, wake = leave_later(scene)
    return replace(state, at="finished", leave_at=leave_at), (wake,)


def _give_up(state: PrintState, target: str) -> Stepped:
    """Nobody waits for the sheets any more: what is not out yet stays new."""
    cancel = () if state.at == "fetching" else (CancelReport(state.job),)
    match target:
        case "end":
            return state, (*cancel, EndSession())
        case "window":
            return state, (*cancel, Go("home"), Go("hand_over", HandOver("reports")))
    return state, (*cancel, Go("home"))


# --- what is drawn -------------------------------------------------------------------------------


def view(state: PrintState, scene: Scene) -> Shown:
    match state.at:
        case "problem":
            problem = Problem("hospital_away", True, scene.rules.desk_window)
            return Shown(problem, ("back", "help", "window", "end"))
        case "finished":
            page: Page = _finished(state, scene)
            more: tuple[BarKey, ...] = ("window", "large") if state.missed else ("large", "voice")
            bar: tuple[BarKey, ...] = ("end", "help", *more)
        case _:
            # Who waits for paper may go to the window instead: the sheet is taken back.
            also: BarKey = "window" if state.at == "paused" else "large"
            page, bar = _working(state, scene), ("back", "help", also, "voice")
    return Shown(page, bar, accepts=Accepts(cards=True), notice=state.notice, idle="never")


def _working(state: PrintState, scene: Scene) -> PrintingPage:
    later = next(_later(scene), None)
    number = state.of - len(state.left) + 1
    title = state.left[0].title if state.left else ""
    stage: Any = state.at
    page = PrintingPage(min(number, max(1, state.of)), state.of, title, stage)
    return replace(page, later_title=later.title, later_at=later.ready_at) if later else page


def _finished(state: PrintState, scene: Scene) -> Finished:
    what: Literal["reports_failed", "reports_printed"]
    what = "reports_failed" if state.missed else "reports_printed"
    later = next(_later(scene), None)
    return Finished(
        what,
        count=state.done,
        later_title=later.title if later else "",
        later_at=later.ready_at if later else None,
        window=scene.rules.desk_window if state.missed else "",
        left_s=left_s(state.leave_at, scene.now),
    )


def _later(scene: Scene) -> Iterator[Report]:
    """Reports that are not ready, the soonest first."""
    waiting = [one for one in _reports(scene) if not one.ready]
    return iter(sorted(waiting, key=lambda one: one.ready_at))


def _reports(scene: Scene) -> tuple[Report, ...]:
    return scene.today.reports if scene.today else ()


BUSINESS = Business("print_reports", start, step, view)
