"""Synthetic cards; every number has a valid check digit and belongs to nobody."""

from __future__ import annotations

from datetime import date

from drivers.idcard.card import CardText, Layout, Sex

RESIDENT = CardText(
    layout=Layout.RESIDENT,
    name="王测试",
    sex=Sex.FEMALE,
    nation_code="01",
    birth=date(1949, 12, 31),
    address="北京市东城区示例路1号",
    number="11010519491231002X",
    authority="示例公安局",
    valid_from=date(2020, 1, 1),
    valid_to=None,
)
"""The person of the synthetic vector, PROTOCOLS §1.7."""

RARE = CardText(
    layout=Layout.RESIDENT,
    name="𠮷𡈽·示例",
    sex=Sex.MALE,
    nation_code="97",
    birth=date(1980, 1, 1),
    address="示例省示例市𠀀路2号",
    number="34052419800101001X",
    authority="示例市公安局示例分局",
    valid_from=date(2015, 3, 1),
    valid_to=date(2035, 3, 1),
)

PERMIT = CardText(
    layout=Layout.PERMIT_HK_MO_TW,
    name="陈示例",
    sex=Sex.MALE,
    birth=date(1980, 1, 1),
    address="广东省深圳市示例街3号",
    number="810000198001010014",
    authority="示例公安局",
    valid_from=date(2019, 5, 6),
    valid_to=date(2024, 5, 6),
    pass_number="H00000000",
    issue_count="01",
)

FOREIGN_2017 = CardText(
    layout=Layout.FOREIGN_2017,
    english_name="EXAMPLE, PERSON MADE UP",
    sex=Sex.FEMALE,
    number="XXX110080010101",
    nationality="XXX",
    name="示例人",
    valid_from=date(2018, 1, 2),
    valid_to=date(2028, 1, 1),
    birth=date(1980, 1, 1),
    card_version="01",
    authority="1500",
)

FOREIGN_2023 = CardText(
    layout=Layout.FOREIGN_2023,
    name="示例人",
    sex=Sex.MALE,
    issue_count="00",
    birth=date(1980, 1, 1),
    english_name="EXAMPLE WITH A LONG MADE UP NAME OF FORTY ONE",
    number="911124198001010031",
    valid_from=date(2024, 1, 2),
    valid_to=date(2034, 1, 1),
    nationality="XXX",
    old_number_link="001",
)

EVERYBODY = (RESIDENT, RARE, PERMIT, FOREIGN_2017, FOREIGN_2023)
