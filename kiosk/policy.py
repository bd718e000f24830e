"""The health-code policy as the terminal believes it: signed, with an end, otherwise off (row 19).

The file is made by `kiosk-gateway sign-policy`; the key that must have signed it stands in the
profile. A policy that is forged, torn, not yet begun or over is simply not there.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FILE_BYTES_MAX = 64 * 1024


@dataclass(frozen=True)
class Policy:
    """What is in force; `version` names it in every look-up's audit event."""

    version: str
    valid_until: date


def policy_in_force(file: Path, public_key: str, today: date) -> Policy | None:
    """The policy that is on today, or None."""
    try:
        found = json.loads(file.read_bytes()[:FILE_BYTES_MAX])
        policy, signature = found["policy"], found["signature"]
        signed = json.dumps(policy, sort_keys=True, ensure_ascii=False).encode()
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(signature, validate=True), signed)
        begins, ends = (date.fromisoformat(policy[name]) for name in ("valid_from", "valid_until"))
    except (OSError, ValueError, KeyError, TypeError, RecursionError, InvalidSignature):
        return None
    return Policy(f"{begins:%Y%m%d}-{ends:%Y%m%d}", ends) if begins <= today <= ends else None
