"""Fingers as they are: trembling, sliding, slow, in pairs. Exactly one action each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kiosk.views import Identify, Notice, Touch
from tests.ui.conftest import Screen
from ui.samples import HOME, PAY, frame_of, view_of
from ui.touch import TouchRules

PITCH_MM = 0.311


def _rules() -> TouchRules:
    return TouchRules(PITCH_MM)


def test_a_press_acts_however_long_it_is_held() -> None:
    """SCREENS U7."""
    rules = _rules()
    assert rules.press(1, (500, 500), 0.0)
    assert rules.release(1, (500, 500), 3.0)


@pytest.mark.parametrize(("slid_mm", "acts"), [(10.0, True), (11.9, True), (12.1, False)])
def test_a_finger_may_slide_less_than_12_mm(slid_mm: float, acts: bool) -> None:
    rules = _rules()
    assert rules.press(1, (500, 500), 0.0)
    assert rules.release(1, (500 + slid_mm / PITCH_MM, 500), 0.5) is acts


@pytest.mark.parametrize(("after_s", "heard"), [(0.15, False), (0.29, False), (0.31, True)])
def test_a_second_tap_within_300_ms_is_a_tremble(after_s: float, heard: bool) -> None:
    rules = _rules()
    rules.press(1, (500, 500), 0.0)
    rules.release(1, (500, 500), 0.1)
    assert rules.press(2, (500, 500), 0.1 + after_s) is heard


def test_a_palm_beside_the_finger_is_not_heard() -> None:
    rules = _rules()
    assert rules.press(1, (500, 500), 0.0)
    assert not rules.press(2, (100, 1500), 0.05)
    assert not rules.release(2, (100, 1500), 0.1)
    assert rules.release(1, (500, 500), 0.2)


def test_a_finger_whose_release_was_lost_does_not_block_the_screen_for_ever() -> None:
    rules = _rules()
    assert rules.press(1, (500, 500), 0.0)
    assert not rules.press(2, (500, 500), 9.0)
    assert rules.press(3, (500, 500), 11.0)


class Finger:
    """A touch in Kivy's form, on the window under test."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def at(self, target: str) -> tuple[float, float]:
        found = {one.target: one for one in self._screen.shell.stage.targets()}
        return found[target].center

    def tap(self, at: tuple[float, float], held_s: float = 0.1, slide: float = 0.0) -> None:
        from kivy.tests.common import UnitTestTouch

        touch = UnitTestTouch(*at)
        touch.touch_down()
        self._screen.pass_time(held_s)
        touch.touch_move(at[0] + slide, at[1])
        touch.touch_up()


@pytest.fixture
def finger(screen: Screen) -> Finger:
    screen.show(view_of(HOME, serial=7))
    return Finger(screen)


def test_a_tap_sends_target_and_serial(screen: Screen, finger: Finger) -> None:
    finger.tap(finger.at("next"))
    assert screen.sent == [Touch(7, "next")]


def test_two_quick_taps_send_one_touch(screen: Screen, finger: Finger) -> None:
    finger.tap(finger.at("next"))
    screen.pass_time(0.15)
    finger.tap(finger.at("next"))
    assert screen.sent == [Touch(7, "next")]


def test_a_slide_of_10_mm_still_acts_and_20_mm_does_not(screen: Screen, finger: Finger) -> None:
    finger.tap(finger.at("next"), slide=10 / PITCH_MM)
    screen.pass_time(1)
    finger.tap(finger.at("next"), slide=20 / PITCH_MM)
    assert screen.sent == [Touch(7, "next")]


def test_half_of_the_gap_belongs_to_the_target(screen: Screen, finger: Finger) -> None:
    tile = next(t for t in screen.shell.stage.targets() if t.target == "tile:register")
    finger.tap((tile.right + 6, tile.center_y))
    assert screen.sent == [Touch(7, "tile:register")]


def test_a_touch_on_nothing_says_that_somebody_is_here(screen: Screen, finger: Finger) -> None:
    finger.tap((540, 1500))
    assert screen.sent == [Touch(7, "")]


