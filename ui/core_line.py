"""The line to core: a thread that reads views, and the way for touches.

Rule: the newest view wins; an older one that nobody has looked at yet is forgotten. Core away:
tried again for ever.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from kiosk.link import LinkClient, LinkLost
from kiosk.views import Touch, View

AGAIN_AFTER_S = 0.2
"""Connecting to a socket that is not there costs microseconds; a person sees 0.2 s as at once."""


class CoreLine:
    """`on_news` is called on the line's thread: there is a view, or the line was lost."""

    def __init__(self, path: Path, on_news: Callable[[], None]) -> None:
        self._path, self._on_news = path, on_news
        self._lock = threading.Lock()
        self._client: LinkClient | None = None
        self._newest: View | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="core-line", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """The thread is a daemon blocked in a read: it ends with the process."""
        self._stopped.set()

    @property
    def connected(self) -> bool:
        with self._lock:
            return self._client is not None

    def take(self) -> View | None:
        """The newest view that was not taken yet."""
        with self._lock:
            view, self._newest = self._newest, None
        return view

    def send(self, touch: Touch) -> None:
        """A touch for core; while it is away there is nothing to touch, and it is dropped."""
        with self._lock:
            client = self._client
        if client is not None:
            try:
                client.touch(touch)
            except LinkLost:
                return  # the reading thread sees it too, and says so

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._read_until_lost(LinkClient(self._path, "ui"))
            except LinkLost:
                self._stopped.wait(AGAIN_AFTER_S)

    def _read_until_lost(self, client: LinkClient) -> None:
        try:
            while not self._stopped.is_set():
                view = client.next_view()
                with self._lock:
                    self._client, self._newest = client, view
                self._on_news()
        finally:
            with self._lock:
                self._client = self._newest = None
            client.close()
            self._on_news()
