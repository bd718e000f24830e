"""Nothing unsynced is ever wiped, and an export gives back every bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from offline.errors import KeyMismatch
from offline.gates import (
    Open,
    Shut,
    Unsynced,
    fingerprint,
    gate,
    overridden,
    read_export,
    restore_export,
)
from offline.journal import State
from offline.outbox import Accepted, Refused
from offline.store import Transaction
from tests.offline.world import Rooms, World, rooms

KEY = bytes(range(32))


def _waiting(found: Rooms, tx: Transaction) -> None:
    found.outbox.queue(tx, "k", kind="x", body=b"unsent")


def _refused(found: Rooms, tx: Transaction) -> None:
    found.outbox.queue(tx, "k", kind="x", body=b"refused")
    found.outbox.answered(tx, "k", Refused("no"))


def _unsettled(found: Rooms, tx: Transaction) -> None:
    found.journal.open_payment(tx, "R1", kind="card", amount_fen=1, subject=b"bill")
    found.journal.moved(tx, "R1", State.SENT)


def _settled(found: Rooms, tx: Transaction) -> None:
    found.outbox.queue(tx, "k", kind="x", body=b"sent")
    found.outbox.answered(tx, "k", Accepted())
    found.journal.open_payment(tx, "R1", kind="card", amount_fen=1, subject=b"bill")
    found.journal.moved(tx, "R1", State.DECLINED)


@pytest.mark.parametrize(
    ("left", "answer"),
    [
        (_waiting, Shut(Unsynced(1, 0, 0))),
        (_refused, Shut(Unsynced(0, 1, 0))),
        (_unsettled, Shut(Unsynced(0, 0, 1))),
        (_settled, Open()),
    ],
)
def test_the_gate_is_shut_while_anything_would_be_lost(
    world: World, left: Callable[[Rooms, Transaction], None], answer: Open | Shut
) -> None:
    found = rooms(world, world.open())
    with found.store.transaction() as tx:
        left(found, tx)
    assert gate(found.store) == answer


@pytest.mark.parametrize("roles", [(), ("technician",), ("technician", "technician")])
def test_one_role_alone_does_not_open_it(
    world: World, tmp_path: Path, roles: tuple[str, ...]
) -> None:
    found = rooms(world, world.open())
    with found.store.transaction() as tx:
        _waiting(found, tx)
    export = tmp_path / "export"
    answer = overridden(found.store, export, KEY, roles=roles, random_bytes=world.chance.randbytes)
    assert isinstance(answer, Shut) and not export.exists()


def _exported(world: World, export: Path) -> None:
    found = rooms(world, world.open())
    with found.store.transaction() as tx:
        _waiting(found, tx)
        _unsettled(found, tx)
        found.audit.append(tx, "payments_on")
    answer = overridden(
        found.store, export, KEY, roles=("technician", "finance"),
        random_bytes=world.chance.randbytes,
    )  # fmt: skip
    assert answer == Open()


def test_two_roles_export_first_and_the_export_is_the_terminal_again(
    world: World, tmp_path: Path
) -> None:
    export = tmp_path / "export"
    _exported(world, export)
    assert b"unsent" not in export.read_bytes()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert restore_export(export, KEY, elsewhere) == ("audit.key", "kiosk.db", "master.key")
    for name, data in read_export(export, KEY).items():
        assert (elsewhere / name).read_bytes() == data
    assert (world.folder / "kiosk.db.backup").read_bytes() == (elsewhere / "kiosk.db").read_bytes()
    again = World(elsewhere, world.time, world.chance)
    found = rooms(again, again.open())
    assert [record.body for record in found.outbox.take(9)] == [b"unsent"]
    assert [payment.state for payment in found.journal.open_payments()] == [State.SENT]
    assert len(fingerprint(export)) == 16
    again.close()


def test_an_altered_export_or_another_key_opens_nothing(world: World, tmp_path: Path) -> None:
    export = tmp_path / "export"
    _exported(world, export)
    whole = export.read_bytes()
    with pytest.raises(KeyMismatch):
        read_export(export, bytes(32))
    for at in (0, 20, len(whole) // 2, len(whole) - 1):
        changed = bytearray(whole)
        changed[at] ^= 1
        export.write_bytes(changed)
        with pytest.raises(KeyMismatch):
            read_export(export, KEY)
    export.write_bytes(whole[:-5])
    with pytest.raises(KeyMismatch):
        read_export(export, KEY)


def test_an_export_is_never_unpacked_over_a_store(world: World, tmp_path: Path) -> None:
    export = tmp_path / "export"
    _exported(world, export)
    with pytest.raises(AssertionError):
        restore_export(export, KEY, world.folder)
