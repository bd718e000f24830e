"""Stories of checking in: one touch, a ticket, and the hospital away or unwilling."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kiosk.domain.visit import Ticket
from kiosk.flows.effects import Ask, PrintSlip
from kiosk.flows.events import Replied, SlipFailed
from kiosk.hospital.contract import CheckedIn, CheckInRecord, CheckInRefused, Known
from kiosk.views import Finished, Home, Problem
from tests.flows.people import DAY, LI_CARD, NOW, TICKET, WANG, WANG_CARD, appointment
from tests.flows.walk import Walk


def asking(**scene: object) -> Walk:
    return Walk.at("check_in", "A1", person=WANG, today=DAY, **scene)


def test_one_touch_checks_in_and_prints_where_to_wait() -> None:
    """Rows 47, 48, 107: one tap (K1); number, how many before, minutes, room."""
    walk = Walk.at("attract").lay(WANG_CARD).reply(Known(WANG)).reply(DAY).touch("next")
    assert isinstance(walk.page, Home), "the page stays while it is asked"
    walk.reply(CheckedIn(TICKET))
    page = walk.page
    assert isinstance(page, Finished)
    assert (page.what, page.ahead, page.minutes, walk.taps) == ("checked_in", 4, 25, 1)
    assert (page.task.number, page.task.floor, page.task.room) == ("A012", 3, "305")
    assert walk.last(PrintSlip).slip.ticket == TICKET
    assert walk.slips_printed().page.slip == "printed"
    assert walk.audits()[-2:] == [("check_in_begun", ""), ("check_in_ended", "done")]


def test_a_second_tap_asks_nothing_twice() -> None:
    walk = asking().touch("next", "next")
    assert len(walk.every(Ask)) == 1


@pytest.mark.parametrize("why", ["unreachable", "unknown"])
def test_without_an_answer_the_check_in_is_queued_and_the_slip_says_so(why: str) -> None:
    """Row 48 offline: exactly one record; number of the slip, nothing promised about the wait."""
    walk = asking().fail(why)
    (queued,) = walk.queued()
    slip = walk.last(PrintSlip).slip
    assert queued.kind == "check_in"
    assert queued.body == CheckInRecord("P100", "A1", NOW, slip.number)
    assert queued.key != walk.every(Ask)[0].request.key, "a key names one body for ever"
    assert slip.ticket == Ticket(appointment(), slip.number, None, None, offline=True)
    assert (walk.page.offline, walk.page.ahead, walk.page.minutes) == (True, None, None)


def test_a_late_answer_after_queueing_changes_nothing() -> None:
    walk = asking()
    tag = walk.pending[0].tag  # type: ignore[union-attr]
    walk.fail("unknown").tell(Replied(tag, CheckedIn(TICKET)))
    assert walk.page.offline
    assert len(walk.every(PrintSlip)) == 1


@pytest.mark.parametrize("reason", ["not_today", "too_early", "too_late", "cancelled", "unknown"])
def test_a_refusal_says_what_to_do(reason: str) -> None:
    walk = asking().reply(CheckInRefused(reason))  # type: ignore[arg-type]
    assert isinstance(walk.page, Problem)
    assert (walk.page.code, walk.page.window) == (f"check_in_{reason}", "1")
    assert walk.page.can_retry == (reason == "too_early")
    assert walk.audits() == [("check_in_begun", ""), ("check_in_ended", "refused")]
    assert walk.queued() == []
    assert walk.touch("window").flow == "hand_over"


def test_an_answer_that_cannot_be_used_may_be_asked_for_again() -> None:
    walk = asking().fail("bad")
    assert walk.page.can_retry
    assert walk.touch("again").reply(CheckedIn(TICKET)).page.page == "finished"


def test_afterwards_home_shows_the_way_instead() -> None:
    """Row 59: the list of the visit goes on."""
    walk = asking().reply(CheckedIn(TICKET)).touch("home")
    assert (walk.flow, walk.page.next.kind) == ("home", "go_to")


def test_asked_again_it_tells_how_many_are_before_now() -> None:
    """Row 47: asked again by card."""
    walk = asking().reply(CheckedIn(TICKET)).touch("home", "next")
    walk.reply(CheckedIn(replace(TICKET, ahead=1)))
    assert walk.page.ahead == 1


def test_no_paper_loses_nothing_since_the_number_is_on_the_screen() -> None:
    walk = asking().reply(CheckedIn(TICKET))
    walk.tell(SlipFailed(walk.last(PrintSlip).job, "no_receipt_paper"))
    assert (walk.page.slip, walk.notice, walk.page.task.number) == (
        "failed",
        "no_receipt_paper",
        "A012",
    )


def test_an_elders_ticket_is_large_and_stays_longer() -> None:
    """Row 105, U17."""
    walk = asking(elder=True).reply(CheckedIn(TICKET))
    assert walk.last(PrintSlip).large
    assert walk.page.left_s == 30
    assert walk.later(10).page.left_s == 20


def test_after_fifteen_seconds_the_session_is_over() -> None:
    walk = asking().reply(CheckedIn(TICKET)).wake("over")
    assert (walk.flow, walk.scene.person) == ("attract", None)


def test_the_next_persons_card_needs_no_end() -> None:
    walk = asking().reply(CheckedIn(TICKET)).lay(LI_CARD)
    assert (walk.sessions, walk.flow) == (2, "identify")


def test_leaving_in_the_middle_is_written_down_as_unknown() -> None:
    walk = asking().touch("end")
    assert walk.audits() == [("check_in_begun", ""), ("check_in_ended", "unknown")]
    assert walk.scene.person is None


def test_an_appointment_that_is_not_theirs_is_no_crash() -> None:
    walk = Walk.at("check_in", "A9", person=WANG, today=DAY)
    assert walk.page.code == "check_in_unknown"
