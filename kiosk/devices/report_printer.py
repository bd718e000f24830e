"""The A4 printer as a port: a report is printed when the printer says so and shows no fault.

Rule: a printer that answers is never away. What it needs a hand for (paper, toner, a door) is said
once, and jobs wait for it, whether the need was seen before the job or after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from drivers import errors
from drivers.ipp.driver import A4Printer, JobId
from drivers.ipp.state import A4State, Condition
from kiosk.devices.faults import fault_of
from kiosk.flows.effects import CancelReport, Effect, PrintReport
from kiosk.flows.events import ReportFailed, ReportPaused, ReportPrinted, ReportSending
from kiosk.ports import DeviceNeeds, Listen, Part, Told

NEEDS: dict[Condition, str] = {
    "ready": "",
    "busy": "",
    "media_empty": "no_report_paper",
    "jam": "printer_jam",
    "door_open": "cover_open",
    "toner_empty": "no_toner",
    "output_full": "output_full",
    "stopped": "a4_printer_stopped",
}
"""What the printer waits for, as a notice's code; each has its own words."""


@dataclass
class _Current:
    job: str
    id: JobId
    paused: str = ""


@dataclass
class _Held:
    """A report that the printer would not take yet; `said`: why, once."""

    report: PrintReport
    said: str = ""


class ReportPrinterDevice:
    """One report at a time; what the printer still holds is looked for after a broken line."""

    part: Part = "a4_printer"
    pause_s = 0.4

    LOOK_EVERY = 8  # attends without a job between two looks at the printer: about 3 s

    def __init__(self, connect: Callable[[], A4Printer]) -> None:
        self._connect = connect
        self._printer: A4Printer | None = None
        self._current: _Current | None = None
        self._held: _Held | None = None
        self._needs = ""
        self._attended = 0

    def open(self) -> Iterator[Told]:
        try:
            self._printer = self._connect()
            yield from self._look(self._printer.state())
        except errors.DriverError as fault:
            yield from self._give_up("a4_printer_away")
            raise fault_of(fault) from fault

    def attend(self, listen: Listen) -> Iterator[Told]:
        assert self._printer is not None
        self._attended += 1
        try:
            if self._current is not None:
                yield from self._watch(self._printer, self._current)
            elif self._held is not None or self._attended % self.LOOK_EVERY == 0:
                yield from self._look(self._printer.state())
        except errors.DriverError as fault:
            yield from self._give_up("a4_printer_away")
            raise fault_of(fault) from fault
        if self._held is not None and not self._needs:
            held, self._held = self._held, None
            yield from self._hand_over(self._printer, held)

    def _look(self, state: A4State) -> Iterator[Told]:
        """What it needs is said when it changes, by whatever question it was seen."""
        needs = NEEDS[state.condition]
        if needs != self._needs:
            self._needs = needs
            yield DeviceNeeds(self.part, needs, ", ".join(state.reasons))

    def perform(self, effect: Effect) -> Iterator[Told]:
        assert self._printer is not None
        match effect:
            case PrintReport():
                yield from self._hand_over(self._printer, _Held(effect))
            case CancelReport(job):
                yield from self._cancel(self._printer, job)
            case _:
                raise AssertionError(f"a report printer carries out no {type(effect).__name__}")

    def _hand_over(self, printer: A4Printer, held: _Held) -> Iterator[Told]:
        job = held.report.job
        try:
            self._current = _Current(job, printer.print_pdf(held.report.pdf, job))
        except errors.OutcomeUnknown:
            yield from self._look_for(printer, job)
        except (errors.DeviceRefused, errors.DeviceBusy) as refusal:
            yield from self._refused(printer, held, refusal)
        except errors.DriverError as fault:
            yield ReportFailed(job, "a4_printer_away")
            raise fault_of(fault) from fault
        if self._current is not None:
            yield ReportSending(job)

    def _refused(
        self, printer: A4Printer, held: _Held, refusal: errors.DriverError
    ) -> Iterator[Told]:
        """Nothing was taken. One that needs a hand, or time, gets the report again later."""
        job = held.report.job
        try:
            yield from self._look(printer.state())
        except errors.DriverError as fault:
            yield ReportFailed(job, "a4_printer_away")
            raise fault_of(fault) from fault
        why = self._needs or ("a4_printer_busy" if isinstance(refusal, errors.DeviceBusy) else "")
        if not why:
            yield ReportFailed(job, "a4_printer_away")
            raise fault_of(refusal) from refusal
        self._held = _Held(held.report, why)
        if why != held.said:
            yield ReportPaused(job, why)

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
        if state.phase != "forgotten":
            yield from self._look(state.printer)
        if state.printed:
            self._current = None
            yield ReportPrinted(current.job)
        elif state.over and state.phase != "completed":
            yield from self._give_up("report_unavailable")
        else:
            yield from self._pause(current)

    def _pause(self, current: _Current) -> Iterator[Told]:
        """Said when it changes; paper put in lets the job go on by itself."""
        if self._needs == current.paused:
            return
        current.paused = self._needs
        yield ReportPaused(current.job, self._needs) if self._needs else ReportSending(current.job)

    def _cancel(self, printer: A4Printer, job: str) -> Iterator[Told]:
        if self._held is not None and self._held.report.job == job:
            self._held = None
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
        if self._held is not None:
            held, self._held = self._held, None
            yield ReportFailed(held.report.job, why)

    def absent(self, effect: Effect) -> Iterable[Told]:
        if isinstance(effect, PrintReport):
            return (ReportFailed(effect.job, "a4_printer_away"),)
        return ()

    def interrupt(self, effect: Effect) -> bool:
        return False

    def close(self) -> None:
        self._printer = None
