"""Three books, one payment: what the terminal, the provider and the hospital say of a reference.

Pure. Each difference has a class, an owner and a next step; a payment has one class, the gravest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from kiosk.domain.money import Fen


class Difference(StrEnum):
    """Gravest first: the first that fits is the payment's class."""

    CHARGED_TWICE = "charged_twice"
    BOOKED_TWICE = "booked_twice"
    REFUNDED_TOO_MUCH = "refunded_too_much"
    REVERSED_BUT_BOOKED = "reversed_but_booked"
    AMOUNT_DIFFERS = "amount_differs"
    BOOKED_NOT_TAKEN = "booked_not_taken"
    DECLINED_BUT_TAKEN = "declined_but_taken"
    OPEN_AT_TERMINAL = "open_at_terminal"
    TAKEN_NOT_BOOKED = "taken_not_booked"
    SETTLED_NOWHERE_ELSE = "settled_nowhere_else"
    NOT_IN_JOURNAL = "not_in_journal"
    ACROSS_DAY_CUT = "across_day_cut"


@dataclass(frozen=True)
class Duty:
    """Who acts on a difference and what they do, in the words of the report."""

    words: str
    owner: str
    next_step: str


DUTIES: dict[Difference, Duty] = {
    Difference.CHARGED_TWICE: Duty("重复扣款", "财务", "查渠道流水，退回多扣的一笔"),
    Difference.BOOKED_TWICE: Duty("重复入账", "信息科", "核对 HIS 两次入账，冲销一笔"),
    Difference.REFUNDED_TOO_MUCH: Duty("退款多于扣款", "财务", "与渠道核对退款流水"),
    Difference.REVERSED_BUT_BOOKED: Duty("已退款但已入账", "财务", "冲销 HIS 入账，或请患者补缴"),
    Difference.AMOUNT_DIFFERS: Duty("金额不符", "财务", "以渠道净额为准，调整 HIS 入账"),
    Difference.BOOKED_NOT_TAKEN: Duty("短款：入账未扣款", "财务", "查渠道；确未扣款则联系患者补缴"),
    Difference.DECLINED_BUT_TAKEN: Duty("终端显示未扣款，实际已扣", "财务", "当日退款并通知患者"),
    Difference.OPEN_AT_TERMINAL: Duty("终端未了结", "财务", "按终端状态退款或补登，持小票联系患者"),
    Difference.TAKEN_NOT_BOOKED: Duty("长款：扣款未入账", "财务", "补登入账，或原路退款"),
    Difference.SETTLED_NOWHERE_ELSE: Duty("仅终端称已成功", "信息科", "取终端审计记录，查明原因"),
    Difference.NOT_IN_JOURNAL: Duty("终端无此记录", "信息科", "查终端待传和终端硬盘"),
    Difference.ACROSS_DAY_CUT: Duty("跨日切", "财务", "与相邻一日合并核对，相抵即可，不退不补"),
}

_PAID = frozenset({"settled", "paid", "booking"})
_NOT_TAKEN = frozenset({"declined", "reversed", "refunded"})


@dataclass(frozen=True)
class Payment:
    """All that the three books say of one reference."""

    reference: str
    charged: tuple[Fen, ...] = ()
    reversed: tuple[Fen, ...] = ()
    booked: tuple[Fen, ...] = ()
    journal: str = ""  # the terminal's last state, lower case; empty: it has said nothing
    journal_fen: Fen = 0
    provider_day: date | None = None
    booked_day: date | None = None

    @property
    def net_fen(self) -> Fen:
        return sum(self.charged) - sum(self.reversed)

    @property
    def booked_fen(self) -> Fen:
        return sum(self.booked)


def judge(payment: Payment) -> Difference | None:
    """The class of this payment; None: the three books agree."""
    return _of_one_book(payment) or _of_money(payment) or _of_journal(payment)


def _of_one_book(payment: Payment) -> Difference | None:
    """What is wrong within the provider's book or the hospital's, whatever the other says."""
    if len(payment.charged) > 1:
        return Difference.CHARGED_TWICE
    if len(payment.booked) > 1:
        return Difference.BOOKED_TWICE
    return Difference.REFUNDED_TOO_MUCH if payment.net_fen < 0 else None


def _of_money(payment: Payment) -> Difference | None:
    """What the provider holds against what the hospital has booked."""
    if payment.net_fen == payment.booked_fen:
        return None
    if not payment.booked:
        return _taken_not_booked(payment)
    if not payment.charged:
        return Difference.BOOKED_NOT_TAKEN
    if payment.net_fen == 0:
        return Difference.REVERSED_BUT_BOOKED
    return Difference.AMOUNT_DIFFERS


def _taken_not_booked(payment: Payment) -> Difference:
    if payment.journal in _NOT_TAKEN:
        return Difference.DECLINED_BUT_TAKEN
    if payment.journal in _PAID or not payment.journal:
        return Difference.TAKEN_NOT_BOOKED
    return Difference.OPEN_AT_TERMINAL


def _of_journal(payment: Payment) -> Difference | None:
    """The money agrees; does the terminal know?"""
    taken = payment.net_fen > 0
    if not taken:
        if payment.journal in _PAID and payment.journal_fen:
            return Difference.SETTLED_NOWHERE_ELSE
        open_still = payment.journal and payment.journal not in _PAID | _NOT_TAKEN
        return Difference.OPEN_AT_TERMINAL if open_still else None
    if not payment.journal:
        return Difference.NOT_IN_JOURNAL
    if payment.journal in _NOT_TAKEN:
        return Difference.DECLINED_BUT_TAKEN
    if payment.journal not in _PAID:
        return Difference.OPEN_AT_TERMINAL
    if payment.provider_day != payment.booked_day:
        return Difference.ACROSS_DAY_CUT
    return None
