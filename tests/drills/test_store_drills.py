"""The drills of the store at a size for every day, and each of their mutants caught."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.drills import corrupt, diskfull, forge, powercut

Drill = Callable[[list[str]], int]


def _run(drill: Drill, arguments: list[str], capfd: pytest.CaptureFixture[str]) -> dict[str, int]:
    code = drill([*arguments, "--json"])
    results: dict[str, int] = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert code == (0 if results["ok"] else 1)
    return results


def test_power_cuts_lose_nothing_acknowledged(capfd: pytest.CaptureFixture[str]) -> None:
    results = _run(powercut.main, ["--cuts", "3000"], capfd)
    assert results["ok"] and results["cuts"] == 3000


@pytest.mark.parametrize("mutant", [name for name in powercut.MUTANTS if name != "none"])
def test_power_cuts_catch_a_store_that_does_not_sync(
    mutant: str, capfd: pytest.CaptureFixture[str]
) -> None:
    results = _run(powercut.main, ["--cuts", "500", "--mutant", mutant], capfd)
    assert not results["ok"]


def test_a_disk_that_fills_up_leaves_no_charge_without_its_record(
    capfd: pytest.CaptureFixture[str],
) -> None:
    results = _run(diskfull.main, ["--points", "20"], capfd)
    assert results["ok"] and results["charges"] > 500


@pytest.mark.parametrize("mutant", [name for name in diskfull.MUTANTS if name != "none"])
def test_a_full_disk_catches_payments_begun_without_room(
    mutant: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert not _run(diskfull.main, ["--points", "20", "--mutant", mutant], capfd)["ok"]


def test_no_tampering_with_what_was_witnessed_goes_unseen(
    capfd: pytest.CaptureFixture[str],
) -> None:
    results = _run(forge.main, ["--tamperings", "600"], capfd)
    assert results["ok"] and results["undetected"] == 0


@pytest.mark.parametrize("mutant", [name for name in forge.MUTANTS if name != "none"])
def test_tampering_shows_what_a_weaker_chain_would_miss(
    mutant: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert not _run(forge.main, ["--tamperings", "100", "--mutant", mutant], capfd)["ok"]


def test_a_damaged_store_is_mended_and_no_fen_differs(capfd: pytest.CaptureFixture[str]) -> None:
    results = _run(corrupt.main, ["--corruptions", "40"], capfd)
    assert results["ok"] and results["mended"] > 5


@pytest.mark.parametrize("mutant", [name for name in corrupt.MUTANTS if name != "none"])
def test_damage_catches_a_recovery_that_does_not_ask(
    mutant: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert not _run(corrupt.main, ["--corruptions", "40", "--mutant", mutant], capfd)["ok"]
