"""The health-code policy: signed, begun, not over; else it is simply not there (row 19)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway import policy as gateway_policy
from kiosk.policy import policy_in_force

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)


def public(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def signed(key: Ed25519PrivateKey = KEY) -> bytes:
    """As the gateway's command makes it."""
    rule = gateway_policy.Policy("health_code", FIRST, LAST, "市防控办第7号")
    return gateway_policy.sign(rule, key)


def on(folder: Path, data: bytes, today: date = FIRST, key: str = public(KEY)) -> bool:
    file = folder / "policy.json"
    file.write_bytes(data)
    return policy_in_force(file, key, today) is not None


@pytest.mark.parametrize(
    ("today", "is_on"),
    [
        (date(2026, 10, 31), False),
        (FIRST, True),
        (date(2026, 11, 15), True),
        (LAST, True),
        (date(2026, 12, 1), False),
    ],
)
def test_it_is_on_from_its_first_day_to_its_last(tmp_path: Path, today: date, is_on: bool) -> None:
    """Row 19: an end date, always; T10: by default nothing is asked."""
    assert on(tmp_path, signed(), today) is is_on


def changed(change: Callable[[dict[str, Any]], None]) -> bytes:
    found = json.loads(signed())
    change(found)
    return json.dumps(found, ensure_ascii=False).encode()


FORGED = {
    "a later end": changed(lambda one: one["policy"].update(valid_until="2099-12-31")),
    "another reason": changed(lambda one: one["policy"].update(because="x")),
    "one more field": changed(lambda one: one["policy"].update(extra=1)),
    "no end": changed(lambda one: one["policy"].pop("valid_until")),
    "no signature": changed(lambda one: one.pop("signature")),
    "a signature of nothing": changed(lambda one: one.update(signature="")),
    "a signature that is no base64": changed(lambda one: one.update(signature="§")),
    "a signature of another kind": changed(lambda one: one.update(signature=7)),
    "somebody else's key": signed(OTHER),
    "torn": signed()[:-20],
    "empty": b"",
    "a list": b"[]",
    "no text": b"\xff\xfe",
    "nested without end": b"[" * 60_000,
    "followed by something": signed() + b"x",
}


@pytest.mark.parametrize("data", FORGED.values(), ids=FORGED)
def test_what_is_forged_or_torn_is_not_there(tmp_path: Path, data: bytes) -> None:
    assert not on(tmp_path, data)


@pytest.mark.parametrize("key", ["", "§", public(OTHER), public(KEY)[:-4]])
def test_without_the_right_key_nothing_is_believed(tmp_path: Path, key: str) -> None:
    assert not on(tmp_path, signed(), key=key)


def test_without_its_file_it_is_off(tmp_path: Path) -> None:
    assert policy_in_force(tmp_path / "nowhere.json", public(KEY), FIRST) is None


def test_every_policy_has_a_version_that_the_audit_can_name(tmp_path: Path) -> None:
    """Row 25."""
    file = tmp_path / "policy.json"
    file.write_bytes(signed())
    found = policy_in_force(file, public(KEY), FIRST)
    assert found is not None and (found.version, found.valid_until) == ("20261101-20261130", LAST)
