"""A reader's slot on virtual time, with every fault that a slot and its reader can have.

The driver's CardPort to a card's emulator. Nothing waits: `clock` moves only when the driver
looks or transmits; hand that clock to the driver.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from drivers.deadline import Deadline
from drivers.errors import (
    CardMute,
    CardRemoved,
    CardReset,
    DeadlineExceeded,
    DeviceBusy,
    DeviceLost,
    DriverError,
)
from drivers.pcsc.port import CardEmulator, CardPutIn, CardTakenOut, SlotEvent, SlotUnchanged

CALLS_MAX = 5_000  # a driver that asks more often than this between two faults hangs

Spoil = Callable[[bytes, "CardLine"], bytes]


@dataclass(frozen=True)
class LineFaults:
    """What is wrong; `at`: from which exchange on (0 is the first)."""

    at: int = 0
    raises: Callable[[CardLine], DriverError] | None = None
    """Happens once."""
    delay_s: float = 0.0
    silent: bool = False
    spoil: Spoil | None = None
    busy: bool = False


GOOD = LineFaults()


class CardLine:
    """A CardPort; hands put() and pull(), a test sets `faults`."""

    name = "Virtual Line 00 00"

    def __init__(self, card: CardEmulator, faults: LineFaults = GOOD, seed: int = 0) -> None:
        self.card = card
        self.faults = faults
        self.chance = random.Random(seed)
        self.now_s = 1000.0
        self.sent: list[bytes] = []
        """All that the driver transmitted."""
        self.last_answer = b"\x90\x00"
        self.exchanges = 0
        self.gone = self.present = False
        self.connected = 0
        self._events: list[SlotEvent] = []
        self._powered = False
        self._calls = 0

    def clock(self) -> float:
        """Seconds of virtual time."""
        return self.now_s

    @property
    def powered(self) -> bool:
        """Whether the driver holds a connection to the card."""
        return self._powered

    # -- hands

    def put(self) -> None:
        """The card goes in."""
        if not self.present:
            self.present = True
            self._events.append(CardPutIn())

    def pull(self) -> None:
        """The card comes out, whatever is under way."""
        if self.present:
            self.present = self._powered = False
            self._events.append(CardTakenOut())

    def forget_events(self) -> None:
        """What happened so far was told to somebody else."""
        self._events.clear()

    def begin(self, faults: LineFaults = GOOD) -> None:
        """These faults from here on; exchanges are counted anew, the reader is there."""
        self.faults, self.exchanges, self.gone, self._calls = faults, 0, False, 0

    # -- the driver's side

    def look(self, deadline: Deadline) -> SlotEvent:
        self._alive()
        if self._events:
            return self._events.pop(0)
        self.now_s = max(self.now_s, deadline.at_s)
        return SlotUnchanged()

    def connect(self, deadline: Deadline) -> bytes:
        self._alive()
        if not self.present:
            raise CardRemoved("no card")
        if self.faults.busy:
            raise DeviceBusy("held")
        if not self.card.atr:
            raise CardMute("no answer to reset")
        self.card.power_up()
        self._powered = True
        self.connected += 1
        return self.card.atr

    def transmit(self, command: bytes, deadline: Deadline) -> bytes:
        self._alive()
        self.sent.append(command)
        strikes, self.exchanges = self.exchanges >= self.faults.at, self.exchanges + 1
        if strikes and self.faults.raises is not None:
            raise self.faults.raises(self)
        if not self.present or not self._powered:
            raise CardRemoved("no card")
        answer = self.card.exchange(command)
        if not self.present:
            raise CardRemoved("pulled")
        thinks_s = self.faults.delay_s if strikes else 0.001
        if answer is None or (strikes and self.faults.silent) or thinks_s > deadline.remaining_s():
            self.now_s = max(self.now_s, deadline.at_s)
            raise DeadlineExceeded("no answer")
        self.now_s += thinks_s
        told = self.faults.spoil(answer, self) if strikes and self.faults.spoil else answer
        self.last_answer = answer
        return told

    def disconnect(self) -> None:
        self._powered = False

    def close(self) -> None:
        self._powered = False

    def _alive(self) -> None:
        self._calls += 1
        assert self._calls < CALLS_MAX, "the driver asks without end"
        if self.gone:
            raise DeviceLost("reader gone")


def removed(line: CardLine) -> DriverError:
    line.pull()
    return CardRemoved("pulled")


def reset(line: CardLine) -> DriverError:
    """By another program, or by a moment without power: once."""
    line.disconnect()
    return CardReset("reset")


def unplugged(line: CardLine) -> DriverError:
    line.gone = True
    return DeviceLost("reader gone")


def broken_off(_line: CardLine) -> DriverError:
    return CardMute("broke off")
