"""The world of one test, in memory where the machine has room for it, closed after it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.offline.world import IN_MEMORY, World


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Takes the place of pytest's own, whose disk makes every commit wait."""
    with tempfile.TemporaryDirectory(prefix="offline-", dir=IN_MEMORY) as folder:
        yield Path(folder)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    folder = tmp_path / "terminal"
    folder.mkdir()
    world = World(folder)
    yield world
    world.close()
