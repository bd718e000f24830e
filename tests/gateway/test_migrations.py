"""Schemas: every released one is taken to today's without a lost row; a later one is left alone.

schemas/N-DIALECT.sql is the schema as release N made it, written down then and never edited.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from gateway import cli, migrations
from gateway.migrations import SCHEMA, SchemaNewer, Step, bring_up
from gateway.store import Store, StoreAway
from kiosk.hospital import contract as c
from tests.gateway.postgres import Cluster
from tests.gateway.world import all_at_once, make_world, record, screening, sqlite_url, states

SCHEMAS = Path(__file__).parent / "schemas"
RELEASED = sorted({int(path.name.partition("-")[0]) for path in SCHEMAS.iterdir()})
OLD_ROWS = (
    "insert into terminals (name, token_hash, added, revoked, held_up_to, highest, version, "
    "waiting, troubles, clock_off_s) values ('T9', 'h', 1, false, 7, 7, '', 0, '', 0)",
    "insert into records values ('T9', 7, 'k7', 'printed', 1, 2, 'h', '', 'accepted', '')",
)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with nothing in it."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    running: Cluster = request.getfixturevalue("postgres")
    return running.new_database()


@pytest.fixture
def store(empty: str) -> Iterator[Store]:
    made = Store(empty)
    yield made
    made.close()


def released(store: Store, number: int) -> None:
    """Make the database as that release left it, with a terminal and a record in it."""
    script = (SCHEMAS / f"{number}-{store.engine.dialect.name}.sql").read_text("utf-8")
    with store.writing() as connection:
        for statement in (*script.split(";\n"), *OLD_ROWS):
            if statement.strip():
                connection.exec_driver_sql(statement)


def shape(connection: Connection) -> dict[str, Any]:
    """All that queries and promises rest on: columns, keys, unique constraints, indexes."""
    look = inspect(connection)
    return {
        name: (
            sorted((c["name"], str(c["type"]), c["nullable"]) for c in look.get_columns(name)),
            look.get_pk_constraint(name)["constrained_columns"],
            sorted(tuple(one["column_names"]) for one in look.get_unique_constraints(name)),
            sorted((i["name"], tuple(i["column_names"]), i["unique"]) for i in _own(look, name)),
        )
        for name in look.get_table_names()
    }


def _own(look: Any, table: str) -> list[Any]:
    """Indexes but those that a unique constraint made by itself."""
    return [one for one in look.get_indexes(table) if "duplicates_constraint" not in one]


def number_of(connection: Connection) -> int:
    return int(connection.execute(text("select number from schema_version")).scalar_one())


@pytest.mark.parametrize("number", RELEASED)
def test_an_old_database_becomes_what_a_new_one_is(
    store: Store, number: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A column added to tables.py without a step fails here."""
    released(store, number)
    assert bring_up(store) == number
    (tmp_path / "fresh").mkdir()
    on_sqlite = sqlite_url(tmp_path / "fresh")
    fresh = Store(
        on_sqlite if store.is_sqlite else request.getfixturevalue("postgres").new_database()
    )
    assert bring_up(fresh) == 0
    with store.reading() as old, fresh.reading() as new:
        assert shape(old) == shape(new)
        assert number_of(old) == number_of(new) == SCHEMA
        assert old.execute(text("select held_up_to from terminals")).scalar_one() == 7
        assert old.execute(text("select key from records")).scalars().all() == ["k7"]
    fresh.close()


def test_a_terminal_goes_on_sending_to_a_database_taken_up(empty: str) -> None:
    store = Store(empty)
    released(store, RELEASED[0])
    store.close()
    world = make_world(empty)
    reply = world.ask(c.Outbox((record(8, screening("S8"), "screening"),)), "T9")
    assert (states(reply), reply.held_up_to) == (["accepted"], 8)
    world.close()


def test_gateways_that_start_together_take_it_up_once(store: Store, empty: str) -> None:
    released(store, RELEASED[0])
    stores = [Store(empty) for _ in range(4)]
    found = all_at_once(4, lambda place: bring_up(stores[place]))
    assert sorted(found) == sorted([RELEASED[0], *[SCHEMA] * 3])
    for one in stores:
        one.close()


def test_a_step_that_fails_leaves_the_old_database_as_it_was(store: Store) -> None:
    released(store, RELEASED[0])
    with store.reading() as connection:
        before = shape(connection)
    half = Step("half", ("alter table records add column half integer", "nonsense"))
    with pytest.raises((StoreAway, DBAPIError)), store.writing() as connection:
        migrations._take(connection, half)
    with store.reading() as connection:
        assert shape(connection) == before


def test_a_later_release_s_database_is_refused_in_one_sentence(store: Store, empty: str) -> None:
    bring_up(store)
    with store.writing() as connection:
        connection.execute(text("update schema_version set number = :n"), {"n": SCHEMA + 1})
    with pytest.raises(SchemaNewer):
        bring_up(store)
    with pytest.raises(SystemExit) as ended:
        cli.main(["add-terminal", "T1", "--url", empty])
    assert ended.value.code == (
        f"kiosk-gateway: the database has schema {SCHEMA + 1}, this release knows up to {SCHEMA}: "
        "start the newer kiosk-gateway, or restore the backup made before it"
    )
