"""The store: a read has one view, and no wait for a database is without an end."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from gateway import fleet
from gateway.store import BUSY_TIMEOUT_MS, CONNECT_S, Store, StoreAway
from gateway.tables import terminals
from tests.gateway.postgres import Cluster
from tests.gateway.world import MORNING, World, sqlite_url


def test_a_read_sees_one_moment_whoever_writes_meanwhile(world: World) -> None:
    """The bill's lines and its sum must not come from two states of the books."""
    store = world.parts.store
    counted = select(func.count()).select_from(terminals)
    with store.reading() as connection:
        before = connection.execute(counted).scalar_one()
        writer = threading.Thread(target=lambda: fleet.add_terminal(store, "T9", MORNING))
        writer.start()
        writer.join(timeout=10)
        assert connection.execute(counted).scalar_one() == before
    with store.reading() as connection:
        assert connection.execute(counted).scalar_one() == before + 1


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and never says a word, as a machine that hangs does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_database_that_never_answers_is_away_soon(silent: int) -> None:
    store = Store(f"postgresql+psycopg://kiosk@127.0.0.1:{silent}/kiosk")
    began = time.monotonic()
    with pytest.raises(StoreAway), store.reading():
        pass
    assert time.monotonic() - began < CONNECT_S + 4


def test_nothing_waits_for_ever_inside_postgresql(postgres: Cluster) -> None:
    store = Store(postgres.new_database())
    with store.writing() as connection:
        waits = connection.execute(text("show lock_timeout")).scalar_one()
        idle = connection.execute(text("show idle_in_transaction_session_timeout")).scalar_one()
        line = connection.connection.driver_connection.info.get_parameters()  # type: ignore[union-attr]
    assert (waits, idle) == (f"{BUSY_TIMEOUT_MS // 1000}s", "1min")
    assert (line["tcp_user_timeout"], line["keepalives_idle"]) == ("15000", "5")
    store.close()


def test_what_the_url_says_goes_before_our_own_limits(postgres: Cluster) -> None:
    store = Store(f"{postgres.new_database()}?options=-c%20lock_timeout%3D7s")
    with store.reading() as connection:
        assert connection.execute(text("show lock_timeout")).scalar_one() == "7s"
    store.close()


def test_when_all_connections_are_in_use_the_store_is_away(tmp_path: Path) -> None:
    """Not a bug of the server: nothing was done, the same request may come again."""
    store = Store(sqlite_url(tmp_path), pool_wait_s=0.05)
    held = [store.engine.connect() for _ in range(40)]
    with pytest.raises(StoreAway), store.reading():
        pass
    for connection in held:
        connection.close()
    store.close()
