"""What the codes of a ZVT pad mean to a person or an engine, translated once, here.

Codes: Error-Messages and Terminal Status Codes of PA00P015, by way of ecrterm `common.py`.
"""

from __future__ import annotations

from drivers.errors import ProtocolError
from drivers.pad import Declined, DeclineReason, PadCondition, PadStatus
from drivers.zvt.fields import read_var_length

DECLINE_REASONS = {
    0x64: DeclineReason.CARD_UNREADABLE,
    0x65: DeclineReason.CARD_UNREADABLE,
    0x66: DeclineReason.CARD_UNREADABLE,
    0x67: DeclineReason.CARD_NOT_ACCEPTED,
    0x68: DeclineReason.CARD_NOT_ACCEPTED,
    0x6E: DeclineReason.CARD_NOT_ACCEPTED,
    0x71: DeclineReason.NOT_ENOUGH_MONEY,
    0x72: DeclineReason.CARD_UNREADABLE,
    0x73: DeclineReason.CARD_UNREADABLE,
    0x78: DeclineReason.CARD_EXPIRED,
    0x79: DeclineReason.CARD_NOT_ACCEPTED,
    0x7A: DeclineReason.CARD_NOT_ACCEPTED,
    0xC5: DeclineReason.CARD_NOT_ACCEPTED,
    # 01 to 63 are the authorising host's own; these three follow ISO 8583 field 39 [C].
    51: DeclineReason.NOT_ENOUGH_MONEY,
    54: DeclineReason.CARD_EXPIRED,
    55: DeclineReason.WRONG_PIN,
}

HOST_CODES = range(0x01, 0x64)
"""Answers of the authorising host, not of the pad."""

CONDITIONS = {
    0x00: PadCondition.READY,
    0x51: PadCondition.NEEDS_SET_UP,
    0x62: PadCondition.NEEDS_SET_UP,
    0x9C: PadCondition.BUSY,
    0x9D: PadCondition.BUSY,
    0xB2: PadCondition.NEEDS_END_OF_DAY,
    0xC2: PadCondition.NEEDS_SET_UP,
    0xC4: PadCondition.NEEDS_SET_UP,
    0xDC: PadCondition.CARD_INSERTED,
    0xE1: PadCondition.CARD_INSERTED,
    0xE4: PadCondition.NEEDS_SET_UP,
    0xF0: PadCondition.NEEDS_END_OF_DAY,
    0xF6: PadCondition.NEEDS_SET_UP,
}


def declined(code: int) -> Declined:
    """A refusal with the reason that fits its code."""
    reason = DECLINE_REASONS.get(code)
    if reason is None:
        by_host = code in HOST_CODES
        reason = DeclineReason.REFUSED_BY_BANK if by_host else DeclineReason.PAD_TROUBLE
    return Declined(reason, f"{code:02X}")


def pad_status(data: bytes) -> PadStatus:
    """The data of 06 0F after a status enquiry: version as LLLVAR, then the status byte."""
    version, at = "", 0
    if len(data) > 1 and data[0] >= 0xF0:
        at = 3 + read_var_length(data[:3], 3)
        version = data[3:at].decode("ascii", "replace")
    if at >= len(data):
        raise ProtocolError("a status enquiry's answer without a status")
    code = data[at]
    condition = CONDITIONS.get(code, PadCondition.OUT_OF_ORDER)
    return PadStatus(condition, f"{code:02X}", version)
