"""Drill `crash`: a terminal killed at every durable step and every write, sync, send and receive.

    python -m tests.drills.crash --points 10000 [--seed S] [--of cash] [--json]

A scenario is lived once whole, which gives its marks; then once a point, killed at one of them,
started again, in half of the cases killed again, and run to its end. What pad, cash box, provider
and hospital wrote in their own processes is compared with the terminal's journal. A broken
promise prints the command that lives that point again.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import reduce
from itertools import count
from pathlib import Path
from random import Random

from tests.bench.report import Promise, report
from tests.crash.judge import PROMISES
from tests.crash.labels import expected, uncovered
from tests.crash.scenario import Scenario
from tests.crash.yard import Plan, Point, Yard, as_before, by_chance

POINTS_A_SCENARIO = 20
DEATHS_A_LABEL = 2
"""Fewer at one label are too few."""

BROKEN_MAX = 50
"""A product that is so broken need not be tried further."""

POINTS_SHARED = 1000
"""Fewer are not worth a second yard."""

SCENARIOS_APART = 100_000
"""Between the scenarios of two processors."""

COVERED_FROM_POINTS = 5000
"""A smaller run need not meet every label."""


OF: dict[str, Callable[[Scenario], bool]] = {
    "all": lambda scenario: True,
    "cash": lambda scenario: scenario.way == "cash",
    "two-phase": lambda scenario: scenario.way == "card" and scenario.kind == "zvt",
    "one-phase": lambda scenario: scenario.way == "card" and scenario.kind != "zvt",
}
"""Which scenarios are lived: all, or those of one machine."""


@dataclass
class Tally:
    """What all points came to."""

    points: int = 0
    scenarios: int = 0
    killed_again: int = 0
    strayed: int = 0
    broken: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    first: Counter[str] = field(default_factory=Counter)  # label → first deaths there
    later: Counter[str] = field(default_factory=Counter)  # label → deaths in recovery
    seen: Counter[str] = field(default_factory=Counter)  # label → lives that passed it

    def add(self, point: Point) -> None:
        self.broken.update(point.verdict.broken)
        self.seen.update(point.seen)
        if not point.deaths:
            return  # the whole life that the marks came from; or the mark was not met again
        self.points += 1
        self.ends.update(point.verdict.ends)
        self.killed_again += len(point.deaths) > 1
        self.first[point.deaths[0]] += 1
        self.later.update(point.deaths[1:])

    def rare(self) -> set[str]:
        """Where fewest have died so far, of all that any life passed: nobody, or too few."""
        died, passed = self.first + self.later, {*self.seen} | expected()
        nobody = {label for label in passed if not died[label]}
        return nobody or {label for label in passed if died[label] < DEATHS_A_LABEL}

    def with_other(self, other: Tally) -> Tally:
        """Both together."""
        mine, theirs = vars(self), vars(other)
        return Tally(**{name: mine[name] + theirs[name] for name in mine})

    def results(self, seconds: float) -> dict[str, object]:
        """For the last line."""
        labels = self.first + self.later
        left_out = uncovered(self.seen, labels) if self.points >= COVERED_FROM_POINTS else None
        return {
            "points": self.points,
            **{promise: self.broken[promise] for promise in PROMISES},
            "killed_again": self.killed_again,
            "scenarios": self.scenarios,
            "strayed": self.strayed,
            "labels": len(labels),
            "fewest": min(labels.values(), default=0),
            "uncovered": None if left_out is None else len(left_out),
            "left_out": left_out,
            "ends": dict(sorted(self.ends.items())),
            "seconds": round(seconds, 1),
            "points_a_second": round(self.points / seconds, 1),
        }


def chosen(marks: Sequence[str], covered: Counter[str], chance: Random) -> Iterator[int]:
    """Marks of one life to be killed at: half where fewest died so far, half at random among
    those from the first payment on."""
    left = list(range(1, len(marks) + 1))
    chance.shuffle(left)
    paying = next((at for at, label in enumerate(marks) if "SENT" in label), 0)
    for number in range(min(POINTS_A_SCENARIO, len(left))):
        later = [at for at in left if at > paying] or left
        rarest = min(left, key=lambda at: covered[marks[at - 1]]) if number % 2 else later[-1]
        left.remove(rarest)
        yield rarest


def scenarios(number: int, of: str) -> Iterator[tuple[int, Scenario]]:
    """One after another, from this one on."""
    numbered = ((one, Scenario.of(one)) for one in count(number))
    return ((one, scenario) for one, scenario in numbered if OF[of](scenario))


def drill(made: Yard, points: int, number: int, of: str, broken_max: int) -> Tally:
    """So many points, over one scenario after another."""
    tally = Tally()
    for one, scenario in scenarios(number, of):
        if tally.points >= points or tally.broken.total() >= broken_max:
            break
        whole = lived(made, tally, scenario, 0, as_before(()))
        tally.scenarios += 1
        for kill_at in chosen(whole.marks, tally.first + tally.later, Random(one)):
            plan = by_chance(Random(f"{one}/{kill_at}"), tally.rare())
            point = lived(made, tally, scenario, kill_at, plan)
            tally.strayed += point.deaths[:1] != [whole.marks[kill_at - 1]]
            if tally.points >= points or tally.broken.total() >= broken_max:
                break
    return tally


def lived(made: Yard, tally: Tally, scenario: Scenario, kill_at: int, plan: Plan) -> Point:
    """One point, told when it broke a promise."""
    point = made.point(scenario, kill_at, plan)
    for words in point.verdict.words:
        print(f"{words}; killed at {point.deaths}")
    if point.verdict.words:
        kills = ",".join(map(str, point.kills)) or "0"
        print(f"again: python -m tests.drills.crash --scenario {scenario.seed} --kill {kills}")
    tally.add(point)
    return point


@contextmanager
def yard() -> Iterator[Yard]:
    """In memory, where there is such a folder: a kill leaves the page cache whole, and what a disk
    would lose is drill powercut's matter."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = tempfile.TemporaryDirectory(prefix="crash-", dir=memory)
    with folder as name, Yard(Path(name)) as made:
        yield made


