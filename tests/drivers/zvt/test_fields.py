"""ZVT data fields against bytes typed by hand: PROTOCOLS 4.1, field forms by ecrterm bitmaps.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import ProtocolError
from drivers.pad import DeclineReason, MaskedPan, PadCondition, PadTime
from drivers.zvt.fields import Bmp, encode_all, parse_all, parse_status_info, status_info
from drivers.zvt.meaning import declined, pad_status

APPROVAL = bytes.fromhex(
    "27 00"
    "04 00 00 00 00 12 50"
    "0B 00 00 42"
    "0C 09 30 15"
    "0D 07 21"
    "22 F0 F8 62 22 EE EE EE EE 12 34"
    "29 52 50 00 38"
    "87 00 17"
    "8B F0 F9 55 6E 69 6F 6E 50 61 79 00"
    "49 01 56"
)


def test_an_approval_says_all_that_a_journal_needs() -> None:
    info = parse_status_info(APPROVAL)
    charged = info.charged
    assert (info.result, info.amount_fen, charged.trace, charged.receipt_no) == (0, 1250, 42, 17)
    assert charged.at == PadTime(7, 21, 9, 30, 15)
    assert charged.terminal_id == "52500038"
    assert charged.card_name == "UnionPay"
    assert charged.pan == MaskedPan("1234")


def test_a_card_number_is_cut_to_four_digits_and_never_printed() -> None:
    info = parse_status_info(bytes.fromhex("27 00 22 F1 F0 62 22 88 00 12 34 56 78 90 1F"))
    assert info.charged.pan == MaskedPan("8901")
    shown = f"{info!r} {info.charged} {info.charged.pan}"
    assert "8901" not in shown and "6222" not in shown


def test_the_shortest_approval_is_the_two_phase_one() -> None:
    """PROTOCOLS 4.1: PT `04 0F 02 27 00`."""
    info = parse_status_info(bytes.fromhex("27 00"))
    assert (info.result, info.amount_fen, info.charged.trace) == (0, None, None)


def test_an_amount_for_the_two_phase_payment_is_typed_as_in_the_manual() -> None:
    """PROTOCOLS 4.1: ECR `06 01 09 04 00 00 00 00 33 00 02 0A`."""
    fields = (Bmp(0x04, bytes.fromhex("000000003300")), Bmp(0x02, b"\x0a"))
    assert encode_all(fields) == bytes.fromhex("04 00 00 00 00 33 00 02 0A")


def test_a_reversal_names_the_trace_it_reversed() -> None:
    info = parse_status_info(bytes.fromhex("27 00 0B 00 00 43 37 00 00 42"))
    assert (info.charged.trace, info.original_trace) == (43, 42)


def test_parsing_mirrors_building() -> None:
    info = parse_status_info(APPROVAL)
    again = parse_status_info(status_info(info))
    assert again == info


@pytest.mark.parametrize(
    "data",
    [
        "99 00",  # a field that no manual has
        "04 00 00 00",  # cut off
        "04 00 00 00 00 12 5A",  # A is no digit
        "22 08 62 22",  # a length without F0
        "22 F9 F9 62",  # longer than the rest
        "0B 00 0E 42",
        "06 84 00 00 00 01 00",  # a TLV length of four bytes
    ],
)
def test_fields_that_are_not_as_the_manual_has_them_are_refused(data: str) -> None:
    with pytest.raises(ProtocolError):
        parse_status_info(bytes.fromhex(data))


@pytest.mark.parametrize(
    ("data", "size"), [("06 03 45 01 00", 3), ("06 81 80", 128), ("06 82 01 00", 256)]
)
def test_a_tlv_container_is_skipped_whatever_its_length(data: str, size: int) -> None:
    head = bytes.fromhex(data)
    content = head[2:] if size == 3 else bytes(size)
    whole = (head if size == 3 else head + content) + bytes.fromhex("27 05")
    assert parse_all(whole) == (Bmp(0x06, content), Bmp(0x27, b"\x05"))


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_but_protocol_error(data: bytes) -> None:
    for parse in (parse_status_info, pad_status):
        try:
            parse(data)
        except ProtocolError:
            continue


def test_control_bytes_in_a_card_name_are_not_passed_on() -> None:
    info = parse_status_info(bytes.fromhex("8B F0 F4 41 1B 40 42"))
    assert info.charged.card_name == "A?@B"


def test_the_status_enquirys_answer_is_read_from_the_manuals_completion() -> None:
    """PROTOCOLS 4.1: `06 0F 0B F0 F0 F7 32 2E 31 34 2E 31 35 00`."""
    status = pad_status(bytes.fromhex("F0 F0 F7 32 2E 31 34 2E 31 35 00"))
    assert (status.condition, status.version) == (PadCondition.READY, "2.14.15")
    assert pad_status(bytes.fromhex("9C")).condition is PadCondition.BUSY
    assert pad_status(bytes.fromhex("F0")).condition is not PadCondition.READY


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (51, DeclineReason.NOT_ENOUGH_MONEY),
        (55, DeclineReason.WRONG_PIN),
        (0x05, DeclineReason.REFUSED_BY_BANK),
        (0x78, DeclineReason.CARD_EXPIRED),
        (0x64, DeclineReason.CARD_UNREADABLE),
        (0xFF, DeclineReason.PAD_TROUBLE),
    ],
)
def test_a_refusal_has_a_reason_that_helps_the_person(code: int, reason: DeclineReason) -> None:
    assert declined(code).reason is reason
