"""Which driver serves a device, by the profile alone; nobody else asks for a kind.

Each function opens one port and hands back the driver's port-independent face.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from drivers.cash import NoteAcceptor
from drivers.cashbox.driver import BillValidator, CashboxSettings
from drivers.deadline import Clock
from drivers.errors import DeviceAbsent
from drivers.finding.lines import OpenPort
from drivers.idcard.driver import IdCardReader
from drivers.idcard.reader import IdReader
from drivers.idcard_pcsc.driver import PcscIdCardReader
from drivers.mispos.driver import MisPosSettings, TranCodes, mispos_pad
from drivers.pad import PaymentPad
from drivers.pcsc.port import CardPort
from drivers.pcsc.service import PcscPorts
from drivers.plugin.driver import Plugin
from drivers.plugin.process import PluginStarter
from drivers.recording import Tap
from drivers.scanner.driver import Scanner
from drivers.scanner.models import MODELS as SCANNERS
from drivers.scanner.source import CodeSource
from drivers.socialcard.driver import SocialCardReader
from drivers.transports.any_port import open_port
from drivers.transports.input_device import open_input
from drivers.unionpay.driver import TranTypes, UnionPaySettings, unionpay_pad
from drivers.watching import WatchedSlot
from drivers.wedge.driver import WEDGE, KeyStream
from drivers.zvt.driver import ZvtSettings, serial_pad, tcp_pad
from kiosk.profile import (
    CardSlotPart,
    CashBoxPart,
    IdReaderPart,
    MisPosPart,
    PaymentPadPart,
    ScannerPart,
    UnionPayPart,
)

ZVT_STOP_BITS: Literal[2] = 2  # PROTOCOLS 4.1: 9600 8N2


def id_reader_opener(
    part: IdReaderPart, clock: Clock, open_line: OpenPort = open_port, tap: Tap | None = None
) -> Callable[[], IdReader]:
    """Opens the profile's ID card reader, again and again. DriverError."""
    if part.kind == "pcsc":
        slot = _slot_opener(part.reader, clock, tap)
        return lambda: PcscIdCardReader(slot(), clock)
    return lambda: IdCardReader(open_line(part.port, part.baud, clock), clock)


def card_slot_opener(
    part: CardSlotPart, clock: Clock, tap: Tap | None = None
) -> Callable[[], SocialCardReader | Plugin]:
    """Opens the profile's card slot, again and again. DriverError."""
    if part.kind == "plugin":
        if tap is None:
            return PluginStarter(part.command, clock).start
        return PluginStarter(part.command, clock, tap.on).start
    slot = _slot_opener(part.reader, clock, tap)
    return lambda: SocialCardReader(slot(), clock)


def _slot_opener(reader: str, clock: Clock, tap: Tap | None) -> Callable[[], CardPort]:
    ports = PcscPorts(clock)
    if tap is None:
        return lambda: ports.open(reader)
    return lambda: WatchedSlot(ports.open(reader), tap)


def open_scanner(part: ScannerPart, clock: Clock, open_line: OpenPort = open_port) -> CodeSource:
    """The profile's scanner; nothing of OpenCV is loaded where no camera reads. DriverError."""
    match part.kind:
        case "serial":
            model = SCANNERS[part.model or "newland"]
            return Scanner(open_line(part.port, part.baud, clock), clock, model)
        case "wedge":
            return Scanner(KeyStream(open_input(part.port, clock)), clock, WEDGE)
        case "camera":
            from drivers.camera.driver import CameraScanner
            from drivers.camera.frames import open_camera

            source = int(part.port) if part.port.isdecimal() else part.port
            return CameraScanner(open_camera(source, clock), clock, linear=part.linear)


def open_pad(
    part: PaymentPadPart,
    clock: Clock,
    draw: Callable[[int], int],
    open_line: OpenPort = open_port,
) -> PaymentPad:
    """The profile's pad on its line. `draw(n)`: a number below n, for echoes. DriverError."""
    stopbits: Literal[1, 2] = ZVT_STOP_BITS if part.kind == "zvt" else 1
    line = open_line(_port_of(part), part.baud, clock, stopbits=stopbits)
    match part.kind:
        case "zvt":
            held = ZvtSettings.max_status_infos if part.two_phases else None
            settings = ZvtSettings(password=part.password, max_status_infos=held)
            make = serial_pad if part.link == "serial" else tcp_pad
            return make(line, clock, settings)
        case "mispos":
            return mispos_pad(line, clock, draw, _mispos(part.mispos or MisPosPart()))
        case "unionpay":
            chosen = _unionpay(part.unionpay or UnionPayPart())
            return unionpay_pad(line, clock, draw, chosen)


def open_cash_box(
    part: CashBoxPart,
    clock: Clock,
    mark: int | None,
    escrowed_fen: int | None,
    open_line: OpenPort = open_port,
) -> NoteAcceptor:
    """The validator, told from `mark` on, with the note that waited then. DriverError."""
    settings = CashboxSettings(country=part.country, crc=part.crc)
    stream = open_line(part.port, part.baud, clock)
    return BillValidator(stream, clock, settings, mark=mark, escrowed_fen=escrowed_fen)


def _port_of(part: PaymentPadPart) -> str:
    if part.link == "serial":
        return part.port
    if part.tcp_port is None:
        raise DeviceAbsent("the profile names no port for the pad")
    return f"tcp://{part.host}:{part.tcp_port}"


def _mispos(part: MisPosPart) -> MisPosSettings:
    codes = TranCodes(
        sale=part.sale,
        void=part.void,
        refund=part.refund,
        sign_in=part.sign_in,
        settle=part.settle,
        reprint=part.reprint,
        status=part.status,
    )
    return MisPosSettings(
        codes=codes,
        desk=part.desk,
        operator=part.operator,
        cancel_results=frozenset(part.cancel_results),
        busy_results=frozenset(part.busy_results),
    )


def _unionpay(part: UnionPayPart) -> UnionPaySettings:
    types = TranTypes(
        sale=part.sale,
        void=part.void,
        refund=part.refund,
        query=part.query,
        settle=part.settle,
        sign_in=part.sign_in,
    )
    return UnionPaySettings(types=types, counter=part.counter, operator=part.operator)
