"""The 256 bytes of a card: the synthetic vector, four layouts, rare names, and what is no card."""

from __future__ import annotations

import hashlib
from dataclasses import fields, replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import ProtocolError
from drivers.idcard.card import FLAG_OFFSET, NATIONS, CardText, Layout, Sex, encode, parse
from drivers.idcard.codec import Answer, encode_answer, encode_contents
from tests.drivers.idcard.people import (
    EVERYBODY,
    FOREIGN_2017,
    FOREIGN_2023,
    PERMIT,
    RARE,
    RESIDENT,
)


def utf16(words: str) -> bytes:
    return words.encode("utf-16-le")


# PROTOCOLS §1.7: the fields and their widths, typed from there and put together by hand.
VECTOR_TEXT = b"".join(
    utf16(words.ljust(width))
    for words, width in (
        ("王测试", 15),
        ("2", 1),
        ("01", 2),
        ("19491231", 8),
        ("北京市东城区示例路1号", 35),
        ("11010519491231002X", 18),
        ("示例公安局", 15),
        ("20200101", 8),
        ("长期", 8),
        ("", 18),
    )
)
VECTOR_SHA256 = "f3f906cb7ca5c09fea98a3c87253df43dda6cdeb31e962f6b8e9b9ede873eaa0"


def test_the_synthetic_vector_has_its_sha256_and_reads_as_its_person() -> None:
    frame = encode_answer(Answer(0x90, encode_contents(VECTOR_TEXT, bytes(1024))))
    assert len(frame) == 1295
    assert frame[:14] == bytes.fromhex("AAAAAA9669050800009001000400")
    assert frame[-1] == 0x8B
    assert hashlib.sha256(frame).hexdigest() == VECTOR_SHA256
    assert frame[14 : 14 + 256] == VECTOR_TEXT
    assert parse(VECTOR_TEXT) == RESIDENT


def at(*pieces: tuple[int, str]) -> bytes:
    """256 bytes of spaces with words at byte offsets, as one would type them from the table."""
    text = bytearray(utf16(" " * 128))
    for offset, words in pieces:
        text[offset : offset + 2 * len(words)] = utf16(words)
    return bytes(text)


def test_a_permit_for_hong_kong_macao_and_taiwan_residents_is_read_from_its_offsets() -> None:
    text = at(
        (0, "陈示例"),
        (30, "1"),
        (36, "19800101"),
        (52, "广东省深圳市示例街3号"),
        (122, "810000198001010014"),
        (158, "示例公安局"),
        (188, "20190506"),
        (204, "20240506"),
        (220, "H00000000"),
        (238, "01"),
        (248, "J"),
    )
    assert parse(text) == PERMIT


def test_a_foreign_card_of_2017_is_read_from_its_offsets() -> None:
    text = at(
        (0, "EXAMPLE, PERSON MADE UP"),
        (120, "2"),
        (122, "XXX110080010101"),
        (152, "XXX"),
        (158, "示例人"),
        (188, "20180102"),
        (204, "20280101"),
        (220, "19800101"),
        (236, "01"),
        (240, "1500"),
        (248, "I"),
    )
    assert parse(text) == FOREIGN_2017


def test_a_foreign_card_of_2023_joins_the_two_parts_of_its_english_name() -> None:
    text = at(
        (0, "示例人"),
        (30, "1"),
        (32, "00"),
        (36, "19800101"),
        (52, "EXAMPLE WITH A LONG MADE UP NAME OF"),
        (122, "911124198001010031"),
        (188, "20240102"),
        (204, "20340101"),
        (220, " FORTY ONE"),
        (242, "XXX"),
        (248, "Y"),
        (250, "001"),
    )
    assert parse(text) == FOREIGN_2023


@pytest.mark.parametrize("card", EVERYBODY)
def test_every_layout_is_put_together_as_it_is_taken_apart(card: CardText) -> None:
    assert len(encode(card)) == 256
    assert parse(encode(card)) == card


