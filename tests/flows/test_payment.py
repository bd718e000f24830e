"""Payments as stories: what pad, provider and hospital say, and how each attempt ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from kiosk.flows.effects import KeepMove, ReleasePad, Wake
from kiosk.flows.payment import DELAYS_S, UNCLEAR_MAX
from kiosk.hospital.contract import PayByCode, Settled, SettlementNotFound, SettleRefused
from tests.flows import payments as p
from tests.flows.payments import Told, attempt, charge, failed, recalled, replied, woke


@dataclass(frozen=True)
class Story:
    """`moves` after SENT, `orders` after the first one, each in one line."""

    name: str
    events: tuple[Any, ...]
    moves: str
    orders: str


def told(story: Story, method: Any) -> Told:
    return Told.begin(attempt(method)).tell(*story.events)


def ids(stories: tuple[Story, ...]) -> list[str]:
    return [story.name for story in stories]


CARD = (
    Story(
        "approved and booked",
        (p.APPROVED, p.BOOKED, p.COMPLETED),
        "PAID BOOKING SETTLED",
        "Settle CompletePad",
    ),
    Story("declined by the bank", (p.DECLINED,), "DECLINED", ""),
    Story("cancelled at the pad", (p.GIVEN_UP, p.CANCELLED), "DECLINED", "CancelPad"),
    Story(
        "given up too late: the pad had approved",
        (p.GIVEN_UP, p.APPROVED, p.BOOKED, p.COMPLETED),
        "PAID BOOKING SETTLED",
        "CancelPad Settle CompletePad",
    ),
    Story(
        "silent, then the pad knows nothing of it",
        (p.SILENT, recalled("none")),
        "UNKNOWN DECLINED",
        "RecallPad",
    ),
    Story(
        "silent, then it turns out to be held",
        (p.SILENT, p.UNREACHABLE, woke("ask"), recalled("held"), p.BOOKED, p.COMPLETED),
        "UNKNOWN PAID BOOKING SETTLED",
        "RecallPad RecallPad Settle CompletePad",
    ),
    Story(
        "silent, then it turns out to be taken for good",
        (p.SILENT, recalled("completed"), p.BOOKED),
        "UNKNOWN PAID BOOKING SETTLED",
        "RecallPad Settle",
    ),
    Story(
        "silent, then the pad had given it back",
        (p.SILENT, recalled("reversed")),
        "UNKNOWN DECLINED",
        "RecallPad",
    ),
    Story(
        "silent, unclear, then clear",
        (p.SILENT, recalled("unclear"), woke("ask"), recalled("none")),
        "UNKNOWN DECLINED",
        "RecallPad RecallPad",
    ),
    Story(
        "refused by the hospital, given back by the pad",
        (p.APPROVED, p.REFUSED, p.RELEASED),
        "PAID BOOKING HIS_REJECTED REVERSING REVERSED",
        "Settle ReleasePad",
    ),
    Story(
        "refused, and the release is not answered",
        (p.APPROVED, p.REFUSED, p.SILENT, woke("recall"), recalled("held"), p.RELEASED),
        "PAID BOOKING HIS_REJECTED REVERSING REVERSED",
        "Settle ReleasePad RecallPad ReleasePad",
    ),
    Story(
        "refused after the pad had kept the money: owed",
        (p.APPROVED, p.LOST, woke("hold_limit"), p.COMPLETED, p.REFUSED, recalled("completed")),
        "PAID BOOKING HIS_UNKNOWN HIS_REJECTED REVERSING REFUND_DUE",
        "Settle CompletePad RecallPad",
    ),
    Story(
        "the hospital does not answer for long, then has booked",
        (p.APPROVED, p.LOST, woke("ask"), p.LOST, woke("ask"), p.BOOKED, p.COMPLETED),
        "PAID BOOKING HIS_UNKNOWN SETTLED",
        "Settle Settle Settle CompletePad",
    ),
    Story(
        "held too long: kept, and booked later",
        (p.APPROVED, p.LOST, woke("hold_limit"), p.COMPLETED, woke("ask"), p.BOOKED),
        "PAID BOOKING HIS_UNKNOWN SETTLED",
        "Settle CompletePad Settle",
    ),
    Story(
        "held too long, and keeping it needs a second word",
        (
            *(p.APPROVED, p.LOST, woke("hold_limit"), p.UNREACHABLE, woke("recall")),
            *(recalled("held"), p.COMPLETED, woke("ask"), p.BOOKED),
        ),
        "PAID BOOKING HIS_UNKNOWN SETTLED",
        "Settle CompletePad RecallPad CompletePad Settle",
    ),
    Story(
        "the hold limit of a payment that is being given back says nothing",
        (p.APPROVED, p.REFUSED, p.UNREACHABLE, woke("hold_limit"), woke("recall"), p.RELEASED),
        "PAID BOOKING HIS_REJECTED REVERSING REVERSED",
        "Settle ReleasePad RecallPad",
    ),
    Story(
        "the pad gives the money back while the hospital is unknown: nothing is booked",
        (p.APPROVED, p.LOST, p.RELEASED, failed("settlement"), woke("ask"), p.NOT_FOUND),
        "PAID BOOKING HIS_UNKNOWN HIS_REJECTED REVERSING REVERSED",
        "Settle QuerySettlement QuerySettlement",
    ),
    Story(
        "the pad gives the money back, and the hospital has booked",
        (p.APPROVED, p.RELEASED, replied("settlement", Settled(p.REF, "R1"))),
        "PAID BOOKING HIS_UNKNOWN MANUAL",
        "Settle QuerySettlement",
    ),
    Story(
        "booked, and then the pad had given it back",
        (p.APPROVED, p.BOOKED, p.UNREACHABLE, woke("recall"), recalled("reversed")),
        "PAID BOOKING HIS_UNKNOWN MANUAL",
        "Settle CompletePad RecallPad",
    ),
    Story(
        "the second phase is not answered: asked, not sent again",
        (p.APPROVED, p.BOOKED, p.SILENT, woke("recall"), recalled("completed")),
        "PAID BOOKING HIS_UNKNOWN SETTLED",
        "Settle CompletePad RecallPad",
    ),
    Story(
        "held for another amount: given back",
        (p.OTHER_AMOUNT, p.RELEASED),
        "UNKNOWN DECLINED",
        "ReleasePad",
    ),
    Story(
        "held for another amount, said twice",
        (p.OTHER_AMOUNT, p.OTHER_AMOUNT, p.RELEASED),
        "UNKNOWN DECLINED",
        "ReleasePad ReleasePad",
    ),
    Story(
        "another amount, and the pad kept it",
        (p.OTHER_AMOUNT, p.COMPLETED),
        "UNKNOWN MANUAL",
        "ReleasePad",
    ),
    Story(
        "silent, then taken for another amount",
        (p.SILENT, recalled("completed", p.FEN + 1)),
        "UNKNOWN MANUAL",
        "RecallPad",
    ),
)


@pytest.mark.parametrize("story", CARD, ids=ids(CARD))
def test_a_card_payment_ends_as_pad_and_hospital_say(story: Story) -> None:
    """Rows 61 and 63: the four results, each from what the ledgers say."""
    end = told(story, "card")
    assert end.moves == ["SENT", *story.moves.split()]
    assert end.orders == ["ChargePad", *story.orders.split()]
    assert end.payment.final


CODE = (
    Story(
        "paid and booked", (charge("charge", "paid"), p.BOOKED), "PAID BOOKING SETTLED", "Settle"
    ),
    Story("declined by the provider", (charge("charge", "declined"),), "DECLINED", ""),
    Story("never sent", (failed("charge", "unreachable"),), "DECLINED", ""),
    Story(
        "password typed, then paid",
        (charge("charge", "waiting"), woke("poll"), charge("query", "paid"), p.BOOKED),
        "PAID BOOKING SETTLED",
        "QueryCharge Settle",
    ),
    Story(
        "password never typed: closed",
        (charge("charge", "waiting"), woke("give_up_waiting"), charge("close", "closed")),
        "DECLINED",
        "CloseOrder",
    ),
    Story(
        "paid at the very moment of closing",
        (charge("charge", "waiting"), woke("give_up_waiting"), charge("close", "paid"), p.BOOKED),
        "PAID BOOKING SETTLED",
        "CloseOrder Settle",
    ),
    Story(
        "no answer to the charge: asked about, found paid",
        (failed("charge"), charge("query", "paid"), p.BOOKED),
        "UNKNOWN PAID BOOKING SETTLED",
        "QueryCharge Settle",
    ),
    Story(
        "no answer, and the provider has never heard of it: closed before it counts",
        (failed("charge"), charge("query", "not_found"), charge("close", "closed")),
        "UNKNOWN DECLINED",
        "QueryCharge CloseOrder",
    ),
    Story(
        "the provider does not say, for long",
        (
            *(charge("charge", "unknown"), charge("query", "unknown"), woke("ask")),
            *(charge("query", "unknown"), woke("ask"), charge("query", "paid"), p.BOOKED),
        ),
        "UNKNOWN PAID BOOKING SETTLED",
        "QueryCharge QueryCharge QueryCharge Settle",
    ),
    Story(
        "closing is not answered either: a doubt, and asked again",
        (
            *(charge("charge", "waiting"), woke("give_up_waiting"), failed("close")),
            *(failed("close"), woke("ask"), charge("close", "paid"), p.BOOKED),
        ),
        "UNKNOWN PAID BOOKING SETTLED",
        "CloseOrder CloseOrder CloseOrder Settle",
    ),
    Story(
        "refused by the hospital: reversed",
        (charge("charge", "paid"), p.REFUSED, woke("reverse"), charge("reverse", "reversed")),
        "PAID BOOKING HIS_REJECTED REVERSING REVERSED",
        "Settle ReverseCharge",
    ),
    Story(
        "refused, and the reversal is asked for until it is answered",
        (
            *(charge("charge", "paid"), p.REFUSED, woke("reverse"), failed("reverse")),
            *(woke("reverse"), charge("reverse", "unknown"), woke("reverse")),
            charge("reverse", "reversed"),
        ),
        "PAID BOOKING HIS_REJECTED REVERSING REVERSED",
        "Settle ReverseCharge ReverseCharge ReverseCharge",
    ),
    Story(
        "the provider will not reverse: owed",
        (charge("charge", "paid"), p.REFUSED, woke("reverse"), charge("reverse", "paid")),
        "PAID BOOKING HIS_REJECTED REVERSING REFUND_DUE",
        "Settle ReverseCharge",
    ),
    Story(
        "what the provider knows no more is owed, not returned",
        (charge("charge", "paid"), p.REFUSED, woke("reverse"), charge("reverse", "not_found")),
        "PAID BOOKING HIS_REJECTED REVERSING REFUND_DUE",
        "Settle ReverseCharge",
    ),
    Story(
        "the timer of a payer who did not come reverses nothing before its time",
        (charge("charge", "paid"), p.REFUSED, woke("give_up_waiting"), woke("poll")),
        "PAID BOOKING HIS_REJECTED REVERSING",
        "Settle",
    ),
    Story(
        "a late answer to an inquiry is no answer to the reversal",
        (charge("charge", "paid"), p.REFUSED, charge("query", "paid"), charge("close", "waiting")),
        "PAID BOOKING HIS_REJECTED REVERSING",
        "Settle",
    ),
    Story(
        "another amount was taken: a person decides",
        (charge("charge", "paid", p.FEN - 1),),
        "UNKNOWN MANUAL",
        "",
    ),
)


@pytest.mark.parametrize("story", CODE, ids=ids(CODE))
def test_a_payers_code_ends_as_provider_and_hospital_say(story: Story) -> None:
    """Row 63: WeChat, Alipay and UnionPay codes scanned here."""
    end = told(story, "payer_code")
    assert end.moves == ["SENT", *story.moves.split()]
    assert end.orders == ["PayByCode", *story.orders.split()]
    assert end.payment.final == (story.moves.split()[-1] in p.saga.FINAL)


SHOWN = (
    Story(
        "scanned by a phone and paid",
        (p.OPENED, woke("poll"), charge("query", "paid"), p.BOOKED),
        "PAID BOOKING SETTLED",
        "QueryCharge Settle",
    ),
    Story(
        "nobody pays it: closed",
        (p.OPENED, woke("poll"), charge("query", "waiting"), p.GIVEN_UP, charge("close", "closed")),
        "DECLINED",
        "QueryCharge CloseOrder",
    ),
    Story(
        "paid at the moment of closing",
        (p.OPENED, p.GIVEN_UP, charge("close", "paid"), p.BOOKED),
        "PAID BOOKING SETTLED",
        "CloseOrder Settle",
    ),
    Story("could not be opened", (failed("order", "unreachable"),), "DECLINED", ""),
    Story(
        "nobody knows whether it was opened: closed, and shown to nobody",
        (failed("order"), charge("close", "closed"), p.OPENED),
        "DECLINED",
        "CloseOrder",
    ),
    Story(
        "given up before it was opened: the late code is not shown",
        (p.GIVEN_UP, p.OPENED, charge("close", "closed")),
        "DECLINED",
        "CloseOrder",
    ),
    Story(
        "polled while the line is broken, then paid",
        (p.OPENED, woke("poll"), failed("query"), woke("ask"), charge("query", "paid"), p.BOOKED),
        "PAID BOOKING SETTLED",
        "QueryCharge QueryCharge Settle",
    ),
)


@pytest.mark.parametrize("story", SHOWN, ids=ids(SHOWN))
def test_a_shown_code_ends_as_provider_and_hospital_say(story: Story) -> None:
    """Row 64: the code on the screen that a phone scans."""
    end = told(story, "shown_code")
    assert end.moves == ["SENT", *story.moves.split()]
    assert end.orders == ["OpenOrder", *story.orders.split()]
    assert end.payment.final


def test_a_code_that_came_after_turning_away_is_not_shown() -> None:
    told = Told.begin(attempt("shown_code")).tell(p.GIVEN_UP, p.OPENED)
    assert told.payment.url == ""
    assert Told.begin(attempt("shown_code")).tell(p.OPENED).payment.url != ""


def test_nothing_to_pay_is_booked_without_asking_for_money() -> None:
    """Row 61: the insurers pay all of it; one press, and it is settled."""
    end = Told.begin(attempt("shown_code", amount_fen=0)).tell(p.BOOKED)
    assert end.orders == ["Settle"]
    assert end.moves == ["SENT", "PAID", "BOOKING", "SETTLED"]


def test_nothing_to_pay_and_refused_gives_nothing_back() -> None:
    end = Told.begin(attempt("shown_code", amount_fen=0)).tell(p.REFUSED)
    assert end.orders == ["Settle"]
    assert end.moves[-1] == "REVERSED"


def test_an_attempt_is_durable_before_its_first_word() -> None:
    done = [type(effect).__name__ for effect in Told.begin(attempt("card")).done]
    assert done == ["KeepPayment", "KeepMove", "ChargePad"]


def test_the_payers_code_is_sent_and_not_kept() -> None:
    begun = Told.begin(attempt("payer_code"))
    request = next(e.request for e in begun.done if p.order_of(e) == "PayByCode")
    assert isinstance(request, PayByCode) and request.code == p.PAYER_CODE
    kept = repr([begun.payment, begun.done]) + begun.payment.payer_code
    assert p.PAYER_CODE not in kept
    assert begun.done[0].payment.payer_code == ""  # type: ignore[union-attr]


# --- whose answer is it?


@pytest.mark.parametrize(
    ("method", "before", "foreign"),
    [
        ("payer_code", (), charge("charge", "paid", reference=p.OTHER)),
        ("payer_code", (charge("charge", "waiting"),), charge("query", "declined", 0, p.OTHER)),
        ("shown_code", (p.OPENED,), replied("query", Settled(p.REF, "R1"))),
        ("card", (p.APPROVED,), replied("settle", Settled(p.OTHER, "R1"))),
        ("card", (p.APPROVED,), replied("settle", SettleRefused(p.OTHER, "hold_ended"))),
        ("card", (p.APPROVED,), replied("settle", SettlementNotFound(p.OTHER))),
        (
            "payer_code",
            (charge("charge", "paid"), p.REFUSED),
            charge("reverse", "reversed", 1, p.OTHER),
        ),
    ],
    ids=lambda value: type(value.reply).__name__ if hasattr(value, "reply") else str(value)[:12],
)
def test_a_foreign_answer_is_applied_to_nobody_and_the_question_is_asked_again(
    method: Any, before: tuple[Any, ...], foreign: Any
) -> None:
    told = Told.begin(attempt(method)).tell(*before)
    at = told.payment.at
    told.tell(foreign)
    assert told.payment.at in (at, "UNKNOWN", "HIS_UNKNOWN") and not told.payment.final
    assert told.payment.settled is None
    assert told.waits().keys() & {"ask", "reverse"}, "nobody would ask again"


@pytest.mark.parametrize(
    "event", [p.APPROVED, p.DECLINED, p.SILENT, p.COMPLETED, p.RELEASED, recalled("none")]
)
def test_a_pads_word_about_a_code_changes_nothing(event: Any) -> None:
    told = Told.begin(attempt("shown_code")).tell(p.OPENED)
    before = told.payment
    told.tell(event)
    assert told.payment == before
    assert told.evidence == ["foreign_answer"]


@pytest.mark.parametrize(
    ("end", "late", "cause"),
    [
        ((p.DECLINED,), p.APPROVED, "money_after_end"),
        ((p.SILENT, recalled("none")), recalled("completed"), "money_after_end"),
        ((p.APPROVED, p.REFUSED, p.RELEASED), p.COMPLETED, "money_after_end"),
        ((p.APPROVED, p.REFUSED, p.RELEASED), p.BOOKED, "booked_after_end"),
        ((p.DECLINED,), p.DECLINED, ""),
        ((p.APPROVED, p.BOOKED, p.COMPLETED), p.APPROVED, ""),
        ((p.APPROVED, p.BOOKED, p.COMPLETED), p.BOOKED, ""),
    ],
)
def test_after_the_end_only_a_contradiction_is_kept(
    end: tuple[Any, ...], late: Any, cause: str
) -> None:
    told = Told.begin(attempt("card")).tell(*end)
    ended, count = told.payment, len(told.orders)
    told.tell(late)
    assert told.payment == ended and len(told.orders) == count
    assert told.evidence == ([cause] if cause else [])


def test_a_booking_heard_of_while_money_goes_back_is_kept_as_evidence() -> None:
    told = Told.begin(attempt("card")).tell(p.APPROVED, p.REFUSED, p.BOOKED)
    assert told.evidence == ["booked_after_refusal"]
    assert told.payment.at == "REVERSING"


# --- how long, how often


def test_the_pauses_between_inquiries_grow_and_end_at_half_a_minute() -> None:
    told = Told.begin(attempt("card")).tell(p.SILENT)
    for _ in range(6):
        told.tell(p.UNREACHABLE)
    pauses = [e.after_s for e in told.done if isinstance(e, Wake) and e.name.endswith(":ask")]
    assert pauses == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_a_code_is_reversed_fifteen_seconds_after_the_refusal_at_the_earliest() -> None:
    """WeChat's minimum between payment and reversal (RELIABILITY §2.3)."""
    told = Told.begin(attempt("payer_code")).tell(charge("charge", "paid"), p.REFUSED)
    assert told.waits()["reverse"] == DELAYS_S["reverse_not_before"] == 15.0
    assert "ReverseCharge" not in told.orders


