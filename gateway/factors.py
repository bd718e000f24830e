"""Second factors are guesses until one is right: counted by number shown, whoever asks from where.

A try is counted before the hospital is asked, in the same transaction as its answer; after a few
wrong ones each next one waits twice as long. The count is in the database: no session, terminal or
restart gives new tries. The number itself is not kept, only its keyed hash.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from gateway.adapters.port import Work
from gateway.operations import alarm
from gateway.sealing import Keys
from gateway.store import insert_new
from gateway.tables import factor_tries, to_us
from kiosk.domain.identity import Credential
from kiosk.hospital import contract as c

FREE_TRIES = 5
FIRST_WAIT = timedelta(seconds=15)
WAIT_MAX = timedelta(days=1)
"""Four digits at one guess a day: nobody lives to see it."""

Identify = Callable[[Work, c.Identify], c.IdentifyReply]


def tried(work: Work, keys: Keys, ask: c.Identify, identify: Identify) -> c.IdentifyReply:
    """The hospital's answer to a second factor, or FactorWait without asking the hospital."""
    who = _who(keys, ask)
    insert_new(work.connection, factor_tries, [{"who": who, "failures": 0, "next_at": 0}])
    mine = factor_tries.c.who == who
    locked = select(factor_tries.c.failures, factor_tries.c.next_at).where(mine)
    failures, next_at = work.connection.execute(locked.with_for_update()).one()
    wait_us = next_at - to_us(work.now)
    if wait_us > 0:
        return c.FactorWait(-(-wait_us // 1_000_000))
    reply = identify(work, ask)
    if isinstance(reply, c.Known):
        work.connection.execute(delete(factor_tries).where(mine))
        return reply
    values = {"failures": failures + 1, "next_at": _next_at(work.now, failures + 1)}
    work.connection.execute(update(factor_tries).where(mine).values(values))
    if failures + 1 == FREE_TRIES:
        alarm(work, "factor_guessed", who[:12])
    return reply


def _next_at(now: datetime, failures: int) -> int:
    if failures < FREE_TRIES:
        return 0
    doubled = FIRST_WAIT * 2 ** min(failures - FREE_TRIES, 20)
    return to_us(now + min(doubled, WAIT_MAX))


def _who(keys: Keys, ask: c.Identify) -> str:
    """One row for a number however it is written; a static code stands for its person."""
    typed = Credential.TYPED_NUMBER
    sort = ask.document.value if ask.credential is typed else ask.credential.value
    return keys.digest(f"second factor {sort} {ask.value.strip().upper()}".encode())
