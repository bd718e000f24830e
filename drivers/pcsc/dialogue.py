"""One command to a card and its whole answer, over T=0 or T=1: follows 61 xx and 6C xx, bounded.

Many readers hand 61 and 6C to the caller, others hide them (shared protocol notes §2): both work.
"""

from __future__ import annotations

from drivers.deadline import Deadline
from drivers.errors import ProtocolError
from drivers.pcsc.apdu import (
    ANSWER_BYTES_MAX,
    MORE,
    WRONG_LE,
    Answer,
    Command,
    get_response,
    parse_answer,
)
from drivers.pcsc.port import CardPort

ROUNDS_MAX = 16
"""A record is at most 257 bytes and comes in one round; who announces more for ever is broken."""


def ask(port: CardPort, command: Command, deadline: Deadline) -> Answer:
    """The answer when nothing is left to fetch. ProtocolError: it has no end."""
    data, asked = b"", command
    for _ in range(ROUNDS_MAX):
        deadline.check("whole answer of the card")
        answer = parse_answer(port.transmit(asked.encode(), deadline))
        if answer.sw1 == WRONG_LE and asked.le != answer.sw2:
            asked = asked.with_le(answer.sw2)
            continue
        data += answer.data
        if len(data) > ANSWER_BYTES_MAX:
            break
        if answer.sw1 != MORE:
            return Answer(data, answer.status)
        asked = get_response(answer.sw2)
    raise ProtocolError("the card's answer has no end")
