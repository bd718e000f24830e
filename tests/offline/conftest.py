"""The world of one test, closed after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.offline.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    folder = tmp_path / "terminal"
    folder.mkdir()
    world = World(folder)
    yield world
    world.close()
