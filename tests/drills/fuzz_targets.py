"""Every codec behind one face, for fuzzing; a new codec adds its Target here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from drivers.cashbox import codec as cashbox
from drivers.deadline import Deadline
from drivers.errors import DeadlineExceeded, ProtocolError
from drivers.escpos.answers import Inbox
from drivers.escpos.decoder import Decoder as EscPosDecoder
from drivers.hosts.vpcd_host import VirtualCard
from drivers.idcard import card, codec
from drivers.idcard.emulator import IdCardReaderEmulator
from drivers.idcard_pcsc.codec import encode_text as encode_card_text
from drivers.idcard_pcsc.codec import text_of
from drivers.ipp import codec as ipp
from drivers.mispos import codec as mispos
from drivers.pad import Charged, MaskedPan
from drivers.pcsc.apdu import parse_answer
from drivers.plugin import codec as plugin
from drivers.scanner.codec import Framer, clean, read_text
from drivers.scanner.emulator import ScannerEmulator
from drivers.scanner.models import MODELS, NEWLAND
from drivers.socialcard import codec as social
from drivers.socialcard.emulator import SocialCardEmulator
from drivers.unionpay import codec as unionpay
from drivers.wedge.codec import KeyDecoder, encode_text
from drivers.zvt import codec as zvt
from drivers.zvt.fields import StatusInfo, parse_status_info, status_info

Feed = Callable[[bytes], None]
Held = Callable[[], int]


@dataclass(frozen=True)
class Target:
    """`open` gives a fresh codec as two functions: feed it bytes, and how many it holds back.

    `corpus`: genuine frames to start from.
    """

    name: str
    open: Callable[[], tuple[Feed, Held]]
    corpus: tuple[bytes, ...]


def _hold_nothing() -> int:
    return 0


# -- ID card reader

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
_TEXT = card.encode(_RESIDENT)
_CONTENTS = codec.encode_contents(_TEXT, bytes(64))
_IDCARD_REQUESTS = tuple(
    codec.encode(bytes.fromhex(body))
    for body in ("10ff", "11ff", "12ff", "2001", "2002", "3001", "3010", "3003", "6000", "6004")
)
_IDCARD_ANSWERS = tuple(
    codec.encode_answer(answer)
    for answer in (
        codec.Answer(0x90, b""),
        codec.Answer(0x9F, bytes(4)),
        codec.Answer(0x90, bytes(8)),
        codec.Answer(0x90, bytes(16)),
        codec.Answer(0x90, _CONTENTS),
        codec.Answer(0x90, codec.encode_contents(_TEXT, bytes(16), bytes(32))),
    )
)


def _idcard_host() -> tuple[Feed, Held]:
    decoder = codec.Decoder()

    def feed(data: bytes) -> None:
        for body in decoder.feed(data):
            answer = codec.parse_answer(body)
            if answer is not None and len(answer.data) > 200:
                card.parse(codec.split_contents(answer.data, with_fingerprint=False).text)
            elif answer is not None and len(answer.data) == 16:
                codec.format_sam_id(answer.data)

    return feed, lambda: decoder.buffered_bytes


def _idcard_contents() -> tuple[Feed, Held]:
    """The inside of an answer whose check was right: what a wrong reader or forged card says."""

    def feed(data: bytes) -> None:
        for with_fingerprint in (False, True):
            try:
                card.parse(codec.split_contents(data, with_fingerprint=with_fingerprint).text)
            except ProtocolError:
                continue
        card.parse(data[:256])

    return feed, _hold_nothing


def _idcard_device() -> tuple[Feed, Held]:
    decoder, emulator = codec.Decoder(), IdCardReaderEmulator()
    emulator.lay(_RESIDENT)

    def feed(data: bytes) -> None:
        decoder.feed(data)
        emulator.receive(data)

    return feed, lambda: decoder.buffered_bytes


# -- scanner

_CODES = (
    b"134512345678901234\r",
    b"]Q1280012345678901234\r\n",
    b"\x02" + "健康码：示例".encode() + b"\x03\n",
    "健康码：示例".encode("gb18030") + b"\r",
    bytes.fromhex("020130303030 23534E5445 063B03") + b"6212345678901234567\r",
    "12\u202e34\u200b\r".encode(),
    b"9" * 300,
)


def _scanner_host() -> tuple[Feed, Held]:
    framer = Framer()

    def feed(data: bytes) -> None:
        for code in framer.feed(data):
            if code is not None:
                read_text(clean(code, NEWLAND.reply))

    return feed, lambda: framer.buffered_bytes


def _scanner_device() -> tuple[Feed, Held]:
    emulators = [ScannerEmulator(model) for model in MODELS.values()]

    def feed(data: bytes) -> None:
        for emulator in emulators:
            emulator.receive(data)
            emulator.tick(1.0)

    return feed, _hold_nothing


def _wedge_host() -> tuple[Feed, Held]:
    decoder = KeyDecoder()

    def feed(data: bytes) -> None:
        decoder.feed(data)

    return feed, lambda: decoder.buffered_bytes


_TYPED = (encode_text("1345\r"), encode_text("A-b/9\r", 1e9))

# -- payment pad

_ZVT_FRAMES = tuple(
    bytes.fromhex(frame)
    for frame in (
        "1002 0600 06 123456 BA 0156 1003 C5BC",
        "1002 0693 03 123456 1003 CAA4",
        "1002 0601 0A 04 000000001250 49 0156 1003 F262",
        "1002 800000 1003 F51F",
        "1002 060F 0B F0F0F7322E31342E313500 1003 B111",
        "06",
        "15",
    )
)
_ZVT_APDUS = tuple(
    bytes.fromhex(apdu)
    for apdu in (
        "060006123456BA0156",
        "060109040000000033 00020A",
        "040F022700",
        "800000",
        "849C00",
    )
)


def _zvt_serial() -> tuple[Feed, Held]:
    reader = zvt.FrameReader()

    def feed(data: bytes) -> None:
        reader.feed(data)

    return feed, lambda: len(reader)


def _zvt_tcp() -> tuple[Feed, Held]:
    buffer = bytearray()

    def feed(data: bytes) -> None:
        buffer.extend(data)
        while zvt.take_apdu(buffer) is not None:
            pass

    return feed, lambda: len(buffer)


# -- receipt printer

_SLIPS = (
    b"\x1b@\x1ba\x01Receipt\n\x1dV\x00",
    b"\x1b@\x1c&" + "就诊凭条".encode("gb18030") + b"\n\x1c.\x1bE\x01OK\n",
    b"\x1dv0\x00\x02\x00\x02\x00\xff\x00\xff\x00",
    b"\x1d(k\x03\x001C\x03\x1d(k\x08\x001P0hello\x1d(k\x03\x001Q0",
    b"\x1dkI\x06{B1234",
    b"\x10\x04\x01\x10\x04\x14\x1dr\x01",
)


def _escpos_device() -> tuple[Feed, Held]:
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


class _Line:
    """A stream that gives what it was handed, once."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes, deadline: Deadline) -> None:
        raise AssertionError("an inbox does not write")

    def read(self, deadline: Deadline) -> bytes:
        taken, self.data = self.data, b""
        if not taken:
            raise DeadlineExceeded("nothing more")
        return taken

    def discard_input(self) -> None:
        self.data = b""

    def close(self) -> None:
        self.data = b""


