"""The card slot and the PC/SC ID reader as ports: what flows are told, and what a crash costs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from queue import SimpleQueue

import pytest

from drivers.idcard_pcsc.driver import PcscIdCardReader
from drivers.idcard_pcsc.emulator import PcscIdCardEmulator
from drivers.plugin.example import write_desk
from drivers.plugin.process import PluginStarter
from drivers.socialcard.driver import SocialCardReader
from drivers.socialcard.emulator import SocialCardEmulator
from kiosk.clock import TerminalClock
from kiosk.devices.card_slot import CardSlotDevice
from kiosk.devices.id_reader import IdReaderDevice
from kiosk.domain.identity import Credential, DocumentKind, Sex
from kiosk.engine.health import Health
from kiosk.engine.workers import DeviceWorker, Stop
from kiosk.flows.events import CardLaid, CardRead, CardTrouble
from kiosk.openers import card_slot_opener, id_reader_opener
from kiosk.ports import DeviceFault, DeviceStood, Listen, Told
from kiosk.profile import CardSlotPart, IdReaderPart
from tests.drivers.card_line import CardLine, LineFaults, removed, reset, unplugged
from tests.drivers.idcard.people import RESIDENT
from tests.drivers.plugin.people import ON_CARD, OTHER
from tests.drivers.socialcard.people import WANG

CARDS = Listen(True, "")
NOTHING = Listen(False, "")


def slot(card: SocialCardEmulator, *, put: bool = True) -> tuple[CardLine, CardSlotDevice]:
    line = CardLine(card)
    device = CardSlotDevice(lambda: SocialCardReader(line, line.clock))
    list(device.open())
    if put:
        line.put()
    return line, device


def test_a_social_card_names_its_holder_once_for_each_time_it_is_put_in() -> None:
    """Rows 2 and 6: the person by the ID number, with the card's own word for what it is."""
    line, device = slot(SocialCardEmulator(WANG))
    assert list(device.attend(NOTHING)) == [], "no page asked for cards"
    laid, read = device.attend(CARDS)
    assert laid == CardLaid() and isinstance(read, CardRead)
    found = read.identity
    assert (found.credential, found.kind) == (Credential.SOCIAL_CARD, DocumentKind.RESIDENT)
    assert (found.number, found.name, found.born) == (WANG.number, WANG.name, WANG.birth)
    assert (found.sex, found.valid_to) == (Sex.FEMALE, None)
    assert list(device.attend(CARDS)) == []
    line.pull()
    assert list(device.attend(CARDS)) == []
    line.put()
    assert [type(event) for event in device.attend(CARDS)] == [CardLaid, CardRead]


TROUBLES: dict[str, Callable[[CardLine, SocialCardEmulator], None]] = {
    "card_removed": lambda line, _card: line.begin(LineFaults(at=5, raises=removed)),
    "card_reversed": lambda _line, card: card.misbehave("mute"),
    "put_again": lambda line, _card: line.begin(LineFaults(at=3, raises=reset)),
    "card_unreadable": lambda _line, card: card.misbehave("broken_name"),
    "card_not_supported": lambda _line, card: card.misbehave("other_card"),
}


@pytest.mark.parametrize("code", TROUBLES)
def test_each_trouble_is_said_once_and_the_card_put_in_again_is_read(code: str) -> None:
    card = SocialCardEmulator(WANG)
    line, device = slot(card)
    TROUBLES[code](line, card)
    assert list(device.attend(CARDS)) == [CardLaid(), CardTrouble(code)]
    line.begin()
    card.behave()
    line.pull()
    assert list(device.attend(CARDS)) == []
    line.put()
    assert isinstance(list(device.attend(CARDS))[-1], CardRead)


def test_a_number_that_is_no_id_number_names_nobody() -> None:
    _, device = slot(SocialCardEmulator(replace(WANG, number="110105194912310021")))
    assert list(device.attend(CARDS)) == [CardLaid(), CardTrouble("card_not_supported")]


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("810000198001010014", DocumentKind.HK_MACAU_TAIWAN),
        ("911124198001010031", DocumentKind.FOREIGN_RESIDENT),
    ],
)
def test_the_number_says_whose_document_it_is(number: str, kind: DocumentKind) -> None:
    _, device = slot(SocialCardEmulator(replace(WANG, number=number)))
    read = list(device.attend(CARDS))[-1]
    assert isinstance(read, CardRead) and read.identity.kind is kind


def test_a_card_left_in_from_before_is_nobodys_and_asked_for_anew() -> None:
    line = CardLine(SocialCardEmulator(WANG))
    line.put()
    device = CardSlotDevice(lambda: SocialCardReader(line, line.clock))
    list(device.open())
    assert list(device.attend(NOTHING)) == []
    assert list(device.attend(CARDS)) == [CardTrouble("put_again")]
    assert list(device.attend(CARDS)) == []
    line.pull()
    list(device.attend(CARDS))
    line.put()
    assert isinstance(list(device.attend(CARDS))[-1], CardRead)


