"""The theme as live properties: what `.kv` files bind to.

Rule: sizes, theme and tone change here and everywhere on the screen at once.
"""

from __future__ import annotations

from typing import Any

from kivy.event import EventDispatcher
from kivy.properties import (
    ColorProperty,
    NumericProperty,
    OptionProperty,
    StringProperty,
)

from ui import assets
from ui.theme import FACTORS, ICON_SIZES, LENGTHS, PALETTES, TEXT_SIZES, SizeName, ThemeName, Tone


def _properties() -> dict[str, Any]:
    colours = {name: ColorProperty(value) for name, value in vars(PALETTES["light"]).items()}
    numbers = {**TEXT_SIZES, **LENGTHS, **ICON_SIZES}
    return colours | {name: NumericProperty(value) for name, value in numbers.items()}


class _Tokens(EventDispatcher):
    """One property a token of ui.theme, under the token's own name."""

    locals().update(_properties())


class Look(_Tokens):
    """`unit` is screen pixels a canvas pixel; `factor` the size a person chose."""

    unit = NumericProperty(1.0)
    factor = NumericProperty(1.0)
    size_name = OptionProperty("normal", options=list(FACTORS))
    theme_name = OptionProperty("light", options=list(PALETTES))
    tone = OptionProperty("teal", options=["teal", "green"])
    regular = StringProperty("")
    bold = StringProperty("")
    icons = StringProperty("")

    def __init__(self, unit: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.regular = assets.font("NotoSansSC-Regular")
        self.bold = assets.font("NotoSansSC-Bold")
        self.icons = assets.font("icons")
        self.unit = unit
        self._measure()

    def wear(self, size: SizeName, theme: ThemeName, tone: Tone) -> bool:
        """Take on what the frame asks for. True: something changed, and widgets are built anew."""
        wanted = (size, theme, tone)
        if wanted == (self.size_name, self.theme_name, self.tone):
            return False
        self.size_name, self.factor = size, FACTORS[size]
        self.theme_name, self.tone = theme, tone
        self._measure()
        self._paint()
        return True

    def rescale(self, unit: float) -> None:
        if unit != self.unit:
            self.unit = unit
            self._measure()

    def _measure(self) -> None:
        for name, value in LENGTHS.items():
            setattr(self, name, value * self.unit)
        for name, value in (TEXT_SIZES | ICON_SIZES).items():
            setattr(self, name, value * self.unit * self.factor)

    def _paint(self) -> None:
        palette = vars(PALETTES[self.theme_name])
        for name, value in palette.items():
            setattr(self, name, value)
        if self.tone == "green":  # the green channel's "go" is green
            self.primary, self.primary_ink = palette["green"], palette["green_ink"]
            self.tint, self.tint_ink = palette["green_tint"], palette["green_tint_ink"]
