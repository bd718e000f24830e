"""What this terminal owns and may promise alone: leased numbers and quotes that the gateway signed.

Rule: a deadline is held against the time floor, never against the wall clock alone; a number is
given once, a quote is used once, and what cannot be proven is not there.
"""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.domain.bill import Quote
from kiosk.domain.visit import Department, GivenNumber, LentSlot, Slot
from kiosk.flows.effects import GiveNumber, KeepAudit, KeepQueued
from kiosk.hospital.contract import (
    GrantLease,
    Lease,
    LeaseReturnedRecord,
    RegistrationRecord,
    from_json,
    to_json,
)
from offline import leases
from offline.audit import Audit
from offline.cache import PROMISES, Cache, Document
from offline.floor import TimeFloor
from offline.outbox import Outbox
from offline.settings import Settings
from offline.store import Store, Transaction
from offline.vault import Pseudonym

SAFE_MARGIN = timedelta(minutes=5)
"""So long before a lease's deadline its numbers are given out no more, and go back."""

LASTING = timedelta(minutes=20)
"""A number counts as at hand while it is good for so long; before that its successor is fetched."""

FOR_EVER_MS = 4_102_444_800_000  # 2100-01-01
_PINNED = "quote_key"


@dataclass(frozen=True)
class Wish:
    """A block that is asked for; the department's name is needed on a slip later."""

    ask: GrantLease
    department: Department


@dataclass(frozen=True)
class _Place:
    """What a leased number is worth, as it is kept beside it."""

    department: Department
    slot: Slot
    called: str


@dataclass(frozen=True)
class _Held:
    """A quote, and the payment that has used it."""

    quote: Quote
    used_by: str = ""


