"""Several gateways on one PostgreSQL are one: keys, numbers and batches hold across them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from gateway import reconcile
from gateway.adapters.demo import people
from gateway.daily_file import Channel, FileRow, Moved, read, write
from gateway.tables import differences, screenings
from kiosk.hospital import contract as c
from tests.gateway.postgres import Cluster
from tests.gateway.test_payments import WECHAT
from tests.gateway.test_slots import CROWD, left_of, some_slot
from tests.gateway.world import World, all_at_once, make_world, record, screening

TODAY = date(2026, 11, 20)
GATEWAYS = 3


@pytest.fixture
def fleet(postgres: Cluster) -> Iterator[list[World]]:
    """Started together on an empty database: making its tables is a race as well."""
    url = postgres.new_database()
    worlds = all_at_once(GATEWAYS, lambda _: make_world(url))
    assert all(isinstance(world, World) for world in worlds), worlds
    yield worlds
    for world in worlds:
        world.close()


def test_one_key_at_three_gateways_is_one_effect(fleet: list[World]) -> None:
    ask = c.HoldSlot("k1", some_slot(fleet[0]), people.BY_CARD.id)
    answers = all_at_once(15, lambda place: fleet[place % GATEWAYS].ask(ask))
    assert len({repr(answer) for answer in answers}) == 1
    assert len(fleet[0].his("held")) == 1


def test_the_last_number_at_three_gateways_goes_to_one(fleet: list[World]) -> None:
    slot_id = some_slot(fleet[0])
    for place in range(left_of(fleet[0], slot_id) - 1):
        fleet[0].ask(c.HoldSlot(f"before-{place}", slot_id, CROWD[place]))
    answers = all_at_once(
        15,
        lambda place: fleet[place % GATEWAYS].ask(
            c.HoldSlot(f"race-{place}", slot_id, CROWD[20 + place])
        ),
    )
    assert sum(isinstance(answer, c.Held) for answer in answers) == 1
    assert answers.count(c.SlotGone("none_left")) == 14


def test_one_batch_at_three_gateways_is_ingested_once(fleet: list[World]) -> None:
    sent = c.Outbox(tuple(record(n, screening(f"S{n}"), "screening") for n in range(1, 60)))
    answers = all_at_once(12, lambda place: fleet[place % GATEWAYS].ask(sent))
    assert {answer.held_up_to for answer in answers} == {59}
    assert {verdict.state for answer in answers for verdict in answer.verdicts} == {"accepted"}
    with fleet[0].parts.store.reading() as connection:
        assert len(connection.execute(screenings.select()).all()) == 59


def test_one_key_from_two_terminals_at_once_is_believed_once(fleet: list[World]) -> None:
    """Neither finds the other's row before both insert; the unique key decides."""
    for attempt in range(1, 9):
        one = record(attempt, screening(f"S{attempt}"), "screening", key=f"same-{attempt}")
        answers = all_at_once(
            2, lambda place, one=one: fleet[place].ask(c.Outbox((one,)), f"T{place + 1}")
        )
        said = sorted(answer.verdicts[0].state for answer in answers)
        assert said == ["accepted", "refused"]
    with fleet[0].parts.store.reading() as connection:
        assert len(connection.execute(screenings.select()).all()) == 8


def test_a_charge_at_three_gateways_takes_the_money_once(fleet: list[World]) -> None:
    ask = c.PayByCode("R1", 4120, WECHAT)
    answers = all_at_once(12, lambda place: fleet[place % GATEWAYS].ask(ask))
    assert {answer.state for answer in answers} == {"paid"}
    assert fleet[0].taken_fen("R1") == 4120


def test_one_appointment_of_the_elder_although_three_opened_the_day(fleet: list[World]) -> None:
    assert len(fleet[0].ask(c.AskToday(people.ELDER.id)).appointments) == 1
    booked = fleet[0].his("booked")
    assert len(booked) == len({entry.subject for entry in booked})


def test_a_day_matched_at_three_gateways_at_once_is_kept_once(fleet: list[World]) -> None:
    rows = tuple(FileRow(Moved.CHARGED, f"R{n}", f"P{n}", 100) for n in range(50))
    file = read(write(Channel.CODES, TODAY, rows).encode())
    reconcile.take_file(fleet[0].parts.store, file, fleet[0].clock())

    def match(place: int) -> int:
        parts = fleet[place % GATEWAYS].parts
        now = fleet[0].clock()
        return len(reconcile.run(parts.store, parts.gateway.hospital, TODAY, now).found)

    assert all_at_once(12, match) == [50] * 12
    with fleet[0].parts.store.reading() as connection:
        assert len(connection.execute(differences.select()).all()) == 50