@pytest.mark.parametrize(
    ("before", "end"),
    [
        ((p.SILENT,), "MANUAL"),
        ((p.APPROVED, p.BOOKED, p.SILENT), "MANUAL"),
        ((p.APPROVED, p.REFUSED, p.SILENT), "REFUND_DUE"),
    ],
)
def test_a_pad_that_proves_nothing_is_a_persons_case_in_the_end(
    before: tuple[Any, ...], end: str
) -> None:
    told = Told.begin(attempt("card")).tell(*before, *[recalled("unclear")] * (UNCLEAR_MAX - 1))
    assert not told.payment.final
    told.tell(recalled("unclear"))
    assert told.payment.at == end
    assert [record.key for record in told.queued] == [f"{p.REF}-{end}"]


def test_finance_hears_of_a_refund_that_is_due_with_its_reason() -> None:
    told = Told.begin(attempt("payer_code")).tell(
        charge("charge", "paid"), p.REFUSED, woke("reverse"), charge("reverse", "paid")
    )
    [record] = told.queued
    assert (record.kind, record.body.state) == ("payment", "REFUND_DUE")
    assert record.body.amount_fen == p.FEN and "will not reverse" in record.body.evidence


# --- restart


RESTARTS = (
    ("INTENT", "card", "DECLINED", "", ()),
    ("SENT", "card", "UNKNOWN", "RecallPad", (recalled("none"),)),
    ("SENT", "payer_code", "UNKNOWN", "CloseOrder", (charge("close", "declined"),)),
    ("SENT", "shown_code", "UNKNOWN", "CloseOrder", (charge("close", "closed"),)),
    ("UNKNOWN", "card", "", "RecallPad", (recalled("held"), p.BOOKED, p.COMPLETED)),
    ("UNKNOWN", "payer_code", "", "CloseOrder", (charge("close", "paid"), p.BOOKED)),
    ("UNKNOWN", "shown_code", "", "CloseOrder", (charge("close", "paid"), p.BOOKED)),
    ("PAID", "card", "BOOKING", "RecallPad", (recalled("held"), p.BOOKED, p.COMPLETED)),
    ("PAID", "payer_code", "BOOKING", "Settle", (p.BOOKED,)),
    ("BOOKING", "card", "HIS_UNKNOWN", "RecallPad", (recalled("completed"), p.BOOKED)),
    ("BOOKING", "shown_code", "HIS_UNKNOWN", "Settle", (p.BOOKED,)),
    ("HIS_UNKNOWN", "card", "", "RecallPad", (recalled("reversed"), p.NOT_FOUND)),
    ("HIS_UNKNOWN", "payer_code", "", "Settle", (p.LOST, woke("ask"), p.BOOKED)),
    ("HIS_REJECTED", "card", "REVERSING", "RecallPad", (recalled("held"), p.RELEASED)),
    (
        "HIS_REJECTED",
        "payer_code",
        "REVERSING",
        "",
        (woke("reverse"), charge("reverse", "reversed")),
    ),
    ("REVERSING", "card", "", "RecallPad", (recalled("reversed"),)),
    ("REVERSING", "shown_code", "", "", (woke("reverse"), charge("reverse", "reversed"))),
)


