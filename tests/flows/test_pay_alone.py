"""A bill paid by card while the hospital cannot be asked: against its signed word, by the saga."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kiosk.domain.bill import Split
from kiosk.flows.effects import BeginPayment, EndSession, KeepQuote, SetToday
from kiosk.flows.events import (
    BankCardInserted,
    CodeScanned,
    PadApproved,
    PadCompleted,
    PadDeclined,
    PadSilent,
)
from kiosk.flows.slips import PaymentSlip
from kiosk.views import Pay as PayPage
from kiosk.views import PaymentResult, Problem, Works
from tests.flows.people import DAY, RULES
from tests.flows.till import PAYER_CODE, Till, quote

AWAY = Works(hospital=False)
QUOTED = replace(RULES, offline_bills="quoted")
HELD = replace(quote(), person="P100", terminal="K03")


def alone(**more: Any) -> Till:
    return Till.open(**{"held": HELD, "works": AWAY, "rules": QUOTED, **more})


def charged() -> Till:
    """The card was taken; the booking could not be sent."""
    till = alone().touch("card")
    fen = till.payment.amount_fen
    return till.pay(PadApproved(till.payment.reference, fen, "trace 7")).fails(
        "settle", "unreachable"
    )


def test_the_bill_is_shown_exactly_as_quoted_and_only_a_card_is_offered() -> None:
    """The insurers' lines are the quote's own; no code can be made or charged without a line."""
    page = alone().page
    assert isinstance(page, PayPage)
    assert (page.basic_fen, page.serious_fen, page.aid_fen, page.own_fen) == (7130, 1600, 0, 4120)
    assert (page.url, page.scanning, page.card) == ("", False, True)
    assert alone().notice == "card_only_away"


@pytest.mark.parametrize("way", ["card", "inserted"])
def test_a_card_is_charged_the_quotes_own_part_by_the_saga(way: str) -> None:
    till = alone()
    till.tell(BankCardInserted()) if way == "inserted" else till.touch("card")
    begun = till.every(BeginPayment)[-1]
    assert (begun.method, begun.amount_fen, begun.quote) == ("card", 4120, HELD)
    assert till.orders() == ["ChargePad"], "nobody was asked for anything before"


@pytest.mark.parametrize("way", ["card", "inserted"])
def test_a_quote_that_ended_while_the_page_was_open_is_not_charged(way: str) -> None:
    """DESIGN §5: payable only while it is valid, and a page that is touched stays open."""
    till = alone()
    till.held = None  # past its end, by the store's time floor
    till.tell(BankCardInserted()) if way == "inserted" else till.touch("card")
    assert (till.page, till.orders()) == (Problem("hospital_away", True, "3"), [])


def test_another_quote_than_the_one_on_the_page_is_shown_before_it_is_charged() -> None:
    till = alone()
    till.held = replace(HELD, id="Q2", split=Split(7130, 1500, 0, 4220))
    till.touch("card")
    assert (till.page.own_fen, till.orders()) == (4220, [])
    assert till.touch("card").every(BeginPayment)[-1].amount_fen == 4220


def test_a_payers_code_is_not_taken() -> None:
    till = alone().tell(CodeScanned(PAYER_CODE))
    assert (till.notice, till.orders()) == ("card_only_away", [])


def test_charged_and_not_told_is_what_page_and_slip_say() -> None:
    """One of the four results (checking), in words that are true: nothing is settled."""
    till = charged()
    assert isinstance(till.page, PaymentResult)
    assert (till.page.result, till.page.unheard) == ("checking", True)
    slip = till.slips()[-1].slip
    assert isinstance(slip, PaymentSlip)
    assert (slip.result, slip.unheard, slip.window) == ("checking", True, "3")
    assert slip.split == HELD.split and slip.receipt_number == ""


def test_the_booking_is_asked_for_again_and_then_the_page_says_paid() -> None:
    till = charged()
    assert till.orders().count("Settle") == 1
    till.booked().pay(PadCompleted(till.payment.reference))
    assert (till.page.result, till.page.unheard) == ("settled", False)
    assert [one.slip.result for one in till.slips()] == ["checking", "settled"]  # type: ignore[union-attr]


def test_booked_and_a_pad_that_says_nothing_is_a_doubt_of_the_pad_not_of_the_hospital() -> None:
    till = charged().booked()
    till.pay(PadSilent(till.payment.reference))
    assert (till.page.result, till.page.unheard) == ("checking", False)


def test_what_the_hospital_then_refuses_is_given_back_or_owed_never_called_paid() -> None:
    """Paid at a window meanwhile: the saga reverses; the page's words follow it."""
    till = charged().refused()
    assert till.page.result == "checking" and not till.page.unheard
    assert till.orders()[-1] == "ReleasePad"


def test_a_card_that_is_declined_can_be_tried_again() -> None:
    till = alone().touch("card")
    till.pay(PadDeclined(till.payment.reference, "declined_funds"))
    assert till.page.result == "not_charged"
    till.touch("again", "card")
    assert len(till.every(BeginPayment)) == 2


@pytest.mark.parametrize("target", ["back", "quit", "end", "window"])
def test_leaving_unpaid_leaves_nothing_open(target: str) -> None:
    till = alone().touch(target)
    assert till.payments == [] and till.left
    assert (target == "end") == bool(till.every(EndSession))


@pytest.mark.parametrize(
    "more",
    [
        {"held": None},
        {"held": replace(HELD, bill_ids=("B1", "B2"))},
        {"held": replace(HELD, split=Split(8730, 4120, 0, 0))},
        {"rules": RULES},
        {"rules": replace(RULES, offline_bills="self_pay")},
        {"works": replace(AWAY, pad=False)},
        {"ways_in_doubt": frozenset({"pad"})},
    ],
    ids=[
        "no quote",
        "of other bills",
        "insurers' part alone",
        "never",
        "self_pay",
        "no pad",
        "in doubt",
    ],
)
def test_anything_less_sends_the_person_to_the_window(more: dict[str, Any]) -> None:
    till = alone(**more)
    assert isinstance(till.page, Problem) and till.page.code == "hospital_away"
    assert till.orders() == []


def test_a_bill_without_insurers_is_payable_under_self_pay() -> None:
    own = replace(HELD, split=Split(0, 0, 0, HELD.split.total_fen), insured=False)
    till = alone(held=own, rules=replace(RULES, offline_bills="self_pay"))
    assert till.page.own_fen == own.split.total_fen


def test_a_hospital_that_goes_away_while_it_is_asked_falls_back_on_its_word() -> None:
    till = alone(works=Works()).fails_quote()
    assert isinstance(till.page, PayPage) and till.notice == "card_only_away"


def test_a_hospital_that_refuses_is_not_away() -> None:
    till = alone(works=Works()).fails_quote("refused")
    assert isinstance(till.page, Problem)


def test_a_quote_is_kept_for_later_where_the_hospital_allows_it() -> None:
    till = Till.open(rules=QUOTED, today=DAY).quoted(HELD)
    assert [one.quote for one in till.every(KeepQuote)] == [HELD]
    assert [one.quote for one in till.every(SetToday)] == [HELD]
    assert Till.open(rules=RULES).quoted(HELD).every(KeepQuote) == []
