"""Row 28: a screening's body goes after its days; that there was one, and its verdict, stays."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.retention import ERASE_AGAIN_S, ERASE_EVERY_S, erase_screenings, keep_erasing
from gateway.store import Store
from gateway.tables import records, refused, screenings
from kiosk.hospital import contract as c
from tests.gateway.served import Program
from tests.gateway.world import MORNING, HandClock, World, record, screening, states


def sent(world: World, *batch: c.Record) -> c.OutboxReply:
    reply: c.OutboxReply = world.ask(c.Outbox(batch))
    return reply


def kept(world: World) -> dict[int, bool]:
    """Whether the record of each sequence still has its body."""
    with world.parts.store.reading() as connection:
        rows = connection.execute(records.select()).all()
    return {row.sequence: bool(row.body) for row in rows}


def count(world: World, table: Any) -> int:
    with world.parts.store.reading() as connection:
        return len(connection.execute(table.select()).all())


def test_a_screening_is_erased_after_its_days_and_nothing_else_is(world: World) -> None:
    """Row 28: not a millisecond early, not what a person has yet to see, not other kinds."""
    spoilt = record(2, "{", "screening")
    hand_over = record(3, c.HandOverRecord("S3", MORNING, "P0001", "pay"), "hand_over")
    first = sent(world, record(1, screening("S1"), "screening"), spoilt, hand_over)
    assert states(first) == ["accepted", "refused", "accepted"]
    assert erase_screenings(world.parts.store, MORNING + timedelta(days=14), 14) == 0
    late = MORNING + timedelta(days=14, milliseconds=1)
    assert erase_screenings(world.parts.store, late, 14) == 1
    assert kept(world) == {1: False, 2: True, 3: True}
    assert (count(world, screenings), count(world, refused)) == (1, 1), "counts stay"
    assert erase_screenings(world.parts.store, late, 14) == 0, "once"


def test_an_erased_record_that_comes_again_gets_its_first_verdict(world: World) -> None:
    one = record(1, screening("S1"), "screening")
    first = sent(world, one)
    erase_screenings(world.parts.store, MORNING + timedelta(days=15), 14)
    assert sent(world, one) == first
    assert kept(world) == {1: False}
    other = record(2, screening("S2"), "screening", key="key-1")
    assert sent(world, other).verdicts[0].reason == "key_reused"


def test_what_came_late_is_erased_by_the_day_it_was_made(world: World) -> None:
    """A terminal that was away for 20 days, and one whose clock runs ahead by a year."""
    made = MORNING - timedelta(days=20)
    ahead = MORNING + timedelta(days=365)
    sent(world, record(1, screening("S1"), "screening", at=made))
    sent(world, record(2, screening("S2"), "screening", at=ahead))
    assert erase_screenings(world.parts.store, MORNING, 14) == 1
    assert kept(world) == {1: False, 2: True}
    assert erase_screenings(world.parts.store, MORNING + timedelta(days=15), 14) == 1


def test_more_than_fit_into_one_transaction_are_all_erased(world: World) -> None:
    for start in range(1, 1101, 100):
        batch = [record(n, screening(f"S{n}"), "screening") for n in range(start, start + 100)]
        sent(world, *batch)
    assert erase_screenings(world.parts.store, MORNING + timedelta(days=15), 14) == 1100
    assert not any(kept(world).values())


def test_the_sealed_bytes_are_gone_from_the_files(light_world: World, tmp_path: Path) -> None:
    """Row 28: from SQLite's write-ahead log too."""
    sent(light_world, record(1, screening("S1"), "screening"))
    with light_world.parts.store.reading() as connection:
        [sealed] = connection.execute(records.select()).all()

    def on_disk() -> bool:
        return any(bytes(sealed.body) in one.read_bytes() for one in tmp_path.glob("gateway.db*"))

    assert on_disk()
    erase_screenings(light_world.parts.store, MORNING + timedelta(days=15), 14)
    assert not on_disk()


def test_it_is_done_at_once_and_then_daily_until_the_end(light_world: World) -> None:
    clock, rests = HandClock(MORNING), list[float]()
    sent(light_world, record(1, screening("S1"), "screening"))

    def wait(seconds: float) -> bool:
        rests.append(seconds)
        clock.advance(seconds=seconds)
        return not kept(light_world)[1]

    keep_erasing(light_world.parts.store, clock, 14, log=light_world.parts.gateway.log, wait=wait)
    assert rests == [ERASE_EVERY_S] * 15 + [ERASE_EVERY_S]


def test_a_database_that_is_away_is_tried_again_soon(light_world: World, tmp_path: Path) -> None:
    away = Store(f"sqlite:///{tmp_path}/no/such/folder/gateway.db")
    rests = list[float]()

    def wait(seconds: float) -> bool:
        rests.append(seconds)
        return len(rests) == 2

    keep_erasing(away, HandClock(MORNING), 14, log=light_world.parts.gateway.log, wait=wait)
    assert rests == [ERASE_AGAIN_S] * 2


@pytest.mark.parametrize(("days", "bound"), [("13", "14"), ("31", "30")])
def test_only_what_the_standard_allows_can_be_asked_for(days: str, bound: str) -> None:
    result = CliRunner().invoke(app, ["serve", "--keep-screenings-days", days])
    assert result.exit_code == 2
    assert bound in result.output
    assert "--keep-screenings-days" in result.output


def test_the_running_gateway_erases_when_it_starts_and_still_ends_cleanly(
    world: World, url: str, tmp_path: Path
) -> None:
    sent(world, record(1, screening("S1"), "screening"))
    later = (MORNING + timedelta(days=21)).isoformat()
    more = ("--keep-screenings-days", "20", "--demo-controls", "--demo-now", later)
    gateway = Program(url, tmp_path, *more)
    gateway.start()
    erased = threading.Event()
    for _ in range(200):
        if "screenings_erased" in gateway.log or erased.wait(0.05):
            break
    assert gateway.stop() == 0
    lines = [json.loads(line) for line in gateway.log.splitlines() if line.startswith("{")]
    assert [line["count"] for line in lines if line["event"] == "screenings_erased"] == [1]
    assert kept(world) == {1: False}
