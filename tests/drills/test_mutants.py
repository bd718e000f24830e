"""The list of mutants stays true, and the drill can tell caught from passed and from broken."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.drills import mutants
from tests.drills.mutant_list import MUTANTS, Judge, Mutant

CHAIN = Judge(
    "test", "tests/offline/test_audit.py::test_the_link_is_the_hash_of_predecessor_place_and_bytes"
)
UNNUMBERED = next(one for one in MUTANTS if one.id == "M14")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.id)
def test_a_mutant_still_breaks_what_it_names(mutant: Mutant) -> None:
    assert not mutants.misplaced(mutant), "the product has moved: plant it anew"
    assert mutant.judges, "nobody would notice"
    assert mutant.file or all("--mutant" in judge.arguments for judge in mutant.judges)


def test_every_mutant_has_a_name_of_its_own_and_there_are_enough() -> None:
    assert Counter(one.id for one in MUTANTS).most_common(1)[0][1] == 1
    assert sum(bool(one.file) for one in MUTANTS) >= 15


def test_a_planted_mutant_is_caught_and_the_whole_product_is_not(tmp_path: Path) -> None:
    tree = mutants.copied(tmp_path)
    assert mutants.ruled(CHAIN, tree).said == "passed"
    with mutants.planted(UNNUMBERED, tree):
        ruling = mutants.ruled(CHAIN, tree)
    assert (ruling.said, "test_the_link_is" in ruling.words) == ("caught", True)


def test_a_product_that_cannot_be_imported_catches_nothing(tmp_path: Path) -> None:
    tree = mutants.copied(tmp_path)
    nonsense = Mutant("X", "no Python", (), UNNUMBERED.file, UNNUMBERED.old, "((")
    with mutants.planted(nonsense, tree):
        assert mutants.ruled(CHAIN, tree).said == "broke"


@pytest.mark.parametrize(
    ("code", "last", "said"),
    [
        (0, '{"ok": true}', "passed"),
        (1, '{"lost_payments": 2, "ok": false}', "caught"),
        (1, '{"violations": 1}', "caught"),
        (1, '{"uncovered": 3, "ok": false}', "broke"),
        (1, "Traceback (most recent call last):", "broke"),
        (2, '{"lost_payments": 2, "ok": false}', "broke"),
        (1, 'ImportError: no name\n{"lost_payments": 2, "ok": false}', "broke"),
    ],
)
def test_only_a_promise_said_to_be_broken_counts(code: int, last: str, said: str) -> None:
    assert mutants.reading(Judge("drill", "crash"), code, last)[0] == said
