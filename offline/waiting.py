"""The volunteer's waiting list: who stands in the lane and since when, across restarts."""

from __future__ import annotations

from dataclasses import dataclass, field

from offline.store import Store, Transaction
from offline.vault import Erased, Place, Pseudonym


@dataclass(frozen=True)
class Waiting:
    """One person in the lane. `body` is the caller's own form (mask name, substitute, …)."""

    entry: str
    person: Pseudonym | None
    body: bytes = field(repr=False)
    since_ms: int


class WaitingList:
    """Sealed entries, oldest first."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def join(
        self, tx: Transaction, entry: str, body: bytes, *, person: Pseudonym | None = None
    ) -> None:
        """Put somebody on the list; their clock starts now. The same entry twice is a bug."""
        sealed = tx.vault.seal(tx, person, _place(entry), body)
        tx.run("insert into waiting_list values (?, ?, ?, ?)", entry, person, sealed, tx.at_ms)

    def change(self, tx: Transaction, entry: str, body: bytes) -> None:
        """Replace what is known about an entry; their clock goes on."""
        row = tx.one("select person from waiting_list where entry = ?", entry)
        assert row is not None, "nobody waits under this entry"
        person = None if row[0] is None else Pseudonym(str(row[0]))
        sealed = tx.vault.seal(tx, person, _place(entry), body)
        tx.run("update waiting_list set body = ? where entry = ?", sealed, entry)

    def leave(self, tx: Transaction, entry: str) -> int | None:
        """Take somebody off; how long they waited in ms by the wall clock, or None if not there."""
        row = tx.one("select since from waiting_list where entry = ?", entry)
        if row is None:
            return None
        assert isinstance(row[0], int)
        tx.run("delete from waiting_list where entry = ?", entry)
        return max(0, tx.at_ms - row[0])

    def all(self) -> list[Waiting]:
        """Everybody, longest wait first; the erased are left out."""
        found = []
        with self._store.reading() as reading:
            for entry, person_text, sealed, since in reading.rows(
                "select entry, person, body, since from waiting_list order by since, entry"
            ):
                assert isinstance(sealed, bytes) and isinstance(since, int)
                person = None if person_text is None else Pseudonym(str(person_text))
                body = reading.vault.unseal(reading, person, _place(str(entry)), sealed)
                if not isinstance(body, Erased):
                    found.append(Waiting(str(entry), person, body, since))
        return found


def _place(entry: str) -> Place:
    return Place("waiting_list", entry, "body")
