"""The drills of gateway and line, small; in full: python -m tests.drills.NAME."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.drills import drain, fleet
from tests.gateway.postgres import Cluster


def test_a_day_s_records_arrive_once_through_loss_and_kills(tmp_path: Path) -> None:
    """RELIABILITY S1."""
    plan = drain.Plan(700, 30, gateway_kills=1, postgres_kills=1, seed=3, beat_s=0.5)
    found: dict[str, Any] = drain.drill(tmp_path, plan)
    assert (found["effects"], found["duplicates"], found["lost"]) == (700, 0, 0)
    assert (found["waiting"], found["refused"]) == (0, 0)
    assert (found["gateway_kills"], found["postgres_kills"]) == (1, 1)


def test_a_small_fleet_and_its_storm_lose_only_what_was_never_sent(
    tmp_path: Path, postgres: Cluster
) -> None:
    """RELIABILITY S9: one record is taken as answered although it never left, and is missed."""
    size = fleet.Size(200, 0.02, 4000, mutant="acknowledges_first")
    found: dict[str, Any] = fleet.drill(tmp_path, size, postgres.new_database())
    assert (found["lost"], found["duplicated"], found["wrong"]) == (1, 0, 0)
    assert found["effects"] == found["records"] - 1 >= 4000
