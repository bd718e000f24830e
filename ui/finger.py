"""A finger for Kivy's input pipeline: begins, moves and ends like any touchscreen's."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from kivy.base import EventLoop
from kivy.core.window import Window
from kivy.input.motionevent import MotionEvent
from kivy.input.provider import MotionEventProvider

KINDS = {"press": "begin", "move": "update", "release": "end"}


class FingerEvent(MotionEvent):
    """One finger on the glass."""

    def depack(self, args: tuple[float, float]) -> None:
        self.sx, self.sy = args
        self.profile = ["pos"]
        self.is_touch = True
        super().depack(args)


class FingerProvider(MotionEventProvider):
    """Takes what other threads put in, and hands it on when Kivy asks for input."""

    def __init__(self) -> None:
        super().__init__("hands", "")
        self._waiting: deque[tuple[str, float, float, object, threading.Event]] = deque()
        self._down: dict[object, FingerEvent] = {}
        self._number = 0

    def start(self) -> None:
        """Nothing to open."""

    def stop(self) -> None:
        self._down.clear()

    def put(self, what: str, x: float, y: float, finger: object, done: threading.Event) -> None:
        """From any thread; `done` is set once the pipeline has it. x, y from the upper left."""
        self._waiting.append((what, x, y, finger, done))

    def update(self, dispatch_fn: Callable[[str, MotionEvent], Any]) -> None:
        while self._waiting:
            what, x, y, finger, done = self._waiting.popleft()
            self._hand_on(dispatch_fn, what, (x / Window.width, 1 - y / Window.height), finger)
            done.set()

    def _hand_on(
        self,
        dispatch_fn: Callable[[str, MotionEvent], Any],
        what: str,
        at: tuple[float, float],
        finger: object,
    ) -> None:
        if what == "press":
            self._number += 1
            self._down[finger] = FingerEvent(self.device, self._number, at, is_touch=True)
        event = self._down.get(finger)
        if event is None:
            return  # a release without a press: nothing is on the glass
        if what != "press":
            event.move(at)
        if what == "release":
            del self._down[finger]
            event.update_time_end()
        dispatch_fn(KINDS[what], event)


def plug_in() -> FingerProvider:
    provider = FingerProvider()
    EventLoop.add_input_provider(provider)
    return provider
