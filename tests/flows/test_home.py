"""Stories of the home page: the next thing first, and what is said when it cannot be done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kiosk.domain.visit import AppointmentState
from kiosk.flows.effects import EndSession, PayOrder
from kiosk.views import Works
from tests.flows.people import (
    BILL,
    DAY,
    LATER,
    LI,
    LI_CARD,
    NOTHING,
    READY,
    WANG,
    WANG_CARD,
    appointment,
)
from tests.flows.walk import Walk

GOING = replace(NOTHING, appointments=(appointment(state=AppointmentState.CHECKED_IN),))
PAYING = replace(NOTHING, bills=(BILL,), own_estimate_fen=4120)


@pytest.mark.parametrize(
    ("today", "first", "others"),
    [
        (DAY, "check_in", ["pay", "print_reports"]),
        (replace(DAY, appointments=GOING.appointments), "go_to", ["pay", "print_reports"]),
        (PAYING, "pay", []),
        (replace(NOTHING, reports=(*READY, LATER)), "print_reports", ["wait_reports"]),
        (NOTHING, "register", []),
    ],
)
def test_the_next_thing_stands_first(today: object, first: str, others: list[str]) -> None:
    """Rows 59 and 109: one order of the visit, at most two things beside the next one."""
    page = Walk.at("home", person=WANG, today=today).page
    assert page.next.kind == first
    assert [task.kind for task in page.tasks] == others


def test_the_earliest_appointment_that_is_not_over_comes_first() -> None:
    over = appointment("A0", hour=7)
    later = appointment("A2", hour=15)
    today = replace(NOTHING, appointments=(over, later, appointment("A1", hour=10)))
    walk = Walk.at("home", person=WANG, today=today).touch("next")
    assert (walk.flow, walk.argument) == ("check_in", "A1")


def test_an_appointment_of_another_day_is_not_checked_in_to() -> None:
    tomorrow = appointment()
    tomorrow = replace(tomorrow, starts=tomorrow.starts.replace(day=23))
    page = Walk.at("home", person=WANG, today=replace(NOTHING, appointments=(tomorrow,))).page
    assert page.next.kind == "register"


@pytest.mark.parametrize(
    ("target", "flow", "argument"),
    [
        ("next", "check_in", "A1"),
        ("task:pay", "pay", PayOrder(("B1",))),
        ("task:print_reports", "print_reports", None),
        ("tile:register", "register", ""),
        ("tile:inquire", "inquire", "inquire"),
        ("tile:more", "inquire", "more"),
        ("tile:family", "proxy", None),
    ],
)
def test_each_target_leads_somewhere(target: str, flow: str, argument: object) -> None:
    walk = Walk.at("home", person=WANG, today=DAY).touch(target)
    assert (walk.flow, walk.argument) == (flow, argument)


def test_an_elder_sees_four_things_at_most() -> None:
    """Row 105, U17."""
    for today in (DAY, GOING, PAYING, NOTHING):
        page = Walk.at("home", person=WANG, today=today, elder=True).page
        assert 1 + len(page.tasks) + len(page.tiles) <= 4
        assert page.next.kind == "register" or "register" in page.tiles


def test_what_needs_the_hospital_says_so_while_it_is_away() -> None:
    """Row 106's honesty: shown, greyed, explained; check-in goes on working."""
    walk = Walk.at("home", person=WANG, today=DAY, works=Works(hospital=False))
    assert walk.page.next.enabled
    assert [task.enabled for task in walk.page.tasks] == [False, False]
    assert set(walk.page.off) == {"register", "family"}
    assert walk.touch("task:pay", "tile:register").flow == "home"
    assert walk.notice == "needs_hospital"


def test_reports_are_off_while_their_printer_is() -> None:
    walk = Walk.at("home", person=WANG, today=DAY, works=Works(a4_printer=False))
    enabled = {task.kind: task.enabled for task in walk.page.tasks}
    assert enabled == {"pay": True, "print_reports": False}


def test_another_persons_card_begins_their_session_and_wipes_this_one() -> None:
    """Row 7, row 114: any card at any time, and never two people on one screen."""
    walk = Walk.at("home", person=WANG, today=DAY).lay(LI_CARD)
    assert (walk.sessions, walk.flow) == (2, "identify")
    assert walk.scene.person is None
    assert walk.asked().value == LI.number


def test_the_same_card_again_changes_nothing() -> None:
    walk = Walk.at("home", person=WANG, today=DAY).lay(WANG_CARD)
    assert (walk.sessions, walk.flow) == (1, "home")


def test_the_card_of_the_one_who_acts_changes_nothing_either() -> None:
    walk = Walk.at("home", person=LI, acting=WANG, today=NOTHING).lay(WANG_CARD)
    assert (walk.page.name, walk.page.acting_for) == ("王*兰", "李*国")
    assert walk.sessions == 1


def test_a_code_begins_a_new_session_unless_it_names_nobody() -> None:
    walk = Walk.at("home", person=WANG, today=DAY).scan("http://example.com")
    assert (walk.sessions, walk.notice) == (1, "code_unknown")
    assert walk.scan("a" * 64 + ":1").sessions == 2


def test_end_ends_at_once() -> None:
    walk = Walk.at("home", person=WANG, today=DAY).touch("end")
    assert walk.every(EndSession)
    assert walk.flow == "attract"


def test_what_is_to_pay_is_counted_in_items_not_in_bills() -> None:
    page = Walk.at("home", person=WANG, today=PAYING).page
    assert (page.next.count, page.next.amount_fen, page.next.own_fen) == (2, 12850, 4120)


def test_while_no_record_can_be_promised_paying_and_registering_are_off_and_say_why() -> None:
    """P10: known before anybody begins; what needs no money goes on."""
    walk = Walk.at("home", person=WANG, today=DAY, works=Works(payments=False))
    tasks = {task.kind: task.enabled for task in (walk.page.next, *walk.page.tasks)}
    assert tasks["check_in"] and not tasks["pay"]
    assert walk.page.off == ("register",)
    for target in ("task:pay", "tile:register"):
        assert walk.touch(target).flow == "home"
        assert walk.notice == "payments_off"
