"""What the tour sees: every view that core sends, as a second screen would get it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from kiosk.link import LinkClient, LinkLost
from kiosk.views import View

RECONNECT_S = 0.1


class NotSeen(Exception):
    """The screen did not come to show what was waited for; the text says what it shows."""


class Observer:
    """Listens on a thread of its own; wait() is for the tour's."""

    def __init__(self, socket_path: Path) -> None:
        self._socket_path = socket_path
        self._changed = threading.Condition()
        self._view: View | None = None
        self._watch: Callable[[View], object] = lambda view: None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="observer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def watch(self, note: Callable[[View], object]) -> None:
        """Have every view told to `note` as well, on the listening thread."""
        self._watch = note

    @property
    def view(self) -> View | None:
        return self._view

    def wait(self, wanted: Callable[[View], bool], what: str, timeout_s: float = 15.0) -> View:
        """The first view that is wanted, or NotSeen."""
        with self._changed:
            came = self._changed.wait_for(
                lambda: self._view is not None and wanted(self._view), timeout_s
            )
            view = self._view
        if not came or view is None:
            shown = f"{view.page}, notice {view.frame.notice}" if view else "nothing"
            raise NotSeen(f"waited {timeout_s:.0f} s for {what}; the screen shows {shown}")
        return view

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                client = LinkClient(self._socket_path, "ui")
                while not self._stopping.is_set():
                    self._note(client.next_view())
            except LinkLost:
                self._stopping.wait(RECONNECT_S)

    def _note(self, view: View) -> None:
        self._watch(view)
        with self._changed:
            self._view = view
            self._changed.notify_all()
