"""Each device as the engine's port: the real driver, its emulator, a real pseudo-terminal."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC
from queue import Empty, SimpleQueue
from typing import Any

import pytest

from drivers.errors import DeviceAbsent
from drivers.escpos.commands import KIOSK_80
from drivers.escpos.driver import ReceiptPrinter
from drivers.escpos.emulator import ReceiptPrinterEmulator
from drivers.idcard.driver import IdCardReader
from drivers.idcard.emulator import IdCardReaderEmulator
from drivers.pad_ledger import Fate, PadLedger
from drivers.scanner.driver import Scanner
from drivers.scanner.emulator import ScannerEmulator
from drivers.scanner.models import MODELS
from drivers.transports.serial_port import open_serial
from drivers.zvt.driver import serial_pad
from drivers.zvt.emulator import PadEmulator
from kiosk.clock import TerminalClock
from kiosk.devices.code_scanner import ScannerDevice
from kiosk.devices.id_reader import IdReaderDevice
from kiosk.devices.payment_pad import PadDevice
from kiosk.devices.receipt_printer import ReceiptPrinterDevice
from kiosk.domain.identity import Credential
from kiosk.engine.health import Health
from kiosk.engine.workers import DeviceWorker, Stop
from kiosk.flows.effects import (
    CancelPad,
    ChargePad,
    CompletePad,
    PrintSlip,
    RecallPad,
    ReleasePad,
)
from kiosk.flows.events import (
    CardLaid,
    CardRead,
    CardTrouble,
    CodeRejected,
    CodeScanned,
    PadApproved,
    PadCompleted,
    PadDeclined,
    PadRecalled,
    PadReleased,
    PadSilent,
    SlipFailed,
    SlipPrinted,
)
from kiosk.flows.slips import HandOverSlip
from kiosk.paper import write
from kiosk.ports import Device, DeviceFault, DeviceStood, Listen, PadLooked
from tests.drivers.escpos.paper import glyphs
from tests.drivers.idcard.people import RESIDENT
from tests.drivers.pads import MORNING, PAD_KINDS, ZVT_SERIAL, Rig
from tests.drivers.ports import Ports
from tests.flows.people import NOW
from tests.kiosk.test_paper import PAPER

CLOCK = TerminalClock(UTC)
CARDS = Listen(True, "")
CODES = Listen(False, "identity")
NOTHING = Listen(False, "")


# --- the ID card reader --------------------------------------------------------------------------


def reader(ports: Ports, emulator: IdCardReaderEmulator) -> IdReaderDevice:
    port = ports.pty(emulator).path
    device = IdReaderDevice(
        lambda: IdCardReader(open_serial(str(port), 115200, time.monotonic), time.monotonic)
    )
    list(device.open())
    return device


def test_a_card_laid_down_is_read_once(ports: Ports) -> None:
    """Row 20: the card alone; neither address nor photo goes further."""
    emulator = IdCardReaderEmulator()
    device = reader(ports, emulator)
    assert list(device.attend(CARDS)) == []
    emulator.lay(RESIDENT)
    assert list(device.attend(NOTHING)) == [], "no page asked for cards"
    laid, read = device.attend(CARDS)
    assert laid == CardLaid() and isinstance(read, CardRead)
    assert (read.identity.name, read.identity.number) == (RESIDENT.name, RESIDENT.number)
    assert read.identity.credential is Credential.ID_CARD
    assert RESIDENT.address not in repr(vars(read.identity))
    assert list(device.attend(CARDS)) == []


def test_a_card_read_without_its_number_is_laid_down_again(ports: Ports) -> None:
    """The number is the main index (row 2): an empty one is nobody's, and was asked about."""
    emulator = IdCardReaderEmulator()
    device = reader(ports, emulator)
    emulator.lay(replace(RESIDENT, number=""))
    assert list(device.attend(CARDS)) == [CardLaid(), CardTrouble("card_unreadable")]


def test_a_card_lifted_while_it_is_read_is_said_so(ports: Ports) -> None:
    """Card lifted mid-read: put it down again; the next try works."""
    emulator = IdCardReaderEmulator()
    device = reader(ports, emulator)
    emulator.lay(RESIDENT)
    emulator.misbehave("lifted_mid_read")
    told = list(device.attend(CARDS))
    assert told[0] == CardLaid() and isinstance(told[-1], CardTrouble)
    emulator.behave()
    emulator.lift()
    list(device.attend(CARDS))
    emulator.lay(RESIDENT)
    assert isinstance(list(device.attend(CARDS))[-1], CardRead)


