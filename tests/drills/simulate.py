"""Drill `simulate`: whole lives of a terminal on virtual time, everything around it faulty.

    python -m tests.drills.simulate --seeds 10000 --payments 1000000 --json

Every life comes from its seed. A broken promise prints the seed and the command that walks that
life again; the last line with --json is one object; the exit is 1 when a promise was broken.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from tests.simulation.life import Lived, live

SEEDS_IN_ONE_PROCESS = 40
"""Fewer lives than these are walked here; more are shared among the processors."""


@dataclass
class Report:
    """What all lives came to."""

    seeds: int = 0
    payments: int = 0
    starts: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    failed: list[Lived] = field(default_factory=list)

    def add(self, lived: Lived) -> None:
        self.seeds += 1
        self.payments += lived.payments
        self.starts += lived.starts
        self.ends.update(lived.ends)
        self.notes.update(lived.notes)
        if lived.violations:
            self.failed.append(lived)

    @property
    def violations(self) -> int:
        return sum(len(lived.violations) for lived in self.failed)


def walk(seeds: Iterable[int], payments: int, alone: bool) -> Iterator[Lived]:
    """One life a seed; on all processors when there are many."""
    chosen = list(seeds)
    if alone or len(chosen) < SEEDS_IN_ONE_PROCESS:
        for seed in chosen:
            yield live(seed, payments)
        return
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(live, chosen, [payments] * len(chosen), chunksize=10)


def simulate(first: int, seeds: int, payments: int, until_broken: bool = False) -> Report:
    """So many lives with so many payments together; or the first that breaks a promise."""
    report, each = Report(), -(-payments // seeds)
    for lived in walk(range(first, first + seeds), each, alone=until_broken):
        report.add(lived)
        for words in lived.violations:
            print(f"seed {lived.seed}: {words}")
        if lived.violations:
            again = f"--seeds 1 --payments {each} --seed {lived.seed}"
            print(f"again: python -m tests.drills.simulate {again}")
            if until_broken:
                break
    return report


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="simulate")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--payments", type=int, default=600, help="of all seeds together")
    parser.add_argument("--seed", type=int, default=1, help="the first one")
    parser.add_argument("--until-broken", action="store_true", help="stop at the first")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    report = simulate(asked.seed, asked.seeds, asked.payments, asked.until_broken)
    told = {
        "payments": report.payments,
        "seeds": report.seeds,
        "violations": report.violations,
        "restarts": report.starts - report.seeds,
        "ends": dict(sorted(report.ends.items())),
        "notes": dict(sorted(report.notes.items())),
        "failed_seeds": [lived.seed for lived in report.failed],
    }
    print(json.dumps(told) if asked.json else "\n".join(f"{k}: {v}" for k, v in told.items()))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
