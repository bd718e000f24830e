"""Our cards in Debian's virtual reader behind a real pcscd; Debian's own tools are the judges."""

from __future__ import annotations

import os
import subprocess
import threading

import pytest

from drivers.errors import (
    CardMute,
    CardRemoved,
    CardReset,
    DeadlineExceeded,
    DeviceAbsent,
    DeviceBusy,
    DeviceLost,
)
from drivers.hosts.pcsc_daemon import READER
from drivers.idcard.driver import CardAbsent as NoIdCard
from drivers.idcard.driver import CardPresent, CardRead
from drivers.idcard_pcsc.driver import PcscIdCardReader
from drivers.idcard_pcsc.emulator import PcscIdCardEmulator
from drivers.pcsc.port import CardPutIn, CardTakenOut, SlotUnchanged
from drivers.pcsc.service import PcscPort
from drivers.socialcard.driver import CardAbsent, SocialCardRead, SocialCardReader
from drivers.socialcard.emulator import ATR, CardModel, SocialCardEmulator
from tests.drivers.idcard.people import RARE as RARE_ID
from tests.drivers.pcsc_desk import CLOCK, NAMES, SEEN_S, Desk, within
from tests.drivers.socialcard.people import RARE, WANG

NAME = NAMES[0]


def social_reader(desk: Desk) -> SocialCardReader:
    return SocialCardReader(desk.open(), CLOCK)


def test_the_readers_are_found_by_their_name_or_not_at_all(desk: Desk) -> None:
    assert desk.ports.names() == (NAME, f"{READER} 00 01")
    assert desk.open().name == NAME
    with pytest.raises(DeviceAbsent, match="no reader Another"):
        desk.ports.open("Another")
    with pytest.raises(Exception, match="2 readers begin with"):
        desk.ports.open(READER)


def test_a_card_is_put_in_read_pulled_in_mid_read_and_read_again(desk: Desk) -> None:
    reader, card = social_reader(desk), SocialCardEmulator(RARE)
    assert (reader.look(), reader.read_card()) == (SlotUnchanged(), CardAbsent())
    host = desk.put(card)
    assert reader.look(SEEN_S) == CardPutIn()
    assert reader.read_card() == SocialCardRead(RARE)

    at_the_name = threading.Event()

    def fall_silent(command: bytes) -> None:
        if command[1:3] == b"\xb2\x09" and not at_the_name.is_set():
            card.misbehave("silent")  # the card is out before its answer is
            at_the_name.set()

    card.before_answer = fall_silent
    puller = threading.Thread(target=lambda: at_the_name.wait(SEEN_S) and host.unplug())
    puller.start()
    with pytest.raises(CardRemoved):
        reader.read_card()
    puller.join()
    assert reader.look(SEEN_S) == CardTakenOut()
    card.behave()
    host.plug()
    assert reader.look(SEEN_S) == CardPutIn()
    assert reader.read_card() == SocialCardRead(RARE)


def test_an_id_card_over_pcsc_is_told_once_for_each_time_it_is_put(desk: Desk) -> None:
    reader = PcscIdCardReader(desk.open(), CLOCK)
    desk.put(PcscIdCardEmulator(RARE_ID))
    assert reader.find(SEEN_S) == CardPresent()
    assert reader.read_card() == CardRead(RARE_ID)
    assert reader.find(0.0) == NoIdCard(maybe_still_lying=True)


def test_a_card_that_says_nothing_ends_by_the_deadline_and_piles_up_no_threads(desk: Desk) -> None:
    card = SocialCardEmulator(WANG)
    port = desk.open()
    reader = SocialCardReader(port, CLOCK)
    host = desk.put(card)
    assert reader.look(SEEN_S) == CardPutIn()
    card.misbehave("silent")
    began_s = CLOCK()
    with pytest.raises(DeadlineExceeded):
        reader.read_card(0.3)
    assert CLOCK() - began_s < 0.6
    threads = threading.active_count()
    for _ in range(3):
        with pytest.raises(DeviceBusy):
            desk.open()
    with pytest.raises(DeviceLost):
        reader.look()
    assert threading.active_count() == threads
    reader.close()
    host.unplug()
    assert wait_for(lambda: isinstance(opened(desk), PcscPort))


