"""Every colour and every length of the screen.

Rule: pure tokens; no screen and no .kv file holds a colour or a number of its own. Lengths are
pixels of the 1080×1920 canvas.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ThemeName = Literal["light", "contrast", "dusk"]
SizeName = Literal["normal", "large", "extra"]
Tone = Literal["teal", "green"]

CANVAS_WIDTH = 1080
CANVAS_HEIGHT = 1920

FACTORS: dict[SizeName, float] = {"normal": 1.0, "large": 1.25, "extra": 1.5}
"""How much larger reading text is drawn; pages reflow, nothing is cut off."""

SMALLER: dict[SizeName, SizeName] = {"extra": "large", "large": "normal"}
"""The next size down."""


def closer(size: SizeName, hints: bool) -> tuple[SizeName, bool] | None:
    """Where a page goes whose words do not fit: first the helping words go, then the size.

    None: it cannot be closer than this.
    """
    if hints:
        return size, False
    return (SMALLER[size], True) if size in SMALLER else None


SMALLEST_PITCH_MM = 0.2479
"""Pixel pitch of a 21.5-inch panel: 40 px there are 9.9 mm, no panel may show less."""


@dataclass(frozen=True)
class Palette:
    """One theme. Text pairs reach 7:1 (contrast theme 10:1), lines 3:1; a test proves it."""

    bg: str
    surface: str
    ink: str
    ink2: str
    line: str
    primary: str  # "go": filled cards, links
    primary_ink: str
    tint: str  # chosen and pressed cards
    tint_ink: str
    green: str
    green_ink: str
    green_tint: str
    green_tint_ink: str
    warn: str
    warn_tint: str
    error: str
    error_tint: str
    focus: str
    disabled: str
    disabled_bg: str


PALETTES: dict[ThemeName, Palette] = {
    "light": Palette(
        bg="#F6F8F7",
        surface="#FFFFFF",
        ink="#10202B",
        ink2="#3A4A55",
        line="#5E6D77",
        primary="#004F63",
        primary_ink="#FFFFFF",
        tint="#E3F1F4",
        tint_ink="#004F63",
        green="#07582F",
        green_ink="#FFFFFF",
        green_tint="#E4F3EA",
        green_tint_ink="#07582F",
        warn="#693F00",
        warn_tint="#FFF3D6",
        error="#97141A",
        error_tint="#FDE8E8",
        focus="#FFC400",
        disabled="#55636C",
        disabled_bg="#E6EAEC",
    ),
    "contrast": Palette(
        bg="#000000",
        surface="#000000",
        ink="#FFFFFF",
        ink2="#FFFFFF",
        line="#FFFFFF",
        primary="#FFD500",
        primary_ink="#000000",
        tint="#2B2600",
        tint_ink="#FFD500",
        green="#7CF2A8",
        green_ink="#000000",
        green_tint="#00250F",
        green_tint_ink="#7CF2A8",
        warn="#FFD500",
        warn_tint="#000000",
        error="#FF9A9A",
        error_tint="#000000",
        focus="#7FE3FF",
        disabled="#C8C8C8",
        disabled_bg="#1A1A1A",
    ),
    "dusk": Palette(
        bg="#0E1A21",
        surface="#14242D",
        ink="#F2F6F7",
        ink2="#B9C7CE",
        line="#7F939E",
        primary="#6FD3E8",
        primary_ink="#0E1A21",
        tint="#123642",
        tint_ink="#8FE0F1",
        green="#7CDDA4",
        green_ink="#0E1A21",
        green_tint="#0F3322",
        green_tint_ink="#92E8B5",
        warn="#FFCF70",
        warn_tint="#33270B",
        error="#FFB3B3",
        error_tint="#3A1517",
        focus="#FFC400",
        disabled="#94A5AE",
        disabled_bg="#1C2B34",
    ),
}

TEXT_SIZES: dict[SizeName, dict[str, int]] = {
    "normal": {
        "body": 40,  # the minimum: nothing is drawn smaller
        "button": 44,
        "section": 44,
        "card": 56,
        "h1": 64,
        "next_step": 76,
        "display": 96,
        "giant": 240,  # the count of the idle warning
    },
    "large": {
        "body": 50,
        "button": 54,
        "section": 54,
        "card": 64,
        "h1": 72,
        "next_step": 86,
        "display": 104,
        "giant": 300,
    },
    "extra": {
        "body": 60,
        "button": 62,
        "section": 62,
        "card": 70,
        "h1": 78,
        "next_step": 94,
        "display": 112,
        "giant": 360,
    },
}
"""Reading text grows by the whole factor; headings, large already, by less."""

TEXT_STEPS = ("display", "next_step", "h1", "card", "section", "body")
"""A heading too wide for its line takes the next of these, down to body."""

LENGTHS: dict[str, float] = {
    "hair": 2,
    "edge": 3,
    "edge_strong": 6,
    "radius": 24,
    "radius_small": 12,
    "tiny": 8,
    "gap": 16,
    "gutter": 24,
    "pad": 20,
    "side": 40,
    "margin": 48,
    "top_bar": 120,
    "language_key": 88,
    "language_key_width": 250,
    "bar_key": 160,
    "bar_pad": 20,
    "bar_side": 48,
    "touch_min": 96,  # 23.8 mm on 21.5 inches, 29.8 mm on 27
    "row": 132,
    "tile": 132,
    "primary_key": 168,  # 41.6 mm on 21.5 inches
    "next_card": 232,
    "keypad_key": 148,
    "qr": 290,
    "qr_small": 232,
    "bar": 48,
    "machine": 620,
    "machine_attract": 540,
    "machine_middle": 480,
    "machine_small": 210,
    "arrow": 14,
    "reach": 1349,  # highest target above the lower edge, 27 inches with that edge at 800 mm
}

TIGHTER: dict[SizeName, dict[str, float]] = {
    "normal": {},
    "large": {
        "gap": 14,
        "gutter": 18,
        "pad": 14,
        "side": 28,
        "margin": 36,
        "bar_side": 36,
        "machine_middle": 400,
        "row": 112,
        "tile": 112,
    },
    "extra": {
        "gap": 14,
        "gutter": 16,
        "pad": 10,
        "side": 24,
        "margin": 32,
        "row": 104,
        "tile": 112,
        "keypad_key": 116,
        "next_card": 200,
        "bar_pad": 14,
        "bar_side": 24,
        "machine": 480,
        "machine_middle": 320,
    },
}
"""Larger words take their room from the gaps: never under 3 mm on 21.5 inches (12.1 px)."""

LOW: dict[str, float] = {
    "row": 96,
    "tile": 96,
    "next_card": 164,
    "keypad_key": 100,
    "gap": 14,
    "gutter": 16,
    "pad": 8,
}
"""For somebody who sits: targets as low and as close together as they may be."""

ICON_GROWTH: dict[SizeName, float] = {"normal": 1.0, "large": 1.1, "extra": 1.15}

ICON_SIZES: dict[str, int] = {
    "icon_small": 44,
    "icon": 64,
    "icon_card": 72,
    "icon_big": 96,
    "icon_huge": 200,
}


def relative_luminance(colour: str) -> float:
    """WCAG 2.2's relative luminance of #RRGGBB."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast_ratio(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio, 1 to 21."""
    light, dark = sorted((relative_luminance(one), relative_luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def canvas_scale(width_px: float, pitch_mm: float | None) -> float:
    """Pixels a canvas pixel: fills the width, and never falls under the smallest panel's text."""
    fill = width_px / CANVAS_WIDTH
    return fill if pitch_mm is None else max(fill, SMALLEST_PITCH_MM / pitch_mm)
