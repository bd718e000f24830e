"""Card readers, scanners and printers on a real port; states as their own tables name them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from drivers.camera.driver import CameraScanner
from drivers.camera.emulator import CameraEmulator
from drivers.camera.frames import open_camera
from drivers.deadline import Deadline
from drivers.escpos.commands import GENERIC_80
from drivers.escpos.driver import Printed, ReceiptPrinter
from drivers.escpos.emulator import ReceiptPrinterEmulator
from drivers.idcard.driver import CardRead, IdCardReader
from drivers.idcard.emulator import IdCardReaderEmulator
from drivers.ipp.driver import A4Printer
from drivers.ipp.emulator import PROCESSING, IppPrinterEmulator
from drivers.plugin.driver import Plugin, PluginCardRead
from drivers.plugin.emulator import HealthCardPlugin
from drivers.scanner.codec import Scanned
from drivers.scanner.driver import Nothing, Scanner
from drivers.scanner.emulator import ScannerEmulator
from drivers.scanner.models import NEWLAND
from drivers.transport import ByteStream
from drivers.transports.input_device import open_input
from drivers.transports.tcp_port import open_tcp
from drivers.wedge.emulator import WedgeEmulator
from tests.drivers.escpos.paper import LONG, SHORT, glyphs
from tests.drivers.idcard.people import RESIDENT
from tests.drivers.plugin.people import ON_CARD, READ
from tests.drivers.wedge.rows import make_scanner
from tests.failures import test_idcard, test_ipp, test_plugin
from tests.failures.hotplug.ports import CLOCK, SOON_S, Kind, Moment, State, Striking, Wire, within

CODE = "134512345678901234"
LOOK_S = 0.15
ROWS_PER_S = 300.0
HALF_SENT = 30_000


class WebServer:
    """Somebody else at a printer's or camera's address: hears a request out, knows no such page."""

    def __init__(self) -> None:
        self._heard = bytearray()

    def connected(self) -> None:
        self._heard.clear()

    def receive(self, data: bytes) -> bytes:
        self._heard += data
        head, whole, body = bytes(self._heard).partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *([0-9]+)", head)
        if b"chunked" in head.lower():
            whole = b"0\r\n\r\n" if body.endswith(b"0\r\n\r\n") else b""
        elif length is not None and len(body) < int(length[1]):
            whole = b""
        if not whole:
            return b""
        self._heard.clear()
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"

    def tick(self, now_s: float) -> bytes:
        del now_s
        return b""


def said(request: bytes) -> Moment:
    """The driver has just written this."""
    return lambda wire: request in wire.sent


def heard(answer: bytes) -> Moment:
    """The driver has just been told this, and goes on listening."""
    return lambda wire: answer in wire.heard


# --- ID card reader ------------------------------------------------------------------------------


def _lies(emulator: IdCardReaderEmulator) -> None:
    emulator.lay(RESIDENT, newest_address="示例路9号")


def _reads(emulator: IdCardReaderEmulator, reader: IdCardReader) -> str:
    emulator.lift()
    reader.find()
    emulator.lay(RESIDENT)
    return "reads" if reader.read_card() == CardRead(RESIDENT) else "does not read"


def _visits(visit: Callable[[Any], object]) -> Callable[[Any, Wire], object]:
    return lambda driver, wire: visit(driver)


IDCARD = Kind(
    make=IdCardReaderEmulator,
    driver=lambda stream: IdCardReader(stream, CLOCK),
    look=lambda reader: reader.probe(LOOK_S),
    states={
        name: State(
            _visits(visit),
            said(request),
            prepare=_lies if card_lies else lambda emulator: None,
        )
        for name, (request, card_lies, visit) in test_idcard.STATES.items()
    },
    stranger=lambda: ScannerEmulator(NEWLAND),
    settle=_reads,
)

# --- a vendor's library --------------------------------------------------------------------------


def _reads_by_vendor(emulator: HealthCardPlugin, plugin: Plugin) -> str:
    emulator.put(ON_CARD)
    return "reads" if plugin.read_card() == PluginCardRead(READ) else "does not read"


def _ask_a_vendor(plugin: Plugin, _wire: Wire) -> object:
    """As one_visit of the vendor's own table, with its faults let out."""
    plugin.hello()
    plugin.look()
    return plugin.read_card()