@pytest.mark.parametrize(
    ("at", "method", "moves", "orders", "then"),
    RESTARTS,
    ids=[f"{row[0]} {row[1]}" for row in RESTARTS],
)
def test_a_restart_settles_what_was_open_by_asking(
    at: Any, method: Any, moves: str, orders: str, then: tuple[Any, ...]
) -> None:
    found = attempt(method, at=at, completed=method != "card", evidence="trace 7")
    told = Told.recover(found)
    assert told.moves == moves.split()
    assert told.orders == orders.split()
    told.tell(*then)
    assert told.payment.final
    assert not {"ChargePad", "PayByCode", "OpenOrder"} & set(told.orders)
    assert p.forbidden(at, told.moves) == ""


@pytest.mark.parametrize("at", sorted(p.saga.FINAL))
def test_a_restart_leaves_what_has_ended(at: Any) -> None:
    assert Told.recover(attempt("card", at=at)).done == []


def test_after_a_restart_the_hospital_is_asked_to_book_only_what_the_pad_still_has() -> None:
    """The pad gave the money back while nobody watched: booking it would be unpaid."""
    told = Told.recover(attempt("card", at="BOOKING", evidence="trace 7"))
    told.tell(recalled("reversed"), p.NOT_FOUND)
    assert "Settle" not in told.orders
    assert told.moves[-1] == "REVERSED"