def opened(desk: Desk) -> object:
    try:
        return desk.open()
    except DeviceBusy as busy:
        return busy


def wait_for(there: object) -> bool:
    assert callable(there)
    deadline = within(SEEN_S)
    while not there() and deadline.remaining_s() > 0:
        threading.Event().wait(0.02)
    return bool(there())


def test_a_card_the_wrong_way_round_is_mute_and_no_social_card(desk: Desk) -> None:
    class Mute(SocialCardEmulator):
        atr = b"\x00"  # no answer to reset that any card gives

    reader = social_reader(desk)
    desk.put(Mute(WANG))
    assert reader.look(SEEN_S) == CardPutIn()
    with pytest.raises(CardMute):
        reader.read_card()


def test_a_card_that_another_program_resets_is_told_and_read_again(desk: Desk) -> None:
    port, other = desk.open(), desk.open()
    reader = SocialCardReader(port, CLOCK)
    desk.put(SocialCardEmulator(WANG))
    assert reader.look(SEEN_S) == CardPutIn()
    port.connect(within(1.0))
    other.connect(within(1.0))
    other.disconnect()  # our way of leaving a card is to reset it
    with pytest.raises(CardReset):
        port.transmit(bytes.fromhex("00A4020002EF06"), within(1.0))
    assert reader.read_card() == SocialCardRead(WANG)


def test_pcscd_that_ends_is_a_lost_reader_and_one_that_is_back_is_looked_at_anew(
    desk: Desk,
) -> None:
    reader = social_reader(desk)
    desk.pcscd.stop()
    with pytest.raises(DeviceLost):
        reader.look(0.5)
    reader.close()
    with pytest.raises(DeviceAbsent, match="pcscd is not running"):
        social_reader(desk)
    desk.pcscd.start()
    again = social_reader(desk)
    desk.put(SocialCardEmulator(WANG, CardModel(by_tag=False)))
    assert again.look(SEEN_S) == CardPutIn()
    assert again.read_card() == SocialCardRead(WANG)


def test_debians_own_tools_see_the_card_and_read_its_name(desk: Desk) -> None:
    reader = social_reader(desk)
    desk.put(SocialCardEmulator(WANG))
    assert reader.look(SEEN_S) == CardPutIn()
    reader.close()
    seen = run("pcsc_scan", "-c", "-q")
    assert ATR.hex().upper() in seen.upper().replace(" ", "")
    said = run(
        *("scriptor", "-r", NAME, "-p", "T=0"),
        typed=[
            "00 A4 04 00 0F 73 78 31 2E 73 68 2E C9 E7 BB E1 B1 A3 D5 CF",
            "00 C0 00 00 13",
            "00 A4 00 00 02 EF 06",
            "00 B2 09 00 20",
            "00 B2 08 00 00",
        ],
    )
    answers = "".join(said.split())
    assert "<6113" in answers and "<6C14" in answers
    assert "091ECDF5B2E2CAD4" in answers


def test_opensc_knows_no_such_card_and_yet_reads_the_name_off_it(desk: Desk) -> None:
    reader = social_reader(desk)
    desk.put(SocialCardEmulator(WANG))
    assert reader.look(SEEN_S) == CardPutIn()
    reader.close()
    ask = ("opensc-tool", "--reader", NAME, "--card-driver", "default")
    assert ATR.hex(":") in run(*ask, "--atr").lower()
    commands = ("00A404000F7378312E73682EC9E7BBE1B1A3D5CF", "00A4000002EF06", "00B2090020")
    said = run(*ask, *(word for command in commands for word in ("--send-apdu", command)))
    assert said.count("SW1=0x90, SW2=0x00") == len(commands)
    assert "王测试".encode("gb18030").hex(" ").upper() in said


def run(*command: str, typed: list[str] | None = None) -> str:
    """A Debian tool's whole output."""
    done = subprocess.run(
        command,
        input="".join(line + "\n" for line in typed or []),
        capture_output=True,
        text=True,
        timeout=20,
        env={**os.environ, "LANG": "C.UTF-8"},
        check=False,
    )
    return done.stdout + done.stderr
