"""Stories of the volunteer's PIN: right, wrong, and locked for a while."""

from __future__ import annotations

from kiosk.flows.effects import CheckPin, Volunteer
from kiosk.flows.events import PinChecked, Touched
from tests.flows.walk import Walk

RIGHT = PinChecked(True, "张志愿", "3号门", who="volunteer_07")


def test_the_right_pin_opens_the_green_channel() -> None:
    """Row 24: volunteer mode; the badge is in the audit, the name is not."""
    walk = Walk.at("attract").touch("green").keys("071234").tell(RIGHT)
    assert walk.every(CheckPin) == [CheckPin("071234")]
    assert walk.flow == "green_channel"
    assert walk.argument == Volunteer("张志愿", "3号门", who="volunteer_07")
    assert walk.audits() == [("volunteer_unlocked", "")]


def test_only_dots_are_shown() -> None:
    assert Walk.at("unlock").keys("07123", then="key:4").page.shown == "••••••"


def test_a_wrong_pin_says_how_many_tries_are_left() -> None:
    walk = Walk.at("unlock").keys("071111").tell(PinChecked(False, tries_left=3))
    assert (walk.page.error, walk.page.tries_left, walk.page.shown) == ("wrong", 3, "")
    assert walk.touch("key:0").page.error == ""


def test_after_too_many_it_waits_and_the_wait_is_shown() -> None:
    walk = Walk.at("unlock").keys("071111").tell(PinChecked(False, wait_s=30))
    assert (walk.page.error, walk.page.wait_s) == ("locked", 30)
    assert walk.later(12).page.wait_s == 18
    walk.touch("key:0", "ok")
    assert len(walk.every(CheckPin)) == 1
    assert walk.wake("unlocked").touch("key:0").page.shown == "•"


def test_a_second_ok_asks_once_and_a_short_pin_not_at_all() -> None:
    walk = Walk.at("unlock").keys("071234").touch("ok")
    assert len(walk.every(CheckPin)) == 1
    short = Walk.at("unlock").keys("07")
    assert (short.page.error, short.every(CheckPin)) == ("too_short", [])


def test_back_leads_to_the_first_page() -> None:
    assert Walk.at("attract").touch("green", "back").flow == "attract"


def test_a_pin_never_stands_in_a_repr() -> None:
    walk = Walk.at("unlock").keys("071234", then="key:5")
    assert "071234" not in repr(walk.state)
    assert "071234" not in repr(CheckPin("071234"))
    assert walk.tell(Touched("green")).flow == "unlock"
