"""Keys and sealed fields: what stands outside the database, and is useless within it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from gateway.sealing import Keys, load_or_make, verified
from tests.gateway.world import MASTER, all_at_once


def test_a_sealed_field_opens_only_in_its_own_row() -> None:
    keys = Keys(MASTER)
    sealed = keys.seal(b"Wang Xiulan", "records/T1/1")
    assert keys.unseal(sealed, "records/T1/1") == b"Wang Xiulan"
    for other in (sealed[:-1], bytes([sealed[0] ^ 1]) + sealed[1:]):
        with pytest.raises(InvalidTag):
            keys.unseal(other, "records/T1/1")
    with pytest.raises(InvalidTag):
        keys.unseal(sealed, "records/T1/2")
    with pytest.raises(InvalidTag):
        Keys(bytes(32)).unseal(sealed, "records/T1/1")


def test_sealing_the_same_twice_looks_different() -> None:
    keys = Keys(MASTER)
    assert keys.seal(b"x", "row") != keys.seal(b"x", "row")


def test_hashes_are_useless_without_the_key() -> None:
    assert Keys(MASTER).digest(b"110105") != Keys(bytes(32)).digest(b"110105")


def test_signatures_fit_their_key_only() -> None:
    keys, other = Keys(MASTER), Keys(bytes(32))
    signature = keys.sign(b"quote")
    assert verified(keys.public_key, signature, b"quote")
    assert not verified(keys.public_key, signature, b"quotf")
    assert not verified(other.public_key, signature, b"quote")
    for spoilt in ("", "no base64!", signature[:-4]):
        assert not verified(keys.public_key, spoilt, b"quote")
        assert not verified(spoilt, signature, b"quote")


def test_a_key_file_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "gateway.key"
    made = all_at_once(8, lambda _: load_or_make(path).public_key)
    assert len(set(made)) == 1
    assert load_or_make(path).public_key == made[0]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["gateway.key"]
