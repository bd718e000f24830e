"""Every codec's host side behind one face, and the list of all targets, for fuzzing.

Rule: tests/drivers/test_fuzz.py finds what takes bytes in drivers/ and is reached by no target.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date

from drivers.cashbox import codec as cashbox
from drivers.cashbox.driver import BillValidator
from drivers.deadline import Deadline
from drivers.errors import ProtocolError
from drivers.escpos.answers import Inbox
from drivers.escpos.driver import state_of
from drivers.idcard import card, codec
from drivers.idcard.driver import IdCardReader
from drivers.idcard_pcsc.codec import encode_text as encode_card_text
from drivers.idcard_pcsc.codec import text_of
from drivers.ipp import codec as ipp
from drivers.ipp.http_exchange import post
from drivers.ipp.state import phase_of
from drivers.ipp.state import state_of as state_of_a4
from drivers.mispos import codec as mispos
from drivers.pad import Charged, MaskedPan
from drivers.pcsc.apdu import parse_answer
from drivers.plugin import codec as plugin
from drivers.scanner.codec import Framer, clean, read_text
from drivers.scanner.models import NEWLAND
from drivers.socialcard import codec as social
from drivers.socialcard.driver import SocialCardReader
from drivers.unionpay import codec as unionpay
from drivers.wedge.codec import KeyDecoder, encode_text
from drivers.zvt import codec as zvt
from drivers.zvt.driver import tcp_pad
from drivers.zvt.fields import StatusInfo, parse_status_info, status_info
from drivers.zvt.meaning import pad_status
from tests.drills import fuzz_doors, fuzz_emulators
from tests.drills.fuzz_emulators import SOCIAL
from tests.drills.fuzz_target import Feed, Held, SameAnswer, SilentLine, Target, hold_nothing

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

    return feed, hold_nothing


def _idcard_driver() -> tuple[Feed, Held]:
    """Whole readings: every question gets the same answer, its check always right."""

    def feed(data: bytes) -> None:
        line = SilentLine(codec.encode(data[: codec.BODY_BYTES_MAX]))
        reader = IdCardReader(line, line.clock)
        if sum(data) % 2:
            reader.read_card()
        else:
            reader.read_newest_address()

    return feed, hold_nothing


_ANSWERED = tuple(
    bytes([0, 0, status]) + data
    for status, data in (
        (0x90, "示例路1号".ljust(35).encode("utf-16-le")),
        (0x90, _CONTENTS),
        (0x90, bytes(16)),
        (0x91, b""),
        (0x9F, bytes(4)),
    )
)

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


def _escpos_host() -> tuple[Feed, Held]:
    line = SilentLine()
    inbox = Inbox(line)

    def feed(data: bytes) -> None:
        line.says = data
        deadline = Deadline.after(line.clock, 1.0)
        line.write(b"", deadline)
        try:
            inbox.wait_for_mark(deadline)
        finally:
            kiosk = data[-4:] if len(data) >= 8 else None
            if len(data) >= 4:
                state_of(data[0], data[1], data[2], data[3], kiosk)

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
    """The message, and what it says of printer and job."""

    def feed(data: bytes) -> None:
        message = ipp.decode(data)
        for group in message.groups:
            for read in (state_of_a4, phase_of):
                with suppress(ProtocolError):
                    read(group)

    return feed, hold_nothing


def _http_host() -> tuple[Feed, Held]:
    """The head before the message, from a printer that hangs up and from one that just stops."""

    def feed(data: bytes) -> None:
        line = SilentLine(data, hangs_up=sum(data) % 2 == 0)
        post(line, "localhost", "/ipp/print", (b"asked",), Deadline.after(line.clock, 5.0))

    return feed, hold_nothing


_HTTP_ANSWERS = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/ipp\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n0\r\n\r\n",
    b"HTTP/1.0 426 Upgrade Required\r\n\r\n",
)


# -- other payment pads and cash


def _zvt_fields() -> tuple[Feed, Held]:
    def feed(data: bytes) -> None:
        for read in (parse_status_info, pad_status):
            with suppress(ProtocolError):
                read(data)

    return feed, hold_nothing


def _zvt_driver() -> tuple[Feed, Held]:
    """A whole enquiry on TCP, where no checksum stands before it."""

    def feed(data: bytes) -> None:
        line = SilentLine(data)
        pad = tcp_pad(line, line.clock)
        pad.status(Deadline.after(line.clock, 5.0))

    return feed, hold_nothing


def _mispos_host() -> tuple[Feed, Held]:
    reader = mispos.FrameReader()

    def feed(data: bytes) -> None:
        for body in reader.feed(data):
            mispos.parse_response(body)

    return feed, lambda: len(reader)


def _unionpay_host() -> tuple[Feed, Held]:
    reader = unionpay.FrameReader()

    def feed(data: bytes) -> None:
        for record in reader.feed(data):
            unionpay.parse_response(record)

    return feed, lambda: len(reader)


def _unionpay_record() -> tuple[Feed, Held]:
    def feed(data: bytes) -> None:
        unionpay.parse_response(data)

    return feed, hold_nothing


def _cashbox_host() -> tuple[Feed, Held]:
    reader = cashbox.FrameReader(cashbox.HOST)

    def feed(data: bytes) -> None:
        for frame in reader.feed(data):
            cashbox.parse_bill_events(frame.data)

    return feed, lambda: len(reader)


def _cashbox_driver() -> tuple[Feed, Held]:
    """What passed the checksum, as the answer to every question of one conversation."""

    def feed(data: bytes) -> None:
        answer = cashbox.Frame(cashbox.HOST, cashbox.VALIDATOR, cashbox.REPLY, data[:252])
        line = SilentLine(answer.encode())
        validator = BillValidator(line, line.clock)
        cashbox.parse_bill_id(data[:7].ljust(7, b"."))
        match sum(data) % 4:
            case 0:
                validator.status(Deadline.after(line.clock, 5.0))
            case 1:
                validator.prepare(Deadline.after(line.clock, 5.0))
            case 2:
                validator.look(Deadline.after(line.clock, 5.0))
            case _:
                validator.probe()

    return feed, hold_nothing


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

_VALIDATOR_SAYS = (
    b"",
    b"\x00",
    b"NOTES-1",
    b"CN0005A",
    b"\x64\x00\x02",
    (12_345_678).to_bytes(3, "little"),
    cashbox.BillEvents(3, ((3, 0), (3, 1), (0, 2))).encode(),
)

# -- cards in a slot

_SOCIAL_VALUES = social.encode_card(SOCIAL)
_SOCIAL_FIELDS = {field.tag: field for fields in social.FILES.values() for field in fields}
_SOCIAL_ANSWERS = tuple(
    social.encode_record(field, _SOCIAL_VALUES[field.name]) + b"\x90\x00"
    for field in _SOCIAL_FIELDS.values()
)


def _socialcard_host() -> tuple[Feed, Held]:
    def feed(data: bytes) -> None:
        tag, value = social.split_record(parse_answer(data).data)
        if tag in _SOCIAL_FIELDS:
            social.parse_card(_SOCIAL_VALUES | {_SOCIAL_FIELDS[tag].name: value})

    return feed, hold_nothing


def _card_dialogue() -> tuple[Feed, Held]:
    """A whole reading of a card that answers everything alike, 61 and 6C included."""

    def feed(data: bytes) -> None:
        slot = SameAnswer(data)
        SocialCardReader(slot, slot.clock).read_card()

    return feed, hold_nothing


def _idcard_pcsc_host() -> tuple[Feed, Held]:
    def feed(data: bytes) -> None:
        card.parse(text_of(parse_answer(data).data))

    return feed, hold_nothing


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
    Target("idcard driver", _idcard_driver, _ANSWERED),
    Target("idcard", _idcard_host, _IDCARD_ANSWERS),
    Target("idcard contents", _idcard_contents, (_CONTENTS, _TEXT)),
    Target("scanner", _scanner_host, _CODES),
    Target("wedge", _wedge_host, _TYPED),
    Target("zvt serial", _zvt_serial, _ZVT_FRAMES),
    Target("zvt tcp", _zvt_tcp, _ZVT_APDUS),
    Target("zvt fields", _zvt_fields, (_STATUS, bytes.fromhex("F0F0F7322E31342E313500"))),
    Target("zvt driver", _zvt_driver, _ZVT_APDUS),
    Target("mispos", _mispos_host, (mispos.encode_frame(_MISPOS_ANSWER),)),
    Target("unionpay", _unionpay_host, (unionpay.encode_frame(_UNIONPAY_ANSWER),)),
    Target("unionpay record", _unionpay_record, (_UNIONPAY_ANSWER,)),
    Target("cashbox", _cashbox_host, (_NOTES,)),
    Target("cashbox driver", _cashbox_driver, _VALIDATOR_SAYS),
    Target("escpos", _escpos_host, _PRINTER_ANSWERS),
    Target("ipp", _ipp_host, _IPP_MESSAGES),
    Target("http", _http_host, _HTTP_ANSWERS),
    Target("plugin", _plugin_host, _PLUGIN_ANSWERS),
    Target("socialcard", _socialcard_host, _SOCIAL_ANSWERS),
    Target("card dialogue", _card_dialogue, (*_SOCIAL_ANSWERS, b"\x61\x10", b"\x6c\x20")),
    Target("idcard_pcsc", _idcard_pcsc_host, (encode_card_text(_TEXT) + b"\x90\x00",)),
    *fuzz_emulators.EMULATORS,
    *fuzz_doors.DOORS,
)
