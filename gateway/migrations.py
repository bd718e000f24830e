"""The gateway's schema, in numbered steps that only go forward; a database is never taken back.

A new database is made from the tables as they stand; an older one is taken there step by step,
all in one transaction with its number. A released step is never edited, and no step drops a row.
Steps only add, so that gateways of the last release go on until each is restarted.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, Table, inspect, select

from gateway.store import Store
from gateway.tables import metadata

_versions = MetaData()
schema_version = Table(
    "schema_version",
    _versions,
    Column("only", Integer, primary_key=True, autoincrement=False),  # always 1: one row
    Column("number", BigInteger, nullable=False),
)


@dataclass(frozen=True)
class Step:
    """`why` is for whoever reads the list; {bytes} and {serial} are the dialect's own types."""

    why: str
    sql: tuple[str, ...]


STEPS: tuple[Step, ...] = (
    Step(
        "pinned audit keys, the age of what waits, tries of second factors",
        (
            "alter table terminals add column audit_key varchar(44) not null default ''",
            "alter table terminals add column oldest bigint",
            "create table audit_keys (terminal varchar(80) not null, audit_key varchar(44) "
            "not null, at bigint not null, primary key (terminal, audit_key))",
            "create table factor_tries (who varchar(64) not null, failures integer not null, "
            "next_at bigint not null, primary key (who))",
        ),
    ),
    Step(
        "a refund is matched with its charge, however long ago that was",
        ("create index ix_provider_rows_reference on provider_rows (reference)",),
    ),
    Step(
        "counts of emptied cash boxes",
        (
            "create table cash_counts (terminal varchar(80) not null, sequence bigint not null, "
            "day varchar(10) not null, at bigint not null, who varchar(30) not null, "
            "expected_fen bigint not null, counted_fen bigint not null, notes text not null, "
            "primary key (terminal, sequence))",
            "create index ix_cash_counts_day on cash_counts (day)",
        ),
    ),
)
"""STEPS[n] takes a database from schema n + 1 to n + 2. Schema 1 is that of the first release,
which kept no number. A change of tables.py is a new step here; a test compares the two."""

SCHEMA = 1 + len(STEPS)
_TYPES = {
    "sqlite": {"bytes": "BLOB", "serial": "INTEGER"},
    "postgresql": {"bytes": "BYTEA", "serial": "BIGSERIAL"},
}


class SchemaNewer(Exception):
    """The database was opened by a later release; this one must not touch it."""

    def __init__(self, found: int) -> None:
        super().__init__(
            f"the database has schema {found}, this release knows up to {SCHEMA}: "
            "start the newer kiosk-gateway, or restore the backup made before it"
        )
        self.found = found


def bring_up(store: Store) -> int:
    """Make the tables or take them to SCHEMA; the number found before (0: new). SchemaNewer.

    Safe when several gateways start together, and when killed anywhere: all of it or nothing.
    """
    with store.writing() as connection:
        store.alone(connection)
        found = _number(connection)
        if found > SCHEMA:
            raise SchemaNewer(found)
        if found == 0:
            metadata.create_all(connection)
        for step in STEPS[found - 1 :] if found else ():
            _take(connection, step)
        if found != SCHEMA:
            _remember(connection)
    return found


def _number(connection: Connection) -> int:
    tables = set(inspect(connection).get_table_names())
    if schema_version.name in tables:
        return int(connection.execute(select(schema_version.c.number)).scalar_one())
    return 1 if "records" in tables else 0


def _take(connection: Connection, step: Step) -> None:
    types = _TYPES[connection.dialect.name]
    for statement in step.sql:
        connection.exec_driver_sql(statement.format(**types))


def _remember(connection: Connection) -> None:
    _versions.create_all(connection)
    row = {"only": 1, "number": SCHEMA}
    if connection.execute(schema_version.update().values(row)).rowcount == 0:
        connection.execute(schema_version.insert().values(row))
