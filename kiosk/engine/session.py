"""One person in front of the screen: one object, dropped whole at the end."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from kiosk.domain.bill import Quote
from kiosk.domain.identity import Identity
from kiosk.flows.effects import PrintSlip
from kiosk.flows.scene import Business
from kiosk.hospital.contract import Patient, Today
from kiosk.views import Language


@dataclass
class Layer:
    """A flow that is under way; call_help and hand_over lie on top of another."""

    token: int
    business: Business
    state: Any = field(repr=False)


@dataclass
class Session:
    """Nothing of it survives but sealed, purpose-bound records."""

    id: str
    layers: list[Layer] = field(default_factory=list)
    person: Patient | None = field(default=None, repr=False)
    acting: Patient | None = field(default=None, repr=False)
    relation: str = ""
    today: Today | None = field(default=None, repr=False)
    quote: Quote | None = field(default=None, repr=False)
    by_card: Identity | None = field(default=None, repr=False)
    begun: bool = False
    card_expired: bool = False
    elder: bool = False
    language: Language = "zh"
    size: Literal["normal", "large", "extra"] = "normal"
    voice: bool = False
    low: bool = False

    slips: dict[str, PrintSlip] = field(default_factory=dict, repr=False)
    unprinted: set[str] = field(default_factory=set)

    def failed(self, job: str, maybe: bool) -> None:
        """A slip that did not come out; printed again, as a copy when it may have been begun."""
        if job in self.slips:
            self.slips[job] = replace(self.slips[job], copy=self.slips[job].copy or maybe)
            self.unprinted.add(job)

    @property
    def top(self) -> Layer:
        return self.layers[-1]
