"""UnionPay records, widths typed by hand from PROTOCOLS §4.3b: bytes, not characters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import ProtocolError
from drivers.pad import Charged, MaskedPan, PadTime
from drivers.unionpay.codec import (
    FRAME_BYTES_MAX,
    FrameReader,
    Request,
    Response,
    encode_frame,
    fit,
    parse_request,
    parse_response,
)

SALE = (
    b"    0001"  # counter 8
    b"      81"  # operator 8
    b"00"  # sale
    b"000000001250"  # amount 12, fen
    b"      "  # old trace 6
    b"        "  # old date 8
    b"            "  # old reference 12
    b"      "  # old authorisation 6
    b"      " + b" " * 1024 + b"042"  # old batch 6
)
ANSWER = (
    b"00"
    + b" " * 32
    + bytes.fromhex("BDBBD2D7B3C9B9A6")  # 交易成功, 8 bytes of 40
    + b"    ************1234"  # card 20
    + b"000000001250"
    + b"000066"  # trace
    + b"000007"  # batch
    + b"0721"
    + b"093015"
    + b"000000000066"
    + b"      "
    + b"104000000000002"
    + b"52500040"
    + b" " * 1024
    + b"042"
)


def test_records_have_the_lengths_of_the_manual() -> None:
    assert (len(SALE), len(ANSWER)) == (1095, 1164)


def test_a_sale_is_the_record_of_the_manual() -> None:
    request = Request("00", 1250, "042", counter="0001", operator="81")
    assert request.encode() == SALE
    assert parse_request(SALE) == request


def test_an_approval_says_all_that_a_journal_needs() -> None:
    response = parse_response(ANSWER)
    assert (response.code, response.lrc, response.info) == ("00", "042", "交易成功")
    charged = response.charged
    assert (charged.amount_fen, charged.trace) == (1250, 66)
    assert charged.at == PadTime(7, 21, 9, 30, 15)
    assert (charged.terminal_id, charged.merchant_id) == ("52500040", "104000000000002")
    assert charged.pan == MaskedPan("1234") and "1234" not in repr(response)


def test_a_whole_card_number_is_cut_at_the_border() -> None:
    record = ANSWER.replace(b"    ************1234", b"    6222880012345678")
    response = parse_response(record)
    assert response.charged.pan == MaskedPan("5678")
    assert "6222" not in repr(response)


def test_the_answer_is_padded_by_bytes_and_not_by_characters() -> None:
    """A sentence counted in characters would push every later field four bytes along."""
    response = Response("51", "042", Charged(0), "卡内余额不足")
    record = response.encode()
    assert len(record) == 1164
    assert record[2:42].endswith("卡内余额不足".encode("gbk"))
    assert record[-3:] == b"042"


@given(st.text(max_size=60), st.integers(0, 40))
def test_a_fitted_text_has_its_width_and_no_half_character(text: str, width: int) -> None:
    fitted = fit(text, width)
    assert len(fitted) == width
    fitted.decode("gbk")
    assert all(byte >= 0x20 for byte in fitted)


def test_a_request_is_read_however_it_is_cut() -> None:
    frame = encode_frame(SALE)
    for cut in range(0, len(frame), 7):
        reader = FrameReader()
        assert reader.feed(frame[:cut]) + reader.feed(frame[cut:]) == [SALE]


def test_no_flipped_bit_passes_and_the_next_record_is_read() -> None:
    frame = encode_frame(SALE)
    for bit in range(0, 8 * len(frame), 5):
        spoilt = bytearray(frame)
        spoilt[bit // 8] ^= 1 << bit % 8
        reader = FrameReader()
        assert reader.feed(bytes(spoilt)) == []
        assert SALE in reader.feed(frame) + reader.feed(frame)


@given(st.binary(max_size=300))
def test_noise_is_survived_and_kept_short(noise: bytes) -> None:
    reader = FrameReader()
    reader.feed(noise)
    assert SALE in reader.feed(encode_frame(SALE)) + reader.feed(encode_frame(SALE))
    assert len(reader) <= FRAME_BYTES_MAX


@given(st.binary(min_size=1164, max_size=1164) | st.binary(max_size=50))
def test_no_bytes_raise_anything_but_protocol_error(data: bytes) -> None:
    for parse in (parse_request, parse_response):
        try:
            parse(data)
        except ProtocolError:
            continue


def test_an_amount_that_is_no_number_is_refused() -> None:
    with pytest.raises(ProtocolError):
        parse_response(ANSWER.replace(b"000000001250", b"00000000125O"))
