"""Whole lives of a terminal with everything around it faulty.

What they must catch is in tests/drills/mutant_list.py, planted by the drill `mutants`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from kiosk.flows.effects import KeepCash, KeepMove, KeepPayment
from kiosk.flows.payment import Payment
from tests.drills.simulate import simulate
from tests.simulation.life import compare, live
from tests.simulation.world import World

ROOT = Path(__file__).parents[2]
SEEDS, PAYMENTS = 20, 600


def test_twenty_lives_keep_every_promise() -> None:
    """P3, P5, P6: no double charge, nothing lost, nothing booked unpaid, every payment ends."""
    report = simulate(first=1, seeds=SEEDS, payments=PAYMENTS)
    assert report.violations == 0
    assert report.payments == PAYMENTS and report.seeds == SEEDS
    assert report.starts > 2 * SEEDS, "core was hardly ever killed"
    assert report.ends["SETTLED"] > 100 and report.ends["DECLINED"] > 100
    assert report.ends["REVERSED"] > 10, "nothing was ever given back"
    assert report.notes["stacked"] > 50 and report.notes["returned"] > 1, "nobody paid in notes"


def test_the_same_seed_is_the_same_life() -> None:
    assert live(5, 15) == live(5, 15)
    assert live(5, 15) != live(6, 15)


def test_the_books_disagree_where_somebody_cheats() -> None:
    """The comparison itself can fail: a booking nobody paid for, money nobody booked."""
    world = World(1)
    world.pad.book.charge("K03-LOST", 100, 100, 0.0)
    assert any("no journal knows" in words for words in compare(world))


def test_the_validators_ledger_disagrees_where_a_note_is_lost_or_credited_twice() -> None:
    """Notes are compared one by one, and person by person."""
    world = World(1)
    payment = Payment("K03-1", "cash", 4100, "P100", "Q1", world.clock.now())
    world.records.commit([KeepPayment(payment), KeepMove("K03-1", "SENT")], "s1")
    world.records.commit([KeepCash("K03-1", 2000, 0, 2, 2000)], "s1")
    world.box.inserted = 1
    found = [words for words in compare(world) if "journal" in words or "notes" in words]
    assert found == [
        "K03-1: 0 fen in the box, 2000 in the journal",
        "1 notes went in, 0 went anywhere",
    ]


def test_a_drill_says_its_seed_and_its_end_as_one_json_object() -> None:
    ran = drill(ROOT, seeds=1, payments=5)
    told = json.loads(ran.stdout.splitlines()[-1])
    assert ran.returncode == 0
    assert (told["seeds"], told["payments"], told["violations"]) == (1, 5, 0)


def test_a_life_hangs_on_its_seed_and_not_on_the_process_that_walks_it() -> None:
    """Neither on the order of a set of strings, nor on any clock of the machine."""
    one, other = (drill(ROOT, seeds=1, payments=30, hash_seed=seed).stdout for seed in "12")
    assert one == other and json.loads(one.splitlines()[-1])["payments"] == 30


def drill(
    folder: Path, seeds: int, payments: int, hash_seed: str = "0"
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.drills.simulate", "--json", "--until-broken"]
    sizes = ["--seeds", str(seeds), "--payments", str(payments)]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    return subprocess.run(
        [*command, *sizes],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
