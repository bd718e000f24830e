"""What is printed on a slip, not how: the printer's driver decides bytes, dots and paper."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Size(StrEnum):
    NORMAL = "normal"
    LARGE = "large"  # 16 pt and more; elders' slips
    HUGE = "huge"  # numbers that are called


@dataclass(frozen=True)
class Text:
    text: str
    size: Size = Size.NORMAL
    bold: bool = False
    centred: bool = False


@dataclass(frozen=True)
class Pair:
    """A word at the left edge and a value at the right one."""

    left: str
    right: str
    size: Size = Size.NORMAL
    bold: bool = False


@dataclass(frozen=True)
class Rule:
    """A line across the paper."""


@dataclass(frozen=True)
class Space:
    """One empty line."""


@dataclass(frozen=True)
class Code:
    """A QR code; `caption` is printed under it for people without a scanner."""

    payload: str
    caption: str = ""


Line = Text | Pair | Rule | Space | Code


@dataclass(frozen=True)
class Slip:
    """One piece of paper. `number` finds it again (kiosk audit find NUMBER)."""

    kind: str
    number: str
    lines: tuple[Line, ...]
    copy: bool = False  # marked 补打
