"""The host's side of an ID card reader: one request, one answer, one deadline.

No thread, no retry, no sleep: who polls and reconnects is the caller. An answer says only a
status, not which request it belongs to, so anything that cannot belong to the request is taken
for a late answer to an earlier one and passed over. After any exception close the stream and
open it anew: a late answer must never be taken for the next person's card.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from drivers.deadline import Clock, Deadline
from drivers.errors import CardRemoved, DeadlineExceeded, DeviceRefused, ProtocolError
from drivers.idcard.card import CardText, parse
from drivers.idcard.codec import (
    BAUDS,
    CARD_FOUND,
    FIND_FAILED,
    NO_CONTENT,
    OK,
    READ_FAILED,
    SELECT_FAILED,
    Answer,
    Decoder,
    encode,
    format_sam_id,
    parse_answer,
    split_contents,
)
from drivers.identity import DeviceIdentity
from drivers.transport import ByteStream

KIND = "idcard"
CAPABILITIES = frozenset({"text", "fingerprint", "newest_address", "sam_id", "set_baud"})
"""What this driver can be asked for; a profile that wants more is refused at start."""

# The reader's own limits (§1.6): find and select 0.1–1 s, text 2 s, text + fingerprint 3 s.
FIND_S = 1.0
ADDRESS_S = 2.0
MODULE_S = 1.0
READ_CARD_S = 4.0
READ_FINGERPRINT_S = 5.0

POLL_S = 0.3
"""How often a caller should ask find(): slower feels dead, faster warms the field for nothing."""

ADDRESS_BYTES = 70
# The header, 256 bytes of text, photo, fingerprint: text-only readers send no photo.
CONTENTS_BYTES = range(4 + 256, 6 + 256 + 1024 + 1024 + 1)

UNREADABLE = frozenset({0x31, 0x32, 0x33, 0x40, 0x47})
"""The card and the reader do not get on: badly laid, worn, foreign or forged."""
HOST_FAULTS = frozenset({0x10, 0x11, 0x21, 0x24})
MODULE_FAULTS = frozenset({0x60, 0x66})


@dataclass(frozen=True)
class CardPresent:
    """A card lies in the field that was not read since it was put there."""


@dataclass(frozen=True)
class CardAbsent:
    """No card answers. maybe_still_lying: the last card read may be there and keep silent."""

    maybe_still_lying: bool = False


class PutAgainReason(Enum):
    """Why the person is asked to lift the card and put it down again."""

    NOT_SELECTED = "not_selected"
    LIFTED = "lifted"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class PutAgain:
    """A card was there and could not be read; nothing of it is known."""

    reason: PutAgainReason


@dataclass(frozen=True, repr=False)
class CardRead:
    """A card's text; fingerprint templates only when asked for."""

    card: CardText
    fingerprint: bytes = b""

    def __repr__(self) -> str:
        return f"CardRead({self.card!r})"


@dataclass(frozen=True)
class _Command:
    """A request, the status that means done, and which data may come with it."""

    name: str
    body: bytes
    good: int
    good_bytes: range
    outcomes: frozenset[int] = frozenset()


def _exactly(count: int) -> range:
    return range(count, count + 1)


_FIND = _Command(
    "find", b"\x20\x01", CARD_FOUND, _exactly(4), frozenset({FIND_FAILED, SELECT_FAILED})
)
_SELECT = _Command("select", b"\x20\x02", OK, _exactly(8), frozenset({SELECT_FAILED, FIND_FAILED}))
_READ = _Command("read", b"\x30\x01", OK, CONTENTS_BYTES, UNREADABLE | {READ_FAILED})
_READ_FINGERPRINT = _Command(
    "read with fingerprint", b"\x30\x10", OK, CONTENTS_BYTES, UNREADABLE | {READ_FAILED}
)
_READ_ADDRESS = _Command(
    "read newest address",
    b"\x30\x03",
    OK,
    _exactly(ADDRESS_BYTES),
    frozenset({NO_CONTENT, READ_FAILED}),
)
_MODULE_STATUS = _Command("module status", b"\x11\xff", OK, _exactly(0))
_MODULE_RESET = _Command("module reset", b"\x10\xff", OK, _exactly(0))
_MODULE_ID = _Command("module id", b"\x12\xff", OK, _exactly(16))