def test_a_card_put_in_unasked_and_taken_while_the_reader_was_away_is_not_read() -> None:
    line, device = slot(SocialCardEmulator(WANG))
    assert list(device.attend(NOTHING)) == []
    line.gone = True
    with pytest.raises(DeviceFault):
        list(device.attend(NOTHING))
    line.pull()
    line.forget_events()  # nobody saw it go
    line.begin()
    list(device.open())
    assert list(device.attend(CARDS)) == []


def test_an_unplugged_reader_is_a_lost_device_in_mid_read_too() -> None:
    line, device = slot(SocialCardEmulator(WANG))
    line.begin(LineFaults(at=4, raises=unplugged))
    told: list[Told] = []
    with pytest.raises(DeviceFault) as fault:
        told.extend(device.attend(CARDS))
    assert fault.value.code == "away"
    assert "王" not in str(fault.value) and WANG.number not in str(fault.value)


def test_an_id_card_over_pcsc_tells_the_flows_what_a_serial_one_does() -> None:
    line = CardLine(PcscIdCardEmulator(RESIDENT))
    device = IdReaderDevice(lambda: PcscIdCardReader(line, line.clock))
    list(device.open())
    line.put()
    laid, read = device.attend(CARDS)
    assert laid == CardLaid() and isinstance(read, CardRead)
    assert (read.identity.name, read.identity.credential) == (RESIDENT.name, Credential.ID_CARD)
    assert list(device.attend(CARDS)) == []


def test_a_reader_that_is_not_there_is_told_in_one_line() -> None:
    """Choosing the kind is a line in the profile; nothing is opened until a worker does."""
    parts = [IdReaderPart("sdt", "/dev/nothing"), IdReaderPart("pcsc", reader="Nothing")]
    devices = [IdReaderDevice(id_reader_opener(part, time.monotonic)) for part in parts]
    for part in (CardSlotPart("social_card", "Nothing"), CardSlotPart("plugin", "", ("/none",))):
        devices.append(CardSlotDevice(card_slot_opener(part, time.monotonic)))  # type: ignore[arg-type]
    for device in devices:
        with pytest.raises(DeviceFault, match=r"nothing there|PC/SC: |plug-in none: "):
            list(device.open())


class Watch:
    """A worker on a real plug-in process, and what it tells the engine."""

    def __init__(self, desk: Path) -> None:
        self.told: SimpleQueue[Told] = SimpleQueue()
        self.log: list[tuple[str, str]] = []
        self.stop = Stop()
        command = (sys.executable, "-m", "drivers.plugin.example", "--desk", str(desk))
        device = CardSlotDevice(PluginStarter(command, time.monotonic).start)
        device.pause_s = 0.02
        log = lambda event, device, code: self.log.append((event, device))  # noqa: E731
        self.worker = DeviceWorker(
            *(device, self.told.put, self.stop, log), Health(TerminalClock(UTC))
        )
        self.worker.listen(CARDS)

    def __enter__(self) -> Watch:
        self.worker.start()
        return self

    def __exit__(self, *_fault: object) -> None:
        self.stop.set()
        self.worker.join(5.0)

    def wait(self, wanted: Told) -> list[Told]:
        """What was told until then; queue.Empty when it does not come."""
        heard = []
        while not heard or heard[-1] != wanted:
            heard.append(self.told.get(timeout=10.0))
        return heard

    def wait_for_reading(self) -> CardRead:
        while not isinstance(event := self.told.get(timeout=10.0), CardRead):
            pass
        return event


def test_a_vendors_segmentation_fault_in_mid_read_costs_core_one_device_for_a_moment(
    tmp_path: Path,
) -> None:
    """Lost once, back once; the card that crashed it is not read again until put in anew."""
    desk = tmp_path / "desk"
    with Watch(desk) as watch:
        watch.wait(DeviceStood("card_slot", True))
        write_desk(desk, ON_CARD, 1, "crash_in_read")
        heard = watch.wait(DeviceStood("card_slot", False, "away"))
        assert CardTrouble("card_unreadable") in heard
        assert watch.worker.health.fault.endswith("ended by SIGSEGV")
        watch.wait(DeviceStood("card_slot", True, ""))
        assert watch.wait(CardTrouble("put_again")) == [CardTrouble("put_again")]
        assert watch.worker.well
        write_desk(desk, OTHER, 2)
        found = watch.wait_for_reading().identity
        assert (found.number, found.credential) == (OTHER.number, Credential.HEALTH_CARD)
    assert [event for event, _ in watch.log] == ["device_back", "device_lost", "device_back"]
