"""The ID card reader's exchanges under the contract."""

from __future__ import annotations

from functools import partial

from drivers.idcard.driver import (
    ADDRESS_S,
    MODULE_S,
    READ_CARD_S,
    READ_FINGERPRINT_S,
    CardPresent,
    CardRead,
    IdCardReader,
)
from drivers.idcard.emulator import IdCardReaderEmulator
from drivers.identity import DeviceIdentity
from tests.drivers.contract import Row
from tests.drivers.idcard.people import RESIDENT

FINGERPRINT = bytes(range(256)) * 4


def lay_card(emulator: IdCardReaderEmulator) -> None:
    emulator.lift()
    emulator.lay(RESIDENT, fingerprint=FINGERPRINT)


ADDRESS = "北京市东城区𠮷祥新示例路9号"
SAM_ID = "05.01-20201124-0000000001-0000000002"


def lay_card_with_address(emulator: IdCardReaderEmulator) -> None:
    emulator.lift()
    emulator.lay(RESIDENT, newest_address=ADDRESS)


def read_newest_address(reader: IdCardReader) -> object:
    """A card that could not be read has no address that anybody may be told of."""
    outcome = reader.read_card()
    return reader.read_newest_address() if isinstance(outcome, CardRead) else outcome


def is_another_card(outcome: object) -> bool:
    return isinstance(outcome, CardRead) and outcome.card != RESIDENT


on_a_card = partial(
    Row, make_emulator=IdCardReaderEmulator, make_driver=IdCardReader, prepare=lay_card
)

ROWS = (
    on_a_card(
        name="idcard find",
        exchange=lambda reader: reader.find(),
        is_good=lambda outcome: outcome == CardPresent(),
        timeout_s=1.0,
    ),
    on_a_card(
        name="idcard read",
        exchange=lambda reader: reader.read_card(),
        is_good=lambda outcome: outcome == CardRead(RESIDENT),
        timeout_s=READ_CARD_S,
        is_lie=is_another_card,
    ),
    on_a_card(
        name="idcard read with fingerprint",
        exchange=lambda reader: reader.read_card_with_fingerprint(),
        is_good=lambda outcome: outcome == CardRead(RESIDENT, FINGERPRINT),
        timeout_s=READ_FINGERPRINT_S,
        is_lie=is_another_card,
    ),
    on_a_card(
        name="idcard newest address",
        prepare=lay_card_with_address,
        exchange=read_newest_address,
        is_good=lambda outcome: outcome == ADDRESS,
        timeout_s=READ_CARD_S + ADDRESS_S,
        is_lie=lambda outcome: isinstance(outcome, str) and outcome != ADDRESS,
    ),
    on_a_card(
        name="idcard sam id",
        exchange=lambda reader: reader.read_sam_id(),
        is_good=lambda outcome: outcome == SAM_ID,
        timeout_s=MODULE_S,
        is_lie=lambda outcome: isinstance(outcome, str) and outcome != SAM_ID,
    ),
    on_a_card(
        name="idcard change speed",
        exchange=lambda reader: reader.change_baud(9600),
        is_good=lambda outcome: outcome is None,
        timeout_s=MODULE_S,
    ),
    on_a_card(
        name="idcard reset module",
        exchange=lambda reader: reader.reset_module(),
        is_good=lambda outcome: outcome is None,
        timeout_s=MODULE_S,
    ),
    on_a_card(
        name="idcard probe",
        exchange=lambda reader: reader.probe(),
        is_good=lambda outcome: isinstance(outcome, DeviceIdentity),
        timeout_s=2.0,
    ),
)
