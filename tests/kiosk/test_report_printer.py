"""The A4 printer as the engine's port: what it waits for, in whatever order that is seen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, get_args

import pytest

from drivers.hosts.tcp_host import TcpHost
from drivers.ipp.driver import A4Printer
from drivers.ipp.emulator import IppPrinterEmulator
from drivers.ipp.state import Condition
from kiosk.clock import TerminalClock
from kiosk.devices.report_printer import NEEDS, ReportPrinterDevice
from kiosk.engine.health import Health
from kiosk.engine.workers import DeviceWorker, Stop
from kiosk.flows.effects import CancelReport, PrintReport
from kiosk.flows.events import ReportFailed, ReportPaused, ReportPrinted, ReportSending
from kiosk.ports import DeviceNeeds, DeviceStood
from kiosk.words import keys
from tests.drivers.ipp.rows import PDF
from tests.flows.people import NOW

CLOCK = TerminalClock(NOW.tzinfo)  # type: ignore[arg-type]
FIRST, SECOND = PrintReport("J1", "血常规", PDF), PrintReport("J2", "肝功能", PDF)
SOON_S = 10.0
OF_THE_JOB = (ReportFailed, ReportPaused, ReportPrinted, ReportSending)


class QuickPrinter(ReportPrinterDevice):
    """Looks often, so that a test need not wait."""

    pause_s = 0.02
    LOOK_EVERY = 2


@dataclass
class Bench:
    """A printer at its worker; `told` is everything the engine would have been told."""

    host: TcpHost[IppPrinterEmulator]
    told: SimpleQueue[Any] = field(default_factory=SimpleQueue)
    stop: Stop = field(default_factory=Stop)
    worker: DeviceWorker = field(init=False)
    seen: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        uri = f"ipp://127.0.0.1:{self.host.port}/ipp/print"
        device = QuickPrinter(lambda: A4Printer(uri, time.monotonic))
        nothing = lambda event, **fields: None  # noqa: E731
        self.worker = DeviceWorker(device, self.told.put, self.stop, nothing, Health(CLOCK))
        self.worker.start()
        self.until(DeviceStood("a4_printer", True))

    def printer(self, do: Callable[[IppPrinterEmulator], Any]) -> Any:
        return self.host.with_emulator(do)

    def until(self, event: Any) -> None:
        while (one := self.told.get(timeout=SOON_S)) != event:
            self.seen.append(one)
        self.seen.append(one)

    def of_jobs(self) -> list[Any]:
        return [one for one in self.seen if isinstance(one, OF_THE_JOB)]

    def papers(self) -> int:
        return int(self.printer(lambda printer: len(printer.papers)))


@pytest.fixture
def bench() -> Iterator[Bench]:
    with ExitStack() as stack:
        bench = Bench(stack.enter_context(TcpHost(IppPrinterEmulator(0.05), time.monotonic)))
        yield bench
        bench.stop.set()
        bench.worker.join(5)


def test_paper_that_ends_between_two_reports_holds_the_second_until_there_is_some(
    bench: Bench,
) -> None:
    """Row 77: the empty tray is seen first, the report comes to it."""
    bench.worker.order(FIRST)
    bench.until(ReportPrinted("J1"))
    bench.printer(lambda printer: printer.misbehave("media_empty"))
    bench.until(DeviceNeeds("a4_printer", "no_report_paper", "media-empty-error"))
    health = bench.worker.health
    assert (health.standing, health.needs) == ("well", "no_report_paper")
    bench.worker.order(SECOND)
    waits_and_goes_on(bench)


def test_paper_that_ends_after_the_second_report_was_sent_tells_the_same(bench: Bench) -> None:
    """Row 77: the report is there first, and the tray is found empty by it."""
    bench.worker.order(FIRST)
    bench.until(ReportPrinted("J1"))

    def empties_and_prints(printer: IppPrinterEmulator) -> None:
        bench.worker.order(SECOND)  # nobody looks at the tray while the emulator is held
        printer.misbehave("media_empty")

    bench.printer(empties_and_prints)
    waits_and_goes_on(bench)


def waits_and_goes_on(bench: Bench) -> None:
    bench.until(ReportPaused("J2", "no_report_paper"))
    assert bench.papers() == 1
    bench.printer(lambda printer: printer.behave())
    bench.until(ReportPrinted("J2"))
    assert bench.papers() == 2 and bench.worker.health.needs == ""
    assert [type(one) for one in bench.of_jobs()] == [
        *(ReportSending, ReportPrinted),
        *(ReportSending, ReportPaused, ReportSending, ReportPrinted),
    ]
    assert [one.code for one in bench.seen if isinstance(one, DeviceNeeds)] == [
        "no_report_paper",
        "",
    ]


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("media-empty-error", "no_report_paper"),
        ("media-jam-error", "printer_jam"),
        ("cover-open", "cover_open"),
        ("toner-empty-error", "no_toner"),
        ("marker-waste-full", "no_toner"),
        ("output-area-full-warning", "output_full"),
        ("paused", "a4_printer_stopped"),
    ],
)
def test_each_reason_to_stop_is_said_once_with_its_own_words(
    bench: Bench, reason: str, code: str
) -> None:
    bench.printer(lambda printer: printer.reasons.add(reason))
    bench.until(DeviceNeeds("a4_printer", code, reason))
    bench.printer(lambda printer: printer.reasons.clear())
    bench.until(DeviceNeeds("a4_printer"))
    assert len([one for one in bench.seen if isinstance(one, DeviceNeeds)]) == 2
    assert [one for one in bench.seen if isinstance(one, DeviceStood) and not one.well] == []


def test_every_condition_has_words_of_its_own() -> None:
    assert set(NEEDS) == set(get_args(Condition))
    codes = [code for code in NEEDS.values() if code]
    assert len(set(codes)) == len(codes) == len(NEEDS) - 2
    assert {f"needs.{code}" for code in codes} <= keys("zh")


def test_a_printer_that_refuses_until_it_is_tended_gets_the_report_again(bench: Bench) -> None:
    """Nothing was taken: the report waits here, and is neither failed nor printed twice."""
    bench.printer(lambda printer: printer.misbehave("not_accepting"))
    bench.worker.order(FIRST)
    bench.until(ReportPaused("J1", "a4_printer_stopped"))
    bench.printer(lambda printer: printer.behave())
    bench.until(ReportPrinted("J1"))
    assert bench.papers() == 1


def test_a_busy_printer_is_waited_for_and_that_is_said_once(bench: Bench) -> None:
    bench.printer(lambda printer: printer.misbehave("busy"))
    bench.worker.order(FIRST)
    bench.until(ReportPaused("J1", "a4_printer_busy"))
    bench.printer(lambda printer: printer.behave())
    bench.until(ReportPrinted("J1"))
    assert [type(one) for one in bench.of_jobs()] == [ReportPaused, ReportSending, ReportPrinted]


@pytest.mark.parametrize("trouble", ["media_empty", "not_accepting"])
def test_whoever_stops_waiting_leaves_no_sheet_for_the_next_person(
    bench: Bench, trouble: str
) -> None:
    """Row 114: taken back, whether the printer holds it or the terminal does."""
    bench.printer(lambda printer: printer.misbehave(trouble))
    bench.worker.order(FIRST)
    bench.until(ReportSending("J1") if trouble == "media_empty" else paused(trouble))
    bench.worker.order(CancelReport("J1"))
    bench.printer(lambda printer: printer.behave())
    bench.worker.order(SECOND)
    bench.until(ReportPrinted("J2"))
    assert bench.papers() == 1


def paused(trouble: str) -> ReportPaused:
    assert trouble == "not_accepting"
    return ReportPaused("J1", "a4_printer_stopped")


def test_a_printer_that_goes_away_while_a_report_waits_is_told_as_away(bench: Bench) -> None:
    bench.printer(lambda printer: printer.misbehave("not_accepting"))
    bench.worker.order(FIRST)
    bench.until(ReportPaused("J1", "a4_printer_stopped"))
    bench.host.stop()
    bench.until(ReportFailed("J1", "a4_printer_away"))
    bench.until(DeviceStood("a4_printer", False, "away"))
