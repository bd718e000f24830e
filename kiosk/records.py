"""The store as the engine's port: thin, and the only place where both sides are seen.

One commit() is one transaction: a payment's move, its audit link and whatever must be sent are one
fact. Personal data goes in sealed, under a key of its own person.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from pathlib import Path
from random import Random
from typing import Any

from kiosk.domain.bill import Quote
from kiosk.domain.visit import GivenNumber, LentSlot
from kiosk.flows.effects import (
    DropNote,
    Effect,
    GiveNumber,
    KeepAudit,
    KeepCash,
    KeepMove,
    KeepNote,
    KeepPayment,
    KeepQueued,
    KeepQuote,
    KeepReturned,
    NoNumber,
)
from kiosk.flows.events import PinChecked
from kiosk.flows.green_people import LANE
from kiosk.flows.payment import Payment
from kiosk.flows.payment_state import IN_DOUBT
from kiosk.flows.slips import TrailLine
from kiosk.hospital.contract import (
    DayList,
    Expected,
    from_json,
    to_json,
)
from kiosk.keeping import Keeping
from kiosk.owned import Owned, registered
from kiosk.ports import SendRecords
from kiosk.sending import Sending
from offline import journal, outbox, pins
from offline.audit import HEAD_EVENTS, Audit, signing_key
from offline.ballast import BALLAST_BYTES, Ballast
from offline.cache import Cache, Document
from offline.catalogue import Catalogue
from offline.chain import AuditEvent, Intact, Tampered
from offline.clock import Clock
from offline.database import Database, SqliteDatabase
from offline.errors import StoreUnsafe
from offline.mend import open_or_mend
from offline.retention import Keep, Retention
from offline.settings import Settings
from offline.store import Store, Transaction
from offline.vault import Erased, Pseudonym, Vault

FRESH_BLOCK = 1000
"""Numbers are reserved on disk by the thousand; a restart skips what was left of a block."""

FOR_EVER_MS = 4_102_444_800_000  # 2100-01-01
NOBODY = "00"
"""Wrong numbers of volunteers are counted here, so that guessing a number is as slow as a PIN."""

NUMBER_DIGITS = 2
ROLES = ("technician", "finance", "auditor", "operator")
"""Staff who are asked for a PIN at the command line; volunteers have theirs on the screen."""

FOLDER_WORDS = "terminal.folder of the profile must belong to the terminal's user, all of it"


@dataclass(frozen=True)
class StaffMember:
    name: str
    gate: str


@dataclass(frozen=True)
class Opening:
    """How a store is opened. `check` False: at once, and no payment is admitted before
    `keeping.check()` has passed."""

    check: bool = True
    connect: Callable[[Path], Database] = SqliteDatabase
    ballast_bytes: int = BALLAST_BYTES


SLOWLY = Opening()
AT_ONCE = Opening(check=False)


class StoreRecords:
    """Records on one SQLite file. Safe to share between threads: the store takes turns."""

    def __init__(  # noqa: PLR0913  all that a start hands in
        self,
        store: Store,
        audit: Audit,
        staff: Mapping[str, StaffMember],
        keeping: Keeping,
        *,
        zone: tzinfo,
        random_bytes: Callable[[int], bytes],
        chance: Random,
        terminal: str,
        quote_key: str,
    ) -> None:
        self._store, self._audit, self._staff, self._zone = store, audit, dict(staff), zone
        self.keeping = keeping
        self._journal = journal.Journal(store)
        self._outbox = outbox.Outbox(store)
        self.sending = Sending(store, self._outbox, audit, zone=zone, chance=chance)
        self.owned = Owned(store, self._outbox, audit, terminal=terminal, quote_key=quote_key)
        self._cache = Cache(store)
        self._settings = Settings(store)
        self._pins = pins.Pins(store, random_bytes=random_bytes)
        self._events = Catalogue.read().events
        self._next_fresh = self._last_fresh = 0
        self._guard_unknown_numbers(random_bytes)

    # --- writing ---------------------------------------------------------------------------------

    def commit(self, keeps: Sequence[Effect], session: str) -> None:
        """All of them become durable together, before this returns; StoreFull, StoreBroken."""

        def work(tx: Transaction) -> None:
            for keep in keeps:
                self._keep(tx, keep, session)

        self.keeping.write(work)

    def admission(self) -> str:
        return self.keeping.admission()

    def pad_looked(self, mark: str) -> None:
        self.keeping.pad_looked(mark)

    def _keep(self, tx: Transaction, keep: Effect, session: str) -> None:
        match keep:
            case KeepAudit():
                self._tell_audit(tx, keep, session)
            case KeepPayment(payment):
                self._open_payment(tx, payment, session)
            case KeepMove(reference, state, evidence):
                moved_to = journal.State(state.lower())
                self._journal.moved(tx, reference, moved_to, evidence.encode())
                self._audit.append(tx, "payment_moved", reference=reference, state=moved_to.value)
                self._free_quote(tx, reference, moved_to)
            case KeepQuote(number, quote):
                self.owned.keep_quote(tx, self._need(number), quote)
            case KeepCash(reference):
                self._journal.noted(tx, reference, to_json(keep))
            case KeepReturned(reference):
                self._journal.noted(tx, reference, _RETURNED)
            case KeepQueued(kind, key, person, body):
                whose = self._pseudonym(person)
                self._outbox.queue(tx, key, kind=kind, body=to_json(body), person=whose)
            case KeepNote(name, body):
                self._cache.put(tx, Document(f"note/{name}", body.encode(), FOR_EVER_MS))
            case DropNote(name):
                self._cache.drop(tx, f"note/{name}")
            case _:
                raise AssertionError(f"{type(keep).__name__} is no record")

    def _open_payment(self, tx: Transaction, payment: Payment, session: str) -> None:
        whose = self._pseudonym(payment.number)
        self._journal.open_payment(
            tx,
            payment.reference,
            kind=payment.method,
            amount_fen=payment.amount_fen,
            subject=to_json(payment),
            person=whose,
        )
        if whose is not None:
            self.owned.use_quote(tx, whose, payment.quote_id, payment.reference)
        facts: dict[str, Any] = {"session": session}
        if whose is not None:
            facts["person"] = whose
        if payment.hold_key:
            facts["hold"] = payment.hold_key
        self._audit.append(
            tx,
            "payment_opened",
            reference=payment.reference,
            amount_fen=payment.amount_fen,
            kind=payment.method,
            **facts,
        )

    def _tell_audit(self, tx: Transaction, keep: KeepAudit, session: str) -> None:
        kind = self._events[keep.event]
        known = {field.name for field in kind.required + kind.optional}
        facts: dict[str, Any] = dict(keep.fields)
        for name, value in (("slip", keep.slip), ("reference", keep.reference)):
            if value:
                facts[name] = value
        for name, number in (("person", keep.person), ("for_person", keep.for_person)):
            if number:
                facts[name] = self._store.vault.pseudonym(number)
        if "session" in known:
            facts["session"] = session
        self._audit.append(tx, keep.event, **facts)

    def _pseudonym(self, number: str) -> Pseudonym | None:
        return self._store.vault.pseudonym(number) if number else None

    def _free_quote(self, tx: Transaction, reference: str, moved_to: journal.State) -> None:
        """An attempt that took nothing leaves its quote to the next one."""
        if moved_to in (journal.State.DECLINED, journal.State.REVERSED):
            found = self._journal.payment(reference)
            if found is not None and found.person is not None:
                self.owned.free_quote(tx, found.person, reference)

    # --- numbers and notes -----------------------------------------------------------------------

    def fresh(self) -> int:
        if self._next_fresh >= self._last_fresh:
            block = self.keeping.write(lambda tx: self._settings.next_number(tx, "fresh"))
            self._next_fresh = block * FRESH_BLOCK
            self._last_fresh = self._next_fresh + FRESH_BLOCK
        self._next_fresh += 1
        return self._next_fresh - 1

    def notes(self, prefix: str) -> dict[str, str]:
        found = {}
        for name in self._cache.names("note"):
            short = name.removeprefix("note/")
            document = self._cache.get(name) if short.startswith(prefix) else None
            if document is not None:
                found[short] = document.body.decode()
        return found

    def in_lane(self, number: str) -> bool:
        """Whether this person stands in the green channel's list."""
        return any(number in note for note in self.notes(LANE).values())

    # --- payments --------------------------------------------------------------------------------

    def open_payments(self) -> tuple[Payment, ...]:
        """As they were begun, in the state that was reached last, with its evidence."""
        return tuple(
            replace(_payment(found), in_doubt=self._told_in_doubt(found.reference))
            for found in self._journal.open_payments()
            if not isinstance(found.subject, Erased)
        )

    def _told_in_doubt(self, reference: str) -> bool:
        """The record that told finance says so itself, across restarts."""
        return self._outbox.show(f"{reference}-{IN_DOUBT}") is not None

    def payment_state(self, reference: str) -> str:
        """Where an attempt stands, ended or not; empty when there is none of this reference."""
        found = self._journal.payment(reference)
        return found.state.value.upper() if found else ""

    # --- the day list ----------------------------------------------------------------------------

    def keep_day_list(self, day_list: DayList, until: datetime) -> None:
        """Today's people, one sealed document each, gone after `until`."""
        until_ms = int(until.timestamp() * 1000)
        vault = self._store.vault
        with self._store.transaction() as tx:
            documents = [
                Document(
                    f"expected/{vault.pseudonym(one.number or one.person)}", to_json(one), until_ms
                )
                for one in day_list.people
            ]
            self._cache.replace_folder(tx, "expected", documents)

    def find_offline(self, number: str) -> Expected | None:
        document = self._cache.get(f"expected/{self._store.vault.pseudonym(number)}")
        if document is None:
            return None
        expected: Expected = from_json(Expected, document.body)
        return expected

    # --- what this terminal may promise alone -----------------------------------------------------

    def lent(self) -> tuple[LentSlot, ...]:
        return self.owned.lent()

    def give_number(self, give: GiveNumber, session: str) -> GivenNumber | NoNumber:
        """The number, its record and its trail, or none of them; twice the same to one person."""

        def work(tx: Transaction) -> GivenNumber | NoNumber:
            given = self.owned.give(tx, give.slot_id, self._need(give.number), give.key)
            for keep in () if given is None or given.again else registered(give, given):
                self._keep(tx, keep, session)
            return NoNumber() if given is None else given

        return self.keeping.write(work)

    def held_quote(self, number: str) -> Quote | None:
        return self.owned.quote_of(self._need(number))

    # --- staff -----------------------------------------------------------------------------------

    def set_pin(self, number: str, pin: str) -> None:
        """Give a volunteer of this terminal (two digits) a PIN of four digits or more."""
        with self._store.transaction() as tx:
            self._pins.set(tx, number, pin)

    def check_pin(self, pin: str) -> PinChecked:
        """Two digits of the volunteer's number, then the PIN; counted before it is looked at."""
        number, rest = pin[:NUMBER_DIGITS], pin[NUMBER_DIGITS:]
        who = number if number in self._staff and number in self._pins.known() else NOBODY
        answer = self.keeping.insist(lambda: self._pins.check(who, rest))
        self.keeping.insist(lambda: self._audit_pin(who, answer))
        match answer:
            case pins.PinRight() if who != NOBODY:
                member = self._staff[who]
                return PinChecked(True, member.name, member.gate, who=f"volunteer_{who}")
            case pins.PinWrong(failures, wait_s):
                left = max(0, pins.TRIES_FREE - failures)
                return PinChecked(False, tries_left=left, wait_s=_whole_s(wait_s))
            case pins.PinWait(wait_s):
                return PinChecked(False, wait_s=_whole_s(wait_s))
        return PinChecked(False)

    def check_role(self, role: str, pin: str) -> pins.PinAnswer:
        """A role's PIN, counted like a volunteer's; wrong ones are in the trail."""
        answer = self._pins.check(role, pin)
        with self._store.transaction() as tx:
            if isinstance(answer, pins.PinWrong):
                self._audit.append(tx, "pin_wrong", who=role, count=answer.failures)
        return answer

    def _audit_pin(self, who: str, answer: pins.PinAnswer) -> None:
        with self._store.transaction() as tx:
            match answer:
                case pins.PinWrong(failures, _):
                    self._audit.append(tx, "pin_wrong", who=f"volunteer_{who}", count=failures)
                case pins.PinWait(wait_s):
                    seconds = _whole_s(wait_s)
                    self._audit.append(tx, "pin_waiting", who=f"volunteer_{who}", seconds=seconds)

    def _guard_unknown_numbers(self, random_bytes: Callable[[int], bytes]) -> None:
        if NOBODY not in self._pins.known():
            unguessable = str(int.from_bytes(random_bytes(8), "big"))[-12:].zfill(12)
            self.set_pin(NOBODY, unguessable)

    # --- audit -----------------------------------------------------------------------------------

    def trail(self, number: str) -> tuple[TrailLine, ...]:
        """What was done in this person's name here, oldest first."""
        return tuple(self._line(event) for event in self._audit.trail(self._need(number)))

    def now(self) -> datetime:
        """The wall clock's time, in the hospital's zone."""
        return datetime.fromtimestamp(self._store.clock.wall_ms() / 1000, self._zone)

    def own_key(self, what: str) -> str:
        """A key that no other record has, for what no session has begun."""
        return f"{self.owned.terminal}-{self.now():%y%m%d}-{self.fresh()}-{what}"

    def find(self, slip_or_reference: str) -> list[AuditEvent]:
        return self._audit.find(slip_or_reference)

    def _need(self, number: str) -> Pseudonym:
        return self._store.vault.pseudonym(number)

    def _line(self, event: AuditEvent) -> TrailLine:
        facts = dict(event.facts)
        shown = [
            str(facts[name])
            for name in ("reference", "slip", "state", "disposition")
            if name in facts
        ]
        at = datetime.fromtimestamp(event.at_ms / 1000, self._zone)
        return TrailLine(at, event.event, " ".join(shown))

    def audit_key(self) -> str:
        """Base64 of the public key that verifies this trail's heads."""
        return base64.b64encode(self._audit.public_key).decode()

    def verify_audit(self) -> Intact | Tampered:
        """Walk the whole trail of this terminal: about 2 s for a million events."""
        return self._audit.verify()

    def witness(self, *, now: bool) -> int:
        """Queue signed heads for the gateway: `now`, or once a thousand events came; how many."""
        if not now and self._audit.unwitnessed() < HEAD_EVENTS:
            return 0
        with self._store.transaction() as tx:
            return self._audit.witness(tx, self._outbox)

    # --- erasing ---------------------------------------------------------------------------------

    def purge(self, keep_days: int) -> None:
        """Erase screenings that the gateway has, after so many days, and documents past their end.

        The bytes are gone from the disk when this returns.
        """
        retention = Retention(self._store, [Keep("screening", keep_days)])
        with self._store.transaction() as tx:
            for purged in retention.purge(tx):
                self._audit.append(tx, "records_purged", kind=purged.kind, count=purged.count)
        self._store.fold()

    # --- sending ---------------------------------------------------------------------------------

    def waiting(self) -> int:
        return self.sending.waiting()

    def send_round(self, send: SendRecords) -> float:
        return self.sending.round(send)

    def close(self) -> None:
        self._store.close()


