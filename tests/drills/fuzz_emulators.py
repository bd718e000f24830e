"""The device's side behind the fuzzers' face: what a wrong host may say to each emulator.

Rule: other projects run these beside drivers of their own, so no byte may bring one down.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import cache

from drivers.camera.emulator import CameraEmulator
from drivers.cashbox import codec as cashbox
from drivers.cashbox.emulator import BillValidatorEmulator, NoteLedger
from drivers.errors import ProtocolError
from drivers.escpos.decoder import Decoder as EscPosDecoder
from drivers.escpos.emulator import ReceiptPrinterEmulator
from drivers.escpos.glyphs import Glyphs, installed_faces
from drivers.hosts.vpcd_host import VirtualCard
from drivers.idcard import card, codec
from drivers.idcard.emulator import IdCardReaderEmulator
from drivers.idcard_pcsc.emulator import PcscIdCardEmulator
from drivers.ipp import codec as ipp
from drivers.ipp.emulator import IppPrinterEmulator
from drivers.ipp.http_requests import HttpRequests
from drivers.mispos import codec as mispos
from drivers.mispos.emulator import MisPosEmulator
from drivers.pad_bench import PadBench
from drivers.pad_ledger import PadLedger
from drivers.pcsc.port import CardEmulator
from drivers.plugin import codec as plugin
from drivers.plugin.emulator import HealthCardPlugin
from drivers.plugin.health_card import HealthCardEmulator, HealthCardText, PsamEmulator
from drivers.scanner.emulator import ScannerEmulator
from drivers.scanner.models import MODELS
from drivers.socialcard import codec as social
from drivers.socialcard.emulator import SocialCardEmulator
from drivers.transport import Emulator
from drivers.unionpay import codec as unionpay
from drivers.unionpay.emulator import UnionPayEmulator
from drivers.wedge.emulator import WedgeEmulator
from drivers.zvt import codec as zvt
from drivers.zvt.emulator import PadEmulator, PadModel
from tests.drills.fuzz_target import Feed, Held, Target, hold_nothing

ANSWERS = 3  # enough to come to the end of most commands
_DAY = datetime(2026, 1, 5, 9, 30)
_PERSON = HealthCardText("11010519491231002X", "王测试", card.Sex.FEMALE, date(1949, 12, 31))
_RESIDENT = card.CardText(
    layout=card.Layout.RESIDENT,
    name="王测试",
    sex=card.Sex.FEMALE,
    nation_code="01",
    birth=date(1949, 12, 31),
    address="北京市东城区示例路1号",
    number="11010519491231002X",
    authority="示例公安局",
    valid_from=date(2020, 1, 1),
    valid_to=None,
)


def _fed(emulator: Emulator) -> Feed:
    """Bytes, and a second after each: half frames time out, cards and banks answer."""
    now_s = 0.0

    def feed(data: bytes) -> None:
        nonlocal now_s
        now_s += 1.0
        emulator.receive(data)
        emulator.tick(now_s)

    return feed


# -- readers and scanners


def _idcard() -> tuple[Feed, Held]:
    emulator = IdCardReaderEmulator()
    emulator.lay(_RESIDENT)
    return _fed(emulator), hold_nothing


def _scanner() -> tuple[Feed, Held]:
    feeds = [_fed(ScannerEmulator(model)) for model in MODELS.values()]

    def feed(data: bytes) -> None:
        for one in feeds:
            one(data)

    return feed, hold_nothing


def _camera_and_wedge() -> tuple[Feed, Held]:
    """Its stream is begun, and not drawn."""
    camera, wedge = CameraEmulator(), WedgeEmulator()

    def feed(data: bytes) -> None:
        camera.receive(data)
        wedge.receive(data)

    return feed, lambda: len(camera._asked)


def _socialcard() -> tuple[Feed, Held]:
    slot = VirtualCard(SocialCardEmulator(SOCIAL))
    return _fed(slot), lambda: slot.buffered_bytes


def _cards() -> tuple[Feed, Held]:
    """Commands one by one, to every other card there is."""
    cards: tuple[CardEmulator, ...] = (
        HealthCardEmulator(_PERSON),
        PsamEmulator(),
        PcscIdCardEmulator(_RESIDENT),
    )

    def feed(data: bytes) -> None:
        for one in cards:
            one.exchange(data)

    return feed, hold_nothing


def _plugin() -> tuple[Feed, Held]:
    emulator = HealthCardPlugin()
    emulator.put(_PERSON)
    feed = _fed(emulator)

    def feed_line(data: bytes) -> None:
        feed(data if data.endswith(b"\n") else data + b"\n")

    return feed_line, lambda: emulator._lines.buffered_bytes


# -- printers


def _escpos_decoder() -> tuple[Feed, Held]:
    decoder = EscPosDecoder(576)

    def feed(data: bytes) -> None:
        decoder.feed(data)
        while True:
            try:
                if decoder.next() is None:
                    return
            except ProtocolError:
                continue

    return feed, lambda: len(decoder._buffer)


@cache
def _glyphs() -> Glyphs:
    """Opening the fonts takes longer than a thousand frames."""
    return Glyphs(installed_faces())


def _escpos() -> tuple[Feed, Held]:
    emulator = ReceiptPrinterEmulator(_glyphs(), strict=False)
    return _fed(emulator), lambda: len(emulator._unscanned)


def _ipp() -> tuple[Feed, Held]:
    """Whole messages, in the HTTP that they come in: a wrong head has a target of its own."""
    emulator = IppPrinterEmulator()
    feed = _fed(emulator)

    def feed_body(data: bytes) -> None:
        feed(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(data) + data)

    return feed_body, hold_nothing


def _http() -> tuple[Feed, Held]:
    """A new connection each time: a document may be long, and is held until it is whole."""

    def feed(data: bytes) -> None:
        requests = HttpRequests()
        for _body in requests.feed(data):
            requests.interim()

    return feed, hold_nothing


# -- pads and cash: as the line brings it, and what has passed the checksum


def _ready(pad: PadBench) -> PadBench:
    pad.signed_in = True
    pad.present_card()
    return pad


def _mispos_pad() -> PadBench:
    return _ready(MisPosEmulator(PadLedger(), _wall))


def _unionpay_pad() -> PadBench:
    return _ready(UnionPayEmulator(PadLedger(), _wall))


def _wall() -> datetime:
    return _DAY


def _on_the_line(make: Callable[[], PadBench]) -> Callable[[], tuple[Feed, Held]]:
    return lambda: (_fed(make()), hold_nothing)


def _past_the_checksum(make: Callable[[], PadBench]) -> Callable[[], tuple[Feed, Held]]:
    def open_pad() -> tuple[Feed, Held]:
        pad = make()
        tick = _fed(pad)

        def feed(data: bytes) -> None:
            tick(b"")
            pad.serve(data)

        return feed, hold_nothing

    return open_pad


def _zvt(*, serial_line: bool) -> Callable[[], tuple[Feed, Held]]:
    """TCP has no checksum: there every script is reached. The host says "received" to all."""

    def open_pad() -> tuple[Feed, Held]:
        pad = PadEmulator(PadLedger(), _wall, PadModel(serial_line=serial_line))
        pad.registered = True
        pad.present_card()
        feed_raw = _fed(pad)
        positive = zvt.Apdu(0x8000)
        received = zvt.encode_frame(positive) if serial_line else positive.encode()

        def feed(data: bytes) -> None:
            feed_raw(data)
            for _ in range(ANSWERS):
                feed_raw(received)

        return feed, hold_nothing

    return open_pad


def _cashbox() -> tuple[Feed, Held]:
    """Bytes as they come, then the same as a frame that is addressed to it."""
    validator = BillValidatorEmulator(NoteLedger())
    feed_raw = _fed(validator)

    def feed(data: bytes) -> None:
        validator.insert_note(5)
        feed_raw(data)
        if data:
            sent = cashbox.Frame(cashbox.VALIDATOR, cashbox.HOST, data[0], data[1:253])
            feed_raw(sent.encode())

    return feed, lambda: len(validator._reader)


# -- genuine questions

_IDCARD_REQUESTS = tuple(
    codec.encode(bytes.fromhex(body))
    for body in ("10ff", "11ff", "12ff", "2001", "2002", "3001", "3010", "3003", "6000", "6004")
)
SOCIAL = social.SocialCardText("11010519491231002X", "王测试𠮷", birth=date(1949, 12, 31))
_SLOT_COMMANDS = tuple(
    bytes.fromhex(command)
    for command in (
        "01",
        "04",
        "00A404000F7378312E73682EC9E7BBE1B1A3D5CF",
        "00C0000013",
        "00A4000002EF06",
        "00B2090020",
        "00B2020400",
        "FFB0000000",
        "0084000008",
        "801A00000A00010203040506070809",
        "80FA0000080000000000000001",
        "00820000080000000000000001",
    )
)
_SLOT_FRAMES = tuple(len(one).to_bytes(2, "big") + one for one in _SLOT_COMMANDS)
_QUESTIONS = tuple(
    plugin.Request(number, verb).encode() for number, verb in enumerate(plugin.Verb, start=1)
)
_SLIPS = (
    b"\x1b@\x1ba\x01Receipt\n\x1dV\x00",
    b"\x1b@\x1c&" + "就诊凭条".encode("gb18030") + b"\n\x1c.\x1bE\x01OK\n",
    b"\x1dv0\x00\x02\x00\x02\x00\xff\x00\xff\x00",
    b"\x1d(k\x03\x001C\x03\x1d(k\x08\x001P0hello\x1d(k\x03\x001Q0",
    b"\x1dkI\x06{B1234",
    b"\x10\x04\x01\x10\x04\x14\x1dr\x01",
)
_JOBS = tuple(
    ipp.encode(
        ipp.Message(
            operation,
            1,
            (
                ipp.Group(
                    ipp.GroupTag.OPERATION,
                    (
                        ipp.Attribute("attributes-charset", ipp.Tag.CHARSET, ("utf-8",)),
                        ipp.Attribute("job-id", ipp.Tag.INTEGER, (1,)),
                    ),
                ),
            ),
            b"%PDF-1.4" if operation is ipp.Operation.PRINT_JOB else b"",
        )
    )
    for operation in ipp.Operation
)
_POSTS = (
    b"POST /ipp/print HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
)
_SALES = (mispos.Request(1, 1234, 1250).encode(), mispos.Request(2, 1235, 1250).encode())
_UNIONPAY_ASKED = tuple(
    unionpay.Request(kind, 1250, "042", old_trace="000001").encode()
    for kind in ("00", "01", "02", "04", "05", "06")
)
_ZVT_COMMANDS = tuple(
    bytes.fromhex(command)
    for command in (
        "0600 06 123456 09 0156",
        "0601 07 04 000000001250",
        "0601 09 04 000000003300 020A",
        "0630 06 123456 87 0001",
        "06310A12345604000000001250",
        "0620 03 123456",
        "065003123456",
        "050103123456",
        "067000",
        "06B000",
        "800000",
        "849C00",
        "849D0704000000001000",
    )
)
_ZVT_FRAMES = tuple(
    zvt.encode_frame(apdu)
    for apdu in (
        zvt.Apdu(0x0600, bytes.fromhex("123456090156")),
        zvt.Apdu(0x0670),
        zvt.Apdu(0x8000),
    )
)
_CASHBOX_ASKED = tuple(
    cashbox.Frame(cashbox.VALIDATOR, cashbox.HOST, header, data).encode()
    for header, data in (
        (cashbox.SIMPLE_POLL, b""),
        (cashbox.BILL_EVENTS, b""),
        (cashbox.ROUTE_BILL, b"\x01"),
        (cashbox.MODIFY_INHIBIT, b"\xff\xff"),
        (cashbox.MODIFY_MASTER_INHIBIT, b"\x01"),
    )
)

EMULATORS = (
    Target("idcard emulator", _idcard, _IDCARD_REQUESTS),
    Target("scanner emulator", _scanner, tuple(m.on + m.off for m in MODELS.values())),
    Target("camera emulator", _camera_and_wedge, (b"GET / HTTP/1.1\r\n\r\n",)),
    Target("socialcard emulator", _socialcard, _SLOT_FRAMES),
    Target("card emulators", _cards, _SLOT_COMMANDS),
    Target("plugin emulator", _plugin, _QUESTIONS),
    Target("escpos decoder", _escpos_decoder, _SLIPS),
    Target("escpos emulator", _escpos, _SLIPS),
    Target("ipp emulator", _ipp, _JOBS),
    Target("http requests", _http, _POSTS),
    Target("mispos emulator", _past_the_checksum(_mispos_pad), _SALES),
    Target(
        "mispos emulator's line",
        _on_the_line(_mispos_pad),
        tuple(mispos.encode_frame(body) for body in _SALES),
    ),
    Target("unionpay emulator", _past_the_checksum(_unionpay_pad), _UNIONPAY_ASKED),
    Target(
        "unionpay emulator's line",
        _on_the_line(_unionpay_pad),
        tuple(unionpay.encode_frame(record) for record in _UNIONPAY_ASKED),
    ),
    Target("zvt emulator", _zvt(serial_line=False), _ZVT_COMMANDS),
    Target("zvt emulator's line", _zvt(serial_line=True), _ZVT_FRAMES),
    Target("cashbox emulator", _cashbox, _CASHBOX_ASKED),
)
