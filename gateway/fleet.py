"""Terminals and people with a token, heartbeats, calls for help, waiting times. Deny by default."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from gateway.adapters.port import Refused, Work
from gateway.store import Store, insert_new
from gateway.tables import from_us, help_calls, operators, screenings, terminals, to_us
from gateway.witness import named_key, pin
from kiosk.hospital import contract as c

ESCALATE_AFTER = timedelta(seconds=60)  # SCREENS U12
BEAT_FIRST_S = 5.0
BEATS_PER_S = 167.0  # of all terminals: ten thousand say hello once a minute
_TROUBLES_MAX = 20


class Role(StrEnum):
    OPERATOR = "operator"
    VOLUNTEER = "volunteer"
    TECHNICIAN = "technician"
    FINANCE = "finance"
    AUDITOR = "auditor"


class Right(StrEnum):
    SEE_CONSOLE = "see_console"
    ANSWER_HELP = "answer_help"
    SEE_REFUSED = "see_refused"
    SEE_MONEY = "see_money"


RIGHTS: dict[Role, frozenset[Right]] = {
    Role.OPERATOR: frozenset({Right.SEE_CONSOLE, Right.ANSWER_HELP, Right.SEE_REFUSED}),
    Role.VOLUNTEER: frozenset({Right.SEE_CONSOLE, Right.ANSWER_HELP}),
    Role.TECHNICIAN: frozenset({Right.SEE_CONSOLE}),
    Role.FINANCE: frozenset({Right.SEE_CONSOLE, Right.SEE_REFUSED, Right.SEE_MONEY}),
    Role.AUDITOR: frozenset({Right.SEE_CONSOLE, Right.SEE_REFUSED, Right.SEE_MONEY}),
}
"""What is not listed is denied (row 113)."""


@dataclass(frozen=True)
class Operator:
    name: str
    role: Role

    def may(self, right: Right) -> bool:
        return right in RIGHTS[self.role]


def add_terminal(
    store: Store, name: str, now: datetime, token: str = "", audit_key: str = ""
) -> str:
    """Enrol a terminal, or give a known one a new token; only its hash is kept.

    `audit_key` pins the key of its audit trail in place of the one that was seen first.
    """
    token = token or secrets.token_urlsafe(32)
    with store.writing() as connection:
        row = {"name": name, "token_hash": _hashed(token), "added": to_us(now)}
        if insert_new(connection, terminals, [row]) == 0:
            connection.execute(
                update(terminals)
                .where(terminals.c.name == name)
                .values(token_hash=row["token_hash"], revoked=False)
            )
        if audit_key:
            pin(Work(connection, name, now), audit_key)
    return token


def revoke_terminal(store: Store, name: str) -> bool:
    with store.writing() as connection:
        statement = update(terminals).where(terminals.c.name == name).values(revoked=True)
        return connection.execute(statement).rowcount == 1


def add_operator(store: Store, name: str, role: Role, token: str = "") -> str:
    """Let a member of staff use the console; only the token's hash is kept."""
    token = token or secrets.token_urlsafe(18)
    with store.writing() as connection:
        row = {"name": name, "role": role.value, "token_hash": _hashed(token)}
        if insert_new(connection, operators, [row]) == 0:
            connection.execute(update(operators).where(operators.c.name == name).values(row))
    return token


def remove_operator(store: Store, name: str) -> bool:
    with store.writing() as connection:
        return connection.execute(delete(operators).where(operators.c.name == name)).rowcount == 1


def terminal_of(connection: Connection, name: str, token: str) -> str:
    """The terminal's name when the token is its own; else Refused(401)."""
    stored = connection.execute(
        select(terminals.c.token_hash, terminals.c.revoked).where(terminals.c.name == name)
    ).first()
    admit(stored, token)
    return name


