"""The plug-in's driver: every outcome, every misbehaviour, and a late answer is nobody's."""

from __future__ import annotations

import pytest

from drivers.errors import (
    CardRemoved,
    DeadlineExceeded,
    DeviceRefused,
    ProtocolError,
)
from drivers.pcsc.port import CardPutIn, CardTakenOut, SlotUnchanged
from drivers.plugin.codec import Verb
from drivers.plugin.driver import CodeNotDecoded, Plugin, PluginCardRead
from drivers.plugin.emulator import MISBEHAVIOURS, NAME, HealthCardPlugin
from drivers.plugin.health_card import (
    HealthCardEmulator,
    PsamEmulator,
    PsamRefused,
    read_health_card,
)
from drivers.socialcard.driver import CardAbsent, NotThisCard, NotThisCardReason
from tests.drivers.cable import Cable
from tests.drivers.plugin.people import ON_CARD, OTHER, READ


class Desk:
    """One plug-in on one cable."""

    def __init__(self) -> None:
        self.vendor = HealthCardPlugin()
        self.cable = Cable(self.vendor)
        self.plugin = Plugin(self.cable, self.cable.clock)


def test_it_says_who_it_is_and_what_it_can() -> None:
    desk = Desk()
    assert desk.plugin.hello().can == frozenset(Verb)
    assert (desk.plugin.probe().model, desk.plugin.probe().kind) == (NAME, "plugin")


def test_a_health_card_is_opened_with_the_psam_and_read() -> None:
    desk = Desk()
    assert desk.plugin.read_card() == CardAbsent()
    desk.vendor.put(ON_CARD)
    assert desk.plugin.read_card() == PluginCardRead(READ)


@pytest.mark.parametrize("challenge_bytes", [0, 7, 256])
def test_a_challenge_of_another_length_is_no_health_cards(challenge_bytes: int) -> None:
    card = HealthCardEmulator(ON_CARD)

    def forged(command: bytes) -> bytes | None:
        asked = command[:2] == b"\x00\x84"
        return bytes(challenge_bytes) + b"\x90\x00" if asked else card.exchange(command)

    with pytest.raises(ProtocolError):
        read_health_card(forged, PsamEmulator().exchange)


def test_half_a_command_gets_an_answer_and_no_more() -> None:
    assert HealthCardEmulator(ON_CARD).exchange(b"\x00\xb2") == b"\x67\x00"


def test_without_the_right_psam_the_persons_file_stays_shut() -> None:
    card = HealthCardEmulator(ON_CARD)
    card.exchange(bytes.fromhex("00A4020002EF06"))
    assert card.exchange(bytes.fromhex("00B2010400")) == b"\x69\x82"
    wrong = PsamEmulator()
    with pytest.raises(PsamRefused):
        read_health_card(
            card.exchange, lambda command: (wrong.exchange(command) or b"")[::-1][2:] + b"\x90\x00"
        )


def test_insert_removal_and_a_quick_exchange_are_events() -> None:
    desk = Desk()
    assert desk.plugin.look() == SlotUnchanged()
    desk.vendor.put(ON_CARD)
    assert (desk.plugin.look(), desk.plugin.look()) == (CardPutIn(), SlotUnchanged())
    desk.vendor.put(OTHER)
    assert [desk.plugin.look() for _ in range(3)] == [
        *(CardTakenOut(), CardPutIn(), SlotUnchanged())
    ]
    desk.vendor.pull()
    assert desk.plugin.look() == CardTakenOut()


def test_a_code_is_decoded_with_its_business_or_not_at_all() -> None:
    desk = Desk()
    desk.vendor.knows("28", ON_CARD)
    found = desk.plugin.decode_code("28", "01101")
    assert isinstance(found, PluginCardRead)
    assert (found.card.kind, found.card.number) == ("insurance_code", READ.number)
    assert desk.plugin.decode_code("29", "01101") == CodeNotDecoded(expired=True)


OUTCOMES = {
    "silent": DeadlineExceeded,
    "prints": PluginCardRead(READ),
    "half_a_line": DeadlineExceeded,
    "late_answer": PluginCardRead(READ),
    "not_json": DeadlineExceeded,
    "too_long": DeadlineExceeded,
    "other_protocol": PluginCardRead(READ),
    "wrong_types": ProtocolError,
    "no_psam": DeviceRefused,
    "other_card": NotThisCard(NotThisCardReason.NO_APPLICATION),
    "pulled": CardRemoved,
    "garbage": ProtocolError,
    "crash_in_read": DeadlineExceeded,
    "exit_in_read": DeadlineExceeded,
    "hang_in_read": DeadlineExceeded,
}
"""Of a reading; without a process of its own what crashes only says nothing."""


@pytest.mark.parametrize("name", MISBEHAVIOURS)
def test_every_misbehaviour_has_its_meaning_and_is_forgotten_afterwards(name: str) -> None:
    desk = Desk()
    desk.vendor.put(ON_CARD)
    desk.vendor.misbehave(name)
    outcome = OUTCOMES[name]
    if isinstance(outcome, type):
        with pytest.raises(outcome):
            desk.plugin.read_card()
    else:
        assert desk.plugin.read_card() == outcome
    desk.vendor.behave()
    assert Plugin(desk.cable, desk.cable.clock).read_card() == PluginCardRead(READ)


def test_another_protocol_is_noticed_at_the_hello() -> None:
    desk = Desk()
    desk.vendor.misbehave("other_protocol")
    with pytest.raises(ProtocolError, match="another protocol"):
        desk.plugin.probe()


def test_a_late_answer_about_the_last_person_is_not_the_next_persons() -> None:
    desk = Desk()
    desk.vendor.put(OTHER)
    late = desk.vendor.receive(b'{"id":1,"ask":"read"}\n')
    desk.vendor.put(ON_CARD)
    desk.plugin.read_card()
    desk.cable.inject(late)
    assert desk.plugin.read_card() == PluginCardRead(READ)


def test_the_words_of_a_fault_are_not_repeated() -> None:
    desk = Desk()
    desk.vendor.put(ON_CARD)
    answered = b'{"id":1,"fault":"server_says_no","text":"\xe7\x8e\x8b\xe6\xb5\x8b\xe8\xaf\x95"}\n'
    desk.vendor.misbehave("silent")
    desk.cable.inject(answered)
    with pytest.raises(DeviceRefused) as fault:
        desk.plugin.read_card()
    assert str(fault.value) == "read: the plug-in says server_says_no"
