"""Leases, cached documents, the waiting list, settings, retention: a room each, one test file."""

from __future__ import annotations

import pytest

from offline.cache import Cache, Document
from offline.journal import Journal, State
from offline.leases import Given, Lease, LeasedNumber, Leases, NoneLeft
from offline.outbox import Accepted, Outbox, Refused
from offline.retention import DAY_MS, Keep, PersonErased, Purged, Retention, StillNeeded
from offline.settings import Settings
from offline.vault import ERASED
from offline.waiting import WaitingList
from tests.offline.world import LI, START_MS, ZHANG, World

HOUR_MS = 3_600_000


def _lease(name: str, numbers: range, pool: str = "cardiology", hours: int = 4) -> Lease:
    listed = tuple(LeasedNumber(f"{n:03}", b"Dr Wu, 9-10") for n in numbers)
    return Lease(name, pool, START_MS + hours * HOUR_MS, listed)


def test_a_leased_number_is_given_once_also_across_a_restart(world: World) -> None:
    """Row 38: a share of on-site numbers is kept and given out here."""
    store = world.open()
    leases = Leases(store)
    with store.transaction() as tx:
        assert leases.granted(tx, _lease("L1", range(1, 4))) == 3
    given = []
    for n in range(5):
        with store.transaction() as tx:
            given.append(leases.take(tx, "cardiology", taken_for=f"op{n}", now_ms=START_MS))
        world.close()
        store = world.open()
        leases = Leases(store)
    assert [g.number for g in given if isinstance(g, Given)] == ["001", "002", "003"]
    assert given[3:] == [NoneLeft(), NoneLeft()]
    assert leases.taken_for("op1") == given[1]


def test_a_grant_that_arrives_twice_gives_nothing_twice(world: World) -> None:
    store = world.open()
    leases = Leases(store)
    with store.transaction() as tx:
        leases.granted(tx, _lease("L1", range(1, 3)))
        leases.take(tx, "cardiology", taken_for="op", now_ms=START_MS)
        assert leases.granted(tx, _lease("L1", range(1, 3))) == 0
    assert _left(leases, START_MS) == {"cardiology": (1, "002")}


def test_after_the_deadline_no_number_is_given_and_the_block_is_handed_back(world: World) -> None:
    store = world.open()
    leases = Leases(store)
    late = START_MS + 4 * HOUR_MS
    with store.transaction() as tx:
        leases.granted(tx, _lease("L1", range(1, 4)))
        assert isinstance(leases.take(tx, "cardiology", taken_for="a", now_ms=late - 1), Given)
        assert leases.take(tx, "cardiology", taken_for="b", now_ms=late) == NoneLeft()
    assert leases.overdue(late) == ("L1",)
    with store.transaction() as tx:
        assert leases.ended(tx, "L1") == ("002", "003")
    with store.transaction() as tx:
        assert leases.take(tx, "cardiology", taken_for="c", now_ms=START_MS) == NoneLeft()
    assert leases.overdue(late) == ()


def test_a_number_left_before_confirming_goes_back_only_by_its_own_operation(
    world: World,
) -> None:
    store = world.open()
    leases = Leases(store)
    with store.transaction() as tx:
        leases.granted(tx, _lease("L1", range(1, 3)))
        given = leases.take(tx, "cardiology", taken_for="op", now_ms=START_MS, number="002")
        assert isinstance(given, Given) and given.number == "002"
        taken = leases.take(tx, "cardiology", taken_for="x", now_ms=START_MS, number="002")
        assert taken == NoneLeft()
        assert not leases.put_back(tx, given, taken_for="another")
        assert leases.put_back(tx, given, taken_for="op")
        assert not leases.put_back(tx, given, taken_for="op")
    assert _left(leases, START_MS) == {"cardiology": (2, "001")}


def test_pools_do_not_mix(world: World) -> None:
    store = world.open()
    leases = Leases(store)
    with store.transaction() as tx:
        leases.granted(tx, _lease("L1", range(1, 3)))
        leases.granted(tx, _lease("L2", range(1, 6), pool="surgery", hours=1))
    assert _left(leases, START_MS) == {"cardiology": (2, "001"), "surgery": (5, "001")}
    assert _left(leases, START_MS + 2 * HOUR_MS) == {"cardiology": (2, "001")}


def _left(leases: Leases, now_ms: int) -> dict[str, tuple[int, str]]:
    return {pool.name: (pool.left, pool.next.number) for pool in leases.pools(now_ms)}


def test_a_cached_document_is_never_returned_past_its_end(world: World) -> None:
    """Row 19: a policy without its end date in the future does not exist."""
    store = world.open()
    cache = Cache(store)
    with store.transaction() as tx:
        cache.put(tx, Document("health-code policy", b"signed", START_MS + HOUR_MS))
    found = cache.get("health-code policy")
    assert found is not None and found.body == b"signed"
    world.time.pass_ms(HOUR_MS)
    assert cache.get("health-code policy") is None
    with store.transaction() as tx:
        assert cache.drop_expired(tx) == 1


