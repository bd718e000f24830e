"""Every payment pad under one roof: an emulator with a ledger, a cable, a driver, and hands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from drivers.deadline import Clock, Deadline
from drivers.errors import DriverError
from drivers.mispos.driver import mispos_pad
from drivers.mispos.emulator import EMULATED, MisPosEmulator
from drivers.pad import (
    UNWATCHED,
    Approved,
    Attempt,
    Cancelled,
    Declined,
    Finding,
    LastPayment,
    NothingFound,
    PadCondition,
    PaymentPad,
    Watch,
    find,
)
from drivers.pad_ledger import Entry, PadLedger
from drivers.transport import ByteStream, Emulator
from drivers.unionpay.driver import unionpay_pad
from drivers.unionpay.emulator import UnionPayEmulator
from drivers.zvt.driver import ZvtSettings, serial_pad, tcp_pad
from drivers.zvt.emulator import PadEmulator, PadModel
from tests.drivers.cable import Cable

MORNING = datetime(2026, 7, 21, 9, 30, 15)


class Hands(Emulator, Protocol):
    """What a test does to any pad emulator."""

    ledger: PadLedger

    def present_card(self, card_name: str = ..., last4: str = ...) -> None: ...
    def approve(self) -> None: ...
    def decline(self) -> None: ...
    def press_cancel(self) -> None: ...
    def power_cut(self) -> None: ...
    def power_up(self) -> None: ...
    def wake(self) -> None: ...


@dataclass(frozen=True)
class PadKind:
    """One driver with its emulator."""

    name: str
    make_emulator: Callable[[PadLedger], Hands]
    make_driver: Callable[[ByteStream, Clock], PaymentPad]


def _morning() -> datetime:
    return MORNING


def _zvt_serial(ledger: PadLedger) -> PadEmulator:
    return PadEmulator(ledger, _morning)


def _zvt_tcp(ledger: PadLedger) -> PadEmulator:
    return PadEmulator(ledger, _morning, PadModel(serial_line=False))


def _one_phase(stream: ByteStream, clock: Clock) -> PaymentPad:
    return serial_pad(stream, clock, ZvtSettings(max_status_infos=None))


ZVT_SERIAL = PadKind("zvt on serial", _zvt_serial, serial_pad)
ZVT_TCP = PadKind("zvt on tcp", _zvt_tcp, tcp_pad)
ZVT_ONE_PHASE = PadKind("zvt in one phase", _zvt_serial, _one_phase)


def _mispos(ledger: PadLedger) -> MisPosEmulator:
    return MisPosEmulator(ledger, _morning)


def _mispos_pad(stream: ByteStream, clock: Clock) -> PaymentPad:
    # Echoes go on from the time, so that no two connections of one test use the same.
    return mispos_pad(stream, clock, lambda below: int(clock() * 100) % below, EMULATED)


MISPOS = PadKind("mispos", _mispos, _mispos_pad)


def _unionpay(ledger: PadLedger) -> UnionPayEmulator:
    return UnionPayEmulator(ledger, _morning)


def _unionpay_pad(stream: ByteStream, clock: Clock) -> PaymentPad:
    return unionpay_pad(stream, clock, lambda below: int(clock() * 10) % below)


UNIONPAY = PadKind("unionpay", _unionpay, _unionpay_pad)

PAD_KINDS: tuple[PadKind, ...] = (ZVT_SERIAL, ZVT_TCP, ZVT_ONE_PHASE, MISPOS, UNIONPAY)


class Person:
    """Someone before the pad, who does things after a while; an Emulator around another."""

    def __init__(self, pad: Emulator, at_s: float, act: Callable[[], None]) -> None:
        self._pad = pad
        self._at_s = at_s
        self._act: Callable[[], None] | None = act

    def receive(self, data: bytes) -> bytes:
        return self._pad.receive(data)

    def tick(self, now_s: float) -> bytes:
        if self._act is not None and now_s >= self._at_s:
            act, self._act = self._act, None
            act()
        return self._pad.tick(now_s)


@dataclass
class Rig:
    """A pad on a virtual cable, registered and looked at, as after a start of the terminal."""

    kind: PadKind
    seed: int = 0
    cable: Cable = field(init=False)
    pad: PaymentPad = field(init=False)
    trace_before: int | None = None

    def __post_init__(self) -> None:
        self.hands = self.kind.make_emulator(PadLedger())
        self.cable = Cable(self.hands, seed=self.seed)
        self.connect()
        self.pad.prepare(self.within(10))

    def connect(self) -> None:
        """A new driver, as a worker makes after any fault."""
        self.pad = self.kind.make_driver(self.cable, self.cable.clock)

    def within(self, seconds: float) -> Deadline:
        """A deadline from now."""
        return Deadline.after(self.cable.clock, seconds)

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """A hand that comes after so many seconds."""
        self.cable.emulator = Person(self.cable.emulator, self.cable.now_s + seconds, act)

    def charge(
        self, amount_fen: int = 1250, within_s: float = 30, watch: Watch = UNWATCHED
    ) -> Approved | Declined | Cancelled:
        """One attempt."""
        return self.pad.authorise("R-0001", amount_fen, self.within(within_s), watch)

    def hold_for(self, seconds: float) -> object:
        """Serve a held payment as a worker does; the last thing that the pad said."""
        until_s = self.cable.now_s + seconds
        said: object = None
        while self.cable.now_s < until_s:
            said = self.pad.keep_holding(self.within(0.5))
        return said

    def ask_until_answered(self, within_s: float = 120) -> LastPayment | NothingFound:
        """What a worker does with an unsettled payment: reconnect, look, ask, again and again."""
        deadline = self.within(within_s)
        while True:
            self.connect()
            try:
                if self.pad.status(self.within(10)).condition is not PadCondition.BUSY:
                    return self.pad.last_payment(self.within(15))
            except DriverError:
                deadline.check("answer of the pad")
            self.cable.pass_time(1.0)

    def found(self, answer: LastPayment | NothingFound, amount_fen: int = 1250) -> Finding:
        """What core would conclude."""
        attempt = Attempt(amount_fen, MORNING, self.trace_before)
        return find(attempt, answer)

    def pay_before(self) -> None:
        """An earlier payment of another person, so that the pad remembers something."""
        self.hands.present_card(last4="9999")
        approved = self.charge(700)
        assert isinstance(approved, Approved)
        self.pad.complete(self.within(10))
        last = self.pad.last_payment(self.within(10))
        assert isinstance(last, LastPayment)
        self.trace_before = last.charged.trace

    def newest(self) -> Entry:
        """The newest line of the pad's own ledger."""
        newest = self.hands.ledger.newest
        assert newest is not None
        return newest
