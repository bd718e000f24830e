"""Lines of the plug-in protocol, typed by hand from its page, both ways, and what is no line."""

from __future__ import annotations

from datetime import date
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import ProtocolError
from drivers.idcard.card import Sex
from drivers.plugin.codec import (
    LINE_BYTES_MAX,
    Answer,
    LineReader,
    Outcome,
    PluginCard,
    Request,
    Verb,
    card_body,
    parse_answer,
    parse_card,
    parse_hello,
    parse_request,
    parse_slot,
)

# Typed by hand from drivers/plugin/PROTOCOL.md (§ Lines).
REQUESTS = [
    ('{"id":1,"ask":"hello"}\n', Request(1, Verb.HELLO)),
    ('{"id":7,"ask":"read"}\n', Request(7, Verb.READ)),
    (
        '{"id":9,"ask":"decode","code":"0123","business":"01101"}\n',
        Request(9, Verb.DECODE, MappingProxyType({"code": "0123", "business": "01101"})),
    ),
]
CARD_LINE = (
    '{"id":7,"ok":{"outcome":"read","card":{"kind":"health_card",'
    '"number":"11010519491231002x","name":"王测试𠮷","sex":"2","birth":"19491231",'
    '"card_number":"A01","token":""}}}'
)


@pytest.mark.parametrize(("typed", "request_"), REQUESTS)
def test_questions_are_as_typed_both_ways(typed: str, request_: Request) -> None:
    assert request_.encode() == typed.encode()
    assert parse_request(typed.encode()) == request_


def test_a_typed_card_is_read_and_its_number_is_upper_case() -> None:
    answer = parse_answer(CARD_LINE.encode())
    assert answer is not None and answer.id == 7
    card = PluginCard(
        *("health_card", "11010519491231002X", "王测试𠮷", Sex.FEMALE, date(1949, 12, 31), "A01")
    )
    assert parse_card(answer.body) == (Outcome.READ, card)
    whole = Answer(7, MappingProxyType({"outcome": "read", "card": card_body(card)}))
    assert whole.encode() == CARD_LINE.replace("002x", "002X").encode() + b"\n"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "DEBUG reader opened",
        "{}",
        "[1]",
        "null",
        '{"id":true,"ok":{}}',
        '{"id":"1","ok":{}}',
        '{"id":1}',
        '{"id":1,"ok":[]}',
        '{"id":1,"ok":{},"fault":"x"}',
        '{"id":1,"fault":""}',
        "[" * 5000,
        '{"id":1,"ok":{}',
    ],
)
def test_what_a_library_prints_is_no_answer(line: str) -> None:
    assert parse_answer(line.encode()) is None


@given(st.lists(st.binary(max_size=40).filter(lambda one: b"\n" not in one)), st.data())
def test_any_cut_of_the_bytes_gives_the_same_lines(lines: list[bytes], data: st.DataObject) -> None:
    sent = b"".join(line + b"\n" for line in lines)
    reader, got, at = LineReader(), [], 0
    while at < len(sent):
        end = at + data.draw(st.integers(1, 20))
        got += reader.feed(sent[at:end])
        at = end
    assert got == lines


def test_a_line_without_end_is_noise_and_the_next_one_is_read() -> None:
    reader = LineReader()
    for _ in range(20):
        assert reader.feed(b"x" * 5000) == []
        assert reader.buffered_bytes <= LINE_BYTES_MAX + 5000
    assert reader.feed(b"x\n{}\n") == [b"{}"]


@given(st.binary(max_size=200))
def test_any_garbage_is_passed_over_or_a_protocol_error(line: bytes) -> None:
    assert parse_answer(line) is None or line.strip().startswith(b"{")
    assert parse_request(line) is None or line.strip().startswith(b"{")


BAD_CARDS = [
    {"kind": "bank_card"},
    {"number": ""},
    {"number": "1101 05"},
    {"number": "一"},
    {"number": 110105},
    {"number": "1" * 65},
    {"name": ""},
    {"name": "王\x1b@"},
    {"name": "\ud800"},
    {"name": "王" * 61},
    {"sex": "7"},
    {"birth": "20231399"},
    {"birth": 19491231},
    {"token": None},
]


@pytest.mark.parametrize("wrong", BAD_CARDS, ids=lambda wrong: next(iter(wrong)))
def test_a_card_that_is_none_is_an_error_that_names_the_field_and_no_person(
    wrong: dict[str, object],
) -> None:
    good = {"kind": "health_card", "number": "11010519491231002X", "name": "王测试"}
    body = MappingProxyType({"outcome": "read", "card": good | wrong})
    with pytest.raises(ProtocolError) as fault:
        parse_card(body)
    assert next(iter(wrong)) in str(fault.value)
    assert "11010" not in str(fault.value) and "王" not in str(fault.value)


@pytest.mark.parametrize(
    "body",
    [{}, {"outcome": "well"}, {"outcome": "read"}, {"outcome": "read", "card": 1}, {"outcome": []}],
)
def test_an_outcome_without_its_card_is_an_error(body: dict[str, object]) -> None:
    with pytest.raises(ProtocolError):
        parse_card(MappingProxyType(body))


def test_a_hello_of_another_protocol_or_without_a_name_is_an_error() -> None:
    good = {"protocol": 1, "name": "x", "version": "1", "can": ["read", "fly", 3]}
    assert parse_hello(MappingProxyType(good)).can == {Verb.READ}
    for wrong in ({"protocol": 2}, {"name": ""}, {"version": 1}, {"can": "read"}):
        with pytest.raises(ProtocolError):
            parse_hello(MappingProxyType(good | wrong))


@pytest.mark.parametrize("wrong", [{"card": 1}, {"put": "1"}, {"put": True}, {"card": None}])
def test_a_slot_that_is_neither_full_nor_empty_is_an_error(wrong: dict[str, object]) -> None:
    with pytest.raises(ProtocolError):
        parse_slot(MappingProxyType({"card": True, "put": 1} | wrong))


def test_what_a_library_read_is_in_no_repr() -> None:
    answer = parse_answer(CARD_LINE.encode())
    assert answer is not None
    shown = repr(answer) + repr(parse_card(answer.body)) + repr(REQUESTS[2][1])
    assert "王" not in shown and "11010" not in shown and "0123" not in shown
