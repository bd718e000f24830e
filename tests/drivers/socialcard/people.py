"""Synthetic cards; every number has a valid check digit and belongs to nobody."""

from __future__ import annotations

from datetime import date

from drivers.idcard.card import Sex
from drivers.socialcard.codec import SocialCardText

WANG = SocialCardText(
    number="11010519491231002X",
    name="王测试",
    sex=Sex.FEMALE,
    nation_code="01",
    birth_place="110105",
    birth=date(1949, 12, 31),
    card_id="330300D15600000500000001",
    card_class="1",
    version="2.00",
    issuer="330300000000000000000001",
    issued=date(2018, 3, 1),
    valid_to=date(2028, 3, 1),
    card_number="A12345678",
)

RARE = SocialCardText(
    number="34052419800101001X",
    name="买买提·示例吐尔逊阿卜杜拉王𠮷𡈽",
    sex=Sex.MALE,
    nation_code="05",
    version="3.00",
)
"""A name of 36 bytes: the thirtieth falls into the middle of a character."""
