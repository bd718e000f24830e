"""A camera used as a scanner: the same verbs as the serial one, armed only while a screen asks.

No thread here (frames come newest first from their source), no retry, no sleep. Frames are looked
at and dropped: none is kept, written or sent anywhere.
"""

from __future__ import annotations

import numpy as np

from drivers.camera.cascade import Cascade, Reading
from drivers.camera.frames import FrameSource, Gray
from drivers.deadline import Clock, Deadline
from drivers.errors import DeadlineExceeded, DeviceLost
from drivers.identity import DeviceIdentity
from drivers.scanner.codec import CODE_BYTES_MAX, Garbage, GarbageReason, Scanned, read_text
from drivers.scanner.driver import Nothing
from drivers.scanner.hints import Hint
from drivers.scanner.seen import JustSeen

KIND = "camera"
__all__ = ["CAPABILITIES", "KIND", "CameraScanner", "Hint", "hint_of"]

CAPABILITIES = frozenset({"codes", "hints", "linear_codes"})

FROZEN_S = 5.0
"""A camera that gave no frame for so long is gone, whatever the port says."""

PROBE_S = 5.0
AGREE_S = 0.5
"""A one-dimensional code has a weak check: it counts when two frames so near each other agree."""

DARK_BELOW = 40
GLARE_ABOVE = 250
GLARE_PART = 0.12
"""Part of the middle of the frame that is blown out."""


class CameraScanner:
    """Codes seen by a camera. `linear`: one-dimensional codes (old hospital cards) count too."""

    def __init__(self, frames: FrameSource, clock: Clock, *, linear: bool = False) -> None:
        self._frames = frames
        self.clock = clock
        self._cascade = Cascade(clock, linear=linear)
        self._seen = JustSeen(clock)
        self._armed = False
        self._stale_frames = 0
        self._last_frame_s = clock()
        self._last_linear: tuple[bytes, float] = (b"", 0.0)
        self.hint = Hint.NONE
        """How the last frame looked, if no code was found in it."""

    def arm(self) -> None:
        """Start looking. What the camera saw before is not taken: the newest frame may be older."""
        self._armed = True
        self._stale_frames = 1
        self._last_frame_s = self.clock()
        self._last_linear = (b"", 0.0)
        self.hint = Hint.NONE

    def disarm(self) -> None:
        """Stop looking; may be called twice."""
        self._armed = False
        self.hint = Hint.NONE

    def poll(self, deadline: Deadline) -> Scanned | Nothing | Garbage:
        """The next code. While disarmed frames are dropped; a lost camera is still noticed."""
        while True:
            frame = self._next_frame(deadline)
            if frame is None:
                return Nothing()
            if (outcome := self._look(frame)) is not None:
                return outcome
            if deadline.remaining_s() <= 0:
                return Nothing()

    def probe(self, timeout_s: float = PROBE_S) -> DeviceIdentity:
        """What the camera's frames are like. DeadlineExceeded: it gives none."""
        height, width = self._frames.read(Deadline.after(self.clock, timeout_s)).shape
        return DeviceIdentity(KIND, f"{width}x{height}")

    def close(self) -> None:
        """Give the camera back."""
        self._frames.close()

    def _next_frame(self, deadline: Deadline) -> Gray | None:
        try:
            frame = self._frames.read(deadline)
        except DeadlineExceeded:
            if self.clock() - self._last_frame_s > FROZEN_S:
                raise DeviceLost("camera: gives no frames") from None
            return None
        self._last_frame_s = self.clock()
        return frame

    def _look(self, frame: Gray) -> Scanned | Garbage | None:
        if not self._armed:
            return None
        if self._stale_frames:
            self._stale_frames -= 1
            return None
        readings = [code for code in self._cascade.look(frame) if self._counts(code)]
        if not readings:
            self.hint = hint_of(frame)
            return None
        self.hint = Hint.NONE
        # Of several codes in sight the largest is the one held up.
        content = readings[0].content
        if self._seen.again(content):
            return None
        return read_text(content) if len(content) <= CODE_BYTES_MAX else _TOO_LONG

    def _counts(self, code: Reading) -> bool:
        if not code.content:
            return False
        if not code.linear:
            return True
        before, at_s = self._last_linear
        self._last_linear = (code.content, self.clock())
        return before == code.content and self.clock() - at_s <= AGREE_S


_TOO_LONG = Garbage(GarbageReason.TOO_LONG)


def hint_of(frame: Gray) -> Hint:
    """Too dark as a whole, or blown out where a code would be held."""
    thin = frame[::4, ::4]
    if float(np.percentile(thin, 90)) < DARK_BELOW:
        return Hint.TOO_DARK
    height, width = thin.shape
    middle = thin[height // 4 : height * 3 // 4, width // 4 : width * 3 // 4]
    if float((middle >= GLARE_ABOVE).mean()) > GLARE_PART:
        return Hint.GLARE
    return Hint.NONE
