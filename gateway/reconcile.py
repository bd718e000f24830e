"""The daily match (对账): terminals' journals, providers' files, the hospital's ledger.

By the provider's business date. Run again at any time: a day's differences are replaced whole.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from gateway.adapters.port import Booking, Hospital, Work
from gateway.cash_counts import CashCounted, counted_on
from gateway.daily_file import Channel, DailyFile
from gateway.matching import DUTIES, Difference, Payment, judge
from gateway.store import Store, insert_new
from gateway.tables import (
    differences,
    from_us,
    payment_states,
    provider_files,
    provider_rows,
    to_us,
)
from gateway.words import CHANNELS, JOURNAL, said
from kiosk.domain.money import Fen, yuan

NEAR_MIDNIGHT = timedelta(minutes=30)
"""A booking so late on a day may stand in tomorrow's file, which need not be there yet."""
_ONE_DAY = timedelta(days=1)
_AT_ONCE = 500  # references in one question


@dataclass(frozen=True)
class Found:
    """One difference of one day."""

    payment: Payment
    difference: Difference


@dataclass(frozen=True)
class Outcome:
    """A day's match. `missing`: channels whose file has not come; their payments are not judged.

    `cash_fen`: booked against notes; `counted`: the cash boxes that were counted on this day, each
    held against what its terminal had stacked since the count before.
    """

    day: date
    matched: int
    found: tuple[Found, ...]
    missing: tuple[Channel, ...]
    cash_fen: Fen = 0
    counted: tuple[CashCounted, ...] = ()


def take_file(store: Store, file: DailyFile, now: datetime) -> bool:
    """Keep a daily file, all or nothing; it replaces an earlier one of its day and channel.

    False when this very file is there already.
    """
    day = file.day.isoformat()
    kept = {
        "digest": file.digest,
        "channel": file.channel.value,
        "day": day,
        "at": to_us(now),
        "superseded": False,
    }
    with store.writing() as connection:
        older = (provider_files.c.channel == file.channel.value) & (provider_files.c.day == day)
        if insert_new(connection, provider_files, [kept]) == 0:
            return False
        connection.execute(
            update(provider_files)
            .where(older, provider_files.c.digest != file.digest)
            .values(superseded=True)
        )
        rows = [
            {
                "digest": file.digest,
                "line": line,
                "moved": row.moved.name.lower(),
                "reference": row.reference,
                "provider_reference": row.provider_reference,
                "amount_fen": row.amount_fen,
            }
            for line, row in enumerate(file.rows, start=1)
        ]
        if rows:
            connection.execute(insert(provider_rows), rows)
    return True


def run(store: Store, hospital: Hospital, day: date, now: datetime) -> Outcome:
    """Match one business day and keep its differences; the last of two runs at once counts."""
    with store.reading() as connection:
        outcome = match(Work(connection, "", now), hospital, day)
    with store.writing() as connection:
        store.alone(connection)
        _keep(connection, outcome)
    return outcome


def match(work: Work, hospital: Hospital, day: date) -> Outcome:
    """The three books of this day, and of its neighbours for what lies across the day's cut.

    What differs, and what was given back on this day, is looked up again however long ago it began.
    """
    here, next_day = _channels(work, day), _channels(work, day + _ONE_DAY)
    books = _around(work, hospital, day)
    mine = [page for page in books.pages.values() if page.concerns(day) and page.channel in here]
    doubtful = [one.reference for one in mine if one.class_of(next_day) or day in one.given_back]
    books.pages.update(_whole(work, hospital, doubtful).pages)
    matched = 0
    found = []
    for page in books.pages.values():
        if not page.concerns(day) or page.channel not in here:
            continue
        if (difference := page.class_of(next_day)) is not None:
            found.append(Found(page.payment(), difference))
        elif page.day == day:
            matched += 1
    missing = tuple(channel for channel in Channel if channel not in here)
    found.sort(key=lambda one: (list(Difference).index(one.difference), one.payment.reference))
    cash_fen = sum(sum(page.booked) for page in books.pages.values() if page.is_cash(day))
    return Outcome(day, matched, tuple(found), missing, cash_fen, counted_on(work, day))