class Owned:
    """Of one store. `quote_key`: base64, raw Ed25519, from the profile; empty: the first heard."""

    def __init__(
        self, store: Store, outbox: Outbox, audit: Audit, *, terminal: str, quote_key: str
    ) -> None:
        self.terminal, self._quote_key = terminal, quote_key
        self._outbox, self._audit = outbox, audit
        self._store, self._cache, self._settings = store, Cache(store), Settings(store)
        self._leases = leases.Leases(store)
        self.floor = TimeFloor(store)

    # --- what the gateway says of itself ---------------------------------------------------------

    def heard(self, now: datetime, quote_key: str) -> None:
        """What time it is there, and whose signature its quotes bear: the first is believed."""
        self.floor.heard(int(now.timestamp() * 1000))
        if quote_key and not self._pinned():
            with self._store.transaction() as tx:
                self._settings.set(tx, _PINNED, quote_key)

    def _pinned(self) -> str:
        return self._quote_key or self._settings.get(_PINNED) or ""

    # --- leased numbers --------------------------------------------------------------------------

    def ask_for(self, department: Department, numbers: int, now: datetime) -> Wish:
        """A wish with a key of its own, durable before it is asked.

        After a crash the same key asks again, and gets the same block.
        """
        with self._store.transaction() as tx:
            serial = self._settings.next_number(tx, "lease")
            key = f"{self.terminal}-{now:%y%m%d}-{serial}-lease"
            least = now + SAFE_MARGIN + LASTING
            wish = Wish(GrantLease(key, department.id, now.date(), numbers, least), department)
            self._cache.put(tx, Document(_wished(wish), to_json(wish), FOR_EVER_MS))
        return wish

    def asked_for(self) -> tuple[Wish, ...]:
        """Blocks that were asked for and not yet answered."""
        documents = [self._cache.get(name) for name in self._cache.names(f"{PROMISES}/lease_asked")]
        return tuple(from_json(Wish, one.body) for one in documents if one is not None)

    def answered(self, wish: Wish, lease: Lease | None) -> None:
        """A block has come, or (None) none comes under this key: it is not asked for again."""
        with self._store.transaction() as tx:
            self._cache.drop(tx, _wished(wish))
            if lease is not None and self._grant(tx, lease, wish.department):
                pool, count = lease.slot.id, lease.count
                self._audit.append(tx, "lease_granted", lease=lease.id, pool=pool, count=count)

    def _grant(self, tx: Transaction, lease: Lease, department: Department) -> int:
        """Keep a block until a safe margin before its end; how many numbers were new."""
        if not lease.count:
            return 0
        numbers = range(lease.first, lease.first + lease.count)
        called = lease.called or tuple(str(number) for number in numbers)
        places = (_Place(department, lease.slot, name) for name in called)
        kept = tuple(
            leases.LeasedNumber(f"{number:04d}", to_json(place))  # in order, as texts go
            for number, place in zip(numbers, places, strict=True)
        )
        deadline_ms = int((lease.until - SAFE_MARGIN).timestamp() * 1000)
        return self._leases.granted(tx, leases.Lease(lease.id, lease.slot.id, deadline_ms, kept))

    def lent(self, at_least: timedelta = timedelta(0)) -> tuple[LentSlot, ...]:
        """The slots of which numbers may be given out now (and for so long), the earliest first."""
        now_ms = self.floor.now_ms() + int(at_least.total_seconds() * 1000)
        found = []
        for pool in self._leases.pools(now_ms):
            place = self._place(pool.next.body)
            found.append(LentSlot(place.department, replace(place.slot, left=pool.left)))
        return tuple(sorted(found, key=lambda one: (one.slot.starts, one.slot.doctor)))

    def left_by_department(self, at_least: timedelta) -> Counter[str]:
        """How many numbers of each department will still be good after `at_least`."""
        left: Counter[str] = Counter()
        for one in self.lent(at_least):
            left[one.department.id] += one.slot.left
        return left

    def give(
        self, tx: Transaction, slot_id: str, whose: Pseudonym, taken_for: str
    ) -> GivenNumber | None:
        """The next number of this slot, for this operation; the same one to the same person."""
        name = f"number_given/{whose}/{slot_id}"
        before = self._cache.get(name)
        if before is not None:
            given: GivenNumber = from_json(GivenNumber, before.body)
            return replace(given, again=True)
        now_ms = self.floor.now_ms()
        taken = self._leases.take(tx, slot_id, taken_for=taken_for, now_ms=now_ms)
        if isinstance(taken, leases.NoneLeft):
            return None
        place = self._place(taken.body)
        of = LentSlot(place.department, replace(place.slot, left=0))
        given = GivenNumber(taken.lease, int(taken.number), place.called, of)
        ends_ms = int(place.slot.ends.timestamp() * 1000)
        self._cache.put(tx, Document(name, to_json(given), ends_ms), person=whose)
        return given

    def return_overdue(self, now: datetime) -> int:
        """Give up what is past its safe deadline and tell the gateway, as one fact; how many.

        From then on the gateway may give those numbers to others, and this terminal never does.
        """
        overdue = self._leases.overdue(self.floor.now_ms())
        for lease in overdue:
            with self._store.transaction() as tx:
                numbers = tuple(int(number) for number in self._leases.ended(tx, lease))
                body = to_json(LeaseReturnedRecord(lease, numbers, now))
                self._outbox.queue(tx, f"{lease}-returned", kind="lease_returned", body=body)
                self._audit.append(tx, "lease_ended", lease=lease, count=len(numbers))
        return len(overdue)

    def keep_time(self) -> None:
        """Once a minute: what a restart must know of the time."""
        if self.floor.due():
            with self._store.transaction() as tx:
                self.floor.keep(tx)

    def _place(self, body: bytes) -> _Place:
        place: _Place = from_json(_Place, body)
        return place

    # --- signed quotes ---------------------------------------------------------------------------

    def keep_quote(self, tx: Transaction, whose: Pseudonym, quote: Quote) -> None:
        """One a person, the newest; it is looked at whole when somebody wants to use it."""
        self._put_quote(tx, whose, _Held(quote))

    def quote_of(self, whose: Pseudonym) -> Quote | None:
        """What this person may pay without the hospital, or None.

        It is signed with the pinned key over this very split, made at this terminal, still valid
        by the time floor, and no payment has used it.
        """
        held = self._held(whose)
        if held is None or held.used_by or held.quote.terminal != self.terminal:
            return None
        ends_ms = int(held.quote.valid_until.timestamp() * 1000)
        valid = ends_ms > self.floor.now_ms() and signed_by(self._pinned(), held.quote)
        return held.quote if valid else None

    def use_quote(self, tx: Transaction, whose: Pseudonym, quote_id: str, reference: str) -> None:
        """A payment is begun on it: nobody pays it again, unless that one comes to nothing."""
        held = self._held(whose)
        if held is not None and held.quote.id == quote_id:
            self._put_quote(tx, whose, _Held(held.quote, reference))

    def free_quote(self, tx: Transaction, whose: Pseudonym, reference: str) -> None:
        """That payment came to nothing, by the pad's or the provider's own word."""
        held = self._held(whose)
        if held is not None and held.used_by == reference:
            self._put_quote(tx, whose, _Held(held.quote))

    def _held(self, whose: Pseudonym) -> _Held | None:
        document = self._cache.get(_quoted(whose))
        if document is None:
            return None
        held: _Held = from_json(_Held, document.body)
        return held

    def _put_quote(self, tx: Transaction, whose: Pseudonym, held: _Held) -> None:
        ends_ms = int(held.quote.valid_until.timestamp() * 1000)
        document = Document(_quoted(whose), to_json(held), ends_ms)
        self._cache.put(tx, document, person=whose)


def _wished(wish: Wish) -> str:
    return f"{PROMISES}/lease_asked/{wish.department.id}"


def _quoted(whose: Pseudonym) -> str:
    return f"{PROMISES}/quote/{whose}"


def signed_by(public_key: str, quote: Quote) -> bool:
    """True when the quote's signature over all the rest of it is by this key (base64, raw)."""
    unsigned = to_json(replace(quote, signature=""))
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(quote.signature, validate=True), unsigned)
    except (InvalidSignature, ValueError):
        return False
    return True


def registered(give: GiveNumber, given: GivenNumber) -> tuple[KeepAudit | KeepQueued, ...]:
    """What is kept in the transaction that gives a number; the hospital honours it once."""
    identity = None if give.person else give.identity
    record = RegistrationRecord(
        given.lease, given.number, give.at, give.slip, give.person, identity
    )
    offline = ("offline", True)
    done = (("disposition", "done"), offline)
    return (
        KeepAudit("registration_begun", give.number, reference=give.key, fields=(offline,)),
        KeepAudit("number_given", reference=give.key, fields=(("lease", given.lease),)),
        KeepQueued("registration", give.key, give.number, record),
        KeepAudit("registration_ended", reference=give.key, fields=done),
    )
