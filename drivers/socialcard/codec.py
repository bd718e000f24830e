"""Records of a social security card, taken apart and put together: one table, pure.

Source: shared protocol notes §2, see PROTOCOL.md. A record is tag, length, value. Nothing in an
error or a repr shows what a card says.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from types import MappingProxyType

from drivers.errors import ProtocolError
from drivers.idcard.card import Sex

APPLICATION = b"sx1.sh." + "社会保障".encode("gb2312")
CARD_FILE, PERSON_FILE = b"\xef\x05", b"\xef\x06"
RECORD_HEAD_BYTES = 2
VALUE_BYTES_MAX = 253
PADDING = b"\x00\x20\xff"


class Kind(Enum):
    """How a field is written."""

    BCD = "bcd"  # two digits a byte, F on the right where there is none
    ASCII = "ascii"
    TEXT = "gb18030"


@dataclass(frozen=True)
class Field:
    """One record of a file: by its tag, and by its place in a card that knows no tags."""

    name: str
    tag: int
    record: int
    length: int
    kind: Kind

    @property
    def le(self) -> int:
        """The whole record's length, as READ RECORD asks for it."""
        return RECORD_HEAD_BYTES + self.length


FILES: MappingProxyType[bytes, tuple[Field, ...]] = MappingProxyType(
    {
        CARD_FILE: (
            Field("card_id", 0x01, 1, 16, Kind.BCD),
            Field("card_class", 0x02, 2, 1, Kind.ASCII),
            Field("version", 0x03, 3, 4, Kind.ASCII),
            Field("issuer", 0x04, 4, 12, Kind.BCD),
            Field("issued", 0x05, 5, 4, Kind.BCD),
            Field("valid_to", 0x06, 6, 4, Kind.BCD),
            Field("card_number", 0x07, 7, 9, Kind.ASCII),
        ),
        PERSON_FILE: (
            Field("number", 0x08, 1, 18, Kind.ASCII),
            Field("name", 0x09, 2, 30, Kind.TEXT),
            Field("name_more", 0x4E, 3, 20, Kind.TEXT),
            Field("sex", 0x0A, 4, 1, Kind.ASCII),
            Field("nation_code", 0x0B, 5, 1, Kind.BCD),
            Field("birth_place", 0x0C, 6, 3, Kind.BCD),
            Field("birth", 0x0D, 7, 4, Kind.BCD),
        ),
    }
)
NEEDED = ("number", "name")
"""Without these two nobody is named; every other record may be missing on some cards."""


@dataclass(frozen=True, repr=False)
class SocialCardText:
    """What a card says freely. Fields that a card lacks are empty, dates None.

    `number` is the social security number, usually and not always the ID number.
    """

    number: str
    name: str
    sex: Sex = Sex.UNKNOWN
    nation_code: str = ""
    birth_place: str = ""
    birth: date | None = None
    card_id: str = ""
    card_class: str = ""
    version: str = ""
    issuer: str = ""
    issued: date | None = None
    valid_to: date | None = None
    card_number: str = ""

    def __repr__(self) -> str:
        return f"SocialCardText(version {self.version}, …)"


Values = Mapping[str, bytes]
"""A record's value by its field's name."""


def parse_record(field: Field, record: bytes) -> bytes:
    """The value in a whole record. ProtocolError: it is another record, or cut."""
    tag, value = split_record(record)
    if tag != field.tag:
        raise ProtocolError(f"record {field.name}: tag {tag:02X} instead of {field.tag:02X}")
    return value


def split_record(record: bytes) -> tuple[int, bytes]:
    """Tag and value of any record. ProtocolError: its length contradicts it."""
    if len(record) < RECORD_HEAD_BYTES or record[1] != len(record) - RECORD_HEAD_BYTES:
        raise ProtocolError(f"a record of {len(record)} bytes contradicts its length")
    return record[0], record[RECORD_HEAD_BYTES:]


def encode_record(field: Field, value: bytes) -> bytes:
    """The whole record; the card's side."""
    assert len(value) <= VALUE_BYTES_MAX
    return bytes([field.tag, len(value)]) + value


