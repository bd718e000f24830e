"""Backups and mending, step by step; the drill `corrupt` does it a thousand times."""

from __future__ import annotations

import pytest

from offline.ballast import Ballast, PaymentsOff, PaymentsOn
from offline.errors import StoreCorrupt
from offline.journal import Journal, State
from offline.mend import Opened, adopt, back_up, compared, needs_comparing, open_or_mend
from offline.outbox import Depth
from offline.settings import Settings
from offline.store import suspect_mark
from tests.offline.world import World, rooms


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
