"""Devices on whichever port they answer: asked harmlessly, found again after renumbering."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from drivers.deadline import Deadline
from drivers.errors import DeadlineExceeded, DeviceAbsent, DeviceBusy, DeviceLost
from drivers.escpos.driver import ReceiptPrinter
from drivers.escpos.emulator import ReceiptPrinterEmulator
from drivers.finding.finder import Answering, Look, PortFinder, ports_like
from drivers.finding.names import stable_name
from drivers.hosts.pty_host import PtyHost
from drivers.idcard.driver import IdCardReader
from drivers.idcard.emulator import IdCardReaderEmulator
from drivers.identity import DeviceIdentity
from drivers.pad_ledger import PadLedger
from drivers.scanner.driver import Scanner
from drivers.scanner.emulator import ScannerEmulator
from drivers.scanner.models import NEWLAND
from drivers.transport import ByteStream, Emulator
from drivers.transports.any_port import open_port
from drivers.transports.descriptor import DescriptorStream
from drivers.zvt.driver import serial_pad
from drivers.zvt.emulator import PadEmulator
from tests.drivers.escpos.paper import glyphs
from tests.drivers.pads import MORNING

CLOCK = time.monotonic
LOOKS = (
    Look("printer", lambda stream: ReceiptPrinter(stream, CLOCK).probe(0.6)),
    Look("scanner", lambda stream: Scanner(stream, CLOCK, NEWLAND).probe(0.3), 9600),
    Look("reader", lambda stream: IdCardReader(stream, CLOCK).probe(0.3)),
    Look("pad", lambda stream: serial_pad(stream, CLOCK).probe(1.0), 9600, stopbits=2),
)


class Sockets:
    """USB serial sockets 0 to 9 of one machine: what is plugged into each."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack

    def name(self, number: int) -> str:
        return str(self._folder / f"ttyUSB{number}")

    def plug(self, number: int, emulator: Emulator) -> PtyHost[Emulator]:
        host = PtyHost(emulator, CLOCK, link=self.name(number))
        self._stack.enter_context(host)
        return host

    def finder(self, *names: str) -> PortFinder:
        """For all devices, or for these."""
        pattern = str(self._folder / "ttyUSB*")
        looks = [look for look in LOOKS if not names or look.name in names]
        return PortFinder(lambda: ports_like([pattern]), looks, CLOCK)


@pytest.fixture
def sockets(tmp_path: Path) -> Iterator[Sockets]:
    with ExitStack() as stack:
        yield Sockets(tmp_path, stack)


def test_each_device_is_found_where_it_answers_and_no_paper_or_money_moves(
    sockets: Sockets,
) -> None:
    printer = ReceiptPrinterEmulator(glyphs())  # strict: what no manual explains would raise
    pad, reader = PadEmulator(PadLedger(), lambda: MORNING), IdCardReaderEmulator()
    order: dict[str, Emulator] = {
        "pad": pad,
        "reader": reader,
        "printer": printer,
        "scanner": ScannerEmulator(NEWLAND),
    }
    for number, emulator in enumerate(order.values()):
        sockets.plug(number, emulator)
    finder = sockets.finder()
    found = {name: finder.port_of(name) for name in ("reader", "printer", "scanner", "pad")}
    assert found == {name: sockets.name(number) for number, name in enumerate(order)}
    assert printer.slips == [] and printer.standing == () and printer.refused == []
    assert pad.ledger.entries == () and pad.refusals == []
    assert reader.reads == 0


def test_a_device_is_found_again_when_the_sockets_have_other_numbers(sockets: Sockets) -> None:
    reader, scanner = IdCardReaderEmulator(), ScannerEmulator(NEWLAND)
    hosts = sockets.plug(0, reader), sockets.plug(1, scanner)
    finder = sockets.finder("reader", "scanner")
    assert (finder.port_of("reader"), finder.port_of("scanner")) == (
        sockets.name(0),
        sockets.name(1),
    )
    for host in hosts:
        host.stop()
    sockets.plug(1, reader)
    sockets.plug(0, scanner)
    # Each worker has lost its own and asks for it; the other's old claim is no obstacle for long.
    with_patience: dict[str, str] = {}
    for name in ("reader", "scanner", "reader"):
        try:
            with_patience[name] = finder.port_of(name)
        except DeviceAbsent:
            continue
    assert with_patience == {"reader": sockets.name(1), "scanner": sockets.name(0)}


