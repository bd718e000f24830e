"""Many threads, one sync: writes that arrive while another is being made durable share the next.

There is no writer thread: the first to come leads, commits for all who wait, and hands the lead
on. A lone writer therefore pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from threading import Lock
from typing import Generic, TypeVar

from offline.errors import StoreError
from offline.store import Store, Transaction

GROUP_MAX = 64
"""Works in one transaction; more would make the first of them wait too long."""

GATHER_S = 0.0005
"""How long a leader waits for those of the last group to come back: a few commits' time. Only in
company; a lone writer expects nobody."""

T = TypeVar("T")


class _Ticket(Generic[T]):
    """One work and what became of it."""

    __slots__ = ("appointed", "durable", "following", "ready", "result", "work")

    def __init__(self, work: Callable[[Transaction], T]) -> None:
        self.work = work
        self.ready = Lock()
        self.ready.acquire()
        self.appointed = False
        self.durable = False
        self.following: _Ticket[object] | None = None
        self.result: T | None = None


class GroupWriter:
    """Gathers the writes of many threads into few commits."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._queue: list[_Ticket[object]] = []
        self._led = False
        self._gate = Lock()
        self._expected = 1
        self._gathered = Lock()
        self._gathered.acquire()

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run work in a transaction and return its answer once that is durable.

        work may be run twice, when another of its group failed: it must not act on anything but
        its transaction. What it raises is raised here, and undoes only its own writes.
        """
        ticket: _Ticket[T] = _Ticket(work)
        with self._gate:
            self._queue.append(ticket)  # type: ignore[arg-type]
            follow, self._led = self._led, True
            if follow and len(self._queue) == self._expected and self._gathered.locked():
                self._gathered.release()
        if follow:
            ticket.ready.acquire()
            # Woken one by the other: all at once they would only fight for the interpreter.
            if ticket.following is not None:
                ticket.following.ready.release()
        if not follow or ticket.appointed:
            self._lead(ticket)
        if not ticket.durable:
            with self._store.transaction() as tx:
                return work(tx)
        return ticket.result  # type: ignore[return-value]

    def _gather(self) -> list[_Ticket[object]]:
        """Those to be written together: as many as last time, if they come within a moment."""
        if len(self._queue) < self._expected:
            self._gathered.acquire(timeout=GATHER_S)
        with self._gate:
            self._gathered.acquire(blocking=False)
            group, self._queue = self._queue[:GROUP_MAX], self._queue[GROUP_MAX:]
            self._expected = len(group)
        return group

    def _lead(self, own: _Ticket[T]) -> None:
        group = self._gather()
        try:
            self._together(group)
        finally:
            with self._gate:
                leader = self._queue[0] if self._queue else None
                self._led = leader is not None
            others = [ticket for ticket in group if ticket is not own]
            if leader is not None:
                leader.appointed = True
                others.append(leader)
            for ticket, following in pairwise(others):
                ticket.following = following
            if others:
                others[0].ready.release()

    def _together(self, group: list[_Ticket[object]]) -> None:
        """One commit for all of them, or for none: then each finds out alone whose fault it was."""
        with suppress(StoreError, AssertionError):
            with self._store.transaction() as tx:
                for ticket in group:
                    ticket.result = ticket.work(tx)
            for ticket in group:
                ticket.durable = True
