"""Keys are permanent: an operation is done once, and its first answer is said again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.adapters.demo import people
from gateway.operations import KeyReused
from gateway.tables import operations
from kiosk.hospital import contract as c
from tests.gateway.world import World, all_at_once

SLOT = "cardio.cardio1.20261120.0900"


def hold(key: str, person: str = people.BY_CARD.id) -> c.HoldSlot:
    return c.HoldSlot(key, SLOT, person)


def test_the_same_key_again_gets_the_first_answer(world: World) -> None:
    first = world.ask(hold("k1"))
    world.clock.advance(minutes=1)
    assert world.ask(hold("k1")) == first
    assert len(world.his("held")) == 1


def test_a_key_is_remembered_for_thirty_five_days_and_longer(world: World) -> None:
    first = world.ask(hold("k1"))
    world.clock.advance(days=400)
    assert world.ask(hold("k1")) == first
    assert len(world.his("held")) == 1


def test_the_same_key_with_another_body_is_refused_and_alarmed(world: World) -> None:
    world.ask(hold("k1"))
    with pytest.raises(KeyReused):
        world.ask(hold("k1", people.ELDER.id))
    assert world.alarms() == ["key_reused"]
    assert len(world.his("held")) == 1


def test_the_same_key_at_another_endpoint_is_refused(world: World) -> None:
    world.ask(hold("k1"))
    with pytest.raises(KeyReused):
        world.ask(c.ReleaseHold("k1", "k1"))
    assert not world.his("released")


def test_another_terminal_never_gets_the_stored_answer(world: World) -> None:
    world.ask(hold("k1"))
    with pytest.raises(KeyReused):
        world.ask(hold("k1"), terminal="T2")
    assert world.alarms() == ["key_reused"]


def test_sixteen_at_once_with_one_key_make_one_effect_and_one_answer(world: World) -> None:
    answers = all_at_once(16, lambda _: world.ask(hold("k1")))
    assert len({repr(answer) for answer in answers}) == 1
    assert isinstance(answers[0], c.Held)
    assert len(world.his("held")) == 1


def test_sixteen_settlements_with_one_reference_book_once(world: World) -> None:
    today = world.ask(c.AskToday(people.ELDER.id))
    quote = world.ask(c.PreSettle(people.ELDER.id, (today.bills[0].id,))).quote
    settle = c.Settle("R1", people.ELDER.id, quote.id, 4120, "card", "trace 17")
    answers = all_at_once(16, lambda _: world.ask(settle))
    assert {type(answer) for answer in answers} == {c.Settled}
    assert len({answer.receipt_number for answer in answers}) == 1
    assert len(world.his("settled")) == 1


def test_an_effect_that_breaks_leaves_no_key_behind(world: World) -> None:
    ask = hold("k1", "nobody")
    with pytest.raises(Exception, match="404 person_unknown"):
        world.ask(ask)
    with world.parts.store.reading() as connection:
        assert connection.execute(operations.select()).first() is None


def test_a_stored_answer_cannot_be_read_from_the_database(world: World) -> None:
    world.ask(hold("k1"))
    with world.parts.store.reading() as connection:
        row = connection.execute(operations.select()).one()
    assert "李建国".encode() not in row.reply
    assert b"P0002" not in row.reply
    assert row.at == int(world.clock().timestamp()) * 1_000_000
    assert world.clock() - timedelta(days=1) < world.clock()
