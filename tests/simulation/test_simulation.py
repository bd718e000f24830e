"""Whole lives of a terminal with everything around it faulty; and mutants they must catch.

A mutant is the product with a few words of its source changed, in a folder of its own: what it
breaks is what would be broken.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

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


def test_the_same_seed_is_the_same_life() -> None:
    assert live(5, 15) == live(5, 15)
    assert live(5, 15) != live(6, 15)


def test_the_books_disagree_where_somebody_cheats() -> None:
    """The comparison itself can fail: a booking nobody paid for, money nobody booked."""
    world = World(1)
    world.pad.book.charge("K03-LOST", 100, 100, 0.0)
    assert any("no journal knows" in words for words in compare(world))


def test_a_drill_says_its_seed_and_its_end_as_one_json_object() -> None:
    ran = drill(ROOT, seeds=1, payments=5)
    told = json.loads(ran.stdout.splitlines()[-1])
    assert ran.returncode == 0
    assert (told["seeds"], told["payments"], told["violations"]) == (1, 5, 0)


# --- mutants -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mutant:
    """`old` stands once in `file`; with `new` in its place a promise must break."""

    name: str
    file: str
    old: str
    new: str


CHARGE, BOOKING = "kiosk/flows/payment_charge.py", "kiosk/flows/payment_booking.py"
MUTANTS = (
    Mutant(
        "M2 sends before it is durable",
        "kiosk/engine/engine.py",
        """        self._commit(keeps)
        for effect in effects:
            if not isinstance(effect, _KEEPS):
                self._do(layer, effect)
""",
        """        for effect in effects:
            if not isinstance(effect, _KEEPS):
                self._do(layer, effect)
        self._commit(keeps)
""",
    ),
    Mutant(
        "M3 charges again, under a new reference",
        CHARGE,
        'return _unknown(payment, "the pad did not answer")',
        'return payment, (ChargePad(payment.reference + "X", payment.amount_fen),)',
    ),
    Mutant(
        "charges again instead of asking",
        CHARGE,
        "return (recall(payment),)",
        "return (ChargePad(payment.reference, payment.amount_fen),)",
    ),
    Mutant(
        "M4 takes a time-out for a decline",
        CHARGE,
        'return _unknown(payment, "the pad did not answer")',
        'return moved(payment, "DECLINED", "timed out")',
    ),
    Mutant(
        "M5 reverses without asking",
        CHARGE,
        'return Ask(tag(payment, "close"), CloseOrder(payment.reference))',
        'return Ask(tag(payment, "close"), __import__("kiosk.hospital.contract", '
        'fromlist=["x"]).ReverseCharge(payment.reference))',
    ),
    Mutant(
        "M6 gives back while the hospital is unknown",
        BOOKING,
        'return moved_if(later, "HIS_UNKNOWN", why, *again)',
        'return moved_if(later, "HIS_UNKNOWN", why, *again, ReleasePad(payment.reference))',
    ),
    Mutant(
        "M9 gives a late answer to the payment that is open now",
        "kiosk/engine/payments.py",
        "payment = self._payments.get(reference)",
        "payment = next((p for p in self._payments.values() if not p.final), None)",
    ),
    Mutant(
        "takes `not found` for the end while the charge is on its way",
        CHARGE,
        'case "not_found" if what == "close":',
        'case "not_found":',
    ),
    Mutant(
        "books whatever amount the pad has taken",
        CHARGE,
        "    if amount_fen != payment.amount_fen:\n        # Held",
        "    if amount_fen < payment.amount_fen:\n        # Held",
    ),
    Mutant(
        "reverses at once",
        "kiosk/flows/payment_state.py",
        '"reverse_not_before": 15.0',
        '"reverse_not_before": 0.5',
    ),
    Mutant(
        "lets any old timer reverse",
        BOOKING,
        'case Woke() if what == "reverse" and payment.method != "card":',
        "case Woke():",
    ),
    Mutant(
        "lets go of the money when the hospital takes long",
        BOOKING,
        "return replace(payment, keep=True), (CompletePad(payment.reference),)",
        "return replace(payment, keep=True), (ReleasePad(payment.reference),)",
    ),
    Mutant(
        "books again after the pad gave the money back",
        BOOKING,
        "    if payment.returned:\n        return Ask",
        "    if False:\n        return Ask",
    ),
    Mutant(
        "shows a doubt as not charged",
        "kiosk/flows/pay.py",
        '"UNKNOWN": "checking"',
        '"UNKNOWN": "not_charged"',
    ),
    Mutant(
        "forgets what was open at a restart",
        "kiosk/engine/engine.py",
        "self._payments.recover(self._records.open_payments())",
        "self._payments.recover(())",
    ),
)


def planted(mutant: Mutant, folder: Path) -> Path:
    """The product with this mutant; everything else is the real one."""
    shutil.copytree(ROOT / "kiosk", folder / "kiosk", ignore=shutil.ignore_patterns("*.pyc"))
    for name in ("tests", "offline", "drivers"):
        (folder / name).symlink_to(ROOT / name)
    source = folder / mutant.file
    text = source.read_text()
    assert text.count(mutant.old) == 1, f"{mutant.file} has changed: plant {mutant.name} anew"
    source.write_text(text.replace(mutant.old, mutant.new))
    return folder


def drill(folder: Path, seeds: int, payments: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.drills.simulate", "--json", "--until-broken"]
    sizes = ["--seeds", str(seeds), "--payments", str(payments)]
    return subprocess.run(
        [*command, *sizes], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_simulation_catches(mutant: Mutant, tmp_path: Path) -> None:
    ran = drill(planted(mutant, tmp_path), seeds=10 * SEEDS, payments=10 * PAYMENTS)
    assert ran.returncode == 1, f"{mutant.name} lived through {10 * SEEDS} seeds"
    assert "seed" in ran.stdout, ran.stderr[-2000:]
