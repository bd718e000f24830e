"""How the terminal itself stands: what works, what may be paid with, what waits to be sent.

Rule: nothing of it is a person's, so that it outlives every session.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kiosk.engine.cash import CashBox
from kiosk.engine.lost import needed
from kiosk.flows.effects import Effect
from kiosk.ports import (
    CashBoxChanged,
    CashLooked,
    DeviceNeeds,
    DeviceStood,
    HospitalStood,
    NumbersStood,
    PadLooked,
    PaymentsStood,
    PolicyStood,
    Sent,
)
from kiosk.views import Works

Stood = (
    CashLooked
    | CashBoxChanged
    | DeviceStood
    | DeviceNeeds
    | HospitalStood
    | NumbersStood
    | PaymentsStood
    | PolicyStood
    | PadLooked
    | Sent
)
"""What devices, hospital and store say of themselves."""


class Standing:
    """The newest word of each. `queued`: records that wait for the gateway."""

    def __init__(self, cash: CashBox) -> None:
        self.cash = cash
        self.works = Works(hospital=False)
        self.policy = PolicyStood(False)
        self.pad_mark = ""
        self.queued = 0

    def told(self, told: Stood) -> list[Effect]:
        """What must be on disk about it."""
        match told:
            case CashLooked() | CashBoxChanged() | DeviceStood("cash_box"):
                return self.cash.told(told)
            case DeviceStood(part, well):
                stands: dict[str, Any] = {part: well}
                self.works = replace(self.works, **stands)
            case DeviceNeeds(_, code):
                self.works = replace(self.works, a4_needs=code)
                return [needed(told)]
            case HospitalStood(reachable):
                self.works = replace(self.works, hospital=reachable)
            case NumbersStood(left):
                self.works = replace(self.works, numbers=left)
            case PaymentsStood(off):
                self.works = replace(self.works, payments=not off)
            case PolicyStood():
                self.policy = told
            case PadLooked(mark):
                self.pad_mark = mark
            case Sent(waiting):
                self.queued = waiting
        return []
