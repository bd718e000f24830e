"""The pseudo-command of such readers and its answer, both directions, pure.

Source: shared protocol notes §1.6, see PROTOCOL.md: `FF B0 00 00 00` gives sizes, then the text.
"""

from __future__ import annotations

from drivers.errors import ProtocolError
from drivers.idcard.card import TEXT_BYTES
from drivers.pcsc.apdu import LE_ANY, READ_BINARY, Command

READER_CLASS = 0xFF
"""A command for the reader, not for the card (PC/SC part 3)."""
TEXT_BLOCK, PHOTO_BLOCKS = 0x00, range(1, 6)
READ_TEXT = Command(READER_CLASS, READ_BINARY, TEXT_BLOCK, 0x00, le=LE_ANY)
HEAD_BYTES = 4
PHOTO_BYTES = 1024


def text_of(data: bytes) -> bytes:
    """The card's 256 bytes. ProtocolError: the sizes before them say something else."""
    size = int.from_bytes(data[:2], "big")
    if len(data) < HEAD_BYTES + TEXT_BYTES or size != TEXT_BYTES:
        raise ProtocolError(f"an answer of {len(data)} bytes is no card's text")
    return data[HEAD_BYTES : HEAD_BYTES + TEXT_BYTES]


def encode_text(text: bytes) -> bytes:
    """The reader's answer; text_of() is its mirror."""
    return len(text).to_bytes(2, "big") + PHOTO_BYTES.to_bytes(2, "big") + text
