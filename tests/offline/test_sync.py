"""Sending: exactly the records that are due, in each person's order, whatever the far side does."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from threading import Barrier, Event, Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offline.outbox import Accepted, Depth, Outbox, Refused, Standing, Verdict
from offline.sync import (
    BATCH_MAX,
    LINES,
    WAIT_MAX_S,
    Answered,
    Batch,
    Broke,
    Busy,
    Carrier,
    NotAllowed,
    Reply,
    Sync,
    Unreachable,
)
from offline.vault import Pseudonym
from tests.offline.world import IN_MEMORY, World

PEOPLE = [Pseudonym(f"{n:032x}") for n in range(7)]


@dataclass
class FarSide:
    """A gateway in a few lines: permanent keys, verdicts, and whatever else a test wants of it."""

    effects: list[str] = field(default_factory=list)
    people: dict[Pseudonym, list[int]] = field(default_factory=dict)
    poison: frozenset[str] = frozenset()
    refusing: frozenset[str] = frozenset()
    requests: int = 0
    crashes: int = 0

    def send(self, batch: Batch) -> Reply:
        self.requests += 1
        if any(record.key in self.poison for record in batch.records):
            self.crashes += 1
            return Broke()
        return Answered(tuple((r.key, self._take(r)) for r in batch.records))

    def _take(self, record) -> Verdict:  # type: ignore[no-untyped-def]
        if record.key in self.refusing:
            return Refused("not_known_here")
        if record.key not in self.effects:
            self.effects.append(record.key)
            if record.person is not None:
                self.people.setdefault(record.person, []).append(record.seq)
        return Accepted()


def _filled(world: World, records: int, chance: Random) -> Outbox:
    outbox = Outbox(world.open())
    with outbox.store.transaction() as tx:
        for n in range(records):
            person = chance.choice([None, *PEOPLE])
            outbox.queue(tx, f"k{n}", kind="x", body=b"%d" % n, person=person)
    return outbox


def _drain(world: World, sync: Sync, send: Callable[[Batch], Reply], rounds: int) -> None:
    for _ in range(rounds):
        world.time.pass_ms(int(sync.round(send).wait_s * 1000))


def _sync(outbox: Outbox) -> Sync:
    return Sync(outbox.store, outbox, chance=Random(5))


def test_everything_arrives_once_and_each_person_in_order(world: World) -> None:
    outbox = _filled(world, 350, Random(1))
    far = FarSide()
    _drain(world, _sync(outbox), far.send, 5)
    assert far.effects == [f"k{n}" for n in range(350)]
    assert far.requests == 2
    assert outbox.depth() == Depth(waiting=0, refused=0, accepted=350)


def test_refused_records_are_kept_told_and_stop_nobody(world: World) -> None:
    outbox = _filled(world, 350, Random(1))
    far = FarSide(refusing=frozenset({"k3", "k320"}))
    sync = _sync(outbox)
    told = [sync.round(far.send).refused for _ in range(2)]
    assert told == [(("k3", "not_known_here"),), (("k320", "not_known_here"),)]
    assert outbox.depth() == Depth(waiting=0, refused=2, accepted=348)
    assert [r.key for r in outbox.list(Standing.REFUSED)] == ["k3", "k320"]


def test_a_record_that_breaks_the_far_side_stops_no_other(world: World) -> None:
    outbox = _filled(world, 1000, Random(2))
    poison = {"k17", "k18", "k555"}
    far = FarSide(poison=frozenset(poison))
    sync = _sync(outbox)
    _drain(world, sync, far.send, 60)
    with outbox.store.reading() as reading:
        owners = dict(reading.rows("select key, person from outbox"))
    waiting = {record.key for record in outbox.list(Standing.WAITING, 1000)}
    held = {owners[key] for key in poison}
    assert poison <= waiting and {owners[key] for key in waiting} <= held
    assert all(seqs == sorted(seqs) for seqs in far.people.values())
    _drain(world, sync, far.send, 400)
    assert {record.key for record in outbox.list(Standing.WAITING, 1000)} == poison
    assert far.crashes < 60, "they are tried alone and ever more seldom"
    far.poison = frozenset()
    world.time.pass_ms(3_600_000)
    _drain(world, sync, far.send, 4)
    assert outbox.depth() == Depth(0, 0, 1000), "mended, it all arrives"


def test_an_answer_lost_on_the_way_back_doubles_nothing(world: World) -> None:
    outbox = _filled(world, 120, Random(3))
    far = FarSide()

    def answer_lost(batch: Batch) -> Reply:
        far.send(batch)
        return Unreachable()

    sync = _sync(outbox)
    sync.round(answer_lost)
    assert outbox.depth().waiting == 120
    _drain(world, sync, far.send, 3)
    assert far.effects == [f"k{n}" for n in range(120)]
    assert outbox.depth() == Depth(0, 0, 120)


@pytest.mark.parametrize("reply", [Unreachable(), NotAllowed(), Broke(), Busy(7.0)])
def test_whatever_goes_wrong_no_record_is_lost_or_refused(world: World, reply: Reply) -> None:
    outbox = _filled(world, 10, Random(4))
    _drain(world, _sync(outbox), lambda batch: reply, 60)
    assert outbox.depth() == Depth(waiting=10, refused=0, accepted=0)


def test_the_pace_backs_off_with_full_jitter_and_comes_back_at_once(world: World) -> None:
    outbox = _filled(world, 1, Random(4))
    sync = _sync(outbox)
    waits = [_rested(world, sync, Unreachable()) for _ in range(400)]
    for n, wait in enumerate(waits):
        assert 0 <= wait <= min(WAIT_MAX_S, 2.0 ** min(n, 20))
    late = sorted(waits[20:])
    assert late[0] < 15 and late[-1] > 285, "spread over the whole five minutes"
    sync.nudge()
    assert _rested(world, sync, Unreachable()) <= 1


def _rested(world: World, sync: Sync, reply: Reply) -> float:
    """The rest that a reply brought, after it is over."""
    wait_s = sync.round(lambda batch: reply).wait_s
    world.time.pass_ms(int(wait_s * 1000) + 1)
    return wait_s


def test_nobody_is_asked_before_the_rest_is_over(world: World) -> None:
    """Whoever calls round() more often than it says gets the rest that is left, not a request."""
    outbox = _filled(world, 1, Random(4))
    far, sync = FarSide(), _sync(outbox)
    rest_s = sync.round(lambda batch: Busy(40.0)).wait_s
    for _ in range(3):
        world.time.pass_ms(10_000)
        left_s = sync.round(far.send).wait_s
    assert (far.requests, left_s) == (0, pytest.approx(rest_s - 30, abs=0.01))
    world.time.pass_ms(int(left_s * 1000) + 1)
    assert sync.round(far.send).settled == 1


def test_terminals_sent_away_together_do_not_come_back_together(world: World) -> None:
    """A crowded gateway says the same to all (RELIABILITY §4: full jitter)."""
    outbox = _filled(world, 1, Random(4))
    waits = []
    for terminal in range(200):
        sync = Sync(outbox.store, outbox, chance=Random(terminal))
        first, second = (_rested(world, sync, Busy(10.0)) for _ in range(2))
        assert 10 <= first <= 20 and 10 <= second <= 20
        waits.append(first + second)
    busiest = max(sum(start <= wait < start + 1 for wait in waits) for start in range(60))
    assert busiest < 200 / 6


def test_verdicts_for_records_never_sent_change_nothing(world: World) -> None:
    outbox = _filled(world, 3, Random(4))
    sync = _sync(outbox)
    batch = sync.next_batch(1)
    reply = Answered((("k0", Accepted()), ("k2", Accepted()), ("nonsense", Accepted())))
    assert sync.apply(batch, reply).settled == 1
    assert [record.key for record in outbox.take(9)] == ["k1", "k2"]


def test_an_answer_without_a_single_verdict_counts_as_broken(world: World) -> None:
    outbox = _filled(world, 2, Random(4))
    sync = _sync(outbox)
    sync.round(lambda batch: Answered(()))
    assert len(sync.next_batch().records) == 1


def test_the_next_batch_may_leave_before_the_last_is_answered_without_overtaking(
    world: World,
) -> None:
    outbox = _filled(world, 300, Random(6))
    far, sync = FarSide(), _sync(outbox)
    before = sync.next_batch()
    while before.records:
        after = sync.next_batch()
        sent = {r.person for r in before.records} - {None}
        assert not sent & {r.person for r in after.records}
        sync.apply(before, far.send(before))
        before = after if after.records else sync.next_batch()
    assert outbox.depth().waiting == 0
    assert all(seqs == sorted(seqs) for seqs in far.people.values())


def test_a_drain_sends_all_that_is_due_while_it_keeps_verdicts(world: World) -> None:
    far = FarSide()
    outbox = _filled(world, 950, Random(3))
    applied = _sync(outbox).drain(far.send, Carrier())
    assert (applied.wait_s, applied.settled) == (0, 950)
    assert outbox.depth() == Depth(waiting=0, refused=0, accepted=950)
    assert all(seqs == sorted(seqs) for seqs in far.people.values())


def test_two_batches_travel_at_once_and_share_no_person(world: World) -> None:
    outbox = _filled(world, 950, Random(3))
    far, both = FarSide(), Barrier(2, timeout=30)
    under_way: list[Batch] = []

    def send(batch: Batch) -> Reply:
        under_way.append(batch)
        if len(under_way) <= LINES:
            both.wait()  # nobody is answered before both are here
        return far.send(batch)

    assert _sync(outbox).drain(send, Carrier()).settled == 950
    first, second = ({record.person for record in one.records} - {None} for one in under_way[:2])
    assert first and not first & second


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_on_both_lines_ends_the_drain_and_leaves_everything_to_be_sent(world: World) -> None:
    """A caller that waited for an answer that no thread brings any more would never send again."""
    outbox, both = _filled(world, 950, Random(3)), Barrier(2, timeout=30)

    def explode(batch: Batch) -> Reply:
        both.wait()
        raise ZeroDivisionError

    sync, carrier, ended = _sync(outbox), Carrier(), Event()

    def drain() -> None:
        with pytest.raises(CancelledError):
            sync.drain(explode, carrier)
        ended.set()

    Thread(target=drain, daemon=True).start()
    assert ended.wait(30), "it waits for ever"
    assert sync.drain(FarSide().send, carrier).settled == 950


def test_a_drain_stops_when_the_far_side_wants_a_rest_and_keeps_what_was_answered(
    world: World,
) -> None:
    far, answers = FarSide(), count()
    outbox = _filled(world, 950, Random(3))

    def send(batch: Batch) -> Reply:
        return Busy(30.0) if next(answers) == 1 else far.send(batch)

    sync, carrier = _sync(outbox), Carrier()
    applied = sync.drain(send, carrier)
    assert applied.wait_s >= 30
    assert 0 < applied.settled == len(far.effects) <= 2 * BATCH_MAX
    assert sync.drain(far.send, carrier).settled == 0, "before the rest is over"


def test_of_two_batches_under_way_the_longer_rest_counts_and_they_fail_once(world: World) -> None:
    """The first is told when to come again, the second meets a dead line: nobody goes earlier."""
    far, replies = FarSide(), iter([Busy(200.0), Unreachable()])
    outbox = _filled(world, 950, Random(3))
    sync, carrier = _sync(outbox), Carrier()
    rest_s = sync.drain(lambda batch: next(replies), carrier).wait_s
    assert rest_s >= 200 and next(replies, None) is None
    world.time.pass_ms(199_000)
    assert sync.drain(far.send, carrier).settled == 0, "before the longer rest is over"
    world.time.pass_ms(int((rest_s - 199) * 1000) + 1)
    assert _rested(world, sync, Unreachable()) <= 1, "an outage is one failure, not two"
    assert sync.drain(far.send, carrier).settled == 950


def test_a_drain_finds_the_record_that_breaks_the_far_side(world: World) -> None:
    far = FarSide(poison=frozenset({"k5"}))
    outbox = _filled(world, 950, Random(3))
    sync, carrier = _sync(outbox), Carrier()
    for _ in range(12):  # halving 250 takes eight
        world.time.pass_ms(int(sync.drain(far.send, carrier).wait_s * 1000) + 1)
    assert outbox.depth().waiting <= 1 + 950 // 8 + 20, "its person's, who wait for it"
    assert far.crashes <= 9


def test_a_transport_that_blows_up_leaves_everything_to_be_sent(world: World) -> None:
    outbox = _filled(world, 5, Random(6))
    sync = _sync(outbox)

    def explode(batch: Batch) -> Reply:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        sync.round(explode)
    assert len(sync.next_batch().records) == 5


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), loss=st.floats(0, 0.6))
def test_any_mixture_of_losses_ends_with_every_record_there_once(seed: int, loss: float) -> None:
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        _drained_over_a_bad_line(World(Path(folder), chance=Random(seed)), Random(seed), loss)


def _drained_over_a_bad_line(world: World, chance: Random, loss: float) -> None:
    outbox = _filled(world, 260, chance)
    far, sync = FarSide(), _sync(outbox)

    def unreliable(batch: Batch) -> Reply:
        if chance.random() < loss:
            return chance.choice([Unreachable(), Busy(2.0), NotAllowed()])
        reply = far.send(batch)
        return Unreachable() if chance.random() < loss else reply

    for _ in range(3000):
        done = sync.round(unreliable, chance.choice([1, 7, BATCH_MAX]))
        world.time.pass_ms(int(done.wait_s * 1000))
        if outbox.depth().waiting == 0:
            break
    world.close()
    assert sorted(far.effects) == sorted(f"k{n}" for n in range(260))
    assert all(seqs == sorted(seqs) for seqs in far.people.values())
