"""The bench of an idle terminal, small: ten devices found well, and every figure within bounds."""

from __future__ import annotations

import json

import pytest

from tests.bench import idle


def test_ten_devices_and_nobody_there_cost_little(capfd: pytest.CaptureFixture[str]) -> None:
    code = idle.main(["--seconds", "2", "--hours", "0.02", "--json"])
    results = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert results["devices"] == 10, "each well once, and none lost"
    assert 0 < results["core_percent"] <= 2.0, "nothing was measured, or something burns"
    assert code == 0 and results["growth_mb"] <= 1.0