def share(points: int, number: int, of: str, broken_max: int) -> Tally:
    """One processor's part, with a yard of its own."""
    with yard() as made:
        return drill(made, points, number, of, broken_max)


def run(points: int, seed: int, jobs: int, of: str, broken_max: int = BROKEN_MAX) -> Tally:
    """All points, shared among so many processes."""
    first, each = seed * 1_000_003, -(-points // jobs)
    if jobs == 1:
        return share(points, first, of, broken_max)
    with ProcessPoolExecutor(jobs) as pool:
        firsts = [first + number * SCENARIOS_APART for number in range(jobs)]
        parts = pool.map(share, [each] * jobs, firsts, [of] * jobs, [broken_max] * jobs)
        return reduce(Tally.with_other, parts)


def again(scenario: int, kills: Sequence[int]) -> Tally:
    """One point of an earlier run."""
    tally = Tally()
    with yard() as made:
        lived(made, tally, Scenario.of(scenario), kills[0], as_before(kills[1:]))
    return tally


def _jobs(points: int) -> int:
    return 1 if points < POINTS_SHARED else os.cpu_count() or 1


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scenario", type=int, help="this one only, with --kill")
    parser.add_argument("--kill", default="0", help="marks of its lives, commas between; 0: whole")
    parser.add_argument("--jobs", type=int, default=0, help="processes; 0: by the number of points")
    parser.add_argument("--of", choices=OF, default="all", help="scenarios of one machine only")
    parser.add_argument("--until-broken", action="store_true", help="stop at the first")
    parser.add_argument("--labels", action="store_true", help="where how many were killed")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    began_s = time.monotonic()
    if asked.scenario is not None:
        tally = again(asked.scenario, [int(mark) for mark in asked.kill.split(",")])
    else:
        jobs = asked.jobs or _jobs(asked.points)
        broken_max = 1 if asked.until_broken else BROKEN_MAX
        tally = run(asked.points, asked.seed, jobs, asked.of, broken_max)
    if asked.labels:
        for label in sorted(tally.first + tally.later):
            print(f"{tally.first[label]:6} {tally.later[label]:6}  {label}")
    promises = [Promise(key, "==", 0) for key in (*PROMISES, "uncovered")]
    results = tally.results(time.monotonic() - began_s)
    return report({**results, "seed": asked.seed}, promises, as_json=asked.json)


if __name__ == "__main__":
    sys.exit(main())