def test_a_card_that_cannot_be_read_is_no_sign_of_life_for_ever(ports: Ports) -> None:
    """Left lying on the reader it must not keep a session open: it is said once."""
    emulator = IdCardReaderEmulator()
    device = reader(ports, emulator)
    emulator.lay(RESIDENT)
    emulator.misbehave("card_refused")
    told = [event for _ in range(5) for event in device.attend(CARDS)]
    assert len([event for event in told if isinstance(event, CardTrouble)]) == 1
    assert told.count(CardLaid()) <= 1


def test_a_dead_security_module_is_a_lost_device(ports: Ports) -> None:
    emulator = IdCardReaderEmulator()
    device = reader(ports, emulator)
    emulator.misbehave("dead_sam")
    with pytest.raises(DeviceFault) as lost:
        list(device.attend(CARDS))
    assert lost.value.code == "away"


# --- the scanner ---------------------------------------------------------------------------------


def scanner(ports: Ports, emulator: ScannerEmulator) -> ScannerDevice:
    port = ports.pty(emulator).path
    model = emulator.model
    device = ScannerDevice(
        lambda: Scanner(open_serial(str(port), 9600, time.monotonic), time.monotonic, model)
    )
    list(device.open())
    return device


def newland() -> ScannerEmulator:
    return ScannerEmulator(MODELS["newland"])


def seen(device: ScannerDevice, listen: Listen) -> list[Any]:
    return [event for _ in range(6) for event in device.attend(listen)]


def test_a_code_is_taken_while_a_page_asks_for_one(ports: Ports) -> None:
    emulator = newland()
    device = scanner(ports, emulator)
    emulator.show("134567890123456789")
    assert seen(device, CODES) == [CodeScanned("134567890123456789")]
    assert "134567890123456789" not in repr(CodeScanned("134567890123456789"))


def test_a_scanner_that_sends_unasked_is_not_listened_to(ports: Ports) -> None:
    """Nothing is taken when no screen asks (PROTOCOLS)."""
    emulator = newland()
    emulator.misbehave("unarmed")
    device = scanner(ports, emulator)
    emulator.show("134567890123456789")
    assert seen(device, NOTHING) == []


@pytest.mark.parametrize("misbehaviour", ["garbage", "control_characters", "endless"])
def test_garbage_is_rejected_and_the_next_code_is_read(ports: Ports, misbehaviour: str) -> None:
    """Scanner sending garbage: nothing of it is kept, nothing of it gets through."""
    emulator = newland()
    device = scanner(ports, emulator)
    emulator.misbehave(misbehaviour)
    emulator.show("134567890123456789")
    told = seen(device, CODES)
    assert not any(isinstance(one, CodeScanned) and one.text.isdigit() for one in told)
    for one in told:
        assert isinstance(one, CodeRejected | CodeScanned)
    emulator.behave()
    emulator.show("286543210987654321")
    assert CodeScanned("286543210987654321") in seen(device, CODES)


# --- the receipt printer -------------------------------------------------------------------------

SLIP = PrintSlip("J1", HandOverSlip("8K44", "王*兰", "pay", "3", 4120, "K03-261122-8K42"))


def printer(ports: Ports, emulator: ReceiptPrinterEmulator) -> ReceiptPrinterDevice:
    port = ports.pty(emulator).path

    def connect() -> ReceiptPrinter:
        stream = open_serial(str(port), 115200, time.monotonic)
        return ReceiptPrinter(stream, time.monotonic, emulator.model, glyphs())

    return ReceiptPrinterDevice(
        connect, lambda effect: write(PAPER, effect.slip, effect.language, NOW, effect.copy)
    )


def test_a_slip_is_printed_when_the_printer_has_said_so(ports: Ports) -> None:
    """Row 103: number and reference stand on the paper."""
    emulator = ReceiptPrinterEmulator(glyphs())
    device = printer(ports, emulator)
    list(device.open())
    assert list(device.perform(SLIP)) == [SlipPrinted("J1")]
    [paper] = emulator.slips
    assert "8K44" in repr(paper) and "K03-261122-8K42" in repr(paper)


