"""A storm of batches: so many pass, so many wait, the rest come again; nobody else suffers."""

from __future__ import annotations

import asyncio
import heapq
import threading
import time
from contextlib import ExitStack
from queue import SimpleQueue
from random import Random
from statistics import mean
from typing import Any

import pytest
from sqlalchemy import select

from gateway import app as http
from gateway.app import BATCHES_AT_ONCE
from gateway.gate import RETRY_MAX_S, RETRY_MIN_S, Crowded, Gate
from gateway.tables import screenings
from kiosk.hospital import contract as c
from kiosk.hospital.client import HospitalClient
from kiosk.hospital.faults import HospitalBusy
from kiosk.hospital.pace import BEAT_FIRST_S, Pace
from tests.gateway.served import client, served
from tests.gateway.world import MORNING, World, record, screening


async def _held(gate: Gate, many: int) -> tuple[int, list[int]]:
    """`many` come while nobody leaves: how many are inside, what those sent away were told."""
    inside, told = 0, []
    leave = asyncio.Event()

    async def one() -> None:
        nonlocal inside
        try:
            with gate.entered():
                async with gate.turn(60):
                    inside += 1
                    await leave.wait()
        except Crowded as crowded:
            told.append(crowded.retry_after_s)

    tasks = [asyncio.create_task(one()) for _ in range(many)]
    await asyncio.wait(tasks, timeout=0.02)
    at_once = inside
    leave.set()
    await asyncio.gather(*tasks)
    assert inside == many - len(told), "who waits gets in"
    return at_once, told


def test_so_many_pass_so_many_wait_the_rest_is_told_when_to_come() -> None:
    async def story() -> None:
        gate = Gate(3, 5, lambda: 0.0, Random(1))
        at_once, told = await _held(gate, 20)
        assert (at_once, told) == (3, [RETRY_MIN_S] * 12)
        assert await _held(gate, 8) == (3, []), "when the storm is over there is room"

    asyncio.run(story())


def test_the_longer_the_queue_outside_the_later_the_next_is_asked_for() -> None:
    gate = Gate(1, 0, lambda: 0.0, Random(1))
    told = []
    with gate.entered():
        for _ in range(80_000):
            with pytest.raises(Crowded) as crowded, gate.entered():
                pytest.fail("there is no room")
            told.append(crowded.value.retry_after_s)
    means = [mean(told[at : at + 4000]) for at in range(0, len(told), 4000)]
    assert means == sorted(means) and (told[0], max(told)) == (RETRY_MIN_S, RETRY_MAX_S)
    assert len(set(told[20_000:20_100])) > 20, "those sent away together come back spread out"


def test_a_night_without_batches_does_not_make_the_morning_s_storm_wait() -> None:
    now = 0.0
    gate = Gate(1, 0, lambda: now, Random(1))
    for _ in range(100):
        with gate.entered():
            now += 0.01
    now += 8 * 3600
    with gate.entered(), pytest.raises(Crowded) as crowded, gate.entered():
        pytest.fail("there is no room")
    assert crowded.value.retry_after_s == RETRY_MIN_S


def test_ten_seconds_in_which_nothing_went_on_are_not_paid_for_with_minutes() -> None:
    now = 0.0
    gate = Gate(1, 400, lambda: now, Random(1))
    with ExitStack() as queue:
        inside = [queue.enter_context(ExitStack()) for _ in range(401)]
        for place in inside:
            place.enter_context(gate.entered())
        for place in inside[:100]:
            now += 0.01
            place.close()
            place.enter_context(gate.entered())
        now += 10
        with pytest.raises(Crowded) as crowded, gate.entered():
            pytest.fail("there is no room")
    assert crowded.value.retry_after_s <= 10


def test_who_waits_too_long_is_sent_away_and_leaves_no_turn_behind() -> None:
    async def story() -> None:
        gate = Gate(2, 100, time.monotonic, Random(1))
        leave = asyncio.Event()

        async def one(patience_s: float) -> str:
            try:
                with gate.entered():
                    async with gate.turn(patience_s):
                        await leave.wait()
                        return "done"
            except Crowded as crowded:
                return f"told {crowded.retry_after_s}"

        inside = [asyncio.create_task(one(60)) for _ in range(2)]
        impatient = [asyncio.create_task(one(0.01)) for _ in range(50)]
        patient = [asyncio.create_task(one(60)) for _ in range(4)]
        assert set(await asyncio.gather(*impatient)) == {f"told {RETRY_MIN_S}"}
        leave.set()
        assert await asyncio.gather(*inside, *patient) == ["done"] * 6
        assert await _held(gate, 200) == (2, [RETRY_MIN_S] * 98), "all turns are there again"

    asyncio.run(story())


