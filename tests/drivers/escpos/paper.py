"""Slips and printers that several tests use."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from drivers.errors import DriverError
from drivers.escpos.commands import KIOSK_80, Model
from drivers.escpos.driver import ReceiptPrinter
from drivers.escpos.emulator import ReceiptPrinterEmulator
from drivers.escpos.glyphs import Glyphs, installed_faces
from drivers.slip import Align, Code128, Pair, Qr, Rule, Size, Slip, Space, Text
from tests.drivers.cable import GOOD, Cable, Faults


@cache
def glyphs() -> Glyphs:
    """One for all tests: it only remembers drawn characters."""
    return Glyphs(installed_faces())


SHORT = Slip((Text("您好"), Pair("合计", "¥128.50")))

LONG = Slip(
    (
        Text("市第一医院", Size.DOUBLE, bold=True, align=Align.CENTRE),
        Rule(heavy=True),
        Pair("姓名", "王*兰"),
        Pair("单号", "8K42", bold=True),
        *(Pair(f"检查项目 {number}", f"¥{number}.50", leader=".") for number in range(20)),
        Pair("您自己付", "¥41.20", Size.DOUBLE, bold=True),
        Text("请到三楼采血窗口", Size.DOUBLE),
        Text("A012", Size.HUGE, align=Align.CENTRE),
        Qr("https://hospital.example/s/8K42", "扫码看明细"),
        Space(16),
        Code128("8K42-20250302"),
    )
)


def wired(
    model: Model = KIOSK_80, faults: Faults = GOOD, seed: int = 0
) -> tuple[ReceiptPrinter, ReceiptPrinterEmulator, Cable]:
    """A driver and an emulator on a virtual cable. A cable that spoils what the terminal sends
    makes the printer print rubbish instead of stopping the test."""
    emulator = ReceiptPrinterEmulator(glyphs(), model, strict=not faults.on_requests)
    cable = Cable(emulator, faults, seed)
    return ReceiptPrinter(cable, cable.clock, model, glyphs()), emulator, cable


def fault_of(act: Callable[[], object]) -> DriverError | None:
    """The driver error that act ends with; None when it succeeds."""
    try:
        act()
    except DriverError as fault:
        return fault
    return None