def parse_card(values: Values) -> SocialCardText:
    """The card behind its records' values. ProtocolError names the field, never its content."""
    number, name = _ascii("number", values), _name(values)
    if not number or not name:
        raise ProtocolError("the card holds no number or no name")
    return SocialCardText(
        number=number.upper(),
        name=name,
        sex=_sex(values),
        nation_code=_bcd("nation_code", values),
        birth_place=_bcd("birth_place", values),
        birth=_day("birth", values),
        card_id=_bcd("card_id", values, hexadecimal=True),
        card_class=_ascii("card_class", values),
        version=_ascii("version", values),
        issuer=_bcd("issuer", values, hexadecimal=True),
        issued=_day("issued", values),
        valid_to=_day("valid_to", values),
        card_number=_ascii("card_number", values),
    )


def encode_card(card: SocialCardText) -> dict[str, bytes]:
    """Each record's value, padded to its length; parse_card() is its mirror.

    ValueError: a field does not fit.
    """
    words = _words(card)
    return {
        field.name: _written(field, words[field.name])
        for fields in FILES.values()
        for field in fields
    }


def _ascii(name: str, values: Values) -> str:
    raw = values.get(name, b"").rstrip(PADDING)
    if any(not 0x21 <= octet < 0x7F for octet in raw):
        raise ProtocolError(f"card field {name} is not printable ASCII")
    return raw.decode("ascii")


def _bcd(name: str, values: Values, *, hexadecimal: bool = False) -> str:
    """Digits; the card's own identifiers hold letters too (D156…)."""
    digits = values.get(name, b"").hex().upper().rstrip("F")
    if not hexadecimal and digits and not digits.isdigit():
        raise ProtocolError(f"card field {name} is not BCD")
    return digits


def _day(name: str, values: Values) -> date | None:
    digits = _bcd(name, values)
    if not digits.strip("0"):
        return None
    try:
        if len(digits) == 8:
            return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        pass
    raise ProtocolError(f"card field {name} is not a date")


def _sex(values: Values) -> Sex:
    try:
        return Sex(_ascii("sex", values) or Sex.UNKNOWN.value)
    except ValueError:
        raise ProtocolError("card field sex is not in the table") from None


def _name(values: Values) -> str:
    # A long name goes on in its second record, even in the middle of a character's four bytes.
    first, more = values.get("name", b""), values.get("name_more", b"").rstrip(PADDING)
    raw = (first + more) if more else first
    try:
        words = raw.rstrip(PADDING).decode("gb18030").translate(STANDARD_OF_2022).strip(" \u3000")
    except UnicodeDecodeError:
        raise ProtocolError("card field name is not GB18030") from None
    if any(unicodedata.category(sign) == "Cc" for sign in words):
        raise ProtocolError("card field name holds a control character")
    return words


# Fourteen hanzi that GB18030-2000, and so Python's codec, has in the private area: without this a
# name arrives as a sign that no font knows. GB18030-2022, table D (0xFE51 … 0xFEA0).
STANDARD_OF_2022 = MappingProxyType(
    {
        0xE816: 0x20087,
        0xE817: 0x20089,
        0xE818: 0x200CC,
        0xE81E: 0x9FB4,
        0xE826: 0x9FB5,
        0xE82B: 0x9FB6,
        0xE82C: 0x9FB7,
        0xE831: 0x215D7,
        0xE832: 0x9FB8,
        0xE83B: 0x2298F,
        0xE843: 0x9FB9,
        0xE854: 0x9FBA,
        0xE855: 0x241FE,
        0xE864: 0x9FBB,
    }
)


def _words(card: SocialCardText) -> dict[str, bytes]:
    """Each field as it is written, before padding."""
    name = card.name.encode("gb18030")
    days = {
        "issued": card.issued,
        "valid_to": card.valid_to,
        "birth": card.birth,
    }
    texts = {
        "number": card.number,
        "sex": card.sex.value,
        "card_class": card.card_class,
        "version": card.version,
        "card_number": card.card_number,
    }
    digits = {
        "card_id": card.card_id,
        "issuer": card.issuer,
        "nation_code": card.nation_code,
        "birth_place": card.birth_place,
    } | {name: f"{day:%Y%m%d}" if day else "" for name, day in days.items()}
    return (
        {"name": name[:30], "name_more": name[30:]}
        | {name: text.encode("ascii") for name, text in texts.items()}
        | {name: bytes.fromhex(text + "F" * (len(text) % 2)) for name, text in digits.items()}
    )


def _written(field: Field, word: bytes) -> bytes:
    if len(word) > field.length:
        raise ValueError(f"does not fit on a card: {field.name}")
    return word.ljust(field.length, b"\xff" if field.kind is Kind.BCD else b"\x00")