def test_a_rare_name_takes_two_units_a_character_and_arrives_whole() -> None:
    card = parse(encode(RARE))
    assert card.name == "𠮷𡈽·示例"
    assert len(utf16(card.name)) == 14
    assert "𠀀" in card.address


def test_nul_and_wide_spaces_are_padding_too() -> None:
    text = bytearray(VECTOR_TEXT)
    text[6:10] = bytes(2) + utf16("\u3000")
    assert parse(bytes(text)).name == "王测试"


def test_a_flag_of_nul_is_a_resident_card() -> None:
    text = bytearray(VECTOR_TEXT)
    text[FLAG_OFFSET : FLAG_OFFSET + 2] = bytes(2)
    assert parse(bytes(text)).layout is Layout.RESIDENT


NO_CARDS = {
    "255 bytes": (VECTOR_TEXT[:-1], "255 bytes"),
    "an unknown flag": (at((0, "王"), (248, "Z")), "flag"),
    "a sex not in the table": (VECTOR_TEXT[:30] + utf16("3") + VECTOR_TEXT[32:], "sex"),
    "a month 13": (VECTOR_TEXT[:36] + utf16("19491331") + VECTOR_TEXT[52:], "birth"),
    "a 30 February": (VECTOR_TEXT[:36] + utf16("19490230") + VECTOR_TEXT[52:], "birth"),
    "letters for a date": (VECTOR_TEXT[:188] + utf16("2020JAN1") + VECTOR_TEXT[204:], "valid_from"),
    "wide digits": (
        VECTOR_TEXT[:188] + utf16("２０２００１０１") + VECTOR_TEXT[204:],
        "valid_from",
    ),
    "an empty end": (VECTOR_TEXT[:204] + utf16(" " * 8) + VECTOR_TEXT[220:], "valid_to"),
    "half a surrogate pair": (b"\x42\xd8" + VECTOR_TEXT[2:], "name"),
    "a command in the name": (utf16("王\x1b@") + VECTOR_TEXT[6:], "name"),
}


@pytest.mark.parametrize(("text", "named"), NO_CARDS.values(), ids=NO_CARDS)
def test_what_is_no_card_is_an_error_that_names_the_field_and_no_person(
    text: bytes, named: str
) -> None:
    with pytest.raises(ProtocolError, match=named) as caught:
        parse(text)
    for said in ("王", "1949", "1101", "北京"):
        assert said not in str(caught.value)


@given(st.binary(min_size=256, max_size=256))
def test_any_256_bytes_are_a_card_or_a_protocol_error(text: bytes) -> None:
    for flag in (" ", "J", "I", "Y"):
        try:
            parse(text[:248] + utf16(flag) + text[250:])
        except ProtocolError:
            continue


han = st.text(st.characters(codec="utf-16-le", categories=["Lo"]), max_size=7)


@given(
    name=han, address=han, sex=st.sampled_from(Sex), birth=st.dates(), end=st.none() | st.dates()
)
def test_any_person_survives_the_card(
    name: str, address: str, sex: Sex, birth: date, end: date | None
) -> None:
    card = replace(RESIDENT, name=name, address=address, sex=sex, birth=birth, valid_to=end)
    assert parse(encode(card)) == card


def test_what_does_not_fit_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="name"):
        encode(replace(RESIDENT, name="很" * 16))
    with pytest.raises(ValueError, match="address"):
        encode(replace(RESIDENT, address="长" * 36))


def test_a_repr_shows_the_layout_and_nothing_of_the_person() -> None:
    shown = repr(RESIDENT)
    assert "RESIDENT" in shown
    for field in fields(RESIDENT):
        value = getattr(RESIDENT, field.name)
        if isinstance(value, str) and value:
            assert value not in shown


def test_the_nations_are_the_56_and_two_more() -> None:
    assert len(NATIONS) == 58
    named = {"01": "汉", "05": "维吾尔", "43": "乌孜别克", "56": "基诺", "97": "其他"}
    assert {code: NATIONS[code] for code in named} == named
    assert NATIONS["98"] == "外国血统中国籍人士"
    assert PERMIT.nation == "" and RESIDENT.nation == "汉" and RARE.nation == "其他"
