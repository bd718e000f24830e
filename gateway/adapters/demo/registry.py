"""Who the demo hospital knows: its own people, and those who were entered at a terminal."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection, select

from gateway.adapters.demo.codes import read_health_code, read_insurance_code
from gateway.adapters.demo.people import SELF_PAY, Person, Tie
from gateway.adapters.demo.tables import patients, ties
from gateway.adapters.port import Refused, Work
from gateway.store import insert_new
from kiosk.domain.identity import Credential, DocumentKind, Identity, Sex
from kiosk.domain.visit import Dependant
from kiosk.hospital import contract as c

_CARD_LIKE = frozenset(
    {
        Credential.ID_CARD,
        Credential.SOCIAL_CARD,
        Credential.HEALTH_CARD,
        Credential.VOUCHED,
        Credential.RELATIVE,
    }
)


class Registry:
    """Finds people by any credential: the ID number first (row 2), other documents too (row 3)."""

    def __init__(self, people: Sequence[Person]) -> None:
        self._people = tuple(people)
        self._by_id = {person.id: person for person in people}
        self._by_document = {(person.document, person.number): person for person in people}
        self._by_card = {person.hospital_card: person for person in people}

    @property
    def people(self) -> tuple[Person, ...]:
        return self._people

    def person(self, connection: Connection, person_id: str) -> Person:
        """The person with the hospital's own id; Refused(404) when there is none."""
        found = self._by_id.get(person_id) or _entered(connection, patients.c.id == person_id)
        if found is None:
            raise Refused(404, "person_unknown")
        return found

    def identify(self, work: Work, ask: c.Identify) -> c.IdentifyReply:
        """One session whatever was shown (rows 1, 6, 10, 11)."""
        match ask.credential:
            case Credential.HEALTH_CODE | Credential.INSURANCE_CODE:
                return self._by_code(work, ask)
            case Credential.HOSPITAL_CARD:
                return _known_or_not(self._by_card.get(ask.value.strip().upper()))
            case Credential.TYPED_NUMBER:
                person = self._find(work.connection, ask.document, ask.value)
                return c.NotKnown() if person is None else _with_second_factor(person, ask, "phone")
        assert ask.credential in _CARD_LIKE, f"no way to read {ask.credential}"
        return _known_or_not(self._find(work.connection, ask.document, ask.value))

    def _by_code(self, work: Work, ask: c.Identify) -> c.IdentifyReply:
        health = ask.credential is Credential.HEALTH_CODE
        read = read_health_code if health else read_insurance_code
        code = read(ask.value, self._people, work.now)
        if code is None:
            return c.NotKnown()
        if not code.fresh:
            return c.CodeExpired()
        if not code.dynamic:
            return _with_second_factor(code.person, ask, "number")
        return _known_or_not(code.person)

    def _find(self, connection: Connection, kind: DocumentKind, number: str) -> Person | None:
        wanted = number.strip().upper()
        return self._by_document.get((kind, wanted)) or _entered(
            connection, (patients.c.document == kind.value) & (patients.c.number == wanted)
        )

    def enter(self, work: Work, identity: Identity, phone: str) -> Person:
        """Enter a person from their card, or find the one who is known already (row 119)."""
        number = identity.number.strip().upper()
        known = self._find(work.connection, identity.kind, number)
        if known is not None:
            return known
        born = "" if identity.born is None else identity.born.isoformat()
        row = {
            "id": f"N{hashlib.sha256(f'{identity.kind} {number}'.encode()).hexdigest()[:12]}",
            "document": identity.kind.value,
            "number": number,
            "name": identity.name,
            "born": born,
            "sex": identity.sex.value,
            "phone": phone,
        }
        insert_new(work.connection, patients, [row])
        return self.person(work.connection, row["id"])

    def bind(self, work: Work, holder: Person, dependant: Person, relation: str) -> None:
        row = {"holder": holder.id, "dependant": dependant.id, "relation": relation}
        insert_new(work.connection, ties, [row])

    def dependants(self, connection: Connection, holder: Person) -> tuple[Dependant, ...]:
        rows = connection.execute(
            select(ties.c.dependant, ties.c.relation).where(ties.c.holder == holder.id)
        )
        bound = {tie.person: tie for tie in holder.ties}
        bound |= {row.dependant: Tie(row.dependant, row.relation) for row in rows}
        return tuple(
            dependant_of(self.person(connection, tie.person), tie.relation)
            for tie in bound.values()
        )

    def may_act(self, connection: Connection, acting: str, person: str) -> None:
        """Refused(403) unless `acting` is empty or bound to this person."""
        if not acting:
            return
        holder = self.person(connection, acting)
        if all(one.person != person for one in self.dependants(connection, holder)):
            raise Refused(403, "not_bound")


def patient(person: Person) -> c.Patient:
    return c.Patient(
        person=person.id,
        name=person.name,
        number=person.number,
        born=person.born,
        sex=person.sex,
        insurance="" if person.insurance == SELF_PAY else person.insurance,
        real_name=person.real_name,
        phone_last4=person.phone_last4,
    )


def dependant_of(person: Person, relation: str) -> Dependant:
    insured = patient(person).insurance
    return Dependant(
        person.id, person.name, relation, person.born, person.last4, person.number, insured
    )


def _known_or_not(person: Person | None) -> c.IdentifyReply:
    return c.NotKnown() if person is None else c.Known(patient(person))


def _with_second_factor(person: Person, ask: c.Identify, factor: str) -> c.IdentifyReply:
    """A wrong second factor gets the same answer as none: it must not say whether it was near."""
    phone = factor == "phone" and person.phone != ""
    expected = person.phone_last4 if phone else person.last4
    if ask.second_factor.strip().upper() == expected:
        return c.Known(patient(person))
    return c.SecondFactorAsked("phone_last4" if phone else "number_last4")


def _entered(connection: Connection, where: object) -> Person | None:
    row = connection.execute(select(patients).where(where)).first()  # type: ignore[arg-type]
    if row is None:
        return None
    return Person(
        id=row.id,
        name=row.name,
        number=row.number,
        born=date.fromisoformat(row.born) if row.born else date(1900, 1, 1),
        sex=Sex(row.sex),
        insurance=SELF_PAY,
        document=DocumentKind(row.document),
        phone=row.phone,
    )
