"""The social security card's driver: bytes of the notes on the line, four outcomes, never a PIN."""

from __future__ import annotations

import ast
import contextlib
from pathlib import Path

import pytest

import drivers.pcsc.apdu as apdu
from drivers.errors import CardMute, CardRemoved, DeadlineExceeded, DriverError, ProtocolError
from drivers.pcsc.port import CardPutIn, CardTakenOut, SlotUnchanged
from drivers.socialcard.driver import (
    CardAbsent,
    NotThisCard,
    NotThisCardReason,
    SocialCardRead,
    SocialCardReader,
)
from drivers.socialcard.emulator import MISBEHAVIOURS, PIN_TRIES, CardModel, SocialCardEmulator
from tests.drivers.card_contract import FAULTS, at
from tests.drivers.card_line import CardLine, LineFaults, removed
from tests.drivers.socialcard.people import RARE, WANG

DRIVERS = Path(__file__).resolve().parents[3] / "drivers"

# Typed by hand from PROTOCOLS §2: what goes to a T=0 card and what comes back.
TYPED = [
    ("00 A4 04 00 0F 73 78 31 2E 73 68 2E C9 E7 BB E1 B1 A3 D5 CF", "61 13"),
    ("00 C0 00 00 13", "6F 11 84 0F 73 78 31 2E 73 68 2E C9 E7 BB E1 B1 A3 D5 CF 90 00"),
    ("00 A4 00 00 02 EF 05", "6A 86"),
    ("00 A4 02 00 02 EF 05", "90 00"),
    ("00 B2 01 00 12", "01 10 330300D15600000500000001FFFFFFFF 90 00"),
    ("00 B2 02 00 03", "6A 83"),
    ("00 B2 03 00 06", "03 04 332E3030 90 00"),
    ("00 B2 04 00 0E", "6A 83"),
    ("00 B2 05 00 06", "6A 83"),
    ("00 B2 06 00 06", "6A 83"),
    ("00 B2 07 00 0B", "07 09 413132333435363738 90 00"),
    ("00 A4 00 00 02 EF 06", "90 00"),
    ("00 B2 08 00 14", "08 12 313130313035313934393132333130303258 90 00"),
    ("00 B2 09 00 20", "6C 08"),
    ("00 B2 09 00 08", "09 06 CDF5B2E2CAD4 90 00"),
    ("00 B2 4E 00 16", "6A 83"),
    ("00 B2 0A 00 03", "0A 01 32 90 00"),
    ("00 B2 0B 00 03", "69 82"),
    ("00 B2 0C 00 05", "6A 83"),
    ("00 B2 0D 00 06", "0D 04 19491231 90 00"),
]


class TypedCard:
    """Answers the typed commands in their order, and nothing else."""

    atr = bytes.fromhex("3B00")

    def __init__(self) -> None:
        self._left = list(TYPED)

    def power_up(self) -> None:
        return

    def exchange(self, command: bytes) -> bytes | None:
        asked, answer = self._left.pop(0)
        assert command == bytes.fromhex(asked)
        return bytes.fromhex(answer)


def desk(
    model: CardModel | None = None, misbehaviour: str = ""
) -> tuple[SocialCardEmulator, CardLine, SocialCardReader]:
    card = SocialCardEmulator(WANG, model)
    if misbehaviour:
        card.misbehave(misbehaviour)
    line = CardLine(card)
    line.put()
    return card, line, SocialCardReader(line, line.clock)


def test_a_reading_is_the_typed_bytes_of_the_notes() -> None:
    line = CardLine(TypedCard())
    line.put()
    found = SocialCardReader(line, line.clock).read_card()
    assert isinstance(found, SocialCardRead)
    assert (found.card.number, found.card.name) == ("11010519491231002X", "王测试")
    assert (found.card.version, found.card.card_number) == ("3.00", "A12345678")
    assert found.card.card_id == "330300D15600000500000001"
    assert len(line.sent) == len(TYPED)


@pytest.mark.parametrize(
    "model",
    [
        CardModel(),
        CardModel(by_number=False),
        CardModel(by_tag=False),
        CardModel(by_tag=False, reversed_records=True),
        CardModel(select_p1=frozenset({0x02})),
        CardModel(hides_61_6c=True),
    ],
    ids=["both", "tags", "numbers", "numbers in another order", "P1 02", "T=1"],
)
def test_cards_of_every_region_are_read(model: CardModel) -> None:
    _, _, reader = desk(model)
    assert reader.read_card() == SocialCardRead(WANG)
    assert reader.read_card() == SocialCardRead(WANG)


def test_a_long_rare_name_is_read_from_both_its_records() -> None:
    line = CardLine(SocialCardEmulator(RARE))
    line.put()
    assert SocialCardReader(line, line.clock).read_card() == SocialCardRead(RARE)


