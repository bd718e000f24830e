"""Sealed copies of what the gateway said, each with an end: for deciding while it is away.

Today's appointments (one document a person), questionnaires, the health-code policy. A document
past its end is never returned, whatever else is missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from offline.store import Store, Transaction
from offline.vault import Erased, Place, Pseudonym

PROMISES = "promise"
"""The folder of documents that are good for one use; a store that was mended has none of them."""


@dataclass(frozen=True)
class Document:
    """A named document, valid until `expires_ms` by the wall clock."""

    name: str
    body: bytes = field(repr=False)
    expires_ms: int


class Cache:
    """Documents by name; a folder of them ("appointments/…") is replaced as a whole."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, tx: Transaction, document: Document, *, person: Pseudonym | None = None) -> None:
        """Keep a document, in place of an older one of this name."""
        sealed = tx.vault.seal(tx, person, _place(document.name), document.body)
        tx.run(
            "insert or replace into documents values (?, ?, ?, ?)",
            *(document.name, person, sealed, document.expires_ms),
        )

    def replace_folder(self, tx: Transaction, folder: str, documents: Iterable[Document]) -> None:
        """Make `folder`/… hold exactly these documents; all names must start with it."""
        drop_folder(tx, folder)
        for document in documents:
            assert document.name.startswith(folder + "/"), "a document of another folder"
            self.put(tx, document)

    def get(self, name: str) -> Document | None:
        """The document, unless it is missing, past its end, or its person was erased."""
        now_ms = self._store.clock.wall_ms()
        with self._store.reading() as reading:
            row = reading.one("select person, body, expires_at from documents where name = ?", name)
            if row is None:
                return None
            person_text, sealed, expires_ms = row
            assert isinstance(sealed, bytes) and isinstance(expires_ms, int)
            person = None if person_text is None else Pseudonym(str(person_text))
            body = reading.vault.unseal(reading, person, _place(name), sealed)
        if isinstance(body, Erased) or expires_ms <= now_ms:
            return None
        return Document(name, body, expires_ms)

    def names(self, folder: str) -> tuple[str, ...]:
        """The names of the documents in `folder`/…, past their end or not."""
        with self._store.reading() as reading:
            rows = reading.rows(
                "select name from documents where name >= ? and name < ? order by name",
                *(folder + "/", folder + "0"),
            )
        return tuple(str(name) for (name,) in rows)

    def drop(self, tx: Transaction, name: str) -> None:
        """Forget a document."""
        tx.run("delete from documents where name = ?", name)

    def drop_expired(self, tx: Transaction) -> int:
        """Erase documents past their end; how many."""
        return tx.run("delete from documents where expires_at <= ?", tx.at_ms)


def drop_folder(tx: Transaction, folder: str) -> int:
    """Forget all documents of `folder`/…; how many."""
    return tx.run("delete from documents where name >= ? and name < ?", folder + "/", folder + "0")


def _place(name: str) -> Place:
    return Place("documents", name, "body")
