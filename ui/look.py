"""The theme as `.kv` files see it: one attribute a token.

Rule: plain attributes, no observers: when the look changes, the stage builds its widgets anew, and
a page costs a third of what a thousand bindings to the theme did.
"""

from __future__ import annotations

from kivy.utils import get_color_from_hex

from ui import assets
from ui.theme import (
    FACTORS,
    ICON_GROWTH,
    ICON_SIZES,
    LENGTHS,
    LOW,
    PALETTES,
    TEXT_SIZES,
    TEXT_STEPS,
    TIGHTER,
    SizeName,
    ThemeName,
    Tone,
)


class Look:
    """Every token of ui.theme under its own name; colours and screen pixels.

    `unit` is screen pixels a canvas pixel; `factor` how much the person's choice enlarges text.
    """

    def __init__(self, unit: float = 1.0) -> None:
        self.regular = assets.font("NotoSansSC-Regular")
        self.bold = assets.font("NotoSansSC-Bold")
        self.icons = assets.font("icons")
        self.unit, self.factor = unit, 1.0
        self.size_name: SizeName = "normal"
        self.theme_name: ThemeName = "light"
        self.tone: Tone = "teal"
        self.low = False
        self.hints = True  # headings and helping words, left out where the page is full
        self._measure()
        self._paint()

    def __getattr__(self, name: str) -> object:
        """Tokens are set by name; an unknown one is a slip of the pen."""
        raise AttributeError(f"ui.theme has no token {name}")

    def wear(
        self,
        size: SizeName,
        theme: ThemeName,
        tone: Tone,
        *,
        low: bool = False,
        hints: bool = True,
    ) -> bool:
        """Take on what the frame asks for. True: something changed, and widgets are built anew."""
        wanted = (size, theme, tone, low, hints)
        if wanted == (self.size_name, self.theme_name, self.tone, self.low, self.hints):
            return False
        self.size_name, self.factor = size, FACTORS[size]
        self.theme_name, self.tone = theme, tone
        self.low, self.hints = low, hints
        self._measure()
        self._paint()
        return True

    def rescale(self, unit: float) -> None:
        self.unit = unit
        self._measure()

    def steps(self, largest: float) -> list[float]:
        """The text sizes from this one down to body, for words too wide for their line."""
        smaller = [getattr(self, name) for name in TEXT_STEPS]
        return [largest, *(size for size in smaller if size < largest)]

    def _measure(self) -> None:
        size: SizeName = self.size_name
        lower = LOW if self.low else {}
        for name, value in (LENGTHS | TIGHTER[size] | lower | TEXT_SIZES[size]).items():
            setattr(self, name, value * self.unit)
        for name, value in ICON_SIZES.items():
            setattr(self, name, value * self.unit * ICON_GROWTH[size])

    def _paint(self) -> None:
        palette = vars(PALETTES[self.theme_name])
        for name, value in palette.items():
            setattr(self, name, get_color_from_hex(value))
        if self.tone == "green":  # the green channel's "go" is green
            self.primary, self.primary_ink = self.green, self.green_ink
            self.tint, self.tint_ink = self.green_tint, self.green_tint_ink
