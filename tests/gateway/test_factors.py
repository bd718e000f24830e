"""Second factors: a few guesses for a number, then ever longer waits, whoever asks from where."""

from __future__ import annotations

import math

import pytest

from gateway.adapters.demo import people
from gateway.factors import FREE_TRIES
from gateway.tables import factor_tries
from kiosk.domain.identity import Credential
from kiosk.hospital import contract as c
from tests.gateway.world import World, all_at_once, make_world

NUMBER = people.ELDER.number
RIGHT = people.ELDER.phone_last4
WRONG = "0000" if RIGHT != "0000" else "1111"
ASKED = c.SecondFactorAsked("phone_last4")


def guess(world: World, factor: str, number: str = NUMBER, terminal: str = "T1") -> object:
    ask = c.Identify(Credential.TYPED_NUMBER, number, second_factor=factor)
    return world.ask(ask, terminal)


def test_after_five_wrong_ones_even_the_right_one_waits(world: World) -> None:
    """From another terminal, in another session, written otherwise: it is the number that counts.

    RELIABILITY A6's five tries and 15 s that double.
    """
    tries = [guess(world, WRONG, terminal=("T1", "T2")[n % 2]) for n in range(FREE_TRIES)]
    assert tries == [ASKED] * FREE_TRIES
    assert guess(world, RIGHT, f" {NUMBER.lower()} ", "T2") == c.FactorWait(15)
    assert world.alarms() == ["factor_guessed"]
    world.clock.advance(seconds=15)
    assert guess(world, WRONG) == ASKED
    assert guess(world, RIGHT) == c.FactorWait(30)
    world.clock.advance(seconds=30)
    assert isinstance(guess(world, RIGHT), c.Known)
    assert [guess(world, WRONG) for _ in range(FREE_TRIES)] == [ASKED] * FREE_TRIES


def test_the_count_is_the_number_s_own_and_survives_a_restart(url: str) -> None:
    first = make_world(url)
    for _ in range(FREE_TRIES):
        guess(first, WRONG)
    first.close()
    second = make_world(url)
    assert guess(second, RIGHT) == c.FactorWait(15)
    assert isinstance(guess(second, people.BY_CARD.phone_last4, people.BY_CARD.number), c.Known)
    second.close()


def test_guesses_made_at_once_are_counted_one_by_one(world: World) -> None:
    answers = all_at_once(12, lambda n: guess(world, WRONG))
    assert sum(answer == ASKED for answer in answers) == FREE_TRIES
    assert sum(isinstance(answer, c.FactorWait) for answer in answers) == 12 - FREE_TRIES


def test_a_year_of_guessing_finds_no_four_digits(light_world: World) -> None:
    """Whoever waits exactly as long as told gets one guess a day in the end."""
    guesses, days = 0, 0.0
    while days < 365:
        match guess(light_world, WRONG):
            case c.FactorWait(wait_s):
                light_world.clock.advance(seconds=wait_s)
                days += wait_s / 86_400
            case _:
                guesses += 1
    assert guesses < 365 + FREE_TRIES + math.log2(86_400 / 15) + 1
    assert guesses / 10_000 < 0.04


def test_asking_without_a_factor_counts_nothing_and_no_number_is_kept(world: World) -> None:
    for _ in range(10):
        assert world.ask(c.Identify(Credential.TYPED_NUMBER, NUMBER)) == ASKED
    guess(world, WRONG)
    with world.parts.store.reading() as connection:
        rows = connection.execute(factor_tries.select()).all()
    assert [row.failures for row in rows] == [1]
    assert NUMBER not in repr(rows) and NUMBER not in world.log.getvalue()


@pytest.mark.parametrize("credential", [Credential.HEALTH_CODE, Credential.INSURANCE_CODE])
def test_a_code_that_nobody_knows_may_be_shown_as_often_as_one_likes(
    light_world: World, credential: Credential
) -> None:
    for _ in range(FREE_TRIES + 3):
        assert light_world.ask(c.Identify(credential, "nonsense")) == c.NotKnown()
