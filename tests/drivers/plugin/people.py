"""A synthetic holder of a health card."""

from __future__ import annotations

from datetime import date

from drivers.idcard.card import Sex
from drivers.plugin.codec import PluginCard
from drivers.plugin.health_card import HealthCardText

ON_CARD = HealthCardText("11010519491231002X", "王测试𠮷", Sex.FEMALE, date(1949, 12, 31))
OTHER = HealthCardText("34052419800101001X", "陈示例", Sex.MALE, date(1980, 1, 1))
READ = PluginCard(
    kind="health_card",
    number="11010519491231002X",
    name="王测试𠮷",
    sex=Sex.FEMALE,
    birth=date(1949, 12, 31),
    card_number="A00000000000000001",
)
