"""What a step may know besides its own state: time, a fresh number, the person, the rules.

A Scene is frozen and made by the engine for one step; a flow never keeps it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from kiosk.domain.bill import Quote
from kiosk.domain.identity import Identity, age_on, mask_name
from kiosk.domain.screening import Questionnaire
from kiosk.flows.effects import Effect
from kiosk.flows.events import Event
from kiosk.flows.payment_state import Way
from kiosk.hospital.contract import Patient, Today
from kiosk.views import BarKey, Language, Notice, Page, Works

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U


@dataclass(frozen=True)
class Rules:
    """The part of the profile that flows need; data of one hospital and one terminal."""

    terminal: str  # e.g. K03
    place: str  # 3号门
    questionnaire: Questionnaire
    elder_age: int = 60
    cashier_window: str = "3"
    desk_window: str = "1"
    hotline: str = "12320"
    green_alarm_s: int = 300
    card_slot: bool = False  # a social security card may be put in
    paper_kinds: tuple[str, ...] = (
        "negative_test",
        "vaccination",
        "discharge",
        "community",
        "other",
    )
    relations: tuple[str, ...] = ("child", "parent", "spouse", "grandchild", "neighbour", "other")
    card_second_factor: bool = False
    treat_first: bool = False  # the fee of a leased number may wait until after the visit
    offline_bills: Literal["never", "self_pay", "quoted"] = "never"


@dataclass(frozen=True)
class Scene:
    now: datetime
    fresh: int  # never given twice at this terminal
    rules: Rules
    works: Works
    language: Language = "zh"
    person: Patient | None = field(default=None, repr=False)  # who is served
    acting: Patient | None = field(default=None, repr=False)  # who stands here, if another
    relation: str = ""
    today: Today | None = field(default=None, repr=False)
    elder: bool = False
    payment_open: bool = False  # an earlier payment is not final, and this person must wait for it
    ways_in_doubt: frozenset[Way] = frozenset()  # closed by another's payment, asked about for long
    pad_mark: str = ""  # what the pad remembered before any new payment: proves or disproves one
    notes_fen: tuple[int, ...] = ()  # what the cash box takes; empty: there is none, or it cannot
    card_expired: bool = False  # as SetPerson said
    by_card: Identity | None = field(default=None, repr=False)  # nobody but a card said who it is
    quote: Quote | None = field(default=None, repr=False)  # payable now without the hospital
    look_up: bool = False  # a signed health-code policy is on
    look_up_version: str = "0"  # of that policy; every look-up names it
    queued: int = 0  # records that wait for the gateway

    def number(self, suffix: int = 0) -> str:
        """A slip's number, short enough to be read out: `8K42`.

        `suffix` (0 to 31) tells several of one step apart.
        """
        assert 0 <= suffix < 32
        return base32(self.fresh * 32 + suffix)

    def key(self, what: str, suffix: int = 0) -> str:
        """A permanent key for one operation of this terminal."""
        return f"{self.rules.terminal}-{self.now:%y%m%d}-{self.number(suffix)}-{what}"

    def reference(self) -> str:
        """A payment's reference: `K03-261122-8K42`."""
        return f"{self.rules.terminal}-{self.now:%y%m%d}-{self.number()}"

    @property
    def who(self) -> str:
        return mask_name(self.person.name) if self.person else ""

    def age(self, patient: Patient) -> int | None:
        return age_on(patient.born, self.now.date()) if patient.born else None


def base32(number: int) -> str:
    """Crockford base 32, without padding."""
    digits = ""
    while True:
        number, rest = divmod(number, 32)
        digits = _ALPHABET[rest] + digits
        if number == 0:
            return digits


@dataclass(frozen=True)
class Accepts:
    """What the devices listen for while this page is shown."""

    cards: bool = False
    codes: Literal["", "identity", "payment"] = ""
    bank_cards: bool = False


@dataclass(frozen=True)
class Shown:
    """A page and what goes around it."""

    page: Page
    bar: tuple[BarKey, ...] = ("end", "help", "large", "voice")
    step: tuple[int, int] | None = None
    tone: Literal["teal", "green"] = "teal"
    accepts: Accepts = field(default_factory=Accepts)
    notice: Notice | None = None
    busy: str = ""
    title: str = ""
    idle: Literal["count", "never", "volunteer"] = "count"
    """count: U5's times · never: money or paper moves · volunteer: locks after 3 min."""


Stepped = tuple[Any, tuple[Effect, ...]]
"""The flow's next state and what shall be done."""

Start = Callable[[Scene, Any], Stepped]
Step = Callable[[Any, Event, Scene], Stepped]
Draw = Callable[[Any, Scene], Shown]


@dataclass(frozen=True)
class Business:
    """One flow as the engine holds it."""

    name: str
    start: Start
    step: Step
    view: Draw
