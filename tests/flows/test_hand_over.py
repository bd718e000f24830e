"""Stories of 去窗口: a slip with a number, whatever works or does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kiosk.flows.effects import HandOver, PrintSlip
from kiosk.flows.events import SlipFailed
from kiosk.hospital.contract import HandOverRecord
from kiosk.views import Works
from tests.flows.people import DAY, NOW, WANG
from tests.flows.walk import Walk


@pytest.mark.parametrize("hospital", [True, False])
def test_the_slip_and_the_record_carry_the_same_number(hospital: bool) -> None:
    """Row 103: the window goes on where the terminal stopped; works offline."""
    works = Works(hospital=hospital)
    order = HandOver("pay", 4120, "K03-261122-8K42")
    walk = Walk.at("hand_over", order, person=WANG, today=DAY, works=works)
    slip = walk.last(PrintSlip).slip
    (queued,) = walk.queued()
    assert queued.body == HandOverRecord(slip.number, NOW, "P100", "pay", "K03-261122-8K42", 4120)
    assert (slip.who, slip.window, slip.amount_fen) == ("王*兰", "3", 4120)
    assert (walk.page.what, walk.page.slip_number) == ("handed_over", slip.number)
    assert walk.pending == []


@pytest.mark.parametrize("purpose", ["register", "check_in", "reports", "other", "identify"])
def test_all_but_money_goes_to_the_desk(purpose: str) -> None:
    assert Walk.at("hand_over", HandOver(purpose), person=WANG).page.window == "1"


def test_home_means_back_to_what_lay_below() -> None:
    """Row 103: nothing is lost by asking for the slip."""
    walk = Walk.at("check_in", "A9", person=WANG, today=DAY).touch("window")
    below = replace(walk.below[0][1])
    walk.touch("home")
    assert (walk.flow, walk.state) == ("check_in", below)


def test_somebody_unknown_gets_a_slip_too() -> None:
    walk = Walk.at("hand_over", HandOver("identify"))
    assert walk.queued()[0].body.person == ""
    assert walk.last(PrintSlip).slip.who == ""


def test_without_paper_the_number_is_on_the_screen() -> None:
    walk = Walk.at("hand_over", HandOver("other"), person=WANG)
    walk.tell(SlipFailed(walk.last(PrintSlip).job, "no_receipt_paper"))
    assert (walk.page.slip, walk.notice) == ("failed", "no_receipt_paper")
    assert walk.slips_printed().page.slip == "printed"


def test_one_slip_a_touch() -> None:
    walk = Walk.at("hand_over", HandOver("other"), person=WANG)
    assert len(walk.queued()) == len(walk.every(PrintSlip)) == 1
    assert len({walk.queued()[0].key, walk.last(PrintSlip).job}) == 2


def test_the_page_ends_by_itself() -> None:
    walk = Walk.at("hand_over", HandOver("other"), person=WANG).wake("over")
    assert (walk.flow, walk.scene.person) == ("attract", None)
