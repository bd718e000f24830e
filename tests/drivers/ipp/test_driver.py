"""The driver's words for what a printer says, and what it never says by itself."""

from __future__ import annotations

import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.deadline import Deadline
from drivers.errors import (
    DeadlineExceeded,
    DeviceAbsent,
    DeviceBusy,
    DeviceLost,
    DeviceRefused,
    OutcomeUnknown,
    ProtocolError,
)
from drivers.ipp.codec import Attribute, Group, GroupTag, Tag
from drivers.ipp.driver import A4Printer
from drivers.ipp.emulator import IppPrinterEmulator
from drivers.ipp.http_exchange import post
from drivers.ipp.state import A4State, JobState, Supply, state_of
from drivers.transport import Emulator
from tests.drivers.cable import Cable, Faults
from tests.drivers.escpos.paper import fault_of
from tests.drivers.ipp.rows import PDF, on_cable
from tests.drivers.ports import Ports


def wired(faults: Faults | None = None) -> tuple[A4Printer, IppPrinterEmulator, Cable]:
    emulator = IppPrinterEmulator()
    cable = Cable(emulator, faults or Faults())
    return on_cable(cable, cable.clock), emulator, cable


def printer_saying(state: int, *reasons: str, accepting: bool = True) -> Group:
    return Group(
        GroupTag.PRINTER,
        (
            Attribute("printer-state", Tag.ENUM, (state,)),
            Attribute("printer-state-reasons", Tag.KEYWORD, reasons),
            Attribute("printer-is-accepting-jobs", Tag.BOOLEAN, (accepting,)),
        ),
    )


@pytest.mark.parametrize(
    ("state", "reasons", "condition"),
    [
        (3, ("none",), "ready"),
        (4, ("none",), "busy"),
        (5, ("none",), "stopped"),
        (5, ("media-empty-error",), "media_empty"),
        (4, ("media-empty-warning",), "media_empty"),
        (3, ("media-empty-report",), "media_empty"),
        (4, ("media-needed",), "media_empty"),
        (5, ("media-jam-error", "media-empty-error"), "jam"),
        (5, ("door-open",), "door_open"),
        (5, ("cover-open-error",), "door_open"),
        (3, ("toner-empty-error",), "toner_empty"),
        (3, ("marker-supply-empty-error",), "toner_empty"),
        (3, ("output-area-full-warning",), "output_full"),
        (5, ("paused",), "stopped"),
        (3, ("media-low-warning",), "ready"),
        (3, ("something-of-a-vendor",), "ready"),
    ],
)
def test_reasons_mean_what_a_person_has_to_do(
    state: int, reasons: tuple[str, ...], condition: str
) -> None:
    assert state_of(printer_saying(state, *reasons)).condition == condition


def test_low_paper_and_toner_are_warnings() -> None:
    found = state_of(printer_saying(3, "toner-low-report", "media-low-warning"))
    assert found == A4State(
        "ready", ("media_low", "toner_low"), (), ("toner-low-report", "media-low-warning")
    )


def test_a_printer_that_takes_no_jobs_is_stopped() -> None:
    assert state_of(printer_saying(3, "none", accepting=False)).condition == "stopped"


def test_a_printer_without_a_state_makes_no_sense() -> None:
    with pytest.raises(ProtocolError):
        state_of(Group(GroupTag.PRINTER, ()))


def test_supplies_are_read_in_both_spellings() -> None:
    own = Group(
        GroupTag.PRINTER,
        (
            Attribute("printer-state", Tag.ENUM, (3,)),
            Attribute("printer-supply-description", Tag.TEXT, ("Toner", "Drum")),
            Attribute(
                "printer-supply",
                Tag.OCTETS,
                (b"index=1;maxcapacity=200;level=50;", b"index=2;maxcapacity=100;level=-2;"),
            ),
        ),
    )
    assert state_of(own).supplies == (Supply("Toner", 25), Supply("Drum", None))
    cups = Group(
        GroupTag.PRINTER,
        (
            Attribute("printer-state", Tag.ENUM, (3,)),
            Attribute("marker-names", Tag.NAME, ("Toner",)),
            Attribute("marker-levels", Tag.INTEGER, (34,)),
        ),
    )
    assert state_of(cups).supplies == (Supply("Toner", 34),)