_RETURNED = b"returned"
"""The row of a payment whose money the pad gave back unasked."""


def _payment(found: journal.Payment) -> Payment:
    assert isinstance(found.subject, bytes)
    begun: Payment = from_json(Payment, found.subject)
    proofs = [move.evidence for move in found.moves if move.state is journal.State.PAID]
    evidence = proofs[-1].decode() if proofs and isinstance(proofs[-1], bytes) else ""
    at: Any = found.state.value.upper()
    # Only a pad holds money; what a provider took is final from the start.
    completed = begun.method != "card" or begun.amount_fen == 0
    returned = any(move.evidence == _RETURNED for move in found.moves)
    now = replace(begun, at=at, evidence=evidence, completed=completed, returned=returned)
    return _with_notes(now, found) if begun.method == "cash" else now


def _with_notes(payment: Payment, found: journal.Payment) -> Payment:
    """How far the notes had come, by the newest row that speaks of one."""
    rows = [one.evidence for one in found.moves if isinstance(one.evidence, bytes)]
    told = [row for row in rows if row.startswith(b"{")]
    if not told:
        return payment
    kept: KeepCash = from_json(KeepCash, told[-1])
    return replace(
        payment, taken_fen=kept.taken_fen, note_fen=kept.note_fen, pad_mark=str(kept.mark)
    )


