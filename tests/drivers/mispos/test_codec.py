"""MIS-POS bytes against the frame typed by hand from PROTOCOLS §4.3a, and synthetic answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import ProtocolError
from drivers.mispos.codec import (
    FRAME_BYTES_MAX,
    FrameReader,
    Request,
    Response,
    Tlv,
    encode_frame,
    encode_tlvs,
    parse_request,
    parse_response,
    parse_tlvs,
)
from drivers.pad import Charged, MaskedPan, PadTime

SALE = bytes.fromhex(
    "02 0032 DF010100 DF04021234 DF020101 DF08025555 DF0306000000001250 DF09023004 03 61"
)
"""PROTOCOLS §4.3a: a sale of 12.50 with echo 1234.

The LRC is typed by the rule (XOR of length, data and 03, as the vendor's program has it both
ways): 61. The page's example says 62, which is the XOR without the 03.
"""

# Tags and forms as the vendor's program reads them; every value invented.
DETAILS = (
    "DF1106 303030303037"  # batch 000007
    "DF1208 3532353030303339"  # terminal 52500039
    "DF030A 524D42202031322E3530"  # RMB  12.50
    "DF0A03 000066"
    "DF1003 000005"
    "DF1A0C 303030303030303030303636"
    "DF1C04 30373231"
    "DF1D06 303933303135"
    "DF1E0E 2A2A2A2A2A2A2A2A2A2A 31323334"
)
ANSWER = bytes.fromhex("DF010102 DF020101 DF04021234 DF06 5D" + DETAILS + "DF0702 3030")


def test_a_sale_is_the_frame_of_the_manual() -> None:
    assert encode_frame(Request(1, 1234, 1250).encode()) == SALE
    assert parse_request(FrameReader().feed(SALE)[0]) == Request(1, 1234, 1250)


def test_an_approval_says_all_that_a_journal_needs() -> None:
    response = parse_response(ANSWER)
    assert (response.tran_code, response.echo, response.result) == (1, 1234, "00")
    charged = response.charged
    assert (charged.amount_fen, charged.trace, charged.receipt_no) == (1250, 66, 5)
    assert charged.at == PadTime(7, 21, 9, 30, 15)
    assert (charged.terminal_id, charged.batch) == ("52500039", "000007")
    assert charged.retrieval_ref == "000000000066"
    assert charged.pan == MaskedPan("1234")
    assert not response.is_undone


def test_a_card_number_is_never_printed() -> None:
    response = parse_response(ANSWER)
    assert "1234" not in repr(response.charged)
    assert "3132" not in repr(parse_tlvs(ANSWER))


def test_a_void_has_a_negative_amount() -> None:
    body = ANSWER.replace(b"RMB  12.50", b"RMB- 12.50")
    response = parse_response(body)
    assert response.is_undone and response.charged.amount_fen == 1250


def test_the_pads_own_results_are_eight_digits() -> None:
    body = bytes.fromhex("DF010102 DF020101 DF04021234 DF0704 00010014")
    assert parse_response(body).result == "00010014"


def test_an_answer_is_parsed_as_it_was_built() -> None:
    response = parse_response(ANSWER)
    assert parse_response(response.encode()) == response
    undone = Response(2, 9, "00", Charged(30, trace=7, receipt_no=6), is_undone=True)
    assert parse_response(undone.encode()) == undone


@pytest.mark.parametrize("size", [0, 127, 128, 255, 256, 900])
def test_lengths_are_of_one_two_or_three_bytes(size: int) -> None:
    tlv = Tlv(0xDF06, bytes(size))
    assert len(tlv.encode()) == 2 + (1 if size < 128 else 2 if size < 256 else 3) + size
    assert parse_tlvs(encode_tlvs([tlv, tlv])) == (tlv, tlv)


def test_the_frame_is_read_however_it_is_cut() -> None:
    for cut in range(len(SALE)):
        reader = FrameReader()
        assert reader.feed(SALE[:cut]) + reader.feed(SALE[cut:]) == [SALE[3:-2]]


def test_no_flipped_bit_passes() -> None:
    for bit in range(8 * len(SALE)):
        spoilt = bytearray(SALE)
        spoilt[bit // 8] ^= 1 << bit % 8
        assert SALE[3:-2] not in FrameReader().feed(bytes(spoilt))


def test_a_stray_ack_before_the_frame_is_passed_over() -> None:
    assert FrameReader().feed(b"\x06" + SALE) == [SALE[3:-2]]


@given(st.binary(max_size=300))
def test_noise_is_survived_and_kept_short(noise: bytes) -> None:
    reader = FrameReader()
    reader.feed(noise)
    heard: list[bytes] = []
    for _ in range(FRAME_BYTES_MAX // len(SALE) + 2):
        heard += reader.feed(SALE)
    assert SALE[3:-2] in heard
    assert len(reader) <= FRAME_BYTES_MAX


@given(st.binary(max_size=80))
def test_no_bytes_raise_anything_but_protocol_error(data: bytes) -> None:
    for parse in (parse_tlvs, parse_request, parse_response):
        try:
            parse(data)
        except ProtocolError:
            continue


@pytest.mark.parametrize(
    "words", [b"RMB  12.5", b"RMB 1e5.00", b"12", b"RMB  --1.00", b"RMB  \xc2\xb2.00"]
)
def test_an_amount_that_is_no_amount_is_refused(words: bytes) -> None:
    details = Tlv(0xDF03, words).encode()
    head = bytes.fromhex("DF020101 DF04021234 DF07023030")
    with pytest.raises(ProtocolError):
        parse_response(head + Tlv(0xDF06, details).encode())


@pytest.mark.parametrize("wide", ["DF02021235", "DF0403001234", "DF0307000000000012 50"])
def test_a_request_whose_number_is_too_wide_is_refused(wide: str) -> None:
    rest = {"DF04": "DF04021234", "DF02": "DF020102", "DF08": "DF08025555"}
    rest[wide[:4]] = wide
    with pytest.raises(ProtocolError):
        parse_request(bytes.fromhex("".join(rest.values())))
