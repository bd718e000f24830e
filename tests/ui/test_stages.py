"""A page that changes under the same name leaves nothing behind of what it was."""

from __future__ import annotations

from dataclasses import replace

from tests.ui.conftest import Screen
from ui.samples import GREEN, view_of


def test_the_volunteers_questions_lie_above_the_bottom_bar_once_a_card_was_read(
    screen: Screen,
) -> None:
    """The picture of the first stage kept its height, and pushed the answers under the bar."""
    waiting = replace(GREEN, stage=1, current=None, substitute="", questions=())
    screen.show(view_of(waiting, "zh", "normal"))
    screen.show(view_of(GREEN, "zh", "normal"))
    places = {target.target: target for target in screen.shell.stage.targets()}
    bar_top = places["lock"].top
    below = [name for name in ("none", "paper", "by_hand") if places[name].y < bar_top]
    assert not below, f"under the bottom bar: {below}"
