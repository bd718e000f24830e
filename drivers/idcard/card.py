"""The 256 bytes of text on a card, taken apart and put together: four layouts, one table.

Source: shared protocol notes §1.4–1.5, see PROTOCOL.md. Check digits are the hospital's business
and judged elsewhere; here a field must only be what its kind allows. Nothing in an error or a
repr shows what a card says.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import Enum
from types import MappingProxyType

from drivers.errors import ProtocolError

TEXT_BYTES = 256
FLAG_OFFSET = 248
FOR_EVER = "长期"
PADDING = " \x00\u3000"


class Layout(Enum):
    """Which card it is; the value is its flag at byte 248."""

    RESIDENT = " "
    PERMIT_HK_MO_TW = "J"
    FOREIGN_2017 = "I"
    FOREIGN_2023 = "Y"


class Sex(Enum):
    """GB/T 2261.1 as cards use it."""

    UNKNOWN = "0"
    MALE = "1"
    FEMALE = "2"
    UNSTATED = "9"


@dataclass(frozen=True, repr=False)
class CardText:
    """What a card says about its holder. Fields that a layout lacks are empty.

    valid_to None means 长期. repr shows the layout alone, so that no log can name a person.
    """

    layout: Layout
    name: str
    sex: Sex
    birth: date
    number: str
    valid_from: date
    valid_to: date | None
    nation_code: str = ""
    address: str = ""
    authority: str = ""
    pass_number: str = ""
    issue_count: str = ""
    english_name: str = ""
    nationality: str = ""
    card_version: str = ""
    old_number_link: str = ""

    def __repr__(self) -> str:
        return f"CardText({self.layout.name}, …)"

    @property
    def nation(self) -> str:
        """The nation's name (汉, 藏 …); empty when the card has none or the code is not listed."""
        return NATIONS.get(self.nation_code, "")


# Field, byte offset, byte length. Two entries of one field are one text, joined before stripping.
Slices = tuple[tuple[str, int, int], ...]

_PERSON: Slices = (("name", 0, 30), ("sex", 30, 2))
_VALIDITY: Slices = (("valid_from", 188, 16), ("valid_to", 204, 16))
_RESIDENT: Slices = (
    *_PERSON,
    ("nation_code", 32, 4),
    ("birth", 36, 16),
    ("address", 52, 70),
    ("number", 122, 36),
    ("authority", 158, 30),
    *_VALIDITY,
)
SLICES: MappingProxyType[Layout, Slices] = MappingProxyType(
    {
        Layout.RESIDENT: _RESIDENT,
        Layout.PERMIT_HK_MO_TW: (
            *_RESIDENT,
            ("pass_number", 220, 18),
            ("issue_count", 238, 4),
        ),
        Layout.FOREIGN_2017: (
            ("english_name", 0, 120),
            ("sex", 120, 2),
            ("number", 122, 30),
            ("nationality", 152, 6),
            ("name", 158, 30),
            *_VALIDITY,
            ("birth", 220, 16),
            ("card_version", 236, 4),
            ("authority", 240, 8),
        ),
        Layout.FOREIGN_2023: (
            *_PERSON,
            ("issue_count", 32, 4),
            ("birth", 36, 16),
            ("english_name", 52, 70),
            ("number", 122, 36),
            *_VALIDITY,
            ("english_name", 220, 22),
            ("nationality", 242, 6),
            ("old_number_link", 250, 6),
        ),
    }
)


def parse(text: bytes) -> CardText:
    """The card behind its 256 bytes. ProtocolError names the field, never its content."""
    if len(text) != TEXT_BYTES:
        raise ProtocolError(f"card text of {len(text)} bytes")
    layout = _layout(text)
    fields: dict[str, str] = {}
    for field, offset, length in SLICES[layout]:
        fields[field] = fields.get(field, "") + _decode(field, text[offset : offset + length])
    fields = {field: value.rstrip(PADDING) for field, value in fields.items()}
    return _card(layout, fields)


