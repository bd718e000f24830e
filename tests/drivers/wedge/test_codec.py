"""Key events against records typed by hand from linux/input.h, any cut, noise and strange keys."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import ProtocolError
from drivers.wedge.codec import (
    BUFFER_BYTES_MAX,
    PLAIN,
    RECORD,
    SHIFTED,
    KeyDecoder,
    encode_key,
    encode_text,
)

# struct input_event on 64 bits (drivers/wedge/PROTOCOL.md §Record), typed by hand:
# tv_sec 1, tv_usec 2, then type, code, value. KEY_1 is 2, KEY_A 30, KEY_LEFTSHIFT 42, KEY_ENTER 28.
HEAD = "01000000 00000000 02000000 00000000"
SYN = bytes.fromhex(HEAD + "0000 0000 00000000")


def event(rest: str) -> bytes:
    return bytes.fromhex(HEAD + rest) + SYN


ONE = event("0100 0200 01000000") + event("0100 0200 00000000")
SHIFT_DOWN, SHIFT_UP = event("0100 2A00 01000000"), event("0100 2A00 00000000")
A = event("0100 1E00 01000000") + event("0100 1E00 00000000")
ENTER = event("0100 1C00 01000000") + event("0100 1C00 00000000")
SCAN_CODE = bytes.fromhex(HEAD + "0400 0400 1E000700")  # EV_MSC, MSC_SCAN: comes before each key
REPEAT = event("0100 1E00 02000000")
DROPPED = bytes.fromhex(HEAD + "0000 0300 00000000")


def test_a_record_has_24_bytes_as_the_kernel_writes_it() -> None:
    assert RECORD.size == 24
    assert encode_key(2, 1, at_s=1.000002) == event("0100 0200 01000000")


TYPED = {
    "a digit": (ONE, b"1"),
    "a small letter": (A, b"a"),
    "a capital": (SHIFT_DOWN + A + SHIFT_UP + A, b"Aa"),
    "Enter": (ONE + ENTER, b"1\r"),
    "a scan code is nothing": (SCAN_CODE + A, b"a"),
    "a key held down counts once": (A[:48] + REPEAT + REPEAT, b"a"),
    "a key that is no character": (event("0100 3B00 01000000"), b"\x00"),
    "lost events spoil the code": (ONE + DROPPED + ONE, b"1\x00\r1"),
}


@pytest.mark.parametrize(("events", "typed"), TYPED.values(), ids=TYPED)
def test_keys_become_what_a_serial_scanner_would_send(events: bytes, typed: bytes) -> None:
    assert KeyDecoder().feed(events) == typed


printable = st.text(
    st.sampled_from(sorted(set(PLAIN.values()) | set(SHIFTED.values()))), max_size=30
)


@given(printable, st.lists(st.integers(0, 4000), max_size=6))
def test_whatever_is_typed_arrives_in_any_cut(text: str, cuts: list[int]) -> None:
    wire = encode_text(text + "\r", at_s=12.5)
    marks = [0, *sorted(cut for cut in cuts if cut < len(wire)), len(wire)]
    decoder = KeyDecoder()
    typed = b"".join(decoder.feed(wire[a:b]) for a, b in pairwise(marks))
    assert typed == text.encode() + b"\r"


def test_every_printable_ascii_character_can_be_typed() -> None:
    text = "".join(map(chr, range(0x20, 0x7F)))
    assert KeyDecoder().feed(encode_text(text)) == text.encode()


def test_noise_puts_records_out_of_step_which_is_an_error_and_the_next_whole_one_is_read() -> None:
    decoder = KeyDecoder()
    with pytest.raises(ProtocolError):
        decoder.feed(b"\xff" * 7 + ONE)
    assert decoder.feed(ONE) == b"1"


@given(st.binary(max_size=3000))
def test_the_buffer_stays_bounded_whatever_comes(noise: bytes) -> None:
    decoder = KeyDecoder()
    with suppress(ProtocolError):
        decoder.feed(noise)
    assert decoder.buffered_bytes < RECORD.size <= BUFFER_BYTES_MAX


def test_what_a_us_keyboard_has_not_cannot_be_typed() -> None:
    with pytest.raises(ValueError, match="US keyboard"):
        encode_text("张")