def _escpos_host() -> tuple[Feed, Held]:
    line = _Line()
    inbox = Inbox(line)
    deadline = Deadline(lambda: 0.0, 1.0)

    def feed(data: bytes) -> None:
        line.data = data
        inbox.wait_for_mark(deadline)

    return feed, lambda: len(inbox._unsorted)


_PRINTER_ANSWERS = (
    b"\x12",
    b"\x16",
    b"\x00",
    b"\x03",
    b"\x10\x0f\x00\x00\x00\x00",
    b"\x37\x25\x00",
)

# -- A4 printer

_IPP_MESSAGES = tuple(
    ipp.encode(
        ipp.Message(
            0,
            request_id,
            (
                ipp.Group(1, (ipp.Attribute("attributes-charset", 0x47, ("utf-8",)),)),
                ipp.Group(
                    4,
                    (
                        ipp.Attribute("printer-state", 0x23, (3,)),
                        ipp.Attribute("printer-state-reasons", 0x44, ("none", "media-empty")),
                        ipp.Attribute("color-supported", 0x22, (True,)),
                    ),
                ),
            ),
        )
    )
    for request_id in (1, 77)
)


def _ipp_host() -> tuple[Feed, Held]:
    def feed(data: bytes) -> None:
        ipp.decode(data)

    return feed, _hold_nothing


# -- other payment pads and cash


def _zvt_fields() -> tuple[Feed, Held]:
    def feed(data: bytes) -> None:
        parse_status_info(data)

    return feed, _hold_nothing


def _mispos_host() -> tuple[Feed, Held]:
    reader = mispos.FrameReader()

    def feed(data: bytes) -> None:
        for body in reader.feed(data):
            mispos.parse_response(body)

    return feed, lambda: len(reader)


def _mispos_device() -> tuple[Feed, Held]:
    def feed(data: bytes) -> None:
        mispos.parse_request(data)

    return feed, _hold_nothing


def _unionpay_host() -> tuple[Feed, Held]:
    reader = unionpay.FrameReader()

    def feed(data: bytes) -> None:
        for record in reader.feed(data):
            unionpay.parse_response(record)

    return feed, lambda: len(reader)


def _unionpay_record() -> tuple[Feed, Held]:
    def feed(data: bytes) -> None:
        unionpay.parse_response(data)

    return feed, _hold_nothing


def _cashbox_host() -> tuple[Feed, Held]:
    reader = cashbox.FrameReader(cashbox.HOST)

    def feed(data: bytes) -> None:
        for frame in reader.feed(data):
            cashbox.parse_bill_events(frame.data)

    return feed, lambda: len(reader)


