"""What a probe found at the other end of a cable; the same words for every kind of device."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DeviceIdentity:
    """`kind` is our name of the driver; `identity` is the device's own (serial number), if any."""

    kind: str
    model: str
    identity: str = ""
