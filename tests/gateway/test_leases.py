"""Leases: what a terminal gave out offline holds, and nobody else ever gets the number."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from gateway import slots
from gateway.adapters.demo import people
from gateway.adapters.port import Refused
from kiosk.domain.identity import Credential, DocumentKind, Identity
from kiosk.domain.visit import AppointmentState
from kiosk.hospital import contract as c
from tests.drills.leases import drill, fast_folder
from tests.gateway.world import MORNING, World, all_at_once, record, states

TODAY = date(2026, 11, 20)
STRANGER = Identity(DocumentKind.RESIDENT, "110101200001010117", "张新", Credential.ID_CARD)


def leased(world: World, key: str = "l1", numbers: int = 3, terminal: str = "T1") -> c.Lease:
    lease: c.Lease = world.ask(c.GrantLease(key, "cardio", TODAY, numbers), terminal)
    return lease


def registered(lease: c.Lease, number: int, person: str = "P0002") -> c.RegistrationRecord:
    return c.RegistrationRecord(lease.id, number, MORNING, f"S{number}", person)


def sync(world: World, sequence: int, body: object, terminal: str = "T1") -> c.Verdict:
    kind = next(kind for kind, shape in c.RECORD_BODIES.items() if shape is type(body))
    sent = record(sequence, body, kind, key=f"{terminal}-{sequence}")
    reply: c.OutboxReply = world.ask(c.Outbox((sent,)), terminal)
    return reply.verdicts[0]


def test_a_number_given_out_offline_is_a_registration_at_sync(world: World) -> None:
    """Row 123: works without the hospital; the registration is true."""
    lease = leased(world)
    assert sync(world, 1, registered(lease, lease.first)).state == "accepted"
    (appointment,) = world.ask(c.AskToday("P0002")).appointments
    assert appointment.state is AppointmentState.CHECKED_IN
    assert appointment.starts == lease.slot.starts
    assert len(world.his("booked")) == len({entry.subject for entry in world.his("booked")})


def test_somebody_new_is_entered_from_their_card_at_sync(world: World) -> None:
    lease = leased(world)
    body = replace(registered(lease, lease.first, ""), identity=STRANGER)
    assert sync(world, 1, body).state == "accepted"
    known = world.ask(c.Identify(Credential.ID_CARD, STRANGER.number)).patient
    assert len(world.ask(c.AskToday(known.person)).appointments) == 1


def test_it_holds_days_after_the_deadline_and_after_the_clock_has_jumped(world: World) -> None:
    lease = leased(world)
    for jump in (timedelta(minutes=20), timedelta(days=-1), timedelta(days=35), timedelta(3650)):
        world.clock.now = MORNING + jump
        with suppress(Refused):  # that day is not offered by such a clock
            other = world.ask(c.GrantLease(f"after {jump}", "cardio", TODAY, 20), "T2")
            taken = range(other.first, other.first + other.count)
            assert other.slot.id != lease.slot.id or lease.first not in taken
    assert sync(world, 1, registered(lease, lease.first)).state == "accepted"


def test_one_number_is_registered_once(world: World) -> None:
    lease = leased(world)
    assert sync(world, 1, registered(lease, lease.first)).state == "accepted"
    second = sync(world, 2, registered(lease, lease.first, "P0003"))
    assert (second.state, second.reason) == ("refused", "not_leased")


def test_another_terminal_cannot_use_the_lease(world: World) -> None:
    """A copied disk under another name."""
    lease = leased(world)
    verdict = sync(world, 1, registered(lease, lease.first), terminal="T2")
    assert (verdict.state, verdict.reason) == ("refused", "not_leased")


def test_only_the_terminals_word_gives_numbers_back(world: World) -> None:
    lease = leased(world)
    numbers = tuple(range(lease.first, lease.first + lease.count))
    returned = c.LeaseReturnedRecord(lease.id, numbers[1:], MORNING)
    foreign = sync(world, 1, returned, terminal="T2")
    assert foreign.state == "refused"
    with world.parts.store.reading() as connection:
        taken = slots.taken_by_slot(connection, "2026-11-20", world.clock())
    assert set(numbers) <= taken[lease.slot.id]
    assert sync(world, 1, returned).state == "accepted"
    with world.parts.store.reading() as connection:
        taken = slots.taken_by_slot(connection, "2026-11-20", world.clock())
    assert set(numbers) & taken[lease.slot.id] == {numbers[0]}
    assert sync(world, 2, registered(lease, numbers[0])).state == "accepted"
    if len(numbers) > 1:
        late = sync(world, 3, registered(lease, numbers[1], "P0003"))
        assert late.state == "refused", "returned numbers are not this terminal's any more"


def test_a_grant_asked_for_again_is_the_same_block(world: World) -> None:
    assert leased(world) == leased(world)
    assert len(world.his("leased")) == 1


def test_sixteen_terminals_asking_at_once_never_share_a_number(world: World) -> None:
    def ask(place: int) -> c.Lease:
        return leased(world, f"race-{place}", 2, f"T{place % 2 + 1}")

    leases = all_at_once(16, ask)
    given = [
        (lease.slot.id, number)
        for lease in leases
        for number in range(lease.first, lease.first + lease.count)
    ]
    assert given
    assert len(given) == len(set(given))


def test_a_person_the_hospital_does_not_know_is_refused_and_the_batch_goes_on(
    world: World,
) -> None:
    lease = leased(world)
    sent = (
        record(1, registered(lease, lease.first, "P9999"), "registration"),
        record(2, registered(lease, lease.first, people.BY_CARD.id), "registration"),
    )
    reply = world.ask(c.Outbox(sent))
    assert states(reply) == ["refused", "accepted"]
    assert reply.verdicts[0].reason == "person_unknown"


def test_numbers_kept_too_long_are_counted_for_the_console(world: World) -> None:
    lease = leased(world)
    with world.parts.store.reading() as connection:
        assert slots.overdue_leases(connection, world.clock()) == {}
        later = lease.until + timedelta(minutes=1)
        assert slots.overdue_leases(connection, later) == {"T1": lease.count}


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory: what is tried is who gets a number, not durability."""
    with TemporaryDirectory(dir=fast_folder()) as folder:
        yield Path(folder)


def test_the_drill_runs_small_and_keeps_its_promises(memory: Path) -> None:
    results = drill(memory, steps=2500, seed=3)
    assert int(str(results["numbers"])) > 30
    assert (results["given_twice"], results["refused_at_sync"]) == (0, 0)


@pytest.mark.parametrize(
    ("mutant", "steps"), [("reclaims_by_clock", 3000), ("keeps_what_it_returned", 5000)]
)
def test_the_drill_catches_a_gateway_or_a_terminal_that_cheats(
    memory: Path, mutant: str, steps: int
) -> None:
    """Numbers reclaimed by a clock; numbers kept after they were returned."""
    results = drill(memory, steps=steps, seed=1, mutant=mutant)
    assert results["given_twice"] or results["refused_at_sync"]
