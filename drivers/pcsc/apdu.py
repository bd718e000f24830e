"""Commands to a card and its answers, both directions, pure (ISO 7816-4, short form).

Rule: `Command` makes only what reads. An instruction that could spend a PIN's tries, or change a
card, cannot be built here, so that no driver can send one.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from drivers.errors import ProtocolError

DATA_BYTES_MAX = 255
ANSWER_BYTES_MAX = 65536
LE_ANY = 0
"""Le of 00: as much as there is."""

SELECT, READ_RECORD, READ_BINARY, GET_RESPONSE = 0xA4, 0xB2, 0xB0, 0xC0
READING = frozenset({SELECT, READ_RECORD, READ_BINARY, GET_RESPONSE})

DONE, MORE, WRONG_LE = 0x9000, 0x61, 0x6C
SECURITY, CONDITIONS = 0x6982, 0x6985
WRONG_DATA, NOT_SUPPORTED, FILE_NOT_FOUND, RECORD_NOT_FOUND = 0x6A80, 0x6A81, 0x6A82, 0x6A83
WRONG_P1_P2, WRONG_OFFSET, UNKNOWN_INS, UNKNOWN_CLA = 0x6A86, 0x6B00, 0x6D00, 0x6E00
WRONG_LENGTH = 0x6700


MEANING = MappingProxyType(
    {
        DONE: "done",
        SECURITY: "needs authentication",
        CONDITIONS: "conditions of use not satisfied",
        WRONG_DATA: "wrong data",
        NOT_SUPPORTED: "function not supported",
        FILE_NOT_FOUND: "file not found",
        RECORD_NOT_FOUND: "record not found",
        WRONG_P1_P2: "wrong P1 P2",
        WRONG_OFFSET: "wrong offset",
        WRONG_LENGTH: "wrong length",
        UNKNOWN_INS: "instruction not known",
        UNKNOWN_CLA: "class not known",
    }
)


@dataclass(frozen=True)
class Command:
    """One command. `le` None: no answer data is asked for, or the line is T=0 and it has data."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = b""
    le: int | None = None

    def __post_init__(self) -> None:
        assert self.ins in READING, f"instruction {self.ins:02X} does not only read"
        assert len(self.data) <= DATA_BYTES_MAX

    def encode(self) -> bytes:
        """The bytes on the line: CLA INS P1 P2 [Lc data] [Le]."""
        head = bytes([self.cla, self.ins, self.p1, self.p2])
        body = bytes([len(self.data)]) + self.data if self.data else b""
        return head + body + (b"" if self.le is None else bytes([self.le]))

    def with_le(self, le: int) -> Command:
        """The same command, asking for so many bytes."""
        return Command(self.cla, self.ins, self.p1, self.p2, self.data, le)


def select(p1: int, what: bytes) -> Command:
    """Choose an application (p1 04) or a file (p1 00 or 02). Case 4 on T=0: without Le."""
    return Command(0x00, SELECT, p1, 0x00, what)


def read_record(p1: int, p2: int, le: int) -> Command:
    """By tag: p1 tag, p2 00. By number: p1 number, p2 04."""
    return Command(0x00, READ_RECORD, p1, p2, le=le)


def get_response(le: int) -> Command:
    """Fetch what 61 xx announced."""
    return Command(0x00, GET_RESPONSE, 0x00, 0x00, le=le)


@dataclass(frozen=True, repr=False)
class Answer:
    """What a card said. repr shows the length alone: data may be a person's."""

    data: bytes
    status: int

    def __repr__(self) -> str:
        return f"Answer({len(self.data)} bytes, {self.status:04X})"

    @property
    def sw1(self) -> int:
        return self.status >> 8

    @property
    def sw2(self) -> int:
        return self.status & 0xFF

    @property
    def meaning(self) -> str:
        """The standard's word for the status."""
        return MEANING.get(self.status, f"status {self.status:04X}")

    def encode(self) -> bytes:
        """The card's side."""
        return self.data + self.status.to_bytes(2, "big")


def parse_answer(raw: bytes) -> Answer:
    """Data and status. ProtocolError: no card answers like that."""
    if not 2 <= len(raw) <= ANSWER_BYTES_MAX:
        raise ProtocolError(f"a card's answer of {len(raw)} bytes")
    status = int.from_bytes(raw[-2:], "big")
    if not 0x6100 <= status < 0x7000 and status >> 12 != 0x9:
        raise ProtocolError("a card's answer ends in no status")
    return Answer(raw[:-2], status)
