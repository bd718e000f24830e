"""Five wrong PINs, then a wait that a restart of the terminal does not shorten."""

from __future__ import annotations

from kiosk.demo.journeys import lock, unlock
from kiosk.demo.tour import Walk
from kiosk.views import TypeIn
from tests.system.conftest import Terminal


def type_pin(walk: Walk, digits: str) -> None:
    for digit in digits:
        walk.tap(f"key:{digit}")
    walk.tap("ok")


def open_keypad(walk: Walk) -> None:
    walk.tap("green")
    walk.until("type_in", what="pin")


def test_five_wrong_pins_lock_and_the_wait_survives_a_killed_core(terminal: Terminal) -> None:
    walk = terminal.walk()
    open_keypad(walk)
    for left in (4, 3, 2, 1):
        type_pin(walk, "011111")
        walk.until("type_in", error="wrong", tries_left=left)
    type_pin(walk, "011111")
    view = walk.until("type_in", error="locked")
    assert isinstance(view.page, TypeIn) and 10 <= view.page.wait_s <= 15

    terminal.world.core.kill()
    walk.until("attract", timeout_s=20)
    terminal.observer.wait(lambda view: view.frame.works.hospital, "core is back", 20)
    open_keypad(walk)
    type_pin(walk, "012580")
    view = walk.until("type_in", error="locked")
    assert isinstance(view.page, TypeIn) and view.page.wait_s > 5, "the right PIN waits as well"

    walk.until("type_in", wait_s=0, timeout_s=20)
    terminal.until(lambda: not any("秒" in text for text in terminal.texts()), "drawn as well")
    walk.tap("back")
    walk.until("attract")
    unlock(walk)
    lock(walk)
    walk.until("type_in", what="pin")
    walk.tap("back")
    walk.until("attract")
