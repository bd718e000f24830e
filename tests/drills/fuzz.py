"""Millions of broken frames for every codec: nothing but driver errors may come out, in time.

    python -m tests.drills.fuzz --frames 1000000 --seed 1 --json

`frames` are counted for each codec. The same seed gives the same frames, so a finding is a
number to run again. Exit status 1 when anything escaped, hung, or held too many bytes.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from tests.drills.fuzz_target import Feed, Target
from tests.drills.fuzz_targets import TARGETS

BUFFER_BYTES_MAX = 65536
HANG_S = 2.0  # no frame of a few kilobytes takes a hundredth of it
FRAMES_A_CODEC = 200  # then a fresh one: some states are reached only from the start
EXAMPLES_MAX = 10


class Hang(BaseException):
    """A codec did not come back; no `except Exception` of its own may swallow this."""


@dataclass
class Score:
    """What one codec did with its frames."""

    name: str
    frames: int = 0
    refused: int = 0
    escaped: int = 0
    hangs: int = 0
    max_buffer: int = 0
    seconds: float = 0.0
    examples: list[str] = field(default_factory=list)

    def example(self, frame: bytes, fault: BaseException) -> None:
        """Keep the first few findings, in hex: fuzzed bytes are nobody's data."""
        if len(self.examples) < EXAMPLES_MAX:
            self.examples.append(f"{type(fault).__name__}: {frame[:200].hex()}")


Mutation = Callable[[random.Random, bytearray], None]


def _flip(chance: random.Random, frame: bytearray) -> None:
    frame[chance.randrange(len(frame))] ^= 1 << chance.randrange(8)


def _set(chance: random.Random, frame: bytearray) -> None:
    frame[chance.randrange(len(frame))] = chance.choice((0, 1, 0x10, 0x1B, 0x1D, 0x7F, 0x80, 0xFF))


def _drop(chance: random.Random, frame: bytearray) -> None:
    at = chance.randrange(len(frame))
    del frame[at : at + chance.choice((1, 1, 2, 8))]


def _insert(chance: random.Random, frame: bytearray) -> None:
    at = chance.randrange(len(frame) + 1)
    frame[at:at] = chance.randbytes(chance.choice((1, 1, 2, 8, 40)))


def _repeat(chance: random.Random, frame: bytearray) -> None:
    at = chance.randrange(len(frame))
    piece = frame[at : at + chance.choice((1, 2, 5, 20))]
    frame[at:at] = piece * chance.choice((1, 1, 2, 30))


def _cut_short(chance: random.Random, frame: bytearray) -> None:
    del frame[chance.randrange(len(frame)) :]


def _lengthen(chance: random.Random, frame: bytearray) -> None:
    """Two bytes anywhere become a number at a border: most lengths are two bytes."""
    at = chance.randrange(len(frame))
    frame[at : at + 2] = chance.choice(
        (b"\x00\x00", b"\xff\xff", b"\x00\xff", b"\x0f\xff", b"\x7f")
    )


MUTATIONS: tuple[Mutation, ...] = (
    _flip,
    _flip,
    _set,
    _drop,
    _insert,
    _repeat,
    _cut_short,
    _lengthen,
)


def broken_frames(target: Target, chance: random.Random) -> Iterator[bytes]:
    """Endless frames: genuine, spoilt a little, spoilt a lot, joined, and plain noise."""
    while True:
        frame = bytearray(chance.choice(target.corpus))
        if chance.random() < 0.1:
            frame += chance.choice(target.corpus)
        for _ in range(chance.choice((0, 1, 1, 1, 2, 3, 8))):
            if frame:
                chance.choice(MUTATIONS)(chance, frame)
        if chance.random() < 0.02:
            frame = bytearray(chance.randbytes(chance.choice((1, 7, 300, 5000))))
        yield bytes(frame)


def pieces(frame: bytes, chance: random.Random) -> list[bytes]:
    """The frame whole, or cut anywhere."""
    if len(frame) < 2 or chance.random() < 0.7:
        return [frame]
    at = chance.randrange(1, len(frame))
    return [frame[:at], frame[at:]]


@contextmanager
def alarm_raises_hang() -> Iterator[None]:
    """While inside, the alarm clock of try_frame raises Hang.

    It runs on the processor's time: a busy machine must not look like a hang.
    """

    def ring(_signal: int, _frame: FrameType | None) -> None:
        raise Hang

    before = signal.signal(signal.SIGVTALRM, ring)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def fuzz(target: Target, frames: int, seed: int, hang_s: float = HANG_S) -> Score:
    """Feed `frames` broken frames to one codec."""
    score, chance = Score(target.name), random.Random(f"{seed} {target.name}")
    source = broken_frames(target, chance)
    began_s = time.monotonic()
    with alarm_raises_hang():
        while score.frames < frames:
            feed, held = target.open()
            for _ in range(min(FRAMES_A_CODEC, frames - score.frames)):
                score.frames += 1
                fit = try_frame(score, target, feed, pieces(next(source), chance), hang_s)
                score.max_buffer = max(score.max_buffer, held())
                if not fit:
                    break
    score.seconds = round(time.monotonic() - began_s, 2)
    return score


def try_frame(score: Score, target: Target, feed: Feed, cut: list[bytes], hang_s: float) -> bool:
    """One frame; whether the codec can go on."""
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, hang_s)
        for piece in cut:
            feed(piece)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    except target.refusals:
        score.refused += 1
    except Hang as hang:
        score.hangs += 1
        score.example(b"".join(cut), hang)
        return False
    except Exception as fault:  # noqa: BLE001 - to catch whatever escapes is this drill's purpose
        score.escaped += 1
        score.example(b"".join(cut), fault)
        return False
    return True


def summary(scores: list[Score], seed: int) -> dict[str, object]:
    """What the drill says at its end."""
    return {
        "drivers": [score.name for score in scores],
        "frames": min(score.frames for score in scores),
        "refused": sum(score.refused for score in scores),
        "escaped": sum(score.escaped for score in scores),
        "hangs": sum(score.hangs for score in scores),
        "max_buffer": max(score.max_buffer for score in scores),
        "seed": seed,
        "seconds": {score.name: score.seconds for score in scores},
        "examples": {score.name: score.examples for score in scores if score.examples},
    }


def is_clean(scores: list[Score]) -> bool:
    """Whether every codec kept its promises."""
    return all(
        not score.escaped and not score.hangs and score.max_buffer <= BUFFER_BYTES_MAX
        for score in scores
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.drills.fuzz", description=__doc__)
    parser.add_argument("--frames", type=int, default=100_000, help="for each codec")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=[target.name for target in TARGETS])
    parser.add_argument("--json", action="store_true", help="one object instead of lines")
    asked = parser.parse_args()
    scores = [
        fuzz(target, asked.frames, asked.seed)
        for target in TARGETS
        if asked.only in (None, target.name)
    ]
    if asked.json:
        print(json.dumps(summary(scores, asked.seed), ensure_ascii=False))
    else:
        for score in scores:
            print(score)
    return 0 if is_clean(scores) else 1


if __name__ == "__main__":
    sys.exit(main())