def test_paper_out_in_the_middle_may_have_printed_and_is_said_so(ports: Ports) -> None:
    """Printer out of paper mid-receipt: failed, maybe printed; the reprint will be marked."""
    emulator = ReceiptPrinterEmulator(glyphs())
    device = printer(ports, emulator)
    list(device.open())
    emulator.rows_left = 4
    told: list[Any] = []
    with pytest.raises(DeviceFault) as lost:
        for event in device.perform(SLIP):
            told.append(event)
    assert lost.value.code == "no_receipt_paper"
    assert told == [SlipFailed("J1", "no_receipt_paper", maybe=True)]
    device.close()
    with pytest.raises(DeviceFault):
        list(device.open())
    device.close()
    emulator.rows_left = None
    list(device.open())
    assert list(device.perform(SLIP)) == [SlipPrinted("J1")]


def test_a_slip_that_nobody_takes_is_drawn_back_in_and_only_that_one(ports: Ports) -> None:
    """RELIABILITY §8, 6: what hangs in the exit names its owner to the next in line."""
    emulator = ReceiptPrinterEmulator(glyphs(), KIOSK_80)
    device = printer(ports, emulator)
    list(device.open())
    list(device.perform(SLIP))
    for _ in range(device.LEFT_FOR):
        list(device.attend(Listen(False, "")))
    assert (emulator.ticket_in_exit, emulator.retracted) == (True, 0)
    list(device.attend(Listen(False, "")))
    assert (emulator.ticket_in_exit, emulator.retracted) == (False, 1)
    list(device.perform(SLIP))
    emulator.ticket_in_exit = False  # pulled out
    for _ in range(device.LEFT_FOR + 2):
        list(device.attend(Listen(False, "")))
    assert emulator.retracted == 1


def test_without_a_printer_a_slip_has_certainly_not_been_printed() -> None:
    device = ReceiptPrinterDevice(lambda: pytest.fail("never"), lambda effect: pytest.fail("x"))
    assert device.absent(SLIP) == (SlipFailed("J1", "receipt_printer_away"),)


# --- the payment pad -----------------------------------------------------------------------------


def pad_on(rig: Rig, said: list[Any]) -> PadDevice:
    def connect() -> Any:
        rig.connect()
        return rig.pad

    device = PadDevice(connect, rig.cable.clock, said.append)
    said += device.open()
    return device


def done(device: PadDevice, effect: Any) -> list[Any]:
    """What was said, up to the fault that dropped the line, if there was one."""
    said: list[Any] = []
    try:
        for event in device.perform(effect):
            said.append(event)
    except DeviceFault:
        device.close()
    return said


def marks(said: list[Any]) -> list[str]:
    return [one.mark for one in said if isinstance(one, PadLooked)]


def test_a_charge_is_held_then_completed_and_the_ledger_has_one() -> None:
    rig, said = Rig(ZVT_SERIAL), []
    device = pad_on(rig, said)
    rig.hands.present_card()
    approved = done(device, ChargePad("R-1", 1250))[-1]
    assert isinstance(approved, PadApproved) and approved.amount_fen == 1250
    assert "1234" not in approved.evidence, "never a card number"
    assert rig.newest().fate is Fate.HELD
    assert done(device, CompletePad("R-1")) == [PadCompleted("R-1")]
    assert [entry.fate for entry in rig.hands.ledger.entries] == [Fate.COMPLETED]


def test_a_held_charge_is_given_back_on_our_word() -> None:
    rig, said = Rig(ZVT_SERIAL), []
    device = pad_on(rig, said)
    rig.hands.present_card()
    done(device, ChargePad("R-1", 1250))
    assert done(device, ReleasePad("R-1")) == [PadReleased("R-1")]
    assert rig.newest().fate is Fate.REVERSED


def test_a_declined_card_has_taken_nothing() -> None:
    rig, said = Rig(ZVT_SERIAL), []
    device = pad_on(rig, said)
    rig.hands.decline()
    rig.hands.present_card()
    assert isinstance(done(device, ChargePad("R-1", 1250))[-1], PadDeclined)
    assert rig.hands.ledger.standing_fen() == 0


def test_a_pad_silent_after_a_real_charge_is_found_out_by_asking() -> None:
    """Pad silent after a real charge: UNKNOWN, then the pad's own ledger shows one charge."""
    rig, said = Rig(ZVT_SERIAL), []
    rig.pay_before()
    device = pad_on(rig, said)
    rig.hands.present_card()
    rig.hands.misbehave("silent_after_charge")  # type: ignore[attr-defined]
    assert done(device, ChargePad("R-1", 1250))[-1] == PadSilent("R-1")
    rig.hands.wake()
    said.clear()
    said += device.open()
    told = done(device, RecallPad("R-1", 1250, MORNING, f"/{rig.trace_before}"))
    assert isinstance(told[-1], PadRecalled) and told[-1].found in ("completed", "held")
    assert len(rig.hands.ledger.entries) == 2, "the one before, and this one"