_PAID = Charged(1250, trace=42, receipt_no=17, terminal_id="52500038", pan=MaskedPan("1234"))
_STATUS = status_info(StatusInfo(0, 1250, _PAID, None))
_MISPOS_ANSWER = mispos.Response(1, 1234, "00", _PAID).encode()
_MISPOS_SALE = mispos.Request(1, 1234, 1250).encode()
_UNIONPAY_ANSWER = unionpay.Response("00", "042", _PAID, "交易成功").encode()
_NOTES = cashbox.Frame(
    cashbox.HOST,
    cashbox.VALIDATOR,
    cashbox.REPLY,
    cashbox.BillEvents(3, ((3, 0), (3, 1), (0, 2))).encode(),
).encode()

# -- cards in a slot

_SOCIAL = social.SocialCardText("11010519491231002X", "王测试𠮷", birth=date(1949, 12, 31))
_SOCIAL_VALUES = social.encode_card(_SOCIAL)
_SOCIAL_FIELDS = {field.tag: field for fields in social.FILES.values() for field in fields}
_SOCIAL_ANSWERS = tuple(
    social.encode_record(field, _SOCIAL_VALUES[field.name]) + b"\x90\x00"
    for field in _SOCIAL_FIELDS.values()
)
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
    )
)
_SLOT_FRAMES = tuple(len(one).to_bytes(2, "big") + one for one in _SLOT_COMMANDS)


def _socialcard_host() -> tuple[Feed, Held]:
    def feed(data: bytes) -> None:
        tag, value = social.split_record(parse_answer(data).data)
        if tag in _SOCIAL_FIELDS:
            social.parse_card(_SOCIAL_VALUES | {_SOCIAL_FIELDS[tag].name: value})

    return feed, _hold_nothing


def _socialcard_device() -> tuple[Feed, Held]:
    slot = VirtualCard(SocialCardEmulator(_SOCIAL))

    def feed(data: bytes) -> None:
        slot.receive(data)

    return feed, lambda: slot.buffered_bytes


def _idcard_pcsc_host() -> tuple[Feed, Held]:
    def feed(data: bytes) -> None:
        card.parse(text_of(parse_answer(data).data))

    return feed, _hold_nothing


# -- vendors' processes

_PLUGIN_ANSWERS = tuple(
    line.encode() + b"\n"
    for line in (
        '{"id":1,"ok":{"protocol":1,"name":"x","version":"1","can":["look","read"]}}',
        '{"id":2,"ok":{"card":true,"put":3}}',
        '{"id":3,"ok":{"outcome":"read","card":{"kind":"health_card","number":"1","name":"王",'
        '"sex":"2","birth":"19491231"}}}',
        '{"id":4,"ok":{"outcome":"absent"}}',
        '{"id":5,"fault":"psam_missing","text":"none"}',
    )
)


def _plugin_host() -> tuple[Feed, Held]:
    reader = plugin.LineReader()

    def feed(data: bytes) -> None:
        for answer in map(plugin.parse_answer, reader.feed(data)):
            for parse in (plugin.parse_hello, plugin.parse_slot, plugin.parse_card):
                try:
                    parse(answer.body if answer else plugin.NOTHING)
                except ProtocolError:
                    continue

    return feed, lambda: reader.buffered_bytes


TARGETS = (
    Target("idcard", _idcard_host, _IDCARD_ANSWERS),
    Target("idcard contents", _idcard_contents, (_CONTENTS, _TEXT)),
    Target("idcard emulator", _idcard_device, _IDCARD_REQUESTS),
    Target("scanner", _scanner_host, _CODES),
    Target("scanner emulator", _scanner_device, tuple(m.on + m.off for m in MODELS.values())),
    Target("wedge", _wedge_host, _TYPED),
    Target("zvt serial", _zvt_serial, _ZVT_FRAMES),
    Target("zvt tcp", _zvt_tcp, _ZVT_APDUS),
    Target("zvt fields", _zvt_fields, (_STATUS,)),
    Target("mispos", _mispos_host, (mispos.encode_frame(_MISPOS_ANSWER),)),
    Target("mispos emulator", _mispos_device, (_MISPOS_SALE,)),
    Target("unionpay", _unionpay_host, (unionpay.encode_frame(_UNIONPAY_ANSWER),)),
    Target("unionpay record", _unionpay_record, (_UNIONPAY_ANSWER,)),
    Target("cashbox", _cashbox_host, (_NOTES,)),
    Target("escpos", _escpos_host, _PRINTER_ANSWERS),
    Target("escpos emulator", _escpos_device, _SLIPS),
    Target("ipp", _ipp_host, _IPP_MESSAGES),
    Target("plugin", _plugin_host, _PLUGIN_ANSWERS),
    Target("socialcard", _socialcard_host, _SOCIAL_ANSWERS),
    Target("socialcard emulator", _socialcard_device, _SLOT_FRAMES),
    Target("idcard_pcsc", _idcard_pcsc_host, (encode_card_text(_TEXT) + b"\x90\x00",)),
)
