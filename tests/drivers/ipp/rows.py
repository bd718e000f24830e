"""The A4 printer's exchanges under the contract.

Each exchange is a connection of its own: the emulator forgets the last one when it is made.
"""

from __future__ import annotations

from typing import Any

from drivers.deadline import Clock, Deadline
from drivers.identity import DeviceIdentity
from drivers.ipp.driver import A4Printer, JobId
from drivers.ipp.emulator import IppPrinterEmulator
from drivers.ipp.state import A4State, JobState
from drivers.transport import ByteStream
from tests.drivers.cable import Cable
from tests.drivers.contract import Row

PDF = b"%PDF-1.4\n" + bytes(range(256)) * 4 + b"\n%%EOF\n"
TIMEOUT_S = 5.0


def on_cable(cable: Any, clock: Clock) -> A4Printer:
    """A driver whose connections all go over this one cable."""

    def connect(_deadline: Deadline) -> ByteStream:
        cable.discard_input()
        cable.emulator.connected()
        stream: ByteStream = cable
        return stream

    return A4Printer("ipp://printer.local/ipp/print", clock, connect)


def ready(emulator: IppPrinterEmulator) -> None:
    emulator.reasons.clear()


def without_paper(emulator: IppPrinterEmulator) -> None:
    emulator.reasons = {"media-empty-warning"}


def with_one_job(emulator: IppPrinterEmulator) -> None:
    """A job that is done, so that its state does not depend on how long a fault took."""
    ready(emulator)
    if not emulator.jobs:
        taker = IppPrinterEmulator()
        cable = Cable(taker)
        on_cable(cable, cable.clock).print_pdf(PDF, "report 1")
        cable.pass_time(2.0)
        emulator.jobs.update(taker.jobs)


ROWS = (
    Row(
        name="ipp state",
        make_emulator=IppPrinterEmulator,
        make_driver=on_cable,
        prepare=ready,
        exchange=lambda printer: printer.state(TIMEOUT_S),
        is_good=lambda outcome: isinstance(outcome, A4State) and outcome.ready,
        timeout_s=TIMEOUT_S,
    ),
    Row(
        name="ipp state without paper",
        make_emulator=IppPrinterEmulator,
        make_driver=on_cable,
        prepare=without_paper,
        exchange=lambda printer: printer.state(TIMEOUT_S),
        is_good=lambda outcome: isinstance(outcome, A4State) and outcome.condition == "media_empty",
        timeout_s=TIMEOUT_S,
    ),
    Row(
        name="ipp print",
        make_emulator=IppPrinterEmulator,
        make_driver=on_cable,
        prepare=ready,
        exchange=lambda printer: printer.print_pdf(PDF, "report 1", timeout_s=TIMEOUT_S),
        is_good=lambda outcome: isinstance(outcome, int),
        timeout_s=TIMEOUT_S,
    ),
    Row(
        name="ipp job",
        make_emulator=IppPrinterEmulator,
        make_driver=on_cable,
        prepare=with_one_job,
        exchange=lambda printer: printer.job(JobId(1), TIMEOUT_S),
        is_good=lambda outcome: isinstance(outcome, JobState) and outcome.printed,
        timeout_s=TIMEOUT_S,
    ),
    Row(
        name="ipp probe",
        make_emulator=IppPrinterEmulator,
        make_driver=on_cable,
        prepare=ready,
        exchange=lambda printer: printer.probe(TIMEOUT_S),
        is_good=lambda outcome: isinstance(outcome, DeviceIdentity),
        timeout_s=TIMEOUT_S,
    ),
)
