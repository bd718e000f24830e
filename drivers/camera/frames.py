"""Frames from a camera (V4L2 index, or an address that OpenCV opens): always the newest.

A thread of its own takes frames from the camera, because VideoCapture.read knows no deadline and
hands out old frames first; whoever asks gets the newest one, or DeadlineExceeded.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from drivers.deadline import Clock, Deadline
from drivers.errors import DeadlineExceeded, DeviceAbsent, DeviceLost

Gray = npt.NDArray[np.uint8]
"""One frame, luminance only: rows of bytes."""

Picture = npt.NDArray[np.integer | np.floating]

OPEN_MS = 3000
READ_MS = 3000
FAILED_READS_MAX = 3  # a camera may drop a frame after waking; more in a row and it is gone
WAIT_SLICE_S = 0.5


class FrameSource(Protocol):
    """What a camera driver is handed."""

    def read(self, deadline: Deadline) -> Gray:
        """A frame newer than the last one read. DeviceLost, or DeadlineExceeded with none."""

    def close(self) -> None:
        """Give the camera back; may be called twice."""


def open_camera(source: int | str, clock: Clock, size: tuple[int, int] = (1280, 720)) -> Frames:
    """The camera at `source`: a V4L2 number, or a stream's address. DeviceAbsent: none there."""
    del clock  # waits follow each call's Deadline, which carries the same clock
    parameters = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_MS]
    kind = cv2.CAP_V4L2 if isinstance(source, int) else cv2.CAP_FFMPEG
    capture = cv2.VideoCapture(source, kind, parameters if isinstance(source, str) else [])
    if not capture.isOpened():
        raise DeviceAbsent(f"camera {source}: nothing there")
    if isinstance(source, int):
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return Frames(capture.read, capture.release, f"camera {source}")


class Frames:
    """The newest frame of `take`, which blocks until the camera has one."""

    def __init__(
        self,
        take: Callable[[], tuple[bool, Picture]],
        release: Callable[[], None],
        name: str,
    ) -> None:
        self._take = take
        self._release = release
        self._name = name
        self._news = threading.Condition()
        self._newest: Gray | None = None
        self._lost = False
        self._closing = False
        self._thread = threading.Thread(target=self._grab, name="camera", daemon=True)
        self._thread.start()

    def read(self, deadline: Deadline) -> Gray:
        """A frame newer than the last one read."""
        with self._news:
            while self._newest is None:
                if self._lost or self._closing:
                    raise DeviceLost(f"{self._name}: gives no more frames")
                if deadline.remaining_s() <= 0:
                    raise DeadlineExceeded(f"no frame from {self._name} in time")
                self._news.wait(min(deadline.remaining_s(), WAIT_SLICE_S))
            frame, self._newest = self._newest, None
        return frame

    def close(self) -> None:
        """End the thread and give the camera back."""
        with self._news:
            self._closing = True
            self._news.notify_all()
        self._thread.join(READ_MS / 1000 + 1)

    def _grab(self) -> None:
        failed = 0
        while not self._closing and failed < FAILED_READS_MAX:
            came, picture = self._take()
            failed = 0 if came else failed + 1
            if came:
                with self._news:
                    self._newest = grey(picture)
                    self._news.notify_all()
        with self._news:
            self._lost, self._newest = True, None
            self._news.notify_all()
        self._release()


def grey(picture: Picture) -> Gray:
    """The luminance of a picture in colours (BGR), or of one that has none."""
    if picture.ndim == 2:
        return np.ascontiguousarray(picture, np.uint8)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