@pytest.mark.parametrize(
    ("job", "printed"),
    [
        (JobState("completed", 1, ("job-completed-successfully",)), True),
        (JobState("completed", 1, ("job-completed-with-warnings",)), True),
        (JobState("completed", 1, ("job-completed-with-errors",)), False),
        (JobState("completed", 1, (), A4State("jam")), False),
        (JobState("completed", 1, (), A4State("busy")), True),
        (JobState("processing", 1), False),
        (JobState("aborted"), False),
        (JobState("canceled"), False),
        (JobState("forgotten"), False),
    ],
)
def test_printed_needs_completed_and_no_reason_against_it(job: JobState, printed: bool) -> None:
    """Row 77: marked printed only when the printer says so."""
    assert job.printed is printed


def test_a_report_comes_out_as_it_was_sent() -> None:
    printer, emulator, cable = wired()
    job_id = printer.print_pdf(PDF, "report 1", copies=2)
    cable.pass_time(1.0)
    assert printer.job(job_id) == JobState(
        "completed",
        2,
        ("job-completed-successfully",),
        A4State("ready", (), (Supply("Black Toner", 75),)),
    )
    assert emulator.papers == [PDF, PDF]


def test_a_report_that_waits_for_paper_is_not_printed_until_it_came_out() -> None:
    printer, emulator, cable = wired()
    emulator.reasons = {"media-empty-error"}
    job_id = printer.print_pdf(PDF, "report 1")
    cable.pass_time(10.0)
    waiting = printer.job(job_id)
    assert not waiting.printed and waiting.printer.condition == "media_empty"
    emulator.reasons.clear()
    cable.pass_time(1.0)
    assert printer.job(job_id).printed


def test_a_cancelled_report_never_comes_out() -> None:
    printer, emulator, cable = wired()
    emulator.reasons = {"media-jam-error"}
    job_id = printer.print_pdf(PDF, "report 1")
    printer.cancel(job_id)
    emulator.reasons.clear()
    cable.pass_time(5.0)
    assert printer.job(job_id).phase == "canceled"
    assert emulator.papers == []


def test_cancelling_what_is_done_or_forgotten_is_no_error() -> None:
    printer, _, cable = wired()
    job_id = printer.print_pdf(PDF, "report 1")
    cable.pass_time(1.0)
    printer.cancel(job_id)
    assert printer.job(job_id).printed
    printer.cancel(type(job_id)(77))


def test_a_busy_printer_takes_nothing() -> None:
    printer, emulator, _ = wired()
    emulator.busy = True
    with pytest.raises(DeviceBusy):
        printer.print_pdf(PDF, "report 1")
    assert not emulator.jobs


def test_a_printer_that_refuses_is_not_an_unknown_outcome() -> None:
    printer, emulator, _ = wired()
    emulator.accepting = False
    with pytest.raises(DeviceRefused):
        printer.print_pdf(PDF, "report 1")


def test_sent_and_not_answered_is_unknown_and_found_by_its_title() -> None:
    printer, emulator, cable = wired()
    emulator.silent = True
    with pytest.raises(OutcomeUnknown):
        printer.print_pdf(PDF, "report 8K42")
    emulator.silent = False
    cable.pass_time(1.0)
    found = printer.find_job("report 8K42")
    assert found is not None and printer.job(found).printed
    assert printer.find_job("report 9Z99") is None
    assert emulator.papers == [PDF]


def test_a_silent_printer_is_never_ready() -> None:
    printer, emulator, _ = wired()
    emulator.silent = True
    with pytest.raises(DeadlineExceeded):
        printer.state()