def test_todays_list_replaces_yesterdays_as_a_whole(world: World) -> None:
    store = world.open()
    cache = Cache(store)
    zhang, li = store.vault.pseudonym(ZHANG), store.vault.pseudonym(LI)
    with store.transaction() as tx:
        cache.put(tx, Document("appointments-of-another-kind", b"0", 2**45))
        cache.replace_folder(tx, "appointments", [Document(f"appointments/{zhang}", b"z", 2**45)])
    with store.transaction() as tx:
        cache.replace_folder(tx, "appointments", [Document(f"appointments/{li}", b"l", 2**45)])
    assert cache.get(f"appointments/{zhang}") is None
    assert cache.get(f"appointments/{li}") == Document(f"appointments/{li}", b"l", 2**45)
    assert cache.get("appointments-of-another-kind") is not None


def test_the_waiting_list_and_its_clocks_survive_a_restart(world: World) -> None:
    """Row 27: a waiting clock per person."""
    store = world.open()
    waiting = WaitingList(store)
    with store.transaction() as tx:
        waiting.join(tx, "w1", b"grandmother", person=store.vault.pseudonym(ZHANG))
    world.time.pass_ms(60_000)
    with store.transaction() as tx:
        waiting.join(tx, "w2", b"gentleman with a paper")
        waiting.change(tx, "w1", b"grandmother, screened")
    world.close()
    store = world.open()
    waiting = WaitingList(store)
    found = [(w.entry, w.body, w.since_ms - START_MS) for w in waiting.all()]
    assert found == [
        ("w1", b"grandmother, screened", 0),
        ("w2", b"gentleman with a paper", 60_000),
    ]
    with store.transaction() as tx:
        assert waiting.leave(tx, "w1") == 60_000
        assert waiting.leave(tx, "w1") is None
    assert [w.entry for w in waiting.all()] == ["w2"]


def test_a_number_of_settings_is_never_given_twice(world: World) -> None:
    given = []
    for _ in range(3):
        store = world.open()
        settings = Settings(store)
        with store.transaction() as tx:
            given += [settings.next_number(tx, "slip"), settings.next_number(tx, "slip")]
            settings.set(tx, "boot", world.time.boot_id)
        assert settings.get("boot") == world.time.boot_id
        assert settings.get("nothing") is None
        world.close()
    assert given == [1, 2, 3, 4, 5, 6]


def test_screening_records_are_erased_after_their_days_but_never_before_they_arrived(
    world: World,
) -> None:
    """Row 28: own store, purpose-bound, erased after 14 to 30 days."""
    store = world.open()
    outbox = Outbox(store)
    with store.transaction() as tx:
        for key in ("arrived", "refused", "waiting"):
            outbox.queue(tx, key, kind="screening", body=key.encode())
        outbox.queue(tx, "payment", kind="payment", body=b"payment")
        outbox.answered(tx, "arrived", Accepted())
        outbox.answered(tx, "refused", Refused("why"))
        outbox.answered(tx, "payment", Accepted())
    retention = Retention(store, [Keep("screening", 14), Keep("payment", 3650)])
    world.time.pass_ms(14 * DAY_MS)
    with store.transaction() as tx:
        assert retention.purge(tx) == []
    world.time.pass_ms(1)
    with store.transaction() as tx:
        assert retention.purge(tx) == [Purged("screening", 1)]
    bodies = {key: _body(outbox, key) for key in ("arrived", "refused", "waiting", "payment")}
    assert bodies == {
        "arrived": None, "refused": b"refused", "waiting": b"waiting", "payment": b"payment",
    }  # fmt: skip
    with pytest.raises(AssertionError), store.transaction() as tx:
        outbox.queue(tx, "arrived", kind="screening", body=b"the same key again")


def _body(outbox: Outbox, key: str) -> object:
    record = outbox.show(key)
    assert record is not None
    return record.body


def test_a_person_is_erased_only_once_nothing_of_theirs_is_open(world: World) -> None:
    store = world.open()
    outbox, journal = Outbox(store), Journal(store)
    person = store.vault.pseudonym(ZHANG)
    retention = Retention(store, [])
    with store.transaction() as tx:
        outbox.queue(tx, "k", kind="check_in", body=b"x", person=person)
        journal.open_payment(tx, "R1", kind="card", amount_fen=4200, subject=b"bill", person=person)
        WaitingList(store).join(tx, "w", b"x", person=person)
    with store.transaction() as tx:
        assert retention.erase(tx, person) == StillNeeded(waiting=1, open_payments=1)
        outbox.answered(tx, "k", Accepted())
        journal.moved(tx, "R1", State.DECLINED)
    with store.transaction() as tx:
        assert retention.erase(tx, person) == PersonErased()
    store.fold()
    assert _body(outbox, "k") is ERASED
    payment = journal.payment("R1")
    assert payment is not None and payment.subject is ERASED
    assert (payment.amount_fen, payment.state) == (4200, State.DECLINED)
    assert WaitingList(store).all() == []
