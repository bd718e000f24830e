"""What a scanned text is: judged by what the page asks for, never by its prefix alone.

Forms and their sources: payment codes as their providers publish them; the e-health code
(电子健康卡) `64 hex digits : 0 static | 1 dynamic [: tail]`; the insurance code (医保电子凭证) 28
characters. An 18-digit WeChat code looks like an ID number of northern China: on an identity page
18 digits are an ID number only if region, date and check character all fit; on a payment page they
are a WeChat code, whatever else they might be.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Literal

from kiosk.domain.identity import IdNumber, NotAnIdNumber

CODE_BYTES_MAX = 4096
"""A QR code holds 2,953 bytes at most; what is longer was not one code."""

Purpose = Literal["identity", "payment"]
Reason = Literal["too_long", "unreadable", "payment_code", "identity_code", "address", "unknown"]

_HEALTH = re.compile(r"[0-9A-Fa-f]{64}:([01])(?::.*)?")
_INSURANCE = re.compile(r"[0-9A-Za-z]{28}")
_ID_NUMBER = re.compile(r"[0-9]{17}[0-9Xx]")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://.*")
_PAYERS: tuple[tuple[Literal["wechat", "alipay", "unionpay"], re.Pattern[str]], ...] = (
    ("wechat", re.compile(r"1[0-5][0-9]{16}")),
    ("alipay", re.compile(r"(?:2[5-9]|30)[0-9]{14,22}")),
    ("unionpay", re.compile(r"62[0-9]{17}")),
)
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Control, format (zero width, bidi), surrogates, private, unassigned, line separators."""


@dataclass(frozen=True)
class HealthCode:
    """电子健康卡. A dynamic one is short-lived and used once; a static one is printed, and weak."""

    value: str = field(repr=False)
    dynamic: bool


@dataclass(frozen=True)
class InsuranceCode:
    """医保电子凭证: decoded by the insurer's component, once, for one business."""

    value: str = field(repr=False)


@dataclass(frozen=True)
class IdNumberCode:
    """A printed ID number, complete and consistent. It proves no more than a typed one."""

    number: IdNumber


@dataclass(frozen=True)
class PayerCode:
    """The payer's own code (付款码), to be charged through this provider."""

    provider: Literal["wechat", "alipay", "unionpay"]
    value: str = field(repr=False)


@dataclass(frozen=True)
class NotForThis:
    """Nothing of the text is kept: it may be anything."""

    reason: Reason


Code = HealthCode | InsuranceCode | IdNumberCode | PayerCode | NotForThis


def classify(text: str, purpose: Purpose) -> Code:
    """What this text is to a page that asks for `purpose`. Total: no text makes it fail."""
    if len(text) > CODE_BYTES_MAX or len(text.encode("utf-8", "replace")) > CODE_BYTES_MAX:
        return NotForThis("too_long")
    if any(unicodedata.category(character) in _HIDDEN for character in text):
        return NotForThis("unreadable")
    trimmed = text.strip(" ")
    return _identity(trimmed) if purpose == "identity" else _payment(trimmed)


def _identity(text: str) -> Code:
    if match := _HEALTH.fullmatch(text):
        return HealthCode(text, dynamic=match[1] == "1")
    if _INSURANCE.fullmatch(text):
        return InsuranceCode(text)
    if number := _id_number(text):
        return IdNumberCode(number)
    if _payer(text):
        return NotForThis("payment_code")
    return NotForThis("address" if _ADDRESS.fullmatch(text) else "unknown")


def _payment(text: str) -> Code:
    if payer := _payer(text):
        return payer
    if _HEALTH.fullmatch(text) or _INSURANCE.fullmatch(text) or _id_number(text):
        return NotForThis("identity_code")
    return NotForThis("address" if _ADDRESS.fullmatch(text) else "unknown")


def _payer(text: str) -> PayerCode | None:
    for provider, form in _PAYERS:
        if form.fullmatch(text):
            return PayerCode(provider, text)
    return None


def _id_number(text: str) -> IdNumber | None:
    if not _ID_NUMBER.fullmatch(text):
        return None
    try:
        return IdNumber.parse(text)
    except NotAnIdNumber:
        return None