class IdCardReader:
    """An SDT reader on `stream`; `clock` is the one that the stream's waits follow."""

    def __init__(self, stream: ByteStream, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock
        self._decoder = Decoder()
        self._found = False
        self._read_since_put = False

    def find(self, timeout_s: float = FIND_S) -> CardPresent | CardAbsent:
        """Whether a card lies there that has not been read. Presence, not identity."""
        return self._find(Deadline.after(self._clock, timeout_s))

    def read_card(self, timeout_s: float = READ_CARD_S) -> CardRead | CardAbsent | PutAgain:
        """Find, select and read. A card already read keeps silent until lifted and put again.

        CardAbsent: nobody there (or the card read before). PutAgain: it was seen and could not be
        read, or was lifted meanwhile.
        """
        return self._read(_READ, Deadline.after(self._clock, timeout_s))

    def read_card_with_fingerprint(
        self, timeout_s: float = READ_FINGERPRINT_S
    ) -> CardRead | CardAbsent | PutAgain:
        """As read_card; fingerprint is empty when the card holds none."""
        return self._read(_READ_FINGERPRINT, Deadline.after(self._clock, timeout_s))

    def read_newest_address(self, timeout_s: float = ADDRESS_S) -> str | None:
        """The address added to the card just read after it was made; None: there is none.

        CardRemoved: it was lifted meanwhile.
        """
        answer = self._exchange(_READ_ADDRESS, Deadline.after(self._clock, timeout_s))
        if answer.status == NO_CONTENT:
            return None
        if answer.status == READ_FAILED:
            raise CardRemoved("card lifted before its newest address was read")
        try:
            words = answer.data.decode("utf-16-le").rstrip(" \x00")
        except UnicodeDecodeError:
            raise ProtocolError("newest address is not UTF-16") from None
        if any(ord(sign) < 0x20 or 0x7F <= ord(sign) < 0xA0 for sign in words):
            raise ProtocolError("newest address holds a control character")
        return words or None

    def read_sam_id(self, timeout_s: float = MODULE_S) -> str:
        """The reader's identity, as on its label; stays the same for the device's life."""
        answer = self._exchange(_MODULE_ID, Deadline.after(self._clock, timeout_s))
        return format_sam_id(answer.data)

    def check_module(self, timeout_s: float = MODULE_S) -> None:
        """Return when the security module is well. DeviceRefused: it is not."""
        self._exchange(_MODULE_STATUS, Deadline.after(self._clock, timeout_s))

    def reset_module(self, timeout_s: float = MODULE_S) -> None:
        """Restart the security module; a card that lies there counts as newly put."""
        self._exchange(_MODULE_RESET, Deadline.after(self._clock, timeout_s))
        self._found = self._read_since_put = False

    def change_baud(self, baud: int, timeout_s: float = MODULE_S) -> None:
        """Tell the reader to speak at another speed (one of BAUDS) from its next answer on.

        Then close this stream and open the port at that speed.
        """
        command = _Command("set baud", bytes([0x60, BAUDS[baud]]), OK, _exactly(0))
        self._exchange(command, Deadline.after(self._clock, timeout_s))

    def probe(self, timeout_s: float = 2 * MODULE_S) -> DeviceIdentity:
        """Who answers here; for provisioning and listings. Any DriverError: not such a reader."""
        deadline = Deadline.after(self._clock, timeout_s)
        self._exchange(_MODULE_STATUS, deadline)
        sam_id = format_sam_id(self._exchange(_MODULE_ID, deadline).data)
        return DeviceIdentity(KIND, "SDT", sam_id)

    def close(self) -> None:
        """Give the port back."""
        self._stream.close()

    def _find(self, deadline: Deadline) -> CardPresent | CardAbsent:
        self._found = self._exchange(_FIND, deadline).status == CARD_FOUND
        if self._found:
            self._read_since_put = False
            return CardPresent()
        return CardAbsent(maybe_still_lying=self._read_since_put)

    def _read(self, read: _Command, deadline: Deadline) -> CardRead | CardAbsent | PutAgain:
        # Some readers answer a second find with 80 while the card lies there: go on from the first.
        if not self._found and isinstance(absent := self._find(deadline), CardAbsent):
            return absent
        self._found = False
        if self._exchange(_SELECT, deadline).status != OK:
            return PutAgain(PutAgainReason.NOT_SELECTED)
        answer = self._exchange(read, deadline)
        if answer.status == READ_FAILED:
            return PutAgain(PutAgainReason.LIFTED)
        if answer.status in UNREADABLE:
            return PutAgain(PutAgainReason.UNREADABLE)
        contents = split_contents(answer.data, with_fingerprint=read is _READ_FINGERPRINT)
        card = parse(contents.text)
        self._read_since_put = True
        return CardRead(card, contents.fingerprint)

    def _exchange(self, command: _Command, deadline: Deadline) -> Answer:
        """Send, and wait for the answer that can belong to it."""
        self._stream.discard_input()
        self._decoder.reset()
        self._stream.write(encode(command.body), deadline)
        passed_over: Answer | None = None
        while True:
            try:
                data = self._stream.read(deadline)
            except DeadlineExceeded:
                raise _no_answer(command, passed_over) from None
            for answer in map(parse_answer, self._decoder.feed(data)):
                if answer is not None and _belongs(answer, command):
                    return _unless_fault(answer, command)
                passed_over = answer or passed_over
            deadline.check(f"answer to {command.name}")


def _belongs(answer: Answer, command: _Command) -> bool:
    if answer.status == command.good:
        return len(answer.data) in command.good_bytes
    return not answer.data and answer.status in command.outcomes | HOST_FAULTS | MODULE_FAULTS


def _unless_fault(answer: Answer, command: _Command) -> Answer:
    if answer.status in HOST_FAULTS:
        raise ProtocolError(f"{command.name}: {answer.meaning}")
    if answer.status in MODULE_FAULTS:
        raise DeviceRefused(f"{command.name}: {answer.meaning}")
    return answer


def _no_answer(command: _Command, passed_over: Answer | None) -> ProtocolError | DeadlineExceeded:
    if passed_over is None:
        return DeadlineExceeded(f"no answer to {command.name} in time")
    return ProtocolError(
        f"{command.name}: {passed_over.meaning}, with {len(passed_over.data)} bytes of data"
    )
