"""A technician's switch: what travels on one device's cable, into a file, until a set time.

Rule: it is on for minutes and never by itself: its end is set with its beginning, a restart ends
it, and the audit trail says who turned it on. What the file keeps is drivers/recording.py's affair:
the lengths of what a person shows; or every byte, sealed to a key that is not on the terminal.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path

from drivers.recording import Recording, Seal, Tap
from kiosk.ports import Clock

MINUTES_MAX = 60
KEPT_FILES_MAX = 10
BADGE = re.compile(r"[a-z][a-z0-9_]{0,40}")
KEY_BYTES = 32
SealIn = Callable[[Path, bytes, bytes], None]
"""Write this content into this file under this key. OSError."""

Tell = Callable[[str, dict[str, str | int]], None]
"""An event of the audit trail with its fields."""


class CannotRecord(Exception):
    """Why not, in words for the command line."""


class Recordings:
    """One tap a device; at most one recording a tap."""

    def __init__(
        self, folder: Path, clock: Clock, tell: Tell, seal_in: SealIn | None = None
    ) -> None:
        self._folder, self._clock, self._tell = folder / "recordings", clock, tell
        self._seal_in = seal_in
        self._lock = threading.Lock()
        self._taps: dict[str, Tap] = {}
        self._running: dict[str, tuple[str, threading.Timer]] = {}

    def tap(self, device: str) -> Tap:
        """The one on this device's cable, whoever opens it and however often."""
        with self._lock:
            return self._taps.setdefault(device, Tap(self._clock.monotonic_s))

    def begin(
        self, device: str, kind: str, minutes: int, who: str, *, key: bytes | None = None
    ) -> Path:
        """Record for so many minutes; where. With `key` whole, and sealed. CannotRecord."""
        if not 1 <= minutes <= MINUTES_MAX:
            raise CannotRecord(f"for 1 to {MINUTES_MAX} minutes")
        if not BADGE.fullmatch(who):
            raise CannotRecord("a badge is a letter, then letters and digits: t07")
        if device not in self._taps:
            raise CannotRecord(f"{device} has no cable that can be recorded")
        self.end(device, "cancelled")
        now = self._clock.now()
        suffix = ".jsonl" if key is None else ".sealed"
        path = self._folder / f"{device}-{now:%Y%m%d-%H%M%S}{suffix}"
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._keep_few()
            recording = Recording(
                *(path, kind, now, self._clock.monotonic_s, 60.0 * minutes),
                seal=self._sealing(path, key),
            )
        except OSError as fault:
            raise CannotRecord(f"no file can be made: {fault.strerror}") from fault
        # On the record before the first byte is.
        facts: dict[str, str | int] = {"device": device, "who": who, "seconds": 60 * minutes}
        self._tell("recording_begun", facts | ({} if key is None else {"kind": "sealed"}))
        timer = threading.Timer(60.0 * minutes, self.end, (device, "done"))
        timer.daemon = True
        with self._lock:
            self._running[device] = who, timer
            self._taps[device].begin(recording)
        timer.start()
        return path

    def end(self, device: str, disposition: str) -> None:
        """Now; nothing happens when nothing is recorded."""
        with self._lock:
            running = self._running.pop(device, None)
            if running is None:
                return
            self._taps[device].end()
        who, timer = running
        timer.cancel()
        facts: dict[str, str | int] = {"device": device, "who": who, "disposition": disposition}
        self._tell("recording_ended", facts)

    def end_all(self) -> None:
        """Core stops."""
        for device in tuple(self._running):
            self.end(device, "cancelled")

    def runs(self, device: str) -> bool:
        """Whether its cable is being recorded."""
        return device in self._running

    def _sealing(self, path: Path, key: bytes | None) -> Seal | None:
        if key is None:
            return None
        seal_in = self._seal_in
        if seal_in is None or len(key) != KEY_BYTES:
            raise CannotRecord(f"the key is not {KEY_BYTES} bytes in base64")
        return lambda content: seal_in(path, content, key)

    def _keep_few(self) -> None:
        there = [*self._folder.glob("*.jsonl"), *self._folder.glob("*.sealed")]
        oldest_first = sorted(there, key=lambda path: path.stat().st_mtime)
        for path in oldest_first[: -KEPT_FILES_MAX + 1]:
            path.unlink(missing_ok=True)
