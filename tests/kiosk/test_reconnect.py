"""Every driver under the one worker: lost is logged once, back once, and back means looked at.

The worker, the port and the driver are the real ones. While a device is away an order is given; a
mute one is plugged in first, and what it hears may be the driver's harmless question only.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from drivers.escpos.commands import GENERIC_80
from drivers.escpos.driver import ReceiptPrinter
from drivers.hosts.pcsc_daemon import READER, PcscDaemon
from drivers.ipp.driver import A4Printer
from drivers.plugin.driver import Plugin
from drivers.transports.any_port import open_port
from kiosk.clock import TerminalClock
from kiosk.devices.card_slot import CardSlotDevice
from kiosk.devices.cash_box import CashBoxDevice
from kiosk.devices.code_scanner import ScannerDevice
from kiosk.devices.id_reader import IdReaderDevice
from kiosk.devices.payment_pad import PadDevice
from kiosk.devices.receipt_printer import ReceiptPrinterDevice
from kiosk.devices.report_printer import ReportPrinterDevice
from kiosk.domain.document import Slip
from kiosk.engine.health import Health
from kiosk.engine.workers import DeviceWorker, Stop
from kiosk.flows.effects import AcceptCash, ChargePad, Effect, PrintReport, PrintSlip
from kiosk.flows.events import CashStopped, PadDeclined, ReportFailed, SlipFailed
from kiosk.flows.slips import HandOverSlip
from kiosk.openers import (
    card_slot_opener,
    id_reader_opener,
    open_cash_box,
    open_pad,
    open_scanner,
)
from kiosk.ports import DeviceStood, Listen
from kiosk.profile import CardSlotPart, CashBoxPart, IdReaderPart, PaymentPadPart, ScannerPart
from tests.drivers.escpos.paper import glyphs
from tests.failures.hotplug.ports import Kind, Sockets
from tests.failures.test_hotplug import KINDS

CLOCK = TerminalClock(ZoneInfo("Asia/Shanghai"))
NOW = time.monotonic
SOON_S = 20.0
SLIP = PrintSlip("J1", HandOverSlip("8K44", "王*兰", "pay", "3", 4120, "K03-261122-8K42"))


@dataclass(frozen=True)
class Served:
    """A driver's port as core makes it. `look`: all that may be said before anything is heard;
    `order` is given while the device is away, and told as `refused`."""

    device: Callable[[str], Any]
    look: bytes = b""
    order: Effect | None = None
    refused: type = object


def _brisk(device: Any, **pace: float) -> Any:
    """The same device, without its pauses between two looks."""
    for name, value in ({"pause_s": 0.02} | pace).items():
        setattr(device, name, value)
    return device


def _scanner(**part: Any) -> Callable[[str], Any]:
    def device(name: str) -> ScannerDevice:
        address = name.replace("tcp://", "http://")
        return ScannerDevice(lambda: open_scanner(ScannerPart(port=address, **part), NOW))

    return device


def _printer(name: str) -> Any:
    def connect() -> ReceiptPrinter:
        return ReceiptPrinter(open_port(name, 115200, NOW), NOW, GENERIC_80, glyphs())

    return _brisk(ReceiptPrinterDevice(connect, lambda effect: Slip("J1", ())))


def _a4(name: str) -> Any:
    uri = f"{name.replace('tcp://', 'ipp://')}/ipp/print"
    return _brisk(ReportPrinterDevice(lambda: A4Printer(uri, NOW)), LOOK_EVERY=1)


def _pad(kind: Any) -> Callable[[str], Any]:
    def device(name: str) -> Any:
        part = PaymentPadPart(kind=kind, link="serial", port=name)
        pad = PadDevice(lambda: open_pad(part, NOW, lambda below: 7), NOW, lambda told: None)
        return _brisk(pad, LOOK_EVERY=1)

    return device


def _cash_box(name: str) -> Any:
    part = CashBoxPart(port=name)
    box = CashBoxDevice(lambda mark, note: open_cash_box(part, NOW, mark, note), NOW)
    return _brisk(box, IDLE_S=0.0)


CHARGE = ChargePad("R-1", 1250)
MISPOS_SIGN_IN = rb"(?s)\x02\x00\x23\xdf\x01\x01\x00\xdf\x04\x02..\xdf\x02\x01\x05.+\x03."
UNIONPAY_SIGN_IN = rb"(?s)UMSR\x04G {16}06000000000000 +.+"
"""Neither has a question that is only one: signing in moves no money and ends no day."""

SERVED: dict[str, Served] = {
    "idcard": Served(
        lambda name: _brisk(IdReaderDevice(id_reader_opener(IdReaderPart(port=name), NOW))),
        rb"\xaa\xaa\xaa\x96\x69\x00\x03\x11\xff\xed",
    ),
    "plugin": Served(
        lambda name: CardSlotDevice(lambda: Plugin(open_port(name, 115200, NOW), NOW)),
        rb'\{"id":\d+,"ask":"hello".*\}\n',
    ),
    "scanner": Served(_scanner(model="newland"), rb"~\x010000#SCNTRG0;\x03"),
    "wedge": Served(_scanner(kind="wedge")),
    "camera": Served(_scanner(kind="camera"), rb"GET / HTTP/1\.1\r\n(.+\r\n)+\r\n"),
    "escpos": Served(_printer, rb"\x10\x04[\x01-\x04]", SLIP, SlipFailed),
    "ipp": Served(
        _a4,
        rb"(?s)POST /ipp/print HTTP/1\.1\r\n.+\x00\x0b\x00\x00\x00\x01.+",
        PrintReport("J1", "report", b"%PDF-1.4"),
        ReportFailed,
    ),
    "zvt": Served(
        _pad("zvt"), rb"\x10\x02\x05\x01\x03\x12\x34\x56\x10\x03\xe0\x43", CHARGE, PadDeclined
    ),
    "mispos": Served(_pad("mispos"), MISPOS_SIGN_IN, CHARGE, PadDeclined),
    "unionpay": Served(_pad("unionpay"), UNIONPAY_SIGN_IN, CHARGE, PadDeclined),
    "cashbox": Served(
        _cash_box, rb"\x28\x01\x01\xe4\x00\xf2", AcceptCash("R-1", 1250), CashStopped
    ),
}


class Ear:
    """A device that can be struck dumb; what it hears is kept."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.mute, self.heard = inner, False, bytearray()

    def connected(self) -> None:
        if hasattr(self.inner, "connected"):
            self.inner.connected()

    def receive(self, data: bytes) -> bytes:
        self.heard += data
        return b"" if self.mute else bytes(self.inner.receive(data))

    def tick(self, now_s: float) -> bytes:
        said = bytes(self.inner.tick(now_s))
        return b"" if self.mute else said


