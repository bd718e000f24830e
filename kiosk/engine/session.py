"""One person in front of the screen: one object, dropped whole at the end."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

from kiosk.domain.bill import Quote
from kiosk.domain.identity import Identity, age_on
from kiosk.flows.effects import (
    EndSession,
    Go,
    PrintSlip,
    Return,
    SetActing,
    SetPerson,
    SetToday,
)
from kiosk.flows.scene import Business
from kiosk.hospital.contract import Patient, Today
from kiosk.views import Language

_SIZES: dict[str, Literal["normal", "large", "extra"]] = {
    "normal": "large",
    "large": "extra",
    "extra": "normal",
}


@dataclass
class Layer:
    """A flow that is under way; call_help and hand_over lie on top of another.

    `leads`: where it would have led while another lay on top of it.
    """

    token: int
    business: Business
    state: Any = field(repr=False)
    leads: tuple[Go | Return | EndSession, ...] = field(default=(), repr=False)


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

    def adjusted(self, target: str) -> bool:
        """How this person wants the screen; False: the target is none of these keys."""
        match target:
            case "language:zh":
                self.language = "zh"
            case "language:en":
                self.language = "en"
            case "large":
                self.size = _SIZES[self.size]
            case "voice":
                self.voice = not self.voice
            case "low":
                self.low = not self.low
            case _:
                return False
        return True

    def learn(self, effect: SetPerson | SetToday | SetActing, today: date, elder_age: int) -> None:
        """Who it is, whom they act for, and what the hospital has for them today."""
        match effect:
            case SetPerson(patient, card_expired, by_card):
                self.person, self.card_expired = patient, card_expired
                self.acting, self.relation, self.by_card = None, "", by_card
                self.today, self.quote = None, None
                # U17: on at 60 from the card; one tap takes it off again.
                if patient.born and age_on(patient.born, today) >= elder_age:
                    self.elder, self.size = True, "large"
            case SetToday(found, quote):
                self.today, self.quote = found, quote
            case SetActing(patient, relation):
                self.acting = self.acting or self.person
                self.person, self.relation, self.by_card = patient, relation, None
                self.today, self.quote = None, None

    @property
    def as_new(self) -> bool:
        """Nothing was begun, and the screen is as the next person expects it."""
        plain = (self.language, self.size, self.voice, self.low) == ("zh", "normal", False, False)
        return plain and not self.begun

    @property
    def top(self) -> Layer:
        return self.layers[-1]