def test_a_pad_that_did_not_charge_says_so_when_it_is_asked() -> None:
    rig, said = Rig(ZVT_SERIAL), []
    rig.pay_before()
    device = pad_on(rig, said)
    mark = marks(said)[-1]
    rig.hands.misbehave("silent_before_charge")  # type: ignore[attr-defined]
    assert done(device, ChargePad("R-1", 1250))[-1] == PadSilent("R-1")
    rig.hands.wake()
    list(device.open())
    [*_, told] = done(device, RecallPad("R-1", 1250, MORNING, mark))
    assert told == PadRecalled("R-1", "none", 700, told.evidence)


def test_an_inquiry_moves_the_mark_for_the_next_payment() -> None:
    """A charge that ended while core was away must not be taken for the next person's."""
    rig, said = Rig(ZVT_SERIAL), []
    rig.pay_before()
    device = pad_on(rig, said)
    before = marks(said)[-1]
    rig.hands.present_card()
    rig.hands.misbehave("silent_after_charge")  # type: ignore[attr-defined]
    done(device, ChargePad("R-1", 1250))
    rig.hands.wake()
    list(device.open())
    told = done(device, RecallPad("R-1", 1250, MORNING, before))
    assert marks(told) and marks(told)[-1] != before
    [*_, again] = done(device, RecallPad("R-2", 1250, MORNING, marks(told)[-1]))
    assert again.found in ("none", "unclear"), "that was R-1's charge"


def test_a_person_who_turns_away_before_the_pad_was_told_is_heard() -> None:
    rig, said = Rig(ZVT_SERIAL), []
    device = pad_on(rig, said)
    rig.hands.present_card()
    assert device.interrupt(CancelPad("R-1"))
    assert done(device, ChargePad("R-1", 1250)) == [PadDeclined("R-1", "cancelled_at_pad")]
    assert rig.hands.ledger.entries == ()
    assert isinstance(done(device, ChargePad("R-2", 1250))[-1], PadApproved)


@pytest.mark.parametrize("kind", PAD_KINDS, ids=lambda kind: kind.name)
def test_a_pad_that_is_not_there_has_certainly_charged_nothing(kind: Any) -> None:
    device = PadDevice(lambda: pytest.fail("never"), time.monotonic, lambda told: None)
    assert device.absent(ChargePad("R-1", 1250)) == (PadDeclined("R-1", "pad_away"),)


# --- a whole worker ------------------------------------------------------------------------------


def test_a_worker_carries_orders_to_a_real_pad_and_answers_for_one_that_is_gone(
    ports: Ports,
) -> None:
    """Connect, look, charge; lost and back are said once each; P9."""
    emulator = PadEmulator(PadLedger(), lambda: MORNING)
    host = ports.pty(emulator)
    told: SimpleQueue[Any] = SimpleQueue()
    gone = threading.Event()

    def connect() -> Any:
        if gone.is_set():
            raise DeviceAbsent("unplugged")
        return serial_pad(
            open_serial(str(host.path), 9600, time.monotonic, stopbits=2), time.monotonic
        )

    stop = Stop()
    pad: Device = PadDevice(connect, time.monotonic, told.put)
    worker = DeviceWorker(pad, told.put, stop, lambda *words, **more: None, Health(CLOCK))
    worker.start()
    try:
        assert heard(told, DeviceStood) == DeviceStood("pad", True)
        emulator.present_card()
        worker.order(ChargePad("R-1", 1250))
        assert heard(told, PadApproved).reference == "R-1"
        worker.order(CompletePad("R-1"))
        assert heard(told, PadCompleted) == PadCompleted("R-1")
        gone.set()
        emulator.power_cut()
        worker.order(RecallPad("R-1", 1250, MORNING))
        assert heard(told, DeviceStood) == DeviceStood("pad", False, "away")
        worker.order(ChargePad("R-2", 1250))
        assert heard(told, PadDeclined) == PadDeclined("R-2", "pad_away")
    finally:
        stop.set()
        worker.join(10)


def heard(told: SimpleQueue[Any], kind: type) -> Any:
    """The next event of this kind."""
    until_s = time.monotonic() + 20
    while time.monotonic() < until_s:
        try:
            event = told.get(timeout=1)
        except Empty:
            continue
        if isinstance(event, kind):
            return event
    raise AssertionError(f"no {kind.__name__}")
