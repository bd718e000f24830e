"""Each operation once: key, effect and answer are one transaction; the key is kept for ever.

The same key again gets the first answer. The same key with another body, or from another terminal,
is refused and alarmed: somebody's books would be wrong whichever of the two were believed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from gateway.adapters.port import Work
from gateway.sealing import Keys
from gateway.store import insert_new
from gateway.tables import alarms, operations, to_us

_DETAIL_CHARS = 300
_ANY_BODY = ""  # in place of a hash: this key was answered before its request came


@dataclass(frozen=True)
class Operation:
    """What is asked: under which key, by which endpoint, with which body (as canonical JSON)."""

    key: str
    endpoint: str
    body: bytes

    @property
    def context(self) -> str:
        return f"operations/{self.key}"


class KeyReused(Exception):
    """This key stands for something else already."""

    def __init__(self, key: str) -> None:
        super().__init__("a key came again with another body")
        self.key = key


def once(work: Work, keys: Keys, operation: Operation, effect: Callable[[], bytes]) -> bytes:
    """The effect's answer, or the first answer when the key is known.

    A second caller with the same key waits in the database until the first has committed.
    """
    if begin(work, keys, operation):
        return finish(work, keys, operation, effect())
    first = answered(work.connection, keys, operation)
    assert first is not None, "an operation was committed without its answer"
    return first


def begin(work: Work, keys: Keys, operation: Operation) -> bool:
    """Claim the key. True: it is new, the caller must act. Raises KeyReused."""
    row = {
        "key": operation.key,
        "endpoint": operation.endpoint,
        "terminal": work.terminal,
        "body_hash": keys.digest(operation.body),
        "reply": None,
        "at": to_us(work.now),
    }
    if insert_new(work.connection, operations, [row]) == 1:
        return True
    known = _is_known(work, keys, operation)
    assert known, "a key was taken and is not there"
    return False


def peek(work: Work, keys: Keys, operation: Operation) -> bytes | None:
    """The first answer when there is one already; claims nothing. Raises KeyReused."""
    if not _is_known(work, keys, operation):
        return None
    return answered(work.connection, keys, operation)


def _is_known(work: Work, keys: Keys, operation: Operation) -> bool:
    stored = work.connection.execute(
        select(operations.c.endpoint, operations.c.terminal, operations.c.body_hash).where(
            operations.c.key == operation.key
        )
    ).first()
    if stored is None:
        return False
    if stored[:2] != (operation.endpoint, work.terminal):
        raise KeyReused(operation.key)
    if stored.body_hash not in (_ANY_BODY, keys.digest(operation.body)):
        raise KeyReused(operation.key)
    return True


def forestall(work: Work, keys: Keys, operation: Operation, answer: bytes) -> bool:
    """Answer a key before its request came, whatever that will ask; False when it has come.

    If the request is being worked on just now, this waits until that has committed.
    """
    row = {
        "key": operation.key,
        "endpoint": operation.endpoint,
        "terminal": work.terminal,
        "body_hash": _ANY_BODY,
        "reply": keys.seal(answer, operation.context),
        "at": to_us(work.now),
    }
    return insert_new(work.connection, operations, [row]) == 1


def begin_again(work: Work, operation: Operation, before: datetime) -> bool:
    """Claim a key that was begun by `before` and is not answered; False: that may still happen."""
    claimed = work.connection.execute(
        update(operations)
        .where(
            operations.c.key == operation.key,
            operations.c.reply.is_(None),
            operations.c.at <= to_us(before),
        )
        .values(at=to_us(work.now))
    )
    return claimed.rowcount == 1


def finish(work: Work, keys: Keys, operation: Operation, answer: bytes) -> bytes:
    """Keep the answer, sealed: it may name a person. The first one, if there is one already."""
    kept = work.connection.execute(
        update(operations)
        .where(operations.c.key == operation.key, operations.c.reply.is_(None))
        .values(reply=keys.seal(answer, operation.context))
    )
    if kept.rowcount == 1:
        return answer
    first = answered(work.connection, keys, operation)
    assert first is not None, "an operation that was begun has its row"
    return first


def answered(connection: Connection, keys: Keys, operation: Operation) -> bytes | None:
    """The first answer, or None while there is none."""
    sealed = connection.execute(
        select(operations.c.reply).where(operations.c.key == operation.key)
    ).scalar_one()
    return None if sealed is None else keys.unseal(sealed, operation.context)


def alarm(work: Work, kind: str, detail: str) -> None:
    """For staff: keys, references and parts' names; never a person."""
    row = {
        "at": to_us(work.now),
        "kind": kind,
        "terminal": work.terminal,
        "detail": detail[:_DETAIL_CHARS],
    }
    work.connection.execute(alarms.insert().values(row))
