"""Backups and mending, step by step; the drill `corrupt` does it a thousand times."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from pathlib import Path

import pytest

from offline.ballast import WAL_BYTES_MAX, Ballast, PaymentsOff, PaymentsOn, wal_bytes
from offline.cache import PROMISES, Cache, Document
from offline.errors import StoreCorrupt, StoreError
from offline.journal import Journal, State
from offline.leases import Lease, LeasedNumber, Leases
from offline.mend import (
    Opened,
    adopt,
    back_up,
    compared,
    damaged_files,
    needs_comparing,
    open_or_mend,
)
from offline.outbox import Depth
from offline.settings import Settings
from offline.store import suspect_mark
from tests.offline.world import DyingDatabase, ProcessDied, World, rooms


def _mended(world: World) -> Opened:
    opened = open_or_mend(world.path, sealing=world.vault(), clock=world.time.clock())
    world._open.append(opened.store)
    return opened


def _a_terminal(world: World) -> None:
    found = rooms(world, world.open())
    with found.store.transaction() as tx:
        found.journal.open_payment(tx, "R1", kind="card", amount_fen=100, subject=b"bill")
        found.outbox.queue(tx, "R1-intent", kind="payment", body=b"1")
        Settings(found.store).next_number(tx, "slip")
    back_up(found.store)
    with found.store.transaction() as tx:
        found.journal.moved(tx, "R1", State.SENT)
        found.journal.open_payment(tx, "R2", kind="card", amount_fen=200, subject=b"bill")
        found.outbox.queue(tx, "R2-intent", kind="payment", body=b"2")
        Settings(found.store).next_number(tx, "slip")
    world.close()


def test_a_sound_store_is_opened_as_it_is(world: World) -> None:
    _a_terminal(world)
    opened = _mended(world)
    assert opened.damaged is None and not needs_comparing(opened.store)


def test_what_the_damaged_file_still_tells_is_added_to_the_backup(world: World) -> None:
    _a_terminal(world)
    suspect_mark(world.path).write_bytes(b"")
    opened = _mended(world)
    found = rooms(world, opened.store)
    states = {payment.reference: payment.state for payment in found.journal.open_payments()}
    assert states == {"R1": State.SENT, "R2": State.UNKNOWN}, "an intent may have been sent"
    assert [record.body for record in found.outbox.take(9)] == [b"1", b"2"]
    assert found.outbox.depth() == Depth(2, 0, 0)
    with found.store.transaction() as tx:
        assert Settings(found.store).next_number(tx, "slip") > 2
    assert opened.damaged is not None and opened.damaged.exists(), "nothing is thrown away"
    assert not suspect_mark(world.path).exists()


def test_what_can_be_promised_once_is_promised_no_more_after_a_backup(world: World) -> None:
    """A number given, a quote used since the backup: in the backup both are still to be had."""
    found = rooms(world, world.open())
    leases, cache = Leases(found.store), Cache(found.store)
    promise = Document(f"{PROMISES}/quote/P1", b"unused", 2**52)
    with found.store.transaction() as tx:
        numbers = (LeasedNumber("1", b"9:00"), LeasedNumber("2", b"9:00"))
        leases.granted(tx, Lease("L1", "cardio", 2**52, numbers))
        cache.put(tx, promise)
        cache.put(tx, Document("note/waiting", b"three", 2**52))
    back_up(found.store)
    with found.store.transaction() as tx:
        leases.take(tx, "cardio", taken_for="R1", now_ms=0)
        cache.put(tx, replace(promise, body=b"used by R1"))
    world.close()
    world.path.write_bytes(b"\0" * 4096)

    store = _mended(world).store
    assert Cache(store).get(promise.name) is None
    assert Cache(store).get("note/waiting") is not None
    assert Leases(store).pools(0) == () == Leases(store).overdue(2**53), "nor handed to others"


def test_payments_only_the_pad_knows_are_adopted_and_asked_about(world: World) -> None:
    _a_terminal(world)
    world.path.write_bytes(b"\0" * 4096)
    (world.folder / "kiosk.db.backup").unlink()
    store = _mended(world).store
    journal = Journal(store)
    assert needs_comparing(store) and journal.payment("R1") is None
    with store.transaction() as tx:
        adopt(tx, journal, "R1", 100)
        compared(tx)
    [payment] = journal.open_payments()
    assert (payment.reference, payment.amount_fen, payment.state) == ("R1", 100, State.UNKNOWN)
    assert not needs_comparing(store)


def test_damage_seen_in_use_stops_writing_and_leaves_word_for_the_next_start(
    world: World,
) -> None:
    _a_terminal(world)
    store = world.open()
    with store.transaction() as tx:
        tx.run("update payments set amount_fen = 1 where reference = 'R2'")
    with pytest.raises(StoreCorrupt):
        Journal(store).payment("R2")
    assert store.broken and suspect_mark(world.path).exists()
    ballast = Ballast(store, size_bytes=4096, floor_bytes=0)
    assert ballast.admission() == PaymentsOff("store_broken")
    world.close()
    opened = _mended(world)
    assert opened.damaged is not None
    assert Journal(opened.store).payment("R2") is None, "a forged amount is not believed"


def test_payments_are_on_only_with_ballast_aboard_and_a_checked_store(world: World) -> None:
    store = world.open()
    ballast = Ballast(store, size_bytes=8192, floor_bytes=4096)
    assert ballast.admission() == PaymentsOn()
    assert Ballast(store, size_bytes=2**62, floor_bytes=0).admission() == PaymentsOff(
        "ballast_used"
    )
    assert ballast.drop() and not ballast.drop()
    assert ballast.admission() == PaymentsOn(), "with room on the disk it is loaded again"
    full = Ballast(store, size_bytes=8192, floor_bytes=2**62)
    assert full.admission() == PaymentsOff("disk_nearly_full")


def test_killed_anywhere_in_the_mending_the_next_start_mends_on(
    world: World, tmp_path: Path
) -> None:
    """No start takes what is half made for the store: the damaged file is gone through again."""
    _a_terminal(world)
    suspect_mark(world.path).write_bytes(b"")
    died = True
    for left in itertools.count(0, 2):
        after = world.after_kill(tmp_path / f"killed-{left}")
        died = _mended_until(after, left)
        opened = _mended(after)
        states = {one.reference: one.state for one in Journal(opened.store).open_payments()}
        assert states == {"R1": State.SENT, "R2": State.UNKNOWN}, left
        assert needs_comparing(opened.store)
        damaged = [path for path in damaged_files(after.path) if not path.name.endswith("-wal")]
        assert len(damaged) == 1, "what is half made is put aside by nobody"
        after.close()
        if not died:
            break
    assert left > 50, "there were so many statements to be killed at"


def _mended_until(world: World, left: int) -> bool:
    """Start a mending that dies before its n-th statement; whether it came so far."""
    try:
        opened = open_or_mend(
            world.path,
            sealing=world.vault(),
            clock=world.time.clock(),
            connect=lambda path: DyingDatabase(path, left),
        )
    except ProcessDied:
        return True
    opened.store.close()
    return False


@pytest.mark.parametrize("renamed", [("-wal",), ("-wal", "")])
def test_cut_between_two_renames_the_mending_finds_its_file(
    world: World, renamed: tuple[str, ...]
) -> None:
    _a_terminal(world)
    suspect_mark(world.path).write_bytes(b"mending kiosk.db.damaged-1")
    (world.folder / "kiosk.db-wal").write_bytes(b"")
    for suffix in renamed:
        world.path.with_name(f"kiosk.db{suffix}").rename(
            world.folder / f"kiosk.db.damaged-1{suffix}"
        )
    opened = _mended(world)
    assert opened.damaged == world.folder / "kiosk.db.damaged-1"
    assert {one.reference for one in Journal(opened.store).open_payments()} == {"R1", "R2"}
    world.close()
    suspect_mark(world.path).write_bytes(b"mending kiosk.db.damaged-1")
    assert _mended(world).damaged is None, "the last thing left to do was to take the word away"


def test_a_backup_that_is_damaged_too_is_of_no_use_and_no_harm(world: World) -> None:
    _a_terminal(world)
    (world.folder / "kiosk.db.backup").write_bytes(b"\1" * 8192)
    suspect_mark(world.path).write_bytes(b"")
    opened = _mended(world)
    assert {one.reference for one in Journal(opened.store).open_payments()} == {"R1", "R2"}


def test_a_store_opened_fast_and_found_damaged_later_is_mended_by_the_next_start(
    world: World,
) -> None:
    """No crash loop: the check leaves word before it ends the process."""
    _a_terminal(world)
    _spoil_a_page_that_opening_does_not_read(world)
    opened = open_or_mend(world.path, sealing=world.vault(), clock=world.time.clock(), check=False)
    assert opened.damaged is None and not opened.store.checked
    with pytest.raises(StoreCorrupt):
        opened.store.check()
    opened.store.close()
    mended = open_or_mend(world.path, sealing=world.vault(), clock=world.time.clock(), check=False)
    world._open.append(mended.store)
    assert mended.damaged is not None and mended.store.checked


def _spoil_a_page_that_opening_does_not_read(world: World) -> None:
    store = world.open()
    with store.reading() as reading:
        [(page,)] = reading.rows("select rootpage from sqlite_master where name = 'pins'")
    world.close()
    assert isinstance(page, int)
    content = bytearray(world.path.read_bytes())
    content[(page - 1) * 4096 : page * 4096] = b"\7" * 4096
    world.path.write_bytes(content)


def test_after_mending_payments_are_off_until_the_pad_was_compared(world: World) -> None:
    _a_terminal(world)
    suspect_mark(world.path).write_bytes(b"")
    store = _mended(world).store
    ballast = Ballast(store, size_bytes=8192, floor_bytes=4096)
    assert ballast.admission() == PaymentsOff("store_mended")
    with store.transaction() as tx:
        compared(tx)
    assert ballast.admission() == PaymentsOn()


def test_a_wal_that_nobody_empties_stops_payments(world: World) -> None:
    store = world.open()
    ballast = Ballast(store, size_bytes=8192, floor_bytes=4096)
    with store.transaction() as tx:
        for number in range(20):
            tx.run("insert into settings values (?, zeroblob(1000000))", f"big-{number}")
    assert wal_bytes(world.path) > WAL_BYTES_MAX
    assert ballast.admission() == PaymentsOn(), "it is emptied first"
    assert wal_bytes(world.path) < WAL_BYTES_MAX
    (world.folder / "elsewhere").mkdir()
    store.path = world.folder / "elsewhere" / "kiosk.db"  # its WAL is not ours to empty
    (world.folder / "elsewhere" / "kiosk.db-wal").write_bytes(bytes(WAL_BYTES_MAX + 1))
    assert ballast.admission() == PaymentsOff("wal_too_big")


def test_an_old_backup_is_overwritten_before_it_goes(world: World, tmp_path: Path) -> None:
    _a_terminal(world)
    kept = tmp_path / "its-blocks"
    os.link(world.folder / "kiosk.db.backup", kept)
    back_up(world.open())
    assert set(kept.read_bytes()) == {0}
    assert not (world.folder / "kiosk.db.backup.old").exists()


def test_without_room_for_a_copy_the_old_backup_stays(world: World) -> None:
    _a_terminal(world)
    before = (world.folder / "kiosk.db.backup").read_bytes()
    (world.folder / "kiosk.db.backup.new").mkdir()  # nothing can be written there
    with pytest.raises((StoreError, OSError)):
        back_up(world.open())
    assert (world.folder / "kiosk.db.backup").read_bytes() == before
