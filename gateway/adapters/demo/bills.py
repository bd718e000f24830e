"""Bills of the demo hospital: what a person owes on a day follows from the two alone.

Whether it was paid is not known here; see settlement.py.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from gateway.adapters.demo import people as known
from gateway.adapters.demo.english import ITEMS
from gateway.adapters.demo.insurance import Category
from gateway.adapters.demo.people import Person
from kiosk.domain.bill import Bill, BillLine
from kiosk.domain.money import Fen


@dataclass(frozen=True)
class Item:
    """One line and the insurer's category of it."""

    line: BillLine
    category: Category


@dataclass(frozen=True)
class Account:
    """A bill with its categories."""

    id: str
    title: str
    items: tuple[Item, ...]

    def bill(self, *, paid: bool) -> Bill:
        return Bill(self.id, self.title, tuple(item.line for item in self.items), paid)

    @property
    def shares(self) -> Iterable[tuple[Category, Fen]]:
        return ((item.category, item.line.amount_fen) for item in self.items)


_L, _D, _I, _W = Category.LABORATORY, Category.DRUG, Category.IMAGING, Category.WARD
_CATALOGUE: tuple[tuple[str, Category, Fen], ...] = (
    ("血常规检查", _L, 3500),
    ("尿常规检查", _L, 2000),
    ("肝功能检查", _L, 6800),
    ("血脂四项", _L, 5200),
    ("糖化血红蛋白", _L, 7000),
    ("胸部 X 线摄影", _I, 9000),
    ("腹部彩色超声", _I, 12000),
    ("心电图检查", _I, 3000),
    ("阿司匹林肠溶片", _D, 4675),
    ("硝苯地平控释片", _D, 3820),
    ("二甲双胍缓释片", _D, 2960),
    ("阿托伐他汀钙片", _D, 5215),
    ("头孢克肟分散片", _D, 3180),
    ("板蓝根颗粒", _D, 1250),
    ("一次性材料", Category.NOT_COVERED, 850),
)
_DUE: dict[str, tuple[str, tuple[tuple[str, Category, int, Fen], ...]]] = {
    known.ELDER.id: (
        "心内科门诊",
        (("血常规检查", _L, 1, 3500), ("阿司匹林肠溶片", _D, 2, 9350)),
    ),
    known.PAYS_BY_PAD.id: (
        "骨科门诊",
        (("膝关节 X 线摄影", _I, 1, 9000), ("塞来昔布胶囊", _D, 1, 6430)),
    ),
    known.PAYS_BY_CODE.id: (
        "皮肤科门诊",
        (("过敏原检测", _L, 1, 18000), ("氯雷他定片", _D, 2, 4860)),
    ),
    known.MOTHER.id: (
        "普通内科门诊",
        (
            ("糖化血红蛋白", _L, 1, 7000),
            ("腹部彩色超声", _I, 1, 12000),
            ("二甲双胍缓释片", _D, 3, 8880),
            ("一次性材料", Category.NOT_COVERED, 1, 850),
        ),
    ),
}
"""Title, then name, category, quantity and the amount of all of them."""

_NO_BILLS = frozenset(person.id for person in known.KNOWN) - frozenset(_DUE)


def unpaid_on(person: Person, day: date) -> tuple[Account, ...]:
    """What this person owes on `day`, as long as nobody has paid it."""
    if person.id in _DUE:
        title, rows = _DUE[person.id]
        items = tuple(Item(_line(n, q, amount), kind) for n, kind, q, amount in rows)
        return (Account(_id("B", day, person, 1), title, items),)
    if person.id in _NO_BILLS or not person.serial or person.serial % 3:
        return ()
    draw = random.Random(f"bill {person.id} {day}")
    return (Account(_id("B", day, person, 1), "门诊费用", _drawn(draw, None)),)


def history_on(person: Person, day: date) -> tuple[Account, ...]:
    """Bills paid before `day`: two visits, and for some a stay with a line for each day."""
    if not person.serial:
        return ()
    past = []
    for visit, weeks in ((1, 3), (2, 11)):
        draw = random.Random(f"history {person.id} {visit}")
        then = day - timedelta(weeks=weeks)
        past.append(Account(_id("H", then, person, visit), "门诊费用", _drawn(draw, then)))
    if person.id == known.TWO_REPORTS.id or person.serial % 20 == 0:
        past.append(_stay(person, day - timedelta(days=40)))
    return tuple(past)


def account_of(bill_id: str, person: Person) -> Account | None:
    """This person's unpaid-or-paid bill with this id, of whatever day."""
    try:
        day = datetime.strptime(bill_id[1:9], "%Y%m%d").date()
    except ValueError:
        return None
    return next((one for one in unpaid_on(person, day) if one.id == bill_id), None)


def _drawn(draw: random.Random, day: date | None) -> tuple[Item, ...]:
    chosen = draw.sample(_CATALOGUE, draw.randint(1, 4))
    items = []
    for name, category, price in chosen:
        quantity = draw.randint(1, 3) if category is Category.DRUG else 1
        items.append(Item(_line(name, quantity, price * quantity, day), category))
    return tuple(items)


def _stay(person: Person, first: date) -> Account:
    items = []
    for night in range(4):
        day = first + timedelta(days=night)
        items.append(Item(_line("床位费", 1, 5000, day), _W))
        items.append(Item(_line("护理费", 1, 2600, day), _W))
        name, category, price = _CATALOGUE[night * 3]
        items.append(Item(_line(name, 1, price, day), category))
    return Account(_id("S", first, person, 1), "住院费用（4 天）", tuple(items))


def _line(name: str, quantity: int, amount_fen: Fen, day: date | None = None) -> BillLine:
    return BillLine(name, quantity, amount_fen, day, ITEMS[name])


def _id(letter: str, day: date, person: Person, place: int) -> str:
    return f"{letter}{day:%Y%m%d}-{person.id}-{place}"
