"""Devices that wait for a person's hand: staff are called, as the page says.

Rule: once a trouble; one that comes over and over calls again after ten minutes at the soonest.
"""

from __future__ import annotations

from kiosk.ports import DeviceNeeds, DeviceStood, Part

AGAIN_AFTER_S = 600.0
CODES = frozenset(
    {
        *("no_receipt_paper", "no_report_paper", "cover_open", "printer_jam"),
        *("no_toner", "output_full", "a4_printer_stopped"),
    }
)
"""What a volunteer at the door can mend; a device that is away is a technician's."""


class Hands:
    """When somebody was called to what, by boot time."""

    def __init__(self) -> None:
        self._called_s: dict[Part, float] = {}

    def wanted(self, told: object, now_s: float) -> Part | None:
        """To which device somebody must be called now."""
        match told:
            case DeviceStood(part, False, code) | DeviceNeeds(part, code) if code in CODES:
                called_s = self._called_s.get(part)
                if called_s is not None and now_s - called_s < AGAIN_AFTER_S:
                    return None
                self._called_s[part] = now_s
                return part
        return None
