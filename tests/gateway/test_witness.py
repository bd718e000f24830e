"""A terminal's signed heads reach the gateway, which then knows what the terminal may not unsay."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import pytest

from gateway.tables import audit_heads, from_us
from kiosk.flows.effects import KeepAudit
from kiosk.hospital import contract as c
from kiosk.records import StoreRecords, open_records
from offline.audit import Audit
from offline.chain import Head, Intact, Tampered
from tests.gateway.world import MORNING, TERMINAL, World
from tests.offline.world import HandClock as StoreTime

EVENT = KeepAudit("volunteer_unlocked", fields=(("who", "volunteer_01"),))


@pytest.fixture
def records(tmp_path: Path) -> Iterator[StoreRecords]:
    chance, time = Random(5), StoreTime(wall_ms=round(MORNING.timestamp() * 1000) + 123)
    made = open_records(
        tmp_path / "terminal",
        {},
        clock=time.clock(),
        zone=MORNING.tzinfo,  # type: ignore[arg-type]
        random_bytes=chance.randbytes,
        chance=chance,
    )
    yield made
    made.close()


def send(world: World, records: StoreRecords) -> None:
    """Until nothing waits; the gateway's answers are its own."""

    def carry(records: Sequence[c.Record]) -> c.OutboxReply:
        reply: c.OutboxReply = world.ask(c.Outbox(tuple(records)))
        return reply

    while records.waiting():
        assert records.send_round(carry) == 0, "a batch was not taken"


def witnessed(world: World) -> list[Head]:
    """The heads as the gateway's table gives them back."""
    with world.parts.store.reading() as connection:
        rows = connection.execute(audit_heads.select().order_by(audit_heads.c.sequence)).all()
    assert {row.terminal for row in rows} == {TERMINAL}
    return [
        Head(
            row.sequence,
            bytes.fromhex(row.chain_hash),
            round(from_us(row.at).timestamp() * 1000),
            base64.b64decode(row.signature),
        )
        for row in rows
    ]


def test_heads_arrive_as_they_were_signed(world: World, records: StoreRecords) -> None:
    """The table's columns are enough to check the signature and the whole trail again."""
    for _ in range(3):
        records.commit([EVENT, EVENT], "")
        records.witness(now=True)
    send(world, records)
    heads = witnessed(world)
    assert [head.seq for head in heads] == [2, 4, 6]
    assert records._audit.heads() == heads
    assert records._audit.verify(heads) == Intact(6, 0)
    assert world.alarms() == []


def test_a_trail_that_is_cut_off_later_does_not_fit_the_witness(
    world: World, records: StoreRecords
) -> None:
    records.commit([EVENT, EVENT], "")
    records.witness(now=True)
    send(world, records)
    with records._store.transaction() as tx:
        tx.run("delete from audit_heads")
        tx.run("delete from names where room = 'audit' and seq = 2")
        tx.run("delete from audit where seq = 2")
    audit: Audit = records._audit
    assert isinstance(audit.verify(witnessed(world)), Tampered)
