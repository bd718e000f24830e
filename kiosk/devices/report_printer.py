"""The A4 printer as a port: a report is printed when the printer says so and shows no fault."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from drivers import errors
from drivers.ipp.driver import A4Printer, JobId
from drivers.ipp.state import A4State, JobState
from kiosk.devices.faults import fault_of
from kiosk.flows.effects import CancelReport, Effect, PrintReport
from kiosk.flows.events import ReportFailed, ReportPaused, ReportPrinted, ReportSending
from kiosk.ports import DeviceFault, Listen, Part, Told

_WHY = {
    "media_empty": "no_report_paper",
    "jam": "printer_jam",
    "door_open": "cover_open",
}


@dataclass
class _Current:
    job: str
    id: JobId
    paused: str = ""


class ReportPrinterDevice:
    """One report at a time; what the printer still holds is looked for after a broken line."""

    part: Part = "a4_printer"
    pause_s = 0.4

    LOOK_EVERY = 8  # attends without a job between two looks at the printer: about 3 s

    def __init__(self, connect: Callable[[], A4Printer]) -> None:
        self._connect = connect
        self._printer: A4Printer | None = None
        self._current: _Current | None = None
        self._attended = 0

    def open(self) -> Iterator[Told]:
        try:
            self._printer = self._connect()
            self._check(self._printer.state())
        except errors.DriverError as fault:
            raise fault_of(fault) from fault
        yield from ()

    def attend(self, listen: Listen) -> Iterator[Told]:
        assert self._printer is not None
        self._attended += 1
        try:
            if self._current is not None:
                yield from self._watch(self._printer, self._current)
            elif self._attended % self.LOOK_EVERY == 0:
                self._check(self._printer.state())
        except errors.DriverError as fault:
            yield from self._give_up("a4_printer_away")
            raise fault_of(fault) from fault

    def _check(self, state: A4State) -> None:
        """Not ready is said as the part's trouble; a job under way says it by itself."""
        if not state.ready:
            code = _WHY.get(state.condition, "a4_printer_away")
            raise DeviceFault(code, ", ".join(state.reasons))

    def perform(self, effect: Effect) -> Iterator[Told]:
        assert self._printer is not None
        match effect:
            case PrintReport(job, _, pdf):
                yield from self._hand_over(self._printer, job, pdf)
            case CancelReport(job):
                yield from self._cancel(self._printer, job)
            case _:
                raise AssertionError(f"a report printer carries out no {type(effect).__name__}")

    def _hand_over(self, printer: A4Printer, job: str, pdf: bytes) -> Iterator[Told]:
        try:
            self._current = _Current(job, printer.print_pdf(pdf, job))
        except errors.OutcomeUnknown:
            yield from self._look_for(printer, job)
        except errors.DriverError as fault:
            yield ReportFailed(job, "a4_printer_away")
            raise fault_of(fault) from fault
        if self._current is not None:
            yield ReportSending(job)

    def _look_for(self, printer: A4Printer, job: str) -> Iterator[Told]:
        """Sent and not answered: ask by its title, which is the job's own name."""
        try:
            found = printer.find_job(job)
        except errors.DriverError as fault:
            yield ReportFailed(job, "a4_printer_away")
            raise fault_of(fault) from fault
        if found is None:
            yield ReportFailed(job, "a4_printer_away")
        else:
            self._current = _Current(job, found)

    def _watch(self, printer: A4Printer, current: _Current) -> Iterator[Told]:
        state = printer.job(current.id)
        if state.printed:
            self._current = None
            yield ReportPrinted(current.job)
        elif state.over and state.phase != "completed":
            yield from self._give_up("report_unavailable")
        else:
            yield from self._pause(current, state)

    def _pause(self, current: _Current, state: JobState) -> Iterator[Told]:
        """Said when it changes; paper put in lets the job go on by itself."""
        why = "" if state.printer.ready else _WHY.get(state.printer.condition, "a4_printer_away")
        if why == current.paused:
            return
        current.paused = why
        yield ReportPaused(current.job, why) if why else ReportSending(current.job)

    def _cancel(self, printer: A4Printer, job: str) -> Iterator[Told]:
        if self._current is None or self._current.job != job:
            return
        current, self._current = self._current, None
        try:
            printer.cancel(current.id)
        except errors.DriverError as fault:
            raise fault_of(fault) from fault
        yield from ()

    def _give_up(self, why: str) -> Iterator[Told]:
        if self._current is not None:
            current, self._current = self._current, None
            yield ReportFailed(current.job, why)

    def absent(self, effect: Effect) -> Iterable[Told]:
        if isinstance(effect, PrintReport):
            return (ReportFailed(effect.job, "a4_printer_away"),)
        return ()

    def interrupt(self, effect: Effect) -> bool:
        return False

    def close(self) -> None:
        self._printer = None
