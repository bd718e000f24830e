"""The PC/SC ID card reader's exchanges under the contract for cards."""

from __future__ import annotations

from drivers.idcard.driver import CardPresent, CardRead
from drivers.idcard_pcsc.driver import READ_CARD_S, PcscIdCardReader
from drivers.idcard_pcsc.emulator import PcscIdCardEmulator
from drivers.identity import DeviceIdentity
from tests.drivers.card_contract import CardRow
from tests.drivers.idcard.people import RESIDENT

ROWS = (
    CardRow(
        name="idcard_pcsc find",
        make_card=lambda: PcscIdCardEmulator(RESIDENT),
        make_driver=PcscIdCardReader,
        exchange=lambda reader: reader.find(),
        is_good=lambda outcome: outcome == CardPresent(),
        timeout_s=0.2,
        transmits=False,
    ),
    CardRow(
        name="idcard_pcsc read",
        make_card=lambda: PcscIdCardEmulator(RESIDENT),
        make_driver=PcscIdCardReader,
        exchange=lambda reader: reader.read_card(),
        is_good=lambda outcome: outcome == CardRead(RESIDENT),
        timeout_s=READ_CARD_S,
        is_lie=lambda outcome: isinstance(outcome, CardRead) and outcome.card != RESIDENT,
    ),
    CardRow(
        name="idcard_pcsc probe",
        make_card=lambda: PcscIdCardEmulator(RESIDENT),
        make_driver=PcscIdCardReader,
        exchange=lambda reader: reader.probe(),
        is_good=lambda outcome: isinstance(outcome, DeviceIdentity),
        timeout_s=0.2,
        transmits=False,
    ),
)
