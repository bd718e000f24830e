"""The receipt printer's exchanges under the contract.

The protocol has no checksum: a bit may flip "near end" on. What must never come is good news that
is not true: "ready" without paper, or "printed" with nothing on the tape.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drivers.deadline import Clock
from drivers.escpos.commands import GENERIC_80, KIOSK_80, Model
from drivers.escpos.driver import Printed, PrinterState, ReceiptPrinter
from drivers.escpos.emulator import ReceiptPrinterEmulator
from drivers.identity import DeviceIdentity
from drivers.transport import ByteStream
from tests.drivers.contract import Row
from tests.drivers.escpos.paper import SHORT, glyphs

PRINT_S = 12.0


def make_emulator(model: Model) -> Callable[[], ReceiptPrinterEmulator]:
    """A printer that goes on after rubbish, as real ones do."""
    return lambda: ReceiptPrinterEmulator(glyphs(), model, strict=False)


def make_driver(model: Model) -> Callable[[ByteStream, Clock], ReceiptPrinter]:
    return lambda stream, clock: ReceiptPrinter(stream, clock, model, glyphs())


def ready(emulator: ReceiptPrinterEmulator) -> None:
    emulator.put_paper_in()


def without_paper(emulator: ReceiptPrinterEmulator) -> None:
    emulator.paper_out_after(0)


class Tape:
    """Remembers the printer that a row's exchange prints on."""

    def __init__(self) -> None:
        self._emulator: ReceiptPrinterEmulator | None = None

    def empty(self, emulator: ReceiptPrinterEmulator) -> None:
        emulator.slips.clear()
        self._emulator = emulator

    def is_lie(self, outcome: object) -> bool:
        assert self._emulator is not None
        on_paper = bool(self._emulator.slips or self._emulator.standing)
        return isinstance(outcome, Printed) and not on_paper


def says(paper: str) -> Callable[[object], bool]:
    return lambda outcome: isinstance(outcome, PrinterState) and outcome.paper == paper


def says_ready(outcome: object) -> bool:
    return isinstance(outcome, PrinterState) and outcome.ready


def print_row(model: Model) -> Row:
    tape = Tape()

    def exchange(printer: Any) -> object:
        return printer.print_slip(SHORT, PRINT_S)

    return Row(
        name=f"escpos print on {model.name}",
        make_emulator=make_emulator(model),
        make_driver=make_driver(model),
        prepare=tape.empty,
        exchange=exchange,
        is_good=lambda outcome: isinstance(outcome, Printed),
        timeout_s=PRINT_S,
        is_lie=tape.is_lie,
    )


def status_row(model: Model) -> Row:
    return Row(
        name=f"escpos status of {model.name}",
        make_emulator=make_emulator(model),
        make_driver=make_driver(model),
        prepare=ready,
        exchange=lambda printer: printer.status(),
        is_good=says_ready,
        timeout_s=1.0,
    )


ROWS = (
    status_row(GENERIC_80),
    status_row(KIOSK_80),
    Row(
        name="escpos status without paper",
        make_emulator=make_emulator(KIOSK_80),
        make_driver=make_driver(KIOSK_80),
        prepare=without_paper,
        exchange=lambda printer: printer.status(),
        is_good=says("out"),
        timeout_s=1.0,
        is_lie=says_ready,
    ),
    print_row(GENERIC_80),
    print_row(KIOSK_80),
    Row(
        name="escpos probe",
        make_emulator=make_emulator(KIOSK_80),
        make_driver=make_driver(KIOSK_80),
        prepare=ready,
        exchange=lambda printer: printer.probe(),
        is_good=lambda outcome: outcome == DeviceIdentity("escpos", "kiosk-80"),
        timeout_s=2.0,
    ),
)
