"""The benchmarks of the store run, at a size that says nothing about time but all about syncs."""

from __future__ import annotations

import json

import pytest

from tests.bench import enqueue, restart


def test_a_step_is_one_sync_and_every_figure_is_reported(
    capfd: pytest.CaptureFixture[str],
) -> None:
    enqueue.main(["--puts", "100", "--rows", "2000", "--seconds", "0.1", "--json"])
    results = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert results["syncs"] in (1.0, None), "None: no strace on this machine"
    wanted = {"ratio_to_overwrite", "ratio_32", "growth", "depth_us_pending", "depth_us_kept"}
    assert wanted <= set(results)


def test_the_first_pending_record_is_in_hand_after_a_kill(
    capfd: pytest.CaptureFixture[str],
) -> None:
    restart.main(["--history", "300", "--pending", "20", "--rounds", "1", "--no-peers", "--json"])
    results = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert {"store_ms", "store_check_ms", "store_depth_ms"} <= set(results)