def test_nobody_there_is_a_value_and_insert_and_removal_are_events() -> None:
    line = CardLine(SocialCardEmulator(WANG))
    reader = SocialCardReader(line, line.clock)
    assert (reader.look(), reader.read_card()) == (SlotUnchanged(), CardAbsent())
    line.put()
    assert reader.look() == CardPutIn()
    assert reader.look() == SlotUnchanged()
    line.pull()
    assert reader.look() == CardTakenOut()


def test_a_card_that_was_in_when_the_reader_was_probed_is_told_afterwards() -> None:
    _, _, reader = desk()
    assert reader.probe().identity == CardLine.name
    assert (reader.look(), reader.look()) == (CardPutIn(), SlotUnchanged())


@pytest.mark.parametrize(
    ("misbehaviour", "outcome"),
    {
        "silent": DeadlineExceeded,
        "mute": CardMute,
        "other_card": NotThisCard(NotThisCardReason.NO_APPLICATION),
        "not_free": NotThisCard(NotThisCardReason.NEEDS_VENDOR),
        "blank": ProtocolError,
        "broken_name": ProtocolError,
        "broken_date": ProtocolError,
        "wrong_tag": ProtocolError,
        "wrong_length": ProtocolError,
        "endless": ProtocolError,
        "wrong_le": ProtocolError,
        "short_answer": ProtocolError,
        "no_status": ProtocolError,
        "long_answer": ProtocolError,
    }.items(),
)
def test_every_misbehaviour_has_its_meaning_and_is_forgotten_afterwards(
    misbehaviour: str, outcome: object
) -> None:
    card, _, reader = desk(misbehaviour=misbehaviour)
    if isinstance(outcome, type):
        with pytest.raises(outcome):
            reader.read_card()
    else:
        assert reader.read_card() == outcome
    card.behave()
    assert reader.read_card() == SocialCardRead(WANG)


def test_the_table_of_misbehaviours_is_whole() -> None:
    marks = test_every_misbehaviour_has_its_meaning_and_is_forgotten_afterwards.pytestmark  # type: ignore[attr-defined]
    assert {name for name, _ in marks[0].args[1]} == set(MISBEHAVIOURS)


def test_a_card_pulled_at_any_exchange_names_nobody() -> None:
    for exchange in range(40):
        _, line, reader = desk()
        line.begin(LineFaults(at=exchange, raises=removed))
        try:
            assert reader.read_card() == SocialCardRead(WANG)
            break
        except CardRemoved:
            continue
    assert exchange == 20  # application, two files, fourteen records, and what T=0 adds


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("misbehaviour", ["", *MISBEHAVIOURS])
def test_no_pin_is_ever_sent_whatever_card_and_reader_do(misbehaviour: str, fault: str) -> None:
    for exchange in (0, 1, 4, 9):
        card, line, reader = desk(misbehaviour=misbehaviour)
        line.begin(at(FAULTS[fault], exchange))
        with contextlib.suppress(DriverError):
            reader.read_card()
        assert {command[1] for command in line.sent} <= {0xA4, 0xB2, 0xC0}
        assert card.pin_tries == PIN_TRIES


def test_a_command_that_could_spend_a_pins_tries_cannot_be_built() -> None:
    for instruction in (0x20, 0x21, 0x24, 0x2C, 0x82, 0x88, 0xD6, 0xDC, 0xE2):
        with pytest.raises(AssertionError):
            apdu.Command(0x00, instruction, 0x00, 0x00, b"\x12\x34\x56")


def test_the_drivers_send_nothing_but_such_commands() -> None:
    """All that reaches transmit() is a Command's own bytes: they begin in dialogue.ask alone, and a
    watched slot hands on what it was given."""
    calls = []
    for path in sorted(DRIVERS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr == "transmit":
                calls.append(path.relative_to(DRIVERS).as_posix())
    assert [call for call in calls if not call.startswith("plugin/")] == [
        "pcsc/dialogue.py",
        "watching.py",
    ]


def test_the_emulator_would_lock_after_three_wrong_pins() -> None:
    card, _, _ = desk()
    answers = [card.exchange(bytes.fromhex("0020000003123456")) for _ in range(3)]
    assert answers == [b"\x63\xc2", b"\x63\xc1", b"\x69\x83"]


@pytest.mark.parametrize("misbehaviour", ["", "broken_name", "other_card", "not_free"])
def test_after_a_reading_nothing_of_the_person_stays_selected(misbehaviour: str) -> None:
    _, line, reader = desk(misbehaviour=misbehaviour)
    with contextlib.suppress(DriverError):
        reader.read_card()
    assert line.connected and not line.powered


def test_what_was_read_is_in_no_repr() -> None:
    _, _, reader = desk()
    shown = repr(reader.read_card())
    assert "王" not in shown and "1101" not in shown
