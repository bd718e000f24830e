"""The outbox: a verdict a record, each effect once, whatever comes twice, late or spoilt."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import fleet
from gateway.adapters.demo import people
from gateway.tables import audit_heads, records, refused, screenings
from kiosk.hospital import contract as c
from tests.bench.sync import wire_share
from tests.gateway.world import MORNING, World, all_at_once, record, screening, states

_BASES = itertools.count(1000, 1000)
READY_REPORT = "R20261120-P0001-1"


def batch(world: World, *sent: c.Record, terminal: str = "T1") -> c.OutboxReply:
    reply: c.OutboxReply = world.ask(c.Outbox(sent), terminal)
    return reply


def rows(world: World, table: Any) -> list[Any]:
    with world.parts.store.reading() as connection:
        return list(connection.execute(table.select()))


def screenings_sent(*sequences: int) -> tuple[c.Record, ...]:
    return tuple(record(n, screening(f"S{n}"), "screening") for n in sequences)


def printed(sequence: int, key: str = "") -> c.Record:
    body = c.PrintedRecord(people.ELDER.id, READY_REPORT, MORNING)
    return record(sequence, body, "printed", key)


def test_a_batch_is_accepted_and_again_without_a_second_effect(world: World) -> None:
    sent = screenings_sent(1, 2, 3)
    first = batch(world, *sent)
    assert (states(first), first.held_up_to) == (["accepted"] * 3, 3)
    assert batch(world, *sent) == first
    assert len(rows(world, screenings)) == 3


def test_records_that_come_out_of_order_are_held_up_to_the_gap(world: World) -> None:
    assert batch(world, *screenings_sent(3, 4)).held_up_to == 0
    assert batch(world, *screenings_sent(1)).held_up_to == 1
    assert batch(world, *screenings_sent(2)).held_up_to == 4
    assert batch(world, *screenings_sent(6, 5)).held_up_to == 6


def test_a_record_that_cannot_be_read_does_not_stop_the_others(world: World) -> None:
    sent = [*screenings_sent(1, 2, 3, 4)]
    sent[1] = replace(sent[1], body='{"slip": "broken"')
    sent[2] = replace(sent[2], kind="tomorrows_kind")
    reply = batch(world, *sent)
    assert states(reply) == ["accepted", "refused", "refused", "accepted"]
    assert [verdict.reason for verdict in reply.verdicts] == [
        "",
        "body_not_understood",
        "kind_unknown",
        "",
    ]
    assert reply.held_up_to == 4
    assert len(rows(world, screenings)) == 2
    assert {row.reason for row in rows(world, refused)} == {"body_not_understood", "kind_unknown"}
    assert batch(world, *sent) == reply, "a refusal is said again"
    assert len(rows(world, refused)) == 2


def test_a_record_that_breaks_the_server_does_not_stop_the_others(world: World) -> None:
    """A NUL in a text is one thing that PostgreSQL itself cannot store."""
    poison = c.HandOverRecord("slip\x00", MORNING, "P0001", "pay")
    sent = (*screenings_sent(1), record(2, poison, "hand_over"), *screenings_sent(3))
    reply = batch(world, *sent)
    second = "accepted" if world.parts.store.is_sqlite else "refused"
    assert states(reply) == ["accepted", second, "accepted"]
    assert reply.held_up_to == 3
    assert states(batch(world, *sent)) == states(reply)
    assert len(rows(world, screenings)) == 2


def test_the_same_key_with_another_body_is_refused_alarmed_and_kept(world: World) -> None:
    """RELIABILITY S2."""
    batch(world, *screenings_sent(1))
    other = record(2, screening("S1", waited_s=999), "screening", key="key-1")
    reply = batch(world, other)
    assert (reply.verdicts[0].state, reply.verdicts[0].reason) == ("refused", "key_reused")
    assert reply.held_up_to == 2, "it is answered for: nothing waits for it"
    assert world.alarms() == ["key_reused"]
    assert len(rows(world, screenings)) == 1
    batch(world, other)
    assert world.alarms() == ["key_reused"], "alarmed once"


def test_the_same_key_in_the_same_place_with_another_body_is_refused_too(world: World) -> None:
    """RELIABILITY S2: a record that was changed on its way, or on a disk."""
    batch(world, *screenings_sent(1))
    changed = record(1, screening("S1", waited_s=999), "screening", key="key-1")
    [verdict] = batch(world, changed).verdicts
    assert (verdict.state, verdict.reason) == ("refused", "key_reused")
    assert world.alarms() == ["key_reused"]
    assert len(rows(world, screenings)) == 1


def test_another_record_in_a_taken_place_is_refused_and_alarmed(world: World) -> None:
    """A terminal restored from an old backup counts from a number that is gone."""
    batch(world, *screenings_sent(1))
    reply = batch(world, record(1, screening("S9"), "screening", key="key-9"))
    assert (reply.verdicts[0].state, reply.verdicts[0].reason) == ("refused", "sequence_reused")
    assert world.alarms() == ["sequence_reused"]
    assert [row.reason for row in rows(world, refused)] == ["sequence_reused"]


def test_a_key_of_another_terminal_is_refused(world: World) -> None:
    batch(world, *screenings_sent(1))
    reply = batch(world, *screenings_sent(1), terminal="T2")
    assert reply.verdicts[0].reason == "key_reused"
    assert len(rows(world, screenings)) == 1


def test_the_same_record_twice_in_one_batch_is_one_record(world: World) -> None:
    (sent,) = screenings_sent(1)
    reply = batch(world, sent, sent)
    assert states(reply) == ["accepted", "accepted"]
    assert len(rows(world, screenings)) == 1


def test_two_records_with_one_key_in_one_batch_are_not_both_believed(world: World) -> None:
    (sent,) = screenings_sent(1)
    reply = batch(world, sent, record(2, screening("other"), "screening", key=sent.key))
    assert states(reply) == ["accepted", "refused"]
    assert len(rows(world, screenings)) == 1


def test_sixteen_deliveries_of_one_batch_at_once_have_one_effect(world: World) -> None:
    sent = (*screenings_sent(*range(1, 20)), printed(20))
    answers = all_at_once(16, lambda _: batch(world, *sent))
    assert len({repr(answer) for answer in answers}) == 1
    assert len(rows(world, screenings)) == 19
    assert len(world.his("printed")) == 1


def test_a_check_in_made_offline_is_judged_by_its_own_moment(world: World) -> None:
    appointment = world.ask(c.AskToday(people.ELDER.id)).appointments[0]
    body = c.CheckInRecord(people.ELDER.id, appointment.id, MORNING, "S1")
    world.clock.advance(hours=9)
    reply = batch(world, record(1, body, "check_in"))
    assert states(reply) == ["accepted"]
    assert batch(world, record(1, body, "check_in")) == reply
    mine = [entry for entry in world.his("checked_in") if entry.subject == appointment.id]
    assert len(mine) == 1


def test_a_check_in_that_the_hospital_refuses_is_kept_with_its_reason(world: World) -> None:
    body = c.CheckInRecord(people.ELDER.id, "A-of-nobody", MORNING, "S1")
    reply = batch(world, record(1, body, "check_in"), *screenings_sent(2))
    assert states(reply) == ["refused", "accepted"]
    assert reply.verdicts[0].reason == "unknown"
    assert [row.reason for row in rows(world, refused)] == ["unknown"]


def test_a_check_in_online_and_again_from_the_outbox_is_one(world: World) -> None:
    """The answer was lost, the terminal went offline and queued what it had done."""
    appointment = world.ask(c.AskToday(people.ELDER.id)).appointments[0]
    world.ask(c.CheckIn("online", people.ELDER.id, appointment.id))
    body = c.CheckInRecord(people.ELDER.id, appointment.id, MORNING, "S1")
    assert states(batch(world, record(1, body, "check_in"))) == ["accepted"]
    mine = [entry for entry in world.his("checked_in") if entry.subject == appointment.id]
    assert len(mine) == 1


def test_a_paper_form_entered_twice_is_counted_once(world: World) -> None:
    """Row 26: the serial number of the paper is kept, so that nothing counts twice."""
    one = record(1, screening("S1", paper_serial="0042"), "screening")
    two = record(2, screening("S2", paper_serial="0042"), "screening")
    three = record(3, screening("S3", paper_serial="0043"), "screening")
    assert states(batch(world, one)) == ["accepted"]
    assert states(batch(world, two, three)) == ["accepted", "accepted"]
    counted = {row.sequence: row.counted for row in rows(world, screenings)}
    assert counted == {1: True, 2: False, 3: True}


def test_waiting_times_are_told_by_half_and_by_nine_in_ten(world: World) -> None:
    """Row 27, its gateway half."""
    sent = [record(n, screening(f"S{n}", waited_s=n * 10), "screening") for n in range(1, 12)]
    random.Random(7).shuffle(sent)
    batch(world, *sent)
    with world.parts.store.reading() as connection:
        waits = fleet.waiting(connection, "2026-11-20")
    assert (waits.people, waits.p50_s, waits.p90_s) == (11, 60, 100)


def test_a_screened_person_cannot_be_read_from_the_database(world: World) -> None:
    """Row 28: sealed in the store; the counted row has no person in it."""
    batch(world, *screenings_sent(1))
    kept = rows(world, records)[0]
    assert "马德福".encode() not in kept.body
    assert b"610102194302110097" not in kept.body
    assert "马" not in repr(rows(world, screenings)[0])
    plain = world.parts.keys.unseal(kept.body, "records/T1/1")
    assert "马德福".encode() in plain


def test_the_gateway_witnesses_audit_heads_and_sees_a_second_one(world: World) -> None:
    head = c.AuditHeadRecord(1000, "aa" * 32, "sig", MORNING)
    forged = replace(head, chain_hash="bb" * 32)
    assert states(batch(world, record(1, head, "audit_head"))) == ["accepted"]
    assert states(batch(world, record(2, forged, "audit_head"))) == ["refused"]
    assert [row.chain_hash for row in rows(world, audit_heads)] == ["aa" * 32]
    assert world.alarms() == ["audit_head_differs"]


def test_a_queue_of_thirty_five_days_arrives_once(world: World) -> None:
    sent = screenings_sent(*range(1, 41))
    batch(world, *sent[:20])
    world.clock.advance(days=35)
    reply = batch(world, *sent)
    assert reply.held_up_to == 40
    assert {verdict.state for verdict in reply.verdicts} == {"accepted"}, "its first verdict, again"
    assert len(rows(world, screenings)) == 40 and not world.alarms()


def test_more_records_than_a_batch_holds_are_no_message_of_the_contract() -> None:
    with pytest.raises(ValueError, match=str(c.BATCH_RECORDS_MAX)):
        c.Outbox(screenings_sent(*range(1, c.BATCH_RECORDS_MAX + 2)))


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.randoms(use_true_random=False))
def test_any_order_any_repetition_ends_with_each_effect_once(
    light_world: World, chance: random.Random
) -> None:
    """The network may cut, double and shuffle batches; the end is always the same."""
    base = next(_BASES)
    sent = [record(base + n, screening(f"S{base + n}", waited_s=1), "screening") for n in range(12)]
    before = len(rows(light_world, screenings))
    waiting = [*sent, *chance.sample(sent, 6)]
    chance.shuffle(waiting)
    while waiting:
        size = chance.randint(1, 5)
        reply = batch(light_world, *waiting[:size])
        assert set(states(reply)) == {"accepted"}
        del waiting[:size]
    assert len(rows(light_world, screenings)) - before == len(sent)


def test_the_day_of_a_screening_is_the_hospitals_day(light_world: World) -> None:
    late = replace(screening("S1"), at=MORNING + timedelta(hours=15, minutes=20))
    batch(light_world, record(1, late, "screening"))
    assert rows(light_world, screenings)[0].day == "2026-11-21"


def test_a_batch_travels_in_less_than_a_third_of_its_json() -> None:
    assert wire_share() < 1 / 3
