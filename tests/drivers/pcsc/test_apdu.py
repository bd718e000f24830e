"""Commands and answers as in ISO 7816-4, and how 61 xx and 6C xx are followed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.deadline import Deadline
from drivers.errors import ProtocolError
from drivers.pcsc.apdu import Answer, Command, get_response, parse_answer, read_record, select
from drivers.pcsc.dialogue import ROUNDS_MAX, ask
from tests.drivers.card_line import CardLine

# Typed by hand from PROTOCOLS §2.
COMMANDS = [
    (select(0x00, b"\xef\x05"), "00A4000002EF05"),
    (select(0x02, b"\xef\x06"), "00A4020002EF06"),
    (read_record(0x08, 0x00, 0x14), "00B2080014"),
    (read_record(0x01, 0x04, 0x00), "00B2010400"),
    (get_response(0x13), "00C0000013"),
    (Command(0xFF, 0xB0, 0x00, 0x00, le=0), "FFB0000000"),
]


@pytest.mark.parametrize(("command", "typed"), COMMANDS, ids=[typed for _, typed in COMMANDS])
def test_commands_are_as_typed(command: Command, typed: str) -> None:
    assert command.encode() == bytes.fromhex(typed)


@pytest.mark.parametrize(
    ("typed", "data", "status"),
    [("9000", "", 0x9000), ("6113", "", 0x6113), ("0304332E30309000", "0304332E3030", 0x9000)],
)
def test_answers_are_as_typed_both_ways(typed: str, data: str, status: int) -> None:
    answer = Answer(bytes.fromhex(data), status)
    assert parse_answer(bytes.fromhex(typed)) == answer
    assert answer.encode() == bytes.fromhex(typed)


@pytest.mark.parametrize("typed", ["", "90", "0000", "6000", "7000", "A000", "FFFF"])
def test_what_ends_in_no_status_is_no_answer(typed: str) -> None:
    with pytest.raises(ProtocolError):
        parse_answer(bytes.fromhex(typed))


@given(st.binary(max_size=400))
def test_any_bytes_are_an_answer_or_a_protocol_error(raw: bytes) -> None:
    try:
        assert parse_answer(raw).encode() == raw
    except ProtocolError:
        return


class Script:
    """A card that answers these, in their order."""

    atr = b"\x3b\x00"

    def __init__(self, *answers: str) -> None:
        self._answers = [bytes.fromhex(answer) for answer in answers]

    def power_up(self) -> None:
        return

    def exchange(self, command: bytes) -> bytes | None:
        return self._answers.pop(0) if self._answers else b"\x6f\x00"


def asked(*answers: str) -> tuple[Answer, list[str]]:
    line = CardLine(Script(*answers))
    line.put()
    deadline = Deadline.after(line.clock, 1.0)
    line.connect(deadline)
    answer = ask(line, read_record(0x09, 0x00, 0x20), deadline)
    return answer, [command.hex().upper() for command in line.sent]


def test_61_is_fetched_until_nothing_is_left() -> None:
    answer, sent = asked("6102", "CDF56104", "B2E2CAD49000")
    assert answer == Answer(bytes.fromhex("CDF5B2E2CAD4"), 0x9000)
    assert sent == ["00B2090020", "00C0000002", "00C0000004"]


def test_6c_is_asked_again_with_the_cards_own_length() -> None:
    answer, sent = asked("6C08", "0906CDF5B2E2CAD49000")
    assert (len(answer.data), answer.status) == (8, 0x9000)
    assert sent == ["00B2090020", "00B2090008"]


def test_a_card_that_wants_the_length_that_it_got_is_answered_with_its_status() -> None:
    answer, sent = asked("6C20")
    assert (answer.status, len(sent)) == (0x6C20, 1)


def test_an_answer_without_end_ends() -> None:
    with pytest.raises(ProtocolError, match="no end"):
        asked(*["AA61FF"] * (ROUNDS_MAX + 1))


def test_what_a_card_said_is_in_no_repr() -> None:
    assert repr(Answer("王".encode("gb18030"), 0x9000)) == "Answer(2 bytes, 9000)"
