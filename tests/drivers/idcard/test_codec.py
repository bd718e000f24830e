"""SDT frames against bytes typed from the manual, and under any cut, noise and flipped bit."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import ProtocolError
from drivers.idcard.codec import (
    BODY_BYTES_MAX,
    BUFFER_BYTES_MAX,
    PREAMBLE,
    Answer,
    Decoder,
    encode,
    encode_answer,
    encode_contents,
    format_sam_id,
    parse_answer,
    split_contents,
)

# PROTOCOLS §1.2, typed by hand; every frame there begins with AAAAAA9669.
REQUESTS = {
    "reset SAM": ("AAAAAA9669 0003 10FF EC", "10FF"),
    "SAM status": ("AAAAAA9669 0003 11FF ED", "11FF"),
    "SAM id": ("AAAAAA9669 0003 12FF EE", "12FF"),
    "find": ("AAAAAA9669 0003 2001 22", "2001"),
    "select": ("AAAAAA9669 0003 2002 21", "2002"),
    "text and photo": ("AAAAAA9669 0003 3001 32", "3001"),
    "with fingerprint": ("AAAAAA9669 0003 3010 23", "3010"),
    "newest address": ("AAAAAA9669 0003 3003 30", "3003"),
    "115200": ("AAAAAA9669 0003 6000 63", "6000"),
    "57600": ("AAAAAA9669 0003 6001 62", "6001"),
    "38400": ("AAAAAA9669 0003 6002 61", "6002"),
    "19200": ("AAAAAA9669 0003 6003 60", "6003"),
    "9600": ("AAAAAA9669 0003 6004 67", "6004"),
}
ANSWERS = {
    "done": ("AAAAAA9669 0004 000090 94", 0x90, ""),
    "card found": ("AAAAAA9669 0008 00009F 00000000 97", 0x9F, "00000000"),
    "no card": ("AAAAAA9669 0004 000080 84", 0x80, ""),
    "selected": ("AAAAAA9669 000C 000090 0000000000000000 9C", 0x90, "0000000000000000"),
    "not selected": ("AAAAAA9669 0004 000081 85", 0x81, ""),
    "read failed": ("AAAAAA9669 0004 000041 45", 0x41, ""),
}


@pytest.mark.parametrize(("frame", "body"), REQUESTS.values(), ids=REQUESTS)
def test_requests_are_as_in_the_manual_both_ways(frame: str, body: str) -> None:
    assert encode(bytes.fromhex(body)) == bytes.fromhex(frame)
    assert Decoder().feed(bytes.fromhex(frame)) == [bytes.fromhex(body)]


@pytest.mark.parametrize(("frame", "status", "data"), ANSWERS.values(), ids=ANSWERS)
def test_answers_are_as_in_the_manual_both_ways(frame: str, status: int, data: str) -> None:
    answer = Answer(status, bytes.fromhex(data))
    assert encode_answer(answer) == bytes.fromhex(frame)
    assert [parse_answer(body) for body in Decoder().feed(bytes.fromhex(frame))] == [answer]


bodies = st.binary(min_size=1, max_size=600)


@given(st.lists(bodies, max_size=4), st.lists(st.integers(0, 2500), max_size=8))
def test_any_cut_of_the_bytes_gives_the_same_bodies(sent: list[bytes], cuts: list[int]) -> None:
    wire = b"".join(encode(body) for body in sent)
    marks = [0, *sorted(cut for cut in cuts if cut < len(wire)), len(wire)]
    decoder = Decoder()
    got = [body for a, b in pairwise(marks) for body in decoder.feed(wire[a:b])]
    assert got == sent


@given(st.binary(max_size=200), bodies)
def test_noise_before_a_frame_is_skipped(noise: bytes, body: bytes) -> None:
    # A preamble in the noise may claim the next bytes as its own; enough frames get it over that.
    wire = noise.replace(PREAMBLE, b"") + encode(body)
    assert Decoder().feed(wire)[-1:] == [body]


@pytest.mark.parametrize("extra", ["AA", "AAAA", "00AAAAAA96", "AAAAAAAAAA", "AAAAAA9669"])
def test_noise_that_lengthens_or_repeats_the_preamble_is_skipped(extra: str) -> None:
    decoder = Decoder()
    frame = encode(b"\x20\x01")
    heard = decoder.feed(bytes.fromhex(extra) + frame)
    heard += decoder.feed(bytes(BODY_BYTES_MAX + 16))
    assert b"\x20\x01" in heard


@pytest.mark.parametrize("name", ANSWERS)
def test_every_flipped_bit_is_noticed(name: str) -> None:
    frame = bytes.fromhex(ANSWERS[name][0])
    for bit in range(len(frame) * 8):
        flipped = bytearray(frame)
        flipped[bit // 8] ^= 1 << bit % 8
        assert Decoder().feed(bytes(flipped)) == [], f"bit {bit}"


@given(st.lists(st.binary(max_size=5000), max_size=12))
@settings(max_examples=50)
def test_the_buffer_stays_bounded_whatever_comes(pieces: list[bytes]) -> None:
    decoder = Decoder()
    for piece in pieces:
        decoder.feed(PREAMBLE + b"\x0f\xff" + piece)
        assert decoder.buffered_bytes <= BUFFER_BYTES_MAX <= 65536


def test_a_frame_that_announces_more_than_any_manual_is_noise() -> None:
    decoder = Decoder()
    assert decoder.feed(PREAMBLE + b"\xff\xff" + encode(b"\x20\x01")) == [b"\x20\x01"]


def test_an_answer_without_its_three_status_bytes_is_none() -> None:
    assert parse_answer(b"\x00\x00") is None
    assert parse_answer(b"\x00\x01\x90") is None


@given(st.binary(max_size=300), st.binary(max_size=50), st.none() | st.binary(max_size=50))
def test_contents_come_apart_as_they_were_put_together(
    text: bytes, photo: bytes, fingerprint: bytes | None
) -> None:
    data = encode_contents(text, photo, fingerprint)
    contents = split_contents(data, with_fingerprint=fingerprint is not None)
    assert (contents.text, contents.fingerprint) == (text, fingerprint or b"")


@pytest.mark.parametrize("data", ["", "01", "0100", "01000400", "00010001 00", "00010000 0000"])
def test_sizes_that_contradict_the_length_are_an_error(data: str) -> None:
    with pytest.raises(ProtocolError):
        split_contents(bytes.fromhex(data), with_fingerprint=False)


def test_the_sam_id_reads_as_on_the_label() -> None:
    # PROTOCOLS §1.2: data[0], data[2], three little-endian numbers. 20201124 is 0x01343EA4.
    raw = bytes.fromhex("05000100 A43E3401 D2040000 2E160000")
    assert format_sam_id(raw) == "05.01-20201124-0000001234-0000005678"
    with pytest.raises(ProtocolError):
        format_sam_id(raw[:-1])


def test_what_a_card_says_is_in_no_repr() -> None:
    contents = split_contents(encode_contents(b"secret", b""), with_fingerprint=False)
    assert "secret" not in repr(contents) + repr(Answer(0x90, b"secret"))
