"""The card's side of a social security card, as strict as the notes: for tests, bench and demo.

Knobs are what a region or a worn card is like; what hands do to it (put in, pull out) belongs to
whoever hosts it. It counts what a host must never send: a PIN.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from drivers.pcsc.apdu import (
    DONE,
    FILE_NOT_FOUND,
    RECORD_NOT_FOUND,
    SECURITY,
    UNKNOWN_CLA,
    UNKNOWN_INS,
    WRONG_LENGTH,
    WRONG_P1_P2,
    Answer,
)
from drivers.socialcard.codec import (
    APPLICATION,
    FILES,
    PERSON_FILE,
    SocialCardText,
    encode_card,
    encode_record,
)

ATR = bytes.fromhex("3B6D0000 80318065B0830100E683019000")
FILE_INFORMATION = bytes.fromhex("6F11840F") + APPLICATION
PIN_TRIES = 3
PIN_LOCKED, PIN_WRONG = 0x6983, 0x63C0

MISBEHAVIOURS = MappingProxyType(
    {
        "silent": "answers to power and then to nothing",
        "mute": "no answer to reset: the wrong way round, or no chip",
        "other_card": "a bank card: knows no such application",
        "not_free": "its person's file needs authentication (third generation, some regions)",
        "blank": "made, and never given to a person",
        "broken_name": "a name that is not GB18030",
        "broken_date": "a birth that is no date",
        "wrong_tag": "every record says another's tag",
        "wrong_length": "every record's length contradicts it",
        "endless": "always announces more",
        "wrong_le": "always wants another length",
        "short_answer": "one byte where a status belongs",
        "no_status": "an answer that ends in no status",
        "long_answer": "70 000 bytes in answer to everything",
    }
)


@dataclass(frozen=True)
class CardModel:
    """How this region's cards are made."""

    by_tag: bool = True
    by_number: bool = True
    select_p1: frozenset[int] = frozenset({0x00, 0x02})
    hides_61_6c: bool = False
    """T=1, or a reader that follows 61 and 6C itself."""
    lacks: frozenset[str] = frozenset()
    """Records that such a card does not have, by field."""
    reversed_records: bool = False
    """Another order of the records by number."""


class SocialCardEmulator:
    """A CardEmulator: one card. `commands` is all it was sent; `pin_tries` what is left."""

    def __init__(self, card: SocialCardText, model: CardModel | None = None) -> None:
        self._values = encode_card(card)
        self._model = model or CardModel()
        self._misbehaviour = ""
        self._selected = False
        self._file = b""
        self._held = b""
        self.commands: list[bytes] = []
        self.pin_tries = PIN_TRIES
        self.before_answer: Callable[[bytes], None] = lambda _command: None
        """Called with each command before it is answered: where a test pulls the card."""

    def lay(self, card: SocialCardText) -> None:
        """Another person's card from the next power-up on. ValueError: a field does not fit."""
        self._values = encode_card(card)

    def misbehave(self, name: str) -> None:
        """One of MISBEHAVIOURS from now on."""
        assert name in MISBEHAVIOURS, f"no misbehaviour {name}"
        self._misbehaviour = name

    def behave(self) -> None:
        """As the notes say again."""
        self._misbehaviour = ""

    # -- CardEmulator

    @property
    def atr(self) -> bytes:
        return b"" if self._misbehaviour == "mute" else ATR

    def power_up(self) -> None:
        self._selected, self._file, self._held = False, b"", b""

    def exchange(self, command: bytes) -> bytes | None:
        self.commands.append(command)
        self.before_answer(command)
        match self._misbehaviour:
            case "silent":
                return None
            case "endless":
                return b"\x61\xff" if command[1:2] != b"\xc0" else bytes(255) + b"\x61\xff"
            case "wrong_le":
                return bytes([0x6C, (len(self.commands) * 7) & 0xFF])
            case "short_answer":
                return b"\x90"
            case "no_status":
                return b"\x00\x00"
            case "long_answer":
                return bytes(65530) + b"\x90\x00"
        return self._answer(command).encode()

    # -- the notes

    def _answer(self, command: bytes) -> Answer:
        if len(command) < 4:
            return Answer(b"", WRONG_LENGTH)
        if command[0] != 0x00:
            return Answer(b"", UNKNOWN_CLA)
        held, self._held = self._held, b""
        match command[1]:
            case 0xA4:
                return self._select(command)
            case 0xB2:
                return self._read_record(command)
            case 0xC0 if held and command[4:5] == bytes([len(held)]):
                return Answer(held, DONE)
            case 0x20:
                return self._verify()
        return Answer(b"", UNKNOWN_INS)

    def _select(self, command: bytes) -> Answer:
        p1, what = command[2], command[5 : 5 + command[4]] if len(command) > 4 else b""
        if p1 == 0x04:
            self._selected = what == APPLICATION and self._misbehaviour != "other_card"
            self._file = b""
            return self._with_data(FILE_INFORMATION) if self._selected else _status(FILE_NOT_FOUND)
        if p1 not in self._model.select_p1:
            return _status(WRONG_P1_P2)
        if not self._selected or what not in FILES:
            return _status(FILE_NOT_FOUND)
        self._file = what
        return self._with_data(b"\x6f\x04\x83\x02" + what)

    def _with_data(self, data: bytes) -> Answer:
        """On T=0 what a command with data gives is fetched by GET RESPONSE."""
        if self._model.hides_61_6c:
            return Answer(data, DONE)
        self._held = data
        return Answer(b"", 0x6100 | len(data))

    def _read_record(self, command: bytes) -> Answer:
        if not self._file:
            return _status(FILE_NOT_FOUND)
        if self._file == PERSON_FILE and self._misbehaviour == "not_free":
            return _status(SECURITY)
        record = self._record(command[2], command[3])
        if record is None:
            return _status(RECORD_NOT_FOUND if command[3] in (0x00, 0x04) else WRONG_P1_P2)
        le = command[4] if len(command) > 4 else 0
        if le == len(record) or self._model.hides_61_6c:
            return Answer(record, DONE)
        return _status(0x6C00 | len(record))

    def _record(self, p1: int, p2: int) -> bytes | None:
        fields = [field for field in FILES[self._file] if field.name not in self._model.lacks]
        if self._model.reversed_records:
            fields.reverse()
        by_tag = {field.tag: field for field in fields} if self._model.by_tag else {}
        by_number = dict(enumerate(fields, 1)) if self._model.by_number else {}
        field = {0x00: by_tag, 0x04: by_number}.get(p2, {}).get(p1)
        if field is None:
            return None
        return self._spoil(encode_record(field, self._spoil_value(field.name)))

    def _spoil_value(self, name: str) -> bytes:
        value = self._values[name]
        match self._misbehaviour, name:
            case "blank", _:
                return b"\xff" * len(value)
            case "broken_name", "name":
                return b"\x81\x20" + value[2:]
            case "broken_date", "birth":
                return bytes.fromhex("20231399")
        return value

    def _spoil(self, record: bytes) -> bytes:
        match self._misbehaviour:
            case "wrong_tag":
                return b"\x77" + record[1:]
            case "wrong_length":
                return record[:1] + bytes([record[1] ^ 0x01]) + record[2:]
        return record

    def _verify(self) -> Answer:
        self.pin_tries = max(0, self.pin_tries - 1)
        return _status(PIN_WRONG | self.pin_tries if self.pin_tries else PIN_LOCKED)


def _status(status: int) -> Answer:
    return Answer(b"", status)
