"""Keys of one gateway: seals personal fields, hashes bodies, signs quotes. All come from one file.

The file stands outside the database; without it the sealed fields are noise.
"""

from __future__ import annotations

import base64
import hmac
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12
MASTER_BYTES = 32


class Keys:
    """Sealing (AES-256-GCM), keyed hashing (HMAC-SHA-256) and signing (Ed25519)."""

    def __init__(self, master: bytes, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        assert len(master) == MASTER_BYTES, "a master key has 32 bytes"
        self._aead = AESGCM(_derive(master, b"sealed fields"))
        self._hash_key = _derive(master, b"keyed hashes")
        self._signer = Ed25519PrivateKey.from_private_bytes(_derive(master, b"signed quotes"))
        self._random_bytes = random_bytes

    def seal(self, plain: bytes, context: str) -> bytes:
        """`context` (which row this is) must be the same to open: sealed fields cannot be moved."""
        nonce = self._random_bytes(_NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, plain, context.encode())

    def unseal(self, sealed: bytes, context: str) -> bytes:
        """The plain bytes; cryptography's InvalidTag when key, context or bytes differ."""
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        return self._aead.decrypt(nonce, rest, context.encode())

    def digest(self, data: bytes) -> str:
        """Hash for comparing and finding; useless to guess ID numbers with, without the key."""
        return hmac.digest(self._hash_key, data, "sha256").hex()

    def sign(self, data: bytes) -> str:
        return base64.b64encode(self._signer.sign(data)).decode()

    @property
    def public_key(self) -> str:
        """Base64 of the raw Ed25519 key that verifies sign()."""
        return base64.b64encode(self._signer.public_key().public_bytes_raw()).decode()


def verified(public_key: str, signature: str, data: bytes) -> bool:
    """True when `signature` (base64) over `data` is by `public_key` (base64, raw Ed25519)."""
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(signature, validate=True), data)
    except (InvalidSignature, ValueError):
        return False
    return True


def load_or_make(path: Path, random_bytes: Callable[[int], bytes] = os.urandom) -> Keys:
    """The keys in `path`; a new file (mode 0600, durable before use) when there is none."""
    if not path.exists():
        _write_new(path, random_bytes(MASTER_BYTES))
    return Keys(base64.b64decode(path.read_text().strip(), validate=True), random_bytes)


def _write_new(path: Path, master: bytes) -> None:
    descriptor, part = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")  # mode 0600
    with os.fdopen(descriptor, "w") as out:
        out.write(base64.b64encode(master).decode() + "\n")
        out.flush()
        os.fsync(out.fileno())
    try:
        os.link(part, path)  # whoever comes first wins; the other reads that one
    except FileExistsError:
        pass
    finally:
        os.unlink(part)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _derive(master: bytes, purpose: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=purpose).derive(master)
