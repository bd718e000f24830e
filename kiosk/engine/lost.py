"""Which devices are away, so that the trail tells of each loss and each return once."""

from __future__ import annotations

from kiosk.flows.effects import KeepAudit
from kiosk.ports import DeviceNeeds, DeviceStood


class Lost:
    """A device's first word after a start is nothing new: only what was lost can come back."""

    def __init__(self) -> None:
        self._parts: set[str] = set()

    def noted(self, stood: DeviceStood) -> tuple[KeepAudit, ...]:
        """What goes on record of this."""
        device = ("device", stood.part)
        if not stood.well:
            self._parts.add(stood.part)
            cause = (("cause", stood.code),) if stood.code else ()
            return (KeepAudit("device_lost", fields=(device, *cause)),)
        if stood.part not in self._parts:
            return ()
        self._parts.remove(stood.part)
        return (KeepAudit("device_back", fields=(device,)),)


def needed(told: DeviceNeeds) -> KeepAudit:
    """A device waits for a hand, or no longer: what goes on record of it."""
    device = ("device", told.part)
    if not told.code:
        return KeepAudit("device_goes_on", fields=(device,))
    return KeepAudit("device_waits", fields=(device, ("cause", told.code)))
