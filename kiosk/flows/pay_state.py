"""The bill page's state: where it stands, and what may be said of the money from there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kiosk.domain.bill import Quote
from kiosk.flows.effects import Effect, PayOrder
from kiosk.flows.pay_cash import CashOffer, cash_offer
from kiosk.flows.scene import Scene
from kiosk.hospital.contract import Method, Settled
from kiosk.views import Notice

LINES_A_PAGE = 4

DELAYS_S = {
    "checking_slip": 8.0,  # most doubts end sooner; later the person needs paper in the hand
    "leave": 15.0,  # U5: after a finished task
    "leave_elder": 30.0,
    "leave_checking": 60.0,  # resolves or hands over within a minute (T6)
    "retry_print": 3.0,
}

Result = Literal["settled", "not_charged", "reversed", "checking", "refund_due"]

RESULTS: dict[str, Result] = {
    "SETTLED": "settled",
    "DECLINED": "not_charged",
    "REVERSED": "reversed",
    "REFUND_DUE": "refund_due",
    "MANUAL": "refund_due",
    "UNKNOWN": "checking",
    "HIS_UNKNOWN": "checking",
    "HIS_REJECTED": "checking",
    "REVERSING": "checking",
}


@dataclass(frozen=True)
class Pay:
    """At: quoting, problem, choosing (the code is shown), switching (that one is being closed),
    charging (the pad), cash (notes go in), paying (asking or booking), result."""

    at: str
    order: PayOrder
    quote: Quote | None = None
    reference: str = ""
    method: Method = "shown_code"
    attempts: int = 0
    want: str = ""  # while switching: card, code, cash, or where to leave to
    payer_code: str = ""
    url: str = ""
    progress: str = "starting"
    moved_to: str = ""
    reason: str = ""
    taken_fen: int = 0  # notes in the box
    settled: Settled | None = None
    slip_number: str = ""
    slip_job: str = ""
    slip: Literal["printing", "printed", "failed"] = "printing"
    notice: Notice | None = None
    problem: str = ""
    alone: bool = False  # against a held quote: the hospital cannot be asked
    first_line: int = 0
    leave_at: datetime | None = None

    def __repr__(self) -> str:  # a payer's code must not reach a traceback
        return f"Pay(at={self.at!r}, reference={self.reference!r})"


Stepped = tuple[Pay, tuple[Effect, ...]]


def unheard(pay: Pay) -> bool:
    """The pad has the money, and nobody has told the hospital yet."""
    return pay.alone and pay.moved_to == "HIS_UNKNOWN" and pay.settled is None


def unpaid(pay: Pay) -> bool:
    return pay.moved_to in ("", "DECLINED", "REVERSED")


def in_doubt(pay: Pay) -> bool:
    return pay.at == "result" and RESULTS[pay.moved_to] == "checking"


def own_fen(pay: Pay) -> int:
    return pay.quote.split.own_fen if pay.quote else 0


def moved_fen(pay: Pay) -> int:
    """What the result speaks of: of notes that were not enough, what is in the box."""
    short = pay.method == "cash" and pay.moved_to in ("REFUND_DUE", "MANUAL")
    return pay.taken_fen if short else own_fen(pay)


def offered_cash(pay: Pay, scene: Scene) -> CashOffer:
    return "" if pay.alone else cash_offer(own_fen(pay), scene)


def codes_closed(scene: Scene) -> bool:
    return "codes" in scene.ways_in_doubt
