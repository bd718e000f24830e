"""What it means when a port cannot be opened; the same for every kind of port."""

from __future__ import annotations

import errno

from drivers.errors import DeviceAbsent, DeviceBusy, TransportError

ABSENT = {errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EIO, errno.ENOTDIR}
BUSY = {errno.EAGAIN, errno.EBUSY}


def cannot_open(path: str, fault: Exception) -> TransportError:
    """DeviceAbsent, DeviceBusy, or TransportError when it is there and cannot be used."""
    number = getattr(fault, "errno", None)
    if number in ABSENT:
        return DeviceAbsent(f"{path}: nothing there")
    if number in BUSY:
        return DeviceBusy(f"{path}: held by another program")
    reason = errno.errorcode.get(number, "") if isinstance(number, int) else str(fault)
    return TransportError(f"{path}: cannot be opened: {reason}")
