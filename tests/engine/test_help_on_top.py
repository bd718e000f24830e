"""Whoever has called for help keeps that page: what lies below waits until it is on top again."""

from __future__ import annotations

from kiosk.flows.events import CardRead
from kiosk.hospital.contract import AskToday, Identify, Known
from kiosk.views import Attract, CallingHelp, Home
from tests.engine.desk import Desk
from tests.flows.people import DAY, WANG, WANG_CARD


def test_the_end_of_a_finished_page_does_not_end_the_call(desk: Desk) -> None:
    """U5: the result would have closed after 15 s, and took the call's page with it."""
    desk.settle(desk.at_pad()).touch("help").pass_s(40)
    assert isinstance(desk.page, CallingHelp)
    desk.touch("return")
    assert isinstance(desk.page, Attract), "its time was over meanwhile"


def test_what_the_hospital_answers_meanwhile_is_shown_after_the_call(desk: Desk) -> None:
    """A slow answer led on to the home page, and took the call's page away."""
    desk.touch("no_credential").tell(CardRead(WANG_CARD)).touch("help")
    desk.answer(Identify, Known(WANG)).answer(AskToday, DAY)
    assert isinstance(desk.page, CallingHelp)
    desk.touch("return")
    assert isinstance(desk.page, Home) and desk.page.name == "王*兰"


def test_ending_the_session_from_the_call_ends_all_of_it(desk: Desk) -> None:
    desk.settle(desk.at_pad()).touch("help").pass_s(40).touch("end")
    assert isinstance(desk.page, Attract)
    assert desk.events().count("session_ended") == 1


def test_a_call_that_nobody_ends_is_over_by_its_own_time(desk: Desk) -> None:
    desk.settle(desk.at_pad()).touch("help").pass_s(310)
    assert isinstance(desk.page, Attract)
