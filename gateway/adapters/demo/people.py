"""The demo hospital's people. All are invented; every ID number passes GB 11643.

Seventeen are known by name to tours and tests; the rest are made from a seed, always the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from kiosk.domain.identity import DocumentKind, IdNumber, Sex


@dataclass(frozen=True)
class Tie:
    """Somebody this person may act for; `relation` says what that somebody is to them."""

    person: str
    relation: str


@dataclass(frozen=True)
class Person:
    """One patient of the demo hospital. `insurance` is a class of insurance.py."""

    id: str
    name: str = field(repr=False)
    number: str = field(repr=False)
    born: date = field(repr=False)
    sex: Sex
    insurance: str
    document: DocumentKind = DocumentKind.RESIDENT
    phone: str = field(default="", repr=False)
    hospital_card: str = field(default="", repr=False)
    ties: tuple[Tie, ...] = field(default=(), repr=False)
    real_name: bool = True

    @property
    def serial(self) -> int:
        """The number in the id; 0 for somebody who was entered here and has no history."""
        return int(self.id[1:]) if self.id.startswith("P") else 0

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def phone_last4(self) -> str:
        return self.phone[-4:]


EMPLOYEE = "职工医保"
RESIDENT = "城乡居民医保"
AIDED = "医疗救助对象"
SELF_PAY = "自费"


def _citizen(id: str, name: str, number: str, insurance: str, *ties: Tie) -> Person:
    parsed = IdNumber.parse(number)
    sex = Sex.MALE if int(number[16]) % 2 else Sex.FEMALE
    return Person(
        id=id,
        name=name,
        number=number,
        born=parsed.born,
        sex=sex,
        insurance=insurance,
        phone=f"1390000{id[-4:]}",
        hospital_card=f"MZ{id[-4:]}",
        ties=ties,
    )


ELDER = _citizen("P0001", "王秀兰", "11010519491231002X", EMPLOYEE)
"""Appointment today, unpaid ¥128.50 (own part ¥41.20), 血常规 ready and another report to come."""

BY_CARD = _citizen("P0002", "陈志强", "110105198503120012", EMPLOYEE)
"""Registers by ID card."""

BY_HEALTH_CODE = _citizen("P0003", "刘丽华", "31010119780822002X", RESIDENT)
"""Registers by e-health code."""

PAYS_BY_PAD = _citizen("P0004", "赵国栋", "440106196605170030", EMPLOYEE)
"""One unpaid bill, for the pay pad."""

PAYS_BY_CODE = _citizen("P0005", "孙美玲", "330106199201080045", RESIDENT)
"""One unpaid bill, for the payer's own code."""

TWO_REPORTS = _citizen("P0006", "周建军", "51010419580909005X", EMPLOYEE)
"""Two reports ready, none to come."""

MOTHER = _citizen("P0007", "吴桂英", "320102195203150064", AIDED)
"""Unpaid bill that three layers share; her daughter acts for her."""

DAUGHTER = _citizen("P0008", "李晓梅", "320102197907210087", EMPLOYEE, Tie("P0007", "parent"))
"""Acts for her mother."""

GREEN_ELDER = _citizen("P0009", "马德福", "610102194302110097", RESIDENT)
"""Green channel by ID card."""

GREEN_PAPER = _citizen("P0010", "何玉珍", "420106193811050104", RESIDENT)
"""Green channel with a paper certificate instead of a card."""

GREEN_RELATIVE = _citizen("P0011", "郭永年", "370102194007190119", SELF_PAY)
"""Green channel by a relative's card: HOLDER acts for him."""

HOLDER = _citizen(
    "P0012",
    "郭小勇",
    "370102197001260132",
    EMPLOYEE,
    Tie("P0011", "parent"),
    Tie("P0013", "parent"),
    Tie("P0014", "child"),
)
"""Green channel holder with three dependants: father, mother and a child without an ID card."""

HOLDERS_MOTHER = _citizen("P0013", "林淑芬", "370102194412030143", RESIDENT)

CHILD = Person(
    id="P0014",
    name="郭雨桐",
    number="R370102468",
    born=date(2021, 5, 4),
    sex=Sex.FEMALE,
    insurance=RESIDENT,
    document=DocumentKind.BIRTH_CERTIFICATE,
    phone="13900000012",
    hospital_card="MZ0014",
)
"""Has no ID number yet; the birth certificate's number stands in."""

HONG_KONG = Person(
    id="P0015",
    name="黃家輝",
    number="810000198806150153",
    born=date(1988, 6, 15),
    sex=Sex.MALE,
    insurance=SELF_PAY,
    document=DocumentKind.HK_MACAU_TAIWAN,
    phone="13900000015",
    hospital_card="MZ0015",
)
"""Residence permit (J card) with a number like a citizen's."""

FOREIGN_RESIDENT = Person(
    id="P0016",
    name="MARIA SILVA",
    number="911124198108030024",
    born=date(1981, 8, 3),
    sex=Sex.FEMALE,
    insurance=SELF_PAY,
    document=DocumentKind.FOREIGN_RESIDENT,
    phone="13900000016",
    hospital_card="MZ0016",
)
"""Permanent residence card of 2023, 18 characters that begin with 9."""

PASSPORT = Person(
    id="P0017",
    name="JOHN BAKER",
    number="X12345678",
    born=date(1975, 2, 11),
    sex=Sex.MALE,
    insurance=SELF_PAY,
    document=DocumentKind.PASSPORT,
    phone="13900000017",
    hospital_card="MZ0017",
)

KNOWN: tuple[Person, ...] = (
    ELDER,
    BY_CARD,
    BY_HEALTH_CODE,
    PAYS_BY_PAD,
    PAYS_BY_CODE,
    TWO_REPORTS,
    MOTHER,
    DAUGHTER,
    GREEN_ELDER,
    GREEN_PAPER,
    GREEN_RELATIVE,
    HOLDER,
    HOLDERS_MOTHER,
    CHILD,
    HONG_KONG,
    FOREIGN_RESIDENT,
    PASSPORT,
)
