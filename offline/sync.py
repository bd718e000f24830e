"""One round of sending the outbox: which records go, and what an answer means for each.

The transport is a function that is handed in; clock and chance too. A record that breaks the far
side is found by halving and put off, so it never blocks another; nothing is ever dropped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from itertools import takewhile
from queue import SimpleQueue
from random import Random
from threading import Lock, Thread

from offline.outbox import Outbox, PutOff, Record, Refused, Verdict
from offline.store import Store

BATCH_MAX = 250
"""Records in one request; the gateway takes no more."""

LINES = 2
"""Batches that travel at once."""

ROUNDS_MAX = 20
"""Batches in one drain(); then its caller looks up, at the clock and at who wants to stop."""

WAIT_FIRST_S = 1.0
WAIT_MAX_S = 300.0
"""Full jitter over at most five minutes: ten thousand terminals come back spread out."""

PUT_OFF_FIRST_S = 30.0
PUT_OFF_MAX_S = 3600.0
"""A record that broke the far side is tried again after this, doubling."""

_TICK_S = 0.001  # of the clock: who rests in whole milliseconds is not early

IDLE_S = 1.0
"""How often an empty outbox is looked at when nobody calls nudge()."""


@dataclass(frozen=True)
class Batch:
    """Records to be sent in one request, in order. Records of one person never overtake."""

    records: tuple[Record, ...]


@dataclass(frozen=True)
class Answered:
    """The far side answered, a verdict a record. A record without one stays waiting."""

    verdicts: tuple[tuple[str, Verdict], ...]


@dataclass(frozen=True)
class Unreachable:
    """Nothing came back, and the batch is not to blame: no route, refused, lost, timed out."""


@dataclass(frozen=True)
class Broke:
    """The far side took the request and fell over it: 500, nonsense, connection cut."""


@dataclass(frozen=True)
class Busy:
    """The far side asks us to come back later, and so it does all the others."""

    wait_s: float


@dataclass(frozen=True)
class NotAllowed:
    """The far side does not accept this terminal now (401, 403). The records are not at fault."""


Reply = Answered | Unreachable | Broke | Busy | NotAllowed
Send = Callable[[Batch], Reply]


@dataclass(frozen=True)
class Applied:
    """What a reply did: how long to wait, and which records a person must now see."""

    wait_s: float
    settled: int
    refused: tuple[tuple[str, str], ...]


class Carrier:
    """Sends batches on threads of its own, LINES of them at once, which keep no program alive.

    While one answer travels back and is read, the far side works on the other batch.
    """

    def __init__(self) -> None:
        self._waiting: SimpleQueue[tuple[Future[Reply], Send, Batch]] = SimpleQueue()
        self._threads: list[Thread] = []

    def submit(self, send: Send, batch: Batch) -> Future[Reply]:
        """`send` is called on any of the threads."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        while len(self._threads) < LINES:
            thread = Thread(target=self._run, name="carrier", daemon=True)
            thread.start()
            self._threads.append(thread)
        answer: Future[Reply] = Future()
        self._waiting.put((answer, send, batch))
        return answer

    def _run(self) -> None:
        while True:
            answer, send, batch = self._waiting.get()
            try:
                answer.set_result(send(batch))
            finally:
                if not answer.done():  # a bug; this thread ends with it
                    answer.cancel()
                    answer.set_running_or_notify_cancel()  # else wait() does not count it as done
            del answer, send, batch


