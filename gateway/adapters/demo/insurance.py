"""How the demo insurer shares a bill; a class is data, the sum always fits.

Basic insurance pays a rate by the item's category, rounded to jiao; then serious-illness insurance
and medical aid each take their part of what is left, rounded to jiao; the person pays the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gateway.adapters.demo.people import AIDED, EMPLOYEE, RESIDENT, SELF_PAY
from kiosk.domain.bill import Split
from kiosk.domain.money import Fen

_JIAO_FEN = 10
_WHOLE_BP = 10_000


class Category(StrEnum):
    """What kind of thing was done; the insurer pays each at its own rate."""

    REGISTRATION = "registration"
    LABORATORY = "laboratory"
    DRUG = "drug"
    IMAGING = "imaging"
    WARD = "ward"
    NOT_COVERED = "not_covered"


@dataclass(frozen=True)
class Scheme:
    """One class; rates in hundredths of a per cent (bp)."""

    name: str
    basic_bp: dict[Category, int]
    serious_bp: int  # of what basic insurance left, registration fees aside
    aid_bp: int  # of what is left after both


SCHEMES: dict[str, Scheme] = {
    EMPLOYEE: Scheme(
        EMPLOYEE,
        {
            Category.REGISTRATION: 8000,
            Category.LABORATORY: 7000,
            Category.DRUG: 5000,
            Category.IMAGING: 7000,
            Category.WARD: 8500,
        },
        serious_bp=2800,
        aid_bp=0,
    ),
    RESIDENT: Scheme(
        RESIDENT,
        {
            Category.REGISTRATION: 5000,
            Category.LABORATORY: 5000,
            Category.DRUG: 4000,
            Category.IMAGING: 5000,
            Category.WARD: 6500,
        },
        serious_bp=1500,
        aid_bp=0,
    ),
    AIDED: Scheme(
        AIDED,
        {
            Category.REGISTRATION: 6000,
            Category.LABORATORY: 5500,
            Category.DRUG: 4500,
            Category.IMAGING: 5500,
            Category.WARD: 7000,
        },
        serious_bp=2500,
        aid_bp=7000,
    ),
    SELF_PAY: Scheme(SELF_PAY, {}, serious_bp=0, aid_bp=0),
}


def split(insurance: str, items: Iterable[tuple[Category, Fen]], *, insured: bool = True) -> Split:
    """Who pays which part of these items; without insurance the person pays all."""
    scheme = SCHEMES[insurance if insured else SELF_PAY]
    listed = tuple(items)
    total = sum(amount for _, amount in listed)
    exact = sum(amount * scheme.basic_bp.get(category, 0) for category, amount in listed)
    basic = min(total, _jiao(exact))
    fees = sum(amount for category, amount in listed if category is Category.REGISTRATION)
    medical_left = max(0, total - basic - fees)
    serious = min(medical_left, _jiao(medical_left * scheme.serious_bp))
    left = total - basic - serious
    aid = min(left, _jiao(left * scheme.aid_bp))
    return Split(basic, serious, aid, left - aid)


def _jiao(fen_bp: int) -> Fen:
    """Hundredths of a per cent of fen, to the nearest jiao, half up."""
    unit = _JIAO_FEN * _WHOLE_BP
    return (fen_bp + unit // 2) // unit * _JIAO_FEN