def test_a_port_that_has_answered_is_not_asked_for_another_device(sockets: Sockets) -> None:
    """Unless its own worker comes back: a printer must never hear a card reader's request."""
    printer = ReceiptPrinterEmulator(glyphs())
    sockets.plug(0, printer)
    finder = sockets.finder("printer", "reader")
    assert finder.port_of("printer") == sockets.name(0)
    for _ in range(2):
        with pytest.raises(DeviceAbsent):
            finder.port_of("reader")
    assert printer.standing == () and printer.refused == []


def test_a_port_in_use_is_not_disturbed_and_a_mute_one_holds_nobody_up(sockets: Sockets) -> None:
    class Counted(IdCardReaderEmulator):
        heard = 0

        def receive(self, data: bytes) -> bytes:
            self.heard += len(data)
            return super().receive(data)

    used, mute = Counted(), IdCardReaderEmulator()
    mute.misbehave("silent")
    sockets.plug(0, used)
    sockets.plug(1, mute)
    sockets.plug(2, ScannerEmulator(NEWLAND))
    held = open_port(sockets.name(0), 115200, CLOCK)
    begun_s = CLOCK()
    finder = sockets.finder("scanner", "reader")
    assert finder.port_of("scanner") == sockets.name(2)
    assert CLOCK() - begun_s < 5.0
    assert used.heard == 0
    held.close()


def test_with_no_port_at_all_the_device_is_absent(sockets: Sockets) -> None:
    with pytest.raises(DeviceAbsent, match="no port answers as reader"):
        sockets.finder("reader").port_of("reader")


# --- two devices of one kind ---------------------------------------------------------------------


class TwoReaders(Sockets):
    """Two ID card readers, and udev's names of their ports, by who or by where they are."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        super().__init__(folder, stack)
        (folder / "by-id").mkdir()
        self.readers = IdCardReaderEmulator(), IdCardReaderEmulator()
        self.hosts: list[PtyHost[Emulator]] = []

    def plug_in(self, *sockets: int) -> None:
        """The n-th reader into the n-th of these sockets; -1: not at all."""
        for host in self.hosts:
            host.stop()
        self.hosts = [
            self.plug(socket, reader)
            for socket, reader in zip(sockets, self.readers, strict=True)
            if socket >= 0
        ]

    def by_name(self, *names: str) -> None:
        """What udev calls the sockets 0, 1, …"""
        for link in (self._folder / "by-id").iterdir():
            link.unlink()
        for number, name in enumerate(names):
            (self._folder / "by-id" / name).symlink_to(self.name(number))

    def link(self, name: str) -> str:
        return str(self._folder / "by-id" / name)

    def name_of(self, port: str) -> str:
        return stable_name(port, [self._folder / "by-id"])


@pytest.fixture
def two(tmp_path: Path) -> Iterator[TwoReaders]:
    with ExitStack() as stack:
        yield TwoReaders(tmp_path, stack)


def finder_of(two: TwoReaders) -> PortFinder:
    def ask(stream: ByteStream) -> DeviceIdentity:
        IdCardReader(stream, CLOCK).probe(0.2)
        return DeviceIdentity("idcard", "")  # one that has no number of its own

    pattern = str(Path(two.name(0)).parent / "ttyUSB*")
    looks = [Look("reader", ask)]
    return PortFinder(lambda: ports_like([pattern]), looks, CLOCK, two.name_of)


def test_of_two_alike_the_first_keeps_its_place_over_a_replug(two: TwoReaders) -> None:
    two.plug_in(0, 1)
    two.by_name("A", "B")
    finder = finder_of(two)
    assert finder.port_of("reader") == two.name(0)
    assert [one.name for one in finder.alike("reader")] == [two.link("B")]
    assert finder.are_told_apart("reader")
    two.plug_in(1, 0)  # the kernel numbers them the other way round
    two.by_name("B", "A")
    assert finder.port_of("reader") == two.name(1), "the same reader, not the same number"
    two.plug_in(-1, 0)
    two.by_name("B")
    with pytest.raises(DeviceAbsent, match=r"by-id/B does, and is another device"):
        finder.port_of("reader")


def test_two_alike_that_nothing_tells_apart_are_said_to_be_so(two: TwoReaders) -> None:
    """Without serial numbers one by-id link serves both: the other's port has no name."""
    two.plug_in(0, 1)
    two.by_name("unused", "A")
    Path(two.link("unused")).unlink()
    finder = finder_of(two)
    assert finder.port_of("reader") == two.name(0)
    assert [one.path for one in finder.alike("reader")] == [two.name(1)]
    assert not finder.are_told_apart("reader")


