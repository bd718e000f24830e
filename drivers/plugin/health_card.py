"""What a vendor's library does inside: a health card (居民健康卡) opened with a PSAM's help.

A worked example. Files and records are those of shared protocol notes §2 [C]; the cryptography is
an emulation of our own (HMAC), for the real one is the issuer's secret: nothing here opens a real
card, and nothing here runs in core.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from drivers.errors import ProtocolError
from drivers.idcard.card import Sex
from drivers.pcsc.apdu import (
    DONE,
    FILE_NOT_FOUND,
    RECORD_NOT_FOUND,
    SECURITY,
    WRONG_LENGTH,
    Answer,
    parse_answer,
)
from drivers.plugin.codec import PluginCard

Exchange = Callable[[bytes], bytes | None]
"""One command to a card in a slot, its answer with the status; None: it says nothing."""

MASTER_KEY = b"an emulation, and no key of anybody"
WRONG_CRYPTOGRAM = 0x6300
CHALLENGE_BYTES, CRYPTOGRAM_BYTES, SERIAL_BYTES = 8, 8, 10
COMMAND_BYTES_MIN = 4
SELECT_FREE, SELECT_PERSON = bytes.fromhex("00A4020002EF05"), bytes.fromhex("00A4020002EF06")
READ_CARD_NUMBER, READ_SERIAL = bytes.fromhex("00B2070400"), bytes.fromhex("00B2090400")
GET_CHALLENGE = bytes.fromhex("0084000008")
PERSON_RECORDS = {"name": 1, "sex": 2, "nation": 3, "birth": 4, "number": 5}


class NotAHealthCard(Exception):
    """The card knows no such files."""


class PsamRefused(Exception):
    """There is no PSAM, or it will not compute."""


@dataclass(frozen=True, repr=False)
class HealthCardText:
    """What is on a synthetic card."""

    number: str
    name: str
    sex: Sex
    birth: date
    card_number: str = "A00000000000000001"
    serial: bytes = bytes(range(SERIAL_BYTES))


def diversify(serial: bytes) -> bytes:
    """The card's own key, of the master key and its chip's serial."""
    return hmac.new(MASTER_KEY, serial, hashlib.sha256).digest()[:16]


def cryptogram(key: bytes, challenge: bytes) -> bytes:
    """What proves the key without telling it."""
    return hmac.new(key, challenge, hashlib.sha256).digest()[:CRYPTOGRAM_BYTES]


class HealthCardEmulator:
    """A CardEmulator: EF05 is free, EF06 opens after external authentication."""

    atr = bytes.fromhex("3B6D000080318065B0830100E683019000")

    def __init__(self, card: HealthCardText) -> None:
        self._card = card
        self._file, self._open, self._challenges = b"", False, 0

    def power_up(self) -> None:
        self._file, self._open = b"", False

    def exchange(self, command: bytes) -> bytes | None:
        return self._answer(command).encode()

    def _answer(self, command: bytes) -> Answer:
        if len(command) < COMMAND_BYTES_MIN:
            return Answer(b"", WRONG_LENGTH)
        match command[:2]:
            case b"\x00\xa4" if command[5:7] in (b"\xef\x05", b"\xef\x06"):
                self._file = command[5:7]
                return Answer(b"", DONE)
            case b"\x00\xb2":
                return self._record(command[2])
            case b"\x00\x84":
                self._challenges += 1
                return Answer(self._challenge(), DONE)
            case b"\x00\x82":
                key = diversify(self._card.serial)
                self._open = command[5:] == cryptogram(key, self._challenge())
                return Answer(b"", DONE if self._open else WRONG_CRYPTOGRAM)
        return Answer(b"", FILE_NOT_FOUND)

    def _challenge(self) -> bytes:
        return self._challenges.to_bytes(CHALLENGE_BYTES, "big")

    def _record(self, number: int) -> Answer:
        card = self._card
        if self._file == b"\xef\x06" and not self._open:
            return Answer(b"", SECURITY)
        free = {7: card.card_number.encode(), 9: card.serial}
        person = {
            1: card.name.encode("gb18030").ljust(30, b"\x00"),
            2: card.sex.value.encode(),
            3: b"\x01",
            4: bytes.fromhex(f"{card.birth:%Y%m%d}"),
            5: card.number.encode(),
        }
        value = (free if self._file == b"\xef\x05" else person).get(number)
        if value is None:
            return Answer(b"", RECORD_NOT_FOUND)
        return Answer(bytes([number, len(value)]) + value, DONE)


class PsamEmulator:
    """A CardEmulator: knows the master key, and gives away only cryptograms."""

    atr = bytes.fromhex("3B6D000080318065B0830100E683019000")

    def __init__(self) -> None:
        self._key = b""

    def power_up(self) -> None:
        self._key = b""

    def exchange(self, command: bytes) -> bytes | None:
        match command[:2]:
            case b"\x80\x1a":
                self._key = diversify(command[5:])
                return b"\x90\x00"
            case b"\x80\xfa" if self._key:
                return cryptogram(self._key, command[5:]) + b"\x90\x00"
        return Answer(b"", SECURITY).encode()


def read_health_card(card: Exchange, psam: Exchange) -> PluginCard:
    """The whole reading. NotAHealthCard, PsamRefused; ProtocolError: garbage."""
    if _ask(card, SELECT_FREE).status != DONE:
        raise NotAHealthCard
    card_number, serial = _value(card, READ_CARD_NUMBER), _value(card, READ_SERIAL)
    _open(card, psam, serial)
    if _ask(card, SELECT_PERSON).status != DONE:
        raise NotAHealthCard
    values = {name: _value(card, _record(at)) for name, at in PERSON_RECORDS.items()}
    try:
        return PluginCard(
            kind="health_card",
            number=values["number"].decode("ascii"),
            name=values["name"].rstrip(b"\x00 \xff").decode("gb18030"),
            sex=Sex(values["sex"].decode("ascii")),
            birth=date.fromisoformat(values["birth"].hex()),
            card_number=card_number.decode("ascii"),
        )
    except ValueError:
        raise ProtocolError("the health card's fields make no sense") from None


def _open(card: Exchange, psam: Exchange, serial: bytes) -> None:
    challenge = _ask(card, GET_CHALLENGE).data
    if len(challenge) != CHALLENGE_BYTES or len(serial) != SERIAL_BYTES:
        raise ProtocolError("a challenge or a serial of another length")
    if _ask(psam, b"\x80\x1a\x00\x00" + bytes([len(serial)]) + serial).status != DONE:
        raise PsamRefused
    proof = _ask(psam, b"\x80\xfa\x00\x00" + bytes([len(challenge)]) + challenge)
    if proof.status != DONE or len(proof.data) != CRYPTOGRAM_BYTES:
        raise PsamRefused
    proven = b"\x00\x82\x00\x00" + bytes([len(proof.data)]) + proof.data
    if _ask(card, proven).status != DONE:
        raise PsamRefused


def _record(number: int) -> bytes:
    return bytes([0x00, 0xB2, number, 0x04, 0x00])


def _value(card: Exchange, command: bytes) -> bytes:
    answer = _ask(card, command)
    if answer.status != DONE or len(answer.data) < 2:
        raise NotAHealthCard
    return answer.data[2:]


def _ask(slot: Exchange, command: bytes) -> Answer:
    return parse_answer(slot(command) or b"")
