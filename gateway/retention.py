"""What is erased by age: the sealed bodies of screenings, of which the purpose ends (row 28).

Key, kind and verdict of a record stay for ever, and so do the counts without a person.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select, update

from gateway.store import CommitUnknown, Store, StoreAway
from gateway.tables import records, to_us
from kiosk.logs import Log

ERASE_EVERY_S = 24 * 3600.0
ERASE_AGAIN_S = 600.0
"""When the database was away."""

_AT_ONCE = 500
"""Records in one transaction: terminals that send meanwhile wait for some milliseconds."""

Wait = Callable[[float], bool]
"""Rests for so many seconds; True when the program is to end."""


def erase_screenings(store: Store, now: datetime, keep_days: int) -> int:
    """Empty the bodies of screenings made or received longer ago than that; how many.

    The earlier of the two counts: a terminal's clock may be wrong, and a terminal may have been
    away for days. What was refused is kept until a person has seen it. StoreAway, CommitUnknown.
    """
    before = to_us(now - timedelta(days=keep_days))
    old = select(records.c.terminal, records.c.sequence).where(
        records.c.kind == "screening",
        records.c.state == "accepted",
        or_(records.c.at < before, records.c.received < before),
        func.length(records.c.body) > 0,
    )
    with store.reading() as connection:
        found = [tuple(row) for row in connection.execute(old)]
    for start in range(0, len(found), _AT_ONCE):
        with store.writing() as connection:
            for terminal, sequence in found[start : start + _AT_ONCE]:
                this = and_(records.c.terminal == terminal, records.c.sequence == sequence)
                connection.execute(update(records).where(this).values(body=b""))
    if found:
        store.forget_erased(records)
    return len(found)


def keep_erasing(
    store: Store, clock: Callable[[], datetime], keep_days: int, *, log: Log, wait: Wait
) -> None:
    """At once, and then daily until `wait` says that it is the end."""
    ended = False
    while not ended:
        try:
            count = erase_screenings(store, clock(), keep_days)
        except (StoreAway, CommitUnknown):
            log.exception("erasing_failed")
            ended = wait(ERASE_AGAIN_S)
        else:
            log.info("screenings_erased", count=count)
            ended = wait(ERASE_EVERY_S)