class Sync:
    """The sending side of the outbox: round() for one batch, drain() for as many as are due."""

    def __init__(self, store: Store, outbox: Outbox, *, chance: Random) -> None:
        self._store = store
        self._outbox = outbox
        self._chance = chance
        self._failures = 0
        self._not_before_s = float("-inf")  # on the boot clock
        # Keys that came in a request that broke the far side.
        self._suspects: frozenset[str] = frozenset()
        self._in_flight: set[str] = set()
        self._one_round = Lock()

    def round(self, send: Send, limit: int = BATCH_MAX) -> Applied:
        """Send one batch and apply its answer. A second caller at the same time does nothing,
        and neither does one who comes before the last answer's rest is over."""
        if not self._one_round.acquire(blocking=False):
            return Applied(IDLE_S, 0, ())
        try:
            rest_s = self._not_before_s - self._store.clock.boot_s()
            if rest_s > _TICK_S:
                return Applied(rest_s, 0, ())
            batch = self.next_batch(limit)
            if not batch.records:
                return Applied(IDLE_S, 0, ())
            return self.apply(batch, send(batch))
        finally:
            self._in_flight.clear()
            self._one_round.release()

    def drain(self, send: Send, sender: Carrier, rounds: int = ROUNDS_MAX) -> Applied:
        """Rounds until nothing is due or the far side wants a rest; `sender` is kept between calls.

        Two batches are under way: one travels while the other's records are read, or its verdicts
        kept. Neither holds a person of the other, so nobody's records overtake.
        """
        if not self._one_round.acquire(blocking=False):
            return Applied(IDLE_S, 0, ())
        try:
            rest_s = self._not_before_s - self._store.clock.boot_s()
            if rest_s > _TICK_S:
                return Applied(rest_s, 0, ())
            return self._overlapped(send, sender, rounds)
        finally:
            self._in_flight.clear()
            self._one_round.release()

    def _overlapped(self, send: Send, sender: Carrier, rounds: int) -> Applied:
        flying: deque[tuple[Batch, Future[Reply]]] = deque()
        wait_s, settled = 0.0, 0
        refused: list[tuple[str, str]] = []
        try:
            while True:
                batch = self.next_batch() if rounds > 0 and wait_s == 0 else Batch(())
                rounds -= 1
                if batch.records:
                    flying.append((batch, sender.submit(send, batch)))
                if not flying:
                    return Applied(wait_s if settled or wait_s else IDLE_S, settled, tuple(refused))
                if len(flying) == 2 or not batch.records:
                    sent, answer = flying.popleft()
                    applied = self.apply(sent, answer.result())
                    wait_s, settled = max(wait_s, applied.wait_s), settled + applied.settled
                    refused += applied.refused
        finally:
            wait([answer for _, answer in flying])

    def nudge(self) -> None:
        """The network is back, or a person asked: forget the back-off."""
        self._failures = 0
        self._not_before_s = float("-inf")

    def next_batch(self, limit: int = BATCH_MAX) -> Batch:
        """What to send now; empty when nothing is due. After a broken request, ever fewer;
        a record that once broke the far side goes alone."""
        if self._suspects:
            if self._in_flight:
                return Batch(())
            limit = max(1, len(self._suspects) // 2)
        taken = self._outbox.take(min(limit, BATCH_MAX), passing_over=self._in_flight)
        if taken and taken[0].accusations:
            taken = taken[:1]
        batch = Batch(tuple(takewhile(lambda r: not r.accusations, taken)) or tuple(taken))
        self._in_flight.update(record.key for record in batch.records)
        return batch

    def apply(self, batch: Batch, reply: Reply) -> Applied:
        """Record what became of a batch; the verdicts of one batch are one commit."""
        assert batch.records, "an empty batch is not sent"
        keys = {record.key for record in batch.records}
        self._in_flight -= keys
        match reply:
            case Answered(verdicts):
                ours = [(key, verdict) for key, verdict in verdicts if key in keys]
                if not ours:
                    return self._broken(batch)
                self._suspects -= keys
                return self._settle(ours)
            case Broke():
                return self._broken(batch)
            case Busy(wait_s):
                # It knows how many of us there are; not all at that very moment.
                return Applied(self._rest(wait_s + self._chance.uniform(0, wait_s)), 0, ())
            case Unreachable() | NotAllowed():
                return Applied(self._back_off(), 0, ())

    def _settle(self, verdicts: list[tuple[str, Verdict]]) -> Applied:
        self._failures = 0
        refused = [(key, verdict.reason) for key, verdict in verdicts if type(verdict) is Refused]
        with self._store.transaction() as tx:
            settled = self._outbox.answered_all(tx, verdicts)
        return Applied(0.0, settled, tuple(refused))

    def _broken(self, batch: Batch) -> Applied:
        """Halve the batch to find who breaks the far side; a single one is put off."""
        if len(batch.records) > 1:
            self._suspects = frozenset(record.key for record in batch.records)
        else:
            self._suspects = frozenset()
            [record] = batch.records
            wait_s = min(PUT_OFF_MAX_S, PUT_OFF_FIRST_S * 2.0 ** min(record.accusations, 20))
            with self._store.transaction() as tx:
                self._outbox.answered(tx, record.key, PutOff(wait_s, accused=True))
        return Applied(self._back_off(), 0, ())

    def _back_off(self) -> float:
        """Full jitter: those who lost the far side together do not come back together.

        Two batches under way that meet the same trouble are one failure.
        """
        if self._not_before_s - self._store.clock.boot_s() <= _TICK_S:
            self._failures = min(self._failures + 1, 20)
        ceiling = min(WAIT_MAX_S, WAIT_FIRST_S * 2.0 ** max(0, self._failures - 1))
        return self._rest(self._chance.uniform(0, ceiling))

    def _rest(self, rest_s: float) -> float:
        """Of two rests that were asked for, the longer one."""
        now_s = self._store.clock.boot_s()
        self._not_before_s = max(self._not_before_s, now_s + rest_s)
        return self._not_before_s - now_s