@dataclass
class _Page:
    """One reference, while the books are being read."""

    reference: str
    charged: list[Fen] = field(default_factory=list)
    reversed: list[Fen] = field(default_factory=list)
    booked: list[Fen] = field(default_factory=list)
    journal: str = ""
    journal_fen: Fen = 0
    journal_day: date | None = None
    given_back: set[date] = field(default_factory=set)
    provider_day: date | None = None
    booked_day: date | None = None
    channel: Channel = Channel.CODES
    near_midnight: bool = False
    cash: bool = False

    def is_cash(self, day: date) -> bool:
        """Booked on this day against notes."""
        return self.cash and self.booked_day == day

    @property
    def day(self) -> date | None:
        """The business date: the provider's when it knows the reference."""
        return self.provider_day or self.booked_day or self.journal_day

    def concerns(self, day: date) -> bool:
        """Its own business date; and each on which money went back, which may be much later."""
        return self.day == day or day in self.given_back

    def class_of(self, next_day: frozenset[Channel]) -> Difference | None:
        """`next_day`: channels whose file of the day after is there."""
        difference = judge(self.payment())
        waits = self.near_midnight and self.channel not in next_day
        if difference is Difference.BOOKED_NOT_TAKEN and waits:
            return Difference.ACROSS_DAY_CUT
        return difference

    def payment(self) -> Payment:
        charged, provider_day = tuple(self.charged), self.provider_day
        if self.cash and self.journal == "settled":
            # No provider has a file of notes: what the terminal took stands for it, and the sum of
            # the day is held against the box's count.
            charged, provider_day = (self.journal_fen,), self.booked_day
        return Payment(
            self.reference,
            charged,
            tuple(self.reversed),
            tuple(self.booked),
            self.journal,
            self.journal_fen,
            provider_day,
            self.booked_day,
        )


class _Books:
    def __init__(self) -> None:
        self.pages: dict[str, _Page] = {}

    def page(self, reference: str) -> _Page:
        found = self.pages.get(reference)
        if found is None:
            found = self.pages[reference] = _Page(reference)
        return found


def _channels(work: Work, day: date) -> frozenset[Channel]:
    kept = select(provider_files.c.channel).where(provider_files.c.day == day.isoformat())
    return frozenset(Channel(name) for name in work.connection.execute(kept).scalars())


def _around(work: Work, hospital: Hospital, day: date) -> _Books:
    """What the three books say of this day, of the one before and of the one after."""
    books = _Books()
    days = [day + n * _ONE_DAY for n in (-1, 0, 1)]
    _read_provider(work, provider_files.c.day.in_([one.isoformat() for one in days]), books)
    _read_bookings(hospital.bookings(work, days[0], days[-1]), books)
    begins, ends = (
        to_us(datetime.combine(one, datetime.min.time(), work.now.tzinfo))
        for one in (days[0], days[-1] + _ONE_DAY)
    )
    _read_journals(work, payment_states.c.at.between(begins, ends - 1), books)
    return books


def _whole(work: Work, hospital: Hospital, references: list[str]) -> _Books:
    """All that the three books ever said of these references."""
    books = _Books()
    for start in range(0, len(references), _AT_ONCE):
        some = references[start : start + _AT_ONCE]
        _read_provider(work, provider_rows.c.reference.in_(some), books)
        _read_bookings(hospital.bookings_of(work, some), books)
        _read_journals(work, payment_states.c.reference.in_(some), books)
    return books


def _read_provider(work: Work, which: ColumnElement[bool], books: _Books) -> None:
    statement = (
        select(
            provider_rows.c.reference,
            provider_rows.c.moved,
            provider_rows.c.amount_fen,
            provider_files.c.day,
            provider_files.c.channel,
        )
        .join(provider_files, provider_files.c.digest == provider_rows.c.digest)
        .where(which, provider_files.c.superseded.is_(False))
        .order_by(provider_files.c.day, provider_rows.c.line)
    )
    for reference, moved, amount, business_day, channel in work.connection.execute(statement):
        page = books.page(reference)
        page.channel = Channel(channel)
        day = date.fromisoformat(business_day)
        page.provider_day = page.provider_day or day
        if moved == "charged":
            page.charged.append(amount)
        else:
            page.reversed.append(amount)
            page.given_back.add(day)


