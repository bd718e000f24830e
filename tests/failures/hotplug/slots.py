"""Card readers that pcscd serves, by name: a reader pulled, put back, exchanged, renumbered.

On virtual time, because pcscd needs half a second to see a card; the same four columns on a real
pcscd are in tests/failures/test_hotplug_pcscd.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from drivers.errors import DeviceAbsent
from drivers.idcard.driver import CardPresent, CardRead
from drivers.idcard_pcsc.driver import PcscIdCardReader
from drivers.idcard_pcsc.emulator import PcscIdCardEmulator
from drivers.pcsc.port import CardEmulator
from drivers.socialcard.driver import SocialCardRead, SocialCardReader
from drivers.socialcard.emulator import SocialCardEmulator
from tests.drivers.card_line import CardLine
from tests.drivers.idcard.people import RESIDENT
from tests.drivers.socialcard.people import WANG
from tests.failures import test_idcard_pcsc, test_socialcard
from tests.failures.hotplug.ports import outcome_of
from tests.failures.troubled_line import TroubledLine

HERE, STRANGER = "Reader 00 00", "Another 00 00"
LOST = ("DeviceLost; absent", "DeviceLost; well", "DeviceLost; absent", "DeviceLost; well")
"""A reader is opened by its name: another one there is no reader of ours; and in whichever socket
it is, after whichever other, pcscd gives it the same name back."""

AFTER = {
    "unplugged": (),
    "plugged again": (HERE,),
    "another device there": (STRANGER,),
    "another number": (STRANGER, HERE),
}
"""The readers that pcscd knows after the cable was moved."""


@dataclass(frozen=True)
class SlotKind:
    """`use` finds a card and reads it; `seen` looks and touches nothing."""

    make_card: Callable[[], CardEmulator]
    driver: Callable[[CardLine], Any]
    seen: Callable[[Any], object]
    use: Callable[[Any], object]
    states: dict[str, tuple[bytes, bool]]
    read: object


def _use_social(reader: SocialCardReader) -> object:
    reader.look()
    return reader.read_card()


def _use_id(reader: PcscIdCardReader) -> object:
    found = reader.find()
    return reader.read_card() if isinstance(found, CardPresent) else found


KINDS = {
    "idcard_pcsc": SlotKind(
        make_card=lambda: PcscIdCardEmulator(RESIDENT),
        driver=lambda line: PcscIdCardReader(line, line.clock),
        seen=lambda reader: reader.probe(),
        use=_use_id,
        states=test_idcard_pcsc.STATES,
        read=CardRead(RESIDENT),
    ),
    "socialcard": SlotKind(
        make_card=lambda: SocialCardEmulator(WANG),
        driver=lambda line: SocialCardReader(line, line.clock),
        seen=lambda reader: reader.probe(),
        use=_use_social,
        states=test_socialcard.STATES,
        read=SocialCardRead(WANG),
    ),
}


def live(driver: str, state: str, column: str) -> str:
    """One cell, in the words of the table."""
    kind = KINDS[driver]
    command, card_in = kind.states[state]
    there: tuple[str, ...] = (HERE,)

    def strike(line: TroubledLine) -> None:
        nonlocal there
        line.gone, there = True, AFTER[column]

    def opened(name: str) -> CardLine:
        if name not in there:
            raise DeviceAbsent(f"no reader {name}")
        return CardLine(kind.make_card())

    line = TroubledLine(kind.make_card(), command, strike)
    if card_in:
        line.put()
    told = outcome_of(lambda: kind.use(kind.driver(line)))
    assert line.struck, "the state was never reached"
    looked = outcome_of(lambda: kind.seen(kind.driver(opened(HERE))))
    looked = "absent" if looked == "DeviceAbsent" else looked
    there = (HERE,)
    again = opened(HERE)
    reader = kind.driver(again)
    assert outcome_of(lambda: kind.seen(reader)) == "well"
    again.put()
    return f"{told}; {looked}; {'reads' if kind.use(reader) == kind.read else 'does not read'}"
