"""A record that fells the server: the others of its batch stand, and it may come again."""

from __future__ import annotations

import pytest

from gateway.adapters.port import Refused
from gateway.store import StoreAway
from gateway.tables import records, refused, screenings
from kiosk.hospital import contract as c
from tests.gateway.test_ingest import batch, rows, screenings_sent
from tests.gateway.world import TOKEN, World, record, screening, states

TOO_FAR = 2**63
"""One more than a database counts: a sequence of no terminal of ours."""


def spoil(world: World, sequence: int, fault: str) -> None:
    """From now on the database itself fails over this record's effect; `fault`: PL/pgSQL."""
    with world.parts.store.writing() as connection:
        if world.parts.store.is_sqlite:
            connection.exec_driver_sql(
                "create trigger spoilt before insert on screenings "
                f"when new.sequence = {sequence} begin select raise(abort, 'spoilt'); end"
            )
            return
        connection.exec_driver_sql(
            "create function spoil() returns trigger language plpgsql as "
            f"$$ begin {fault}; return new; end $$"
        )
        connection.exec_driver_sql(
            "create trigger spoilt before insert on screenings for each row "
            f"when (new.sequence = {sequence}) execute function spoil()"
        )


def mended(world: World) -> None:
    with world.parts.store.writing() as connection:
        place = "" if world.parts.store.is_sqlite else " on screenings"
        connection.exec_driver_sql(f"drop trigger spoilt{place}")


def sequences(world: World) -> list[int]:
    return sorted(row.sequence for row in rows(world, screenings))


def test_a_record_that_fells_the_server_waits_and_the_others_are_taken(world: World) -> None:
    sent = screenings_sent(1, 2, 3, 4)
    spoil(world, 2, "raise exception 'spoilt'")
    reply = batch(world, *sent)
    assert states(reply) == ["accepted", "later", "accepted", "accepted"]
    assert (reply.verdicts[1].reason, reply.held_up_to) == ("server_error", 1)
    assert sequences(world) == [1, 3, 4]
    assert [row.sequence for row in rows(world, records)] == [1, 3, 4], "nothing half done"
    assert not rows(world, refused), "the record is not to blame"
    assert batch(world, *sent) == reply, "as often as it comes"
    told = world.log.getvalue()
    assert '"record_broke"' in told and "马德福" not in told and "610102" not in told
    mended(world)
    again = batch(world, *sent)
    assert (states(again), again.held_up_to) == (["accepted"] * 4, 4)
    assert sequences(world) == [1, 2, 3, 4]


def test_what_the_database_cannot_even_count_waits_alone(world: World) -> None:
    far = record(TOO_FAR, screening("S9"), "screening", key="far")
    reply = batch(world, *screenings_sent(1), far, *screenings_sent(2))
    assert states(reply) == ["accepted", "later", "accepted"]
    assert reply.held_up_to == 2


@pytest.mark.parametrize("long", [{"key": "k" * 201}, {"key": "k", "kind": "s" * 41}])
def test_what_is_too_long_to_hold_is_refused_once_and_stops_nothing(
    world: World, long: dict[str, str]
) -> None:
    poison = record(2, screening("S2"), long.get("kind", "screening"), key=long["key"])
    sent = (*screenings_sent(1), poison, *screenings_sent(3))
    reply = batch(world, *sent)
    assert states(reply) == ["accepted", "refused", "accepted"]
    assert (reply.verdicts[1].key, reply.verdicts[1].reason) == (long["key"], "not_storable")
    assert reply.held_up_to == 3
    assert batch(world, *sent) == reply
    [kept] = rows(world, refused)
    assert len(kept.key) <= 200 and len(kept.kind) <= 40
    assert not world.alarms()


def test_a_stranger_whose_batch_breaks_something_is_a_stranger_all_the_same(world: World) -> None:
    """The sequence breaks the very statement that would have shown the token."""
    sent = c.Outbox(tuple(record(n, screening("S1"), "screening") for n in (TOO_FAR - 1, TOO_FAR)))
    endpoint = c.endpoint_of(c.Outbox)
    with pytest.raises(Refused) as stranger:
        world.parts.gateway.answer_to("T1", "guessed", endpoint, c.to_json(sent))
    assert stranger.value.status == 401
    assert not rows(world, records) and not rows(world, refused)
    world.parts.gateway.answer_to("T1", TOKEN, endpoint, c.to_json(sent))
    assert [row.sequence for row in rows(world, records)] == [TOO_FAR - 1]


def test_an_unusable_record_that_comes_late_takes_nothing_back(world: World) -> None:
    """What is held stays held, and the next batch is new to the gateway as before."""
    batch(world, *screenings_sent(*range(1, 11)))
    poison = record(5, c.to_json(screening("S5")).decode(), "screening\x00", key="key-5\x00")
    batch(world, poison)
    assert batch(world, *screenings_sent(11)).held_up_to == 11
    assert sequences(world) == list(range(1, 12))


def test_a_backend_that_dies_in_a_batch_leaves_nothing_of_it(world: World) -> None:
    if world.parts.store.is_sqlite:
        pytest.skip("SQLite has no backend that could die alone")
    sent = screenings_sent(1, 2, 3)
    spoil(world, 2, "perform pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(StoreAway):
        batch(world, *sent)
    assert not rows(world, records) and not rows(world, screenings)
    mended(world)
    assert states(batch(world, *sent)) == ["accepted"] * 3
    assert sequences(world) == [1, 2, 3]