def test_an_exchange_ends_by_its_deadline_however_slowly_it_comes() -> None:
    printer, _, cable = wired(Faults(dribble_s=0.2))
    began_s = cable.now_s
    with pytest.raises(DeadlineExceeded):
        printer.state(3.0)
    assert cable.now_s - began_s < 3.1


def test_a_fault_names_neither_document_nor_title() -> None:
    printer, emulator, _ = wired()
    emulator.silent = True
    fault = fault_of(lambda: printer.print_pdf(PDF, "王秀兰"))
    assert "王" not in repr(fault) + str(fault) + repr(fault.__cause__ if fault else None)


@given(st.lists(st.integers(0, 1500), max_size=20))
@settings(max_examples=30, deadline=None)
def test_requests_are_read_however_they_are_cut(cuts: list[int]) -> None:
    whole = Cable(IppPrinterEmulator())
    on_cable(whole, whole.clock).print_pdf(PDF, "report 1")
    sent = bytes(whole.sent)
    edges = sorted({0, len(sent), *(min(cut, len(sent)) for cut in cuts)})
    emulator = IppPrinterEmulator()
    answer = b"".join(emulator.receive(sent[a:b]) for a, b in pairwise(edges))
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert [job.document for job in emulator.jobs.values()] == [PDF]


def test_titles_carry_no_control_characters() -> None:
    printer, emulator, _ = wired()
    printer.print_pdf(PDF, "report\r\n\x1b8K42" + "汉" * 200)
    (job,) = emulator.jobs.values()
    assert job.title.startswith("report8K42汉")
    assert len(job.title.encode()) <= 255


def test_nobody_listening_is_an_absent_device(ports: Ports) -> None:
    host = ports.tcp(IppPrinterEmulator())
    printer = A4Printer(f"ipp://127.0.0.1:{host.port}/ipp/print", host._clock)
    host.unplug()
    with pytest.raises(DeviceAbsent):
        printer.print_pdf(PDF, "report 1")


class Says:
    """A server that says one thing to everybody."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def receive(self, _data: bytes) -> bytes:
        answer, self._answer = self._answer, b""
        return answer

    def tick(self, _now_s: float) -> bytes:
        return b""


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", DeviceRefused),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", DeviceRefused),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", ProtocolError),
        (b"220 mail.example ESMTP\r\n", ProtocolError),
        (b"\x00" * 70000, ProtocolError),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n", ProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\nabc", DeadlineExceeded),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", ProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 2000000, ProtocolError),
    ],
)
def test_what_is_not_an_answer_is_told_apart(answer: bytes, fault: type) -> None:
    says: Emulator = Says(answer)
    cable = Cable(says)
    found = fault_of(
        lambda: post(cable, "a", "/", (b"x",), Deadline.after(cable.clock, 2.0)),
    )
    assert type(found) is fault


def test_an_answer_that_breaks_off_is_a_lost_device() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\nabc"
    whole = Cable(Says(answer))
    fault_of(lambda: post(whole, "a", "/", (b"x",), Deadline.after(whole.clock, 2.0)))
    cable = Cable(Says(answer), Faults(die_after_bytes=len(whole.sent) + len(answer)))
    fault = fault_of(lambda: post(cable, "a", "/", (b"x",), Deadline.after(cable.clock, 2.0)))
    assert isinstance(fault, DeviceLost)


def test_ipptool_accepts_what_the_emulator_says(ports: Ports, tmp_path: Path) -> None:
    """An IPP client that is not ours, on a port of our printer."""
    host = ports.tcp(IppPrinterEmulator())
    pdf = tmp_path / "report.pdf"
    pdf.write_bytes(PDF)
    ran = subprocess.run(
        ["ipptool", "-tf", str(pdf), f"ipp://127.0.0.1:{host.port}/ipp/print", "print-job.test"],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert "[PASS]" in ran.stdout, ran.stdout
    assert host.with_emulator(lambda e: [job.document for job in e.jobs.values()]) == [PDF]