def admit(row: Any, token: str | None) -> None:
    """Refused(401) unless the token belongs to this row of `terminals`; None: it was shown."""
    if token is None:
        return
    if row is None or row.revoked or not hmac.compare_digest(row.token_hash, _hashed(token)):
        raise Refused(401, "terminal_unknown")


def operator_of(connection: Connection, name: str, token: str) -> Operator | None:
    row = connection.execute(
        select(operators.c.role, operators.c.token_hash).where(operators.c.name == name)
    ).first()
    if row is None or not hmac.compare_digest(row.token_hash, _hashed(token)):
        return None
    return Operator(name, Role(row.role))


def heard(work: Work, ask: c.Hello, token: str | None = None) -> None:
    """Keep what a heartbeat said. A terminal may speak only for itself; see admit() for `token`."""
    if ask.terminal != work.terminal:
        raise Refused(403, "other_terminal")
    oldest = to_us(work.now - timedelta(seconds=max(0, ask.oldest_s))) if ask.waiting else None
    row = work.connection.execute(
        update(terminals)
        .where(terminals.c.name == work.terminal)
        .values(
            seen=to_us(work.now),
            version=ask.version[:60],
            waiting=ask.waiting,
            troubles=", ".join(ask.troubles[:_TROUBLES_MAX])[:1000],
            clock_off_s=round((ask.now - work.now).total_seconds()),
            oldest=oldest,
        )
        .returning(terminals.c.audit_key, terminals.c.token_hash, terminals.c.revoked)
    ).first()
    admit(row, token)  # else all of this is undone
    assert row is not None, "a terminal that is known has a row"
    named_key(work, ask.audit_key, row.audit_key)


def beat_s(connection: Connection) -> float:
    """How often a terminal should say hello, so that all together are not too many."""
    working = select(func.count()).select_from(terminals).where(terminals.c.revoked.is_(False))
    return max(BEAT_FIRST_S, connection.execute(working).scalar_one() / BEATS_PER_S)


def call_help(work: Work, ask: c.CallHelp) -> c.Help:
    row = {
        "key": ask.key,
        "terminal": work.terminal,
        "place": ask.place,
        "page": ask.page,
        "sort": ask.sort,
        "at": to_us(work.now),
    }
    work.connection.execute(help_calls.insert().values(row))
    return c.Help(ask.key)


def ask_help(work: Work, ask: c.AskHelp) -> c.Help:
    """Who is coming; escalated when nobody has answered within a minute."""
    row = work.connection.execute(
        select(help_calls).where(
            help_calls.c.key == ask.key, help_calls.c.terminal == work.terminal
        )
    ).first()
    if row is None:
        raise Refused(404, "no_such_call")
    waited = work.now - from_us(row.at)
    return c.Help(ask.key, row.coming, not row.coming and waited >= ESCALATE_AFTER)


def answer_help(connection: Connection, key: str, coming: str, now: datetime) -> bool:
    """Somebody goes. False when somebody else was first or the call is not there."""
    statement = (
        update(help_calls)
        .where(help_calls.c.key == key, help_calls.c.coming == "")
        .values(coming=coming[:80], answered=to_us(now))
    )
    return connection.execute(statement).rowcount == 1


@dataclass(frozen=True)
class Waiting:
    """Waiting times at the entrance on one day, seconds (row 27)."""

    people: int
    p50_s: int
    p90_s: int


def waiting(connection: Connection, day: str) -> Waiting:
    statement = (
        select(screenings.c.waited_s)
        .where(screenings.c.day == day, screenings.c.counted)
        .order_by(screenings.c.waited_s)
    )
    waits = list(connection.execute(statement).scalars())
    if not waits:
        return Waiting(0, 0, 0)
    last = len(waits) - 1
    return Waiting(len(waits), waits[round(last * 0.5)], waits[round(last * 0.9)])


def _hashed(token: str) -> str:
    """Tokens are 256 random bits: a plain hash is enough, a slow one would only slow every call."""
    return hashlib.sha256(token.encode()).hexdigest()
