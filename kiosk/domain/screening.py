"""Entrance screening: questions, look-back days and what a yes leads to are data, versioned."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True)
class Question:
    """One thing to ask about. `leads_to` is the profile's name of a route, e.g. fever_clinic."""

    id: str
    text: str
    text_en: str
    icon: str
    leads_to: str


@dataclass(frozen=True)
class Route:
    """Where a yes sends a person, in words for the slip and the screen."""

    id: str
    text: str
    text_en: str


@dataclass(frozen=True)
class Questionnaire:
    """One version of the form; the version travels with every answer."""

    version: str
    lookback_days: int
    questions: tuple[Question, ...]
    routes: tuple[Route, ...]

    def route_of(self, yes: frozenset[str]) -> Route | None:
        """The first question (in the form's order) answered yes decides; None: pass."""
        for question in self.questions:
            if question.id in yes:
                return next(route for route in self.routes if route.id == question.leads_to)
        return None


class Substitute(StrEnum):
    """What stands in for a health code or a phone (国办发〔2020〕45号)."""

    ID_CARD = "id_card"
    SOCIAL_CARD = "social_card"
    HEALTH_CARD = "health_card"
    PAPER = "paper"
    RELATIVE = "relative"
    DEPENDANT = "dependant"
    BY_HAND = "by_hand"


@dataclass(frozen=True)
class Screening:
    """One person let in or sent on. Sealed at once; erased after the profile's days."""

    questionnaire: str
    substitute: Substitute
    yes: tuple[str, ...]
    route: str  # "pass" or a route's id
    name: str = field(repr=False)
    number: str = field(default="", repr=False)
    paper: str = ""  # kind of certificate seen
    paper_valid_until: str = ""
    paper_serial: str = ""  # of a form filled by hand, so that nothing counts twice
    relative_name: str = field(default="", repr=False)
    relative_number: str = field(default="", repr=False)
    relation: str = ""
    looked_up_because: str = ""
