"""The ID card reader's exchanges under the contract."""

from __future__ import annotations

from drivers.idcard.driver import (
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


def is_another_card(outcome: object) -> bool:
    return isinstance(outcome, CardRead) and outcome.card != RESIDENT


ROWS = (
    Row(
        name="idcard find",
        make_emulator=IdCardReaderEmulator,
        make_driver=IdCardReader,
        prepare=lay_card,
        exchange=lambda reader: reader.find(),
        is_good=lambda outcome: outcome == CardPresent(),
        timeout_s=1.0,
    ),
    Row(
        name="idcard read",
        make_emulator=IdCardReaderEmulator,
        make_driver=IdCardReader,
        prepare=lay_card,
        exchange=lambda reader: reader.read_card(),
        is_good=lambda outcome: outcome == CardRead(RESIDENT),
        timeout_s=READ_CARD_S,
        is_lie=is_another_card,
    ),
    Row(
        name="idcard read with fingerprint",
        make_emulator=IdCardReaderEmulator,
        make_driver=IdCardReader,
        prepare=lay_card,
        exchange=lambda reader: reader.read_card_with_fingerprint(),
        is_good=lambda outcome: outcome == CardRead(RESIDENT, FINGERPRINT),
        timeout_s=READ_FINGERPRINT_S,
        is_lie=is_another_card,
    ),
    Row(
        name="idcard probe",
        make_emulator=IdCardReaderEmulator,
        make_driver=IdCardReader,
        prepare=lay_card,
        exchange=lambda reader: reader.probe(),
        is_good=lambda outcome: isinstance(outcome, DeviceIdentity),
        timeout_s=2.0,
    ),
)
