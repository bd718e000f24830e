"""The slip printer as a port, and the domain's lines as the driver's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from drivers import errors
from drivers import slip as paper
from drivers.escpos import driver as escpos
from kiosk.devices.faults import fault_of
from kiosk.domain import document
from kiosk.flows.effects import (
    Effect,
    PrintSlip,
)
from kiosk.flows.events import (
    SlipFailed,
    SlipPrinted,
)
from kiosk.ports import DeviceFault, Listen, Part, Told


class ReceiptPrinterDevice:
    """A slip printer: looked at before, during and after each job, and while nothing is printed.

    A slip that nobody pulls out of a presenter is taken back in: it names its owner to whoever
    comes next.
    """

    part: Part = "receipt_printer"
    pause_s = 2.0

    LEFT_FOR = 30  # attends that a slip may hang in the exit: about a minute

    def __init__(
        self,
        connect: Callable[[], escpos.ReceiptPrinter],
        write: Callable[[PrintSlip], document.Slip],
    ) -> None:
        self._connect, self._write = connect, write
        self._printer: escpos.ReceiptPrinter | None = None
        self._why = "receipt_printer_away"
        self._hanging = 0

    def open(self) -> Iterator[Told]:
        try:
            self._printer = self._connect()
            escpos.refuse_unless_ready(self._printer.status())
            self._printer.tidy()
        except errors.DriverError as fault:
            raise self._fault(fault) from fault
        yield from ()

    def attend(self, listen: Listen) -> Iterator[Told]:
        assert self._printer is not None
        try:
            state = self._printer.status()
            escpos.refuse_unless_ready(state)
            self._hanging = self._hanging + 1 if state.ticket_in_exit else 0
            if self._hanging > self.LEFT_FOR:
                self._printer.retract()
        except errors.DriverError as fault:
            raise self._fault(fault) from fault
        yield from ()

    def perform(self, effect: Effect) -> Iterator[Told]:
        assert self._printer is not None and isinstance(effect, PrintSlip)
        self._hanging = 0
        slip = lay_out(self._write(effect))
        try:
            self._printer.print_slip(paper.enlarged(slip) if effect.large else slip)
        except errors.DriverError as fault:
            gone = self._fault(fault)
            begun = hasattr(fault, "progress")
            yield SlipFailed(effect.job, self._why, maybe=begun)
            raise gone from fault
        yield SlipPrinted(effect.job)

    def _fault(self, fault: errors.DriverError) -> DeviceFault:
        found = fault_of(fault)
        self._why = "receipt_printer_away" if found.code == "away" else found.code
        return found

    def absent(self, effect: Effect) -> Iterable[Told]:
        assert isinstance(effect, PrintSlip)
        return (SlipFailed(effect.job, self._why),)

    def interrupt(self, effect: Effect) -> bool:
        return False

    def close(self) -> None:
        if self._printer is not None:
            self._printer.close()
            self._printer = None


_SIZES = {
    document.Size.NORMAL: paper.Size.NORMAL,
    document.Size.LARGE: paper.Size.DOUBLE,
    document.Size.HUGE: paper.Size.HUGE,
}


def lay_out(slip: document.Slip) -> paper.Slip:
    """The domain's lines in the driver's terms."""
    return paper.Slip(tuple(_line(line) for line in slip.lines))


def _line(line: document.Line) -> paper.Line:
    match line:
        case document.Text(text, size, bold, centred):
            align = paper.Align.CENTRE if centred else paper.Align.LEFT
            return paper.Text(text, _SIZES[size], bold, align)
        case document.Pair(left, right, size, bold):
            return paper.Pair(left, right, _SIZES[size], bold)
        case document.Rule():
            return paper.Rule()
        case document.Space():
            return paper.Space()
        case document.Code(payload, caption):
            return paper.Qr(payload, caption, paper.Size.DOUBLE)
