"""Codes that the demo hospital's people carry, and how its card platform reads them back.

Forms are those of the field: an e-health code is 64 hexadecimal digits, `:0` (printed, static) or
`:1` (dynamic) and a tail; an insurance code has 28 characters. Both name nobody without the key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gateway.adapters.demo.people import Person

_KEY = b"the demo hospital's card platform, known to everybody"
STEP_S = 60
FRESH_STEPS = 5  # a code lives five minutes; the field's live one to five
_HEALTH_CODE = re.compile(r"([0-9A-Fa-f]{64}):([01])(?::(\d+))?")
_INSURANCE_CODE = re.compile(r"(\d{8})([A-Z2-7]{20})")


@dataclass(frozen=True)
class DemoCodes:
    """What this person could hold under a scanner at one moment."""

    health_code: str = field(repr=False)  # dynamic
    printed_health_code: str = field(repr=False)  # static: asks for a second factor
    insurance_code: str = field(repr=False)
    wechat: str = field(repr=False)
    alipay: str = field(repr=False)
    unionpay: str = field(repr=False)


def demo_codes(person: Person, now: datetime) -> DemoCodes:
    """Codes that are valid at `now`. Payer codes change every second, as in the field."""
    step, second = int(now.timestamp()) // STEP_S, int(now.timestamp())
    wallet = person.serial % 10_000
    tail = f"{second % 10**9:09d}{wallet:04d}"
    return DemoCodes(
        health_code=f"{_mac(f'health {person.id} {step}')}:1:{step}",
        printed_health_code=f"{_mac(f'printed {person.id}')}:0",
        insurance_code=f"{step:08d}{_short(f'insurance {person.id} {step}')}",
        wechat=f"134{tail}88"[:18],
        alipay=f"286{tail}66"[:18],
        unionpay=f"622{tail}777"[:19],
    )


@dataclass(frozen=True)
class CodeOf:
    """A genuine code and whose it is."""

    person: Person
    dynamic: bool
    fresh: bool


def read_health_code(code: str, people: Sequence[Person], now: datetime) -> CodeOf | None:
    """Whose e-health code this is; None: not one of ours."""
    form = _HEALTH_CODE.fullmatch(code.strip())
    if form is None:
        return None
    mac, dynamic, step = form[1].lower(), form[2] == "1", form[3] or ""
    for person in people:
        secret = f"health {person.id} {step}" if dynamic else f"printed {person.id}"
        if hmac.compare_digest(_mac(secret), mac):
            return CodeOf(person, dynamic, not dynamic or _fresh(int(step or 0), now))
    return None


def read_insurance_code(code: str, people: Sequence[Person], now: datetime) -> CodeOf | None:
    """Whose insurance code this is; None: not one of ours."""
    form = _INSURANCE_CODE.fullmatch(code.strip())
    if form is None:
        return None
    step = int(form[1])
    for person in people:
        if hmac.compare_digest(_short(f"insurance {person.id} {step}"), form[2]):
            return CodeOf(person, dynamic=True, fresh=_fresh(step, now))
    return None


def _fresh(step: int, now: datetime) -> bool:
    return abs(int(now.timestamp()) // STEP_S - step) <= FRESH_STEPS


def _mac(secret: str) -> str:
    return hmac.new(_KEY, secret.encode(), hashlib.sha256).hexdigest()


def _short(secret: str) -> str:
    digest = hmac.new(_KEY, secret.encode(), hashlib.sha256).digest()
    return base64.b32encode(digest).decode()[:20]
