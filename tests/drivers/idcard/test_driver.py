"""The ID card reader's driver and emulator: what a person's card does, and what a bad reader says.

Row 20: the ID card is read on the spot, as a substitute for the health code.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from drivers.errors import (
    CardRemoved,
    DeadlineExceeded,
    DeviceRefused,
    DriverError,
    ProtocolError,
)
from drivers.idcard.card import CardText
from drivers.idcard.driver import (
    CardAbsent,
    CardPresent,
    CardRead,
    IdCardReader,
    PutAgain,
    PutAgainReason,
)
from drivers.idcard.emulator import MISBEHAVIOURS, Delays, IdCardReaderEmulator
from drivers.identity import DeviceIdentity
from tests.drivers.cable import Cable, Faults
from tests.drivers.idcard.people import EVERYBODY, PERMIT, RESIDENT


class Desk:
    """A reader with its driver on a good cable."""

    def __init__(self, emulator: IdCardReaderEmulator | None = None) -> None:
        self.emulator = emulator or IdCardReaderEmulator()
        self.cable = Cable(self.emulator)
        self.reader = IdCardReader(self.cable, self.cable.clock)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize("card", EVERYBODY)
def test_every_kind_of_card_is_read(desk: Desk, card: CardText) -> None:
    desk.emulator.lay(card)
    assert desk.reader.read_card() == CardRead(card)


def test_a_reading_is_find_select_read_as_bytes_of_the_manual(desk: Desk) -> None:
    desk.emulator.lay(RESIDENT)
    desk.reader.read_card()
    assert desk.cable.sent == bytes.fromhex(
        "AAAAAA9669 0003 2001 22 AAAAAA9669 0003 2002 21 AAAAAA9669 0003 3001 32"
    )


def test_nobody_there_is_a_value(desk: Desk) -> None:
    assert desk.reader.find() == CardAbsent()
    assert desk.reader.read_card() == CardAbsent()


def test_a_card_that_was_read_keeps_silent_until_lifted_and_put_again(desk: Desk) -> None:
    desk.emulator.lay(RESIDENT)
    assert desk.reader.find() == CardPresent()
    assert isinstance(desk.reader.read_card(), CardRead)
    assert desk.reader.find() == CardAbsent(maybe_still_lying=True)
    assert desk.reader.read_card() == CardAbsent(maybe_still_lying=True)
    desk.emulator.lift()
    desk.emulator.lay(RESIDENT)
    assert desk.reader.find() == CardPresent()
    assert desk.reader.read_card() == CardRead(RESIDENT)
    assert desk.emulator.reads == 2


def test_the_next_persons_card_is_read_and_nothing_of_the_last_one(desk: Desk) -> None:
    desk.emulator.lay(RESIDENT)
    desk.reader.read_card()
    desk.emulator.lift()
    desk.emulator.lay(PERMIT)
    assert desk.reader.read_card() == CardRead(PERMIT)


def test_a_reader_that_answers_only_the_first_find_is_read_all_the_same(desk: Desk) -> None:
    desk.emulator.lay(RESIDENT)
    desk.reader.find()
    desk.cable.sent.clear()
    assert isinstance(desk.reader.read_card(), CardRead)
    assert bytes.fromhex("AAAAAA96690003200122") not in desk.cable.sent


def test_a_card_lifted_after_it_was_found_is_asked_for_again(desk: Desk) -> None:
    desk.emulator.lay(RESIDENT)
    desk.reader.find()
    desk.emulator.lift()
    assert desk.reader.read_card() == PutAgain(PutAgainReason.NOT_SELECTED)
    assert desk.reader.read_card() == CardAbsent()


def test_a_card_lifted_in_mid_read_is_asked_for_again_and_then_read(desk: Desk) -> None:
    desk.emulator.lay(RESIDENT)
    desk.emulator.misbehave("lifted_mid_read")
    assert desk.reader.read_card() == PutAgain(PutAgainReason.LIFTED)
    desk.emulator.behave()
    desk.emulator.lay(RESIDENT)
    assert desk.reader.read_card() == CardRead(RESIDENT)


def test_a_fingerprint_comes_only_when_asked_for_and_may_be_missing(desk: Desk) -> None:
    desk.emulator.lay(RESIDENT, fingerprint=bytes(1024))
    assert desk.reader.read_card_with_fingerprint() == CardRead(RESIDENT, bytes(1024))
    desk.emulator.lay(RESIDENT)
    assert desk.reader.read_card_with_fingerprint() == CardRead(RESIDENT)


def test_the_newest_address_is_read_after_the_card(desk: Desk) -> None:
    desk.emulator.lay(RESIDENT, newest_address="北京市东城区新示例路9号")
    desk.reader.read_card()
    assert desk.reader.read_newest_address() == "北京市东城区新示例路9号"
    desk.emulator.lay(RESIDENT)
    desk.reader.read_card()
    assert desk.reader.read_newest_address() is None
    desk.emulator.lift()
    with pytest.raises(CardRemoved):
        desk.reader.read_newest_address()


def test_the_reader_says_who_it_is(desk: Desk) -> None:
    assert desk.reader.read_sam_id() == "05.01-20201124-0000000001-0000000002"
    assert desk.reader.probe() == DeviceIdentity(
        "idcard", "SDT", "05.01-20201124-0000000001-0000000002"
    )
    desk.reader.check_module()
    desk.reader.reset_module()


@pytest.mark.parametrize("baud", [115200, 57600, 38400, 19200, 9600])
def test_the_reader_is_told_another_speed(desk: Desk, baud: int) -> None:
    desk.reader.change_baud(baud)
    assert desk.emulator.baud == baud


def test_a_slow_reader_is_waited_for_within_one_deadline() -> None:
    desk = Desk(IdCardReaderEmulator(delays=Delays(find_s=0.9, select_s=0.9, read_s=1.9)))
    desk.emulator.lay(RESIDENT)
    began_s = desk.cable.now_s
    assert desk.reader.read_card() == CardRead(RESIDENT)
    assert 3.7 <= desk.cable.now_s - began_s <= 3.8


STILL_READS = CardRead(RESIDENT)
ANSWERS: dict[str, object] = {
    "silent": DeadlineExceeded,
    "slow": DeadlineExceeded,
    "noise": STILL_READS,
    "wrong_checksum": DeadlineExceeded,
    "half_frame": DeadlineExceeded,
    "two_answers": STILL_READS,
    "late_answer": STILL_READS,
    "lifted_mid_read": PutAgain(PutAgainReason.LIFTED),
    "card_refused": PutAgain(PutAgainReason.UNREADABLE),
    "dead_sam": DeviceRefused,
    "unknown_status": ProtocolError,
    "oversized": DeadlineExceeded,
    "wrong_sizes": ProtocolError,
    "broken_text": ProtocolError,
}


@pytest.mark.parametrize("name", MISBEHAVIOURS)
def test_every_misbehaviour_has_its_meaning_and_is_forgotten_afterwards(
    desk: Desk, name: str
) -> None:
    desk.emulator.lay(RESIDENT)
    desk.emulator.misbehave(name)
    try:
        outcome: object = desk.reader.read_card()
    except DriverError as fault:
        outcome = type(fault)
        assert "王" not in str(fault) and "1101" not in str(fault)
    assert outcome == ANSWERS[name]
    desk.emulator.behave()
    desk.emulator.lift()
    desk.emulator.lay(RESIDENT)
    reader = IdCardReader(desk.cable, desk.cable.clock)
    assert reader.read_card() == CardRead(RESIDENT)


def test_a_late_copy_of_the_last_persons_card_is_not_the_next_persons(desk: Desk) -> None:
    desk.emulator.lay(RESIDENT)
    desk.cable.faults = Faults(twice=1.0, delay_s=0.2)
    assert desk.reader.read_card() == CardRead(RESIDENT)
    desk.emulator.lift()
    desk.emulator.lay(PERMIT)
    assert desk.reader.read_card() == CardRead(PERMIT)


HOST_FAULTS: dict[int, Callable[[IdCardReader], object]] = {
    0x10: lambda reader: reader.find(),
    0x11: lambda reader: reader.read_card(),
    0x21: lambda reader: reader.read_sam_id(),
    0x24: lambda reader: reader.probe(),
}


@pytest.mark.parametrize("status", HOST_FAULTS)
def test_a_reader_that_did_not_understand_us_says_so(status: int) -> None:
    class Deaf(IdCardReaderEmulator):
        def receive(self, data: bytes) -> bytes:
            check = 0x04 ^ status
            return bytes.fromhex("AAAAAA9669 0004 0000") + bytes([status, check])

    desk = Desk(Deaf())
    with pytest.raises(ProtocolError, match=r"request wrong|not allowed|not known"):
        HOST_FAULTS[status](desk.reader)


def test_a_request_that_is_in_no_manual_is_refused_by_the_emulator() -> None:
    emulator = IdCardReaderEmulator()
    refused = bytes.fromhex("AAAAAA9669 0004 000021 25")
    assert emulator.receive(bytes.fromhex("AAAAAA9669 0003 7777 03")) == refused


def test_reading_before_selecting_fails_as_the_manual_says() -> None:
    emulator = IdCardReaderEmulator()
    emulator.lay(RESIDENT)
    failed = bytes.fromhex("AAAAAA9669 0004 000041 45")
    assert emulator.receive(bytes.fromhex("AAAAAA9669 0003 3001 32")) == failed


def test_a_card_that_does_not_fit_cannot_be_laid() -> None:
    with pytest.raises(ValueError, match="35"):
        IdCardReaderEmulator().lay(RESIDENT, newest_address="长" * 36)
