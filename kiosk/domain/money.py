"""Money is integer fen; this module only turns it into words and back."""

from __future__ import annotations

Fen = int


def yuan(amount_fen: Fen) -> str:
    """`4120` → `41.20`; negative amounts keep their sign before the digits."""
    sign = "-" if amount_fen < 0 else ""
    return f"{sign}{abs(amount_fen) // 100}.{abs(amount_fen) % 100:02d}"