def encode(card: CardText) -> bytes:
    """The 256 bytes of a card; parse() is its mirror. ValueError: a field does not fit."""
    text = bytearray(" ".encode("utf-16-le") * (TEXT_BYTES // 2))
    left = {field: value.encode("utf-16-le") for field, value in _words(card).items()}
    for field, offset, length in SLICES[card.layout]:
        part, left[field] = left[field][:length], left[field][length:]
        text[offset : offset + len(part)] = part
    too_long = sorted(field for field, rest in left.items() if rest)
    if too_long:
        raise ValueError(f"does not fit on a {card.layout.name} card: {', '.join(too_long)}")
    text[FLAG_OFFSET : FLAG_OFFSET + 2] = card.layout.value.encode("utf-16-le")
    return bytes(text)


def _layout(text: bytes) -> Layout:
    flag = text[FLAG_OFFSET : FLAG_OFFSET + 2]
    if flag == b"\x00\x00":
        return Layout.RESIDENT
    for layout in Layout:
        if flag == layout.value.encode("utf-16-le"):
            return layout
    raise ProtocolError("card type flag not known")


def _decode(field: str, raw: bytes) -> str:
    # The slice is decoded whole: a rare character is a surrogate pair, two of its units.
    try:
        words = raw.decode("utf-16-le")
    except UnicodeDecodeError:
        raise ProtocolError(f"card field {field} is not UTF-16") from None
    if any(unicodedata.category(sign) == "Cc" for sign in words.rstrip(PADDING)):
        raise ProtocolError(f"card field {field} holds a control character")
    return words


def _card(layout: Layout, fields: dict[str, str]) -> CardText:
    valid_to = fields.pop("valid_to")
    try:
        sex = Sex(fields.pop("sex"))
    except ValueError:
        raise ProtocolError("card field sex is not in the table") from None
    return CardText(
        layout=layout,
        sex=sex,
        birth=_day("birth", fields.pop("birth")),
        valid_from=_day("valid_from", fields.pop("valid_from")),
        valid_to=None if valid_to == FOR_EVER else _day("valid_to", valid_to),
        **fields,
    )


def _day(field: str, digits: str) -> date:
    if len(digits) == 8 and digits.isascii() and digits.isdigit():
        try:
            return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
        except ValueError:
            pass
    raise ProtocolError(f"card field {field} is not a date")


def _words(card: CardText) -> dict[str, str]:
    """Each field of the card's layout as it is written there."""
    names = {field for field, _, _ in SLICES[card.layout]}
    return {field: _written(getattr(card, field)) for field in names}


def _written(value: object) -> str:
    match value:
        case Sex():
            return value.value
        case date():
            return f"{value.year:04d}{value.month:02d}{value.day:02d}"
        case None:
            return FOR_EVER
        case _:
            return str(value)


# GB/T 3304. A map, because an index breaks on 97 and 98 and on cards without a nation.
_NATION_LIST = (
    "01 汉,02 蒙古,03 回,04 藏,05 维吾尔,06 苗,07 彝,08 壮,09 布依,10 朝鲜,11 满,12 侗,"
    "13 瑶,14 白,15 土家,16 哈尼,17 哈萨克,18 傣,19 黎,20 傈僳,21 佤,22 畲,23 高山,"
    "24 拉祜,25 水,26 东乡,27 纳西,28 景颇,29 柯尔克孜,30 土,31 达斡尔,32 仫佬,33 羌,"
    "34 布朗,35 撒拉,36 毛南,37 仡佬,38 锡伯,39 阿昌,40 普米,41 塔吉克,42 怒,"
    "43 乌孜别克,44 俄罗斯,45 鄂温克,46 德昂,47 保安,48 裕固,49 京,50 塔塔尔,51 独龙,"
    "52 鄂伦春,53 赫哲,54 门巴,55 珞巴,56 基诺,97 其他,98 外国血统中国籍人士"
)
NATIONS = MappingProxyType(dict(entry.split(" ") for entry in _NATION_LIST.split(",")))
