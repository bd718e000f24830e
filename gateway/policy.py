"""Health-code look-ups are off unless a signed policy file is on today (rows 17–19, 25)."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import TypeAdapter, ValidationError

from gateway.sealing import verified

_BYTES_MAX = 64 * 1024


@dataclass(frozen=True)
class Policy:
    """`because` is shown to people; there is no policy without an end."""

    name: str
    valid_from: date
    valid_until: date
    because: str

    def on(self, day: date) -> bool:
        return self.valid_from <= day <= self.valid_until


@dataclass(frozen=True)
class _Signed:
    policy: Policy
    signature: str


_SIGNED = TypeAdapter(_Signed)
_POLICY = TypeAdapter(Policy)


class PolicyFile:
    """Read anew at each question, so that taking the file away turns the look-up off at once."""

    def __init__(self, path: Path | None, public_key: str) -> None:
        self._path, self._public_key = path, public_key

    def in_force(self, now: datetime) -> Policy | None:
        """The policy that is on at `now`; None when absent, forged, not begun or ended."""
        if self._path is None:
            return None
        try:
            with self._path.open("rb") as source:
                signed = _SIGNED.validate_json(source.read(_BYTES_MAX))
        except (OSError, ValidationError):
            return None
        if not verified(self._public_key, signed.signature, _canonical(signed.policy)):
            return None
        return signed.policy if signed.policy.on(now.date()) else None


def sign(policy: Policy, private_key: Ed25519PrivateKey) -> bytes:
    """The policy file's bytes."""
    signature = base64.b64encode(private_key.sign(_canonical(policy))).decode()
    body = {"policy": json.loads(_POLICY.dump_json(policy)), "signature": signature}
    return json.dumps(body, ensure_ascii=False, indent=1).encode()


def _canonical(policy: Policy) -> bytes:
    return json.dumps(
        json.loads(_POLICY.dump_json(policy)), sort_keys=True, ensure_ascii=False
    ).encode()