def _read_bookings(bookings: Iterable[Booking], books: _Books) -> None:
    for booking in bookings:
        if booking.amount_fen == 0:
            continue  # insurance paid it all: no provider ever heard of it
        page = books.page(booking.reference)
        page.booked.append(booking.amount_fen)
        page.booked_day = page.booked_day or booking.at.date()
        if page.provider_day is None:
            page.cash = booking.method == "cash"
            page.channel = Channel.CARDS if booking.method == "card" else Channel.CODES
        midnight = booking.at.replace(hour=0, minute=0, second=0, microsecond=0) + _ONE_DAY
        page.near_midnight = midnight - booking.at <= NEAR_MIDNIGHT


def _read_journals(work: Work, which: ColumnElement[bool], books: _Books) -> None:
    """The last word of the terminals; what a payment was before does not matter here."""
    zone: tzinfo | None = work.now.tzinfo
    statement = (
        select(
            payment_states.c.reference,
            payment_states.c.state,
            payment_states.c.amount_fen,
            payment_states.c.at,
        )
        .where(which)
        .order_by(payment_states.c.terminal, payment_states.c.sequence)
    )
    for reference, state, amount, at in work.connection.execute(statement):
        page = books.page(reference)
        page.journal, page.journal_fen = state.lower(), amount
        page.journal_day = from_us(at, zone).date()


def _keep(connection: Connection, outcome: Outcome) -> None:
    day = outcome.day.isoformat()
    connection.execute(delete(differences).where(differences.c.day == day))
    rows = [
        {
            "day": day,
            "reference": one.payment.reference,
            "difference": one.difference.value,
            "net_fen": one.payment.net_fen,
            "booked_fen": one.payment.booked_fen,
            "journal": one.payment.journal,
        }
        for one in outcome.found
    ]
    if rows:
        connection.execute(insert(differences), rows)


def as_json(outcome: Outcome) -> str:
    """For machines: one object."""
    listed: list[dict[str, Any]] = [
        {
            "reference": one.payment.reference,
            "class": one.difference.value,
            "owner": DUTIES[one.difference].owner,
            "next_step": DUTIES[one.difference].next_step,
            "net_fen": one.payment.net_fen,
            "booked_fen": one.payment.booked_fen,
            "journal": one.payment.journal,
        }
        for one in outcome.found
    ]
    body = {
        "date": outcome.day.isoformat(),
        "matched": outcome.matched,
        "differences": listed,
        "cash_fen": outcome.cash_fen,
        "cash_counts": [
            {**asdict(one), "difference_fen": one.difference_fen} for one in outcome.counted
        ],
        "missing_files": [channel.value for channel in outcome.missing],
    }
    return json.dumps(body, ensure_ascii=False)


def as_text(outcome: Outcome) -> str:
    """For people: what to do first stands first; amounts in yuan."""
    lines = [f"对账 {outcome.day}：相符 {outcome.matched} 笔，差异 {len(outcome.found)} 笔"]
    if outcome.found:
        net = sum(one.payment.net_fen for one in outcome.found)
        booked = sum(one.payment.booked_fen for one in outcome.found)
        lines.append(
            f"差异合计：渠道净额 ¥{yuan(net)}，医院入账 ¥{yuan(booked)}，相差 ¥{yuan(net - booked)}"
        )
    for channel in outcome.missing:
        lines.append(f"⚠ 未收到{said(CHANNELS, channel)}对账单：这部分还没有核对，收到后重新对账")
    if outcome.cash_fen:
        lines.append(f"现金入账 ¥{yuan(outcome.cash_fen)}，请与钱箱清点核对")
    lines += [one.as_text() for one in outcome.counted]
    counts = Counter(one.difference for one in outcome.found)
    for difference in Difference:
        if not counts[difference]:
            continue
        duty = DUTIES[difference]
        lines.append(f"\n{duty.words}（{counts[difference]} 笔）— {duty.owner}：{duty.next_step}")
        lines += [
            f"  {one.payment.reference}  渠道净额 ¥{yuan(one.payment.net_fen)}"
            f"  医院入账 ¥{yuan(one.payment.booked_fen)}"
            f"  终端：{said(JOURNAL, one.payment.journal)}"
            for one in outcome.found
            if one.difference is difference
        ]
    return "\n".join(lines)
