"""Tables of the demo hospital and of its payment provider. The two ledgers are only ever added to.

Nothing here is unique by the terminal's keys: an effect that came twice must show as two rows.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()
_SERIAL = BigInteger().with_variant(Integer, "sqlite")

days = Table("demo_days", metadata, Column("day", String(10), primary_key=True))

his_ledger = Table(
    "demo_his_ledger",
    metadata,
    Column("id", _SERIAL, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("kind", String(30), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("person", String(80), nullable=False),
    Column("terminal", String(80), nullable=False),
    Column("amount_fen", BigInteger, nullable=False, default=0),
    Column("detail", String(300), nullable=False, default=""),
)
Index("demo_his_ledger_subject", his_ledger.c.kind, his_ledger.c.subject)
"""kind: entered bound held released booked settled settle_refused checked_in printed leased."""

patients = Table(
    "demo_patients",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("document", String(30), nullable=False),
    Column("number", String(60), nullable=False),
    Column("name", String(120), nullable=False),
    Column("born", String(10), nullable=False, default=""),
    Column("sex", String(10), nullable=False),
    Column("phone", String(30), nullable=False, default=""),
    UniqueConstraint("document", "number"),
)

ties = Table(
    "demo_ties",
    metadata,
    Column("holder", String(80), primary_key=True),
    Column("dependant", String(80), primary_key=True),
    Column("relation", String(30), nullable=False),
)

appointments = Table(
    "demo_appointments",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("person", String(80), nullable=False, index=True),
    Column("slot_id", String(80), nullable=False, index=True),
    Column("day", String(10), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("reference", String(200), nullable=False, default=""),
)

quotes = Table(
    "demo_quotes",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("person", String(80), nullable=False),
    Column("hold_key", String(200), nullable=False, default=""),
    Column("insured", Boolean, nullable=False),
    Column("quote", Text, nullable=False),
)

settlements = Table(
    "demo_settlements",
    metadata,
    Column("reference", String(200), primary_key=True),
    Column("state", String(10), nullable=False),  # working | settled | refused | closed
    Column("reply", Text, nullable=False, default=""),
    Column("at", BigInteger, nullable=False),
)

paid_bills = Table(
    "demo_paid_bills",
    metadata,
    Column("bill_id", String(80), primary_key=True),
    Column("reference", String(200), nullable=False),
)

printed = Table(
    "demo_printed",
    metadata,
    Column("report_id", String(80), primary_key=True),
    Column("at", BigInteger, nullable=False),
)

orders = Table(
    "demo_orders",
    metadata,
    Column("reference", String(200), primary_key=True),
    Column("amount_fen", BigInteger, nullable=False),
    Column("state", String(10), nullable=False),
    Column("provider_reference", String(40), nullable=False, default=""),
    Column("business_date", String(10), nullable=False, default=""),
    Column("reason", String(40), nullable=False, default=""),
    Column("due", BigInteger, nullable=True),  # a late charge is made at this moment
)

used_codes = Table(
    "demo_used_codes",
    metadata,
    Column("code_hash", String(64), primary_key=True),
    Column("reference", String(200), nullable=False),
)

provider_ledger = Table(
    "demo_provider_ledger",
    metadata,
    Column("id", _SERIAL, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("kind", String(10), nullable=False),  # opened | charged | declined | reversed | closed
    Column("reference", String(200), nullable=False, index=True),
    Column("amount_fen", BigInteger, nullable=False),
    Column("provider_reference", String(40), nullable=False, default=""),
    Column("business_date", String(10), nullable=False),
)
