"""ID cards over PC/SC: the same values as over serial, told once for each time they are put."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import DeadlineExceeded, ProtocolError
from drivers.idcard.card import CardText, encode
from drivers.idcard.driver import (
    CardAbsent,
    CardPresent,
    CardRead,
    IdCardReader,
    PutAgain,
    PutAgainReason,
)
from drivers.idcard.emulator import IdCardReaderEmulator
from drivers.idcard.reader import IdReader
from drivers.idcard_pcsc.codec import READ_TEXT, encode_text, text_of
from drivers.idcard_pcsc.driver import PcscIdCardReader
from drivers.idcard_pcsc.emulator import MISBEHAVIOURS, PcscIdCardEmulator
from tests.drivers.cable import Cable
from tests.drivers.card_line import CardLine, LineFaults, removed, reset
from tests.drivers.idcard.people import FOREIGN_2017, FOREIGN_2023, PERMIT, RARE, RESIDENT

EVERY_CARD = [RESIDENT, RARE, PERMIT, FOREIGN_2017, FOREIGN_2023]


def desk(card: CardText = RESIDENT) -> tuple[PcscIdCardEmulator, CardLine, PcscIdCardReader]:
    emulator = PcscIdCardEmulator(card)
    line = CardLine(emulator)
    line.put()
    return emulator, line, PcscIdCardReader(line, line.clock)


def over_serial(card: CardText) -> object:
    emulator = IdCardReaderEmulator()
    emulator.lay(card)
    cable = Cable(emulator)
    return IdCardReader(cable, cable.clock).read_card()


def test_the_pseudo_command_and_its_answer_are_as_typed_in_the_notes() -> None:
    """Typed from PROTOCOLS §1.6: FF B0 00 00 00, text at offset 4, 256 bytes."""
    assert READ_TEXT.encode() == bytes.fromhex("FFB0000000")
    text = bytes.fromhex("8B73 4B6D D58B") + bytes.fromhex("2000") * 125
    assert text_of(bytes.fromhex("01000400") + text) == text
    assert encode_text(text) == bytes.fromhex("01000400") + text


@pytest.mark.parametrize("card", EVERY_CARD, ids=lambda card: card.layout.name)
def test_every_kind_of_card_gives_the_same_values_as_over_serial(card: CardText) -> None:
    _, _, reader = desk(card)
    assert reader.read_card() == over_serial(card) == CardRead(card)


def test_both_kinds_of_reader_are_id_readers() -> None:
    _, line, reader = desk()
    readers: list[IdReader] = [reader, IdCardReader(Cable(IdCardReaderEmulator()), line.clock)]
    assert all(isinstance(one.find(), CardPresent | CardAbsent) for one in readers)


def test_a_card_left_lying_is_told_once_and_again_after_it_was_lifted() -> None:
    _, line, reader = desk()
    assert reader.find() == CardPresent()
    assert reader.read_card() == CardRead(RESIDENT)
    assert reader.find() == reader.read_card() == CardAbsent(maybe_still_lying=True)
    line.pull()
    assert reader.find() == CardAbsent()
    line.put()
    assert (reader.find(), reader.read_card()) == (CardPresent(), CardRead(RESIDENT))


def test_one_command_is_sent_and_the_photo_is_never_asked_for() -> None:
    emulator, _, reader = desk()
    reader.read_card()
    assert emulator.commands == [bytes.fromhex("FFB0000000")]


def test_after_a_reading_the_card_is_let_go() -> None:
    _, line, reader = desk()
    reader.read_card()
    assert line.connected and not line.powered


@pytest.mark.parametrize("fault", [removed, reset])
def test_a_card_lifted_in_mid_read_is_asked_for_again(fault: object) -> None:
    _, line, reader = desk()
    line.begin(LineFaults(raises=fault))  # type: ignore[arg-type]
    assert reader.read_card() == PutAgain(PutAgainReason.LIFTED)
    line.pull()
    reader.find()
    line.put()
    line.begin()
    assert reader.read_card() == CardRead(RESIDENT)


@pytest.mark.parametrize(
    ("misbehaviour", "outcome"),
    {
        "silent": DeadlineExceeded,
        "mute": PutAgain(PutAgainReason.NOT_SELECTED),
        "card_refused": PutAgain(PutAgainReason.UNREADABLE),
        "other_reader": PutAgain(PutAgainReason.UNREADABLE),
        "short_text": ProtocolError,
        "wrong_sizes": ProtocolError,
        "broken_text": ProtocolError,
        "no_status": ProtocolError,
        "endless": ProtocolError,
    }.items(),
)
def test_every_misbehaviour_has_its_meaning_and_is_forgotten_afterwards(
    misbehaviour: str, outcome: object
) -> None:
    assert misbehaviour in MISBEHAVIOURS
    emulator, _, reader = desk()
    emulator.misbehave(misbehaviour)
    if isinstance(outcome, type):
        with pytest.raises(outcome):
            reader.read_card()
    else:
        assert reader.read_card() == outcome
    emulator.behave()
    assert reader.read_card() == CardRead(RESIDENT)


@given(st.binary(max_size=600))
def test_any_cut_noise_or_rubbish_is_a_text_or_a_protocol_error(data: bytes) -> None:
    try:
        assert len(text_of(data)) == 256
    except ProtocolError:
        return


def test_a_text_in_any_cut_is_an_error() -> None:
    whole = encode_text(encode(RESIDENT))
    for end in range(len(whole)):
        with pytest.raises(ProtocolError):
            text_of(whole[:end])


def test_what_was_read_is_in_no_repr() -> None:
    _, _, reader = desk()
    assert repr(reader.read_card()) == "CardRead(CardText(RESIDENT, …))"
