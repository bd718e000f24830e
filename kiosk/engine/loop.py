"""The engine's thread: one queue of what happened, a look at the clock when nothing does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

from kiosk.engine.engine import Engine
from kiosk.ports import Clock, Ticked, Told

TICK_S = 0.25
"""Countdowns are shown in seconds; a quarter keeps them even."""


class Loop:
    """Runs the engine on the thread that calls run(); tell() may be called from any."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._queue: SimpleQueue[Told | Callable[[], None] | None] = SimpleQueue()

    def tell(self, told: Told) -> None:
        self._queue.put(told)

    def call(self, what: Callable[[], None]) -> None:
        """Run a function on the engine's thread, and wait for it (for `kiosk status`)."""
        done = threading.Event()

        def run() -> None:
            what()
            done.set()

        self._queue.put(run)
        done.wait(5)

    def stop(self) -> None:
        self._queue.put(None)

    def run(self, engine: Engine) -> None:
        engine.start()
        while True:
            try:
                told = self._queue.get(timeout=self._pause_s(engine))
            except Empty:
                told = Ticked()
            if told is None:
                return
            if callable(told):
                told()
            else:
                engine.tell(told)

    def _pause_s(self, engine: Engine) -> float:
        due_s = engine.next_due_s()
        if due_s is None:
            return TICK_S
        return min(TICK_S, max(0.001, due_s - self._clock.monotonic_s()))
