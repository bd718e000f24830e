"""Stories of looking things up: behind a curtain, and on paper when asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from kiosk.domain.bill import Bill, BillLine
from kiosk.flows.effects import AskTrail, PrintSlip
from kiosk.flows.events import Touched
from kiosk.flows.slips import AccountSlip, TrailLine, TrailSlip
from kiosk.hospital.contract import Account
from tests.flows.people import BILL, DAY, LI_CARD, NOW, WANG, WANG_NUMBER
from tests.flows.walk import Walk

STAY = Bill(
    "B2",
    "住院",
    (
        BillLine("床位费", 1, 8000, date(2026, 11, 20)),
        BillLine("床位费", 1, 8000, date(2026, 11, 21)),
    ),
    paid=True,
)
LINES = (TrailLine(NOW, "person_identified"), TrailLine(NOW, "check_in_begun"))


def inquiring(**scene: object) -> Walk:
    return Walk.at("home", person=WANG, today=DAY, **scene).touch("tile:inquire")


def covered() -> Walk:
    return inquiring().touch("choose:account").reply(Account((BILL, STAY)))


def test_accounts_lie_behind_a_curtain_for_twenty_seconds() -> None:
    """Rows 73, 114, U13."""
    walk = covered()
    assert walk.page.open_left_s == 0
    assert walk.touch("curtain").page.open_left_s == 20
    assert walk.later(5).page.open_left_s == 15
    assert walk.wake("curtain").page.open_left_s == 0


def test_nothing_behind_the_curtain_can_be_touched() -> None:
    walk = covered().tell(Touched("bill:B1"))
    assert walk.every(PrintSlip) == []


def test_an_itemised_list_is_printed_on_request() -> None:
    """Row 73: itemised, an inpatient's by day; the newest first."""
    walk = covered().touch("curtain")
    assert [card.id for card in walk.page.bills] == ["B2", "B1"]
    walk.touch("bill:B2")
    slip = walk.last(PrintSlip).slip
    assert slip == AccountSlip(slip.number, "王*兰", STAY)
    assert (walk.page.what, walk.page.slip_number) == ("list_printed", slip.number)
    assert walk.audits()[-1] == ("list_printed", "")
    assert walk.slips_printed().page.slip == "printed"


def test_four_bills_a_page() -> None:
    bills = tuple(replace(BILL, id=f"B{at}") for at in range(6))
    walk = inquiring().touch("choose:account").reply(Account(bills)).touch("curtain")
    assert (len(walk.page.bills), walk.page.of) == (4, 2)
    assert len(walk.touch("following").page.bills) == 2


def test_ones_own_trail_is_printed_offline_too() -> None:
    """Row 112: a patient prints what was done in their name."""
    walk = inquiring().touch("choose:trail")
    assert walk.last(AskTrail).person == WANG_NUMBER
    slip = walk.reply(LINES).last(PrintSlip).slip
    assert slip == TrailSlip(slip.number, "王*兰", LINES)
    assert (walk.page.what, walk.audits()[-1]) == ("trail_printed", ("trail_printed", ""))


def test_a_long_trail_prints_its_end() -> None:
    walk = inquiring().touch("choose:trail").reply(LINES * 100)
    assert len(walk.last(PrintSlip).slip.lines) == 60


def test_reports_are_one_touch_away() -> None:
    """Row 76."""
    assert inquiring().touch("choose:reports").flow == "print_reports"


def test_without_the_hospital_accounts_are_away_and_said() -> None:
    walk = inquiring().touch("choose:account").fail()
    assert walk.page.code == "hospital_away"
    assert walk.touch("again").page.page == "inquiry"


def test_no_account_is_said() -> None:
    assert inquiring().touch("choose:account").reply(Account(())).notice == "no_accounts"


def test_another_persons_card_closes_the_curtain() -> None:
    """Row 114."""
    walk = covered().touch("curtain").lay(LI_CARD)
    assert (walk.page.open_left_s, walk.notice) == (0, "other_persons_card")


def test_a_second_tap_prints_one_list() -> None:
    walk = covered().touch("curtain", "bill:B1").tell(Touched("bill:B1"))
    assert len(walk.every(PrintSlip)) == 1


def test_nobody_known_is_asked_who_they_are() -> None:
    assert Walk.at("inquire", None).flow == "identify"
