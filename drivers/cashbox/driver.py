"""Host side of a ccTalk bill validator with escrow: one request, one reply, one deadline.

What the validator acknowledges is not money; what it tells as an event is. An event about money
is read twice before it is believed, because ccTalk's sum is eight bits.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from drivers.cash import (
    BoxBack,
    CashEvent,
    CashStatus,
    CashTrouble,
    EventsLost,
    NoteEscrowed,
    NoteRefused,
    NoteReturned,
    NoteStacked,
    Restarted,
    Trouble,
)
from drivers.cashbox.codec import (
    BILL_EVENTS,
    BILL_ID,
    BILL_TYPES,
    EVENTS_KEPT,
    HOST,
    MODIFY_INHIBIT,
    MODIFY_MASTER_INHIBIT,
    OPERATING_MODE,
    PRODUCT_CODE,
    REPLY,
    ROUTE_BILL,
    SCALING_FACTOR,
    SELF_CHECK,
    SERIAL_NUMBER,
    SIMPLE_POLL,
    VALIDATOR,
    BillEvents,
    Frame,
    FrameReader,
    parse_bill_events,
    parse_bill_id,
)
from drivers.deadline import Clock, Deadline
from drivers.errors import (
    DeadlineExceeded,
    DeviceRefused,
    DriverError,
    OutcomeUnknown,
    ProtocolError,
)
from drivers.identity import DeviceIdentity
from drivers.transport import ByteStream

KIND = "cashbox"
CAPABILITIES = frozenset({"escrow", "level", "events_since_mark"})
"""What this driver can be asked for; a profile that wants more is refused at start."""

ANSWER_S = 1.0  # the specification asks for an answer within 50 ms; some self-checks take longer
QUIET_S = 0.3  # no byte for so long: the rest of a frame will not come (the manual has 50 ms;
# a busy computer or a USB adapter holds bytes back for longer than that)
POLL_S = 0.1  # the specification asks for events to be read at least every 200 ms
ESCROW_AND_STACKER = 0x03
NAK_HEADER = 5
RETURN, STACK = 0, 1
ROUTE_FAILED = b"\xff"
COUNTER_MAX = 255

TROUBLES = {
    6: CashTrouble.JAMMED,
    7: CashTrouble.JAMMED,
    8: CashTrouble.FRAUD,
    9: CashTrouble.FRAUD,
    11: CashTrouble.BOX_REMOVED,
    13: CashTrouble.BOX_FAULTY,
    14: CashTrouble.BOX_FULL,
    15: CashTrouble.JAMMED,
    16: CashTrouble.JAMMED,
    17: CashTrouble.FRAUD,
    18: CashTrouble.FRAUD,
    19: CashTrouble.BOX_FAULTY,
}
REFUSALS, RETURNED, BACK, SILENT = (2, 3, 4, 5), 1, (10, 12), (0, 20)


@dataclass(frozen=True)
class CashboxSettings:
    """What differs between validators. `crc`: CRC-16 instead of the 8-bit sum."""

    country: str = "CN"
    crc: bool = False
    address: int = VALIDATOR


class BillValidator:
    """A NoteAcceptor (drivers/cash.py).

    `mark` and `escrowed_fen`: as they stood on disk when the connection before was lost. Then
    `prepare`, and `look` tells what happened since.
    """

    def __init__(
        self,
        stream: ByteStream,
        clock: Clock,
        settings: CashboxSettings | None = None,
        *,
        mark: int | None = None,
        escrowed_fen: int | None = None,
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._settings = settings or CashboxSettings()
        self._mark = mark
        self._values: dict[int, int] = {}
        self._escrowed = escrowed_fen

    @property
    def mark(self) -> int | None:
        """The event counter up to which events have been told."""
        return self._mark

    @property
    def escrowed_fen(self) -> int | None:
        """The note that waits for a decision now."""
        return self._escrowed

    def close(self) -> None:
        """Close the stream; may be called twice."""
        self._stream.close()

    def probe(self, timeout_s: float = 3 * ANSWER_S) -> DeviceIdentity:
        """Who answers here; changes nothing. Any DriverError: not a ccTalk validator."""
        deadline = Deadline.after(self._clock, timeout_s)
        self._ask(SIMPLE_POLL, b"", deadline, size=0)
        model = self._ask(PRODUCT_CODE, b"", deadline).decode("ascii", "replace").strip()
        number = int.from_bytes(self._ask(SERIAL_NUMBER, b"", deadline, size=3), "little")
        return DeviceIdentity(KIND, model, str(number))

    def status(self, deadline: Deadline) -> CashStatus:
        """232: fault code 0 is well."""
        fault = self._ask(SELF_CHECK, b"", deadline)
        if not fault:
            raise ProtocolError("a self-check without a code")
        return CashStatus(fault[0] == 0, "" if fault[0] == 0 else str(fault[0]))

    def prepare(self, deadline: Deadline) -> tuple[int, ...]:
        """Inhibit, escrow on, and which notes it knows."""
        self.refuse(deadline)
        self._ask(OPERATING_MODE, bytes([ESCROW_AND_STACKER]), deadline, size=0)
        country = self._settings.country.encode("ascii")
        scale = self._ask(SCALING_FACTOR, country, deadline, size=3)
        factor, decimals = int.from_bytes(scale[:2], "little"), scale[2]
        if factor == 0 or decimals > 2:
            raise DeviceRefused("the validator holds no notes of this country")
        for bill_type in range(1, BILL_TYPES + 1):
            found = parse_bill_id(self._ask(BILL_ID, bytes([bill_type]), deadline, size=7))
            if found is not None and found[0] == self._settings.country:
                self._values[bill_type] = found[1] * factor * 10 ** (2 - decimals)
        return tuple(sorted(set(self._values.values())))

    def accept(
        self, up_to_fen: int, deadline: Deadline, of_fen: Collection[int] | None = None
    ) -> tuple[int, ...]:
        """231 and 228: no change is given, so no note above what is owed."""
        assert self._values, "prepare first"
        taken = self._values.values() if of_fen is None else of_fen
        wanted = {
            kind: fen for kind, fen in self._values.items() if fen <= up_to_fen and fen in taken
        }
        mask = sum(1 << kind - 1 for kind in wanted)
        self._ask(MODIFY_INHIBIT, mask.to_bytes(2, "little"), deadline, size=0)
        self._ask(MODIFY_MASTER_INHIBIT, bytes([1 if wanted else 0]), deadline, size=0)
        return tuple(sorted(set(wanted.values())))

    def refuse(self, deadline: Deadline) -> None:
        """228: master inhibit."""
        self._ask(MODIFY_MASTER_INHIBIT, b"\x00", deadline, size=0)

    def look(self, deadline: Deadline) -> tuple[CashEvent, ...]:
        """159, twice when something is new."""
        told = self._events(deadline)
        if self._mark is None or told.counter == self._mark:
            self._mark = told.counter
            return ()
        if self._events(deadline) != told:
            return ()  # the line garbled one of them, or more is happening: the next look tells
        return self._since_mark(told)

    def stack(self, deadline: Deadline) -> NoteStacked | NoteReturned:
        """154 1, then the event that tells what became of the note."""
        return self._route(STACK, deadline)

    def give_back(self, deadline: Deadline) -> NoteReturned | NoteStacked:
        """154 0, then the event that tells what became of the note."""
        return self._route(RETURN, deadline)

    # -- notes

    def _route(self, way: int, deadline: Deadline) -> NoteStacked | NoteReturned:
        """Done, or "escrow empty": only an event ends it. DeviceRefused: the note has not moved."""
        assert self._escrowed is not None, "no note waits"
        try:
            if self._ask(ROUTE_BILL, bytes([way]), deadline) == ROUTE_FAILED:
                raise DeviceRefused("the note cannot be moved")
            while True:
                for event in self.look(deadline):
                    match event:
                        case NoteStacked() | NoteReturned():
                            return event
                        case Restarted() | EventsLost():
                            raise OutcomeUnknown("the validator forgot the note")
                        case Trouble(kind):
                            raise OutcomeUnknown(f"{kind.value} with a note inside")
                self._pause(deadline)
        except (OutcomeUnknown, DeviceRefused):
            raise
        except DriverError as fault:
            raise OutcomeUnknown(f"note routed, not confirmed: {fault}") from fault

    def _events(self, deadline: Deadline) -> BillEvents:
        return parse_bill_events(self._ask(BILL_EVENTS, b"", deadline, size=1 + 2 * EVENTS_KEPT))

    def _since_mark(self, told: BillEvents) -> tuple[CashEvent, ...]:
        assert self._mark is not None
        before, self._mark = self._mark, told.counter
        if told.counter == 0:
            self._escrowed = None
            return (Restarted(),)
        count = (told.counter - before) % COUNTER_MAX or COUNTER_MAX
        lost = (EventsLost(count - EVENTS_KEPT),) if count > EVENTS_KEPT else ()
        newest = told.events[: min(count, EVENTS_KEPT)]
        known = [self._event(*pair) for pair in reversed(newest)]
        for event in known:
            if isinstance(event, NoteEscrowed):
                self._escrowed = event.value_fen
            elif isinstance(event, NoteStacked | NoteReturned):
                self._escrowed = None
        return (*lost, *(event for event in known if event is not None))

    def _event(self, first: int, second: int) -> CashEvent | None:
        if first != 0:
            if first not in self._values or second not in (0, 1):
                raise ProtocolError("a note of a type that the validator did not name")
            value_fen = self._values[first]
            return NoteEscrowed(value_fen) if second == 1 else NoteStacked(value_fen)
        if second in SILENT:
            return None
        if second == RETURNED:
            return NoteReturned()
        if second in BACK:
            return BoxBack()
        if second in REFUSALS:
            return NoteRefused()
        return Trouble(TROUBLES.get(second, CashTrouble.BOX_FAULTY))

    # -- bytes

    def _ask(self, header: int, data: bytes, deadline: Deadline, size: int | None = None) -> bytes:
        """One command; the reply's data, of `size` bytes where the manual says so."""
        settings = self._settings
        soon = Deadline(self._clock, min(deadline.at_s, self._clock() + ANSWER_S))
        frame = Frame(settings.address, HOST, header, data)
        reader = FrameReader(HOST, settings.crc)
        self._stream.discard_input()
        self._stream.write(frame.encode(settings.crc), soon)
        while True:
            for reply in self._hear(reader, soon):
                if reply.header == NAK_HEADER:
                    raise DeviceRefused(f"the validator refused {header}")
                if reply.header == REPLY and size in (None, len(reply.data)):
                    return reply.data

    def _hear(self, reader: FrameReader, deadline: Deadline) -> list[Frame]:
        quiet = Deadline(self._clock, min(deadline.at_s, self._clock() + QUIET_S))
        try:
            return reader.feed(self._stream.read(quiet))
        except DeadlineExceeded:
            deadline.check("reply of the validator")
            return reader.skip()

    def _pause(self, deadline: Deadline) -> None:
        """Between two looks; what comes unasked is passed over."""
        deadline.check("event of the note")
        until = Deadline(self._clock, min(deadline.at_s, self._clock() + POLL_S))
        try:
            while until.remaining_s() > 0:
                self._stream.read(until)
        except DeadlineExceeded:
            return
