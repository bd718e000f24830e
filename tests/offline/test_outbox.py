"""The outbox keeps order, keeps everything, and knows its depth without counting."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from offline.outbox import Accepted, Depth, Outbox, PutOff, Refused, Standing
from offline.vault import Pseudonym
from tests.offline.world import IN_MEMORY, World


def _queue(world: World, outbox: Outbox, keys: str, person: Pseudonym | None = None) -> None:
    for key in keys:
        with outbox.store.transaction() as tx:
            outbox.queue(tx, key, kind="check_in", body=key.encode(), person=person)


def _keys(outbox: Outbox, limit: int = 100) -> str:
    return "".join(record.key for record in outbox.take(limit))


def _answer(outbox: Outbox, key: str, verdict: Accepted | Refused | PutOff) -> bool:
    with outbox.store.transaction() as tx:
        return outbox.answered(tx, key, verdict)


def test_records_leave_in_the_order_they_were_queued_and_stay_until_answered(
    world: World,
) -> None:
    outbox = Outbox(world.open())
    _queue(world, outbox, "abcdef")
    assert _keys(outbox, 4) == "abcd"
    assert _keys(outbox, 4) == "abcd"
    assert _answer(outbox, "b", Accepted())
    assert _keys(outbox, 4) == "acde"
    world.close()
    assert _keys(Outbox(world.open())) == "acdef"


def test_the_same_key_twice_is_a_bug_and_both_facts_fall_together(world: World) -> None:
    store = world.open()
    outbox = Outbox(store)
    _queue(world, outbox, "a")
    assert _answer(outbox, "a", Accepted())
    with pytest.raises(AssertionError), store.transaction() as tx:
        tx.run("insert into settings values ('fact', 1)")
        outbox.queue(tx, "a", kind="check_in", body=b"again")
    with store.reading() as reading:
        assert reading.one("select * from settings where name = 'fact'") is None
    assert outbox.depth() == Depth(waiting=0, refused=0, accepted=1)


def test_a_refused_record_is_kept_shown_and_can_be_sent_again(world: World) -> None:
    outbox = Outbox(world.open())
    _queue(world, outbox, "abc")
    assert _answer(outbox, "b", Refused("unknown_patient"))
    assert _keys(outbox) == "ac"
    [refused] = outbox.list(Standing.REFUSED)
    assert (refused.key, refused.reason, refused.body) == ("b", "unknown_patient", b"b")
    assert outbox.depth() == Depth(waiting=2, refused=1, accepted=0)
    with outbox.store.transaction() as tx:
        assert outbox.retry(tx, "b")
        assert not outbox.retry(tx, "a")
    assert _keys(outbox) == "abc"
    assert outbox.depth() == Depth(waiting=3, refused=0, accepted=0)


def test_a_verdict_that_arrives_twice_changes_nothing_the_second_time(world: World) -> None:
    outbox = Outbox(world.open())
    _queue(world, outbox, "a")
    assert _answer(outbox, "a", Accepted())
    assert not _answer(outbox, "a", Refused("late"))
    assert not _answer(outbox, "never queued", Accepted())
    found = outbox.show("a")
    assert found is not None and found.standing is Standing.ACCEPTED
    assert outbox.depth() == Depth(waiting=0, refused=0, accepted=1)


def test_a_record_put_off_holds_back_its_person_and_nobody_else(world: World) -> None:
    outbox = Outbox(world.open())
    zhang, li = Pseudonym("0" * 32), Pseudonym("1" * 32)
    _queue(world, outbox, "ab", zhang)
    _queue(world, outbox, "c", li)
    _queue(world, outbox, "d", zhang)
    _queue(world, outbox, "e")
    assert _answer(outbox, "b", PutOff(30))
    assert _keys(outbox) == "ace"
    world.time.wall_ms -= 10**11
    assert _keys(outbox) == "ace", "a wall clock set back must not matter"
    world.time.pass_ms(30_000)
    assert _keys(outbox) == "abcde"


def test_records_under_way_hold_back_their_persons_later_ones(world: World) -> None:
    outbox = Outbox(world.open())
    _queue(world, outbox, "ab", Pseudonym("0" * 32))
    _queue(world, outbox, "c")
    assert [r.key for r in outbox.take(9, passing_over={"a"})] == ["c"]


def test_more_put_off_records_than_a_page_do_not_hide_the_rest(world: World) -> None:
    outbox = Outbox(world.open())
    with outbox.store.transaction() as tx:
        for n in range(300):
            outbox.queue(tx, f"p{n}", kind="x", body=b"")
            outbox.answered(tx, f"p{n}", PutOff(60))
        outbox.queue(tx, "good", kind="x", body=b"")
    assert [record.key for record in outbox.take(10)] == ["good"]


def test_the_oldest_waiting_record_tells_how_late_we_are(world: World) -> None:
    outbox = Outbox(world.open())
    assert outbox.oldest_waiting_ms() is None
    _queue(world, outbox, "a")
    queued_at = world.time.wall_ms
    world.time.pass_ms(5000)
    _queue(world, outbox, "b")
    assert outbox.oldest_waiting_ms() == queued_at
    _answer(outbox, "a", Refused("x"))
    assert outbox.oldest_waiting_ms() == queued_at + 5000


PEOPLE = (None, Pseudonym("0" * 32), Pseudonym("1" * 32))


class OutboxAgainstAList(RuleBasedStateMachine):
    """The outbox beside the plainest model of it: a list in memory, over kills and restarts."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=IN_MEMORY))
        (self.folder / "0").mkdir()
        self.world = World(self.folder / "0")
        self.outbox = Outbox(self.world.open())
        self.model: list[tuple[str, Pseudonym | None]] = []
        self.standing: dict[str, Standing] = {}
        self.put_off: set[str] = set()
        self.lives = 0

    def teardown(self) -> None:
        self.world.close()
        shutil.rmtree(self.folder)

    def _waiting(self) -> list[tuple[str, Pseudonym | None]]:
        return [(k, p) for k, p in self.model if self.standing[k] is Standing.WAITING]

    @rule(person=st.sampled_from(PEOPLE), size=st.integers(0, 2000), falls=st.booleans())
    def queue(self, person: Pseudonym | None, size: int, falls: bool) -> None:
        key = f"key-{len(self.model)}"
        try:
            with self.outbox.store.transaction() as tx:
                self.outbox.queue(tx, key, kind="x", body=b"b" * size, person=person)
                if falls:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            return
        self.model.append((key, person))
        self.standing[key] = Standing.WAITING

    @precondition(lambda self: self.model)
    @rule(data=st.data(), verdict=st.sampled_from([Accepted(), Refused("no"), PutOff(60)]))
    def answer(self, data: st.DataObject, verdict: Accepted | Refused | PutOff) -> None:
        key, _ = data.draw(st.sampled_from(self.model))
        with self.outbox.store.transaction() as tx:
            changed = self.outbox.answered(tx, key, verdict)
        assert changed == (self.standing[key] is Standing.WAITING)
        if not changed:
            return
        match verdict:
            case Accepted():
                self.standing[key] = Standing.ACCEPTED
            case Refused():
                self.standing[key] = Standing.REFUSED
            case PutOff():
                self.put_off.add(key)

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        key, _ = data.draw(st.sampled_from(self.model))
        with self.outbox.store.transaction() as tx:
            changed = self.outbox.retry(tx, key)
        assert changed == (self.standing[key] is Standing.REFUSED)
        if changed:
            self.standing[key] = Standing.WAITING

    @rule()
    def a_minute_passes(self) -> None:
        self.world.time.pass_ms(60_000)
        self.put_off.clear()

    @rule()
    def the_process_is_killed(self) -> None:
        self.lives += 1
        survivor = self.world.after_kill(self.folder / str(self.lives))
        self.world.close()
        self.world = survivor
        self.outbox = Outbox(self.world.open())
        self.put_off.clear()

    @rule(limit=st.integers(1, 5))
    def take(self, limit: int) -> None:
        wanted, held = [], set()
        for key, person in self._waiting():
            if key in self.put_off or (person is not None and person in held):
                held.add(person)
            else:
                wanted.append(key)
        assert [record.key for record in self.outbox.take(limit)] == wanted[:limit]

    @invariant()
    def depth_is_what_counting_would_say(self) -> None:
        counts = [list(self.standing.values()).count(standing) for standing in Standing]
        assert self.outbox.depth() == Depth(counts[0], counts[2], counts[1])


OutboxAgainstAList.TestCase.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None
)
TestOutboxAgainstAList = OutboxAgainstAList.TestCase
