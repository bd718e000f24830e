"""The device's side of an ID card reader, as strict as the manual: for bench, demo and tests.

Knobs are what hands do: lay a card, lift it. Faults of the line belong to the cable; a
misbehaviour here is what a worn or wrong reader itself would say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from drivers.idcard import card as card_text
from drivers.idcard.card import CardText
from drivers.idcard.codec import (
    BAUDS,
    CARD_FOUND,
    FIND_FAILED,
    NO_CONTENT,
    OK,
    READ_FAILED,
    SELECT_FAILED,
    Answer,
    Decoder,
    encode_answer,
    encode_contents,
)

PHOTO_BYTES = 1024
ADDRESS_BYTES = 70
SYNTHETIC_SAM_ID = bytes.fromhex("05000100 A43E3401 01000000 02000000")
NOT_ALLOWED = 0x21
CARD_REFUSED, MODULE_FAILED, MODULE_UNAUTHORISED = 0x31, 0x60, 0x66

MISBEHAVIOURS = MappingProxyType(
    {
        "silent": "answers nothing",
        "slow": "answers after five seconds, when nobody waits any more",
        "noise": "rubbish before every answer, one false preamble in it",
        "wrong_checksum": "every answer's last byte is wrong",
        "half_frame": "stops in the middle of every answer",
        "two_answers": "says everything twice",
        "late_answer": "says everything again just before the next answer",
        "lifted_mid_read": "the card slips away between select and read",
        "card_refused": "the card refuses this reader (foreign, worn or forged)",
        "dead_sam": "the security module fails its self-test",
        "unknown_status": "a status that is in no manual",
        "oversized": "announces 65 535 bytes and never sends them",
        "wrong_sizes": "the read answer's header contradicts its length",
        "broken_text": "a card whose dates are no dates",
    }
)

SLOW_S = 5.0


@dataclass(frozen=True)
class Delays:
    """How long this reader thinks, seconds: real ones take 0.1–1 s to find, up to 2 s to read."""

    find_s: float = 0.0
    select_s: float = 0.0
    read_s: float = 0.0


@dataclass(frozen=True, repr=False)
class _Laid:
    text: bytes
    fingerprint: bytes
    newest_address: str


class IdCardReaderEmulator:
    """An Emulator. `sam_id` is the 16 raw bytes; `baud` follows the host's wish."""

    def __init__(self, sam_id: bytes = SYNTHETIC_SAM_ID, delays: Delays | None = None) -> None:
        assert len(sam_id) == 16
        self.sam_id = sam_id
        self.delays = delays or Delays()
        self.baud = 115200
        self.reads = 0
        """Cards read so far, so that a test can count."""
        self._decoder = Decoder()
        self._misbehaviour = ""
        self._laid: _Laid | None = None
        self._found = self._selected = self._read = False
        self._now_s = 0.0
        self._waiting: list[tuple[float, bytes]] = []
        self._last_sent = b""

    # -- what hands do

    def lay(
        self, card: CardText | bytes, *, fingerprint: bytes = b"", newest_address: str = ""
    ) -> None:
        """Put a card on the reader: values, or the raw 256 bytes. ValueError: does not fit."""
        text = card if isinstance(card, bytes) else card_text.encode(card)
        if len(newest_address.encode("utf-16-le")) > ADDRESS_BYTES:
            raise ValueError("newest address is longer than 35 characters")
        self._laid = _Laid(text, fingerprint, newest_address)
        self._found = self._selected = self._read = False

    def lift(self) -> None:
        """Take the card away; nothing happens when there is none."""
        self._laid = None
        self._found = self._selected = self._read = False

    def power_cycle(self) -> None:
        """The reader loses power for a moment: it forgets all but the card that lies there."""
        self._decoder.reset()
        self._waiting.clear()
        self._found = self._selected = self._read = False
        self.baud = 115200

    @property
    def card_laid(self) -> bool:
        """Whether a card lies there, read or not."""
        return self._laid is not None

    def misbehave(self, name: str) -> None:
        """One of MISBEHAVIOURS from now on."""
        assert name in MISBEHAVIOURS, f"no misbehaviour {name}"
        self._misbehaviour = name

    def behave(self) -> None:
        """As the manual says again; what was late is forgotten."""
        self._misbehaviour = ""
        self._waiting.clear()

    # -- Emulator

    def receive(self, data: bytes) -> bytes:
        """Requests in any cut; the answers that need no thinking."""
        return b"".join(self._reply(body) for body in self._decoder.feed(data))

    def tick(self, now_s: float) -> bytes:
        """Answers whose thinking time is over."""
        self._now_s = now_s
        due = [frame for at_s, frame in self._waiting if at_s <= now_s]
        self._waiting = [(at_s, frame) for at_s, frame in self._waiting if at_s > now_s]
        return b"".join(due)

    def _reply(self, body: bytes) -> bytes:
        frame = self._spoil(encode_answer(self._answer(body)))
        wait_s = SLOW_S if self._misbehaviour == "slow" else self._thinking_s(body)
        if not wait_s:
            return frame
        self._waiting.append((self._now_s + wait_s, frame))
        return b""

    def _thinking_s(self, body: bytes) -> float:
        match body[:1], body[1:2]:
            case b"\x20", b"\x01":
                return self.delays.find_s
            case b"\x20", b"\x02":
                return self.delays.select_s
            case b"\x30", _:
                return self.delays.read_s
        return 0.0

    # -- the manual

    def _answer(self, body: bytes) -> Answer:
        if self._misbehaviour == "dead_sam":
            return Answer(MODULE_FAILED, b"")
        if self._misbehaviour == "unknown_status":
            return Answer(0x77, b"")
        handler = self._handlers().get(body)
        return handler() if handler is not None else Answer(NOT_ALLOWED, b"")

    def _handlers(self) -> dict[bytes, Callable[[], Answer]]:
        return {
            b"\x10\xff": self._reset,
            b"\x11\xff": lambda: Answer(OK, b""),
            b"\x12\xff": lambda: Answer(OK, self.sam_id),
            b"\x20\x01": self._find,
            b"\x20\x02": self._select,
            b"\x30\x01": lambda: self._read_card(with_fingerprint=False),
            b"\x30\x10": lambda: self._read_card(with_fingerprint=True),
            b"\x30\x03": self._read_address,
        } | {bytes([0x60, code]): partial(self._set_baud, baud) for baud, code in BAUDS.items()}

    def _reset(self) -> Answer:
        self._found = self._selected = self._read = False
        return Answer(OK, b"")

    def _find(self) -> Answer:
        # A card that was read keeps silent until it is lifted and put again.
        self._found = self._laid is not None and not self._read
        return Answer(CARD_FOUND, bytes(4)) if self._found else Answer(FIND_FAILED, b"")

    def _select(self) -> Answer:
        self._selected = self._found
        return Answer(OK, bytes(8)) if self._selected else Answer(SELECT_FAILED, b"")

    def _read_card(self, *, with_fingerprint: bool) -> Answer:
        if self._misbehaviour == "lifted_mid_read":
            self.lift()
        if self._laid is None or not self._selected or self._read:
            return Answer(READ_FAILED, b"")
        if self._misbehaviour == "card_refused":
            return Answer(CARD_REFUSED, b"")
        self._read = True
        self.reads += 1
        fingerprint = self._laid.fingerprint if with_fingerprint else None
        data = encode_contents(self._text(self._laid), bytes(PHOTO_BYTES), fingerprint)
        if self._misbehaviour == "wrong_sizes":
            data = b"\x01\x02" + data[2:]
        return Answer(OK, data)

    def _text(self, laid: _Laid) -> bytes:
        if self._misbehaviour == "broken_text":
            return laid.text[:36] + "20231399".encode("utf-16-le") + laid.text[52:]
        return laid.text

    def _read_address(self) -> Answer:
        if self._laid is None or not self._selected:
            return Answer(READ_FAILED, b"")
        if not self._laid.newest_address:
            return Answer(NO_CONTENT, b"")
        return Answer(OK, self._laid.newest_address.ljust(35).encode("utf-16-le")[:ADDRESS_BYTES])

    def _set_baud(self, baud: int) -> Answer:
        self.baud = baud
        return Answer(OK, b"")

    def _spoil(self, frame: bytes) -> bytes:
        previous, self._last_sent = self._last_sent, frame
        match self._misbehaviour:
            case "silent":
                return b""
            case "noise":
                return bytes.fromhex("00FF55AAAAAAAAAA9669 0005 1122 AAAAAA96") + frame
            case "wrong_checksum":
                return frame[:-1] + bytes([frame[-1] ^ 0x01])
            case "half_frame":
                return frame[: len(frame) // 2]
            case "two_answers":
                return frame + frame
            case "late_answer":
                return previous + frame
            case "oversized":
                return frame[:5] + b"\xff\xff" + frame[7:]
        return frame
