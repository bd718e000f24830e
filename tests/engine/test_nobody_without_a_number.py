"""A patient whom the hospital knows without an ID number: a newborn, a guest from abroad.

Records know such a person by the hospital's own id (common.index_of).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from kiosk.flows.events import CardRead
from kiosk.hospital.contract import AskToday, DayList, Identify, Known, PreSettle, Quoted
from kiosk.views import Home
from tests.engine.desk import Desk
from tests.flows.people import LI_CARD, NOW, WANG, WANG_EXPECTED
from tests.flows.till import quote

GUEST = replace(WANG, number="")


def test_the_line_that_breaks_before_their_day_has_come_leaves_them_at_home(desk: Desk) -> None:
    """The store was asked for an empty number, and core fell."""
    desk.tell(CardRead(LI_CARD)).answer(Identify, Known(GUEST)).answer(AskToday, why="unreachable")
    assert isinstance(desk.page, Home) and desk.page.name


def test_their_appointment_is_on_the_list_for_when_the_hospital_is_away(desk: Desk) -> None:
    """A list with such a person on it felled core whenever it was fetched."""
    expected = replace(WANG_EXPECTED, number="")
    people = (expected, replace(WANG_EXPECTED, person="P900"))
    desk.records.keep_day_list(DayList(NOW.date(), people, ()), NOW + timedelta(hours=15))
    desk.tell(CardRead(LI_CARD)).answer(Identify, Known(GUEST)).answer(AskToday, why="unreachable")
    assert desk.page.next.kind == "check_in"


def test_their_payment_is_in_their_own_trail(desk: Desk) -> None:
    """What they had been charged was not in the trail that they can print."""
    desk.lay(LI_CARD, GUEST).touch("task:pay").answer(PreSettle, Quoted(quote()))
    trail = desk.records.trail(GUEST.person)
    assert "payment_opened" in [line.event for line in trail]
