"""Who a person is: the ID number is the main index, every other credential supplements it.

Nothing here knows how a card or a code was read. Values that carry personal data hide it from
repr(), so that no traceback and no log line can name a patient.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Literal

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS = "10X98765432"
# GB/T 2260: the first two digits of a region; 71 81 82 83 belong to residence permits,
# 91 to foreign permanent residents (first digit 9, from 2023).
_PROVINCES = (
    (11, 15),
    (21, 23),
    (31, 37),
    (41, 46),
    (50, 54),
    (61, 65),
    (71, 71),
    (81, 83),
    (91, 91),
)
_REGIONS = frozenset(str(code) for low, high in _PROVINCES for code in range(low, high + 1))


class NotAnIdNumber(ValueError):
    """What was typed or read is no GB 11643 number; `part` says why, and no text repeats it."""

    def __init__(self, part: Literal["length", "region", "date", "digit"]) -> None:
        super().__init__(f"no ID number: its {part} is wrong")
        self.part = part


def check_character(first_17: str) -> str:
    """The 18th character of GB 11643 for the first 17 digits."""
    total = sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True))
    return _CHECK_CHARACTERS[total % 11]


@dataclass(frozen=True)
class IdNumber:
    """A citizen identity number (公民身份号码, GB 11643): region, real date and check character.

    >>> IdNumber.parse("11010519491231002x").born
    datetime.date(1949, 12, 31)
    """

    text: str = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> IdNumber:
        """The number, or NotAnIdNumber naming the part that is wrong, never the digits."""
        number = text.strip().upper()
        if len(number) != 18 or not number[:17].isdigit() or not number.isascii():
            raise NotAnIdNumber("length")
        if number[:2] not in _REGIONS:
            raise NotAnIdNumber("region")
        try:
            date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
        except ValueError:
            if not number.startswith("9"):
                raise NotAnIdNumber("date") from None
        if check_character(number[:17]) != number[17]:
            raise NotAnIdNumber("digit")
        return cls(number)

    @property
    def born(self) -> date:
        """The date of birth inside the number."""
        return date(int(self.text[6:10]), int(self.text[10:12]), int(self.text[12:14]))

    @property
    def last4(self) -> str:
        """What may be shown and printed."""
        return self.text[-4:]

    @property
    def masked(self) -> str:
        """`110***********002X`: three first, four last."""
        return f"{self.text[:3]}{'*' * 11}{self.text[-4:]}"


class DocumentKind(StrEnum):
    """What proves an identity. The resident ID number is the main index; the others supplement."""

    RESIDENT = "resident"
    HK_MACAU_TAIWAN = "hk_macau_taiwan"
    FOREIGN_RESIDENT = "foreign_resident"
    PASSPORT = "passport"
    BIRTH_CERTIFICATE = "birth_certificate"


class Sex(StrEnum):
    MALE = "male"
    FEMALE = "female"
    UNKNOWN = "unknown"


class Credential(StrEnum):
    """How a person made themselves known this time."""

    ID_CARD = "id_card"
    SOCIAL_CARD = "social_card"  # 社保卡
    HEALTH_CARD = "health_card"  # 居民健康卡
    HEALTH_CODE = "health_code"  # 电子健康卡
    INSURANCE_CODE = "insurance_code"  # 医保电子凭证
    TYPED_NUMBER = "typed_number"
    HOSPITAL_CARD = "hospital_card"
    VOUCHED = "vouched"  # a volunteer saw the person
    RELATIVE = "relative"


@dataclass(frozen=True)
class Identity:
    """What a card or a hand gave, before the hospital was asked.

    `number` is the document's own number; for residents, permits and 2023 permanent residents it
    is a GB 11643 number. `valid_to` is None for 长期 and for documents that do not end.
    """

    kind: DocumentKind
    number: str = field(repr=False)
    name: str = field(repr=False)
    credential: Credential
    born: date | None = field(default=None, repr=False)
    sex: Sex = Sex.UNKNOWN
    valid_to: date | None = None

    def expired(self, today: date) -> bool:
        """Elders' cards often are: warn and send to staff, never refuse."""
        return self.valid_to is not None and self.valid_to < today


def age_on(born: date, today: date) -> int:
    """Completed years; a birthday on 29 February counts from 1 March."""
    before_birthday = (today.month, today.day) < (born.month, born.day)
    return today.year - born.year - before_birthday


def mask_name(name: str) -> str:
    """`王秀兰` → `王*兰`, `陈刚` → `陈*`, `买买提·吐尔逊` → `买*逊`; one character is all hidden.

    A Latin name keeps its first letter: `Maria Silva` → `M*`.
    """
    shown = name.strip()
    if len(shown) <= 1:
        return "*" if shown else ""
    if shown.isascii():
        return f"{shown[0]}*"
    return f"{shown[0]}*" if len(shown) == 2 else f"{shown[0]}*{shown[-1]}"