def test_a_replacement_is_taken_and_its_own_number_tells_it_from_its_like(two: TwoReaders) -> None:
    """A broken reader is changed for another: nobody has seen both at once."""
    two.plug_in(0, -1)
    two.by_name("A")
    finder = finder_of(two)
    assert finder.port_of("reader") == two.name(0)
    two.plug_in(-1, 0)
    two.by_name("B")
    assert finder.port_of("reader") == two.name(0)
    assert Answering("p", "A", "1").is_same(Answering("q", "A", "2")) is False
    assert Answering("p", "A", "1").is_same(Answering("q", "B", "1")) is True
    assert Answering("p").is_same(Answering("q", "B", "1")) is None


def test_a_port_without_udev_has_no_lasting_name(tmp_path: Path) -> None:
    assert stable_name(str(tmp_path / "ttyUSB0"), [tmp_path / "none"]) == ""
    assert stable_name(str(tmp_path / "by-id" / "A"), [tmp_path / "by-id"]).endswith("/A")


# --- ports by their names ------------------------------------------------------------------------


def test_a_printer_prints_through_its_usb_device_file(tmp_path: Path) -> None:
    """/dev/usb/lp0 is a character device without a line's settings; a pty stands for it."""
    (tmp_path / "usb").mkdir()
    name = str(tmp_path / "usb" / "lp0")
    with PtyHost(ReceiptPrinterEmulator(glyphs()), CLOCK, link=name) as host:
        stream = open_port(name, 9600, CLOCK)
        assert ReceiptPrinter(stream, CLOCK).probe().model == "generic-80"
        with pytest.raises(DeviceBusy):
            open_port(name, 9600, CLOCK)
        host.unplug()
        with pytest.raises(DeviceLost):
            ReceiptPrinter(stream, CLOCK).status()
        stream.close()
        with pytest.raises(DeviceAbsent):
            open_port(name, 9600, CLOCK)


def test_a_read_of_nothing_is_not_the_end_of_a_usb_printer(tmp_path: Path) -> None:
    """usblp gives an empty read for an empty packet; a serial line's empty read is its end."""
    for empty_is_end, fault in ((True, DeviceLost), (False, DeadlineExceeded)):
        fd = os.open("/dev/null", os.O_RDWR)  # always ready, always empty
        stream = DescriptorStream(fd, "lp0", partial(os.close, fd), empty_is_end=empty_is_end)
        with pytest.raises(fault):
            stream.read(Deadline.after(CLOCK, 0.05))
        stream.close()


# --- udev ----------------------------------------------------------------------------------------

PLUG_AND_PULL = """
import ctypes, sys, threading
from drivers.finding.watch import CableWatch

bed_of = ctypes.CDLL("libumockdev.so.0")
bed_of.umockdev_testbed_new.restype = ctypes.c_void_p
bed = ctypes.c_void_p(bed_of.umockdev_testbed_new())
moved = threading.Event()
watch = CableWatch(moved.set)
watch.start()
socket = b"P: /devices/pci0/usb1/1-1/ttyUSB0\\nN: ttyUSB0\\nE: SUBSYSTEM=tty\\n"
disk = b"P: /devices/pci0/usb1/1-2/sda\\nN: sda\\nE: SUBSYSTEM=block\\n"
for device in (socket, disk):
    assert bed_of.umockdev_testbed_add_from_string(bed, device, None)

def tell(path, action):
    moved.clear()
    bed_of.umockdev_testbed_uevent(bed, path, action)
    return moved.wait(2.0 if b"tty" in path else 0.3)

usb = b"/sys/devices/pci0/usb1/1-1/ttyUSB0"
print(tell(usb, b"add"), tell(usb, b"remove"), tell(b"/sys/devices/pci0/usb1/1-2/sda", b"add"))
watch.stop()
"""


def test_a_plug_and_a_pull_are_heard_and_a_disk_is_not() -> None:
    """Against umockdev's udev: a kernel's events without a kernel's devices."""
    told = subprocess.run(
        ["umockdev-wrapper", sys.executable, "-c", PLUG_AND_PULL],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert told.stdout.split() == ["True", "True", "False"], told.stderr
