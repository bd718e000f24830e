"""The people at the entrance: who they are, since when they wait, what was noted of them.

Rule: names and numbers leave this module masked, but for records, which are sealed, and for the
note that brings the list back after a crash, which is sealed too.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from kiosk.domain.identity import Credential, Identity, age_on, mask_name
from kiosk.domain.screening import Substitute
from kiosk.domain.visit import Dependant
from kiosk.flows.common import born_of, mask_number
from kiosk.flows.scene import Scene
from kiosk.hospital.contract import from_json, to_json
from kiosk.views import WaitingCard

LANE = "waiting"
"""The note's name. It is sealed under the terminal's own key, not under each person's."""
WAITING_MAX = 30
"""More people than one volunteer can keep in sight; the next ones are served as they come."""
WAITING_HOURS_MAX = 12
"""Yesterday's list is nobody's: it is dropped when the channel is opened."""
SERIALS_MAX = 500
"""Paper forms remembered, so that none is counted twice; a volunteer fills in a few a day."""


@dataclass(frozen=True)
class Someone:
    """A person as far as is known; all empty for somebody who is let in on paper alone."""

    number: str = field(default="", repr=False)
    name: str = field(default="", repr=False)
    born: date | None = field(default=None, repr=False)
    relation: str = ""  # of a dependant, to the holder
    person: str = ""  # the hospital's id, where only that is known
    by_card: Substitute = Substitute.ID_CARD  # what said it, if a card did

    @property
    def shown(self) -> str:
        """The masked name; a typed number has none, and is shown masked itself."""
        return mask_name(self.name) if self.name else mask_number(self.number)

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def index(self) -> str:
        return self.number or self.person

    def age(self, today: date) -> int | None:
        return age_on(self.born, today) if self.born else None


BY_CARD = {
    Credential.SOCIAL_CARD: Substitute.SOCIAL_CARD,
    Credential.HEALTH_CARD: Substitute.HEALTH_CARD,
}
"""Cards that stand in for a health code as the ID card does, each under its own name."""


def from_card(identity: Identity) -> Someone:
    born = identity.born or born_of(identity.number)
    by_card = BY_CARD.get(identity.credential, Substitute.ID_CARD)
    return Someone(identity.number, identity.name, born, by_card=by_card)


def from_number(number: str) -> Someone:
    return Someone(number, born=born_of(number))


def from_dependant(dependant: Dependant) -> Someone:
    return Someone(
        dependant.number, dependant.name, dependant.born, dependant.relation, dependant.person
    )


@dataclass(frozen=True)
class Case:
    """One turn at the entrance: usually one person, several when a holder brings dependants."""

    key: str
    number: int
    since: datetime
    people: tuple[Someone, ...] = ()
    substitute: Substitute | None = None
    relative: Someone | None = None
    relation: str = ""
    paper: str = ""
    paper_valid: str = "today"
    form: str = ""  # serial number of a form filled in by hand
    yes: tuple[str, ...] = ()
    health_code: str = ""
    looked_up_because: str = ""
    noted: str = ""

    def is_of(self, number: str) -> bool:
        return any(one.number == number for one in self.people)

    def waited_s(self, now: datetime) -> int:
        return max(0, int((now - self.since).total_seconds()))

    def forgotten(self) -> Case:
        """The same turn and clock, before anybody was known."""
        return Case(self.key, self.number, self.since)


def card_of(case: Case, scene: Scene) -> WaitingCard:
    first = case.people[0] if case.people else Someone()
    since_s = case.waited_s(scene.now)
    return WaitingCard(
        case.key,
        case.number,
        first.shown,
        first.age(scene.now.date()),
        since_s,
        alarm=since_s >= scene.rules.green_alarm_s,
        noted=case.noted,
    )


# --- what survives a crash -----------------------------------------------------------------------


@dataclass(frozen=True)
class Kept:
    """The note `waiting`: everybody who is here, and the paper forms that have been counted."""

    cases: tuple[Case, ...] = ()
    counter: int = 0
    forms: tuple[str, ...] = ()


def to_note(kept: Kept) -> str:
    return to_json(kept).decode()


def from_note(note: str, now: datetime) -> Kept:
    """What the note says; an unreadable one is an empty list: nobody is lost but their clock."""
    try:
        kept: Kept = from_json(Kept, note) if note else Kept()
    except ValueError:
        return Kept()
    oldest = now - timedelta(hours=WAITING_HOURS_MAX)
    cases = tuple(put_aside(case) for case in kept.cases if oldest <= case.since <= now)
    return replace(kept, cases=cases)


def put_aside(case: Case) -> Case:
    return replace(case, noted=case.noted or "put_aside")
