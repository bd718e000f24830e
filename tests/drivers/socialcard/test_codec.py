"""Records typed by hand from the notes (PROTOCOLS §2), both ways, and what is no card."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import ProtocolError
from drivers.idcard.card import Sex
from drivers.socialcard.codec import (
    APPLICATION,
    FILES,
    Field,
    SocialCardText,
    encode_card,
    encode_record,
    parse_card,
    parse_record,
)
from tests.drivers.socialcard.people import RARE, WANG

# Typed by hand: tag, length, value. 01 and 03 as in §2; the person is that of §1.7.
TYPED = {
    "card_id": "01 10 330300D15600000500000001FFFFFFFF",
    "card_class": "02 01 31",
    "version": "03 04 322E3030",
    "issuer": "04 0C 330300000000000000000001",
    "issued": "05 04 20180301",
    "valid_to": "06 04 20280301",
    "card_number": "07 09 413132333435363738",
    "number": "08 12 313130313035313934393132333130303258",
    "name": "09 1E CDF5B2E2CAD4 000000000000000000000000000000000000000000000000",
    "name_more": "4E 14 0000000000000000000000000000000000000000",
    "sex": "0A 01 32",
    "nation_code": "0B 01 01",
    "birth_place": "0C 03 110105",
    "birth": "0D 04 19491231",
}
FIELDS = {field.name: field for fields in FILES.values() for field in fields}
LE = {"card_number": 0x0B, "number": 0x14, "name": 0x20, "name_more": 0x16, "sex": 0x03}


def values(**other: str) -> Mapping[str, bytes]:
    """Wang's values; others typed as hex."""
    typed = {name: bytes.fromhex(record)[2:] for name, record in TYPED.items()}
    return typed | {name: bytes.fromhex(value) for name, value in other.items()}


@pytest.mark.parametrize("name", TYPED)
def test_records_are_as_in_the_notes_both_ways(name: str) -> None:
    record = bytes.fromhex(TYPED[name])
    assert parse_record(FIELDS[name], record) == record[2:]
    assert encode_record(FIELDS[name], record[2:]) == record
    assert encode_card(WANG)[name] == record[2:]


def test_the_typed_records_are_their_person_and_le_is_the_notes_le() -> None:
    assert parse_card(values()) == WANG
    assert bytes.fromhex("7378312E73682EC9E7BBE1B1A3D5CF") == APPLICATION
    assert {name: FIELDS[name].le for name in LE} == LE


@pytest.mark.parametrize("padding", ["00", "20", "FF"])
def test_all_three_paddings_of_the_field_are_taken_off(padding: str) -> None:
    name = values(name="CDF5B2E2CAD4" + padding * 24, name_more=padding * 20)
    assert parse_card(name) == WANG


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("9534B235 2030", "𠮷 0"),  # four bytes, and a blank inside stays
        ("FE59FE61FEA0", "龴龵龻"),  # Python's codec would give signs of the private area
        ("82359037", "龴"),  # the same hanzi in four bytes
        ("FE51FE91", "\U00020087\U000241fe"),
        ("C2F2C2F2CCE1A1A4CDC2", "买买提·吐"),
        ("A1A1CDF5A1A1", "王"),
    ],
)
def test_rare_names_arrive_as_the_hanzi_that_they_are(typed: str, name: str) -> None:
    assert parse_card(values(name=typed)).name == name


def test_a_name_that_goes_on_in_its_second_record_is_joined_before_it_is_read() -> None:
    assert len(encode_card(RARE)["name_more"].rstrip(b"\x00")) == 6
    assert parse_card(encode_card(RARE)) == RARE


def test_a_card_that_lacks_all_but_number_and_name_is_a_card() -> None:
    some = {name: value for name, value in values().items() if name in ("number", "name")}
    assert parse_card(some) == SocialCardText("11010519491231002X", "王测试")


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("number", "00" * 18),
        ("number", "B1B1"),
        ("number", "31 0A 31"),
        ("name", "20" * 30),
        ("name", "8120"),
        ("name", "CDF51B40"),
        ("sex", "37"),
        ("nation_code", "1A"),
        ("birth", "20231399"),
        ("birth", "2023"),
        ("valid_to", "ABCD0101"),
    ],
)
def test_what_is_no_card_is_an_error_that_names_the_field_and_no_person(
    field: str, typed: str
) -> None:
    with pytest.raises(ProtocolError) as fault:
        parse_card(values(**{field: typed}))
    words = str(fault.value)
    assert field in words and "1101" not in words and "王" not in words


@given(st.sampled_from(list(FIELDS.values())), st.binary(max_size=300))
def test_any_bytes_garbage_or_rubbish_are_a_record_or_a_protocol_error(
    field: Field, record: bytes
) -> None:
    try:
        value = parse_record(field, record)
        parse_card(dict(values()) | {field.name: value})
    except ProtocolError:
        return
    assert record == encode_record(field, value)


def test_a_record_in_any_cut_is_an_error_and_not_a_shorter_value() -> None:
    record = bytes.fromhex(TYPED["name"])
    for end in range(len(record)):
        with pytest.raises(ProtocolError):
            parse_record(FIELDS["name"], record[:end])
    with pytest.raises(ProtocolError):
        parse_record(FIELDS["name"], record + b"\x00")


HANZI = st.text(
    st.one_of(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), st.just("·")),
    min_size=1,
    max_size=11,
)


@given(HANZI, st.dates(date(1900, 1, 1), date(2026, 1, 1)), st.sampled_from(Sex))
def test_any_person_survives_the_card(name: str, birth: date, sex: Sex) -> None:
    card = SocialCardText("11010519491231002X", name, sex, birth=birth, version="3.00")
    assert parse_card(encode_card(card)) == card


def test_what_does_not_fit_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="name_more"):
        encode_card(SocialCardText("11010519491231002X", "王" * 26))


def test_a_repr_shows_the_version_and_nothing_of_the_person() -> None:
    assert repr(WANG) == "SocialCardText(version 2.00, …)"
