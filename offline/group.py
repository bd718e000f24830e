"""Many threads, one sync: writes that arrive while another is being made durable share the next.

There is no writer thread: the first to come leads, commits for all who wait, and hands the lead
on. A lone writer therefore pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from time import sleep
from typing import Generic, TypeVar

from offline.errors import StoreError
from offline.store import Store, Transaction

GROUP_MAX = 64
"""Works in one transaction; more would make the first of them wait too long."""

T = TypeVar("T")


class _Ticket(Generic[T]):
    """One work and what became of it."""

    __slots__ = ("appointed", "durable", "ready", "result", "work")

    def __init__(self, work: Callable[[Transaction], T]) -> None:
        self.work = work
        self.ready = Lock()
        self.ready.acquire()
        self.appointed = False
        self.durable = False
        self.result: T | None = None


class GroupWriter:
    """Gathers the writes of many threads into few commits."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._queue: list[_Ticket[object]] = []
        self._led = False
        self._company = False
        self._gate = Lock()

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run work in a transaction and return its answer once that is durable.

        work may be run twice, when another of its group failed: it must not act on anything but
        its transaction. What it raises is raised here, and undoes only its own writes.
        """
        ticket: _Ticket[T] = _Ticket(work)
        with self._gate:
            self._queue.append(ticket)  # type: ignore[arg-type]
            follow, self._led = self._led, True
        if follow:
            ticket.ready.acquire()
        if not follow or ticket.appointed:
            self._lead(ticket)
        if not ticket.durable:
            with self._store.transaction() as tx:
                return work(tx)
        return ticket.result  # type: ignore[return-value]

    def _gather(self) -> None:
        """Let threads that were just answered come back, as long as they do.

        Only in company: it doubles the groups of thirty-two producers and costs microseconds.
        """
        seen = 0
        while self._company and seen < len(self._queue) < GROUP_MAX:
            seen = len(self._queue)
            sleep(0)  # no wait: lets others have the interpreter

    def _lead(self, own: _Ticket[T]) -> None:
        self._gather()
        with self._gate:
            group, self._queue = self._queue[:GROUP_MAX], self._queue[GROUP_MAX:]
        self._company = len(group) > 1
        try:
            self._together(group)
        finally:
            with self._gate:
                following = self._queue[0] if self._queue else None
                self._led = following is not None
            # The next leader is woken last: those before it may come back in time for its group.
            for ticket in group:
                if ticket is not own:
                    ticket.ready.release()
            if following is not None:
                following.appointed = True
                following.ready.release()

    def _together(self, group: list[_Ticket[object]]) -> None:
        """One commit for all of them, or for none: then each finds out alone whose fault it was."""
        with suppress(StoreError, AssertionError):
            with self._store.transaction() as tx:
                for ticket in group:
                    ticket.result = ticket.work(tx)
            for ticket in group:
                ticket.durable = True
