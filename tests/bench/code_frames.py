"""Synthetic camera frames: codes as a lobby's camera sees them, spoilt in one way a class.

A frame comes from a class and a seed alone. Contents are what scan windows meet, in the three
encodings that codes use: plain bytes in UTF-8 or GB18030, and bytes announced by ECI.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import segno

Gray = npt.NDArray[np.uint8]
HEIGHT, WIDTH = 720, 1280
NAMES = ("王测试", "示例人", "张秀英", "李示例", "乌兰示例", "陈𠮷示")


@dataclass(frozen=True)
class Content:
    """What a code says, and how its bytes say it."""

    text: str
    encoding: str
    eci: bool = False


@dataclass(frozen=True)
class Look:
    """How the camera sees it: pixels a module, turn and tilt in degrees."""

    module_px: float
    turn_deg: float
    tilt_deg: float
    inverted: bool = False
    roams: float = 0.8
    """How far from the middle it may be: 1 is up to the edge."""


Spoil = Callable[[Gray, Look, np.random.Generator], Gray]


def content(chance: random.Random) -> Content:
    """A code that a scan window may meet."""
    digits = "".join(chance.choices("0123456789", k=28))
    kind = chance.randrange(6)
    if kind == 0:
        return Content("13" + digits[:16], "ascii")
    if kind == 1:
        return Content(digits, "ascii")
    if kind == 2:
        return Content(chance.randbytes(32).hex() + ":1", "ascii")
    if kind == 3:
        return Content(f"https://example.invalid/r?id={digits[:12]}", "ascii")
    name = chance.choice(NAMES)
    encoding, eci = chance.choice((("utf-8", False), ("gb18030", False), ("utf-8", True)))
    return Content(f"{name}:{digits[:6]}", encoding, eci)


def frame(kind: str, seed: int) -> tuple[Gray, Content]:
    """One frame of a class with its code's content."""
    chance = random.Random(f"{kind} {seed}")
    noise = np.random.default_rng(chance.getrandbits(32))
    said = content(chance)
    make_look, spoil = CLASSES[kind]
    look = make_look(chance)
    picture = _place(_background(noise), _code(said, look), look, noise)
    return _sensor(spoil(picture, look, noise), noise), said


def empty(seed: int) -> Gray:
    """A frame without a code: things in a lobby, some of them chequered or lettered."""
    noise = np.random.default_rng(seed)
    picture = _background(noise)
    for _ in range(int(noise.integers(0, 4))):
        _chequer(picture, noise)
    return _sensor(picture, noise)


