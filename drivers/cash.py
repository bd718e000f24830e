"""What every banknote acceptor can say: frozen values and one Protocol.

The rule: a note rests in escrow until the payment is on disk, then `stack`; on cancel or doubt
`give_back`. A note is money only after NoteStacked. `mark` goes to disk with each step: with it a
new driver tells again what happened since, exactly once.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from drivers.deadline import Deadline


@dataclass(frozen=True)
class NoteEscrowed:
    """A good note waits for our decision; the person can still have it back."""

    value_fen: int


@dataclass(frozen=True)
class NoteStacked:
    """The note is in the box: money taken."""

    value_fen: int


@dataclass(frozen=True)
class NoteReturned:
    """The note went back to the person."""


@dataclass(frozen=True)
class NoteRefused:
    """Not taken in: not known, not wanted, or badly drawn in."""


class CashTrouble(Enum):
    """What a person must see to."""

    JAMMED = "jammed"
    BOX_FULL = "box_full"
    BOX_REMOVED = "box_removed"
    BOX_FAULTY = "box_faulty"
    FRAUD = "fraud"
    """Pulled back, on a string, tampered with: staff, not the person, are told."""


@dataclass(frozen=True)
class Trouble:
    """Something happened that stops taking notes."""

    kind: CashTrouble


@dataclass(frozen=True)
class BoxBack:
    """The box is in its place again."""


@dataclass(frozen=True)
class Restarted:
    """The acceptor lost its memory of events; a note on its way then is in doubt."""


@dataclass(frozen=True)
class EventsLost:
    """More happened than the acceptor remembers: count the box."""

    count: int


CashEvent = (
    NoteEscrowed
    | NoteStacked
    | NoteReturned
    | NoteRefused
    | Trouble
    | BoxBack
    | Restarted
    | EventsLost
)


@dataclass(frozen=True)
class CashStatus:
    """`fault` is the acceptor's own code, "" when it is well."""

    is_well: bool
    fault: str


class NoteAcceptor(Protocol):
    """Host side. No change is given: accept only notes that do not exceed what is owed."""

    @property
    def mark(self) -> int | None:
        """How far events have been told; on disk with each step."""

    @property
    def escrowed_fen(self) -> int | None:
        """The note that waits for a decision now."""

    def prepare(self, deadline: Deadline) -> tuple[int, ...]:
        """Read which notes it knows, in fen, and take none yet."""

    def accept(
        self, up_to_fen: int, deadline: Deadline, of_fen: Collection[int] | None = None
    ) -> tuple[int, ...]:
        """Take notes worth at most this much; which ones. Call again after each note.

        `of_fen`: none but these, whatever else the acceptor knows; None: all that it knows.
        """

    def refuse(self, deadline: Deadline) -> None:
        """Take no more notes."""

    def look(self, deadline: Deadline) -> tuple[CashEvent, ...]:
        """What happened since the last look, oldest first. Call every 200 ms while accepting."""

    def stack(self, deadline: Deadline) -> NoteStacked | NoteReturned:
        """Keep the note. OutcomeUnknown: reconnect with the mark and look."""

    def give_back(self, deadline: Deadline) -> NoteReturned | NoteStacked:
        """Return the note. NoteStacked: it had been kept already."""

    def status(self, deadline: Deadline) -> CashStatus:
        """Its own self-check."""

    def close(self) -> None:
        """Close the stream; may be called twice."""
