"""What a driver's fault means to the engine; said once for all devices."""

from __future__ import annotations

from collections.abc import Callable

from drivers import errors
from kiosk.ports import DeviceFault, Told

Say = Callable[[Told], None]


def fault_of(fault: errors.DriverError) -> DeviceFault:
    """The notice's key for a fault that ends a connection."""
    match fault:
        case errors.PaperOut():
            return DeviceFault("no_receipt_paper", str(fault))
        case errors.CoverOpen():
            return DeviceFault("cover_open", str(fault))
        case errors.PaperJammed():
            return DeviceFault("printer_jam", str(fault))
    return DeviceFault("away", str(fault))
