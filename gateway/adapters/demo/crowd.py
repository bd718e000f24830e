"""The rest of the 200 patients, made from a seed: the same people at every start.

Ages lean towards the old, as a hospital's do. Nobody here exists.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta

from gateway.adapters.demo.people import (
    AIDED,
    EMPLOYEE,
    KNOWN,
    RESIDENT,
    SELF_PAY,
    Person,
    Tie,
)
from kiosk.domain.identity import DocumentKind, Sex, check_character

PEOPLE = 200
SEED = 20201124  # the day the notice on elders and smart technology was issued

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余"
    "杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙"
    "史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
_MALE = "伟强磊军洋勇杰涛超明刚平辉鹏华飞鑫波斌宇浩凯健俊帆旭宁龙林峰建国志德永福庆荣贵祥海山"
_FEMALE = "芳娜敏静丽艳娟霞秀英兰玉梅珍桂凤琴云莲翠红淑惠珠雪晶妍茜蓉瑶怡婷婉莹琳彤欣悦梦洁美"
_COMPOUND = ("欧阳", "司马", "上官", "诸葛", "尉迟")
_RARE = ("𠮷", "喆", "翀", "龘", "㛃", "䶮")  # registers have them; screens and slips must cope
_REGIONS = [
    "110101",
    "110105",
    "120101",
    "130102",
    "140105",
    "210102",
    "220102",
    "230102",
    "310101",
    "310115",
    "320102",
    "330106",
    "340102",
    "350102",
    "360102",
    "370102",
    "410102",
    "420106",
    "430102",
    "440106",
    "450102",
    "500103",
    "510104",
    "520102",
    "530102",
    "610102",
    "620102",
    "630102",
    "640104",
    "650102",
]
_INSURANCE = (EMPLOYEE,) * 5 + (RESIDENT,) * 5 + (AIDED,) + (SELF_PAY,)


def everybody(born_before: date = date(2008, 1, 1)) -> tuple[Person, ...]:
    """The known people and the crowd, 200 in all."""
    draw = random.Random(SEED)
    crowd = [_somebody(draw, index, born_before) for index in range(len(KNOWN) + 1, PEOPLE + 1)]
    return KNOWN + tuple(_with_parents(draw, crowd))


def _somebody(draw: random.Random, index: int, born_before: date) -> Person:
    id = f"P{index:04d}"
    sex = draw.choice((Sex.MALE, Sex.FEMALE))
    # Half are over sixty: the triangle's peak is a birth about 78 years before.
    days = int(draw.triangular(0, 32_000, 22_000))
    born = born_before - timedelta(days=days)
    document, number = _document(draw, index, born, sex)
    return Person(
        id=id,
        name=_name(draw, sex, index),
        number=number,
        born=born,
        sex=sex,
        insurance=draw.choice(_INSURANCE),
        document=document,
        phone=f"139{index:08d}",
        hospital_card=f"MZ{index:04d}",
        real_name=index % 40 != 0,
    )


def _document(draw: random.Random, index: int, born: date, sex: Sex) -> tuple[DocumentKind, str]:
    match index % 50:
        case 18:
            return DocumentKind.HK_MACAU_TAIWAN, _number(draw, "810000", born, sex)
        case 19:
            return DocumentKind.HK_MACAU_TAIWAN, _number(draw, "830000", born, sex)
        case 20:
            return DocumentKind.PASSPORT, f"E{draw.randrange(10_000_000, 99_999_999)}"
        case 21:
            return DocumentKind.FOREIGN_RESIDENT, _number(draw, "911124", born, sex)
    return DocumentKind.RESIDENT, _number(draw, draw.choice(_REGIONS), born, sex)


def _number(draw: random.Random, region: str, born: date, sex: Sex) -> str:
    order = draw.randrange(1, 499) * 2 + (1 if sex is Sex.MALE else 0)
    first_17 = f"{region}{born:%Y%m%d}{order:03d}"
    return first_17 + check_character(first_17)


def _name(draw: random.Random, sex: Sex, index: int) -> str:
    if index == 100:
        return "买买提·吐尔逊"
    surname = draw.choice(_COMPOUND) if index % 60 == 0 else draw.choice(_SURNAMES)
    given = _MALE if sex is Sex.MALE else _FEMALE
    if index % 35 == 0:
        return surname + draw.choice(_RARE)
    return surname + "".join(draw.sample(given, draw.choice((1, 2, 2, 2))))


def _with_parents(draw: random.Random, crowd: list[Person]) -> list[Person]:
    """Every sixth grown-up acts for somebody old enough to be a parent."""
    elders = [person for person in crowd if person.born.year < 1955]
    with_ties: list[Person] = []
    for position, person in enumerate(crowd):
        if position % 6 == 0 and 1968 <= person.born.year <= 1998:
            parent = draw.choice(elders)
            person = replace(person, ties=(*person.ties, Tie(parent.id, "parent")))
        with_ties.append(person)
    return with_ties