PLUGIN = Kind(
    make=HealthCardPlugin,
    driver=lambda stream: Plugin(stream, CLOCK),
    look=lambda plugin: plugin.probe(LOOK_S),
    states={
        name: State(
            _ask_a_vendor,
            said(question),
            prepare=(lambda emulator: emulator.put(ON_CARD)) if card_in else lambda emulator: None,
        )
        for name, (question, card_in) in test_plugin.STATES.items()
    },
    stranger=lambda: ScannerEmulator(NEWLAND),
    settle=_reads_by_vendor,
)

# --- scanners ------------------------------------------------------------------------------------


def _poll(scanner: Any, _wire: Wire | None = None, seconds: float = 2.0) -> object:
    return scanner.poll(Deadline.after(CLOCK, seconds))


def _arm(scanner: Any, _wire: Wire) -> None:
    scanner.arm()


def _arm_and_poll(scanner: Any, wire: Wire) -> object:
    scanner.arm()
    return _poll(scanner)


def _arm_and_see_half(scanner: Any, wire: Wire) -> object:
    """A keyboard types whether anybody asks or not: only after the arming it counts."""
    scanner.arm()
    wire.emulator(_shows_half)
    return _poll(scanner)


def _arm_and_happen(scanner: Any, wire: Wire) -> object:
    scanner.arm()
    wire.happen()
    return _poll(scanner)


def _arm_and_disarm(scanner: Any, _wire: Wire) -> None:
    scanner.arm()
    scanner.disarm()


def _shows_half(emulator: ScannerEmulator | WedgeEmulator) -> None:
    emulator.misbehave("half_code")
    emulator.show(CODE)


def _scans(emulator: Any, scanner: Any) -> str:
    """And nothing that was seen before the cable was moved."""
    emulator.behave()
    scanner.arm()
    before = _poll(scanner, seconds=0.02)
    emulator.show("another code")
    return (
        "scans"
        if (before, _poll(scanner, seconds=SOON_S)) == (Nothing(), Scanned("another code"))
        else "wrong"
    )


SCANNER = Kind(
    make=lambda: ScannerEmulator(NEWLAND),
    driver=lambda stream: Scanner(stream, CLOCK, NEWLAND),
    look=lambda scanner: scanner.probe(LOOK_S),
    states={
        "not asked": State(_poll),
        "being armed": State(_arm, said(NEWLAND.on)),
        "armed": State(_arm_and_poll, heard(NEWLAND.reply.accepted)),
        "in a code": State(_arm_and_poll, heard(CODE[:4].encode()), prepare=_shows_half),
        "being disarmed": State(_arm_and_disarm, said(NEWLAND.off)),
    },
    stranger=IdCardReaderEmulator,
    settle=_scans,
)

WEDGE = Kind(
    make=WedgeEmulator,
    driver=lambda stream: make_scanner(stream, CLOCK),
    look=lambda scanner: _poll(scanner, seconds=0.02),
    states={
        "not asked": State(_poll),
        "armed": State(_arm_and_happen, by_itself=True),
        "in a code": State(_arm_and_see_half, lambda wire: len(wire.heard) > 0),
    },
    stranger=CameraEmulator,
    settle=_scans,
    port="fifo",
    open=lambda name: open_input(name, CLOCK),
)


def _camera(name: str, _wire: Wire | None) -> CameraScanner:
    address = name.replace("tcp://", "http://") + "/"
    return CameraScanner(open_camera(address, CLOCK), CLOCK)


def _until_lost(scanner: CameraScanner) -> None:
    """A lost stream shows after some reads that came to nothing."""
    while True:
        _poll(scanner, seconds=SOON_S)


def _not_asked(scanner: CameraScanner, wire: Wire) -> None:
    wire.happen()
    _until_lost(scanner)


def _armed(scanner: CameraScanner, wire: Wire) -> None:
    scanner.arm()
    _not_asked(scanner, wire)


def _sees_a_code(scanner: CameraScanner, wire: Wire) -> None:
    scanner.arm()
    wire.emulator(lambda camera: camera.show(CODE))
    assert _poll(scanner) == Scanned(CODE)
    _not_asked(scanner, wire)


CAMERA = Kind(
    make=CameraEmulator,
    driver=lambda stream: stream,
    look=lambda scanner: scanner.probe(1.0),
    states={
        "not asked": State(_not_asked, by_itself=True),
        "armed": State(_armed, by_itself=True),
        "code in sight": State(_sees_a_code, by_itself=True),
    },
    stranger=WebServer,
    settle=_scans,
    port="tcp",
    connect_by_name=_camera,
)

# --- printers ------------------------------------------------------------------------------------


