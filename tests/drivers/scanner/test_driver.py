"""The scanner's driver and emulator: armed only while asked, each code once, garbage as a value.

Row 1: one scan window for every code. Row 64: the scanner is armed for the payer's code.
"""

from __future__ import annotations

import pytest

from drivers.deadline import Deadline
from drivers.errors import DeadlineExceeded, DeviceRefused, DriverError
from drivers.identity import DeviceIdentity
from drivers.scanner.codec import Garbage, GarbageReason, Scanned
from drivers.scanner.driver import Nothing, Scanner
from drivers.scanner.emulator import MISBEHAVIOURS, ScannerEmulator
from drivers.scanner.models import GM65, HONEYWELL, MODELS, NEWLAND, PLAIN, ScannerModel
from tests.drivers.cable import Cable, Faults

PAY_CODE = "134512345678901234"


class Desk:
    """A scanner with its driver on a good cable."""

    def __init__(
        self, model: ScannerModel = NEWLAND, *, prefix: bytes = b"", suffix: bytes = b"\r"
    ) -> None:
        self.emulator = ScannerEmulator(model, prefix=prefix, suffix=suffix)
        self.cable = Cable(self.emulator)
        self.scanner = Scanner(self.cable, self.cable.clock, model)

    def poll(self, seconds: float = 0.5) -> Scanned | Nothing | Garbage:
        return self.scanner.poll(Deadline.after(self.cable.clock, seconds))


@pytest.fixture
def desk() -> Desk:
    return Desk()


every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


@every_model
@pytest.mark.parametrize("suffix", [b"\r", b"\n", b"\r\n", b""], ids=["CR", "LF", "CRLF", "pause"])
def test_an_armed_scanner_gives_the_code_shown(model: ScannerModel, suffix: bytes) -> None:
    desk = Desk(model, suffix=suffix)
    desk.scanner.arm()
    assert desk.poll() == Nothing()
    desk.emulator.show(PAY_CODE)
    assert desk.poll() == Scanned(PAY_CODE)
    assert desk.poll() == Nothing()


@every_model
def test_a_code_shown_while_no_screen_asks_is_not_taken(model: ScannerModel) -> None:
    desk = Desk(model)
    desk.emulator.show(PAY_CODE)
    assert desk.poll() == Nothing()
    desk.emulator.hide()
    desk.cable.pass_time(2.0)
    desk.scanner.arm()
    assert desk.poll() == Nothing()


def test_bytes_that_came_before_arming_are_never_a_code(desk: Desk) -> None:
    desk.cable.inject(PAY_CODE.encode() + b"\r")
    desk.scanner.arm()
    assert desk.poll() == Nothing()


def test_after_disarming_nothing_more_is_taken(desk: Desk) -> None:
    desk.scanner.arm()
    desk.cable.inject(b"111\r222\r")
    assert desk.poll() == Scanned("111")
    desk.scanner.disarm()
    assert desk.poll() == Nothing()
    assert not desk.emulator.looking
    desk.scanner.disarm()


def test_a_code_held_before_the_scanner_counts_once(desk: Desk) -> None:
    desk.scanner.arm()
    desk.emulator.show(PAY_CODE, stay=True)
    assert desk.poll() == Scanned(PAY_CODE)
    assert desk.poll(5.0) == Nothing()


def test_the_same_code_counts_again_after_a_second_out_of_sight(desk: Desk) -> None:
    desk.scanner.arm()
    desk.emulator.show(PAY_CODE)
    assert desk.poll() == Scanned(PAY_CODE)
    desk.cable.pass_time(1.1)
    desk.emulator.show(PAY_CODE)
    assert desk.poll() == Scanned(PAY_CODE)


def test_a_code_still_held_does_not_answer_the_next_screen(desk: Desk) -> None:
    desk.scanner.arm()
    desk.emulator.show(PAY_CODE, stay=True)
    assert desk.poll() == Scanned(PAY_CODE)
    desk.scanner.disarm()
    desk.scanner.arm()
    assert desk.poll() == Nothing()


def test_two_different_codes_come_in_order(desk: Desk) -> None:
    desk.scanner.arm()
    desk.cable.inject(b"]Q1111\r\n\x02222\x03\r\n")
    assert [desk.poll(), desk.poll()] == [Scanned("111"), Scanned("222")]


@pytest.mark.parametrize("model", [NEWLAND, GM65, HONEYWELL], ids=lambda model: str(model.name))
def test_a_trigger_that_ran_out_is_pulled_again_while_armed(model: ScannerModel) -> None:
    desk = Desk(model)
    desk.scanner.arm()
    assert desk.poll(60.0) == Nothing()
    assert 60 / model.looks_for_s <= desk.emulator.triggers + 1 <= 60 / model.looks_for_s + 3
    desk.emulator.show(PAY_CODE)
    assert desk.poll() == Scanned(PAY_CODE)


