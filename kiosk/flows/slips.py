"""What each slip says, as facts; kiosk/paper.py has the words and the layout.

Every name here is masked already. `number` is what the person reads out and staff type in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kiosk.domain.bill import Bill, BillLine, Split
from kiosk.domain.visit import Ticket
from kiosk.views import Named


@dataclass(frozen=True)
class TicketSlip:
    """Check-in or a registration: room, number, how many before, arrival window."""

    number: str
    who: str
    ticket: Ticket


@dataclass(frozen=True)
class LentSlip:
    """A number given out without the hospital: it holds; nothing of it is paid or settled.

    `treat_first`: the fee may be paid at `window` after the visit, else before it.
    """

    number: str
    who: str
    ticket: Ticket
    fee_fen: int
    window: str
    treat_first: bool


@dataclass(frozen=True)
class PaymentSlip:
    """One of the four results; always with the reference."""

    number: str
    who: str
    reference: str
    result: Literal["settled", "not_charged", "reversed", "checking", "refund_due"]
    method: Literal["card", "payer_code", "shown_code", "cash"]
    amount_fen: int
    lines: tuple[BillLine, ...]
    split: Split | None
    receipt_number: str = ""
    window: str = ""
    acting: str = ""  # masked name of the one who paid for `who`
    ticket: Ticket | None = None  # of a paid registration
    unheard: bool = False  # of checking: charged, and the hospital has not been told yet


@dataclass(frozen=True)
class PassSlip:
    """Green channel: passed, or where to go."""

    number: str
    who: str
    last4: str
    substitute: str
    route: Named | None  # None: passed
    volunteer: str
    gate: str
    questionnaire: str
    acting: str = ""
    relation: str = ""
    paper: str = ""
    paper_serial: str = ""


@dataclass(frozen=True)
class HandOverSlip:
    """去窗口: the clerk scans it and goes on where the terminal stopped."""

    number: str
    who: str
    purpose: str  # key: register, pay, check_in, reports, other
    window: str
    amount_fen: int = 0
    reference: str = ""


@dataclass(frozen=True)
class AccountSlip:
    """用度清单: one bill, itemised, inpatient by day."""

    number: str
    who: str
    bill: Bill


@dataclass(frozen=True)
class TrailLine:
    at: datetime
    event: str  # key of the audit catalogue
    detail: str = ""


@dataclass(frozen=True)
class TrailSlip:
    """The patient's own trail of what was done in their name at this terminal."""

    number: str
    who: str
    lines: tuple[TrailLine, ...]


SlipFacts = TicketSlip | LentSlip | PaymentSlip | PassSlip | HandOverSlip | AccountSlip | TrailSlip
