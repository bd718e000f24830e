"""A storm of batches: so many pass, so many wait, the rest come again; nobody else suffers."""

from __future__ import annotations

import asyncio
import heapq
import threading
from contextlib import ExitStack
from queue import SimpleQueue
from random import Random
from typing import Any

import pytest

from gateway import app as http
from gateway.app import BATCHES_AT_ONCE
from gateway.gate import RETRY_MAX_S, RETRY_MIN_S, Crowded, Gate
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
                async with gate.turn:
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
        gate = Gate(at_once=3, waiting=5, clock=lambda: 0.0)
        at_once, told = await _held(gate, 20)
        assert (at_once, told) == (3, [RETRY_MIN_S] * 12)
        assert await _held(gate, 8) == (3, []), "when the storm is over there is room"

    asyncio.run(story())


def test_the_longer_the_queue_outside_the_later_the_next_is_asked_for() -> None:
    gate = Gate(at_once=1, waiting=0, clock=lambda: 0.0)
    told = []
    with gate.entered():
        for _ in range(80_000):
            with pytest.raises(Crowded) as crowded, gate.entered():
                pytest.fail("there is no room")
            told.append(crowded.value.retry_after_s)
    assert told == sorted(told) and (told[0], told[-1]) == (RETRY_MIN_S, RETRY_MAX_S)


@pytest.mark.parametrize("each_s", [0.002, 0.02])
def test_a_storm_is_over_about_as_soon_as_it_could_be(each_s: float) -> None:
    """Ten thousand come at once, rest as the terminals do, and batches are done one by one."""
    now, chance = 0.0, Random(5)
    gate = Gate(at_once=1, waiting=50, clock=lambda: now)
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
