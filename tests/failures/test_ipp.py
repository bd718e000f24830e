"""A4 printer: each failure in each state of printing a report; no cell is empty.

What is compared is the paper: a report is called printed only if it came out, never twice, and
after everything is put right the person is told the truth.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from drivers.deadline import Deadline
from drivers.errors import DriverError, OutcomeUnknown
from drivers.ipp.driver import A4Printer, JobId
from drivers.ipp.emulator import PROCESSING, IppPrinterEmulator
from drivers.ipp.state import JobState
from drivers.transport import ByteStream
from tests.drivers.cable import Cable

PDF = b"%PDF-1.4\n" + b"x" * 50_000 + b"\n%%EOF\n"
TITLE = "report 8K42"
WAIT_S = 5.0


class AtMoment:
    """The printer, and a hand that does something to it once, when `moment` has come."""

    def __init__(self, inner: IppPrinterEmulator, moment: Callable[[AtMoment], bool]) -> None:
        self.inner = inner
        self.heard = bytearray()
        self.happened = False
        self.hand: Callable[[], None] = lambda: None
        self._moment = moment

    def look(self) -> None:
        if not self.happened and self._moment(self):
            self.happened = True
            self.hand()

    def receive(self, data: bytes) -> bytes:
        self.heard += data
        self.look()
        return self.inner.receive(data)

    def tick(self, now_s: float) -> bytes:
        self.look()
        return self.inner.tick(now_s)


def is_printing(trap: AtMoment) -> bool:
    return any(job.state == PROCESSING for job in trap.inner.jobs.values())


STATES: dict[str, Callable[[AtMoment], bool]] = {
    "idle": lambda trap: True,
    "document half sent": lambda trap: len(trap.heard) > 30_000,
    "last byte sent": lambda trap: PDF[-8:] in trap.heard,
    "printing": is_printing,
    "printed": lambda trap: bool(trap.inner.papers),
}


def misbehaviour(name: str) -> Callable[[IppPrinterEmulator, Cable], None]:
    return lambda emulator, _cable: emulator.misbehave(name)


def unplug(_emulator: IppPrinterEmulator, cable: Cable) -> None:
    cable.unplug()


# failure → what is known before anything is put right, for each state in the order of STATES. After
# ":" what is known afterwards, if that differs.
WAITS = "waits: printed"
FAILURES: dict[str, tuple[Callable[[IppPrinterEmulator, Cable], None], tuple[str, ...]]] = {
    "media empty": (misbehaviour("media_empty"), (WAITS, WAITS, WAITS, WAITS, WAITS)),
    "jam": (misbehaviour("media_jam"), (WAITS, WAITS, WAITS, WAITS, WAITS)),
    "cover open": (misbehaviour("cover_open"), (WAITS, WAITS, WAITS, WAITS, WAITS)),
    "toner empty": (misbehaviour("toner_empty"), (WAITS, WAITS, WAITS, WAITS, WAITS)),
    "toner low": (misbehaviour("toner_low"), ("printed",) * 5),
    "busy": (misbehaviour("busy"), ("refused", "refused", "refused", "printed", "printed")),
    "not accepting": (
        misbehaviour("not_accepting"),
        ("refused", "refused", "refused", WAITS, WAITS),
    ),
    "aborts": (misbehaviour("aborts"), ("aborted", "aborted", "aborted", "aborted", "printed")),
    "silent": (
        misbehaviour("silent"),
        ("unknown: printed", "unknown: printed", "unknown: printed", WAITS, WAITS),
    ),
    "power cut": (
        misbehaviour("power_cut"),
        ("unknown", "unknown", "unknown", "waits: forgotten", "waits: forgotten"),
    ),
    "unplugged": (unplug, ("refused", "unknown", "unknown: printed", WAITS, WAITS)),
}
CELLS = [
    (failure, state, outcome)
    for failure, (_, outcomes) in FAILURES.items()
    for state, outcome in zip(STATES, outcomes, strict=True)
]


def on_cable(cable: Cable, trap: AtMoment) -> A4Printer:
    def connect(_deadline: Deadline) -> ByteStream:
        trap.look()
        cable.discard_input()
        trap.inner.connected()
        return cable

    return A4Printer("ipp://printer.local/ipp/print", cable.clock, connect)


def known_of(printer: A4Printer, cable: Cable, job_id: JobId) -> str:
    """What a worker that asks again and again knows in the end."""
    until_s = cable.now_s + WAIT_S
    known = "waits"
    while cable.now_s < until_s:
        cable.pass_time(0.5)
        try:
            known = spoken(printer.job(job_id))
        except DriverError:
            known = "waits"
    return known


def spoken(job: JobState) -> str:
    if job.printed:
        return "printed"
    waits = not job.over or job.phase == "completed"
    return "waits" if waits else job.phase


@pytest.mark.parametrize(("failure", "state", "expected"), CELLS)
def test_each_failure_in_each_state(failure: str, state: str, expected: str) -> None:
    emulator = IppPrinterEmulator()
    trap = AtMoment(emulator, STATES[state])
    cable = Cable(trap)
    trap.hand = lambda: FAILURES[failure][0](emulator, cable)
    printer = on_cable(cable, trap)

    job_id: JobId | None = None
    try:
        job_id = printer.print_pdf(PDF, TITLE)
        before = known_of(printer, cable, job_id)
    except OutcomeUnknown:
        before = "unknown"
    except DriverError:
        before = "refused"
    assert trap.happened, "the moment never came"
    assert before == expected.split(":")[0]
    if before == "printed":
        assert emulator.papers == [PDF]

    emulator.behave()
    cable.plug()
    cable.pass_time(2.0)
    job_id = job_id or printer.find_job(TITLE)
    after = known_of(printer, cable, job_id) if job_id is not None else before
    assert after == expected.split(": ")[-1]
    assert emulator.papers in ([], [PDF])
    assert (emulator.papers == [PDF]) or after != "printed"

    again = printer.print_pdf(PDF, "report 9Z99")
    assert known_of(printer, cable, again) == "printed"
