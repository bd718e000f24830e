"""What must not happen while anything is unsynced: update, reset, re-enrolment, sign-out.

The way past it is a sealed export, written first, that two different roles asked for; opened again
it gives back every file bit for bit.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from offline.errors import KeyMismatch
from offline.files import write_durably
from offline.journal import UNSETTLED
from offline.mend import back_up
from offline.outbox import Outbox
from offline.store import Store

HEADER = b"kiosk export 1\n"
NONCE_BYTES = 12
ROLES_NEEDED = 2
STORE_NAME = "kiosk.db"


@dataclass(frozen=True)
class Unsynced:
    """What would be lost: records not accepted by the gateway, payments not settled."""

    waiting: int
    refused: int
    open_payments: int

    @property
    def nothing(self) -> bool:
        """True when the terminal may be wiped."""
        return self == Unsynced(0, 0, 0)


@dataclass(frozen=True)
class Open:
    """Go ahead."""


@dataclass(frozen=True)
class Shut:
    """Not now: this much would be lost."""

    unsynced: Unsynced


def unsynced(store: Store) -> Unsynced:
    """What stands between this terminal and being wiped."""
    depth = Outbox(store).depth()
    with store.reading() as reading:
        # A refund that is due counts above until finance has been told of it.
        row = reading.one(f"select count(*) from {UNSETTLED}")
    assert row is not None and isinstance(row[0], int)
    return Unsynced(depth.waiting, depth.refused, row[0])


def gate(store: Store) -> Open | Shut:
    """Asked before update, factory reset, re-enrolment and sign-out."""
    found = unsynced(store)
    return Open() if found.nothing else Shut(found)


def overridden(
    store: Store, path: Path, key: bytes, *, roles: Sequence[str], random_bytes: Random
) -> Open | Shut:
    """Past a shut gate: two different roles, and everything exported to `path` first.

    `key` (32 bytes) is the hospital's, never the terminal's: it is not in the export.
    """
    if len(set(roles)) < ROLES_NEEDED:
        return gate(store)
    keys = {name: found.read_bytes() for name, found in _key_files(store.path.parent).items()}
    write_export(path, {STORE_NAME: back_up(store).read_bytes(), **keys}, key, random_bytes)
    assert read_export(path, key)[STORE_NAME], "an export that cannot be read is none"
    return Open()


Random = Callable[[int], bytes]


def write_export(path: Path, files: Mapping[str, bytes], key: bytes, random_bytes: Random) -> None:
    """Seal files by name into one."""
    content = {name: b64encode(data).decode() for name, data in files.items()}
    nonce = random_bytes(NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, json.dumps(content).encode(), HEADER)
    write_durably(path, HEADER + nonce + sealed)


def read_export(path: Path, key: bytes) -> dict[str, bytes]:
    """The files of an export. KeyMismatch when it was altered, cut, or is under another key."""
    data = path.read_bytes()
    start = len(HEADER) + NONCE_BYTES
    try:
        plain = AESGCM(key).decrypt(data[len(HEADER) : start], data[start:], data[: len(HEADER)])
    except (InvalidTag, ValueError):
        raise KeyMismatch("the export cannot be opened with this key") from None
    return {name: b64decode(text) for name, text in json.loads(plain).items()}


def restore_export(path: Path, key: bytes, folder: Path) -> tuple[str, ...]:
    """Put the files of an export into an empty folder; their names."""
    assert not any(folder.iterdir()), "an export is never unpacked over a store"
    files = read_export(path, key)
    for name, data in sorted(files.items()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_durably(folder / name, data)
    return tuple(sorted(files))


def fingerprint(path: Path) -> str:
    """For the slip that goes with an export: which file it is."""
    return sha256(path.read_bytes()).hexdigest()[:16]


def _key_files(folder: Path) -> dict[str, Path]:
    found = [*folder.glob("*.key"), *folder.glob("keys/*.key")]
    return {str(path.relative_to(folder)): path for path in found}