def test_a_release_for_another_amount_is_ordered_before_anything_is_booked() -> None:
    told = Told.begin(attempt("card")).tell(p.OTHER_AMOUNT)
    assert isinstance(told.done[-1], ReleasePad)
    assert "Settle" not in told.orders


# --- what finance is told


EVERY_END = (
    *((story, "card") for story in CARD),
    *((story, "payer_code") for story in CODE),
    *((story, "shown_code") for story in SHOWN),
)


@pytest.mark.parametrize(("story", "method"), EVERY_END, ids=[story.name for story, _ in EVERY_END])
def test_each_end_is_told_to_finance_once_in_its_own_step(story: Story, method: Any) -> None:
    """Settled, declined, reversed, owed or in a person's hands, together with the end's move."""
    told = Told.begin(attempt(method)).tell(*story.events)
    end = told.payment.at
    assert [record.key for record in told.queued] == [f"{p.REF}-{end}"] * told.payment.final
    for record in told.queued:
        assert (record.body.reference, record.body.state) == (p.REF, end)
        assert (record.body.amount_fen, record.body.at) == (p.FEN, told.payment.begun)
        at = told.done.index(record)
        assert told.done[at - 1] == KeepMove(p.REF, end, record.body.evidence)  # type: ignore[arg-type]
