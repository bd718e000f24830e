"""Stories of calling somebody: acknowledged, escalated, or honest about not getting through."""

from __future__ import annotations

from kiosk.flows.effects import Ask, HelpCall
from kiosk.flows.events import Replied, Touched, Woke
from kiosk.hospital.contract import AskHelp, CallHelp, Help
from tests.flows.people import DAY, WANG
from tests.flows.walk import Walk


def calls(walk: Walk) -> list[CallHelp]:
    return [one.request for one in walk.every(Ask) if isinstance(one.request, CallHelp)]


def heard(walk: Walk, coming: str = "", escalated: bool = False) -> Walk:
    return walk.reply(Help(walk.state.key, coming, escalated))


def test_a_call_says_place_and_page_and_nothing_of_the_patient() -> None:
    """Row 104."""
    walk = Walk.at("call_help", HelpCall(page="home"), person=WANG, today=DAY)
    (call,) = calls(walk)
    assert (call.place, call.page, call.sort) == ("3号门", "home", "volunteer")
    assert "王" not in repr(call)
    assert walk.audits() == [("help_called", "")]


def test_who_comes_is_shown_as_soon_as_somebody_answered() -> None:
    """Row 104, U12: 小张正在过来."""
    walk = heard(Walk.at("call_help", HelpCall()))
    assert (walk.page.state.coming, walk.page.reached) == ("", True)
    walk.wake("poll")
    assert walk.asked() == AskHelp(walk.state.key)
    assert heard(walk, "小张").page.state.coming == "小张"
    assert walk.pending == [], "nobody is asked any more"


def test_after_a_minute_others_are_called_too() -> None:
    """Row 104, T8."""
    walk = heard(Walk.at("call_help", HelpCall())).wake("escalate")
    first, second = calls(walk)
    assert (second.sort, second.key != first.key) == ("nurse", True)
    assert walk.page.state.escalated
    assert walk.tell(Woke("escalate")).state.escalated
    assert len(calls(walk)) == 2


def test_somebody_who_comes_is_not_escalated() -> None:
    walk = heard(Walk.at("call_help", HelpCall()), "小张").wake("escalate")
    assert (len(calls(walk)), walk.page.state.escalated) == (1, False)


def test_a_call_that_cannot_be_sent_says_so_and_is_tried_on_under_one_key() -> None:
    walk = Walk.at("call_help", HelpCall()).fail("unreachable")
    assert not walk.page.reached
    assert walk.page.hotline == "12320"
    walk.wake("poll").fail("unknown")
    assert not walk.page.reached
    heard(walk.wake("poll"))
    assert walk.page.reached
    assert len({call.key for call in calls(walk)}) == 1


def test_an_inquiry_that_gets_lost_does_not_take_back_the_call() -> None:
    walk = heard(Walk.at("call_help", HelpCall())).wake("poll").fail("unreachable")
    assert walk.page.reached
    assert isinstance(walk.wake("poll").asked(), AskHelp)


def test_emergency_is_one_touch_and_goes_out_at_once() -> None:
    """Row 44: 急诊 without a form."""
    walk = Walk.at("attract").touch("emergency")
    assert calls(walk)[0].sort == "emergency"
    assert walk.page.state.emergency
    louder = heard(Walk.at("call_help", HelpCall())).touch("emergency")
    assert [call.sort for call in calls(louder)] == ["volunteer", "emergency"]


def test_an_emergency_stays_one_when_it_is_escalated() -> None:
    walk = heard(Walk.at("call_help", HelpCall("emergency"))).wake("escalate")
    assert [call.sort for call in calls(walk)] == ["emergency", "emergency"]


def test_a_second_touch_on_emergency_calls_once() -> None:
    walk = Walk.at("call_help", HelpCall("emergency"))
    walk.tell(Touched("emergency"))
    assert len(calls(walk)) == 1


def test_what_lay_below_is_untouched() -> None:
    walk = Walk.at("identify", "register").touch("type_number", "key:1", "back").touch("volunteer")
    assert walk.touch("return").flow == "identify"
    assert walk.state.goal == "register"


def test_an_answer_about_the_call_before_is_not_about_this_one() -> None:
    walk = Walk.at("call_help", HelpCall())
    tag = walk.pending[0].tag  # type: ignore[union-attr]
    walk.touch("emergency").tell(Replied(tag, Help("old", "小张")))
    assert walk.page.state.coming == ""


def test_nobody_waits_for_ever() -> None:
    walk = Walk.at("attract").touch("emergency").wake("over")
    assert walk.flow == "attract"
