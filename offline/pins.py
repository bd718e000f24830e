"""Staff PINs: a slow hash, five tries, then a wait that doubles and that no restart shortens.

The try is counted on disk before the PIN is looked at, so pulling the plug wins nothing. Waits run
on the clock that counts from boot; after a restart the whole wait begins again.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from offline.store import Store, Transaction

TRIES_FREE = 5
"""Wrong PINs before the first wait (SCREENS, RELIABILITY A6)."""

WAIT_FIRST_MS = 15_000
WAIT_MAX_MS = 24 * 3600 * 1000
"""The doubling stops at a day: longer would lock a lane over a weekend."""

SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**14, 8, 1
"""16 MB and about 50 ms a try on a terminal's processor."""

SALT_BYTES = 16


@dataclass(frozen=True)
class PinRight:
    """Come in; earlier wrong tries are forgotten."""


@dataclass(frozen=True)
class PinWrong:
    """Not this one. `failures` so far; `wait_s` until the next try is looked at (0: at once)."""

    failures: int
    wait_s: float


@dataclass(frozen=True)
class PinWait:
    """Too soon: the PIN was not looked at."""

    wait_s: float


@dataclass(frozen=True)
class NoPin:
    """Nobody of this name has a PIN here."""


PinAnswer = PinRight | PinWrong | PinWait | NoPin


class Pins:
    """The PINs of this terminal's staff."""

    def __init__(self, store: Store, *, random_bytes: Callable[[int], bytes]) -> None:
        self._store = store
        self._random_bytes = random_bytes

    def set(self, tx: Transaction, who: str, pin: str) -> None:
        """Give somebody a PIN (4 to 12 digits), with a fresh count."""
        assert pin.isdecimal() and 4 <= len(pin) <= 12, "a PIN has 4 to 12 digits"
        salt = self._random_bytes(SALT_BYTES)
        tx.run(
            "insert or replace into pins values (?, ?, ?, 0, 0, '', 0)",
            *(who, salt, slow_hash(pin, salt)),
        )

    def known(self) -> tuple[str, ...]:
        """Who has a PIN."""
        with self._store.reading() as reading:
            return tuple(str(who) for (who,) in reading.rows("select who from pins order by who"))

    def check(self, who: str, pin: str) -> PinAnswer:
        """Look at a PIN. Writes by itself: the count must be durable before the answer."""
        with self._store.transaction() as tx:
            row = tx.one("select salt, hash, failures from pins where who = ?", who)
            if row is None:
                return NoPin()
            wait_ms = self._waiting_ms(tx, who)
            if wait_ms > 0:
                return PinWait(wait_ms / 1000)
            salt, wanted, failures = row
            assert isinstance(salt, bytes) and isinstance(wanted, bytes)
            assert isinstance(failures, int)
            wait_ms = wait_after_ms(failures + 1)
            self._count(tx, who, failures + 1, wait_ms)
        if not hmac.compare_digest(slow_hash(pin, salt), wanted):
            return PinWrong(failures + 1, wait_ms / 1000)
        with self._store.transaction() as tx:
            self._count(tx, who, 0, 0)
        return PinRight()

    def _count(self, tx: Transaction, who: str, failures: int, wait_ms: int) -> None:
        tx.run(
            "update pins set failures = ?, wait_ms = ?, wait_boot = ?, wait_from = ? where who = ?",
            *(failures, wait_ms, self._store.clock.boot_id, self._boot_ms(), who),
        )

    def _waiting_ms(self, tx: Transaction, who: str) -> int:
        """What is left of the wait; one carried over from another boot starts again, whole."""
        row = tx.one("select wait_ms, wait_boot, wait_from from pins where who = ?", who)
        assert row is not None
        wait_ms, boot, since = row
        assert isinstance(wait_ms, int) and isinstance(since, int)
        if wait_ms == 0:
            return 0
        if boot != self._store.clock.boot_id:
            tx.run(
                "update pins set wait_boot = ?, wait_from = ? where who = ?",
                *(self._store.clock.boot_id, self._boot_ms(), who),
            )
            return wait_ms
        return max(0, since + wait_ms - self._boot_ms())

    def _boot_ms(self) -> int:
        return int(self._store.clock.boot_s() * 1000)


def wait_after_ms(failures: int) -> int:
    """The wait once so many tries were wrong: none before the fifth, then 15 s doubling."""
    if failures < TRIES_FREE:
        return 0
    return min(WAIT_MAX_MS, WAIT_FIRST_MS << min(failures - TRIES_FREE, 20))


def slow_hash(pin: str, salt: bytes) -> bytes:
    """scrypt of the PIN."""
    return hashlib.scrypt(
        pin.encode(), salt=salt, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P, maxmem=64 * 1024 * 1024
    )
