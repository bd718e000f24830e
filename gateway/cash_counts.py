"""Counts of emptied cash boxes, as the daily match and finance see them.

Rule: the gateway judges nothing here: a difference is told, with the terminal that it belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from gateway.adapters.port import Work
from gateway.tables import cash_counts
from kiosk.domain.money import Fen, yuan


@dataclass(frozen=True)
class CashCounted:
    """One box: what its terminal had stacked, and what a person found in it."""

    terminal: str
    who: str
    expected_fen: Fen
    counted_fen: Fen

    @property
    def difference_fen(self) -> Fen:
        return self.counted_fen - self.expected_fen

    def as_text(self) -> str:
        said = f"钱箱清点 {self.terminal}：清点 ¥{yuan(self.counted_fen)}"
        if not self.difference_fen:
            return f"{said}，与终端记录相符"
        more = "多" if self.difference_fen > 0 else "少"
        told = f"终端记录 ¥{yuan(self.expected_fen)}，{more} ¥{yuan(abs(self.difference_fen))}"
        return f"⚠ {said}，{told}，财务：复点，查当期现金单号"


def counted_on(work: Work, day: date) -> tuple[CashCounted, ...]:
    """All boxes that were counted on this day, terminal by terminal."""
    statement = (
        select(
            cash_counts.c.terminal,
            cash_counts.c.who,
            cash_counts.c.expected_fen,
            cash_counts.c.counted_fen,
        )
        .where(cash_counts.c.day == day.isoformat())
        .order_by(cash_counts.c.terminal, cash_counts.c.sequence)
    )
    return tuple(CashCounted(*row) for row in work.connection.execute(statement))
