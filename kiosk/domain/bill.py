"""What is owed and who pays which part; the parts always add up to the whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class BillLine:
    """One item, as an itemised list prints it. `amount_fen` is for all `quantity`."""

    name: str
    quantity: int
    amount_fen: int
    day: date | None = None
    name_en: str = ""  # where the hospital has one; else the screen shows `name` in English too


@dataclass(frozen=True)
class Bill:
    """An unpaid or paid account of one visit."""

    id: str
    title: str
    lines: tuple[BillLine, ...]
    paid: bool = False

    @property
    def total_fen(self) -> int:
        return sum(line.amount_fen for line in self.lines)


@dataclass(frozen=True)
class Split:
    """Who pays: basic insurance, serious-illness insurance, medical aid, and the person's own part.

    All four are ≥ 0 fen and add up to the total that was pre-settled.
    """

    basic_fen: int
    serious_fen: int
    aid_fen: int
    own_fen: int

    def __post_init__(self) -> None:
        parts = (self.basic_fen, self.serious_fen, self.aid_fen, self.own_fen)
        assert all(part >= 0 for part in parts), f"a negative part: {parts}"

    @property
    def total_fen(self) -> int:
        return self.basic_fen + self.serious_fen + self.aid_fen + self.own_fen


@dataclass(frozen=True)
class Quote:
    """A pre-settlement (预结算) that the gateway signed: this split holds until `valid_until`.

    It is made for one person (the hospital's id) at one terminal, and the signature is over all
    of it. `signature`: base64, Ed25519, of the quote's own JSON without a signature.
    """

    id: str
    bill_ids: tuple[str, ...]
    lines: tuple[BillLine, ...]
    split: Split
    insured: bool
    valid_until: datetime
    signature: str = ""
    person: str = ""
    terminal: str = ""

    def __post_init__(self) -> None:
        total = sum(line.amount_fen for line in self.lines)
        assert total == self.split.total_fen, f"lines {total}, split {self.split.total_fen}"
