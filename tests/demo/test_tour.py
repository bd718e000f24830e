"""`kiosk demo --tour` as a person types it, with a few journeys; the whole tour takes longer."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.demo.crowd import everybody
from gateway.adapters.demo.people import KNOWN
from kiosk.demo.extras import EXTRAS
from kiosk.demo.journeys import PLANS

JOURNEYS = ("check_in", "pay_bill_card", "green_id", "english", "own_trail")
BUDGETS = {plan.name: plan.taps_max for plan in (*PLANS, *EXTRAS)}


@dataclass(frozen=True)
class Toured:
    out: Path
    folder: Path
    summary: dict[str, Any]

    def walked(self) -> list[dict[str, Any]]:
        return [*self.summary["journeys"], *self.summary["extras"]]

    def one(self, name: str) -> dict[str, Any]:
        return next(walked for walked in self.walked() if walked["name"] == name)

    def slip(self, name: str) -> str:
        papers = [paper for paper in self.one(name)["papers"] if paper.endswith(".txt")]
        return (self.out / papers[-1]).read_text("utf-8")


def tour(place: Path, names: tuple[str, ...], *more: str) -> Toured:
    # The A4 printer's programs run as other users: they must be able to come in.
    for path in (place, *place.parents[:2]):
        path.chmod(0o755)
    out, folder = place / "out", place / "world"
    command = [sys.executable, "-m", "kiosk", "demo", "--tour", str(out), "--folder", str(folder)]
    command += ["--only", ",".join(names), *more]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return Toured(out, folder, json.loads((out / "summary.json").read_text("utf-8")))


@pytest.fixture(scope="module")
def toured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toured]:
    yield tour(tmp_path_factory.mktemp("tour"), JOURNEYS)


def test_each_journey_ends_well_within_its_taps_and_leaves_pictures_and_papers(
    toured: Toured,
) -> None:
    """Rows 60 and 107: the main jobs, by real touches and real bytes."""
    outcomes = {walked["name"]: walked["outcome"] for walked in toured.walked()}
    assert outcomes == {
        "check_in": "checked_in",
        "pay_bill_card": "settled",
        "green_id": "passed",
        "english": "settled",
        "own_trail": "trail_printed",
    }
    for walked in toured.walked():
        assert walked["taps"] <= BUDGETS[walked["name"]]
        assert walked["screens"] == len(walked["pictures"]) > 1
        assert walked["papers"]
        for file in (*walked["pictures"], *walked["papers"]):
            assert (toured.out / file).stat().st_size > 0


def test_slips_are_in_the_persons_language_and_name_nobody_whole(toured: Toured) -> None:
    """Row 114: masked on paper; row 102: paper for everything."""
    assert "已签到" in toured.slip("check_in") and "王*兰" in toured.slip("check_in")
    assert "You may go" in toured.slip("english")
    assert "认出了您" in toured.slip("own_trail")


def test_nothing_of_a_person_is_in_any_file_of_terminal_and_gateway(toured: Toured) -> None:
    """Rows 28 and 114: logs, stores and pictures' names know no name and no number."""
    secrets = {
        secret.encode()
        for person in (*KNOWN, *everybody())
        for secret in (person.name, person.number, person.phone)
        if len(secret) > 2
    }
    files = [path for path in (*toured.folder.rglob("*"), *toured.out.rglob("*")) if path.is_file()]
    assert {"core.log", "ui.log", "gateway.log", "kiosk.db", "gateway.db"} <= {
        path.name for path in files
    }
    for path in files:
        if path.suffix == ".pdf" or "kivy" in path.parts:
            continue  # a report is its owner's, name and all
        content = path.read_bytes()
        assert not [at for at, secret in enumerate(secrets) if secret in content], path.name


def test_with_the_gateway_down_records_queue_and_arrive_exactly_once(tmp_path: Path) -> None:
    """Row 123: bad links; check-in and the green channel go on, nothing is lost or doubled."""
    down = tour(tmp_path, ("check_in", "green_id"), "--gateway-down")
    assert [one["outcome"] for one in down.summary["journeys"]] == ["queued", "passed"]
    assert down.summary["queued"] == down.summary["arrived"] >= 2
    assert down.summary["duplicates"] == 0