@pytest.mark.parametrize("each_s", [0.002, 0.02])
def test_a_storm_is_over_about_as_soon_as_it_could_be(each_s: float) -> None:
    """Ten thousand come at once, rest as the terminals do, and batches are done one by one."""
    now, chance = 0.0, Random(5)
    gate = Gate(1, 50, lambda: now, Random(6))
    coming = [(0.0, number) for number in range(10_000)]
    inside: list[ExitStack] = []
    while coming or inside:
        while coming and coming[0][0] <= now:
            _, number = heapq.heappop(coming)
            place = ExitStack()
            try:
                place.enter_context(gate.entered())
            except Crowded as crowded:
                again_s = now + crowded.retry_after_s * (1 + chance.random())
                heapq.heappush(coming, (again_s, number))
            else:
                inside.append(place)
        if inside:
            now += each_s
            inside.pop(0).close()
        else:
            now = coming[0][0]
    assert now < 2 * 10_000 * each_s + 30


def test_a_crowded_gateway_sends_batches_away_and_answers_people(light_world: World) -> None:
    """The test holds the database's only pen, so batches pile up; a patient's question passes."""
    room = BATCHES_AT_ONCE + 12
    application = http.make(light_world.parts.gateway, waiting=12)
    batch = c.Outbox((record(1, screening("S1"), "screening"),))
    answers: SimpleQueue[Any] = SimpleQueue()

    def send(asking: HospitalClient) -> None:
        try:
            answers.put(asking.ask(batch))
        except HospitalBusy as busy:
            answers.put(busy.wait_s)

    with served(light_world, application=application) as url, ExitStack() as stack:
        clients = [client(url) for _ in range(room + 5)]
        threads = [threading.Thread(target=send, args=(one,)) for one in clients[1:]]
        for one in clients:
            stack.callback(one.close)
        with light_world.parts.store.writing():
            for thread in threads:
                thread.start()
            away = [answers.get(timeout=10) for _ in range(4)]
            person = clients[0].ask(c.AskDepartments(MORNING.date()))
        for thread in threads:
            thread.join(timeout=15)
    assert away == [RETRY_MIN_S] * 4
    assert isinstance(person, c.DepartmentList)
    assert answers.qsize() == room
    assert all(answers.get().held_up_to == 1 for _ in range(room))


def test_a_batch_that_cannot_begin_in_time_is_told_so_before_anything_is_done(
    light_world: World,
) -> None:
    """The database's pen is away for longer than a batch may wait: those that wait are told when
    to come again while it is still away, long before they would give up by themselves."""
    application = http.make(light_world.parts.gateway, patient_for=0.02)
    sent = [
        c.Outbox((record(n, screening(f"S{n}"), "screening"),))
        for n in range(1, BATCHES_AT_ONCE + 4)
    ]
    answers: SimpleQueue[Any] = SimpleQueue()

    def send(asking: HospitalClient, batch: c.Outbox) -> None:
        try:
            answers.put(asking.ask(batch))
        except HospitalBusy:
            answers.put(batch)

    with served(light_world, application=application) as url, ExitStack() as stack:
        clients = [client(url) for _ in sent]
        threads = [
            threading.Thread(target=send, args=pair) for pair in zip(clients, sent, strict=True)
        ]
        for one in clients:
            stack.callback(one.close)
        with light_world.parts.store.writing():
            for thread in threads:
                thread.start()
            sent_away = [answers.get(timeout=5) for _ in range(3)]
        for thread in threads:
            thread.join(timeout=15)
        replies = [answers.get() for _ in range(BATCHES_AT_ONCE)]
        assert {reply.verdicts[0].state for reply in replies} == {"accepted"}
        kept = _sequences(light_world)
        assert not kept & {batch.records[0].sequence for batch in sent_away}, "nothing was done"
        assert all(clients[0].ask(batch).verdicts[0].state == "accepted" for batch in sent_away)
    assert _sequences(light_world) == set(range(1, len(sent) + 1))


def _sequences(world: World) -> set[int]:
    with world.parts.store.reading() as connection:
        return set(connection.execute(select(screenings.c.sequence)).scalars())


@pytest.mark.parametrize("terminals", [10_000])
def test_terminals_that_lost_the_gateway_come_back_spread_over_its_own_pace(
    terminals: int,
) -> None:
    """RELIABILITY §8 row 18: ten thousand reconnect at once, and do not."""
    now = [0.0]
    paces = [Pace(lambda: now[0], Random(n)) for n in range(terminals)]
    for pace in paces:
        pace.heard(60.0)
    now[0] = 60.0
    assert all(pace.due for pace in paces)
    for _ in range(8):
        for pace in paces:
            pace.lost()
        now[0] += 60.0
    for pace in paces:
        pace.lost()
    spread = sorted(pace._next_s - now[0] for pace in paces)
    assert spread[-1] <= 60
    assert max(sum(start <= s < start + 1 for s in spread) for start in range(61)) < 300


def test_a_small_hospital_s_terminal_looks_again_within_five_seconds() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0], Random(1))
    assert pace.due and not pace.away
    for _ in range(20):
        pace.lost()
        now[0] += BEAT_FIRST_S
        assert pace.due and pace.away
    pace.heard(5.0)
    assert not pace.away and not pace.due