def _whole_s(seconds: float) -> int:
    return int(seconds + 0.999)


def open_records(  # noqa: PLR0913  all that a start hands in
    folder: Path,
    staff: Mapping[str, StaffMember],
    *,
    clock: Clock,
    zone: tzinfo,
    random_bytes: Callable[[int], bytes],
    chance: Random,
    terminal: str = "",
    quote_key: str = "",
    opening: Opening = SLOWLY,
) -> StoreRecords:
    """The terminal's store in `folder`, its keys beside it; both made on first start.

    A damaged store is mended. Raises a StoreError that says what to do.
    `terminal` and `quote_key` say whose quotes are believed; see kiosk/owned.py.
    """
    path = folder / "kiosk.db"
    first = not list(folder.glob("kiosk.db*"))  # one that is being mended is not a first start
    keys = folder / "keys"
    try:
        keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreUnsafe(f"{keys}: cannot be made: {error.strerror}; {FOLDER_WORDS}") from None
    vault = Vault.open(keys / "vault.key", random_bytes=random_bytes, create=first)
    signing = signing_key(keys / "audit.key", random_bytes=random_bytes, create=first)
    try:
        opened = open_or_mend(
            path, sealing=vault, clock=clock, connect=opening.connect, check=opening.check
        )
    except OSError as error:
        raise StoreUnsafe(f"{folder}: {error.strerror}; {FOLDER_WORDS}") from None
    store, audit = opened.store, Audit(opened.store, signing, Catalogue.read())
    if opened.damaged is not None:
        with store.transaction() as tx:
            audit.append(tx, "store_mended")
    ballast = Ballast(store, size_bytes=opening.ballast_bytes)
    keeping = Keeping(store, audit, ballast, opened.damaged, random_bytes)
    return StoreRecords(
        store,
        audit,
        staff,
        keeping,
        zone=zone,
        random_bytes=random_bytes,
        chance=chance,
        terminal=terminal,
        quote_key=quote_key,
    )
