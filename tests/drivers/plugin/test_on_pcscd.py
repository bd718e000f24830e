"""The worked example as a vendor would run it: a process, a card and a PSAM in two real slots."""

from __future__ import annotations

import sys

import pytest

from drivers.errors import DeviceRefused
from drivers.pcsc.port import CardPutIn, SlotUnchanged
from drivers.plugin.driver import Plugin, PluginCardRead
from drivers.plugin.health_card import HealthCardEmulator, PsamEmulator
from drivers.plugin.process import PluginProcess
from drivers.socialcard.driver import CardAbsent
from tests.drivers.pcsc_desk import CLOCK, NAMES, SEEN_S, Desk, within
from tests.drivers.plugin.people import ON_CARD, READ


def test_a_health_card_is_opened_by_the_psam_in_the_other_slot(desk: Desk) -> None:
    slots = ("--card", NAMES[0], "--psam", NAMES[1])
    process = PluginProcess((sys.executable, "-m", "drivers.plugin.example", *slots), CLOCK)
    desk.stack.callback(process.close)
    plugin = Plugin(process, CLOCK)
    assert (plugin.look(), plugin.read_card()) == (SlotUnchanged(), CardAbsent())
    desk.put(HealthCardEmulator(ON_CARD))
    deadline = within(SEEN_S)
    while plugin.look() != CardPutIn():
        deadline.check("the card")
    with pytest.raises(DeviceRefused, match="psam_missing"):
        plugin.read_card()
    psam = desk.open(slot=1)
    desk.put(PsamEmulator(), slot=1)
    assert psam.look(within(SEEN_S)) == CardPutIn()
    assert plugin.read_card() == PluginCardRead(READ)
