"""A payment moves only as the table allows, and every step is kept."""

from __future__ import annotations

import itertools

import pytest

from offline.journal import FINAL, MOVES, Journal, State
from offline.store import Store
from tests.offline.world import ZHANG, World

WAY_TO: dict[State, tuple[State, ...]] = {
    State.INTENT: (),
    State.SENT: (State.SENT,),
    State.PAID: (State.SENT, State.PAID),
    State.DECLINED: (State.SENT, State.DECLINED),
    State.UNKNOWN: (State.SENT, State.UNKNOWN),
    State.BOOKING: (State.SENT, State.PAID, State.BOOKING),
    State.SETTLED: (State.SENT, State.PAID, State.BOOKING, State.SETTLED),
    State.HIS_REJECTED: (State.SENT, State.PAID, State.BOOKING, State.HIS_REJECTED),
    State.HIS_UNKNOWN: (State.SENT, State.PAID, State.BOOKING, State.HIS_UNKNOWN),
    State.REVERSING: (
        *(State.SENT, State.PAID, State.BOOKING, State.HIS_REJECTED),
        State.REVERSING,
    ),
    State.REVERSED: (
        *(State.SENT, State.PAID, State.BOOKING, State.HIS_REJECTED),
        *(State.REVERSING, State.REVERSED),
    ),
    State.REFUND_DUE: (
        *(State.SENT, State.PAID, State.BOOKING, State.HIS_REJECTED),
        *(State.REVERSING, State.REFUND_DUE),
    ),
    State.REFUNDED: (
        *(State.SENT, State.PAID, State.BOOKING, State.HIS_REJECTED),
        *(State.REVERSING, State.REFUND_DUE, State.REFUNDED),
    ),
    State.MANUAL: (
        *(State.SENT, State.PAID, State.BOOKING, State.HIS_REJECTED),
        *(State.REVERSING, State.REFUND_DUE, State.MANUAL),
    ),
}


def _brought_to(store: Store, reference: str, state: State) -> Journal:
    journal = Journal(store)
    with store.transaction() as tx:
        journal.open_payment(tx, reference, kind="card", amount_fen=4200, subject=b"bill 7")
    for step in WAY_TO[state]:
        with store.transaction() as tx:
            journal.moved(tx, reference, step, step.value.encode())
    return journal


def test_money_rules_are_the_designs() -> None:
    """What must never be reachable in one step, whatever the table says in future."""
    assert all(State.INTENT not in following for following in MOVES.values())
    assert [s for s in State if State.REVERSING in MOVES[s]] == [State.HIS_REJECTED]
    assert [s for s in State if State.PAID in MOVES[s]] == [State.SENT, State.UNKNOWN]
    assert State.DECLINED not in MOVES[State.PAID]
    assert State.SENT not in MOVES[State.UNKNOWN], "an unknown charge is never sent again"
    assert {"declined", "settled", "reversed", "refunded", "manual"} == FINAL


def test_every_pair_of_states_either_moves_or_is_a_bug_that_writes_nothing(world: World) -> None:
    store = world.open()
    for before, after in itertools.product(State, State):
        reference = f"{before}-{after}"
        journal = _brought_to(store, reference, before)
        if after in MOVES[before]:
            with store.transaction() as tx:
                journal.moved(tx, reference, after)
            wanted = after
        else:
            with pytest.raises(AssertionError), store.transaction() as tx:
                tx.run("insert into settings values (?, 1)", reference)
                journal.moved(tx, reference, after)
            wanted = before
            with store.reading() as reading:
                assert reading.rows("select * from settings where name = ?", reference) == []
        payment = journal.payment(reference)
        assert payment is not None and payment.state == wanted
        assert payment.final == (wanted in FINAL)


def test_each_step_and_its_evidence_is_read_back_in_order_after_a_restart(world: World) -> None:
    _brought_to(world.open(), "R1", State.REFUNDED)
    world.close()
    payment = Journal(world.open()).payment("R1")
    assert payment is not None
    assert (payment.amount_fen, payment.kind, payment.subject) == (4200, "card", b"bill 7")
    assert [move.state for move in payment.moves] == [State.INTENT, *WAY_TO[State.REFUNDED]]
    assert [move.evidence for move in payment.moves[1:]] == [
        state.value.encode() for state in WAY_TO[State.REFUNDED]
    ]


def test_open_payments_are_those_a_start_must_settle_oldest_first(world: World) -> None:
    store = world.open()
    for state in State:
        _brought_to(store, state.value, state)
        world.time.pass_ms(1000)
    world.close()
    found = Journal(world.open()).open_payments()
    assert [payment.state for payment in found] == [s for s in State if s not in FINAL]


@pytest.mark.parametrize("restarted", [False, True])
def test_the_next_payment_takes_the_closed_ones_from_the_list(
    world: World, restarted: bool
) -> None:
    store = world.open()
    for state in State:
        _brought_to(store, state.value, state)
    if restarted:
        world.close()
        store = world.open()
    _brought_to(store, "R1", State.INTENT)
    with store.reading() as reading:
        listed = {reference for (reference,) in reading.rows("select * from open_payments")}
    assert listed == {"R1", *(state.value for state in State if state not in FINAL)}


def test_payments_opened_and_closed_together_are_one_commit(world: World) -> None:
    """As the writers of a group do: between the inserts of one, those of another wait."""
    store = world.open()
    journal = _brought_to(store, "R0", State.SENT)
    with store.transaction() as tx:
        journal.open_payment(tx, "R1", kind="card", amount_fen=1, subject=b"bill 1")
        journal.moved(tx, "R0", State.DECLINED)
        journal.open_payment(tx, "R2", kind="card", amount_fen=2, subject=b"bill 2")
        journal.open_payment(tx, "R3", kind="card", amount_fen=3, subject=b"bill 3")
    assert [one.reference for one in journal.open_payments()] == ["R1", "R2", "R3"]


def test_a_late_answer_is_kept_as_evidence_and_moves_nothing(world: World) -> None:
    store = world.open()
    journal = _brought_to(store, "R1", State.SETTLED)
    with store.transaction() as tx:
        journal.noted(tx, "R1", b"declined, two minutes late")
    payment = journal.payment("R1")
    assert payment is not None and payment.state is State.SETTLED
    assert payment.moves[-1].evidence == b"declined, two minutes late"
    assert payment.moves[-1].state is State.SETTLED


def test_one_reference_is_one_attempt(world: World) -> None:
    store = world.open()
    journal = _brought_to(store, "R1", State.DECLINED)
    with pytest.raises(AssertionError), store.transaction() as tx:
        journal.open_payment(tx, "R1", kind="card", amount_fen=4200, subject=b"bill 7")
    payment = journal.payment("R1")
    assert payment is not None and payment.state is State.DECLINED


def test_a_payment_never_opened_cannot_move_and_is_not_found(world: World) -> None:
    store = world.open()
    with pytest.raises(AssertionError), store.transaction() as tx:
        Journal(store).moved(tx, "R9", State.SENT)
    assert Journal(store).payment("R9") is None


def test_nothing_personal_is_in_what_a_payment_shows_of_itself(world: World) -> None:
    store = world.open()
    journal = Journal(store)
    person = store.vault.pseudonym(ZHANG)
    with store.transaction() as tx:
        journal.open_payment(
            tx, "R1", kind="card", amount_fen=1, subject=b"SUBJECT-NAME", person=person
        )
        journal.moved(tx, "R1", State.SENT, b"EVIDENCE-NAME")
    shown = repr(journal.payment("R1"))
    assert "SUBJECT-NAME" not in shown and "EVIDENCE-NAME" not in shown
