"""The gateway's own tables. Instants are microseconds since 1970, UTC; money is integer fen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SERIAL = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only an INTEGER key


def to_us(instant: datetime) -> int:
    """Microseconds since 1970; `instant` must know its zone."""
    assert instant.tzinfo is not None, "an instant without a zone"
    # Exact: a float of seconds is good to a quarter of a microsecond until the year 2100.
    return round(instant.timestamp() * 1_000_000)


def from_us(microseconds: int, zone: tzinfo | None = UTC) -> datetime:
    return (_EPOCH + timedelta(microseconds=microseconds)).astimezone(zone)


operations = Table(
    "operations",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("endpoint", String(40), nullable=False),
    Column("terminal", String(80), nullable=False),
    Column("body_hash", String(64), nullable=False),
    Column("reply", LargeBinary, nullable=True),  # sealed; null only while it is being worked on
    Column("at", BigInteger, nullable=False),
)
"""Permanent: a key is remembered for ever, with the first answer. Never pruned by age."""

records = Table(
    "records",
    metadata,
    Column("terminal", String(80), primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("key", String(200), nullable=False, unique=True),
    Column("kind", String(40), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("body_hash", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),  # sealed; empty once erased by age
    Column("state", String(10), nullable=False),  # accepted | refused
    Column("reason", String(60), nullable=False, default=""),
)

refused = Table(
    "refused",
    metadata,
    Column("id", _SERIAL, primary_key=True, autoincrement=True),
    Column("terminal", String(80), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("key", String(200), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("reason", String(60), nullable=False),
    Column("body", LargeBinary, nullable=False),  # sealed
    Column("body_hash", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("terminal", "key", "body_hash"),
)
"""What could not be accepted is kept until a person has seen it; nothing is dropped."""

screenings = Table(
    "screenings",
    metadata,
    Column("terminal", String(80), primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("day", String(10), nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("substitute", String(20), nullable=False),
    Column("route", String(40), nullable=False),
    Column("waited_s", Integer, nullable=False),
    Column("paper_hash", String(64), nullable=False, default="", index=True),
    Column("counted", Boolean, nullable=False),
)
"""Without a person: the sealed body is in `records`. Not `counted`: its paper form came twice."""

terminals = Table(
    "terminals",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("token_hash", String(64), nullable=False),
    Column("added", BigInteger, nullable=False),
    Column("revoked", Boolean, nullable=False, default=False),
    Column("held_up_to", BigInteger, nullable=False, default=0),
    Column("highest", BigInteger, nullable=False, default=0),
    Column("seen", BigInteger, nullable=True),
    Column("version", String(60), nullable=False, default=""),
    Column("waiting", Integer, nullable=False, default=0),
    Column("troubles", Text, nullable=False, default=""),
    Column("clock_off_s", Integer, nullable=False, default=0),
    Column("audit_key", String(44), nullable=False, default=""),  # pinned at first sight
    Column("oldest", BigInteger, nullable=True),  # when its oldest unsent record was made
)

operators = Table(
    "operators",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("role", String(20), nullable=False),
    Column("token_hash", String(64), nullable=False),
)

alarms = Table(
    "alarms",
    metadata,
    Column("id", _SERIAL, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("terminal", String(80), nullable=False, default=""),
    Column("detail", String(300), nullable=False, default=""),
)

help_calls = Table(
    "help_calls",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("terminal", String(80), nullable=False),
    Column("place", String(200), nullable=False),
    Column("page", String(60), nullable=False),
    Column("sort", String(20), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("coming", String(80), nullable=False, default=""),
    Column("answered", BigInteger, nullable=True),
)

audit_heads = Table(
    "audit_heads",
    metadata,
    Column("terminal", String(80), primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("chain_hash", String(128), nullable=False),
    Column("signature", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

audit_keys = Table(
    "audit_keys",
    metadata,
    Column("terminal", String(80), primary_key=True),
    Column("audit_key", String(44), primary_key=True),
    Column("at", BigInteger, nullable=False),
)
"""Every key that a terminal ever named, also those that are not the pinned one: evidence."""

factor_tries = Table(
    "factor_tries",
    metadata,
    Column("who", String(64), primary_key=True),  # keyed hash of the number that was shown
    Column("failures", Integer, nullable=False),
    Column("next_at", BigInteger, nullable=False),
)

hand_overs = Table(
    "hand_overs",
    metadata,
    Column("slip", String(80), primary_key=True),
    Column("terminal", String(80), primary_key=True),
    Column("person", String(80), nullable=False),
    Column("purpose", String(60), nullable=False),
    Column("reference", String(200), nullable=False, default=""),
    Column("amount_fen", BigInteger, nullable=False, default=0),
    Column("at", BigInteger, nullable=False),
)

payment_states = Table(
    "payment_states",
    metadata,
    Column("terminal", String(80), primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("reference", String(200), nullable=False, index=True),
    Column("state", String(30), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

provider_files = Table(
    "provider_files",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("channel", String(10), nullable=False),
    Column("day", String(10), nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("superseded", Boolean, nullable=False),
)

provider_rows = Table(
    "provider_rows",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("moved", String(10), nullable=False),  # charged | reversed
    Column("reference", String(200), nullable=False, index=True),
    Column("provider_reference", String(80), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
)

differences = Table(
    "differences",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("reference", String(200), primary_key=True),
    Column("difference", String(30), nullable=False),
    Column("net_fen", BigInteger, nullable=False),
    Column("booked_fen", BigInteger, nullable=False),
    Column("journal", String(30), nullable=False),
)

cash_counts = Table(
    "cash_counts",
    metadata,
    Column("terminal", String(80), primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("day", String(10), nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("who", String(30), nullable=False),
    Column("expected_fen", BigInteger, nullable=False),
    Column("counted_fen", BigInteger, nullable=False),
    Column("notes", Text, nullable=False),  # JSON: note_fen, expected, counted
)

look_ups = Table(
    "look_ups",
    metadata,
    Column("id", _SERIAL, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("terminal", String(80), nullable=False),
    Column("number_hash", String(64), nullable=False),
    Column("operator", String(80), nullable=False),
    Column("because", String(300), nullable=False),
)

slot_locks = Table("slot_locks", metadata, Column("slot_id", String(80), primary_key=True))
"""A row to lock while numbers of one slot are counted and given out."""

claims = Table(
    "claims",
    metadata,
    Column("id", String(200), primary_key=True),  # the hold's key
    Column("slot_id", String(80), nullable=False),
    Column("day", String(10), nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", String(10), nullable=False),  # held | booked | leased | ended | released
    Column("person", String(80), nullable=False, default=""),
    Column("terminal", String(80), nullable=False, default=""),
    Column("until", BigInteger, nullable=True),
    Column("lease_id", String(200), nullable=False, default=""),
)
_LIVE = claims.c.state.in_(("held", "booked", "leased"))
Index("claims_by_day", claims.c.day, claims.c.state)
Index(
    "claims_one_number_once",
    claims.c.slot_id,
    claims.c.number,
    unique=True,
    sqlite_where=_LIVE,
    postgresql_where=_LIVE,
)
"""The last guard: whatever the code does, the database refuses to give one number twice."""