def test_looking_again_and_again_with_no_time_works_as_well(desk: Desk) -> None:
    desk.scanner.arm()
    desk.emulator.show(PAY_CODE)
    outcomes = []
    for _ in range(40):
        desk.cable.pass_time(0.03)
        outcomes.append(desk.poll(0.0))
    assert [one for one in outcomes if one != Nothing()] == [Scanned(PAY_CODE)]


def test_a_gb18030_code_is_read(desk: Desk) -> None:
    desk.scanner.arm()
    desk.emulator.show("健康码：张示例".encode("gb18030"))
    assert desk.poll() == Scanned("健康码：张示例")


def test_a_scanner_with_prefixes_is_read(desk: Desk) -> None:
    desk = Desk(prefix=b"\x02]Q1", suffix=b"\x03\r\n")
    desk.scanner.arm()
    desk.emulator.show(PAY_CODE)
    assert desk.poll() == Scanned(PAY_CODE)


@pytest.mark.parametrize("model", [NEWLAND, GM65], ids=lambda model: str(model.name))
def test_a_scanner_that_confirms_commands_is_known_by_that(model: ScannerModel) -> None:
    assert Desk(model).scanner.probe() == DeviceIdentity("scanner", model.name)


@pytest.mark.parametrize("model", [HONEYWELL, PLAIN], ids=lambda model: str(model.name))
def test_a_scanner_that_confirms_nothing_is_known_by_a_code(model: ScannerModel) -> None:
    desk = Desk(model)
    with pytest.raises(DeadlineExceeded):
        desk.scanner.probe()
    desk.emulator.show("any code")
    assert desk.scanner.probe() == DeviceIdentity("scanner", model.name)


OUTCOMES: dict[str, object] = {
    "silent": DeadlineExceeded,
    "no_reply": DeadlineExceeded,
    "refuses": DeviceRefused,
    "unarmed": Nothing(),
    "double": Scanned(PAY_CODE),
    "half_code": Scanned(PAY_CODE[:9]),
    "endless": Garbage(GarbageReason.TOO_LONG),
    "garbage": Garbage(GarbageReason.NOT_TEXT),
    "control_characters": Garbage(GarbageReason.CONTROL_CHARACTER),
    "two_replies": Scanned(PAY_CODE),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_every_misbehaviour_has_its_meaning_and_is_forgotten_afterwards(
    desk: Desk, name: str
) -> None:
    desk.emulator.misbehave(name)
    desk.emulator.show(PAY_CODE)
    try:
        desk.scanner.arm()
        outcome: object = desk.poll()
    except DriverError as fault:
        outcome = type(fault)
    assert outcome == OUTCOMES[name]
    desk.emulator.behave()
    desk.cable.pass_time(2.0)
    desk.cable.plug()
    scanner = Scanner(desk.cable, desk.cable.clock, NEWLAND)
    scanner.arm()
    desk.emulator.show("the next")
    assert scanner.poll(Deadline.after(desk.cable.clock, 1.0)) == Scanned("the next")


def test_a_babbling_scanner_gives_no_code_and_never_holds_us(desk: Desk) -> None:
    desk.emulator.misbehave("babble")
    desk.scanner.arm()
    for _ in range(20):
        began_s = desk.cable.now_s
        outcome = desk.poll(0.5)
        # Noise may spell a word between two line ends, but never a code of any form we know.
        assert not (isinstance(outcome, Scanned) and len(outcome.text) >= 10)
        assert desk.cable.now_s - began_s <= 0.51
    assert OUTCOMES.keys() | {"babble"} == MISBEHAVIOURS.keys()


def test_a_codes_flood_is_bounded(desk: Desk) -> None:
    desk.scanner.arm()
    desk.cable.inject(b"".join(b"%d\r" % number for number in range(1000)))
    taken = []
    while (outcome := desk.poll(0.0)) != Nothing():
        taken.append(outcome)
    assert len(taken) <= 16
    assert taken[-1] == Scanned("999")


def test_the_emulator_sends_nothing_while_nobody_asks() -> None:
    emulator = ScannerEmulator(NEWLAND)
    emulator.show(PAY_CODE)
    assert b"".join(emulator.tick(now / 10) for now in range(100)) == b""
    assert emulator.code_in_sight


def test_a_code_cut_by_a_dying_cable_is_not_a_shorter_code(desk: Desk) -> None:
    desk.scanner.arm()
    desk.emulator.show(PAY_CODE)
    desk.cable.plug(Faults(die_after_bytes=5))
    with pytest.raises(DriverError):
        desk.poll()
