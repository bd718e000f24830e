"""The host's side of a vendor's process: one question, one answer, one deadline.

No thread, no retry, no sleep. An answer bears its question's id, so a late one is never taken for
the next person's. After any exception but CardRemoved end the process and start it anew: a library
that once broke is not asked again.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from drivers.deadline import Clock, Deadline
from drivers.errors import CardRemoved, DeadlineExceeded, DeviceRefused, ProtocolError
from drivers.identity import DeviceIdentity
from drivers.pcsc.port import CardPutIn, CardTakenOut, SlotEvent, SlotUnchanged
from drivers.plugin.codec import (
    NOTHING,
    Answer,
    Arguments,
    Hello,
    LineReader,
    Outcome,
    PluginCard,
    Request,
    Slot,
    Verb,
    parse_answer,
    parse_card,
    parse_hello,
    parse_slot,
)
from drivers.socialcard.driver import CardAbsent, NotThisCard, NotThisCardReason
from drivers.transport import ByteStream

KIND = "plugin"
CAPABILITIES = frozenset({"text", "slot_events", "decode"})
"""What such a process may be asked for; its hello says what it really can."""

HELLO_S = 5.0
"""A library may look for its PSAM and its server first."""
LOOK_S = 1.0
READ_CARD_S = 8.0
DECODE_S = 8.0
"""An insurer's component asks its server."""


@dataclass(frozen=True, repr=False)
class PluginCardRead:
    """What the library read or decoded."""

    card: PluginCard

    def __repr__(self) -> str:
        return f"PluginCardRead({self.card!r})"


@dataclass(frozen=True)
class CodeNotDecoded:
    """The component does not know the code, or its time is over."""

    expired: bool


class Plugin:
    """A vendor's process on `stream`; `clock` is the one that the stream's waits follow."""

    def __init__(self, stream: ByteStream, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock
        self._lines = LineReader()
        self._id = 0
        self._slot = Slot(False, 0)
        self._unsaid: list[SlotEvent] = []

    def hello(self, timeout_s: float = HELLO_S) -> Hello:
        """Who it is and what it can. ProtocolError: it speaks another protocol."""
        return parse_hello(self._ask(Verb.HELLO, timeout_s).body)

    def look(self, timeout_s: float = LOOK_S) -> SlotEvent:
        """A card put in or taken out since the last look; answers at once."""
        if self._unsaid:
            return self._unsaid.pop(0)
        old, self._slot = self._slot, parse_slot(self._ask(Verb.LOOK, timeout_s).body)
        if not self._slot.card:
            return CardTakenOut() if old.card else SlotUnchanged()
        if old.card and old.put != self._slot.put:
            self._unsaid.append(CardPutIn())
            return CardTakenOut()
        return SlotUnchanged() if old.card else CardPutIn()

    def read_card(
        self, timeout_s: float = READ_CARD_S
    ) -> PluginCardRead | NotThisCard | CardAbsent:
        """The card in the slot. CardRemoved: pulled in the middle of it. ProtocolError: garbage.

        DeviceRefused: the library cannot (no PSAM, no server); DeviceLost: its process has ended.
        """
        outcome, card = parse_card(self._ask(Verb.READ, timeout_s).body)
        match outcome:
            case Outcome.READ:
                assert card is not None
                return PluginCardRead(card)
            case Outcome.ABSENT:
                return CardAbsent()
            case Outcome.NOT_THIS_CARD:
                return NotThisCard(NotThisCardReason.NO_APPLICATION)
            case Outcome.REMOVED:
                raise CardRemoved("plug-in: pulled in the middle of a reading")
        raise ProtocolError(f"plug-in: the card is {outcome.value}")

    def decode_code(
        self, code: str, business: str, timeout_s: float = DECODE_S
    ) -> PluginCardRead | CodeNotDecoded:
        """Whose insurance code this is; `business` as the insurer numbers it (01101 …).

        Codes are single-use: choose the business first, then scan, and ask once.
        """
        arguments = MappingProxyType({"code": code, "business": business})
        outcome, card = parse_card(self._ask(Verb.DECODE, timeout_s, arguments).body)
        if outcome is Outcome.READ:
            assert card is not None
            return PluginCardRead(card)
        return CodeNotDecoded(expired=outcome is Outcome.EXPIRED)

    def probe(self, timeout_s: float = HELLO_S) -> DeviceIdentity:
        """Which library this is; says nothing of a card. Any DriverError: none that we know."""
        found = self.hello(timeout_s)
        return DeviceIdentity(KIND, found.name, found.version)

    def close(self) -> None:
        """End the process; may be called twice."""
        self._stream.close()

    def _ask(
        self,
        verb: Verb,
        timeout_s: float,
        arguments: Arguments = NOTHING,
    ) -> Answer:
        deadline = Deadline.after(self._clock, timeout_s)
        self._id += 1
        self._stream.write(Request(self._id, verb, arguments).encode(), deadline)
        while True:
            try:
                data = self._stream.read(deadline)
            except DeadlineExceeded:
                raise DeadlineExceeded(f"no answer to {verb.value} from the plug-in") from None
            for answer in map(parse_answer, self._lines.feed(data)):
                if answer is not None and answer.id == self._id:
                    return _unless_fault(answer, verb)
            deadline.check(f"answer to {verb.value}")


def _unless_fault(answer: Answer, verb: Verb) -> Answer:
    if answer.fault == "bad_request":
        raise ProtocolError(f"{verb.value}: the plug-in did not understand")
    if answer.fault:
        # Its words are the vendor's and may name a person: they are not repeated.
        raise DeviceRefused(f"{verb.value}: the plug-in says {_code(answer.fault)}")
    return answer


def _code(fault: str) -> str:
    """A fault's code as a word that may be logged."""
    known = fault.isascii() and fault.replace("_", "").isalnum() and len(fault) <= 32
    return fault if known and not fault.isdigit() else "a fault without a code"
