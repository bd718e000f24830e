"""One window for all tests of the screen, drawn off-screen; time is the test's."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from kiosk.views import Touch, View
from ui.window import configured

if TYPE_CHECKING:
    from ui.shell import Shell

SETTLING_TICKS = 5


@dataclass
class Screen:
    """The shell under test, what it sent, and a clock that only tests move."""

    shell: Shell
    sent: list[Touch]
    now_s: list[float]
    tick: Callable[[], None]
    serial: int = field(default=0)

    def show(self, view: View) -> None:
        self.shell.show(view)
        self.settle()

    def settle(self) -> None:
        """Layouts and labels find their size; nothing is drawn, which is what costs time."""
        for _ in range(SETTLING_TICKS):
            self.tick()
        while self.shell.stage.settling:
            self.tick()

    def pass_time(self, seconds: float) -> None:
        self.now_s[0] += seconds


@pytest.fixture(scope="package")
def _kivy() -> Iterator[Screen]:
    display = os.environ.pop("DISPLAY", None)
    with configured((1080, 1920)):
        from kivy.config import Config

        Config.set("graphics", "maxfps", 0)  # no frame waits for the next; read once, at import
        from kivy.base import EventLoop
        from kivy.clock import Clock
        from kivy.core.window import Window
        from kivy.lang import Builder

        from ui.app import collect_between_pages
        from ui.shell import Shell

        def tick() -> None:
            Clock.tick()
            Builder.sync()
            Clock.tick_draw()
            Builder.sync()

        sent: list[Touch] = []
        now_s = [1000.0]
        shell = Shell(sent.append, lambda: now_s[0], pitch_mm=None)
        EventLoop.start()
        Window.add_widget(shell.build())
        collect_between_pages()
        yield Screen(shell, sent, now_s, tick)
        gc.enable()
        Window.remove_widget(shell.stage)
        EventLoop.stop()
    if display is not None:
        os.environ["DISPLAY"] = display


@pytest.fixture
def screen(_kivy: Screen) -> Screen:
    """A fresh look at the one window: nothing sent, nothing touched for long."""
    _kivy.sent.clear()
    _kivy.pass_time(60)
    return _kivy
