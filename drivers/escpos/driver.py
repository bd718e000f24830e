"""The host's side of a receipt printer: look, print one slip, know what became of it.

Rule: a slip is Printed only when the printer answered the mark behind its cut and then said that
nothing is wrong. Silence is never "ok", and nothing is ever printed a second time from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NoReturn

from drivers.deadline import Clock, Deadline
from drivers.errors import (
    CoverOpen,
    DeadlineExceeded,
    DeviceRefused,
    DriverError,
    OutcomeUnknown,
    PaperJammed,
    PaperOut,
    ProtocolError,
    TransportError,
)
from drivers.escpos import commands as cmd
from drivers.escpos.answers import Inbox
from drivers.escpos.commands import GENERIC_80, KIOSK_80, Model
from drivers.escpos.encoder import Job, encode
from drivers.escpos.glyphs import Glyphs
from drivers.identity import DeviceIdentity
from drivers.slip import Slip, Stripped
from drivers.transport import ByteStream

KIND = "escpos"
CAPABILITIES = frozenset({"slip", "qr", "code128", "rare_characters", "retract", "eject"})
"""What this driver can be asked for; retract and eject only with a model that has a presenter."""

KIOSK_PROBE_S = 0.5  # other printers do not answer 10 04 14 at all
STATUS_S = 1.0  # real-time answers come in milliseconds, even from a printer that is busy
TIDY_S = 15.0  # a kiosk printer restarts for this
MARK_S = 0.5  # silence after which a printing printer is asked what it waits for
LAST_WORDS_S = STATUS_S + 0.2  # kept for the look after the slip, or for throwing it away
CLEAR_S = 0.3
QUIET_S = 0.3  # longer than a printer needs between two marks of an old slip
PATIENCE_S = 4.0  # motor start, cutting, presenting
SLOWEST_BYTES_PER_S = 900  # 9600 baud

Trouble = Literal["mechanical", "cutter", "fatal", "overheated"]


@dataclass(frozen=True)
class PrinterState:
    """What the printer says of itself; None where this model cannot tell."""

    paper: Literal["ok", "near_end", "out"]
    cover_open: bool
    trouble: Trouble | None
    offline: bool
    ticket_in_exit: bool | None = None

    @property
    def ready(self) -> bool:
        """Whether a slip may be begun. A roll that nears its end is still good for one."""
        stopped = self.offline or self.cover_open or self.trouble is not None
        return not stopped and self.paper != "out"


@dataclass(frozen=True)
class Progress:
    """Of `blocks` lines and codes at least `taken` are on paper."""

    taken: int
    blocks: int


@dataclass(frozen=True)
class Printed:
    """On paper, cut, and the printer is well. The rest is for the log, code points only."""

    stripped: tuple[Stripped, ...] = ()
    boxed: tuple[int, ...] = ()
    paper_near_end: bool = False


class _BrokenOff(DriverError):
    """A slip that was begun; `progress` says how far it is known to have come."""

    def __init__(self, reason: str, progress: Progress) -> None:
        super().__init__(f"{reason}, after {progress.taken} of {progress.blocks} parts of a slip")
        self.progress = progress


class PaperOutMidSlip(_BrokenOff, PaperOut):
    """The roll ended while printing."""


class CoverOpenMidSlip(_BrokenOff, CoverOpen):
    """Somebody opened the printer while it printed."""


class JammedMidSlip(_BrokenOff, PaperJammed):
    """Mechanics, knife or head stopped while printing."""


class SlipUnknown(_BrokenOff, OutcomeUnknown):
    """Sent, and the printer did not say that it is done. Look at the paper, do not repeat."""


class CutterStuck(DeviceRefused):
    """The knife does not move."""


class PrinterOffline(DeviceRefused):
    """The printer says that it cannot print and not why."""


class ReceiptPrinter:
    """One request, one deadline; no thread, no retry, no sleep.

    A slip that broke off is thrown away in the printer, and a connection begins with a tidy
    printer, so that one person's slip never comes out for, or ends on, another's.
    """

    def __init__(
        self,
        stream: ByteStream,
        clock: Clock,
        model: Model = GENERIC_80,
        glyphs: Glyphs | None = None,
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._model = model
        self._glyphs = glyphs
        self._clean = False  # nothing of an older slip is left in the printer or on the line

    # -- look

    def status(self, timeout_s: float = STATUS_S) -> PrinterState:
        """Ask now. DeadlineExceeded when anything stays unanswered; that is never "ok"."""
        self._stream.discard_input()
        return self._look(Inbox(self._stream), Deadline.after(self._clock, timeout_s))

    def _look(self, inbox: Inbox, deadline: Deadline) -> PrinterState:
        printer, cause, error, paper = (self._ask(inbox, n, deadline) for n in (1, 2, 3, 4))
        kiosk = None
        if self._model.kiosk_status:
            self._stream.write(cmd.KIOSK_STATUS, deadline)
            kiosk = inbox.kiosk(deadline)
        return state_of(printer, cause, error, paper, kiosk)

    def _ask(self, inbox: Inbox, n: int, deadline: Deadline) -> int:
        self._stream.write(cmd.STATUS + bytes([n]), deadline)
        return inbox.status(deadline)

    def probe(self, timeout_s: float = 2 * STATUS_S) -> DeviceIdentity:
        """Which family answers here; prints nothing. Any DriverError: not such a printer."""
        deadline = Deadline.after(self._clock, timeout_s)
        self._stream.discard_input()
        inbox = Inbox(self._stream)
        for n in (1, 2, 3, 4):
            self._ask(inbox, n, self._soon(timeout_s / 2, deadline))
        self._stream.write(cmd.KIOSK_STATUS, deadline)
        try:
            inbox.kiosk(self._soon(KIOSK_PROBE_S, deadline))
        except DeadlineExceeded:
            return DeviceIdentity(KIND, GENERIC_80.name)
        return DeviceIdentity(KIND, KIOSK_80.name)

    def close(self) -> None:
        """Give the port back."""
        self._stream.close()

    # -- print

    def print_slip(self, slip: Slip, timeout_s: float | None = None) -> Printed:
        """Print and cut one slip, whatever was printed before: a copy is the caller's to mark.

        Nothing of it is on paper: PaperOut, CoverOpen, PaperJammed, CutterStuck, PrinterOffline,
        TransportError, ProtocolError. It was begun: PaperOutMidSlip, CoverOpenMidSlip,
        JammedMidSlip (each with `progress`). Nobody knows: SlipUnknown. `timeout_s` None: as long
        as the slip may take.
        """
        job = encode(slip, self._model, self._glyphs)
        allowed_s = longest_s(job, self._model) if timeout_s is None else timeout_s
        deadline = Deadline.after(self._clock, allowed_s)
        until_marked = Deadline.after(self._clock, allowed_s - LAST_WORDS_S)
        if self._clean:
            refuse_unless_ready(self.status(min(STATUS_S, until_marked.remaining_s())))
        else:
            self.tidy(until_marked.remaining_s())
        inbox = Inbox(self._stream)
        self._clean = False
        try:
            self._send(job, inbox, until_marked)
            state = self._look(inbox, self._soon(STATUS_S, deadline))
            _believe(state, job, inbox.marks)
        except DriverError as fault:
            self._throw_away(deadline)
            self._explain(fault, _progress(job, inbox.marks))
        self._clean = True
        return Printed(job.stripped, job.boxed, state.paper == "near_end")

    def _send(self, job: Job, inbox: Inbox, deadline: Deadline) -> None:
        """All bytes, then every mark; a silence is a reason to ask what the printer waits for."""
        for part in job.parts:
            self._stream.write(part.data, deadline)
        while inbox.marks < len(job.parts):
            deadline.check("mark behind the slip")
            if not inbox.wait_for_mark(self._soon(MARK_S, deadline)):
                state = self._look(inbox, self._soon(STATUS_S, deadline))
                break_off_if_stopped(state, _progress(job, inbox.marks))

    def _explain(self, fault: DriverError, progress: Progress) -> NoReturn:
        if isinstance(fault, _BrokenOff):
            raise fault
        raise SlipUnknown(f"no clear word from the printer ({fault})", progress) from fault

    def _throw_away(self, deadline: Deadline) -> None:
        """What the printer still holds of the slip; it must not come out for the next person."""
        heard = self._soon(CLEAR_S, deadline)
        try:
            self._stream.write(self._model.clear, heard)
            self._ask(Inbox(self._stream), 1, heard)  # an answer: the line before it was obeyed too
        except (TransportError, ProtocolError):
            return  # gone, or restarting; the next slip and the next connection begin with tidy()

    def tidy(self, timeout_s: float = TIDY_S) -> None:
        """Empty the printer's memory, cut off what stands half printed, hear all old marks.

        The first slip of a connection does this by itself; call it earlier to save that person
        the time. Raises as print_slip does before it begins.
        """
        deadline = Deadline.after(self._clock, timeout_s)
        self._stream.write(self._model.clear, deadline)
        self._await_return(deadline)
        self._stream.write(cmd.INIT + cmd.CUT + cmd.MARK, deadline)
        inbox = Inbox(self._stream)
        if not inbox.wait_for_mark(self._soon(PATIENCE_S, deadline)):
            raise DeadlineExceeded("no answer to a mark on empty paper in time")
        while inbox.wait_for_mark(self._soon(QUIET_S, deadline)):
            deadline.check("quiet on the printer's line")
        self._clean = True

    def _await_return(self, deadline: Deadline) -> None:
        """A printer that restarts says nothing for seconds."""
        while True:
            try:
                return refuse_unless_ready(self.status(min(STATUS_S, deadline.remaining_s())))
            except DeadlineExceeded:
                deadline.check("word from the printer after it was cleared")

    def _soon(self, wait_s: float, deadline: Deadline) -> Deadline:
        return Deadline.after(self._clock, min(wait_s, deadline.remaining_s()))

    # -- the presenter of kiosk printers

    def eject(self) -> None:
        """Let go of a slip that the exit holds. PrinterOffline: this model has no presenter."""
        self._move_ticket(self._model.eject)

    def retract(self) -> None:
        """Take a forgotten slip back in, so that the next person does not find it."""
        self._move_ticket(self._model.retract)

    def _move_ticket(self, command: bytes) -> None:
        if not command:
            raise PrinterOffline(f"{self._model.name} has no presenter")
        deadline = Deadline.after(self._clock, PATIENCE_S)
        self._stream.write(command + cmd.MARK, deadline)
        if not Inbox(self._stream).wait_for_mark(deadline):
            self._clean = False
            raise DeadlineExceeded("no word from the presenter in time")


def longest_s(job: Job, model: Model) -> float:
    """Seconds that a healthy printer may take for the job at worst."""
    paper_s = sum(part.height_dots for part in job.parts) / 8 / model.slowest_mm_per_s
    line_s = len(job.data) / SLOWEST_BYTES_PER_S
    return STATUS_S + PATIENCE_S + LAST_WORDS_S + paper_s + line_s


def _progress(job: Job, marks: int) -> Progress:
    taken = job.parts[min(marks, len(job.parts)) - 1].blocks if marks else 0
    return Progress(taken, job.blocks)


def state_of(printer: int, cause: int, error: int, paper: int, kiosk: bytes | None) -> PrinterState:
    """The answers to DLE EOT 1 to 4 and, from a kiosk printer, `p u r f`; any bad sign counts."""
    p, u, r, f = kiosk if kiosk is not None else (0, 0, 0, 0)
    out = bool(paper & 0x60 or cause & 0x20 or p & 0x01)
    near_end = bool(paper & 0x0C or p & 0x04)
    return PrinterState(
        paper="out" if out else "near_end" if near_end else "ok",
        cover_open=bool(cause & 0x04 or u & 0x03),
        trouble=_trouble(cause, error, r, f),
        offline=bool(printer & 0x08),
        ticket_in_exit=bool(p & 0x20) if kiosk is not None else None,
    )


def _trouble(cause: int, error: int, recoverable: int, fatal: int) -> Trouble | None:
    if error & 0x08 or fatal & 0x01:
        return "cutter"
    if error & 0x04 or fatal & 0x40:
        return "mechanical"
    if error & 0x20 or fatal:
        return "fatal"
    if error & 0x40 or recoverable & 0x01:
        return "overheated"
    return "fatal" if cause & 0x40 or recoverable else None


def refuse_unless_ready(state: PrinterState) -> None:
    """Before a slip: what a person has to do first. An open cover also hides the paper."""
    if state.cover_open:
        raise CoverOpen("the printer's cover is open")
    if state.paper == "out":
        raise PaperOut("no paper in the printer")
    match state.trouble:
        case "cutter":
            raise CutterStuck("the printer's knife is stuck")
        case "mechanical":
            raise PaperJammed("paper is stuck in the printer")
        case "fatal" | "overheated":
            raise PrinterOffline(f"the printer reports: {state.trouble}")
    if state.offline:
        raise PrinterOffline("the printer is offline and does not say why")


def _believe(state: PrinterState, job: Job, marks: int) -> None:
    """After the last mark: only a printer that is well has printed."""
    progress = _progress(job, marks)
    break_off_if_stopped(state, progress)
    if marks != len(job.parts) or state.offline:
        raise SlipUnknown("the printer contradicts itself", progress)


def break_off_if_stopped(state: PrinterState, progress: Progress) -> None:
    """During and after a slip: the reason why the rest does not come."""
    if state.cover_open:
        raise CoverOpenMidSlip("cover opened", progress)
    if state.paper == "out":
        raise PaperOutMidSlip("paper ran out", progress)
    if state.trouble is not None:
        raise JammedMidSlip(f"stopped: {state.trouble}", progress)
