"""A card reader's cable moved while a card is read, on a real pcscd: the table's four columns."""

from __future__ import annotations

import pytest

from drivers.deadline import Deadline
from drivers.hosts.pcsc_daemon import READER
from drivers.pcsc.port import CardPutIn, SlotEvent
from drivers.pcsc.service import PcscPort
from drivers.socialcard.driver import SocialCardRead, SocialCardReader
from drivers.socialcard.emulator import SocialCardEmulator
from tests.drivers.pcsc_desk import CLOCK, SEEN_S, Desk
from tests.drivers.socialcard.people import WANG
from tests.failures.hotplug.ports import COLUMNS, outcome_of
from tests.failures.test_hotplug import TABLE

OTHER = "Another Reader"
STATE, COMMAND = "reading a record", b"\x00\xb2"
AFTER = {
    "unplugged": None,
    "plugged again": (READER,),
    "another device there": (OTHER,),
    "another number": (OTHER, READER),
}


class Struck:
    """A CardPort on the real slot whose reader goes away at the first record."""

    def __init__(self, port: PcscPort, desk: Desk, column: str) -> None:
        self._port, self._desk, self._column = port, desk, column
        self.struck = False
        self.name = port.name
        self.connect, self.disconnect, self.close = port.connect, port.disconnect, port.close

    def look(self, deadline: Deadline) -> SlotEvent:
        return self._port.look(deadline)

    def transmit(self, command: bytes, deadline: Deadline) -> bytes:
        if command.startswith(COMMAND) and not self.struck:
            self.struck = True
            self._desk.pcscd.stop()
            if (readers := AFTER[self._column]) is not None:
                self._desk.pcscd.readers = readers
                self._desk.pcscd.start()
        return self._port.transmit(command, deadline)


@pytest.mark.parametrize("column", COLUMNS)
def test_the_table_holds_on_a_real_pcscd(desk: Desk, column: str) -> None:
    port = Struck(desk.open(), desk, column)
    reader = SocialCardReader(port, CLOCK)
    try:
        desk.put(SocialCardEmulator(WANG))
        assert reader.look(SEEN_S) == CardPutIn()
        told = outcome_of(reader.read_card)
        assert port.struck
        reader.close()
        looked = outcome_of(lambda: SocialCardReader(desk.open(), CLOCK).probe())
        looked = "absent" if looked == "DeviceAbsent" else looked
    finally:
        desk.pcscd.stop()
        desk.pcscd.readers = (READER,)
        desk.pcscd.start()
    again = SocialCardReader(desk.open(), CLOCK)
    desk.put(SocialCardEmulator(WANG))
    assert again.look(SEEN_S) == CardPutIn()
    assert again.read_card() == SocialCardRead(WANG)
    assert f"{told}; {looked}; reads" == TABLE["socialcard"][STATE][COLUMNS.index(column)]
