"""A reader's slot as a driver sees it: the second of the two transports, one APDU at a time.

A driver never opens a slot, never sleeps and never retries. PcscPorts (this computer's pcscd) and
the tests' own line implement CardPort; a CardEmulator is the card's side of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from drivers.deadline import Deadline


@dataclass(frozen=True)
class CardPutIn:
    """A card is in the slot that was not there at the last look."""


@dataclass(frozen=True)
class CardTakenOut:
    """The card that was in the slot is gone."""


@dataclass(frozen=True)
class SlotUnchanged:
    """Nothing has happened since the last look."""


SlotEvent = CardPutIn | CardTakenOut | SlotUnchanged


class CardPort(Protocol):
    """The host's end of one slot."""

    @property
    def name(self) -> str:
        """The reader's own name."""

    def look(self, deadline: Deadline) -> SlotEvent:
        """What happened in the slot since the last look; waits for it until the deadline.

        DeviceLost: the reader is gone.
        """

    def connect(self, deadline: Deadline) -> bytes:
        """Power the card and begin anew with it; its answer to reset.

        CardRemoved: none there. CardMute: it does not answer. DeviceBusy: another program has it.
        """

    def transmit(self, command: bytes, deadline: Deadline) -> bytes:
        """One command, its answer with the status at its end.

        CardRemoved, CardReset, CardMute: what the card did. DeviceLost: the reader is gone.
        DeadlineExceeded: no answer; drop the port whole.
        """

    def disconnect(self) -> None:
        """Leave the card to others; may be called twice."""

    def close(self) -> None:
        """Give the slot back; may be called twice."""


class CardEmulator(Protocol):
    """The card's side: no thread, no port; whoever hosts it hands in power and commands."""

    @property
    def atr(self) -> bytes:
        """The answer to reset; empty: the card is mute (the wrong way round)."""

    def power_up(self) -> None:
        """Powered or reset: whatever was selected is forgotten."""

    def exchange(self, command: bytes) -> bytes | None:
        """The answer with its status; None: the card says nothing at all."""
