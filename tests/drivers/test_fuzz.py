"""The fuzz drill, short, on every codec; and three broken codecs that it must catch."""

from __future__ import annotations

from contextlib import suppress

import pytest

from tests.drills.fuzz import BUFFER_BYTES_MAX, fuzz, is_clean, summary
from tests.drills.fuzz_guided import corpus
from tests.drills.fuzz_target import Feed, Held, Target
from tests.drills.fuzz_targets import TARGETS

FRAMES = 2000
SEED = 20


@pytest.mark.parametrize("target", TARGETS, ids=[target.name for target in TARGETS])
def test_nothing_but_driver_errors_escapes_from_a_codec(target: Target) -> None:
    score = fuzz(target, FRAMES, SEED)
    assert is_clean([score]), score


@pytest.mark.parametrize("target", TARGETS, ids=[target.name for target in TARGETS])
def test_frames_that_once_reached_new_lines_are_fed_again(target: Target) -> None:
    kept = corpus(target.name) or target.corpus  # a new codec has only what it was born with
    feed, held = target.open()
    for frame in kept:
        with suppress(*target.refusals):
            feed(frame)
        assert held() <= BUFFER_BYTES_MAX


def escapes() -> tuple[Feed, Held]:
    def feed(data: bytes) -> None:
        assert data.index(b"\xaa") >= 0

    return feed, lambda: 0


def hangs() -> tuple[Feed, Held]:
    def feed(data: bytes) -> None:
        while len(data) % 2:
            pass

    return feed, lambda: 0


def hoards() -> tuple[Feed, Held]:
    held = bytearray()
    return lambda data: held.extend(data * 200), lambda: len(held)


@pytest.mark.parametrize("broken", [escapes, hangs, hoards])
def test_a_broken_codec_is_caught(broken: object) -> None:
    assert callable(broken)
    score = fuzz(Target("broken", broken, (b"\xaa\x01\x02\x03",)), 40, SEED, hang_s=0.02)
    assert not is_clean([score])
    told = summary([score], SEED)
    assert told["frames"] == 40
    assert bool(told["escaped"]) is (broken is escapes)
    assert bool(told["hangs"]) is (broken is hangs)
    assert (score.max_buffer > BUFFER_BYTES_MAX) is (broken is hoards)


def test_the_same_seed_gives_the_same_run() -> None:
    first, again = fuzz(TARGETS[0], 300, 7), fuzz(TARGETS[0], 300, 7)
    assert (first.refused, first.max_buffer) == (again.refused, again.max_buffer)
