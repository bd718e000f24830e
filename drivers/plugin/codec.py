"""One JSON object a line between core and a vendor's process, both directions, pure.

Source: PROTOCOL.md beside this file, which is the contract that vendors write against. A line that
is no answer (a library that prints) is passed over; nothing in an error or a repr names a person.
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from types import MappingProxyType
from typing import Any

from drivers.errors import ProtocolError
from drivers.idcard.card import Sex

PROTOCOL = 1
LINE_BYTES_MAX = 16384
FEED_SLICE_BYTES = 4096
NUMBER_CHARACTERS_MAX = 64
NAME_CHARACTERS_MAX = 60
WORDS_CHARACTERS_MAX = 200
Arguments = MappingProxyType[str, str]
NOTHING: MappingProxyType[str, Any] = MappingProxyType({})


class Verb(Enum):
    """What core may ask; a plug-in says in its hello which of them it can."""

    HELLO = "hello"
    LOOK = "look"
    READ = "read"
    DECODE = "decode"


class Outcome(Enum):
    """How a reading or decoding ended, when the plug-in itself is well."""

    READ = "read"
    ABSENT = "absent"
    NOT_THIS_CARD = "not_this_card"
    REMOVED = "removed"
    UNREADABLE = "unreadable"
    EXPIRED = "expired"


class LineReader:
    """Finds whole lines in a stream; one that is too long is passed over to its end."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._too_long = False

    @property
    def buffered_bytes(self) -> int:
        """How much waits for the rest of its line; never above LINE_BYTES_MAX + a slice."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that are whole now, in order, without their ends."""
        lines: list[bytes] = []
        for at in range(0, len(data), FEED_SLICE_BYTES):
            self._buffer += data[at : at + FEED_SLICE_BYTES]
            *whole, rest = self._buffer.split(b"\n")
            for line in whole:
                if not self._too_long and len(line) <= LINE_BYTES_MAX:
                    lines.append(bytes(line))
                self._too_long = False
            self._buffer = bytearray(rest)
            if len(rest) > LINE_BYTES_MAX:
                self._too_long = True
                self._buffer.clear()
        return lines


@dataclass(frozen=True)
class Request:
    """A question; `arguments` may hold a person's code and is in no repr."""

    id: int
    verb: Verb
    arguments: Arguments = field(default_factory=lambda: NOTHING, repr=False)

    def encode(self) -> bytes:
        """One line; it always begins {"id":N,"ask":"verb" so that a small parser will do."""
        return _line({"id": self.id, "ask": self.verb.value, **self.arguments})


@dataclass(frozen=True, repr=False)
class Answer:
    """`fault` empty: `body` is what was asked for. Else a code, and words for technicians."""

    id: int
    body: MappingProxyType[str, Any] = field(default_factory=lambda: NOTHING)
    fault: str = ""
    words: str = ""

    def __repr__(self) -> str:
        return f"Answer({self.id}, {self.fault or 'ok'})"

    def encode(self) -> bytes:
        """One line; the plug-in's side."""
        if self.fault:
            return _line({"id": self.id, "fault": self.fault, "text": self.words})
        return _line({"id": self.id, "ok": dict(self.body)})


def parse_request(line: bytes) -> Request | None:
    """The question in a line; None: it is none. The plug-in's side."""
    found = _object(line)
    try:
        id, verb = found.pop("id"), Verb(found.pop("ask"))
    except (KeyError, ValueError):
        return None
    if not isinstance(id, int) or not all(isinstance(value, str) for value in found.values()):
        return None
    return Request(id, verb, MappingProxyType(found))


def parse_answer(line: bytes) -> Answer | None:
    """The answer in a line; None: it is none, and is passed over."""
    found = _object(line)
    id, body, fault = found.get("id"), found.get("ok"), found.get("fault")
    if not isinstance(id, int) or isinstance(id, bool):
        return None
    if isinstance(body, dict) and fault is None:
        return Answer(id, MappingProxyType(body))
    if isinstance(fault, str) and fault and body is None:
        words = found.get("text")
        return Answer(id, fault=fault, words=_plain(words) if isinstance(words, str) else "")
    return None


@dataclass(frozen=True)
class Hello:
    """Who answers, and what it can."""

    name: str
    version: str
    can: frozenset[Verb]


