"""Codes in a frame: the quick looks on every frame, costlier tries in turn within a budget.

Measured on synthetic frames of eleven kinds of trouble: the three quick looks find nine of ten
codes that anything finds; the tries are ordered by what each adds for its time. Some cracked
screens none of ours reads, by their pictures those with a crack through a finder; WeChat's decoder
reads a few of them, at 0.2 s a frame.
zbar is believed only where it cannot garble: it turns GB18030 contents into other letters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import cv2
import numpy as np
import zxingcpp
from pyzbar import pyzbar

from drivers.camera.frames import Gray
from drivers.deadline import Clock

ROUND = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))

BUDGET_S = 0.020  # for costlier tries in one frame: with the quick looks, 30 frames a second fit
TRIES_IN = 7
TRY_AT = (1, 2, 3)
"""Of seven frames in which nothing was found, three in a row get costlier tries: a person who
holds a hard code sees each kind of try within four frames, and an empty lobby stays cheap."""

# Not the whole family: the smallest Micro QR corrects no error, and was once read out of the
# moiré of a real code (six digits for twenty-eight).
QR = zxingcpp.barcode_formats_from_str("QRCodeModel2")
LINEAR = zxingcpp.barcode_formats_from_str("Code128,Code39")


@dataclass(frozen=True, repr=False)
class Reading:
    """A code's bytes as they stand in the symbol; `area` in square pixels of the frame."""

    content: bytes
    area: float
    linear: bool = False

    def __repr__(self) -> str:
        return f"Reading({len(self.content)} bytes)"


Look = Callable[[Gray], list[Reading]]


class Cascade:
    """Stateful only in which try comes next. `clock` bounds the time for tries in one frame."""

    def __init__(self, clock: Clock, *, linear: bool = False, budget_s: float = BUDGET_S) -> None:
        self._clock = clock
        self._budget_s = budget_s
        self._quick: tuple[Look, ...] = (*QUICK, _linear) if linear else QUICK
        self._frames = 0
        self._next_try = 0
        # What each try took last; zbar, the costliest by far, is never begun late in a frame.
        self._took_s = [budget_s if attempt is _zbar else 0.0 for attempt in TRIES]

    def look(self, frame: Gray) -> list[Reading]:
        """The codes in one frame, the largest first; often none."""
        self._frames += 1
        began_s = self._clock()
        for quick in self._quick:
            if found := quick(frame):
                self._frames = 0
                return _largest_first(found)
        if (self._frames - 1) % TRIES_IN in TRY_AT:
            return _largest_first(self._try(frame, began_s + self._budget_s))
        return []

    def _try(self, frame: Gray, until_s: float) -> list[Reading]:
        """Go on where the last frame stopped; at least one try, no more than each once."""
        for count in range(len(TRIES)):
            began_s = self._clock()
            if count and began_s + self._took_s[self._next_try] > until_s:
                break
            this_try, self._next_try = self._next_try, (self._next_try + 1) % len(TRIES)
            found = TRIES[this_try](frame)
            self._took_s[this_try] = self._clock() - began_s
            if found:
                self._next_try = 0
                return found
        return []


def _largest_first(found: Iterable[Reading]) -> list[Reading]:
    return sorted(found, key=lambda reading: -reading.area)


def _zxing(
    frame: Gray,
    *,
    scale: float = 1.0,
    invert: bool = False,
    binarizer: zxingcpp.Binarizer = zxingcpp.Binarizer.LocalAverage,
) -> list[Reading]:
    found = zxingcpp.read_barcodes(
        np.ascontiguousarray(frame),
        formats=QR,
        try_rotate=False,
        try_downscale=False,
        try_invert=invert,
        binarizer=binarizer,
    )
    # The bytes, not zxing's text: without ECI it takes GB18030 for Latin letters.
    return [Reading(bytes(code.bytes), _area(code) / scale**2) for code in found]


def _area(code: zxingcpp.Barcode) -> float:
    place = code.position
    corners = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
    return float(cv2.contourArea(np.array([(at.x, at.y) for at in corners], np.float32)))


def _scaled(frame: Gray, scale: float) -> list[Reading]:
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=how)
    return _zxing(np.asarray(resized, np.uint8), scale=scale)