def _prints_alone(emulator: ReceiptPrinterEmulator, printer: ReceiptPrinter) -> str:
    """The next slip comes out whole, without a line of the one before it."""
    emulator.rows_per_s = None
    assert isinstance(printer.print_slip(SHORT), Printed)
    last = emulator.slips[-1]
    alone = last.whole and last.text.startswith("您好\n合计")
    return "next slip alone" if alone and sum(s.whole for s in emulator.slips) <= 2 else "mixed"


def _standing(rows: int) -> Moment:
    def there(wire: Wire) -> bool:
        printed: bool = wire.emulator(lambda e: len(e.standing) >= rows or bool(e.slips))
        return printed

    return there


def _cut_and_asked(wire: Wire) -> bool:
    return wire.sent[-1:] == b"\x01" and bool(wire.emulator(lambda e: e.slips))


def _slowly(emulator: ReceiptPrinterEmulator) -> None:
    emulator.rows_per_s = ROWS_PER_S


def _print(printer: ReceiptPrinter, _wire: Wire) -> object:
    return printer.print_slip(LONG)


ESCPOS = Kind(
    make=lambda: ReceiptPrinterEmulator(glyphs(), GENERIC_80, strict=False),
    driver=lambda stream: ReceiptPrinter(stream, CLOCK, GENERIC_80, glyphs()),
    look=lambda printer: printer.probe(LOOK_S),
    states={
        "idle": State(_print),
        "asked for its state": State(_print, said(bytes.fromhex("100402"))),
        "being tidied": State(_print, said(bytes.fromhex("1B401D56"))),
        "first bytes came": State(_print, said(bytes.fromhex("1D6100")), prepare=_slowly),
        "printing": State(_print, _standing(5), prepare=_slowly),
        "last line printed": State(_print, _standing(25), prepare=_slowly),
        "cut, asked again": State(_print, _cut_and_asked),
    },
    stranger=lambda: ScannerEmulator(NEWLAND),
    settle=_prints_alone,
)


def _a4(name: str, wire: Wire | None) -> A4Printer:
    address = name.removeprefix("tcp://")
    host, _, number = address.partition(":")

    def connect(deadline: Deadline) -> ByteStream:
        if wire is not None:
            wire.look()
        stream = open_tcp(host, int(number), CLOCK, max(0.001, deadline.remaining_s()))
        return stream if wire is None else Striking(stream, wire)

    return A4Printer(f"ipp://{address}/ipp/print", CLOCK, connect)


def _print_report(printer: A4Printer, wire: Wire) -> None:
    job = printer.print_pdf(test_ipp.PDF, test_ipp.TITLE)
    wire.mark()
    deadline = within(SOON_S)
    while not wire.struck or not printer.job(job).printed:
        wire.look()
        deadline.check("report")


def _printing(wire: Wire) -> bool:
    states = wire.emulator(lambda e: [job.state for job in e.jobs.values()])
    return wire.marked and PROCESSING in states


def _taken_without_an_answer(wire: Wire) -> bool:
    """The whole report is there, and the answer that says so is not."""
    if len(wire.sent) > HALF_SENT:
        wire.emulator(lambda e: e.misbehave("silent"))
    return bool(wire.emulator(lambda e: e.jobs))


def _on_paper(wire: Wire) -> bool:
    return wire.marked and bool(wire.emulator(lambda e: e.papers))


def _what_became_of_it(emulator: IppPrinterEmulator, printer: A4Printer) -> str:
    """By the report's own name, until it is printed; what the paper says too."""
    emulator.behave()
    job, deadline = printer.find_job(test_ipp.TITLE), within(SOON_S)
    while job is not None and not printer.job(job).printed:
        deadline.check("report")
    assert emulator.papers == ([test_ipp.PDF] if job is not None else [])
    return "printed once" if job is not None else "never taken"


IPP = Kind(
    make=IppPrinterEmulator,
    driver=lambda stream: stream,
    look=lambda printer: printer.probe(LOOK_S),
    states={
        "idle": State(_print_report),
        "document half sent": State(_print_report, lambda wire: len(wire.sent) > HALF_SENT),
        "last byte sent": State(_print_report, _taken_without_an_answer, test_ipp.PDF[-8:]),
        "printing": State(_print_report, _printing),
        "printed": State(_print_report, _on_paper),
    },
    stranger=WebServer,
    settle=_what_became_of_it,
    port="tcp",
    connect_by_name=_a4,
)
