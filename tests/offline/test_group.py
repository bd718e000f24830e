"""Writes of many threads: each durable before its answer, none lost, none undone by another's."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from offline.database import SqliteDatabase
from offline.group import GroupWriter
from offline.outbox import Outbox
from offline.store import Transaction
from tests.offline.world import World


class CountsCommits(SqliteDatabase):
    """How many transactions became durable."""

    commits = 0

    def run(self, sql, values=()):  # type: ignore[no-untyped-def]
        self.commits += sql == "commit"
        return super().run(sql, values)


def _queue(outbox: Outbox, key: str, tx: Transaction) -> int:
    return outbox.queue(tx, key, kind="x", body=b"")


def test_what_many_threads_write_is_all_there_and_took_fewer_commits(world: World) -> None:
    made: list[CountsCommits] = []

    def connect(path):  # type: ignore[no-untyped-def]
        made.append(CountsCommits(path))
        return made[-1]

    store = world.open(connect)
    outbox, writer = Outbox(store), GroupWriter(store)
    before = made[0].commits
    answers: list[int] = []

    def produce(name: int) -> None:
        for n in range(50):
            answers.append(writer.write(partial(_queue, outbox, f"{name}/{n}")))

    threads = [threading.Thread(target=produce, args=(name,)) for name in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(answers) == list(range(1, 801))
    assert outbox.depth().waiting == 800
    assert made[0].commits - before < 600, "nobody ever shared a commit"


def test_a_work_that_fails_undoes_itself_and_none_of_its_group(world: World) -> None:
    store = world.open()
    outbox, writer = Outbox(store), GroupWriter(store)
    failed: list[int] = []

    def produce(name: int) -> None:
        def work(tx: Transaction) -> int:
            outbox.queue(tx, f"{name}", kind="x", body=b"")
            assert name % 3, "a bug in one work"
            return name

        try:
            writer.write(work)
        except AssertionError:
            failed.append(name)

    with store.reading():  # all of them gather behind this look
        threads = [threading.Thread(target=produce, args=(name,)) for name in range(30)]
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(failed) == list(range(0, 30, 3))
    wanted = {f"{name}" for name in range(30) if name % 3}
    assert {record.key for record in outbox.take(99)} == wanted


def test_a_lone_writer_needs_no_other(world: World) -> None:
    store = world.open()
    writer = GroupWriter(store)
    assert writer.write(lambda tx: tx.one("select 7")) == (7,)
    with pytest.raises(ZeroDivisionError):
        writer.write(lambda tx: 1 // 0)
    assert writer.write(lambda tx: tx.one("select 8")) == (8,)