def _as_it_is(frame: Gray) -> list[Reading]:
    return _zxing(frame, invert=True)


def _one_threshold(frame: Gray) -> list[Reading]:
    """Bloom and long blur: one threshold keeps what a local average breaks up."""
    return _zxing(frame, binarizer=zxingcpp.Binarizer.GlobalHistogram)


def _half(frame: Gray) -> list[Reading]:
    """Noise in low light averages out; fine cracks vanish."""
    return _scaled(frame, 0.5)


def _opened(frame: Gray) -> list[Reading]:
    """Light cracks and motion: dark modules grow together again."""
    return _zxing(np.asarray(cv2.morphologyEx(frame, cv2.MORPH_OPEN, np.ones((3, 3))), np.uint8))


def _closed_wide(frame: Gray) -> list[Reading]:
    """Broad dark cracks vanish."""
    return _zxing(np.asarray(cv2.morphologyEx(frame, cv2.MORPH_CLOSE, ROUND), np.uint8))


def _despeckled(frame: Gray) -> list[Reading]:
    return _zxing(np.asarray(cv2.medianBlur(frame, 3), np.uint8))


def _smoothed(frame: Gray) -> list[Reading]:
    """Cracks of both kinds where modules are large."""
    return _zxing(np.asarray(cv2.medianBlur(frame, 5), np.uint8))


def _evened(frame: Gray) -> list[Reading]:
    """Low light and glare: each spot against its own surroundings."""
    return _thresholded(frame, blur=1.2, block=61, below=2)


def _thresholded(frame: Gray, blur: float, block: int, below: int) -> list[Reading]:
    smooth = cv2.GaussianBlur(frame, (0, 0), blur)
    mean, binary = cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY
    black_white = cv2.adaptiveThreshold(smooth, 255, mean, binary, block, below)
    return _zxing(np.asarray(black_white, np.uint8), binarizer=zxingcpp.Binarizer.FixedThreshold)


def _sharpened(frame: Gray, radius: float, amount: float) -> Gray:
    soft = cv2.GaussianBlur(frame, (0, 0), radius)
    return np.asarray(cv2.addWeighted(frame, 1 + amount, soft, -amount, 0), np.uint8)


def _refocused(frame: Gray) -> list[Reading]:
    """Out of focus: the radius of a typical blur."""
    return _zxing(_sharpened(frame, 4, 3))


def _refocused_a_little(frame: Gray) -> list[Reading]:
    return _zxing(_sharpened(frame, 2, 2))


def _doubled(frame: Gray) -> list[Reading]:
    """Small codes: less than two pixels a module."""
    return _scaled(frame, 2.0)


def _smaller(frame: Gray) -> list[Reading]:
    """Other rows of pixels than in the frame itself: a finder that was missed may be met."""
    return _scaled(frame, 0.7)


def _third(frame: Gray) -> list[Reading]:
    """Large codes: what is narrower than a module is averaged away."""
    return _scaled(frame, 1 / 3)


def _zbar(frame: Gray) -> list[Reading]:
    """Cracked screens. Letters beyond ASCII may be garbled: those are left to the others."""
    try:
        found = pyzbar.decode(frame, symbols=[pyzbar.ZBarSymbol.QRCODE])
    except ValueError:  # an orientation that pyzbar does not know
        return []
    return [
        Reading(code.data, float(code.rect.width * code.rect.height))
        for code in found
        if code.data.isascii()
    ]


def _zbar_half(frame: Gray) -> list[Reading]:
    return _zbar(np.asarray(cv2.resize(frame, None, fx=0.5, fy=0.5), np.uint8))


def _linear(frame: Gray) -> list[Reading]:
    found = zxingcpp.read_barcodes(frame, formats=LINEAR, try_downscale=False, try_invert=False)
    return [Reading(bytes(code.bytes), _area(code), linear=True) for code in found]


QUICK: tuple[Look, ...] = (_as_it_is, _one_threshold, _half)
TRIES: tuple[Look, ...] = (
    _opened,
    _despeckled,
    _closed_wide,
    _smoothed,
    _doubled,
    _evened,
    _zbar_half,
    _refocused,
    _zbar,
    _refocused_a_little,
    _third,
    _smaller,
)
