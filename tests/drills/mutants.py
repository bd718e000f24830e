"""Drill `mutants`: the product broken one way at a time; whoever must notice has to.

    python -m tests.drills.mutants [--only M1,M4] [--json]

Each mutant is planted in a copy of the tree; its judges run there, the whole product having passed
each of them first. Caught is a promise said to be broken: an import that fails, a crash of the
harness or a time-out catches nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.report import Promise, report
from tests.drills.mutant_list import MUTANTS, Judge, Mutant

ROOT = Path(__file__).parents[2]
COPIED = ("drivers", "gateway", "kiosk", "offline", "provisioning", "tests", "ui")
LIMIT_CPU_S = 600
"""A judge that computes longer is too slow to be one. Not by the wall's clock: what a judge says
must not hang on how busy the machine is."""

PATIENCE_S = 6 * 600.0
"""By the wall's clock, for one that waits for something that never comes."""

BROKEN_IMPORT = ("ImportError", "ModuleNotFoundError", "SyntaxError", "IndentationError")


@dataclass(frozen=True)
class Ruling:
    """What a judge said: passed, caught, or broke (neither: it could not do its work)."""

    said: str
    words: str
    seconds: float


def copied(folder: Path) -> Path:
    """The product and its tests, as they stand."""
    for name in COPIED:
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("pyproject.toml", "setup.py"):
        shutil.copy(ROOT / name, folder / name)
    for name in ("docs", "README.md"):
        if (ROOT / name).exists():
            (folder / name).symlink_to(ROOT / name)
    return folder


def misplaced(mutant: Mutant, root: Path = ROOT) -> str:
    """Why this edit can no longer be made; empty when its text stands once."""
    if not mutant.file:
        return ""
    count = (root / mutant.file).read_text().count(mutant.old)
    return "" if count == 1 else f"{mutant.id}: its text stands {count} times in {mutant.file}"


@contextmanager
def planted(mutant: Mutant, tree: Path) -> Iterator[None]:
    """The edit made in a copy of the tree, and taken back."""
    if not mutant.file:
        yield
        return
    source = tree / mutant.file
    text = source.read_text()
    assert text.count(mutant.old) == 1, misplaced(mutant, tree)
    source.write_text(text.replace(mutant.old, mutant.new))
    try:
        yield
    finally:
        source.write_text(text)


def ruled(judge: Judge, tree: Path) -> Ruling:
    """One judge, in the tree."""
    began_s = time.monotonic()
    name, *options = judge.arguments.split()
    if judge.kind == "drill":
        command = ["-m", f"tests.drills.{name}", *options, "--json"]
    else:
        command = ["-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", name, *options]
    # The tree itself stands first in the path: not the product that is installed here.
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        ran = subprocess.run(
            [sys.executable, *command],
            cwd=tree,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
            preexec_fn=_limit_cpu,
        )
    except subprocess.TimeoutExpired:
        return Ruling("broke", f"not done after {PATIENCE_S:.0f} s", PATIENCE_S)
    said, words = reading(judge, ran.returncode, ran.stdout + ran.stderr)
    return Ruling(said, words, time.monotonic() - began_s)


def _limit_cpu() -> None:
    """Of each process of a judge; the system ends one that goes beyond."""
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_CPU_S, LIMIT_CPU_S))


def reading(judge: Judge, code: int, output: str) -> tuple[str, str]:
    """What a judge said by its exit and its words: passed, caught or broke; and the words."""
    lines = [line for line in output.splitlines() if line.strip()]
    if code == 0:
        return "passed", ""
    if code != 1 or any(word in output for word in BROKEN_IMPORT):
        return "broke", lines[-1] if lines else f"exit {code}"
    if judge.kind == "test":
        failed = [line for line in lines if line.startswith("FAILED")]
        return ("caught", failed[0].removeprefix("FAILED ")) if failed else ("broke", lines[-1])
    told = [line for line in lines if line.startswith("{")]
    broken = broken_promises(json.loads(told[-1])) if told else ""
    return ("caught", broken) if broken else ("broke", lines[-1] if lines else "nothing said")


def broken_promises(results: dict[str, object]) -> str:
    """The keys of a drill's last line that say so; a drill that merely fell says nothing."""
    if results.get("ok", True) and not results.get("violations"):
        return ""
    counted = [
        f"{key}={value}"
        for key, value in results.items()
        if key in PROMISED and isinstance(value, int) and value
    ]
    return " ".join(counted)


PROMISED = frozenset(
    {
        *("double_charges", "lost_payments", "booked_unpaid", "unresolved", "violations"),
        *("acknowledged_lost", "corrupt", "half_there", "charges_without_record", "stranded"),
        *("given_twice", "refused_at_sync", "crash_loops", "money_differences", "undetected"),
        *("duplicates", "lost", "wrong_class", "false"),
    }
)


@dataclass(frozen=True)
class Caught:
    """What became of one mutant; `by` empty: it was missed."""

    mutant: Mutant
    by: str
    words: str
    seconds: float


def trial(mutant: Mutant, tree: Path) -> Caught:
    """Its judges one after the other, until one has noticed."""
    words, seconds = [], 0.0
    with planted(mutant, tree):
        for judge in mutant.judges:
            ruling = ruled(judge, tree)
            seconds += ruling.seconds
            if ruling.said == "caught":
                return Caught(mutant, judge.arguments, ruling.words, seconds)
            words.append(f"{judge.arguments}: {ruling.said} {ruling.words}".strip())
    return Caught(mutant, "", "; ".join(words), seconds)


def controls(mutants: Sequence[Mutant], tree: Path) -> list[str]:
    """Judges that do not pass the product as it is: what they catch would say nothing."""
    judges = {judge: None for one in mutants if one.file for judge in one.judges}
    rulings = ((judge, ruled(judge, tree)) for judge in judges)
    return [
        f"{judge.arguments}: {ruling.said} {ruling.words}"
        for judge, ruling in rulings
        if ruling.said != "passed"
    ]


def run(mutants: Sequence[Mutant]) -> tuple[list[str], list[Caught]]:
    """What is wrong with the harness itself, and what became of each mutant."""
    wrong = [words for words in map(misplaced, mutants) if words]
    if wrong:
        return wrong, []
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = copied(Path(folder))
        wrong = controls(mutants, tree)
        rulings = []
        for mutant in mutants:
            rulings.append(trial(mutant, tree))
            print(_row(rulings[-1]), flush=True)
    return wrong, rulings


def _row(one: Caught) -> str:
    verdict = f"caught by {one.by}: {one.words}" if one.by else f"MISSED: {one.words}"
    return f"{one.mutant.id:5} {one.mutant.breaks:60} {one.seconds:6.1f} s  {verdict}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="ids with commas between")
    parser.add_argument("--seed", type=int, default=1, help="judges have seeds of their own")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    only = set(filter(None, asked.only.split(",")))
    chosen = [one for one in MUTANTS if not only or one.id in only]
    assert not only or {one.id for one in chosen} == only, f"not all of {only} are there"
    wrong, rulings = run(chosen)
    for words in wrong:
        print(f"HARNESS: {words}")
    results = {
        "mutants": len(rulings),
        "missed": sum(not one.by for one in rulings),
        "harness_faults": len(wrong),
        "missed_ids": [one.mutant.id for one in rulings if not one.by],
        "caught_by": {one.mutant.id: one.by for one in rulings if one.by},
    }
    promises = [Promise("missed", "==", 0), Promise("harness_faults", "==", 0)]
    return report(results, promises, as_json=asked.json)


if __name__ == "__main__":
    sys.exit(main())
