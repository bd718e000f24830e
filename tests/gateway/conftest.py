"""Every test that takes `world` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.postgres import Cluster, cluster
from tests.gateway.world import World, make_world, sqlite_url


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("postgres") / "cluster") as running:
        yield running


@pytest.fixture(scope="session")
def opened_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the day opened, to be copied: opening a day takes a third of a second."""
    folder = tmp_path_factory.mktemp("opened")
    make_world(sqlite_url(folder)).close()
    return folder / "gateway.db"


@pytest.fixture(scope="session")
def opened_postgres(postgres: Cluster) -> str:
    url = postgres.new_database()
    make_world(url).close()
    return url.rsplit("/", 1)[-1]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with this morning's demo hospital in it."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("opened_sqlite"), tmp_path / "gateway.db")
        return sqlite_url(tmp_path)
    running: Cluster = request.getfixturevalue("postgres")
    return running.new_database(request.getfixturevalue("opened_postgres"))


@pytest.fixture
def world(url: str) -> Iterator[World]:
    made = make_world(url)
    yield made
    made.close()


@pytest.fixture
def light_world(opened_sqlite: Path, tmp_path: Path) -> Iterator[World]:
    """On SQLite only, for what the database does not matter to."""
    shutil.copy(opened_sqlite, tmp_path / "gateway.db")
    made = make_world(sqlite_url(tmp_path))
    yield made
    made.close()
