"""Stories of the first page: who comes by, and what the page says when nobody does."""

from __future__ import annotations

import pytest

from kiosk.flows.effects import Ask, HelpCall
from kiosk.flows.events import CardLaid, CardTrouble, CodeRejected
from kiosk.hospital.contract import AskDepartments, DepartmentList
from kiosk.views import Attract
from tests.flows.people import DEPARTMENTS, NOW, WANG_CARD
from tests.flows.walk import Walk


def test_a_card_is_asked_about_at_once_and_the_page_stays() -> None:
    """Rows 1 and 7: nothing is chosen before a credential counts."""
    walk = Walk.at("attract").lay(WANG_CARD)
    assert walk.flow == "identify"
    assert walk.asked().value == WANG_CARD.number
    assert isinstance(walk.page, Attract)
    assert walk.shown.busy == "identifying"
    assert walk.taps == 0


def test_on_site_numbers_are_shown_largest_first_and_empty_ones_are_not() -> None:
    """Row 38: 今天现场还有号."""
    walk = Walk.at("attract").reply(DepartmentList(DEPARTMENTS))
    assert [one.left for one in walk.page.on_site] == [8, 7, 6, 5, 4, 3]


def test_numbers_are_asked_again_every_minute_and_vanish_with_the_hospital() -> None:
    """Row 38: an old number would be a promise."""
    walk = Walk.at("attract").reply(DepartmentList(DEPARTMENTS)).wake("refresh")
    assert walk.last(Ask).request == AskDepartments(NOW.date())
    assert walk.fail().page.on_site == ()
    assert walk.wake("refresh").reply(DepartmentList(DEPARTMENTS)).page.on_site


@pytest.mark.parametrize(
    ("target", "flow", "argument"),
    [
        ("no_credential", "identify", "start"),
        ("family", "identify", "family"),
        ("emergency", "call_help", HelpCall("emergency", "attract")),
        ("green", "unlock", None),
    ],
)
def test_each_target_leads_somewhere(target: str, flow: str, argument: object) -> None:
    """Row 44: 急诊 stands on the first page and asks for no form."""
    walk = Walk.at("attract").touch(target)
    assert (walk.flow, walk.argument) == (flow, argument)


def test_what_the_reader_cannot_read_is_said_with_its_picture() -> None:
    walk = Walk.at("attract").tell(CardLaid())
    assert walk.shown.busy == "identifying"
    walk.tell(CardTrouble("put_again"))
    assert (walk.notice, walk.shown.notice.part, walk.shown.busy) == ("put_again", "id_reader", "")
    assert walk.wake("notice").notice == ""


@pytest.mark.parametrize(
    ("text", "notice"),
    [
        ("https://example.com/", "code_unknown"),
        ("'; drop table patients; --", "code_unknown"),
        ("134567890123456789", "code_not_for_this"),
    ],
)
def test_a_code_that_names_nobody_starts_nothing(text: str, notice: str) -> None:
    walk = Walk.at("attract").scan(text)
    assert (walk.flow, walk.notice) == ("attract", notice)


def test_garbage_from_the_scanner_is_said_and_forgotten() -> None:
    assert Walk.at("attract").tell(CodeRejected()).notice == "code_garbled"
