"""The demo hospital's and its provider's own books, for tests, drills and `kiosk-gateway ledger`.

These are the truth that our own journals are compared with, so they are read straight from the
tables and know nothing of operations, keys or outboxes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, Connection, select

from gateway.adapters.demo.tables import his_ledger, provider_ledger
from gateway.adapters.port import Booking, Work
from gateway.daily_file import Channel, FileRow, Moved
from gateway.daily_file import write as write_file
from gateway.tables import from_us, to_us


@dataclass(frozen=True)
class HisEntry:
    """One thing the hospital did. `subject`: appointment, bill reference, report, hold or lease."""

    id: int
    at: int
    kind: str
    subject: str
    person: str
    terminal: str
    amount_fen: int
    detail: str


@dataclass(frozen=True)
class ProviderEntry:
    """One thing that happened to somebody's money at the provider."""

    id: int
    at: int
    kind: str
    reference: str
    amount_fen: int
    provider_reference: str
    business_date: str


def write(
    work: Work, kind: str, subject: str, person: str, *, amount_fen: int = 0, detail: str = ""
) -> int:
    """Add one line to the hospital's book; its number."""
    row = {
        "at": to_us(work.now),
        "kind": kind,
        "subject": subject,
        "person": person,
        "terminal": work.terminal,
        "amount_fen": amount_fen,
        "detail": detail,
    }
    inserted = work.connection.execute(his_ledger.insert().values(row).returning(his_ledger.c.id))
    return int(inserted.scalar_one())


def his_entries(connection: Connection, kind: str = "") -> tuple[HisEntry, ...]:
    statement = select(his_ledger).order_by(his_ledger.c.id)
    if kind:
        statement = statement.where(his_ledger.c.kind == kind)
    return tuple(HisEntry(*row) for row in connection.execute(statement))


def bookings(work: Work, first: date, last: date) -> Iterator[Booking]:
    """Settlements from the first day to the last, as the book has them."""
    zone = work.now.tzinfo
    begins = datetime.combine(first, time(), zone)
    ends = datetime.combine(last + timedelta(days=1), time(), zone)
    return _bookings(work, his_ledger.c.at.between(to_us(begins), to_us(ends) - 1))


def bookings_of(work: Work, references: Sequence[str]) -> Iterator[Booking]:
    """Settlements under these references, whenever."""
    return _bookings(work, his_ledger.c.subject.in_(references))


def _bookings(work: Work, which: ColumnElement[bool]) -> Iterator[Booking]:
    statement = select(
        his_ledger.c.subject, his_ledger.c.amount_fen, his_ledger.c.detail, his_ledger.c.at
    ).where(his_ledger.c.kind == "settled", which)
    for subject, amount, detail, at in work.connection.execute(statement):
        yield Booking(subject, amount, detail.rpartition(" ")[2], from_us(at, work.now.tzinfo))


def daily_file(connection: Connection, day: date) -> str:
    """What the provider sends the morning after: its own book of one business day."""
    moved = {"charged": Moved.CHARGED, "reversed": Moved.REVERSED}
    statement = (
        select(provider_ledger)
        .where(
            provider_ledger.c.business_date == day.isoformat(),
            provider_ledger.c.kind.in_(moved),
        )
        .order_by(provider_ledger.c.id)
    )
    entries = (ProviderEntry(*row) for row in connection.execute(statement))
    rows = [
        FileRow(moved[one.kind], one.reference, one.provider_reference, one.amount_fen)
        for one in entries
    ]
    return write_file(Channel.CODES, day, rows)


def provider_entries(connection: Connection, reference: str = "") -> tuple[ProviderEntry, ...]:
    statement = select(provider_ledger).order_by(provider_ledger.c.id)
    if reference:
        statement = statement.where(provider_ledger.c.reference == reference)
    return tuple(ProviderEntry(*row) for row in connection.execute(statement))


def taken_fen(connection: Connection, reference: str) -> int:
    """What the provider holds of this reference: charges less reversals."""
    sign = {"charged": 1, "reversed": -1}
    entries = provider_entries(connection, reference)
    return sum(sign.get(entry.kind, 0) * entry.amount_fen for entry in entries)


def doubled(entries: tuple[HisEntry, ...]) -> tuple[tuple[str, str], ...]:
    """(kind, subject) pairs that the hospital's book has more than once."""
    counts = Counter((entry.kind, entry.subject) for entry in entries)
    return tuple(pair for pair, times in counts.items() if times > 1)