def parse_hello(body: MappingProxyType[str, Any]) -> Hello:
    """ProtocolError: another protocol, or a name that is none."""
    if body.get("protocol") != PROTOCOL:
        raise ProtocolError(f"the plug-in speaks another protocol than {PROTOCOL}")
    can, name, version = body.get("can"), _word("name", body), _word("version", body)
    if not isinstance(can, list) or not name or not version:
        raise ProtocolError("a hello without name, version and can")
    known = {verb.value for verb in Verb}
    return Hello(
        name, version, frozenset(Verb(one) for one in can if isinstance(one, str) and one in known)
    )


@dataclass(frozen=True)
class Slot:
    """Whether a card is there, and how many were put in so far: a quick exchange is seen."""

    card: bool
    put: int


def parse_slot(body: MappingProxyType[str, Any]) -> Slot:
    """ProtocolError: neither yes nor no."""
    card, put = body.get("card"), body.get("put")
    if not isinstance(card, bool) or not isinstance(put, int) or isinstance(put, bool):
        raise ProtocolError("a slot that neither holds a card nor is empty")
    return Slot(card, put)


@dataclass(frozen=True, repr=False)
class PluginCard:
    """What a vendor's library read: `kind` is health_card, social_card or insurance_code.

    `token` is the insurer's, for the gateway; the terminal does not look into it.
    """

    kind: str
    number: str
    name: str
    sex: Sex = Sex.UNKNOWN
    birth: date | None = None
    card_number: str = ""
    token: str = ""

    def __repr__(self) -> str:
        return f"PluginCard({self.kind}, …)"


KINDS = frozenset({"health_card", "social_card", "insurance_code"})


def parse_card(body: MappingProxyType[str, Any]) -> tuple[Outcome, PluginCard | None]:
    """How it ended, and the card if one was read. ProtocolError names the field alone."""
    try:
        outcome = Outcome(body.get("outcome"))
    except ValueError:
        raise ProtocolError("an outcome that is not in the protocol") from None
    if outcome is not Outcome.READ:
        return outcome, None
    card = body.get("card")
    if not isinstance(card, dict):
        raise ProtocolError("read, and no card with it")
    return outcome, _card(MappingProxyType(card))


def card_body(card: PluginCard) -> dict[str, str]:
    """The card as it stands in a line; the plug-in's side."""
    return {
        "kind": card.kind,
        "number": card.number,
        "name": card.name,
        "sex": card.sex.value,
        "birth": f"{card.birth:%Y%m%d}" if card.birth else "",
        "card_number": card.card_number,
        "token": card.token,
    }


def _card(card: MappingProxyType[str, Any]) -> PluginCard:
    kind, number, name = _word("kind", card), _word("number", card), _word("name", card)
    if kind not in KINDS:
        raise ProtocolError("card field kind is not in the protocol")
    if not number or not number.isascii() or not number.isalnum():
        raise ProtocolError("card field number is no number")
    if not name or len(name) > NAME_CHARACTERS_MAX:
        raise ProtocolError("card field name is no name")
    if len(number) > NUMBER_CHARACTERS_MAX:
        raise ProtocolError("card field number is too long")
    try:
        sex = Sex(_word("sex", card) or Sex.UNKNOWN.value)
    except ValueError:
        raise ProtocolError("card field sex is not in the table") from None
    return PluginCard(
        kind=kind,
        number=number.upper(),
        name=name,
        sex=sex,
        birth=_day(_word("birth", card)),
        card_number=_word("card_number", card),
        token=_word("token", card),
    )


def _day(digits: str) -> date | None:
    if not digits:
        return None
    try:
        if len(digits) == 8 and digits.isascii() and digits.isdigit():
            return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        pass
    raise ProtocolError("card field birth is not a date")


def _word(name: str, body: MappingProxyType[str, Any]) -> str:
    word = body.get(name, "")
    if not isinstance(word, str) or _plain(word) != word:
        raise ProtocolError(f"card field {name} is no plain text")
    return word


def _plain(words: str) -> str:
    """Without control characters, lone surrogates and length."""
    plain = "".join(one for one in words if unicodedata.category(one) not in ("Cc", "Cs"))
    return plain[: LINE_BYTES_MAX if plain == words else WORDS_CHARACTERS_MAX]


def _object(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _line(found: dict[str, Any]) -> bytes:
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
