"""What the tour sees: every view that core sends, and a picture of each screen that was shown."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.link import LinkClient, LinkLost
from kiosk.views import Green, TypeIn, View
from ui.hands import HandsClient, HandsRefused

RECONNECT_S = 0.1


class NotSeen(Exception):
    """The screen did not come to show what was waited for; the text says what it shows."""


@dataclass(frozen=True)
class Screen:
    """One screen that a person sees: the next serial of the same page is still the same screen.

    The green channel's stages and the keypad's questions are screens of their own.
    """

    serial: int = field(compare=False)
    page: str
    name: str


def screen_of(view: View) -> Screen:
    match view.page:
        case Green(stage=stage):
            name = f"green_{stage}"
        case TypeIn(what=what):
            name = f"type_{what}"
        case page:
            name = page.page
    return Screen(view.serial, view.page.page, name)


class Observer:
    """Listens like a second screen; a thread of its own takes a picture of each new one."""

    def __init__(self, socket_path: Path, hands_path: Path) -> None:
        self._socket_path = socket_path
        self._hands_path = hands_path
        self._changed = threading.Condition()
        self._view: View | None = None
        self._screens: list[Screen] = []
        self._pictures: dict[Screen, Path] = {}
        self._folder: Path | None = None
        self._prefix = ""
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._listen, name="observer", daemon=True),
            threading.Thread(target=self._photograph, name="photographer", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()

    @property
    def view(self) -> View | None:
        return self._view

    def begin(self, folder: Path, prefix: str) -> None:
        """A new journey: forget what was seen, name its pictures."""
        with self._changed:
            self._folder, self._prefix = folder, prefix
            self._screens, self._pictures = [], {}
            if self._view is not None:
                self._screens.append(screen_of(self._view))
            self._changed.notify_all()

    def end(self) -> None:
        """The journey is over; what follows belongs to none."""
        with self._changed:
            self._folder = None

    def screens(self) -> tuple[str, ...]:
        return tuple(screen.name for screen in self._screens)

    def pictures(self) -> tuple[str, ...]:
        """The pictures' names in the order of the screens."""
        return tuple(self._pictures[one].name for one in self._screens if one in self._pictures)

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

    def picture_now(self, hands: HandsClient) -> Path | None:
        """A picture of the screen as it is now, in place of the one taken when it came."""
        view = self._view
        if view is None or self._folder is None:
            return None
        screen = screen_of(view)
        path = self._path(screen)
        try:
            hands.wait_page(view.page.page, serial_after=view.serial - 1)
            hands.screenshot(path)
        except HandsRefused:
            return None
        self._pictures[screen] = path
        return path

    # --- threads ---------------------------------------------------------------------------------

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                client = LinkClient(self._socket_path, "ui")
                while not self._stopping.is_set():
                    self._note(client.next_view())
            except LinkLost:
                self._stopping.wait(RECONNECT_S)

    def _note(self, view: View) -> None:
        with self._changed:
            self._view = view
            screen = screen_of(view)
            if not self._screens or self._screens[-1] != screen:
                self._screens.append(screen)
            self._changed.notify_all()

    def _photograph(self) -> None:
        hands: HandsClient | None = None
        while not self._stopping.is_set():
            screen = self._next_unseen()
            if screen is None:
                continue
            try:
                hands = hands or HandsClient(self._hands_path)
                hands.wait_page(screen.page, 2.0, screen.serial - 1)
                path = self._path(screen)
                hands.screenshot(path)
                self._pictures.setdefault(screen, path)
            except (HandsRefused, OSError):
                hands = None
                self._pictures.pop(screen, None)

    def _next_unseen(self) -> Screen | None:
        with self._changed:
            self._changed.wait_for(self._newest_unseen, 0.5)
            return self._newest_unseen()

    def _newest_unseen(self) -> Screen | None:
        if self._folder is None or not self._screens:
            return None
        newest = self._screens[-1]
        return None if newest in self._pictures else newest

    def _path(self, screen: Screen) -> Path:
        assert self._folder is not None
        number = self._screens.index(screen) + 1 if screen in self._screens else 0
        return self._folder / f"{self._prefix}-{number:02d}-{screen.name}.png"
