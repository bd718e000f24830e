"""A terminal's signed heads reach the gateway, which then knows what the terminal may not unsay."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.fleet import add_terminal
from gateway.tables import audit_heads, audit_keys, from_us, refused
from kiosk.flows.effects import KeepAudit
from kiosk.hospital import contract as c
from kiosk.records import StoreRecords, open_records
from offline.audit import Audit
from offline.chain import Head, Intact, Tampered
from tests.gateway.world import MORNING, TERMINAL, World, record, states
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


def hello(world: World, key: str, terminal: str = TERMINAL) -> None:
    world.ask(c.Hello(terminal, "0.1.0", MORNING, audit_key=key), terminal)


def signed_head(key: Ed25519PrivateKey, sequence: int, link: str = "aa") -> c.AuditHeadRecord:
    head = c.AuditHeadRecord(sequence, link * 32, "", MORNING)
    return replace(head, signature=base64.b64encode(key.sign(head.signed())).decode())


def public(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


OWN, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))


def test_the_contract_s_bytes_are_those_the_terminal_signs(records: StoreRecords) -> None:
    """Typed by hand: sequence 7, 1.001 s after 1970 began, a chain hash of 32 × 0xab."""
    at = datetime(1970, 1, 1, 0, 0, 1, 1000, tzinfo=UTC)
    expected = b"kiosk audit head 1\x007\x001001\x00" + b"\xab" * 32
    assert c.AuditHeadRecord(7, "ab" * 32, "", at).signed() == expected
    assert Head(7, b"\xab" * 32, 1001, b"").signed() == expected


def test_a_terminal_s_own_heads_fit_the_key_it_named(world: World, records: StoreRecords) -> None:
    hello(world, records.audit_key())
    records.commit([EVENT, EVENT], "")
    records.witness(now=True)
    send(world, records)
    assert [head.seq for head in witnessed(world)] == [2]
    assert world.alarms() == []


def test_a_head_by_another_key_is_refused_alarmed_and_kept(world: World) -> None:
    """RELIABILITY A5: whoever writes a new chain with a key of their own is seen at once."""
    hello(world, public(OWN))
    heads = (signed_head(OWN, 1), signed_head(OTHER, 2), signed_head(OWN, 3))
    flipped = replace(signed_head(OWN, 4), chain_hash="ab" * 32)
    nonsense = replace(signed_head(OWN, 5), chain_hash="not hexadecimal")
    sent = [record(n, one, "audit_head") for n, one in enumerate((*heads, flipped, nonsense), 1)]
    reply = world.ask(c.Outbox(tuple(sent)))
    assert states(reply) == ["accepted", "refused", "accepted", "refused", "refused"]
    assert {verdict.reason for verdict in reply.verdicts} == {"", "head_forged"}
    assert [head.seq for head in witnessed(world)] == [1, 3]
    assert world.alarms() == ["audit_head_forged"] * 3
    with world.parts.store.reading() as connection:
        kept = connection.execute(refused.select().order_by(refused.c.sequence)).all()
    evidence = world.parts.keys.unseal(kept[0].body, "refused/T1/key-2").decode()
    assert c.from_json(c.AuditHeadRecord, evidence) == signed_head(OTHER, 2)
    assert world.ask(c.Outbox(tuple(sent))) == reply
    assert len(world.alarms()) == 3, "each is alarmed once"


def test_a_terminal_that_names_another_key_later_is_alarmed_and_not_believed(world: World) -> None:
    hello(world, public(OWN))
    for _ in range(3):
        hello(world, public(OTHER))
    assert world.alarms() == ["audit_key_differs"]
    with world.parts.store.reading() as connection:
        seen = connection.execute(audit_keys.select().order_by(audit_keys.c.at)).all()
    assert {row.audit_key for row in seen} == {public(OWN), public(OTHER)}
    reply = world.ask(c.Outbox((record(1, signed_head(OTHER, 1), "audit_head"),)))
    assert states(reply) == ["refused"]
    hello(world, public(OTHER), "T2")
    assert len(world.alarms()) == 2, "another terminal may have any key"


def test_heads_that_came_before_the_key_are_judged_when_it_is_seen(world: World) -> None:
    sent = (signed_head(OWN, 1), signed_head(OTHER, 2))
    reply = world.ask(c.Outbox(tuple(record(n, h, "audit_head") for n, h in enumerate(sent, 1))))
    assert states(reply) == ["accepted", "accepted"]
    hello(world, public(OWN))
    assert world.alarms() == ["audit_head_forged"]


def test_a_key_given_at_enrolment_stands_before_any_that_is_seen(world: World) -> None:
    add_terminal(world.parts.store, "T7", MORNING, audit_key=public(OWN))
    hello(world, public(OTHER), "T7")
    assert world.alarms() == ["audit_key_differs"]
