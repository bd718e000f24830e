"""Guessing a PIN gets slower and slower, whatever is unplugged or set back in between."""

from __future__ import annotations

import pytest

from offline.pins import NoPin, PinRight, Pins, PinWait, PinWrong, wait_after_ms
from offline.store import Store
from tests.offline.world import DyingDatabase, ProcessDied, World


def _pins(world: World, store: Store) -> Pins:
    return Pins(store, random_bytes=world.chance.randbytes)


def _with_pin(world: World) -> Pins:
    store = world.open()
    pins = _pins(world, store)
    with store.transaction() as tx:
        pins.set(tx, "volunteer", "482915")
    return pins


def test_the_right_pin_opens_and_forgets_earlier_tries(world: World) -> None:
    pins = _with_pin(world)
    for _ in range(3):
        for n in range(1, 5):
            assert pins.check("volunteer", "000000") == PinWrong(n, 0)
        assert pins.check("volunteer", "482915") == PinRight()


def test_the_fifth_wrong_pin_starts_a_wait_that_doubles(world: World) -> None:
    pins = _with_pin(world)
    waits = []
    for _ in range(8):
        answer = pins.check("volunteer", "111111")
        assert isinstance(answer, PinWrong)
        waits.append(answer.wait_s)
        world.time.pass_ms(int(answer.wait_s * 1000))
    assert waits == [0, 0, 0, 0, 15, 30, 60, 120]


def test_during_the_wait_even_the_right_pin_is_not_looked_at(world: World) -> None:
    pins = _with_pin(world)
    for _ in range(5):
        pins.check("volunteer", "111111")
    world.time.pass_ms(14_000)
    assert pins.check("volunteer", "482915") == PinWait(1.0)
    world.time.pass_ms(1_000)
    assert pins.check("volunteer", "482915") == PinRight()


def test_setting_the_wall_clock_shortens_nothing(world: World) -> None:
    pins = _with_pin(world)
    for _ in range(5):
        pins.check("volunteer", "111111")
    for jump in (10**12, -(10**12), 16_000):
        world.time.wall_ms += jump
        assert pins.check("volunteer", "482915") == PinWait(15.0)


def test_a_restart_begins_the_wait_again_and_a_second_one_does_not_shorten_it(
    world: World,
) -> None:
    pins = _with_pin(world)
    for _ in range(6):
        pins.check("volunteer", "111111")
        world.time.pass_ms(15_000)
    world.close()
    for _ in range(2):
        world.time.reboot()
        pins = _pins(world, world.open())
        assert pins.check("volunteer", "482915") == PinWait(30.0)
        world.time.pass_ms(29_000)
        assert pins.check("volunteer", "482915") == PinWait(1.0)
        world.close()
    world.time.pass_ms(1_000)
    assert _pins(world, world.open()).check("volunteer", "482915") == PinRight()


def test_the_try_is_on_disk_before_the_answer(world: World) -> None:
    """Killed anywhere in a check: the next start has counted the try, or nobody saw an answer."""
    _with_pin(world)
    world.close()
    for left in range(200):
        database: list[DyingDatabase] = []

        def connect(path, n=left, made=database):  # type: ignore[no-untyped-def]
            made.append(DyingDatabase(path, 10_000))
            return made[-1]

        store = world.open(connect)
        before = _failures(store)
        pins = _pins(world, store)
        world.time.pass_ms(10**9)
        database[0].left = left
        answered = False
        try:
            pins.check("volunteer", "111111")
            answered = True
        except ProcessDied:
            pass
        world.close()
        after = _failures(world.open())
        world.close()
        assert after == before + 1 or (after == before and not answered)
        if answered:
            break
    assert left >= 4, "begin, two queries, the count, the commit"


def _failures(store: Store) -> int:
    with store.reading() as reading:
        row = reading.one("select failures from pins")
    assert row is not None and isinstance(row[0], int)
    return row[0]


def test_who_has_no_pin_is_told_so_and_counts_nothing(world: World) -> None:
    pins = _with_pin(world)
    assert pins.check("technician", "482915") == NoPin()
    assert pins.known() == ("volunteer",)


@pytest.mark.parametrize("pin", ["", "123", "1234567890123", "12a4", "①②③④"])
def test_what_is_no_pin_cannot_be_set(world: World, pin: str) -> None:
    store = world.open()
    with pytest.raises(AssertionError), store.transaction() as tx:
        _pins(world, store).set(tx, "volunteer", pin)


def test_the_wait_stops_growing_at_a_day() -> None:
    assert wait_after_ms(10_000) == 24 * 3600 * 1000


def test_the_pin_itself_is_nowhere_on_the_disk(world: World) -> None:
    pins = _with_pin(world)
    pins.check("volunteer", "482915")
    assert b"482915" not in world.bytes_on_disk()
