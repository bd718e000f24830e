"""From a scanner's bytes to a code's text, pure: framing, cleaning, decoding, refusing.

A code ends with CR, LF, CRLF or a pause. Whoever holds a code before the scanner decides what it
says, so nothing passes that could hide or act: no control character, no bidi, nothing invisible.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum

from drivers.scanner.models import Reply

CODE_BYTES_MAX = 4096  # the largest QR code holds 2 953 bytes
FEED_SLICE_BYTES = 4096
BUFFER_BYTES_MAX = CODE_BYTES_MAX + FEED_SLICE_BYTES

TERMINATOR = re.compile(rb"[\r\n]")
AIM_PREFIX = re.compile(rb"\A\][A-Za-z][0-9A-Za-z]")
STX, ETX = b"\x02", b"\x03"

TWO_BYTE_MAX = 0x7FF  # the last character that UTF-8 writes in two bytes
SCRIPT_WORD_LETTERS = 3

BIDI_CLASSES = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
BIDI_MARKS = "\u200e\u200f\u061c"
INVISIBLE = "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0"


class GarbageReason(Enum):
    """Why something that the scanner sent is not taken for a code."""

    TOO_LONG = "too_long"
    NOT_TEXT = "not_text"
    CONTROL_CHARACTER = "control_character"
    BIDI_CONTROL = "bidi_control"
    INVISIBLE_CHARACTER = "invisible_character"


@dataclass(frozen=True, repr=False)
class Scanned:
    """A code's text; who may use it as what is the screen's business. repr hides it."""

    text: str

    def __repr__(self) -> str:
        return f"Scanned({len(self.text)} characters)"


@dataclass(frozen=True)
class Garbage:
    """Something came that is no code; nothing of it is kept."""

    reason: GarbageReason


class Framer:
    """Cuts a scanner's bytes into codes, however they arrive. None stands for one too long."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._too_long = False

    @property
    def buffered_bytes(self) -> int:
        """How much of an unfinished code is held; never above BUFFER_BYTES_MAX."""
        return len(self._buffer)

    @property
    def in_code(self) -> bool:
        """Whether a code has begun and not ended."""
        return self._too_long or bool(self._buffer)

    def feed(self, data: bytes) -> list[bytes | None]:
        """The codes that are whole now, in order."""
        codes: list[bytes | None] = []
        for at in range(0, len(data), FEED_SLICE_BYTES):
            *whole, rest = TERMINATOR.split(data[at : at + FEED_SLICE_BYTES])
            for piece in whole:
                self._add(piece)
                codes += self.end()
            self._add(rest)
        return codes

    def end(self) -> list[bytes | None]:
        """A terminator or a pause: the code that was under way, if any."""
        code = None if self._too_long else bytes(self._buffer)
        self.reset()
        return [code] if code != b"" else []

    def reset(self) -> None:
        """Forget what is half received."""
        self._buffer.clear()
        self._too_long = False

    def _add(self, piece: bytes) -> None:
        if self._too_long:
            return
        self._buffer += piece
        if len(self._buffer) > CODE_BYTES_MAX:
            self._buffer.clear()
            self._too_long = True


def clean(code: bytes, reply: Reply) -> bytes:
    """The code without the scanner's own words: replies, STX/ETX, AIM identifier."""
    while (found := reply.find(code)) is not None and found[0] == 0:
        code = code[found[1] :]
    code = code.removeprefix(STX).removesuffix(ETX)
    return AIM_PREFIX.sub(b"", code)


def read_text(code: bytes) -> Scanned | Garbage:
    """What a cleaned code says, as UTF-8 or else GB18030."""
    text = _decode(code)
    if text is None:
        return Garbage(GarbageReason.NOT_TEXT)
    reason = _refusal(text)
    return Garbage(reason) if reason is not None else Scanned(text)


def _decode(code: bytes) -> str | None:
    as_utf8, as_gb = _try(code, "utf-8"), _try(code, "gb18030")
    if as_utf8 is None or as_utf8.isascii():
        return as_utf8 or as_gb
    # One Chinese name in twenty of two characters, sent as GB2312, is valid UTF-8 too: a few
    # letters of scripts that nobody would mix. Everyday hanzi are the likelier meaning then.
    hanzi = _try(code, "gb2312")
    return hanzi if hanzi is not None and _is_unlikely(as_utf8) else as_utf8


def _try(code: bytes, encoding: str) -> str | None:
    try:
        return code.decode(encoding)
    except UnicodeDecodeError:
        return None


def _is_unlikely(text: str) -> bool:
    """Whether text is no word of one script: letters of several, or one or two strange signs."""
    strange = [sign for sign in text if not sign.isascii()]
    if any(ord(sign) > TWO_BYTE_MAX for sign in strange):
        return False  # three bytes in step are no accident
    scripts = {unicodedata.name(sign, "?").split()[0] for sign in strange}
    if scripts == {"LATIN"} and any(sign.isalpha() and sign.isascii() for sign in text):
        return False  # an accent in a European name
    return len(scripts) > 1 or len(strange) < SCRIPT_WORD_LETTERS or scripts == {"LATIN"}


def _refusal(text: str) -> GarbageReason | None:
    for sign in text:
        category = unicodedata.category(sign)
        if category in {"Cc", "Zl", "Zp"}:
            return GarbageReason.CONTROL_CHARACTER
        if sign in BIDI_MARKS or unicodedata.bidirectional(sign) in BIDI_CLASSES:
            return GarbageReason.BIDI_CONTROL
        if category == "Cf" or sign in INVISIBLE or _selects_a_variant(sign):
            return GarbageReason.INVISIBLE_CHARACTER
        if category in {"Cn", "Co", "Cs"}:
            return GarbageReason.NOT_TEXT
    return None


def _selects_a_variant(sign: str) -> bool:
    return "\ufe00" <= sign <= "\ufe0f" or "\U000e0100" <= sign <= "\U000e01ef"
