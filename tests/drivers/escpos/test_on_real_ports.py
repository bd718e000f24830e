"""The same driver and emulator behind a real pseudo-terminal and a real socket."""

from __future__ import annotations

import time

import pytest

from drivers.errors import DeviceLost
from drivers.escpos.commands import KIOSK_80
from drivers.escpos.driver import PaperOutMidSlip, Printed, ReceiptPrinter
from drivers.escpos.emulator import ReceiptPrinterEmulator
from drivers.transports.serial_port import open_serial
from drivers.transports.tcp_port import open_tcp
from tests.drivers.escpos.paper import LONG, fault_of, glyphs
from tests.drivers.ports import Ports

BAUD = 115200


def printer_on(stream) -> ReceiptPrinter:  # type: ignore[no-untyped-def]
    return ReceiptPrinter(stream, time.monotonic, KIOSK_80, glyphs())


def test_a_slip_comes_out_over_a_serial_line_at_its_own_speed(ports: Ports) -> None:
    host = ports.pty(ReceiptPrinterEmulator(glyphs(), KIOSK_80), BAUD)
    printer = printer_on(open_serial(host.path, BAUD, time.monotonic))
    assert printer.print_slip(LONG) == Printed()
    assert printer.print_slip(LONG) == Printed()
    assert [slip.whole for slip in host.with_emulator(lambda e: e.slips)] == [True, True]


def test_a_slip_comes_out_over_the_network(ports: Ports) -> None:
    host = ports.tcp(ReceiptPrinterEmulator(glyphs(), KIOSK_80))
    printer = printer_on(open_tcp("127.0.0.1", host.port, time.monotonic))
    assert printer.print_slip(LONG) == Printed()
    assert len(host.with_emulator(lambda e: e.slips)) == 1


def test_paper_out_in_the_middle_is_told_over_a_serial_line(ports: Ports) -> None:
    """Row 77's cause: the roll ends while a slip is printed."""
    host = ports.pty(ReceiptPrinterEmulator(glyphs(), KIOSK_80), BAUD)
    printer = printer_on(open_serial(host.path, BAUD, time.monotonic))
    host.with_emulator(lambda e: e.paper_out_after(20))
    assert isinstance(fault_of(lambda: printer.print_slip(LONG)), PaperOutMidSlip)
    host.with_emulator(lambda e: e.put_paper_in())
    assert printer.print_slip(LONG) == Printed()
    assert [slip.whole for slip in host.with_emulator(lambda e: e.slips)] == [False, True]


def test_a_pulled_cable_is_a_lost_device_and_a_new_one_works(ports: Ports) -> None:
    host = ports.pty(ReceiptPrinterEmulator(glyphs(), KIOSK_80))
    printer = printer_on(open_serial(host.path, BAUD, time.monotonic))
    printer.status()
    host.unplug()
    with pytest.raises(DeviceLost):
        printer.status()
    host.plug()
    again = printer_on(open_serial(host.path, BAUD, time.monotonic))
    assert again.print_slip(LONG) == Printed()
