"""Numbers: held before money, one person each, let go on time, never given twice."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from gateway import slots
from gateway.adapters.demo import people, places
from gateway.adapters.demo.calendar import on_site
from gateway.adapters.demo.crowd import everybody
from gateway.operations import KeyReused
from gateway.slots import Quota
from gateway.tables import claims
from kiosk.hospital import contract as c
from tests.gateway.world import MORNING, World, all_at_once

TODAY = date(2026, 11, 20)
CROWD = [person.id for person in everybody()[80:]]


def some_slot(world: World, left: int = 1) -> str:
    listed = world.ask(c.AskSlots("cardio", TODAY)).slots
    return next(slot.id for slot in listed if slot.left >= left)


def left_of(world: World, slot_id: str) -> int:
    listed = world.ask(c.AskSlots("cardio", TODAY)).slots
    return next(slot.left for slot in listed if slot.id == slot_id)


def test_a_hold_takes_one_number_away_and_a_release_gives_it_back(world: World) -> None:
    slot_id = some_slot(world, left=2)
    before = left_of(world, slot_id)
    held = world.ask(c.HoldSlot("h1", slot_id, "P0002"))
    assert held.hold.slot.left == before - 1 == left_of(world, slot_id)
    world.ask(c.ReleaseHold("r1", "h1"))
    assert left_of(world, slot_id) == before


def test_the_last_number_goes_to_exactly_one_of_sixteen(world: World) -> None:
    slot_id = some_slot(world)
    for place in range(left_of(world, slot_id) - 1):
        world.ask(c.HoldSlot(f"before-{place}", slot_id, CROWD[place]))
    assert left_of(world, slot_id) == 1
    answers = all_at_once(
        16, lambda place: world.ask(c.HoldSlot(f"race-{place}", slot_id, CROWD[20 + place]))
    )
    winners = [answer for answer in answers if isinstance(answer, c.Held)]
    losers = [answer for answer in answers if answer == c.SlotGone("none_left")]
    assert (len(winners), len(losers)) == (1, 15)
    assert left_of(world, slot_id) == 0


def test_a_hold_ends_by_the_clock_and_the_next_person_gets_the_number(world: World) -> None:
    slot_id = some_slot(world)
    count = left_of(world, slot_id)
    for place in range(count):
        world.ask(c.HoldSlot(f"h{place}", slot_id, CROWD[place]))
    world.clock.advance(seconds=slots.HOLD_TIME.total_seconds() - 1)
    assert world.ask(c.HoldSlot("too-soon", slot_id, "P0002")) == c.SlotGone("none_left")
    world.clock.advance(seconds=1)
    assert left_of(world, slot_id) == count
    assert isinstance(world.ask(c.HoldSlot("in-time", slot_id, "P0002")), c.Held)


def test_what_a_crashed_terminal_left_held_does_not_stop_the_same_person(world: World) -> None:
    slot_id = some_slot(world)
    before = left_of(world, slot_id)
    world.ask(c.HoldSlot("lost", slot_id, "P0002"))
    assert isinstance(world.ask(c.HoldSlot("again", slot_id, "P0002")), c.Held)
    assert left_of(world, slot_id) == before - 1


def test_releasing_twice_or_after_the_end_harms_nobody(world: World) -> None:
    slot_id = some_slot(world)
    before = left_of(world, slot_id)
    world.ask(c.HoldSlot("h1", slot_id, "P0002"))
    for key in ("r1", "r2"):
        assert world.ask(c.ReleaseHold(key, "h1")) == c.Done()
    assert left_of(world, slot_id) == before
    assert len(world.his("released")) == 1


def test_the_on_site_quota_is_shown_and_enforced(world: World) -> None:
    """Row 38: what the department shows is the sum of its windows, and not one number more."""
    shown = next(
        one for one in world.ask(c.AskDepartments(TODAY)).departments if one.id == "cardio"
    )
    windows = world.ask(c.AskSlots("cardio", TODAY)).slots
    assert shown.on_site_left == sum(slot.left for slot in windows) > 0
    slot_id = some_slot(world)
    held = 0
    while isinstance(world.ask(c.HoldSlot(f"q{held}", slot_id, CROWD[held])), c.Held):
        held += 1
    plan = places.plan(slot_id, MORNING.tzinfo)
    assert plan is not None
    assert held == plan.on_site


def test_appointments_do_not_eat_the_walk_ins_numbers(world: World) -> None:
    """Row 38: both quotas have numbers of their own."""
    plan = places.plan("cardio.cardio1.20261120.0900", MORNING.tzinfo)
    assert plan is not None
    with world.parts.store.reading() as connection:
        taken = slots.taken_by_slot(connection, "2026-11-20", MORNING)[plan.slot.id]
    assert len(taken) >= 4, "the elder and three of the crowd have appointments here"
    assert min(taken) > plan.on_site
    assert slots.left(on_site(plan), taken) == plan.on_site


def test_later_days_can_be_booked_for_two_weeks_and_no_longer(light_world: World) -> None:
    """Row 36: same-day and future registration."""
    for days in (0, 1, 13):
        assert light_world.ask(c.AskSlots("cardio", TODAY + timedelta(days=days))).slots
    for day in (TODAY + timedelta(days=14), TODAY - timedelta(days=1)):
        assert not light_world.ask(c.AskSlots("cardio", day)).slots


def test_no_window_is_longer_than_an_hour_or_over(light_world: World) -> None:
    """Rows 39 and 40: windows of 20, 30 and 60 minutes, by department."""
    lengths = set()
    for ward in places.WARDS:
        for slot in light_world.ask(c.AskSlots(ward.id, TODAY)).slots:
            lengths.add((slot.ends - slot.starts) // timedelta(minutes=1))
            assert slot.ends > light_world.clock()
    assert lengths == {20, 30, 60}


@pytest.mark.parametrize(
    "slot_id",
    [
        "cardio.cardio1.20261120.0300",  # the chief has no night
        "cardio.cardio1.20261120.0910",  # no window begins then
        "cardio.nobody.20261120.0900",
        "cardio.cardio1.20261119.0900",  # yesterday
        "cardio.cardio1.20270120.0900",  # too far ahead
        "not a slot",
    ],
)
def test_a_slot_the_hospital_never_offered_is_closed(light_world: World, slot_id: str) -> None:
    assert light_world.ask(c.HoldSlot("h1", slot_id, "P0002")) == c.SlotGone("closed")


def test_a_leased_block_is_nobody_elses_and_waits_for_no_clock(world: World) -> None:
    lease = world.ask(c.GrantLease("l1", "cardio", TODAY, 2))
    assert lease.count in (1, 2)
    assert lease.until == lease.slot.ends
    again = world.ask(c.GrantLease("l2", "cardio", TODAY, 50), terminal="T2")
    mine = set(range(lease.first, lease.first + lease.count))
    theirs = set(range(again.first, again.first + again.count))
    assert lease.slot.id == again.slot.id
    assert not mine & theirs
    world.clock.now = lease.until + timedelta(days=3)
    with world.parts.store.reading() as connection:
        taken = slots.taken_by_slot(connection, "2026-11-20", world.clock())
    assert mine <= taken[lease.slot.id]


def test_a_second_live_claim_for_a_number_is_refused_by_the_database_itself(world: World) -> None:
    slot_id = some_slot(world)
    world.ask(c.HoldSlot("h1", slot_id, "P0002"))
    row = {"slot_id": slot_id, "day": "2026-11-20", "number": 1, "state": "booked"}
    with (
        pytest.raises(IntegrityError),
        world.parts.store.writing() as connection,
    ):
        connection.execute(claims.insert().values({**row, "id": "forced", "person": "P0001"}))


def test_a_person_with_a_booked_number_gets_no_second_one_in_the_slot(world: World) -> None:
    with world.parts.store.writing() as connection:
        quota = Quota(some_slot(world), "2026-11-20", 1, 9)
        slots.take(connection, quota, key="b1", person=people.BY_CARD.id)
    gone = world.ask(c.HoldSlot("h1", quota.slot_id, people.BY_CARD.id))
    assert gone == c.SlotGone("already_registered")


def test_a_release_that_overtook_its_hold_keeps_the_number_free(world: World) -> None:
    """The terminal gave up while its request was on the way; nobody would let go of it later."""
    slot_id = some_slot(world)
    before = left_of(world, slot_id)
    assert world.ask(c.ReleaseHold("r1", "late")) == c.Done()
    late = c.HoldSlot("late", slot_id, CROWD[0])
    assert world.ask(late) == world.ask(late) == c.SlotGone("closed")
    assert left_of(world, slot_id) == before
    assert world.alarms() == []


def test_a_hold_and_its_release_at_once_leave_nothing_held(world: World) -> None:
    slot_id = some_slot(world)
    before = left_of(world, slot_id)
    for attempt in range(8):
        hold = c.HoldSlot(f"h{attempt}", slot_id, CROWD[attempt])
        release = c.ReleaseHold(f"r{attempt}", hold.key)
        held, done = all_at_once(2, lambda n, pair=(hold, release): world.ask(pair[n]))
        assert isinstance(held, c.Held | c.SlotGone) and done == c.Done()
        assert left_of(world, slot_id) == before


def test_another_terminal_cannot_forestall_a_hold(world: World) -> None:
    slot_id = some_slot(world)
    world.ask(c.ReleaseHold("r1", "mine"), terminal="T2")
    with pytest.raises(KeyReused):
        world.ask(c.HoldSlot("mine", slot_id, CROWD[0]))
    assert world.alarms() == ["key_reused"]
