"""A provider's daily file (对账单): read whole and proven, or not at all.

UTF-8, with or without a BOM, or GB18030. The last line counts and sums the others, so a file that
was cut off is seen. The form is ours; a provider's own becomes this one by a small function.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from kiosk.domain.money import Fen, yuan

TITLE = "渠道对账单"
HEADS = ("序号", "类型", "商户单号", "渠道单号", "金额（元）")
TOTAL = "合计"
_AMOUNT = re.compile(r"(\d{1,12})\.(\d{2})")
FILE_BYTES_MAX = 256 * 1024 * 1024


class Channel(StrEnum):
    """Whose file it is: the wallets' provider or the cards' acquirer."""

    CODES = "codes"
    CARDS = "cards"


class Moved(StrEnum):
    """What happened to the money, in the file's words."""

    CHARGED = "支付"
    REVERSED = "退款"


@dataclass(frozen=True)
class FileRow:
    moved: Moved
    reference: str
    provider_reference: str
    amount_fen: Fen


@dataclass(frozen=True)
class DailyFile:
    """One channel's business day. `digest` tells a file that comes twice."""

    channel: Channel
    day: date
    rows: tuple[FileRow, ...]
    digest: str


class FileSpoilt(Exception):
    """Nothing of this file may be used; the reason says where, never what stood there."""


def read(data: bytes) -> DailyFile:
    """The file, or FileSpoilt naming the line that is wrong."""
    if len(data) > FILE_BYTES_MAX:
        raise FileSpoilt("larger than any daily file")
    lines = list(csv.reader(io.StringIO(_text(data), newline="")))
    while lines and not any(lines[-1]):
        lines.pop()
    if len(lines) < 3:
        raise FileSpoilt("fewer than three lines: cut off")
    channel, day = _title(lines[0])
    if tuple(lines[1]) != HEADS:
        raise FileSpoilt("line 2: other columns than expected")
    rows = tuple(_row(number, line) for number, line in enumerate(lines[2:-1], start=1))
    _prove(lines[-1], rows)
    return DailyFile(channel, day, rows, hashlib.sha256(_canonical(lines)).hexdigest())


def write(channel: Channel, day: date, rows: Sequence[FileRow]) -> str:
    """The file's text; read() is its mirror."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow((TITLE, channel.value, day.isoformat()))
    writer.writerow(HEADS)
    for number, row in enumerate(rows, start=1):
        amount = yuan(row.amount_fen)
        writer.writerow((number, row.moved, row.reference, row.provider_reference, amount))
    writer.writerow((TOTAL, len(rows), yuan(_sum(rows, Moved.CHARGED)), yuan(_back(rows))))
    return out.getvalue()


def _text(data: bytes) -> str:
    """UTF-8 is tried first: Chinese in GB18030 is hardly ever valid UTF-8, but not the reverse."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileSpoilt("neither UTF-8 nor GB18030")


def _title(line: list[str]) -> tuple[Channel, date]:
    try:
        title, channel, day = line
        if title == TITLE:
            return Channel(channel), date.fromisoformat(day)
    except ValueError:
        pass
    raise FileSpoilt("line 1: not a daily file")


def _row(number: int, line: list[str]) -> FileRow:
    try:
        place, moved, reference, provider_reference, amount = line
        if int(place) != number or not reference:
            raise FileSpoilt(f"line {number + 2}: out of order or without a reference")
        return FileRow(Moved(moved), reference, provider_reference, _fen(amount))
    except ValueError:
        raise FileSpoilt(f"line {number + 2}: not a row") from None


def _prove(line: list[str], rows: tuple[FileRow, ...]) -> None:
    said = (TOTAL, str(len(rows)), yuan(_sum(rows, Moved.CHARGED)), yuan(_back(rows)))
    if tuple(line) != said:
        raise FileSpoilt("last line: count or sums differ, or the file is cut off")


def _fen(text: str) -> Fen:
    form = _AMOUNT.fullmatch(text)
    if form is None:
        raise ValueError("not an amount")
    return int(form[1]) * 100 + int(form[2])


def _sum(rows: Iterable[FileRow], moved: Moved) -> Fen:
    return sum(row.amount_fen for row in rows if row.moved is moved)


def _back(rows: Iterable[FileRow]) -> Fen:
    return _sum(rows, Moved.REVERSED)


def _canonical(lines: list[list[str]]) -> bytes:
    """The same whatever the encoding, so that a file sent again in GBK is the same file."""
    return "\n".join("\x1f".join(line) for line in lines).encode()
