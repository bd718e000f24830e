"""A whole terminal without its hospital: from card to paper, over crashes, to the booking."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kiosk.domain.bill import Quote
from kiosk.domain.visit import Department
from kiosk.flows.effects import ChargePad, PrintSlip
from kiosk.flows.events import CardRead, PadApproved, PadCompleted, PadRecalled, SlipPrinted
from kiosk.flows.slips import LentSlip
from kiosk.hospital.contract import (
    AskToday,
    Charge,
    CloseOrder,
    GrantLease,
    Identify,
    Lease,
    OpenOrder,
    OrderOpened,
    PreSettle,
    Quoted,
    Settle,
    Settled,
)
from kiosk.owned import Wish
from kiosk.ports import AskHospital, HospitalStood, NumbersStood
from kiosk.records import StoreRecords
from kiosk.views import Finished, PaymentResult
from tests.engine.desk import Desk
from tests.flows.people import LI_CARD, NOW, RULES, SLOTS, WANG_CARD
from tests.flows.till import quote
from tests.kiosk.test_owned import PUBLIC, signed

CARDIO = Department("D1", "心内科", "Cardiology", 3, 5)


def lend(records: StoreRecords, numbers: int = 3) -> None:
    """The gateway's answer, as the sender's thread keeps it."""
    ask = GrantLease("L1", "D1", NOW.date(), numbers)
    slot = SLOTS[0]
    lease = Lease("L1", slot, 4, numbers, slot.ends, ("A014", "A015", "A016")[:numbers])
    records.owned.answered(Wish(ask, CARDIO), lease)


@pytest.fixture
def away(desk: Desk) -> Desk:
    """Three numbers at hand, and the gateway gone."""
    lend(desk.records)
    return desk.tell(NumbersStood(3), HospitalStood(False))


def lay(desk: Desk, card: Any = LI_CARD) -> Desk:
    desk.tell(CardRead(card))
    return desk.answer(Identify, why="unreachable")


def register(desk: Desk) -> Desk:
    return lay(desk).touch("next", "department:D1", "slot:S9", "confirm")


def registrations(desk: Desk) -> list[str]:
    """Keys of what waits for the hospital."""
    return [key for key in desk.records.sending.waiting_keys() if key.endswith("-lent")]


def test_a_stranger_lays_a_card_and_walks_away_with_a_number(away: Desk) -> None:
    """T7: on no list, without a hospital, in four touches; the count on the first page falls."""
    register(away)
    slip = away.last(PrintSlip)
    assert isinstance(slip.slip, LentSlip)
    assert (slip.slip.ticket.number, slip.slip.fee_fen) == ("A014", 2500)
    away.tell(SlipPrinted(slip.job))
    assert isinstance(away.page, Finished) and away.page.slip == "printed"
    assert (len(registrations(away)), away.frame.works.numbers) == (1, 2)
    away.touch("end")
    assert [one.left for one in away.page.on_site] == [2]


def test_a_core_that_is_killed_before_the_paper_gives_the_same_number_again(away: Desk) -> None:
    """Given, written down, killed: who comes back is not given a second one, and gets the paper."""
    register(away)
    away.restart()
    away.tell(NumbersStood(2), HospitalStood(False))
    register(away)
    slips = [one for one in away.orders(PrintSlip) if isinstance(one.slip, LentSlip)]
    assert [one.slip.ticket.number for one in slips] == ["A014", "A014"]
    assert [one.copy for one in slips] == [False, True]
    assert len(registrations(away)) == 1


def test_the_last_number_is_given_to_one_of_two(desk: Desk) -> None:
    lend(desk.records, numbers=1)
    desk.tell(NumbersStood(1), HospitalStood(False))
    register(desk).touch("end")
    lay(desk, WANG_CARD)
    assert desk.page.page == "problem", "no number, no promise"
    assert desk.frame.works.numbers == 0


def test_nothing_of_the_person_is_left_after_the_session(away: Desk) -> None:
    """Row 114: the card that named them goes with them."""
    register(away).touch("end")
    session = away.engine._session
    assert (session.person, session.by_card, session.quote) == (None, None, None)
    assert LI_CARD.number not in repr(vars(session))


# --- a bill against the hospital's signed word ---------------------------------------------------


@pytest.fixture
def till(tmp_path: Path) -> Iterator[Desk]:
    """A hospital that allows own parts against its quotes; its key is pinned by the profile."""
    rules = replace(RULES, offline_bills="quoted")
    desk = Desk(tmp_path, rules=rules, quote_key=PUBLIC)
    yield desk
    desk.records.close()


def told(desk: Desk) -> Quote:
    """The bill was priced here, looked at and left; then the line broke."""
    one = signed(replace(quote(), person="P100", terminal="K03"))
    desk.lay().touch("task:pay").answer(PreSettle, Quoted(one))
    desk.answer(OpenOrder, OrderOpened("https://pay.demo.invalid/o/1")).touch("back")
    closed = desk.asked(CloseOrder).request.reference
    desk.answer(CloseOrder, Charge(closed, "closed")).touch("end")
    desk.tell(HospitalStood(False))
    return one


def charge(desk: Desk) -> str:
    """The same person again, without the hospital, by card."""
    lay(desk, WANG_CARD).touch("next", "card")
    reference: str = desk.last(ChargePad).reference
    desk.tell(PadApproved(reference, 4120, "trace 7")).answer(Settle, why="unreachable")
    return reference


def test_a_quoted_bill_is_charged_now_and_booked_when_the_hospital_answers(till: Desk) -> None:
    """DESIGN §5: the booking follows by asking; the page says charged, not yet told."""
    told(till)
    reference = charge(till)
    assert isinstance(till.page, PaymentResult)
    assert (till.page.result, till.page.unheard) == ("checking", True)
    till.pass_s(46)  # the pad would give it back by itself: it is told to keep it
    till.tell(PadCompleted(reference))
    till.answer(Settle, Settled(reference, "R1"))
    assert till.records.payment_state(reference) == "SETTLED"
    assert len(till.orders(ChargePad)) == 1


def test_it_is_booked_after_a_restart_too_and_charged_once(till: Desk) -> None:
    told(till)
    reference = charge(till)
    log = till.restart()
    assert not [one for one in log if isinstance(one, ChargePad)]
    till.tell(PadRecalled(reference, "completed", 4120, "trace 7"))
    till.answer(Settle, Settled(reference, "R1"))
    assert till.records.payment_state(reference) == "SETTLED"


def test_the_quote_is_used_up_and_the_same_bill_is_not_offered_again(till: Desk) -> None:
    """Single use: not while it is booked, not after, whatever the list says."""
    told(till)
    charge(till)
    till.touch("end")
    lay(till, WANG_CARD)
    assert till.page.page == "problem", "nothing is known any more that could be paid"
    assert len(till.orders(ChargePad)) == 1


def test_a_quote_that_has_ended_is_not_payable(till: Desk) -> None:
    told(till)
    till.clock.pass_s(timedelta(minutes=31).total_seconds())
    lay(till, WANG_CARD)
    assert till.page.page == "problem"


def test_a_hospital_that_answers_is_asked_and_not_its_old_word(till: Desk) -> None:
    told(till)
    till.tell(HospitalStood(True)).tell(CardRead(WANG_CARD))
    asked = [type(one.request) for one in till.orders(AskHospital)[-1:]]
    assert asked == [Identify]
    assert AskToday not in asked
