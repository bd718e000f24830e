"""What stands on a slip of thermal paper, before any printer or picture: lines, and their layout.

Rule: everything is counted in columns of 12 dots (0.125 mm a dot at 203 dpi), one for a Latin
letter and two for a hanzi; text is cut between characters, never inside one, and a character that
cannot be printed is reported, never dropped in silence.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import lru_cache

COLUMN_DOTS = 12
CELL_DOTS = 24  # height of a character of size NORMAL; a hanzi is 24 × 24, a Latin letter 12 × 24
DOTS_PER_MM = 8
COLUMNS_BY_WIDTH_MM = {80: 48, 58: 32}
QR_PAYLOAD_BYTES_MAX = 700  # keeps the symbol within 40 mm, and its length bytes below 04h
CODE128_CHARS_MAX = 24
KNOWN_CHARACTERS = 8192  # what is remembered of characters already met
CLUSTER_CHARS_MAX = 4  # a letter and its marks; more is an attack on the layout, not a name


class Size(Enum):
    """How many times wider and taller than NORMAL (24 dots = 3 mm = 8.5 pt)."""

    NORMAL = (1, 1)
    TALL = (1, 2)
    DOUBLE = (2, 2)  # 6 mm = 17 pt: what an old person reads
    HUGE = (3, 3)  # numbers that are called

    @property
    def wide(self) -> int:
        return self.value[0]

    @property
    def high(self) -> int:
        return self.value[1]


STEP_DOTS = {Size.NORMAL: 32, Size.TALL: 60, Size.DOUBLE: 62, Size.HUGE: 88}
"""From one line to the next: a third of air, because old eyes lose the line otherwise."""


class Align(Enum):
    LEFT = 0
    CENTRE = 1
    RIGHT = 2


@dataclass(frozen=True)
class Text:
    """A paragraph; wraps."""

    text: str
    size: Size = Size.NORMAL
    bold: bool = False
    align: Align = Align.LEFT


@dataclass(frozen=True)
class Pair:
    """A label and its value at the right edge: money, times. `leader` fills the gap."""

    left: str
    right: str
    size: Size = Size.NORMAL
    bold: bool = False
    leader: str = " "

    def __post_init__(self) -> None:
        assert self.leader in (" ", ".", "-"), "a leader is one column wide"


@dataclass(frozen=True)
class Rule:
    """A line across the slip."""

    heavy: bool = False


@dataclass(frozen=True)
class Space:
    """Empty paper, in dots (8 a millimetre)."""

    dots: int = CELL_DOTS

    def __post_init__(self) -> None:
        assert 0 < self.dots <= 255


@dataclass(frozen=True)
class Qr:
    """A QR code in the middle with a caption below. No control characters: it is read by people's
    phones and by the clerk's scanner, which types what it reads."""

    payload: str
    caption: str = ""
    caption_size: Size = Size.NORMAL

    def __post_init__(self) -> None:
        if not 0 < len(self.payload.encode()) <= QR_PAYLOAD_BYTES_MAX:
            raise ValueError(f"a QR code carries 1 to {QR_PAYLOAD_BYTES_MAX} bytes")
        if any(unicodedata.category(c)[0] == "C" for c in self.payload):
            raise ValueError("a QR code carries no control characters")


@dataclass(frozen=True)
class Code128:
    """A one-dimensional code with its text below; letters and digits of ASCII only."""

    text: str

    def __post_init__(self) -> None:
        if not 0 < len(self.text) <= CODE128_CHARS_MAX:
            raise ValueError(f"a Code 128 carries 1 to {CODE128_CHARS_MAX} characters")
        if not all(" " < c < "\x7f" and c != "{" for c in self.text):
            raise ValueError("a Code 128 carries printable ASCII only")


Line = Text | Pair | Rule | Space | Qr | Code128


@dataclass(frozen=True)
class Slip:
    """One piece of paper, cut at its end."""

    lines: tuple[Line, ...]
    width_mm: int = 80

    def __post_init__(self) -> None:
        assert self.width_mm in COLUMNS_BY_WIDTH_MM

    @property
    def columns(self) -> int:
        return COLUMNS_BY_WIDTH_MM[self.width_mm]

    @property
    def dots(self) -> int:
        """Printable width: 576 on 80 mm paper."""
        return self.columns * COLUMN_DOTS


