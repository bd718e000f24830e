"""Every device of the demo terminal: an emulator each, behind a real port, and what hands do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

from drivers.cashbox.emulator import BillValidatorEmulator, NoteLedger
from drivers.deadline import Clock
from drivers.escpos.emulator import ReceiptPrinterEmulator
from drivers.escpos.glyphs import Glyphs, installed_faces
from drivers.hosts.pty_host import PtyHost
from drivers.hosts.tcp_host import TcpHost
from drivers.idcard.card import CardText, Layout, Sex
from drivers.idcard.emulator import Delays, IdCardReaderEmulator
from drivers.ipp.paper_tray import IppPrinter
from drivers.mispos.emulator import BUSY, CANCELLED, MisPosEmulator
from drivers.pad_ledger import PadLedger
from drivers.scanner.emulator import ScannerEmulator
from drivers.scanner.models import NEWLAND
from drivers.unionpay.emulator import UnionPayEmulator
from drivers.zvt.emulator import PadEmulator, PadModel
from gateway.adapters.demo.people import Person
from kiosk.demo.card_slot import DemoSlot
from kiosk.domain import identity

READER_BAUD, PRINTER_BAUD, PAD_BAUD, CASH_BAUD = 115200, 115200, 9600, 9600

PadHost = PtyHost[PadEmulator] | TcpHost[PadEmulator] | PtyHost[MisPosEmulator]
AnyPadHost = PadHost | TcpHost[UnionPayEmulator]

# What a real reader takes (PROTOCOLS §1.6), shortened to its usual case.
READER_DELAYS = Delays(find_s=0.05, select_s=0.1, read_s=0.4)


def card_of(person: Person) -> CardText:
    """The synthetic card of a person of the demo hospital."""
    sex = Sex.MALE if person.sex is identity.Sex.MALE else Sex.FEMALE
    return CardText(
        layout=Layout.RESIDENT,
        name=person.name,
        sex=sex,
        birth=person.born,
        number=person.number,
        valid_from=date(2020, 1, 1),
        valid_to=None,
        nation_code="01",
        address="示例市示例区示例路1号",
        authority="示例公安局",
    )


class DemoDevices:
    """Seven devices on ptys, TCP and IPP; `folder` gets the ports' names and all paper."""

    def __init__(
        self, folder: Path, clock: Clock, wall: Callable[[], datetime], pad_kind: str
    ) -> None:
        self.folder = folder
        ports = folder / "ports"
        slips = folder / "slips"
        for path in (ports, slips):
            path.mkdir(parents=True, exist_ok=True)
        self.slips = slips
        self.ledger = PadLedger(folder / "pad-ledger.jsonl")
        self.reader = PtyHost(
            IdCardReaderEmulator(delays=READER_DELAYS), clock, READER_BAUD, link=ports / "id_reader"
        )
        self.scanner = PtyHost(
            ScannerEmulator(NEWLAND), clock, NEWLAND.baud, link=ports / "scanner"
        )
        printer = ReceiptPrinterEmulator(Glyphs(installed_faces()), folder=slips)
        self.printer = PtyHost(printer, clock, PRINTER_BAUD, link=ports / "receipt_printer")
        self.pad_kind = pad_kind
        self.pad = self._pad_host(pad_kind, wall, clock)
        self.slot = DemoSlot(folder / "pcscd", clock)
        self.notes = NoteLedger(folder / "cash-ledger.jsonl")
        box = BillValidatorEmulator(self.notes)
        self.cash_box = PtyHost(box, clock, CASH_BAUD, link=ports / "cash_box")
        self.tray = IppPrinter(folder / "a4", clock)

    def _pad_host(self, kind: str, wall: Callable[[], datetime], clock: Clock) -> AnyPadHost:
        link, ledger = self.folder / "ports" / "pad", self.ledger
        match kind:
            case "zvt":
                pad = PadEmulator(ledger, wall, PadModel(serial_line=True))
                return PtyHost(pad, clock, PAD_BAUD, link=link, bits_per_byte=11)
            case "tcp":
                return TcpHost(PadEmulator(ledger, wall, PadModel(serial_line=False)), clock)
            case "mispos":
                return PtyHost(MisPosEmulator(ledger, wall), clock, PAD_BAUD, link=link)
            case "unionpay":
                return TcpHost(UnionPayEmulator(ledger, wall), clock)
        raise AssertionError(f"no pad of kind {kind}")

    @property
    def pad_shows_card(self) -> bool:
        """Whether this pad tells of a card that nobody asked for yet."""
        return self.pad_kind in ("zvt", "tcp")

    def pad_settings(self) -> str:
        """The profile's lines under [devices.payment_pad] that fit this pad."""
        if isinstance(self.pad, PtyHost):
            line = f'link = "serial"\nport = "{self.folder}/ports/pad"\nbaud = {PAD_BAUD}'
        else:
            line = f'link = "tcp"\nhost = "127.0.0.1"\ntcp_port = {self.pad.port}'
        kind = "zvt" if self.pad_kind == "tcp" else self.pad_kind
        own = f'mispos = {{ cancel_results = ["{CANCELLED}"], busy_results = ["{BUSY}"] }}'
        return "\n".join([f'kind = "{kind}"', line, *([own] if kind == "mispos" else [])])

    def start(self) -> None:
        for host in (self.reader, self.scanner, self.printer, self.pad, self.cash_box):
            host.start()
        self.slot.start()
        self.tray.start()

    def stop(self) -> None:
        for host in (self.reader, self.scanner, self.printer, self.pad, self.cash_box):
            host.stop()
        self.slot.stop()
        self.tray.stop()

    # --- hands -----------------------------------------------------------------------------------

    def lay_card(self, person: Person) -> None:
        self.reader.with_emulator(lambda reader: reader.lay(card_of(person)))

    def lift_card(self) -> None:
        self.reader.with_emulator(lambda reader: reader.lift())

    def show_code(self, code: str) -> None:
        self.scanner.with_emulator(lambda scanner: scanner.show(code))

    def present_bank_card(self) -> None:
        self.pad.with_emulator(lambda pad: pad.present_card())

    def insert_note(self, yuan: int) -> bool:
        """Push a note in; whether it was drawn in."""
        return self.cash_box.with_emulator(lambda box: box.insert_note(yuan))

    def empty_cash_box(self) -> None:
        """Take the box out, put an empty one in."""
        self.cash_box.with_emulator(lambda box: box.remove_box())
        self.cash_box.with_emulator(lambda box: box.put_box())

    def pad_waits_for_card(self) -> bool:
        return self.pad.with_emulator(lambda pad: pad.waits_for_card)

    def behave(self) -> None:
        """Every device as the manual says again, with paper and without anybody's things."""
        self.reader.with_emulator(lambda reader: reader.behave())
        self.scanner.with_emulator(lambda scanner: scanner.behave())
        self.scanner.with_emulator(lambda scanner: scanner.hide())
        self.cash_box.with_emulator(lambda box: box.behave())
        self.pad.with_emulator(lambda pad: pad.behave())
        self.pad.with_emulator(lambda pad: pad.walk_away())
        self.pad.with_emulator(lambda pad: pad.approve())
        self.printer.with_emulator(lambda printer: printer.put_paper_in())
        self.slot.pull()
        self.tray.clear()

    # --- paper -----------------------------------------------------------------------------------

    def papers(self) -> tuple[Path, ...]:
        """All slips so far (pictures and texts) and all reports (PDF), oldest first."""
        slips = sorted(path for path in self.slips.iterdir() if path.suffix in (".png", ".txt"))
        return (*slips, *self.tray.papers)
