"""The reader's side: an ID card behind a PC/SC reader that answers FF B0.

Laying and lifting the card is what its host does: the card is in the slot, or is not.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

from drivers.idcard import card as card_text
from drivers.idcard.card import CardText
from drivers.idcard_pcsc.codec import PHOTO_BLOCKS, READER_CLASS, TEXT_BLOCK, encode_text
from drivers.pcsc.apdu import DONE, NOT_SUPPORTED, READ_BINARY, WRONG_LENGTH, WRONG_P1_P2, Answer

ATR = bytes.fromhex("3B88800100000000 00C1B04078")  # ISO 14443 type B, as PC/SC part 3 has it
CARD_REFUSED = 0x6985
PHOTO_BLOCK_BYTES = 256

MISBEHAVIOURS = MappingProxyType(
    {
        "silent": "answers to power and then to nothing",
        "mute": "no answer to reset: laid badly",
        "card_refused": "the card refuses this reader (foreign, worn or forged)",
        "other_reader": "a reader that knows no such command",
        "short_text": "half the text",
        "wrong_sizes": "sizes that contradict the text",
        "broken_text": "a card whose dates are no dates",
        "no_status": "an answer that ends in no status",
        "endless": "always announces more",
    }
)


class PcscIdCardEmulator:
    """A CardEmulator; `card` lies on the reader for as long as its host says so."""

    def __init__(self, card: CardText | bytes) -> None:
        self._text = card if isinstance(card, bytes) else card_text.encode(card)
        self._misbehaviour = ""
        self.commands: list[bytes] = []
        self.before_answer: Callable[[bytes], None] = lambda _command: None
        """Called with each command before it is answered: where a test lifts the card."""

    def lay(self, card: CardText) -> None:
        """Another card lies there from the next reading on. ValueError: does not fit."""
        self._text = card_text.encode(card)

    def misbehave(self, name: str) -> None:
        """One of MISBEHAVIOURS from now on."""
        assert name in MISBEHAVIOURS, f"no misbehaviour {name}"
        self._misbehaviour = name

    def behave(self) -> None:
        """As the notes say again."""
        self._misbehaviour = ""

    @property
    def atr(self) -> bytes:
        return b"" if self._misbehaviour == "mute" else ATR

    def power_up(self) -> None:
        return

    def exchange(self, command: bytes) -> bytes | None:
        self.commands.append(command)
        self.before_answer(command)
        match self._misbehaviour:
            case "silent":
                return None
            case "no_status":
                return b"\x00\x00"
            case "endless":
                return b"\x61\xff"
            case "other_reader":
                return Answer(b"", NOT_SUPPORTED).encode()
            case "card_refused":
                return Answer(b"", CARD_REFUSED).encode()
        return self._answer(command).encode()

    def _answer(self, command: bytes) -> Answer:
        if len(command) != 5:
            return Answer(b"", WRONG_LENGTH)
        if command[:2] != bytes([READER_CLASS, READ_BINARY]) or command[3]:
            return Answer(b"", NOT_SUPPORTED)
        if command[2] == TEXT_BLOCK:
            return Answer(self._spoil(encode_text(self._text)), DONE)
        if command[2] in PHOTO_BLOCKS:
            return Answer(bytes(PHOTO_BLOCK_BYTES), DONE)
        return Answer(b"", WRONG_P1_P2)

    def _spoil(self, data: bytes) -> bytes:
        match self._misbehaviour:
            case "short_text":
                return data[:128]
            case "wrong_sizes":
                return b"\x00\x80" + data[2:]
            case "broken_text":
                return data[:40] + "20231399".encode("utf-16-le") + data[56:]
        return data
