"""What is erased by age, and erasing a person: purposes end, and then the bytes go.

A record that the gateway has not taken yet is never touched here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from offline.cache import Cache
from offline.journal import UNSETTLED
from offline.store import Store, Transaction
from offline.vault import Pseudonym

DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True)
class Keep:
    """How long the body of an accepted record of this kind may stay on the terminal."""

    kind: str
    days: int


@dataclass(frozen=True)
class Purged:
    """How many bodies of a kind were erased."""

    kind: str
    count: int


@dataclass(frozen=True)
class StillNeeded:
    """The person cannot be erased yet: what is unsent, or unsettled, would be lost."""

    waiting: int
    open_payments: int


@dataclass(frozen=True)
class PersonErased:
    """Nothing sealed for this person can be read again."""


class Retention:
    """Erasure by age and by person."""

    def __init__(self, store: Store, rules: Sequence[Keep]) -> None:
        self._store = store
        self._rules = tuple(rules)

    def purge(self, tx: Transaction) -> list[Purged]:
        """Erase what is older than its rule, and documents past their end. Nightly.

        Call Store.fold() afterwards, so that the WAL forgets the bytes too. Key, kind and verdict
        of a record stay, so its key can never be used twice.
        """
        purged = []
        for rule in self._rules:
            count = tx.run(
                "update outbox set body = null where kind = ? and state = 'accepted' "
                "and body is not null and at < ?",
                *(rule.kind, tx.at_ms - rule.days * DAY_MS),
            )
            purged.append(Purged(rule.kind, count))
        Cache(self._store).drop_expired(tx)
        return [entry for entry in purged if entry.count]

    def erase(self, tx: Transaction, person: Pseudonym) -> PersonErased | StillNeeded:
        """Destroy a person's key, and with it all that was sealed for them. Then fold()."""
        needed = StillNeeded(
            _count(tx, "outbox where person = ? and state <> 'accepted'", person),
            _count(
                tx,
                f"payments where reference in (select o.reference from {UNSETTLED}) and person = ?",
                person,
            ),
        )
        if needed.waiting or needed.open_payments:
            return needed
        tx.run("delete from waiting_list where person = ?", person)
        tx.run("delete from documents where person = ?", person)
        tx.vault.destroy(tx, person)
        return PersonErased()


def _count(tx: Transaction, rest: str, person: Pseudonym) -> int:
    row = tx.one(f"select count(*) from {rest}", person)
    assert row is not None and isinstance(row[0], int)
    return row[0]
