"""The store opens only when it can keep its promises, and keeps them when the process dies."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from offline.database import SqliteDatabase
from offline.errors import (
    KeyMismatch,
    StoreBroken,
    StoreBusy,
    StoreCorrupt,
    StoreError,
    StoreTooNew,
    StoreUnsafe,
)
from offline.journal import State
from offline.migrations import MIGRATIONS
from offline.store import Store, refuse_unsafe
from tests.offline.world import ZHANG, DyingDatabase, ProcessDied, World, rooms


def test_the_settings_that_keep_our_promises_are_in_force(world: World) -> None:
    with world.open().reading() as reading:
        assert reading.one("pragma journal_mode") == ("wal",)
        assert reading.one("pragma synchronous") == (2,)
        assert reading.one("pragma secure_delete") == (1,)
        assert reading.one("pragma foreign_keys") == (1,)
        assert reading.one("pragma locking_mode") == ("exclusive",)


def test_a_setting_that_sqlite_does_not_take_refuses_the_start(world: World) -> None:
    class StaysInDelete(SqliteDatabase):
        """What was seen with EIO during the switch: no error, and the mode unchanged."""

        def rows(self, sql, values=()):  # type: ignore[no-untyped-def]
            return super().rows(sql.replace("journal_mode=wal", "journal_mode=delete"), values)

    with pytest.raises(StoreUnsafe, match="journal_mode"):
        world.open(StaysInDelete)


def test_a_second_store_on_the_file_is_refused_and_the_first_goes_on(world: World) -> None:
    store = world.open()
    with pytest.raises(StoreBusy):
        world.open()
    with store.transaction() as tx:
        tx.run("insert into settings values ('a', 1)")


def _try_to_open(world: World, answers: multiprocessing.Queue[str]) -> None:
    try:
        world.open()
    except StoreBusy:
        answers.put("busy")
    else:
        answers.put("open")


def test_a_second_process_is_refused_until_the_first_ends(world: World) -> None:
    context = multiprocessing.get_context("fork")
    answers: multiprocessing.Queue[str] = context.Queue()
    store = world.open()
    for wanted in ("busy", "open"):
        other = context.Process(target=_try_to_open, args=(world, answers))
        other.start()
        assert answers.get(timeout=10) == wanted
        other.join()
        store.close()


def test_no_other_connection_can_read_or_write_beside_the_store(world: World) -> None:
    world.open()
    stranger = SqliteDatabase(world.path)
    with pytest.raises(StoreBusy):
        stranger.rows("select * from settings")
    stranger.close()


@pytest.mark.parametrize(
    ("version", "exclusive", "refused"),
    [
        ((3, 40, 1), False, True),
        ((3, 51, 2), False, True),
        ((3, 51, 3), False, False),
        ((3, 40, 1), True, False),
    ],
)
def test_an_sqlite_with_the_wal_reset_bug_never_meets_a_second_writer(
    version: tuple[int, ...], exclusive: bool, refused: bool
) -> None:
    if refused:
        with pytest.raises(StoreUnsafe):
            refuse_unsafe(version, exclusive)
    else:
        refuse_unsafe(version, exclusive)


def test_a_store_of_a_later_version_is_refused_and_left_as_it_was(world: World) -> None:
    store = world.open()
    with store.transaction() as tx:
        tx.run(f"pragma user_version={len(MIGRATIONS) + 1}")
    world.close()
    before = world.path.read_bytes()
    with pytest.raises(StoreTooNew):
        world.open()
    assert world.path.read_bytes() == before


def test_a_damaged_page_is_found_at_the_start(world: World) -> None:
    store = world.open()
    with store.transaction() as tx:
        for n in range(500):
            tx.run("insert into settings values (?, ?)", f"name {n}", "x" * 100)
    world.close()
    content = bytearray(world.path.read_bytes())
    assert len(content) > 10 * 4096
    for page in range(3, len(content) // 4096):
        content[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    world.path.write_bytes(content)
    with pytest.raises(StoreCorrupt):
        world.open()


def test_a_file_that_is_no_database_is_called_damaged(world: World) -> None:
    world.open()
    world.close()
    world.path.write_bytes(b"not a database at all" * 400)
    with pytest.raises(StoreCorrupt):
        world.open()


def test_a_foreign_key_file_is_refused(world: World) -> None:
    world.open()
    world.close()
    (world.folder / "master.key").unlink()
    with pytest.raises(KeyMismatch, match="missing"):
        world.open()
    elsewhere = world.folder / "elsewhere"
    elsewhere.mkdir()
    World(elsewhere, chance=world.chance).vault()
    (elsewhere / "master.key").rename(world.folder / "master.key")
    with pytest.raises(KeyMismatch, match="another store"):
        world.open()


def test_an_exception_inside_a_transaction_leaves_nothing(world: World) -> None:
    store = world.open()
    with pytest.raises(ZeroDivisionError), store.transaction() as tx:
        tx.run("insert into settings values ('a', 1)")
        _ = 1 // 0
    with store.reading() as reading:
        assert reading.one("select * from settings where name = 'a'") is None
    assert not store.broken


def test_a_transaction_inside_a_transaction_is_a_bug(world: World) -> None:
    store = world.open()
    with pytest.raises(AssertionError), store.transaction(), store.transaction():
        pass


class FailsToCommit(SqliteDatabase):
    """A disk that fails once, in the middle of a commit."""

    failing = False

    def run(self, sql, values=()):  # type: ignore[no-untyped-def]
        if sql == "commit" and self.failing:
            self.failing = False
            raise StoreBroken("SQLite result 10")
        return super().run(sql, values)


def test_after_an_io_error_nothing_is_written_until_the_store_is_opened_again(
    world: World,
) -> None:
    made: list[FailsToCommit] = []

    def connect(path: Path) -> FailsToCommit:
        made.append(FailsToCommit(path))
        return made[-1]

    store = world.open(connect)
    made[0].failing = True
    with pytest.raises(StoreBroken), store.transaction() as tx:
        tx.run("insert into settings values ('a', 1)")
    assert store.broken
    with pytest.raises(StoreBroken), store.transaction() as tx:
        tx.run("insert into settings values ('b', 1)")
    world.close()
    with world.open().reading() as reading:
        assert reading.rows("select name from settings where name in ('a', 'b')") == []


def _a_day(world: World, store: Store, acknowledged: list[str]) -> None:
    """A payment from intent to settled, each step with its outbox row and audit event."""
    found = rooms(world, store)
    person = store.vault.pseudonym(ZHANG)
    with store.transaction() as tx:
        found.journal.open_payment(
            tx, "R1", kind="card", amount_fen=4200, subject=b"bill", person=person
        )
        found.outbox.queue(tx, "R1/intent", kind="payment", body=b"intent", person=person)
        found.audit.append(
            tx, "payment_opened", reference="R1", amount_fen=4200, kind="card", person=person
        )
    acknowledged.append("intent")
    for state in (State.SENT, State.PAID, State.BOOKING, State.SETTLED):
        with store.transaction() as tx:
            found.journal.moved(tx, "R1", state, b"proof")
            found.outbox.queue(tx, f"R1/{state}", kind="payment", body=b"x", person=person)
            found.audit.append(tx, "payment_moved", reference="R1", state=state.value)
        acknowledged.append(state)


def _check_whole(world: World, acknowledged: list[str]) -> None:
    """Journal, outbox and audit tell the same story, and nothing acknowledged is missing."""
    found = rooms(world, world.open())
    payment = found.journal.payment("R1")
    told = [] if payment is None else [str(move.state) for move in payment.moves]
    assert told[: len(acknowledged)] == acknowledged
    assert len(told) <= len(acknowledged) + 1
    assert [record.key for record in found.outbox.take(10)] == [f"R1/{state}" for state in told]
    assert len(found.audit.find("R1")) == len(told)
    assert found.audit.verify().events == len(told)  # type: ignore[union-attr]


def test_a_death_before_any_statement_leaves_whole_steps_and_no_acknowledged_one_is_lost(
    world: World, tmp_path: Path
) -> None:
    """From the first pragma of the first start to the last commit: every statement once."""
    for left in range(1000):
        alive = tmp_path / f"alive-{left}"
        alive.mkdir()
        victim = World(alive, world.time, world.chance)
        acknowledged: list[str] = []
        try:
            _a_day(victim, victim.open(lambda p, n=left: DyingDatabase(p, n)), acknowledged)
        except ProcessDied:
            survivor = victim.after_kill(tmp_path / f"found-{left}")
            _check_whole(survivor, acknowledged)
            survivor.close()
            victim.close()
        else:
            break
    assert left > 80, "the crash points of opening and five steps"
    assert acknowledged == ["intent", "sent", "paid", "booking", "settled"]


def test_faults_of_the_store_never_quote_a_row(world: World) -> None:
    store = world.open()
    with store.transaction() as tx:
        tx.run("insert into settings values ('secret-name', 1)")
    with pytest.raises(AssertionError) as bug, store.transaction() as tx:
        tx.run("insert into settings values ('secret-name', 1)")
    assert "secret-name" not in str(bug.value)
    assert not issubclass(bug.type, StoreError)