@dataclass
class Watched:
    """A worker, and all that is told and logged of its device."""

    device: Any
    told: SimpleQueue[Any] = field(default_factory=SimpleQueue)
    logged: list[str] = field(default_factory=list)
    stop: Stop = field(default_factory=Stop)

    def __post_init__(self) -> None:
        def log(event: str, **_fields: object) -> None:
            self.logged.append(event)

        self.worker = DeviceWorker(self.device, self.told.put, self.stop, log, Health(CLOCK))
        self.worker.listen(Listen(True, ""))
        self.worker.start()

    def until(self, true: Callable[[], object], what: str) -> None:
        until_s, rest = NOW() + SOON_S, threading.Event()
        while not true():
            assert NOW() < until_s, f"waited {SOON_S} s for {what}: {self.worker.health}"
            self.worker.look_now()
            rest.wait(0.03)

    def until_well(self) -> None:
        self.until(lambda: self.worker.health.standing == "well", "it to be well")

    def until_lost(self) -> None:
        """And sought for some time: one loss, several tries."""
        self.until(lambda: self.worker.health.tries >= 3, "three tries")

    def heard_of(self) -> list[Any]:
        return [self.told.get() for _ in range(self.told.qsize())]

    def end(self) -> None:
        self.stop.set()
        self.worker.join(SOON_S)


def story(driver: str, folder: Path) -> str:
    """Lost, ordered, mute, back; empty: all was as it must be, else what was not."""
    served, kind = SERVED[driver], KINDS[driver]
    with ExitStack() as stack:
        sockets = Sockets(folder, stack, _at_wall_speed(kind))
        ear = Ear(kind.make())
        host = sockets.plug(0, ear)
        watched = Watched(served.device(sockets.name(0)))
        stack.callback(watched.end)
        watched.until_well()
        host.unplug()
        watched.until_lost()
        if served.order is not None:
            watched.worker.order(served.order)
        ear.mute = True
        ear.heard.clear()
        host.plug()
        if served.look:
            watched.until(lambda: ear.heard, "its question")
            said = bytes(ear.heard)
            assert re.fullmatch(served.look, said), f"{driver} said {said!r} before it looked"
            assert watched.logged == ["device_back", "device_lost"], "mute, and well"
        host.unplug()
        ear.mute = False
        host.plug()
        watched.until_well()
        assert watched.logged == ["device_back", "device_lost", "device_back"]
        told = watched.heard_of()
        assert [one.well for one in told if isinstance(one, DeviceStood)] == [True, False, True]
        refused = [one for one in told if isinstance(one, served.refused)]
        assert served.order is None or len(refused) == 1, "an order while away is told as not done"
    return ""


def _at_wall_speed(kind: Kind) -> Kind:
    return replace(kind, clock=NOW)


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[str]]]:
    """Beside each other: they mostly wait."""
    with ThreadPoolExecutor(len(SERVED)) as pool:
        yield {name: pool.submit(story, name, tmp_path_factory.mktemp(name)) for name in SERVED}


@pytest.mark.parametrize("driver", SERVED)
def test_lost_is_logged_once_back_once_and_back_means_looked_at(
    driver: str, stories: dict[str, Future[str]]
) -> None:
    assert stories[driver].result() == ""


SLOTS: dict[str, Callable[[], Any]] = {
    "idcard_pcsc": lambda: IdReaderDevice(
        id_reader_opener(IdReaderPart(kind="pcsc", reader=f"{READER} 00 00"), NOW)
    ),
    "socialcard": lambda: CardSlotDevice(
        card_slot_opener(CardSlotPart(kind="social_card", reader=f"{READER} 00 00"), NOW)
    ),
}


@pytest.mark.parametrize("driver", SLOTS)
def test_a_reader_of_pcscds_is_lost_once_back_once_and_known_by_its_name(
    driver: str, pcscd: PcscDaemon
) -> None:
    watched = Watched(_brisk(SLOTS[driver]()))
    try:
        watched.until_well()
        pcscd.stop()
        watched.until_lost()
        pcscd.readers = ("Another Reader",)
        pcscd.start()
        tries = watched.worker.health.tries
        watched.until(lambda: watched.worker.health.tries > tries + 1, "tries beside another")
        assert watched.logged == ["device_back", "device_lost"]
        pcscd.stop()
        pcscd.readers = (READER,)
        pcscd.start()
        watched.until_well()
        assert watched.logged == ["device_back", "device_lost", "device_back"]
        stood = [one.well for one in watched.heard_of() if isinstance(one, DeviceStood)]
        assert stood == [True, False, True]
    finally:
        watched.end()
        pcscd.stop()
        pcscd.readers = (READER,)
        pcscd.start()
