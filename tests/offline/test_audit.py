"""The trail shows what was done to it, finds what it is asked, and can name nobody."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from offline.audit import HEAD_EVENTS, Audit, Head, Intact, Tampered, link_hash
from offline.audit_page import page
from offline.catalogue import Catalogue
from offline.outbox import Outbox
from offline.store import Store
from offline.vault import Place
from tests.offline.world import LI, ZHANG, World

CATALOGUE = Catalogue.read()


def _trail(world: World, store: Store, events: int = 40) -> Audit:
    """A few sessions with payments, a head every ten events."""
    audit = world.audit(store)
    person = store.vault.pseudonym(ZHANG)
    for n in range(events // 4):
        with store.transaction() as tx:
            audit.append(tx, "session_begun", session=f"s-{n}")
            audit.append(
                tx, "payment_opened", session=f"s-{n}", reference=f"R{n}", amount_fen=n + 1,
                kind="card", person=person,
            )  # fmt: skip
            audit.append(tx, "payment_moved", reference=f"R{n}", state="sent")
            audit.append(tx, "session_ended", session=f"s-{n}", disposition="done")
            if n % 3 == 2:
                audit.sign_head(tx)
        world.time.pass_ms(1000)
    return audit


def test_an_untouched_trail_verifies_also_after_a_restart(world: World) -> None:
    _trail(world, world.open())
    world.close()
    store = world.open()
    audit = _trail(world, store, events=8)
    assert audit.verify() == Intact(events=48, unsigned=12)


def test_a_trail_of_the_first_schema_is_found_and_verifies_after_the_update(world: World) -> None:
    store = world.open()
    _trail(world, store)
    person = store.vault.pseudonym(ZHANG)
    with store.transaction() as tx:  # a reference that is also a session's name; then as of old
        world.audit(store).append(tx, "payment_moved", reference="s-1", state="paid")
        moved = tx.run("update names set name = substr(name, 2) where substr(name, 1, 1) = '!'")
        assert moved == 40, "ten persons, and thrice ten sessions"
        tx.run("pragma user_version=1")
    world.close()
    audit = world.audit(world.open())
    assert audit.verify() == Intact(events=41, unsigned=5)
    assert len(audit.find("s-1")) == 5, "four of the session, one of the reference"
    assert len(audit.trail(person)) == 40


def test_the_link_is_the_hash_of_predecessor_place_and_bytes() -> None:
    """Computed with `printf … | sha256sum`: 32 zero bytes, 8 bytes of 1, then {}."""
    wanted = "1bad765d926feacace97a8ddcd329a1f4254c208affc1ba86b3c7d59e8fba83e"
    assert link_hash(b"\0" * 32, 1, b"{}").hex() == wanted


TAMPERINGS = [
    # what, the statement, the first event that does not fit
    ("edit an event", "update audit set payload = replace(payload, 'sent', 'paid') where seq = 3"),
    ("delete one", "delete from audit where seq = 17"),
    ("delete the first", "delete from audit where seq = 1"),
    ("cut the end off", "delete from audit where seq > 30"),
    ("cut behind the last head", "delete from audit where seq > 36"),
    ("insert one", "update audit set seq = seq + 1 where seq = 40; "
                   "insert into audit select 40, payload, hash from audit where seq = 39"),
    ("swap two", "update audit set seq = -5 where seq = 5; update audit set seq = 5 "
                 "where seq = 6; update audit set seq = 6 where seq = -5"),
    ("change a link", "update audit set hash = zeroblob(32) where seq = 20"),
    ("change a head", "update audit_heads set hash = zeroblob(32) where seq = 12"),
    ("change a head's time", "update audit_heads set at = at + 1 where seq = 12"),
    ("hide one from searches", "delete from names where name = 'R3' and room = 'audit'"),
    ("show another", "update names set name = 'R4' where name = 'R3' and seq = 14"),
    ("make text of bytes", "update audit set payload = cast(payload as text) where seq = 9"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "sql"), TAMPERINGS)
def test_what_is_done_to_the_tables_shows(world: World, what: str, sql: str) -> None:
    store = world.open()
    audit = _trail(world, store)
    witnessed = audit.heads()
    with store.transaction() as tx:
        for statement in sql.split(";"):
            tx.run(statement)
    assert isinstance(audit.verify(witnessed), Tampered)


def test_only_the_tail_after_the_last_head_can_vanish_unseen_and_the_count_says_how_much(
    world: World,
) -> None:
    """Why a head is signed every minute: an insider who also cleans the index wins that much."""
    store = world.open()
    audit = _trail(world, store)
    assert audit.verify() == Intact(events=40, unsigned=4)
    with store.transaction() as tx:
        tx.run("delete from audit where seq > 36")
        tx.run("delete from names where seq > 36")
    assert audit.verify(audit.heads()) == Intact(events=36, unsigned=0)


def _rewrite(audit: Audit, store: Store, from_seq: int) -> None:
    """What an insider with root and the present signing key would do: a whole new history."""
    with store.transaction() as tx:
        rows = tx.rows("select seq, payload, hash from audit order by seq")
        link = audit.first_hash()
        for seq, payload, _ in rows:
            assert isinstance(seq, int) and isinstance(payload, bytes)
            if seq >= from_seq:
                payload = payload.replace(b'"sent"', b'"paid"')
            link = link_hash(link, seq, payload)
            tx.run("update audit set payload = ?, hash = ? where seq = ?", payload, link, seq)
            for (at,) in tx.rows("select at from audit_heads where seq = ?", seq):
                assert isinstance(at, int)
                head = Head(seq, link, at, b"")
                signature = audit._key.sign(head.signed())
                tx.run(
                    "update audit_heads set hash = ?, signature = ? where seq = ?",
                    *(link, signature, seq),
                )


def test_a_history_signed_anew_with_the_stolen_key_does_not_fit_the_witness(
    world: World,
) -> None:
    store = world.open()
    audit = _trail(world, store)
    witnessed = audit.heads()
    _rewrite(audit, store, from_seq=14)
    assert isinstance(audit.verify(), Intact), "without a witness nobody could tell"
    assert audit.verify(witnessed) == Tampered(24, "the gateway witnessed another history")


def test_a_head_of_another_terminal_is_not_ours(world: World) -> None:
    store = world.open()
    audit = _trail(world, store)
    forged = replace(audit.heads()[0], signature=b"\0" * 64)
    assert audit.verify([forged]) == Tampered(12, "a head is not signed by this terminal")


def test_a_head_is_signed_by_itself_after_a_thousand_events(world: World) -> None:
    store = world.open()
    audit = world.audit(store)
    with store.transaction() as tx:
        for _ in range(HEAD_EVENTS + 5):
            audit.append(tx, "payments_on")
    assert [head.seq for head in audit.heads()] == [HEAD_EVENTS]
    assert audit.verify() == Intact(HEAD_EVENTS + 5, 5)


def test_the_witness_gets_every_head_once_and_no_event(world: World) -> None:
    store = world.open()
    outbox = Outbox(store)
    audit = _trail(world, store, events=8)
    with store.transaction() as tx:
        assert audit.witness(tx, outbox) == 1
    with store.transaction() as tx:
        assert audit.witness(tx, outbox) == 0
        audit.append(tx, "payments_on")
    with store.transaction() as tx:
        assert audit.witness(tx, outbox) == 1
    sent = outbox.take(10)
    assert [record.kind for record in sent] == ["audit_head", "audit_head"]
    bodies = [json.loads(record.body) for record in sent]  # type: ignore[arg-type]
    assert [set(body) for body in bodies] == [{"sequence", "chain_hash", "signature", "at"}] * 2
    assert [(body["sequence"], body["chain_hash"]) for body in bodies] == [
        (head.seq, head.hash.hex()) for head in audit.heads()
    ]
    assert audit.verify() == Intact(9, 0)


def test_a_head_that_was_queued_before_a_backup_came_back_is_not_queued_again(
    world: World,
) -> None:
    """Mending takes heads and records out of the damaged file, but counters from the backup."""
    store = world.open()
    audit, outbox = _trail(world, store, events=8), Outbox(store)
    with store.transaction() as tx:
        audit.witness(tx, outbox)
        tx.run("delete from settings where name = 'audit_witnessed'")
    with store.transaction() as tx:
        assert audit.witness(tx, outbox) == 0
    assert (outbox.depth().waiting, audit.unwitnessed()) == (1, 0)


def test_heads_signed_by_the_thousand_reach_the_witness_too(world: World) -> None:
    store = world.open()
    audit, outbox = world.audit(store), Outbox(store)
    assert audit.unwitnessed() == 0
    with store.transaction() as tx:
        for _ in range(HEAD_EVENTS + 5):
            audit.append(tx, "payments_on")
    assert audit.unwitnessed() == HEAD_EVENTS + 5
    with store.transaction() as tx:
        assert audit.witness(tx, outbox) == 2
    assert audit.unwitnessed() == 0


def test_a_slip_leads_to_the_whole_story_and_to_nobody_elses(world: World) -> None:
    store = world.open()
    audit = _trail(world, store)
    with store.transaction() as tx:
        audit.append(tx, "print_begun", job="j1", document="receipt", slip="A7K", reference="R3")
    story = [event.event for event in audit.find("A7K")]
    assert story == [
        *("session_begun", "payment_opened", "payment_moved", "session_ended"),
        "print_begun",
    ]
    assert {str(v) for e in audit.find("A7K") for k, v in e.facts if k == "reference"} == {"R3"}
    assert audit.find("no such slip") == []


def test_a_persons_own_trail_is_theirs_alone(world: World) -> None:
    store = world.open()
    audit = world.audit(store)
    zhang, li = store.vault.pseudonym(ZHANG), store.vault.pseudonym(LI)
    with store.transaction() as tx:
        audit.append(tx, "session_begun", session="s-1")
        audit.append(tx, "person_identified", session="s-1", person=zhang, credential="id_card")
        audit.append(tx, "session_begun", session="s-2")
        audit.append(tx, "person_identified", session="s-2", person=li, credential="id_card")
        audit.append(tx, "session_ended", session="s-1", disposition="done")
    assert [event.seq for event in audit.trail(zhang)] == [1, 2, 5]


def test_erasing_a_person_leaves_the_chain_whole(world: World) -> None:
    store = world.open()
    audit = _trail(world, store)
    person = store.vault.pseudonym(ZHANG)
    with store.transaction() as tx:
        tx.vault.seal(tx, person, Place("a", "b", "c"), b"x")
    with store.transaction() as tx:
        assert tx.vault.destroy(tx, person)
        audit.append(tx, "person_erased", person=person, who="auditor")
    assert isinstance(audit.verify(audit.heads()), Intact)


@pytest.mark.parametrize(
    ("event", "facts"),
    [
        ("payments_off", {}),
        ("payments_off", {"cause": "disk_full", "note": "anything"}),
        ("payments_off", {"cause": "Zhang Guifang"}),
        ("payments_off", {"cause": "张桂芳"}),
        ("payment_moved", {"reference": ZHANG, "state": "paid"}),
        ("payment_opened", {"reference": "R1", "amount_fen": 12.5, "kind": "card"}),
        ("payment_opened", {"reference": "R1", "amount_fen": True, "kind": "card"}),
        ("session_ended", {"session": "s-1", "disposition": "somehow"}),
        ("person_erased", {"person": ZHANG, "who": "auditor"}),
    ],
)
def test_what_the_catalogue_does_not_list_cannot_be_written(
    world: World, event: str, facts: dict[str, str | int | bool]
) -> None:
    store = world.open()
    audit = world.audit(store)
    with pytest.raises(AssertionError), store.transaction() as tx:
        audit.append(tx, event, **facts)
    assert audit.verify() == Intact(0, 0)


def test_every_field_refuses_names_and_id_numbers() -> None:
    for field in CATALOGUE.fields.values():
        for text in ("张桂芳", "Zhang Gui Fang", ZHANG, ZHANG.lower(), f"x-{LI}", "a\nb"):
            assert not field.allows(text), (field.name, text)


def test_every_field_of_the_catalogue_is_used_and_every_name_is_a_sentence_part() -> None:
    used = {f.name for e in CATALOGUE.events.values() for f in e.required + e.optional}
    assert used == set(CATALOGUE.fields)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in CATALOGUE.events)
    assert all(event.meaning.endswith(".") for event in CATALOGUE.events.values())


def test_the_page_in_docs_is_made_from_the_catalogue() -> None:
    docs = Path(__file__).parents[2] / "docs" / "audit-events.md"
    assert docs.read_text(encoding="utf-8") == page(CATALOGUE), (
        "run python -m offline.audit_page > docs/audit-events.md"
    )
