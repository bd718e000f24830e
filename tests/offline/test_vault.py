"""Sealed fields open only where they belong, and not at all once their person is erased."""

from __future__ import annotations

import os

import pytest

from offline.cache import Cache, Document
from offline.errors import KeyMismatch, StoreCorrupt
from offline.journal import Journal, State
from offline.outbox import Outbox
from offline.vault import ERASED, Place, Vault
from offline.waiting import WaitingList
from tests.offline.world import LI, ZHANG, World

NAME = "张桂芳".encode()
PHONE = b"13800138000"


def test_what_was_sealed_is_read_back_after_a_restart(world: World) -> None:
    store = world.open()
    person = store.vault.pseudonym(ZHANG)
    place = Place("payments", "R1", "subject")
    with store.transaction() as tx:
        sealed = tx.vault.seal(tx, person, place, NAME)
        own = tx.vault.seal(tx, None, place, PHONE)
    world.close()
    with world.open().reading() as reading:
        assert reading.vault.unseal(reading, person, place, sealed) == NAME
        assert reading.vault.unseal(reading, None, place, own) == PHONE


def test_a_field_moved_to_another_row_table_column_or_person_does_not_open(world: World) -> None:
    store = world.open()
    zhang, li = store.vault.pseudonym(ZHANG), store.vault.pseudonym(LI)
    with store.transaction() as tx:
        sealed = tx.vault.seal(tx, zhang, Place("payments", "R1", "subject"), NAME)
        tx.vault.seal(tx, li, Place("payments", "R2", "subject"), NAME)
        for wrong in (
            Place("payments", "R2", "subject"),
            Place("outbox", "R1", "subject"),
            Place("payments", "R1", "body"),
        ):
            with pytest.raises(StoreCorrupt):
                tx.vault.unseal(tx, zhang, wrong, sealed)
        assert tx.vault.unseal(tx, li, Place("payments", "R1", "subject"), sealed) is ERASED


