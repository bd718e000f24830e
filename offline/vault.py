"""Sealed fields: AES-256-GCM under a key of their own for each person, wrapped by the master key.

The master key lives in a file beside no database. Destroying a person's key erases everything
sealed under it, wherever the bytes are. Each sealed field is bound to its table, row and column,
so that it cannot be moved.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NewType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from offline.errors import StoreCorrupt
from offline.files import secret_file

if TYPE_CHECKING:
    from offline.store import Reading, Transaction

Pseudonym = NewType("Pseudonym", str)
"""A keyed hash of an ID number: the only name a person has outside sealed fields."""

KEY_BYTES = 32
NONCE_BYTES = 12
KEY_MARK_BYTES = 4
"""In front of a sealed field: which key. A person erased and met again has another key."""
HEADER = b"kiosk master key 1\n"
NONCES_DRAWN = 100
KEYS_HELD_MAX = 512
"""Unwrapped keys in memory; a batch of the outbox needs fewer than this many people's."""


class Erased:
    """The person's key was destroyed: nobody can read this field again."""


ERASED = Erased()


class Place(NamedTuple):
    """Where a sealed field stands; a field moved elsewhere does not open."""

    table: str
    row: str
    column: str

    def bound(self) -> bytes:
        """The bytes authenticated together with the field."""
        return f"{self[0]}\0{self[1]}\0{self[2]}".encode()


@dataclass(frozen=True, slots=True)
class _Key:
    cipher: AESGCM
    mark: bytes

    @classmethod
    def of(cls, raw: bytes) -> _Key:
        return cls(AESGCM(raw), sha256(b"mark" + raw).digest()[:KEY_MARK_BYTES])


class Vault:
    """The master key and what it opens. Holds unwrapped person keys only until forget_keys()."""

    def __init__(self, master: bytes, random_bytes: Callable[[int], bytes]) -> None:
        assert len(master) == KEY_BYTES, "a master key has 32 bytes"
        self._random_bytes = random_bytes
        self._wrapping = AESGCM(_derive(master, b"wrap person keys"))
        self._own = _Key.of(_derive(master, b"fields of no person"))
        self._naming = _derive(master, b"pseudonyms")
        self.key_id = _derive(master, b"key id").hex()[:16]
        self._nonces: list[bytes] = []
        self._held: dict[Pseudonym, _Key] = {}

    @classmethod
    def open(cls, key_file: Path, *, random_bytes: Callable[[int], bytes], create: bool) -> Vault:
        """Read the key file; create it (0600) if it is missing and `create`, the first start.

        Raises KeyMismatch. Pass create=False when the store exists: a new key opens nothing.
        """
        master = secret_file(key_file, HEADER, random_bytes=random_bytes, create=create)
        return cls(master, random_bytes)

    def pseudonym(self, number: str) -> Pseudonym:
        """The keyed hash of an ID number. Other documents: put their kind before the number."""
        canonical = "".join(number.split()).upper()
        assert canonical, "nobody has an empty number"
        digest = hmac.digest(self._naming, canonical.encode(), "sha256")
        return Pseudonym(digest[:16].hex())

    def seal(self, tx: Transaction, person: Pseudonym | None, place: Place, data: bytes) -> bytes:
        """Encrypt data for its place; a person's first field creates their key in tx."""
        key = self._own if person is None else self._held.get(person)
        if key is None:
            key = self._writing_key(tx, person)
        nonce = self._nonces.pop() if self._nonces else self._nonce()
        return key.mark + nonce + key.cipher.encrypt(nonce, data, place.bound())

    def unseal(
        self, reading: Reading, person: Pseudonym | None, place: Place, sealed: bytes
    ) -> bytes | Erased:
        """The data, or ERASED. StoreCorrupt when the field was altered or moved."""
        key = self._reading_key(reading, person)
        mark, nonce, text = _parts(sealed)
        if key is None or (person is not None and mark != key.mark):
            return ERASED
        try:
            return key.cipher.decrypt(nonce, text, place.bound())
        except (InvalidTag, ValueError):
            raise StoreCorrupt("a sealed field does not belong where it stands") from None

    def destroy(self, tx: Transaction, person: Pseudonym) -> bool:
        """Erase a person: their key goes, for ever. False when there was none.

        Call Store.fold() after the transaction, so that the WAL forgets the wrapped key too.
        """
        self._held.pop(person, None)
        return tx.run("delete from person_keys where person = ?", person) == 1

    def forget_keys(self) -> None:
        """Drop unwrapped keys from memory; called at the end of every session."""
        self._held.clear()

    def _nonce(self) -> bytes:
        """Random and never used again; drawn by the hundred, since each draw is a system call."""
        if not self._nonces:
            drawn = self._random_bytes(NONCE_BYTES * NONCES_DRAWN)
            self._nonces = [drawn[n : n + NONCE_BYTES] for n in range(0, len(drawn), NONCE_BYTES)]
        return self._nonces.pop()

    def _writing_key(self, tx: Transaction, person: Pseudonym | None) -> _Key:
        key = self._reading_key(tx, person)
        if key is not None:
            return key
        assert person is not None
        raw, nonce = self._random_bytes(KEY_BYTES), self._nonce()
        wrapped = nonce + self._wrapping.encrypt(nonce, raw, person.encode())
        tx.run("insert into person_keys values (?, ?)", person, wrapped)
        return self._hold(person, raw)

    def unwraps(self, person: Pseudonym, wrapped: bytes) -> bool:
        """Whether these bytes are a key of this person's, wrapped by this vault."""
        try:
            self._wrapping.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], person.encode())
        except (InvalidTag, ValueError):
            return False
        return True

    def _reading_key(self, reading: Reading, person: Pseudonym | None) -> _Key | None:
        if person is None:
            return self._own
        held = self._held.get(person)
        if held is not None:
            return held
        found = reading.one("select wrapped from person_keys where person = ?", person)
        if found is None:
            return None
        wrapped = found[0]
        assert isinstance(wrapped, bytes)
        try:
            raw = self._wrapping.decrypt(
                wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], person.encode()
            )
        except (InvalidTag, ValueError):
            raise StoreCorrupt("a person's key was altered") from None
        return self._hold(person, raw)

    def _hold(self, person: Pseudonym, raw: bytes) -> _Key:
        if len(self._held) >= KEYS_HELD_MAX:
            self._held.clear()
        key = self._held[person] = _Key.of(raw)
        return key


def _parts(sealed: bytes) -> tuple[bytes, bytes, bytes]:
    start = KEY_MARK_BYTES + NONCE_BYTES
    return sealed[:KEY_MARK_BYTES], sealed[KEY_MARK_BYTES:start], sealed[start:]


def _derive(master: bytes, purpose: bytes) -> bytes:
    """HKDF-Expand of RFC 5869 for one block: the master key is uniform already."""
    return hmac.digest(master, purpose + b"\x01", sha256)