def test_the_pressed_look_is_there_before_the_next_frame(screen: Screen, finger: Finger) -> None:
    from kivy.tests.common import UnitTestTouch

    card = next(t for t in screen.shell.stage.targets() if t.target == "next")
    plain = list(card.fill)
    touch = UnitTestTouch(*card.center)
    touch.touch_down()
    assert card.pressed and list(card.fill) != plain
    touch.touch_up()
    assert not card.pressed and list(card.fill) == plain


def test_a_key_that_changed_its_meaning_under_the_finger_does_not_act(
    screen: Screen, finger: Finger
) -> None:
    from kivy.tests.common import UnitTestTouch

    touch = UnitTestTouch(*finger.at("next"))
    touch.touch_down()
    other = replace(HOME, next=HOME.tasks[0])
    screen.show(view_of(other, serial=8))
    touch.touch_up()
    assert screen.sent == []


def test_a_clock_tick_under_the_finger_does_not_lose_the_touch(
    screen: Screen, finger: Finger
) -> None:
    from kivy.tests.common import UnitTestTouch

    touch = UnitTestTouch(*finger.at("next"))
    touch.touch_down()
    screen.show(view_of(HOME, serial=7))
    touch.touch_up()
    assert screen.sent == [Touch(7, "next")]


@pytest.mark.parametrize(
    "anew",
    [
        pytest.param({"size": "large"}, id="larger words"),
        pytest.param({"low": True}, id="for somebody who sits"),
        pytest.param({"notice": Notice("paper_near_end", "receipt_printer")}, id="a strip on top"),
    ],
)
def test_a_page_drawn_anew_under_the_finger_does_not_lose_the_touch(
    screen: Screen, finger: Finger, anew: dict[str, object]
) -> None:
    from kivy.tests.common import UnitTestTouch

    touch = UnitTestTouch(*finger.at("next"))
    touch.touch_down()
    view = view_of(HOME, serial=7)
    screen.show(replace(view, frame=replace(view.frame, **anew)))
    lit = [one.target for one in screen.shell.stage.targets() if one.pressed]
    touch.touch_up()
    assert lit == ["next"], "the key under the finger looks pressed"
    assert screen.sent == [Touch(7, "next")]


def test_a_press_on_a_page_that_has_no_places_yet_is_looked_for_on_release(
    screen: Screen, finger: Finger
) -> None:
    from kivy.tests.common import UnitTestTouch

    at = finger.at("next")
    screen.shell.stage.rebuild()
    touch = UnitTestTouch(*at)
    touch.touch_down()
    screen.settle()
    touch.touch_up()
    assert screen.sent == [Touch(7, "next")]


def test_a_key_that_another_page_has_too_is_said_of_the_page_it_was_pressed_on(
    screen: Screen, finger: Finger
) -> None:
    """The engine then knows it for what it is: meant for a page that has gone."""
    from kivy.tests.common import UnitTestTouch

    touch = UnitTestTouch(*finger.at("help"))
    touch.touch_down()
    screen.show(view_of(PAY, serial=8))
    touch.touch_up()
    assert screen.sent == [Touch(7, "help")]


def test_any_touch_on_the_idle_warning_goes_on(screen: Screen, finger: Finger) -> None:
    frame = replace(frame_of(HOME), idle_left_s=20)
    screen.show(replace(view_of(HOME, serial=9), frame=frame))
    finger.tap((200, 300))
    assert screen.sent == [Touch(9, "go_on")]


def test_a_disabled_key_is_not_pressed(screen: Screen, finger: Finger) -> None:
    screen.show(view_of(replace(PAY, card=False), serial=3))
    assert "card" not in [one.target for one in screen.shell.stage.targets()]


def test_while_busy_the_bar_still_hears_and_the_page_does_not(
    screen: Screen, finger: Finger
) -> None:
    frame = replace(frame_of(HOME), busy="asking", busy_s=2)
    screen.show(replace(view_of(HOME, serial=4), frame=frame))
    here = [one.target for one in screen.shell.stage.targets()]
    assert "help" in here and "next" not in here


def test_only_one_input_provider_is_configured(screen: Screen) -> None:
    from kivy.config import Config

    assert dict(Config.items("input")) == {"mouse": "mouse,disable_multitouch"}
    screen.show(view_of(Identify()))