def test_every_flipped_bit_of_a_sealed_field_is_noticed(world: World) -> None:
    store = world.open()
    place = Place("payments", "R1", "subject")
    with store.transaction() as tx:
        sealed = tx.vault.seal(tx, None, place, b"4200")
        for bit in range(8 * 4, 8 * len(sealed)):
            flipped = bytearray(sealed)
            flipped[bit // 8] ^= 1 << bit % 8
            with pytest.raises(StoreCorrupt):
                tx.vault.unseal(tx, None, place, bytes(flipped))


def test_a_person_erased_and_met_again_has_a_new_key_and_no_past(world: World) -> None:
    store = world.open()
    person = store.vault.pseudonym(ZHANG)
    place = Place("payments", "R1", "subject")
    with store.transaction() as tx:
        old = tx.vault.seal(tx, person, place, NAME)
    with store.transaction() as tx:
        assert tx.vault.destroy(tx, person)
        assert tx.vault.unseal(tx, person, place, old) is ERASED
        assert not tx.vault.destroy(tx, person)
    with store.transaction() as tx:
        new = tx.vault.seal(tx, person, place, NAME)
        assert tx.vault.unseal(tx, person, place, new) == NAME
        assert tx.vault.unseal(tx, person, place, old) is ERASED


def test_a_key_made_in_a_transaction_that_fell_is_not_used_afterwards(world: World) -> None:
    store = world.open()
    person = store.vault.pseudonym(ZHANG)
    place = Place("payments", "R1", "subject")
    with pytest.raises(ZeroDivisionError), store.transaction() as tx:
        tx.vault.seal(tx, person, place, NAME)
        _ = 1 // 0
    with store.transaction() as tx:
        sealed = tx.vault.seal(tx, person, place, NAME)
    world.close()
    with world.open().reading() as reading:
        assert reading.vault.unseal(reading, person, place, sealed) == NAME


def test_pseudonyms_are_the_persons_alone_and_the_terminals_alone(world: World) -> None:
    """Row 2: the ID number is the person index, as a keyed hash at rest."""
    vault = world.vault()
    assert vault.pseudonym(ZHANG) == vault.pseudonym(" 11010519491231002x")
    assert vault.pseudonym(ZHANG) != vault.pseudonym(LI)
    assert ZHANG not in vault.pseudonym(ZHANG)
    other = Vault(b"\x01" * 32, random_bytes=world.chance.randbytes)
    assert other.pseudonym(ZHANG) != vault.pseudonym(ZHANG)


def test_what_this_version_seals_later_versions_can_open(world: World) -> None:
    """Bytes of version 1 of the format, kept: key of 32 zero bytes, no person."""
    vault = Vault(b"\0" * 32, random_bytes=world.chance.randbytes)
    assert vault.pseudonym(ZHANG) == "cf1d9b9593ad448ec8cd334cbccb416c"
    with world.open().reading() as reading:
        sealed = bytes.fromhex(
            "69c318fef5b165224a58b791df6af1d8c1dae5f916dc69cfaf107c579d73ef82c7e3f1d4"
        )
        assert vault.unseal(reading, None, Place("t", "r", "c"), sealed) == b"kept"


def test_a_key_file_is_made_once_and_only_its_owner_may_read_it(world: World) -> None:
    first = world.vault()
    assert (world.folder / "master.key").stat().st_mode & 0o777 == 0o600
    assert world.vault().key_id == first.key_id
    os.chmod(world.folder / "master.key", 0o640)
    with pytest.raises(KeyMismatch, match="others"):
        world.vault()


@pytest.mark.parametrize("damage", [b"", b"kiosk master key 1\n", b"kiosk master key 1\nAAAA\n"])
def test_a_damaged_key_file_is_refused(world: World, damage: bytes) -> None:
    world.vault()
    (world.folder / "master.key").write_bytes(damage)
    with pytest.raises(KeyMismatch):
        world.vault()


def test_no_personal_byte_is_ever_on_the_disk_in_clear(world: World) -> None:
    """Every room that keeps personal data, before and after the WAL is folded in."""
    store = world.open()
    person = store.vault.pseudonym(ZHANG)
    with store.transaction() as tx:
        journal, outbox = Journal(store), Outbox(store)
        secret = NAME + PHONE + ZHANG.encode()
        journal.open_payment(tx, "R1", kind="card", amount_fen=1, subject=secret, person=person)
        journal.moved(tx, "R1", State.SENT, secret)
        journal.noted(tx, "R1", secret)
        outbox.queue(tx, "k1", kind="screening", body=secret, person=person)
        outbox.queue(tx, "k2", kind="screening", body=secret)
        Cache(store).put(tx, Document("appointments/today/x", secret, 2**45))
        WaitingList(store).join(tx, "w1", secret, person=person)
    key = (world.folder / "master.key").read_bytes().splitlines()[1]
    for moment in ("in the WAL", "folded"):
        on_disk = world.bytes_on_disk()
        for canary in (NAME, PHONE, ZHANG.encode(), key):
            assert canary not in on_disk, moment
        store.fold()


def test_erased_bytes_leave_the_disk_and_not_only_the_tables(world: World) -> None:
    store = world.open()
    person = store.vault.pseudonym(ZHANG)
    with store.transaction() as tx:
        Outbox(store).queue(tx, "k1", kind="screening", body=b"x" * 300, person=person)
        [(wrapped,)] = tx.rows("select wrapped from person_keys")
        [(body,)] = tx.rows("select body from outbox")
    assert isinstance(wrapped, bytes) and isinstance(body, bytes)
    store.fold()
    assert wrapped in world.bytes_on_disk() and body in world.bytes_on_disk()
    with store.transaction() as tx:
        tx.vault.destroy(tx, person)
        tx.run("update outbox set body = null")
    store.fold()
    assert wrapped not in world.bytes_on_disk()
    assert body[-64:] not in world.bytes_on_disk()