def again(picture: Gray, seed: int) -> Gray:
    """The same scene a frame later: the hand has moved a little, the noise is new."""
    noise = np.random.default_rng(seed)
    shift = np.array([[1, 0, noise.uniform(-3, 3)], [0, 1, noise.uniform(-3, 3)]], np.float32)
    moved = cv2.warpAffine(picture, shift, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
    return _noisy(moved, 2.0, noise)


# -- the scene


def _background(noise: np.random.Generator) -> Gray:
    rough = noise.integers(40, 200, (9, 16)).astype(np.uint8)
    picture = cv2.resize(rough, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    for _ in range(14):
        x, y = int(noise.integers(0, WIDTH)), int(noise.integers(0, HEIGHT))
        w, h = int(noise.integers(20, 260)), int(noise.integers(20, 200))
        cv2.rectangle(picture, (x, y), (x + w, y + h), int(noise.integers(10, 245)), -1)
    for _ in range(8):
        place = (int(noise.integers(0, WIDTH)), int(noise.integers(0, HEIGHT)))
        words, shade = "REGISTRATION 2F"[: int(noise.integers(3, 15))], int(noise.integers(0, 255))
        cv2.putText(picture, words, place, cv2.FONT_HERSHEY_SIMPLEX, 1.1, shade, 2)
    return np.asarray(picture, np.uint8)


def _chequer(picture: Gray, noise: np.random.Generator) -> None:
    side, cell = int(noise.integers(8, 30)), int(noise.integers(3, 9))
    squares = noise.integers(0, 2, (side, side)).astype(np.uint8) * 200 + 20
    patch = np.kron(squares, np.ones((cell, cell), np.uint8))
    size = min(patch.shape[0], HEIGHT - 10)
    x, y = int(noise.integers(0, WIDTH - size)), int(noise.integers(0, HEIGHT - size))
    picture[y : y + size, x : x + size] = patch[:size, :size]


def _code(said: Content, look: Look) -> Gray:
    made = segno.make_qr(
        said.text,
        encoding=said.encoding if said.encoding != "ascii" else None,
        eci=said.eci,
        error="m",
        boost_error=False,
    )
    modules = np.array([[1 - cell for cell in row] for row in made.matrix_iter(border=4)], np.uint8)
    if look.inverted:
        modules = 1 - modules
    scale = 8  # drawn large, then brought to size by the warp
    shades = modules * np.uint8(205) + np.uint8(25)
    return np.asarray(np.kron(shades, np.ones((scale, scale), np.uint8)), np.uint8)


def _place(scene: Gray, code: Gray, look: Look, noise: np.random.Generator) -> Gray:
    """Turned, tilted, brought to size, somewhere in the middle of the scene."""
    size = code.shape[0] / 8 * look.module_px
    turn, tilt = math.radians(look.turn_deg), math.radians(look.tilt_deg)
    corners = []
    for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        far = 1 + 0.45 * x * math.sin(tilt)
        u, v = x * math.cos(tilt) / far, y / far
        corners.append(
            (u * math.cos(turn) - v * math.sin(turn), u * math.sin(turn) + v * math.cos(turn))
        )
    room_x, room_y = max(1.0, WIDTH / 2 - size), max(1.0, HEIGHT / 2 - size * 0.8)
    middle = np.array(
        [
            WIDTH / 2 + noise.uniform(-room_x, room_x) * look.roams,
            HEIGHT / 2 + noise.uniform(-room_y, room_y) * look.roams,
        ]
    )
    aim = (np.array(corners) * size / 2 + middle).astype(np.float32)
    edge = float(code.shape[0])
    source = np.array([[0, 0], [edge, 0], [edge, edge], [0, edge]], np.float32)
    warp = cv2.getPerspectiveTransform(source, aim)
    shrink = max(1.0, 8 / look.module_px)
    smooth = cv2.GaussianBlur(code, (0, 0), 0.45 * shrink)
    drawn = cv2.warpPerspective(smooth, warp, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
    mask = cv2.warpPerspective(np.full_like(code, 255), warp, (WIDTH, HEIGHT))
    return np.asarray(np.where(mask > 127, drawn, scene), np.uint8)


# -- what the camera makes of it


def _clipped(picture: npt.NDArray[np.float32]) -> Gray:
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def _noisy(picture: npt.NDArray[np.generic], sigma: float, noise: np.random.Generator) -> Gray:
    grain = noise.normal(0, sigma, (HEIGHT, WIDTH)).astype(np.float32)
    return _clipped(picture.astype(np.float32) + grain)


def _sensor(picture: Gray, noise: np.random.Generator) -> Gray:
    grainy = _noisy(picture, 2.5, noise)
    _, coded = cv2.imencode(".jpg", grainy, [cv2.IMWRITE_JPEG_QUALITY, 80])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)


def _as_it_is(picture: Gray, look: Look, noise: np.random.Generator) -> Gray:
    return picture


def _motion(picture: Gray, look: Look, noise: np.random.Generator) -> Gray:
    length = look.module_px * noise.uniform(0.8, 2.0)
    size = 2 * int(length) + 3
    kernel = np.zeros((size, size), np.float32)
    angle = noise.uniform(0, math.pi)
    away = np.array([math.cos(angle), math.sin(angle)]) * length / 2
    begin, end = (tuple(round(float(c)) for c in size // 2 + sign * away) for sign in (-1, 1))
    cv2.line(kernel, begin, end, 1.0, 1, cv2.LINE_AA)
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum()), np.uint8)


def _defocus(picture: Gray, look: Look, noise: np.random.Generator) -> Gray:
    radius = look.module_px * noise.uniform(0.6, 1.15)
    size = 2 * int(radius) + 3
    yy, xx = np.mgrid[:size, :size] - size // 2
    kernel = np.clip(radius + 0.5 - np.hypot(xx, yy), 0, 1).astype(np.float32)
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum()), np.uint8)


