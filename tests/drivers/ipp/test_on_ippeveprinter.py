"""The same driver on Debian's own IPP printer: a peer that nobody here wrote."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from drivers.deadline import Deadline
from drivers.errors import DeviceAbsent, DeviceBusy
from drivers.ipp.driver import A4Printer, JobId
from drivers.ipp.paper_tray import IppPrinter
from drivers.ipp.state import JobState
from kiosk.devices.report_printer import ReportPrinterDevice
from kiosk.flows.effects import CancelReport, PrintReport
from kiosk.flows.events import ReportPaused
from kiosk.ports import DeviceNeeds, Listen
from tests.drivers.ipp.rows import PDF

T = TypeVar("T")

WAIT_S = 10.0


@pytest.fixture(scope="module")
def tray(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IppPrinter]:
    with IppPrinter(tmp_path_factory.mktemp("a4"), time.monotonic) as started:
        yield started


@pytest.fixture
def a4(tray: IppPrinter) -> Iterator[IppPrinter]:
    """The printer with everything put right and nothing left to do."""
    yield tray
    tray.clear()
    tray.set_toner(75)
    until(printer_of(tray).state, lambda state: state.condition == "ready")


def printer_of(tray: IppPrinter) -> A4Printer:
    return A4Printer(tray.uri, time.monotonic)


def until(ask: Callable[[], T], enough: Callable[[T], bool]) -> T:
    """Ask again and again; each question is an exchange, so nobody spins."""
    deadline = Deadline.after(time.monotonic, WAIT_S)
    while not enough(found := ask()):
        deadline.check(f"anything but {found}")
    return found


def ended(printer: A4Printer, job_id: JobId) -> JobState:
    return until(lambda: printer.job(job_id), lambda job: job.over)


def test_a_report_comes_out_as_it_was_sent(a4: IppPrinter) -> None:
    """Row 77: marked printed only when the printer says so."""
    printer = printer_of(a4)
    job_id = printer.print_pdf(PDF, "report 8K42")
    assert ended(printer, job_id).printed
    assert a4.papers[-1].read_bytes() == PDF
    assert printer.find_job("report 8K42") == job_id


def test_an_empty_tray_is_seen_before_printing(a4: IppPrinter) -> None:
    a4.take_paper_out()
    assert printer_of(a4).state().condition == "media_empty"
    a4.put_paper_in()
    assert printer_of(a4).state().condition == "ready"


def test_a_report_waits_for_paper_and_then_comes_out(a4: IppPrinter) -> None:
    printer, before = printer_of(a4), len(a4.papers)
    a4.take_paper_out()
    job_id = printer.print_pdf(PDF, "report 1")
    waiting = until(lambda: printer.job(job_id), lambda job: job.phase == "processing")
    assert waiting.printer.condition == "media_empty" and not waiting.printed
    assert len(a4.papers) == before
    a4.put_paper_in()
    assert ended(printer, job_id).printed
    assert len(a4.papers) == before + 1


@pytest.mark.parametrize("stop", ["jam", "door_open"])
def test_a_stop_in_mid_job_is_told_and_a_cancelled_report_does_not_come_out(
    a4: IppPrinter, stop: str
) -> None:
    printer, before = printer_of(a4), len(a4.papers)
    a4.jam() if stop == "jam" else a4.open_cover()
    job_id = printer.print_pdf(PDF, "report 2")
    until(printer.state, lambda state: state.condition == stop)
    printer.cancel(job_id)
    a4.clear()
    assert ended(printer, job_id).phase == "canceled"
    assert len(a4.papers) == before


HANDS: dict[str, Callable[[IppPrinter], None]] = {
    "no_report_paper": IppPrinter.take_paper_out,
    "no_toner": lambda tray: tray.set_toner(0),
    "printer_jam": IppPrinter.jam,
    "cover_open": IppPrinter.open_cover,
}


@pytest.mark.parametrize("code", HANDS)
def test_each_hand_that_is_needed_reaches_the_page_by_its_own_code(
    a4: IppPrinter, code: str
) -> None:
    """Row 76. An outlet that is full this printer cannot say: the emulator does."""
    device = ReportPrinterDevice(lambda: printer_of(a4))
    assert list(device.open()) == []
    HANDS[code](a4)
    told = list(device.perform(PrintReport(f"report {code}", "血常规", PDF)))
    while not any(isinstance(one, ReportPaused) for one in told):
        told += until(lambda: list(device.attend(Listen(False, ""))), lambda said: said != [])
    assert told[-1] == ReportPaused(f"report {code}", code)
    assert [one.code for one in told if isinstance(one, DeviceNeeds)] == [code]
    list(device.perform(CancelReport(f"report {code}")))


def test_a_second_job_meets_a_busy_printer(a4: IppPrinter) -> None:
    printer = printer_of(a4)
    a4.jam()
    printer.print_pdf(PDF, "report 3")
    with pytest.raises(DeviceBusy):
        printer.print_pdf(PDF, "report 4")


def test_a_job_that_the_printer_drops_is_not_printed(a4: IppPrinter) -> None:
    printer, before = printer_of(a4), len(a4.papers)
    a4.fail_jobs()
    job = ended(printer, printer.print_pdf(PDF, "report 5"))
    assert job.phase == "aborted" and not job.printed
    assert len(a4.papers) == before


@pytest.mark.parametrize(
    ("percent", "condition", "warnings"),
    [(75, "ready", ()), (5, "ready", ("toner_low",)), (0, "toner_empty", ())],
)
def test_toner_is_told(
    a4: IppPrinter, percent: int, condition: str, warnings: tuple[str, ...]
) -> None:
    a4.set_toner(percent)
    state = printer_of(a4).state()
    assert (state.condition, state.warnings) == (condition, warnings)
    assert {supply.name: supply.percent for supply in state.supplies}["Black Toner"] == percent


def test_a_job_nobody_sent_is_forgotten(a4: IppPrinter) -> None:
    assert printer_of(a4).job(JobId(9999)).phase == "forgotten"


def test_probing_names_the_printer(a4: IppPrinter) -> None:
    found = printer_of(a4).probe()
    assert (found.kind, found.model) == ("ipp", "Kiosk A4")
    assert found.identity.startswith("urn:uuid:")


def test_two_printers_stand_side_by_side_and_stop_whole(a4: IppPrinter, tmp_path: Path) -> None:
    with IppPrinter(tmp_path, time.monotonic) as other:
        assert other.port != a4.port
        assert printer_of(other).state().ready
        port = other.port
    with pytest.raises(DeviceAbsent):
        A4Printer(f"ipp://localhost:{port}/ipp/print", time.monotonic).state()
    assert printer_of(a4).state().ready


STARTS_AND_WAITS = """
import sys, time
from pathlib import Path
from drivers.ipp.paper_tray import IppPrinter
printer = IppPrinter(Path(sys.argv[1]), time.monotonic)
printer.start()
print(printer.port, flush=True)
sys.stdin.read()
"""


def test_a_killed_program_leaves_no_printer_behind(tmp_path: Path) -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", STARTS_AND_WAITS, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[3],
    )
    assert program.stdout is not None and program.stdin is not None
    port = int(program.stdout.readline())
    os.kill(program.pid, signal.SIGKILL)
    program.wait(WAIT_S)
    program.stdin.close()
    program.stdout.close()
    until(lambda: listens(port), lambda listening: not listening)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0
