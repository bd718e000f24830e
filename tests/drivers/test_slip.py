"""Slips are laid out by columns, cut between characters, and carry nothing that acts."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.slip import (
    Align,
    Code128,
    Pair,
    Qr,
    Row,
    Rule,
    Size,
    Slip,
    Stripped,
    Text,
    clean,
    columns_of,
    display_width,
    enlarged,
    lay_out,
    wrap,
)

NAMES = st.text(st.characters(codec="utf-8"), max_size=80)


def rows(*lines: Text | Pair | Rule | Qr) -> list[str]:
    return [block.text for block in lay_out(Slip(lines)).blocks if isinstance(block, Row)]


def test_a_hanzi_takes_two_columns_and_a_letter_one() -> None:
    assert display_width("王兰 A1") == 7


def test_a_yen_sign_becomes_the_one_that_every_printer_has() -> None:
    assert clean("¥41.20") == ("￥41.20", ())
    assert display_width(clean("¥1")[0]) == 3


def test_money_stands_at_the_right_edge() -> None:
    (row,) = rows(Pair("合计", "¥128.50"))
    assert row == "合计" + " " * 36 + "￥128.50"
    assert display_width(row) == 48


def test_a_leader_fills_the_gap() -> None:
    (row,) = rows(Pair("血常规检查", "¥35.00", leader="."))
    assert row == "血常规检查 " + "." * 29 + " ￥35.00"


def test_a_label_too_long_for_its_value_wraps_and_the_value_stays_at_the_edge() -> None:
    found = rows(Pair("阿司匹林肠溶片一百毫克", "¥93.50", Size.DOUBLE))
    assert found == ["阿司匹林肠溶片一百毫克", " " * 17 + "￥93.50"]


def test_text_wraps_between_hanzi_and_between_words() -> None:
    assert wrap("请到三楼 Blood room", 12) == ("请到三楼", "Blood room")
    assert wrap("一二三四五六七", 8) == ("一二三四", "五六七")


def test_a_closing_mark_does_not_begin_a_line() -> None:
    assert wrap("一二三四。五", 8) == ("一二三", "四。五")


def test_marks_stay_with_their_letter() -> None:
    assert wrap("abcde\u0301f", 5) == ("abcde\u0301", "f")


def test_double_size_halves_the_columns() -> None:
    blocks = lay_out(Slip((Text("字" * 13, Size.DOUBLE),))).blocks
    assert [block.text for block in blocks if isinstance(block, Row)] == ["字" * 12, "字"]


def test_elder_slips_are_17_points_throughout() -> None:
    slip = enlarged(
        Slip((Text("您好"), Pair("合计", "¥1"), Text("A012", Size.HUGE), Qr("x", "码")))
    )
    sizes = {block.size for block in lay_out(slip).blocks if isinstance(block, Row)}
    assert sizes == {Size.DOUBLE, Size.HUGE}


@pytest.mark.parametrize(
    ("name", "kept", "stripped"),
    [
        ("王\x1b@兰", "王@兰", (0x1B,)),
        ("王\x1dV\x00兰", "王V兰", (0x1D, 0x00)),
        ("王\x10\x04\x01兰", "王兰", (0x10, 0x04, 0x01)),
        ("王\u202e兰", "王兰", (0x202E,)),
        ("王\r\n兰", "王兰", (0x0D, 0x0A)),
        ("王\x85\u2028兰", "王兰", (0x85, 0x2028)),
        ("王\ud800兰", "王兰", (0xD800,)),
        ("王\u200b\ufeff兰", "王兰", (0x200B, 0xFEFF)),
    ],
)
def test_what_acts_is_taken_out_of_a_name_and_reported(
    name: str, kept: str, stripped: tuple[int, ...]
) -> None:
    layout = lay_out(Slip((Text("挂号单"), Text(name))))
    assert layout.blocks[1] == Row(kept)
    assert layout.stripped == (Stripped(1, stripped),)


def test_no_letter_mark_digit_or_symbol_is_ever_stripped() -> None:
    for point in range(sys.maxunicode + 1):
        character = chr(point)
        if unicodedata.category(character)[0] in "LMNPS":
            kept, stripped = clean(character)
            assert kept and not stripped, hex(point)


@given(NAMES, st.integers(4, 48))
def test_wrapping_keeps_every_character_and_fits(name: str, columns: int) -> None:
    text, _ = clean(name)
    lines = wrap(text, columns)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(display_width(line) <= columns for line in lines)


@given(NAMES, NAMES, st.sampled_from(Size))
def test_every_row_of_a_pair_fits_the_paper(left: str, right: str, size: Size) -> None:
    for block in lay_out(Slip((Pair(left, right, size, leader="."),))).blocks:
        assert isinstance(block, Row)
        assert display_width(block.text) * size.wide <= 48


@given(st.characters(codec="utf-8"))
def test_a_character_is_at_most_two_columns(character: str) -> None:
    assert columns_of(character) in (0, 1, 2)


@pytest.mark.parametrize("payload", ["", "a\x1bb", "x" * 701, "汉" * 300])
def test_a_qr_code_refuses_what_it_cannot_carry(payload: str) -> None:
    with pytest.raises(ValueError, match="QR code"):
        Qr(payload)


@pytest.mark.parametrize("text", ["", "汉字", "a\nb", "{B", "x" * 25])
def test_a_code_128_refuses_what_it_cannot_carry(text: str) -> None:
    with pytest.raises(ValueError, match="Code 128"):
        Code128(text)


def test_captions_stand_in_the_middle_below_their_code() -> None:
    blocks = lay_out(Slip((Qr("8K42", "扫码看明细"),))).blocks
    assert blocks[1] == Row("扫码看明细", align=Align.CENTRE)