def _glare(picture: Gray, look: Look, noise: np.random.Generator) -> Gray:
    light = np.zeros((HEIGHT, WIDTH), np.float32)
    for _ in range(int(noise.integers(1, 4))):
        middle = (int(noise.uniform(0.38, 0.62) * WIDTH), int(noise.uniform(0.3, 0.7) * HEIGHT))
        axes = (int(noise.uniform(20, 160)), int(noise.uniform(15, 70)))
        cv2.ellipse(light, middle, axes, noise.uniform(0, 180), 0, 360, 1.0, -1)
    light = cv2.GaussianBlur(light, (0, 0), 18) * noise.uniform(120, 230)
    return _clipped(picture + light)


def _low_light(picture: Gray, look: Look, noise: np.random.Generator) -> Gray:
    slope = np.linspace(noise.uniform(0.5, 1), noise.uniform(0.5, 1), WIDTH, dtype=np.float32)
    dark = picture.astype(np.float32) * noise.uniform(0.06, 0.2) * slope + 4
    return _noisy(dark, noise.uniform(2.0, 4.5), noise)


def _moire(picture: Gray, look: Look, noise: np.random.Generator) -> Gray:
    yy, xx = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    waves = np.zeros((HEIGHT, WIDTH), np.float32)
    for _ in range(2):
        angle, period = noise.uniform(0, math.pi), noise.uniform(2.2, 9.0)
        waves += np.sin((xx * math.cos(angle) + yy * math.sin(angle)) * 2 * math.pi / period)
    return _clipped(picture + waves * noise.uniform(18, 45))


def _cracks(picture: Gray, look: Look, noise: np.random.Generator) -> Gray:
    cracked = picture.copy()
    for _ in range(int(noise.integers(5, 16))):
        begin = noise.uniform((0.35 * WIDTH, 0.1 * HEIGHT), (0.65 * WIDTH, 0.9 * HEIGHT))
        points = [begin]
        for _ in range(int(noise.integers(3, 9))):
            points.append(points[-1] + noise.normal(0, 70, 2))
        line = np.array(points, np.int32).reshape(-1, 1, 2)
        shade, width = int(noise.choice((20, 240))), int(noise.integers(1, 4))
        cv2.polylines(cracked, [line], False, shade, width, cv2.LINE_AA)
    return cracked


def _bloom(picture: Gray, look: Look, noise: np.random.Generator) -> Gray:
    bright = picture.astype(np.float32) * noise.uniform(1.3, 2.0)
    spread = cv2.GaussianBlur(bright, (0, 0), look.module_px * noise.uniform(0.5, 1.0))
    return _clipped(bright * 0.45 + spread * 0.75 - 30)


def _usual(chance: random.Random) -> Look:
    return Look(chance.uniform(4, 7), chance.uniform(-20, 20), chance.uniform(-15, 15))


def _in_the_middle(chance: random.Random) -> Look:
    usual = _usual(chance)
    return Look(usual.module_px, usual.turn_deg, usual.tilt_deg, roams=0.15)


def _tilted(chance: random.Random) -> Look:
    tilt = chance.choice((-1, 1)) * chance.uniform(35, 58)
    return Look(chance.uniform(4.5, 7), chance.uniform(-40, 40), tilt)


def _small(chance: random.Random) -> Look:
    return Look(chance.uniform(1.5, 2.6), chance.uniform(-15, 15), chance.uniform(-10, 10))


def _light_on_dark(chance: random.Random) -> Look:
    usual = _usual(chance)
    return Look(usual.module_px, usual.turn_deg, usual.tilt_deg, inverted=True)


CLASSES: dict[str, tuple[Callable[[random.Random], Look], Spoil]] = {
    "plain": (_usual, _as_it_is),
    "blur": (_usual, _motion),
    "defocus": (_usual, _defocus),
    "glare": (_in_the_middle, _glare),
    "low light": (_usual, _low_light),
    "perspective": (_tilted, _as_it_is),
    "moire": (_usual, _moire),
    "small": (_small, _as_it_is),
    "inverted": (_light_on_dark, _as_it_is),
    "cracked": (_in_the_middle, _cracks),
    "bloom": (_usual, _bloom),
}