@dataclass(frozen=True)
class Row:
    """One printed line: at most columns / size.wide columns of `text`, already clean."""

    text: str
    size: Size = Size.NORMAL
    bold: bool = False
    align: Align = Align.LEFT


Block = Row | Space | Qr | Code128


@dataclass(frozen=True)
class Stripped:
    """Characters that were taken out of one line because they act instead of standing there."""

    line: int
    code_points: tuple[int, ...]


@dataclass(frozen=True)
class Layout:
    """A slip as rows. `stripped` names what was taken out, by position and code point only."""

    blocks: tuple[Block, ...]
    columns: int
    stripped: tuple[Stripped, ...] = field(default=())


def enlarged(slip: Slip) -> Slip:
    """The same slip for old eyes: 17 pt throughout. Bigger lines stay as they are."""

    def bigger(line: Line) -> Line:
        match line:
            case Text(size=Size.NORMAL | Size.TALL) | Pair(size=Size.NORMAL | Size.TALL):
                return replace(line, size=Size.DOUBLE)
            case Qr():
                return replace(line, caption_size=Size.DOUBLE)
        return line

    return replace(slip, lines=tuple(bigger(line) for line in slip.lines))


# What a printer's GBK font lacks or has in another width, and means the same on paper.
_SAME_ON_PAPER = str.maketrans(
    {
        "\u00a5": "\uffe5",  # ¥ is four bytes in GB18030 and garbage on most printers; ￥ is A3 A4
        "\u2212": "-",
        "\u2010": "-",
        "\u2011": "-",
    }
)
# Joiners that Uyghur, Mongolian and others need to look right; and signs that enclose numbers.
_KEPT_FORMATS = frozenset(
    map(ord, "\u200c\u200d\u180e\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
).union(range(0x0600, 0x0606))


def clean(text: str) -> tuple[str, tuple[int, ...]]:
    """Text that only stands there, and the code points taken out of it.

    Out go controls (Cc), line and paragraph separators, direction and other invisible formats,
    surrogates that belong to no pair. Every kind of space becomes a plain one.
    """
    kept: list[str] = []
    stripped: list[int] = []
    for character in text:
        match unicodedata.category(character):
            case "Cc" | "Zl" | "Zp" | "Cs":
                stripped.append(ord(character))
            case "Cf" if ord(character) not in _KEPT_FORMATS:
                stripped.append(ord(character))
            case "Zs" if character != "\u3000":
                kept.append(" ")
            case _:
                kept.append(character)
    return "".join(kept).translate(_SAME_ON_PAPER), tuple(stripped)


@lru_cache(maxsize=KNOWN_CHARACTERS)
def columns_of(character: str) -> int:
    """Columns of one character: 0 for a mark on the one before it, 1, or 2 for a full cell."""
    if " " <= character < "\x7f":
        return 1
    category = unicodedata.category(character)
    if category in ("Mn", "Me", "Cf"):
        return 0
    if category in ("Cn", "Co") or unicodedata.east_asian_width(character) in "WF":
        return 2
    return 2 if in_printer_font(character) else 1


@lru_cache(maxsize=KNOWN_CHARACTERS)
def in_printer_font(character: str) -> bool:
    """Does a Chinese printer's own font have it: ASCII, or two bytes of GBK."""
    if " " <= character < "\x7f":
        return True
    try:
        return len(character.encode("gbk")) == 2
    except UnicodeEncodeError:
        return False


def display_width(text: str) -> int:
    """Columns that clean text takes on one line."""
    return sum(map(columns_of, text))


_NOT_FIRST = frozenset("，。、；：？！）》」』】〕…,.;:?!)]}%")


def wrap(text: str, columns: int) -> tuple[str, ...]:
    """Clean text in lines of at most `columns`: between words, between hanzi, never in a cluster.

    A closing mark does not begin a line: the character before it comes along.
    """
    assert columns >= 4, "a hanzi and its closing mark must fit"
    lines: list[str] = []
    line = ""
    for word in _words(text):
        room = columns - display_width(line)
        if display_width(word) <= room:
            line += word
        elif word[0] in _NOT_FIRST and display_width(_last_cluster(line)) < display_width(line):
            carried = _last_cluster(line)
            lines.append(line.removesuffix(carried).rstrip(" "))
            line = carried + word
        else:
            lines.append(line.rstrip(" "))
            line = word.lstrip(" ")
        while display_width(line) > columns:
            head = _prefix(line, columns)
            lines.append(head)
            line = line[len(head) :]
    lines.append(line.rstrip(" "))
    return tuple(one for one in lines if one) or ("",)


@lru_cache(maxsize=KNOWN_CHARACTERS)
def _is_mark(character: str) -> bool:
    return columns_of(character) == 0 or unicodedata.category(character) == "Mc"


def clusters(text: str) -> Iterator[str]:
    """Characters with the marks that stand on them."""
    start = 0
    for at in range(1, len(text)):
        if not _is_mark(text[at]) or at - start >= CLUSTER_CHARS_MAX:
            yield text[start:at]
            start = at
    if text:
        yield text[start:]


def _words(text: str) -> Iterator[str]:
    """Pieces that a line may end after: a word, a hanzi, a run of spaces, a Tibetan syllable."""
    word = ""
    for cluster in clusters(text):
        alone = columns_of(cluster[0]) == 2
        space = cluster == " "
        if word and (alone or space != word.endswith(" ")):
            yield word
            word = ""
        word += cluster
        if alone or cluster[0] == "\u0f0b":
            yield word
            word = ""
    if word:
        yield word


def _last_cluster(line: str) -> str:
    *_, last = clusters(line) if line else [""]
    return last


def _prefix(text: str, columns: int) -> str:
    taken = ""
    for cluster in clusters(text):
        if display_width(taken + cluster) > columns:
            break
        taken += cluster
    return taken or next(clusters(text))


def lay_out(slip: Slip) -> Layout:
    """The slip as rows that fit, in order, with everything cleaned."""
    blocks: list[Block] = []
    stripped: list[Stripped] = []
    for number, line in enumerate(slip.lines):
        blocks += _blocks(line, slip.columns)
        gone = tuple(p for text in _texts(line) for p in clean(text)[1])
        if gone:
            stripped.append(Stripped(number, gone))
    return Layout(tuple(blocks), slip.columns, tuple(stripped))


def _texts(line: Line) -> tuple[str, ...]:
    match line:
        case Text(text=text):
            return (text,)
        case Pair(left=left, right=right):
            return (left, right)
        case Qr(caption=caption):
            return (caption,)
    return ()


def _blocks(line: Line, columns: int) -> list[Block]:
    match line:
        case Text():
            rows = wrap(clean(line.text)[0], columns // line.size.wide)
            return [Row(row, line.size, line.bold, line.align) for row in rows]
        case Pair():
            return [Row(row, line.size, line.bold) for row in _pair(line, columns)]
        case Rule(heavy=heavy):
            return [Row(("=" if heavy else "-") * columns)]
        case Qr(caption=caption, caption_size=size) if caption:
            rows = wrap(clean(caption)[0], columns // size.wide)
            return [line, *(Row(row, size, align=Align.CENTRE) for row in rows)]
    return [line]


def _pair(pair: Pair, columns: int) -> tuple[str, ...]:
    room = columns // pair.size.wide
    left = wrap(clean(pair.left)[0], room)
    right = wrap(clean(pair.right)[0], room)
    gap = room - display_width(left[-1]) - display_width(right[0])
    if gap >= 2 or (gap >= 1 and pair.leader == " "):
        filler = " " + pair.leader * (gap - 2) + " " if gap >= 2 else " "
        return (*left[:-1], left[-1] + filler + right[0], *_to_the_right(right[1:], room))
    return (*left, *_to_the_right(right, room))


def _to_the_right(lines: tuple[str, ...], room: int) -> tuple[str, ...]:
    return tuple(" " * (room - display_width(line)) + line for line in lines)
