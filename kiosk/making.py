"""Each device of the profile, opened on its port or where it answers.

Rule: which driver serves a device is kiosk.openers' affair; here it gets its line, its tap and,
when its port is auto, the harmless question that finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import SystemRandom

from drivers.cash import NoteAcceptor
from drivers.cashbox.driver import BillValidator, CashboxSettings
from drivers.deadline import Clock
from drivers.escpos.commands import GENERIC_80
from drivers.escpos.commands import MODELS as PRINTERS
from drivers.escpos.driver import ReceiptPrinter
from drivers.escpos.glyphs import Glyphs, installed_faces
from drivers.finding.finder import Look
from drivers.finding.lines import AUTO, Lines, OpenPort
from drivers.idcard.driver import IdCardReader
from drivers.idcard.reader import IdReader
from drivers.ipp.driver import A4Printer, address_of
from drivers.pad import PaymentPad
from drivers.plugin.driver import Plugin
from drivers.recording import Tap
from drivers.scanner.driver import Scanner
from drivers.scanner.models import MODELS as SCANNERS
from drivers.scanner.source import CodeSource
from drivers.socialcard.driver import SocialCardReader
from drivers.transport import ByteStream
from drivers.watching import WatchedCodes
from kiosk.openers import (
    ZVT_STOP_BITS,
    card_slot_opener,
    id_reader_opener,
    open_cash_box,
    open_pad,
    open_scanner,
)
from kiosk.ports import Part
from kiosk.profile import DevicesPart, SerialPart

LOOK_S = 0.5
"""A device that is there answers its harmless question within this; a mute port costs as much."""

PAD_LOOK_S = 1.5


class DeviceMaker:
    """Opens each device of the profile on its port, or where it answers."""

    def __init__(self, devices: DevicesPart, clock: Clock, tap: Callable[[str], Tap]) -> None:
        self._devices, self._clock = devices, clock
        self._glyphs = Glyphs(installed_faces())
        self.lines = Lines(self._clock, tap, self._looks(), devices.ports)

    def id_reader(self) -> Callable[[], IdReader]:
        part = self._devices.id_reader
        line = self.lines.of("id_reader")
        return id_reader_opener(part, self._clock, line, self.lines.tap("id_reader"))

    def card_slot(self) -> Iterator[Callable[[], SocialCardReader | Plugin]]:
        """One, or none."""
        if self._devices.card_slot is not None:
            tap = self.lines.tap("card_slot")
            yield card_slot_opener(self._devices.card_slot, self._clock, tap)

    def scanner(self) -> CodeSource:
        part = self._devices.scanner
        source = open_scanner(part, self._clock, self.lines.of("scanner"))
        if part.kind == "serial":
            return source
        return WatchedCodes(source, self.lines.tap("scanner"))

    def receipt_printer(self) -> ReceiptPrinter:
        return self._printer(self._line("receipt_printer", self._devices.receipt_printer))

    def report_printer(self) -> A4Printer:
        uri = self._devices.a4_printer.uri
        host, port = address_of(uri)
        return A4Printer(uri, self._clock, self.lines.connect("a4_printer", host, port))

    def pad(self) -> PaymentPad:
        return self._pad(self.lines.of("pad"))

    def kind(self, device: Part) -> str:
        """The driver's name, for technicians and for what a recording may keep."""
        reader, slot = self._devices.id_reader, self._devices.card_slot
        match device:
            case "id_reader":
                return "idcard" if reader.kind == "sdt" else "idcard_pcsc"
            case "card_slot":
                return slot.kind if slot else ""
            case "scanner":
                scanner = self._devices.scanner.kind
                return "scanner" if scanner == "serial" else scanner
            case "receipt_printer":
                return "escpos"
            case "a4_printer":
                return "ipp"
            case "pad":
                return self._devices.payment_pad.kind
            case "cash_box":
                return "cashbox"

    def where(self, device: Part) -> str:
        """The port of the hour, or the reader's name at pcscd; empty: none was found yet."""
        reader, slot = self._devices.id_reader, self._devices.card_slot
        names = {"id_reader": reader.reader, "card_slot": slot.reader if slot else ""}
        if device == "scanner" and self._devices.scanner.kind != "serial":
            return self._devices.scanner.port
        return self.lines.where(device) or names.get(device, "")

    def names(self, device: Part) -> dict[str, object]:
        """What lasts when ports are renumbered, and who else answers as this device."""
        return {
            "name": self.lines.name(device),
            "alike": [one.name or one.path for one in self.lines.alike(device)],
            "told_apart": self.lines.are_told_apart(device),
        }

    def _line(self, device: str, part: SerialPart) -> ByteStream:
        return self.lines.of(device)(part.port, part.baud, self._clock)

    def _scanner(self, stream: ByteStream) -> Scanner:
        model = SCANNERS[self._devices.scanner.model or "newland"]
        return Scanner(stream, self._clock, model)

    def _printer(self, stream: ByteStream) -> ReceiptPrinter:
        models = {model.name: model for model in PRINTERS}
        model = models.get(self._devices.receipt_printer.model, GENERIC_80)
        return ReceiptPrinter(stream, self._clock, model, self._glyphs)

    def _pad(self, open_line: OpenPort) -> PaymentPad:
        draw = SystemRandom().randrange
        return open_pad(self._devices.payment_pad, self._clock, draw, open_line)

    def _looks(self) -> tuple[Look, ...]:
        """Printers first: their question is three bytes that nobody else takes for a command, and
        another's question would stand on the paper."""
        on, clock = self._devices, self._clock
        pad = on.payment_pad
        looks: tuple[Look, ...] = (
            Look(
                "receipt_printer",
                lambda s: self._printer(s).probe(2 * LOOK_S),
                on.receipt_printer.baud,
            ),
            Look("scanner", lambda s: self._scanner(s).probe(LOOK_S), on.scanner.baud),
            Look("id_reader", lambda s: IdCardReader(s, clock).probe(LOOK_S), on.id_reader.baud),
            Look(
                "pad",
                lambda s: self._pad(lambda *_line, **_more: s).probe(PAD_LOOK_S),
                pad.baud,
                stopbits=ZVT_STOP_BITS if pad.kind == "zvt" else 1,
            ),
        )
        ports = {"id_reader": on.id_reader.port, "scanner": on.scanner.port, "pad": pad.port}
        ports |= {"receipt_printer": on.receipt_printer.port, "cash_box": ""}
        if (box := on.cash_box) is not None:
            ports["cash_box"] = box.port
            settings = CashboxSettings(country=box.country, crc=box.crc)
            ask = Look(
                "cash_box", lambda s: BillValidator(s, clock, settings).probe(LOOK_S), box.baud
            )
            looks = (*looks, ask)
        return tuple(look for look in looks if ports[look.name] == AUTO)

    def cash_box(self, mark: int | None, escrowed_fen: int | None) -> NoteAcceptor:
        part = self._devices.cash_box
        assert part is not None, "no worker is made for a box that is not in the profile"
        return open_cash_box(part, self._clock, mark, escrowed_fen, self.lines.of("cash_box"))
