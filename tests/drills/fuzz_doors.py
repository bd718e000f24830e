"""What bytes meet behind the drivers: texts from a code, vendors' cards, lines, batches, files.

Rule: each door has its own way to say no (`refusals`), and nothing else may come out of it.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

from pydantic import ValidationError

from drivers.errors import DriverError
from drivers.plugin.health_card import NotAHealthCard, PsamRefused, read_health_card
from drivers.recording import KEEPS, Side
from drivers.scanner.codec import Scanned, clean, read_text
from drivers.scanner.models import NEWLAND
from gateway import daily_file
from kiosk.domain.codes import classify
from kiosk.hospital import contract as c
from kiosk.views import touch_from_json
from tests.drills.fuzz_target import Feed, Held, Target, hold_nothing


def _classification() -> tuple[Feed, Held]:
    """A code's bytes as both kinds of pages hear them, and any text at all, lone halves too."""

    def feed(data: bytes) -> None:
        scanned = read_text(clean(data, NEWLAND.reply))
        even = data[: len(data) // 2 * 2]
        texts = [data.decode(errors="surrogateescape"), even.decode("utf-16-le", "surrogatepass")]
        if isinstance(scanned, Scanned):
            texts.append(scanned.text)
        for text in texts:
            classify(text, "identity")
            classify(text, "payment")

    return feed, hold_nothing


def _health_card() -> tuple[Feed, Held]:
    """In the vendor's process: a card and a PSAM that answer everything alike."""

    def feed(data: bytes) -> None:
        read_health_card(lambda _command: data, lambda _command: data)

    return feed, hold_nothing


def _recordings() -> tuple[Feed, Held]:
    """How much of a turn a technician may see: never more than there was."""

    def feed(data: bytes) -> None:
        for keeps in KEEPS.values():
            for side in SIDES:
                assert 0 <= keeps(side, data) <= len(data)

    return feed, hold_nothing


def _touches() -> tuple[Feed, Held]:
    """What a program on core's socket may say for a touch."""

    def feed(data: bytes) -> None:
        touch_from_json(json.dumps(json.loads(data)))

    return feed, hold_nothing


def _batches() -> tuple[Feed, Held]:
    """The gateway's largest door, and the smallest."""

    def feed(data: bytes) -> None:
        for shape in (c.Outbox, c.Hello):
            try:
                c.from_json(shape, data)
            except ValidationError:
                continue

    return feed, hold_nothing


def _daily_files() -> tuple[Feed, Held]:
    def feed(data: bytes) -> None:
        daily_file.read(data)

    return feed, hold_nothing


_AT = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
_TEXTS = (
    b"134512345678901234",
    b"280012345678901234567890",
    b"6212345678901234567",
    b"11010519491231002X",
    b"f3" * 32 + b":1:tail",
    b"3300" * 7,
    b"https://example.invalid/r?id=1",
    "王测试".encode("gb18030"),
    "王\u202e测试\u200b".encode(),
)
_CARD_ANSWERS = (
    b"\x90\x00",
    b"\x07\x0a" + bytes(10) + b"\x90\x00",
    b"\x01\x0412\x19\x49\x90\x00",
    b"\x69\x82",
)
_TOUCHES = tuple(
    json.dumps(touch).encode() for touch in ({"touch": "tap", "name": "back"}, {"touch": "home"})
)
_BATCH = c.to_json(
    c.Outbox(tuple(c.Record(n, f"T1-{n}", "screening", _AT, '{"kind":"x"}') for n in (1, 2)))
)
_ROWS = (
    daily_file.FileRow(daily_file.Moved.CHARGED, "T1-7", "42000001", 1250),
    daily_file.FileRow(daily_file.Moved.REVERSED, "T1-8", "42000002", 800),
)
_FILE = daily_file.write(daily_file.Channel.CODES, date(2026, 1, 5), _ROWS)

SIDES: tuple[Side, Side] = ("device", "host")
_TURNS = (
    b"\x10\x04\x01\x10\x04\x14",
    b"\x02\x01\x30\x06",
    bytes.fromhex("AAAAAA96690004000090940000"),
)

DOORS = (
    Target("recordings", _recordings, _TURNS),
    Target("classification", _classification, _TEXTS),
    Target("health card", _health_card, _CARD_ANSWERS, (DriverError, NotAHealthCard, PsamRefused)),
    Target("touches", _touches, _TOUCHES, (ValueError, RecursionError)),
    Target(
        "gateway batches",
        _batches,
        (_BATCH, c.to_json(c.Hello("T1", "1.0", _AT, troubles=("id_reader",)))),
    ),
    Target(
        "daily files",
        _daily_files,
        (_FILE.encode("utf-8-sig"), _FILE.encode("gb18030")),
        (daily_file.FileSpoilt,),
    ),
)
