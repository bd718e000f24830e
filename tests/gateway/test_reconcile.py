"""The daily match: planted differences are found in their class, files are used whole or not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from gateway import fleet, reconcile
from gateway.adapters.demo import ledger, people
from gateway.adapters.port import Booking, Work
from gateway.daily_file import Channel, DailyFile, FileRow, FileSpoilt, Moved, read, write
from gateway.matching import DUTIES, Difference, Payment, judge
from gateway.store import Store
from gateway.tables import alarms, provider_rows
from kiosk.hospital import contract as c
from tests.drills.reconcile import PLANTS, drill
from tests.gateway.test_payments import WECHAT, elders_quote, settle
from tests.gateway.world import MORNING, World, record

DAY = date(2026, 11, 20)
ROWS = (
    FileRow(Moved.CHARGED, "R1", "4200A", 4120),
    FileRow(Moved.CHARGED, "R2", "4200B", 5),
    FileRow(Moved.REVERSED, "R2", "4200B", 5),
)
TEXT = write(Channel.CODES, DAY, ROWS)


def test_the_drill_runs_small_with_every_class(tmp_path: Path) -> None:
    results = drill(tmp_path, payments=1500, planted=96, seed=7)
    assert (results["found"], results["wrong_class"], results["false"]) == (96, 0, 0)
    assert results["classes"] == len(Difference) == len(PLANTS) == 12


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk"])
def test_a_file_reads_the_same_in_each_encoding(encoding: str) -> None:
    file = read(TEXT.encode(encoding))
    assert file == read(TEXT.encode())
    assert (file.channel, file.day, file.rows) == (Channel.CODES, DAY, ROWS)


def test_the_form_is_typed_here_by_hand() -> None:
    by_hand = (
        "渠道对账单,codes,2026-11-20\r\n序号,类型,商户单号,渠道单号,金额（元）\r\n"
        "1,支付,R1,4200A,41.20\r\n2,支付,R2,4200B,0.05\r\n3,退款,R2,4200B,0.05\r\n"
        "合计,3,41.25,0.05\r\n"
    )
    assert by_hand == TEXT
    assert read(by_hand.replace("\r\n", "\n").encode()).rows == ROWS


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_file_cut_anywhere_is_not_used(encoding: str) -> None:
    data = TEXT.encode(encoding)
    whole = read(data)
    for end in range(len(data)):
        try:
            assert read(data[:end]) == whole, f"cut at {end} and taken for another file"
        except FileSpoilt:
            continue
        assert data[end:].strip() == b"", f"cut at {end} and used"


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda t: t.replace("41.20", "41.2", 1), "line 3"),
        (lambda t: t.replace("41.20", "-41.20", 1), "line 3"),
        (lambda t: t.replace("41.20", "41.30", 1), "last line"),
        (lambda t: t.replace("2,支付", "3,支付", 1), "line 4"),
        (lambda t: t.replace("退款", "退票", 1), "line 5"),
        (lambda t: t.replace("R1", "", 1), "line 3"),
        (lambda t: t.replace("codes", "cheques", 1), "line 1"),
        (lambda t: t.replace("2026-11-20", "20.11.2026", 1), "line 1"),
        (lambda t: t.replace("类型", "种类", 1), "line 2"),
        (lambda t: t.replace("1,支付,R1,4200A,41.20\r\n", "", 1), "line 3"),
        (lambda t: t + t, "line 6"),
        (lambda t: "<html>404</html>", "fewer"),
        (lambda t: "", "fewer"),
    ],
)
def test_a_spoilt_file_is_refused_with_its_line(change: Callable[[str], str], where: str) -> None:
    with pytest.raises(FileSpoilt, match=where):
        read(change(TEXT).encode())


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(FileSpoilt):
        read(b"\xff\xff\xff\x80")


@given(st.lists(st.tuples(st.sampled_from(list(Moved)), st.integers(0, 10**9)), max_size=20))
def test_what_is_written_is_read(rows: list[tuple[Moved, int]]) -> None:
    listed = tuple(FileRow(m, f"R{n}", f"P{n}", fen) for n, (m, fen) in enumerate(rows))
    assert read(write(Channel.CARDS, DAY, listed).encode()).rows == listed


def stored(world: World) -> int:
    with world.parts.store.reading() as connection:
        return len(connection.execute(provider_rows.select()).all())


def test_a_file_that_comes_twice_is_kept_once(world: World) -> None:
    store = world.parts.store
    assert reconcile.take_file(store, read(TEXT.encode()), MORNING)
    assert not reconcile.take_file(store, read(TEXT.encode("gb18030")), MORNING)
    assert stored(world) == 3


def run(world: World, day: date = DAY) -> dict[str, str]:
    outcome = reconcile.run(world.parts.store, world.parts.gateway.hospital, day, world.clock())
    return {one.payment.reference: one.difference.value for one in outcome.found}


def providers_file(world: World, day: date = DAY) -> DailyFile:
    with world.parts.store.reading() as connection:
        return read(ledger.daily_file(connection, day).encode())


def paid_and_booked(world: World, reference: str = "R1") -> None:
    quote = elders_quote(world)
    world.ask(c.PayByCode(reference, 4120, WECHAT))
    world.ask(settle(reference, quote))


def journal(world: World, reference: str, state: str, sequence: int = 1) -> None:
    body = c.PaymentRecord(reference, state, 4120, MORNING, "")
    world.ask(c.Outbox((record(sequence, body, "payment", key=f"{reference}-{state}"),)))


def test_a_true_day_of_the_demo_hospital_matches(world: World) -> None:
    paid_and_booked(world)
    journal(world, "R1", "SETTLED")
    assert run(world) == {}, "without the provider's file nothing is judged"
    reconcile.take_file(world.parts.store, providers_file(world), MORNING)
    assert run(world) == {}


def test_money_taken_and_not_booked_is_found_and_gone_when_put_right(world: World) -> None:
    quote = elders_quote(world)
    world.ask(c.PayByCode("R1", 4120, WECHAT))
    journal(world, "R1", "PAID")
    reconcile.take_file(world.parts.store, providers_file(world), MORNING)
    assert run(world) == {"R1": "taken_not_booked"}
    world.ask(settle("R1", quote))
    journal(world, "R1", "SETTLED", sequence=2)
    assert run(world) == {}


def test_a_payment_in_doubt_is_an_alarm_and_a_difference_until_it_ends(world: World) -> None:
    world.ask(c.PayByCode("R1", 4120, WECHAT))
    journal(world, "R1", "UNKNOWN")
    reconcile.take_file(world.parts.store, providers_file(world), MORNING)
    assert run(world) == {"R1": "open_at_terminal"}
    with world.parts.store.reading() as connection:
        told = [(row.kind, row.detail) for row in connection.execute(alarms.select())]
    assert told == [("payment_in_doubt", "R1")]
    journal(world, "R1", "DECLINED", sequence=2)
    assert run(world) == {"R1": "declined_but_taken"}
    with world.parts.store.reading() as connection:
        assert len(connection.execute(alarms.select()).all()) == 1, "an end is no alarm"


def test_a_corrected_file_replaces_the_first_one_whole(world: World) -> None:
    paid_and_booked(world)
    journal(world, "R1", "SETTLED")
    empty = read(write(Channel.CODES, DAY, ()).encode())
    tomorrow = read(write(Channel.CODES, DAY + timedelta(days=1), ()).encode())
    for file in (empty, tomorrow):
        reconcile.take_file(world.parts.store, file, MORNING)
    assert run(world) == {"R1": "booked_not_taken"}
    reconcile.take_file(world.parts.store, providers_file(world), MORNING)
    assert run(world) == {}


def test_the_last_file_counts_even_if_an_older_one_is_sent_again(world: World) -> None:
    paid_and_booked(world)
    journal(world, "R1", "SETTLED")
    good, empty = providers_file(world), read(write(Channel.CODES, DAY, ()).encode())
    assert reconcile.take_file(world.parts.store, empty, MORNING)
    assert reconcile.take_file(world.parts.store, good, MORNING)
    assert not reconcile.take_file(world.parts.store, empty, MORNING)
    assert run(world) == {}


def test_card_payments_wait_for_the_cards_file(world: World) -> None:
    quote = elders_quote(world)
    asked = c.Settle("R1", people.ELDER.id, quote.id, 4120, "card", "trace 17")
    world.ask(asked)
    journal(world, "R1", "SETTLED")
    reconcile.take_file(world.parts.store, read(write(Channel.CODES, DAY, ()).encode()), MORNING)
    assert run(world) == {}
    cards = write(Channel.CARDS, DAY, (FileRow(Moved.CHARGED, "R1", "17", 4120),))
    reconcile.take_file(world.parts.store, read(cards.encode()), MORNING)
    assert run(world) == {}
    outcome = reconcile.run(world.parts.store, world.parts.gateway.hospital, DAY, MORNING)
    assert (outcome.matched, outcome.missing) == (1, ())


def test_a_booking_just_before_midnight_waits_for_tomorrows_file(world: World) -> None:
    quote = elders_quote(world)
    world.ask(c.PayByCode("R1", 4120, WECHAT))
    world.clock.now = MORNING.replace(hour=23, minute=50)
    world.ask(settle("R1", quote))
    journal(world, "R1", "SETTLED")
    today = read(write(Channel.CODES, DAY, ()).encode())
    reconcile.take_file(world.parts.store, today, MORNING)
    assert run(world) == {"R1": "across_day_cut"}
    late = FileRow(Moved.CHARGED, "R1", "4200A", 4120)
    tomorrow = read(write(Channel.CODES, DAY + timedelta(days=1), (late,)).encode())
    reconcile.take_file(world.parts.store, tomorrow, MORNING)
    assert run(world) == {}, "the payment belongs to the provider's day"
    assert run(world, DAY + timedelta(days=1)) == {"R1": "across_day_cut"}


AMOUNTS = st.lists(st.sampled_from([100, 100, 250]), max_size=3).map(tuple)
STATES = ["", "settled", "declined", "unknown", "manual", "refund_due", "reversed", "paid"]


@given(AMOUNTS, AMOUNTS, AMOUNTS, st.sampled_from(STATES))
def test_only_what_agrees_everywhere_has_no_class(
    charged: tuple[int, ...], back: tuple[int, ...], booked: tuple[int, ...], state: str
) -> None:
    payment = Payment("R1", charged, back, booked, state, 100, DAY, DAY)
    if judge(payment) is None:
        assert payment.net_fen == payment.booked_fen >= 0
        assert len(charged) <= 1
        assert len(booked) <= 1
        assert (payment.net_fen > 0) == (state in ("settled", "paid"))


def test_every_class_has_an_owner_and_a_next_step() -> None:
    assert set(DUTIES) == set(Difference)
    assert {duty.owner for duty in DUTIES.values()} == {"财务", "信息科"}
    assert all(duty.words and duty.next_step for duty in DUTIES.values())


def test_the_report_is_readable_by_people_and_by_machines(world: World) -> None:
    reconcile.take_file(world.parts.store, read(TEXT.encode()), MORNING)
    outcome = reconcile.run(world.parts.store, world.parts.gateway.hospital, DAY, MORNING)
    told = json.loads(reconcile.as_json(outcome))
    assert told["date"] == "2026-11-20"
    assert told["missing_files"] == ["cards"]
    (difference,) = told["differences"]
    assert (difference["reference"], difference["class"]) == ("R1", "taken_not_booked")
    text = reconcile.as_text(outcome)
    assert re.search(r"长款：扣款未入账（1 笔）— 财务", text)
    assert "R1  渠道净额 ¥41.20  医院入账 ¥0.00  终端：没有记录" in text
    assert "差异合计：渠道净额 ¥41.20，医院入账 ¥0.00，相差 ¥41.20" in text
    assert "未收到银行卡对账单" in text


def test_notes_match_by_the_terminals_word_and_their_sum_is_told(world: World) -> None:
    """No provider has a file of notes: the day's sum is held against the boxes' counts."""
    asked = replace(settle("K01-CASH", elders_quote(world)), method="cash", evidence="cash")
    assert isinstance(world.ask(asked), c.Settled)
    day = world.clock().date()
    reconcile.take_file(world.parts.store, read(write(Channel.CODES, day, ()).encode()), MORNING)
    assert run(world, day) == {"K01-CASH": "booked_not_taken"}, "its record is to come"
    said = c.PaymentRecord("K01-CASH", "SETTLED", asked.amount_fen, world.clock(), "cash")
    world.ask(c.Outbox((record(1, said, "payment"),)))
    outcome = reconcile.run(world.parts.store, world.parts.gateway.hospital, day, MORNING)
    assert (outcome.found, outcome.cash_fen) == ((), asked.amount_fen)
    assert "现金入账" in reconcile.as_text(outcome)


def test_a_counted_cash_box_stands_in_the_days_match_and_a_difference_is_an_alarm(
    world: World,
) -> None:
    """Finance sees whose box holds more or less than its terminal has stacked."""
    day = world.clock().date()
    right = c.CashCountRecord(world.clock(), "technician", (c.NotesCounted(2000, 3, 3),))
    notes = (c.NotesCounted(100, 0, 1), c.NotesCounted(2000, 3, 2))
    wrong = c.CashCountRecord(world.clock(), "finance", notes)
    for sequence, body in enumerate((right, wrong), start=1):
        reply = world.ask(c.Outbox((record(sequence, body, "cash_count"),)))
        assert [one.state for one in reply.verdicts] == ["accepted"]
    outcome = reconcile.run(world.parts.store, world.parts.gateway.hospital, day, MORNING)
    assert [(one.counted_fen, one.difference_fen) for one in outcome.counted] == [
        (6000, 0),
        (4100, -1900),
    ]
    (one, other) = json.loads(reconcile.as_json(outcome))["cash_counts"]
    assert (one["difference_fen"], other["difference_fen"], other["who"]) == (0, -1900, "finance")
    text = reconcile.as_text(outcome)
    assert "清点 ¥60.00，与终端记录相符" in text
    assert "清点 ¥41.00，终端记录 ¥60.00，少 ¥19.00" in text
    with world.parts.store.reading() as connection:
        told = connection.execute(select(alarms.c.kind, alarms.c.detail)).all()
    assert told == [("cash_differs", "-19.00")]
    tomorrow = reconcile.run(
        world.parts.store, world.parts.gateway.hospital, day + timedelta(1), MORNING
    )
    assert tomorrow.counted == ()


def file_of(world: World, day: date, *rows: FileRow) -> None:
    text = write(Channel.CODES, day, rows)
    assert reconcile.take_file(world.parts.store, read(text.encode()), MORNING)


@pytest.mark.parametrize("later", [1, 5])
def test_a_refund_of_an_earlier_days_payment_is_held_against_its_booking(
    world: World, later: int
) -> None:
    """It is not a refund without a charge, and it is not passed over: the booking still stands."""
    paid_and_booked(world)
    journal(world, "R1", "SETTLED")
    file_of(world, DAY, FileRow(Moved.CHARGED, "R1", "P1", 4120))
    assert run(world) == {}
    file_of(world, DAY + timedelta(days=later), FileRow(Moved.REVERSED, "R1", "P1", 4120))
    assert run(world, DAY + timedelta(days=later)) == {"R1": "reversed_but_booked"}


def test_what_was_owed_and_is_refunded_days_later_is_no_difference(world: World) -> None:
    world.ask(c.PayByCode("R1", 4120, WECHAT))
    journal(world, "R1", "REFUND_DUE")
    file_of(world, DAY, FileRow(Moved.CHARGED, "R1", "P1", 4120))
    assert run(world) == {"R1": "open_at_terminal"}
    world.clock.advance(days=5)
    said = c.PaymentRecord("R1", "REFUNDED", 4120, world.clock(), "")
    world.ask(c.Outbox((record(2, said, "payment"),)))
    file_of(world, DAY + timedelta(days=5), FileRow(Moved.REVERSED, "R1", "P1", 4120))
    assert run(world, DAY + timedelta(days=5)) == {}
    assert run(world) == {}, "its first day, matched again, knows of it"


def test_the_match_lets_terminals_write(world: World) -> None:
    """It reads for seconds: a charge must not wait for it, above all not on SQLite's one lock."""
    hospital = world.parts.gateway.hospital
    clock, other = world.clock, Store(str(world.parts.store.engine.url.render_as_string(False)))

    class Slow(type(hospital)):  # type: ignore[misc]
        def bookings(self, work: Work, first: date, last: date) -> Iterable[Booking]:
            fleet.add_terminal(other, "T3", clock())
            return super().bookings(work, first, last)  # type: ignore[no-any-return]

    slow = Slow(world.parts.knobs, world.parts.keys.sign, MORNING.tzinfo)
    assert reconcile.run(world.parts.store, slow, DAY, MORNING).found == ()
    other.close()
