"""Taps where no bytes travel: a reader's slot, and whatever reads codes.

Rule: of an answer of a card only its length and status are told, of a code its length and the kind
of its characters. No picture is touched.
"""

from __future__ import annotations

from drivers.deadline import Clock, Deadline
from drivers.errors import DriverError
from drivers.pcsc.port import CardPort, CardPutIn, CardTakenOut, SlotEvent
from drivers.recording import APDU_STATUS_BYTES, Tap
from drivers.scanner.codec import Garbage, Scanned
from drivers.scanner.driver import Nothing
from drivers.scanner.hints import Hint
from drivers.scanner.source import CodeSource


class WatchedSlot:
    """A CardPort that tells its tap what passes, and how each call ended."""

    def __init__(self, port: CardPort, tap: Tap) -> None:
        self._port, self._tap = port, tap

    @property
    def name(self) -> str:
        return self._port.name

    def look(self, deadline: Deadline) -> SlotEvent:
        try:
            event = self._port.look(deadline)
        except DriverError as fault:
            self._tap.tell("look_failed", fault=type(fault).__name__)
            raise
        self._tap.heard()
        match event:
            case CardPutIn():
                self._tap.tell("card_put_in")
            case CardTakenOut():
                self._tap.tell("card_taken_out")
        return event

    def connect(self, deadline: Deadline) -> bytes:
        try:
            answer = self._port.connect(deadline)
        except DriverError as fault:
            self._tap.tell("reset_failed", fault=type(fault).__name__)
            raise
        self._tap.tell("card_reset", bytes=len(answer))
        return answer

    def transmit(self, command: bytes, deadline: Deadline) -> bytes:
        self._tap.note("device", command)
        try:
            answer = self._port.transmit(command, deadline)
        except DriverError as fault:
            self._tap.tell("command_failed", fault=type(fault).__name__)
            raise
        self._tap.note("host", answer)
        self._tap.tell("status", sw=answer[-APDU_STATUS_BYTES:].hex())
        return answer

    def disconnect(self) -> None:
        self._port.disconnect()

    def close(self) -> None:
        self._port.close()


class WatchedCodes:
    """A CodeSource without a line of ours (camera, keyboard): what it decoded, by length."""

    def __init__(self, source: CodeSource, tap: Tap) -> None:
        self._source, self._tap = source, tap
        self.clock: Clock = source.clock
        self._hinted = Hint.NONE

    @property
    def hint(self) -> Hint:
        return self._source.hint

    def arm(self) -> None:
        self._tap.tell("armed")
        self._source.arm()

    def disarm(self) -> None:
        self._tap.tell("disarmed")
        self._source.disarm()

    def poll(self, deadline: Deadline) -> Scanned | Nothing | Garbage:
        try:
            outcome = self._source.poll(deadline)
        except DriverError as fault:
            self._tap.tell("lost", fault=type(fault).__name__)
            raise
        match outcome:
            case Scanned(text):
                self._tap.tell("scanned", bytes=len(text.encode()), kind=kind_of(text))
            case Garbage(reason):
                self._tap.tell("garbage", reason=reason.value)
        self._tell_hint()
        return outcome

    def close(self) -> None:
        self._source.close()

    def _tell_hint(self) -> None:
        hint, before = self._source.hint, self._hinted
        self._hinted = hint
        if hint is not before:
            self._tap.tell("hint", hint=hint.value)


def kind_of(text: str) -> str:
    """Which characters a code is made of; nothing of what it says."""
    if text.isascii() and text.isdigit():
        return "digits"
    if text.startswith(("http://", "https://")):
        return "address"
    return "ascii" if text.isascii() else "text"
