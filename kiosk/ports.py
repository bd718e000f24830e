"""What the engine needs of the world, and what the world may tell it.

The engine knows no driver, no database and no socket: workers hand it events, it hands out
orders. A fault of a device or of the hospital reaches it as an event, never as an exception.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from kiosk.domain.bill import Quote
from kiosk.domain.visit import GivenNumber, LentSlot
from kiosk.flows.effects import Effect, GiveNumber, NoNumber
from kiosk.flows.events import Event, PinChecked
from kiosk.flows.payment import Payment
from kiosk.flows.slips import TrailLine
from kiosk.hospital.contract import DayList, Expected, OutboxReply, Record
from kiosk.views import Touch

Part = Literal[
    "id_reader", "card_slot", "scanner", "receipt_printer", "a4_printer", "pad", "cash_box"
]


class DeviceFault(Exception):
    """A device cannot go on: drop the connection whole, open again, look before acting.

    `code` is a notice's key (paper_out, cover_open, …) or `away`; the text is for technicians.
    """

    def __init__(self, code: str, text: str = "") -> None:
        super().__init__(text or code)
        self.code = code


# --- what the world tells, besides the flows' own events -----------------------------------------


@dataclass(frozen=True)
class DeviceStood:
    """A device was lost (`well` False) or is back; said once each."""

    part: Part
    well: bool
    code: str = ""


@dataclass(frozen=True)
class DeviceNeeds:
    """A device that answers waits for a person's hand: a notice's code; empty: no longer.

    `words` are the device's own, for technicians.
    """

    part: Part
    code: str = ""
    words: str = ""


@dataclass(frozen=True)
class HospitalStood:
    reachable: bool


@dataclass(frozen=True)
class NumbersStood:
    """How many on-site numbers this terminal may give out alone now."""

    left: int


@dataclass(frozen=True)
class PolicyStood:
    """A signed health-code policy is in force, or is not."""

    on: bool
    version: str = "0"


@dataclass(frozen=True)
class PaymentsStood:
    """Whether a payment may be begun: `off` says why not, a code; empty, it may."""

    off: str = ""


@dataclass(frozen=True)
class PadLooked:
    """What the pad remembers now; opaque to the engine, kept with the next payment."""

    mark: str


@dataclass(frozen=True)
class CashLooked:
    """The cash box is there: which notes it takes, and how far its events have been told."""

    notes_fen: tuple[int, ...]
    mark: int


@dataclass(frozen=True)
class CashBoxChanged:
    """Something at the box that is nobody's payment: jam, full, out, and `back` (put in empty).

    `mark`: how far the box's events have been told with this one.
    """

    code: Literal["back", "cash_jam", "cash_full", "cash_box_out", "cash_fraud"]
    mark: int = 0


@dataclass(frozen=True)
class Answered:
    """The end of AskHospital. `why` empty: `reply` is there."""

    id: int
    reply: Any = field(default=None, repr=False)
    why: Literal["", "unreachable", "unknown", "refused", "bad"] = ""


@dataclass(frozen=True)
class Sent:
    """So many records wait for the gateway now."""

    waiting: int


@dataclass(frozen=True)
class Ticked:
    """Time has passed; timers and countdowns are looked at."""


Told = (
    Event
    | Touch
    | DeviceStood
    | DeviceNeeds
    | HospitalStood
    | NumbersStood
    | PolicyStood
    | PaymentsStood
    | PadLooked
    | CashLooked
    | CashBoxChanged
    | Answered
    | Sent
    | Ticked
)


# --- what the engine orders ----------------------------------------------------------------------


@dataclass(frozen=True)
class AskHospital:
    id: int
    request: Any = field(repr=False)


@dataclass(frozen=True)
class TellHospital:
    request: Any = field(repr=False)


@dataclass(frozen=True)
class Listen:
    """What the card reader and the scanner shall listen for from now on."""

    cards: bool
    codes: Literal["", "identity", "payment"]
    bank_cards: bool = False


Order = Effect | AskHospital | TellHospital | Listen


class Outside(Protocol):
    """Hands orders to whoever can carry them out; returns at once."""

    def order(self, order: Order) -> None: ...


class Clock(Protocol):
    def now(self) -> datetime:
        """Local time, with its zone."""

    def monotonic_s(self) -> float:
        """Seconds that never go back, across suspends too."""


class Records(Protocol):
    """The store as the engine sees it. commit() is one transaction, durable when it returns."""

    def commit(self, keeps: Sequence[Effect], session: str) -> None: ...

    def admission(self) -> str:
        """Asked before each payment: empty, or why none may be begun now."""

    def pad_looked(self, mark: str) -> None:
        """What the pad remembers last; a store that was mended is compared with it."""

    def fresh(self) -> int:
        """A number never given before at this terminal."""

    def open_payments(self) -> tuple[Payment, ...]: ...

    def notes(self, prefix: str) -> dict[str, str]: ...

    def check_pin(self, pin: str) -> PinChecked: ...

    def find_offline(self, number: str) -> Expected | None: ...

    def lent(self) -> tuple[LentSlot, ...]:
        """Slots of which this terminal may give out numbers now."""

    def give_number(self, give: GiveNumber, session: str) -> GivenNumber | NoNumber: ...

    def held_quote(self, number: str) -> Quote | None:
        """Verified, in time and unused."""

    def keep_day_list(self, day_list: DayList, until: datetime) -> None: ...

    def trail(self, number: str) -> tuple[TrailLine, ...]: ...

    def waiting(self) -> int:
        """How many records wait for the gateway."""

    def send_round(self, send: SendRecords) -> float:
        """One round of sending; how long to wait before the next, in s."""


class SendRecords(Protocol):
    """Carries a batch to the gateway, or raises a fault of kiosk.hospital.faults."""

    def __call__(self, records: Sequence[Record]) -> OutboxReply: ...


class Device(Protocol):
    """One device behind a driver, as its worker sees it. Only DeviceFault may come out."""

    part: Part
    pause_s: float
    """How long the worker waits for an order before it attends to the device again."""

    def open(self) -> Iterable[Told]:
        """Connect, look, say what was found. DeviceFault when it is not there."""

    def attend(self, listen: Listen) -> Iterable[Told]:
        """Nothing was ordered: poll, serve, look."""

    def perform(self, effect: Effect) -> Iterable[Told]:
        """Carry out one effect; events as they happen."""

    def absent(self, effect: Effect) -> Iterable[Told]:
        """What to say of an effect when the device is not there: nothing was sent."""

    def interrupt(self, effect: Effect) -> bool:
        """Called on the engine's thread while perform() runs; True: taken care of."""

    def close(self) -> None: ...
