"""Pad and cash box as their workers drive them: connect, look, command, reconnect, in one thread.

Rule: while a driver waits for bytes the devices' time and the terminal's go on, so that a life is
the same however fast the machine.
"""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Iterable
from random import Random
from typing import TYPE_CHECKING

from drivers.cashbox.driver import BillValidator
from drivers.deadline import Deadline
from drivers.errors import DeadlineExceeded
from drivers.mispos.driver import mispos_pad
from drivers.mispos.emulator import EMULATED
from drivers.pad import PaymentPad
from drivers.transports.tcp_port import open_tcp
from drivers.unionpay.driver import unionpay_pad
from drivers.zvt.driver import tcp_pad
from kiosk.devices.cash_box import CashBoxDevice
from kiosk.devices.payment_pad import PadDevice
from kiosk.engine.workers import RECONNECT_S
from kiosk.flows.effects import AcceptCash, Effect
from kiosk.flows.events import (
    CashRecalled,
    CashSilent,
    CashStopped,
    PadApproved,
    PadCompleted,
    PadRecalled,
    PadReleased,
)
from kiosk.ports import (
    AskHospital,
    Device,
    DeviceFault,
    DeviceStood,
    Listen,
    Order,
    TellHospital,
    Told,
)
from tests.crash.marks import MarkedStream

if TYPE_CHECKING:
    from tests.crash.terminal import Terminal

ATTEND_S = 10.0
BYTES_S = 2.0
NEVER_S = float("inf")


class SteppedStream(MarkedStream):
    """A device's line: while the driver waits for bytes, the device's time and ours go on."""

    def __init__(self, station: Station) -> None:
        terminal = station.terminal
        place = terminal.place
        inner = open_tcp("127.0.0.1", place.ports[station.name], place.page.read_s)
        line = terminal.scenario.line
        super().__init__(inner, terminal.marks, lambda: f"{line} {station.doing}")
        self._terminal = terminal
        with socket.fromfd(inner.fileno(), socket.AF_INET, socket.SOCK_STREAM) as opened:
            self.port = opened.getsockname()[1]

    def read(self, deadline: Deadline) -> bytes:
        terminal = self._terminal
        self.mark_receive("before")
        until_s = terminal.now_s
        while True:
            patience_s = BYTES_S if terminal.pass_time(until_s, quiet=False) else 0.0
            try:
                data = self._inner.read(Deadline.after(time.monotonic, patience_s))
            except DeadlineExceeded:
                terminal.run_due()
                if deadline.remaining_s() <= 0:
                    raise
                until_s = min(deadline.at_s, terminal.next_s())
                continue
            self.mark_receive("after")
            return data


class Station:
    """One device with its orders. `attend_s`: when it wants to be looked at next."""

    name: str
    attend_busy_s: float

    def __init__(self, terminal: Terminal, device: Device) -> None:
        self.terminal, self._device = terminal, device
        self.orders: deque[Effect] = deque()
        self.listen = Listen(False, "")
        self.doing = "connect"
        self.attend_s = NEVER_S
        self._stream: SteppedStream | None = None
        self._tries = 0
        self._well = self._busy = self._serving = False

    def lines(self) -> dict[str, tuple[int, int]]:
        """Port and bytes written of the line that is open."""
        stream = self._stream
        return {self.name: (stream.port, stream.written)} if stream is not None else {}

    def order(self, order: Effect) -> None:
        if not self._device.interrupt(order):
            self.orders.append(order)

    def take(self, order: Effect) -> None:
        """At once, if it can."""
        if self._well and not self._serving:
            self.serve(order)

    def connected(self) -> SteppedStream:
        self.doing = "connect" if not self._serving else self.doing
        self._stream = SteppedStream(self)
        return self._stream

    def open(self) -> None:
        self.doing = "connect"
        try:
            self._say(self._device.open())
        except DeviceFault as fault:
            self._lost(fault)
            return
        self._well, self._tries = True, 0
        self.terminal.tell(DeviceStood(self._device.part, True))
        self.attend_s = self.terminal.now_s + ATTEND_S

    def serve(self, order: Effect | None) -> None:
        if order is not None and not self._well:
            self._say(self._device.absent(order))
            return
        self.doing = order_name(order) if order is not None else "attend"
        device, self._serving = self._device, True
        try:
            told = device.attend(self.listen) if order is None else device.perform(order)
            self._say(told)
            self._busy = self._busy or isinstance(order, AcceptCash)
        except DeviceFault as fault:
            self._lost(fault)
        self._serving = False
        if self._well:
            self.attend_s = self.terminal.now_s + (self.attend_busy_s if self._busy else ATTEND_S)

    def _lost(self, fault: DeviceFault) -> None:
        self._device.close()
        self._stream, self._busy, self.attend_s = None, False, NEVER_S
        if self._well:
            self._well = False
            self.terminal.tell(DeviceStood(self._device.part, False, fault.code))
        self.terminal.later(RECONNECT_S[min(self._tries, len(RECONNECT_S) - 1)], self.open)
        self._tries += 1

    def _say(self, events: Iterable[Told]) -> None:
        for event in events:
            match event:
                case PadApproved() | PadRecalled(_, "held"):
                    self._busy = True
                case PadCompleted() | PadReleased():
                    self._busy = False
                case CashStopped() | CashSilent() | CashRecalled():
                    self._busy = False
            self.terminal.tell(event)

    def close(self) -> None:
        self._device.close()


class PadStation(Station):
    """A pad that holds the money, or one of two that have taken it when they approve."""

    name = "pad"
    attend_busy_s = 0.2

    def __init__(self, terminal: Terminal) -> None:
        page = terminal.place.page
        super().__init__(terminal, PadDevice(self._connect, page.read_s, terminal.tell))
        self._echo = Random(f"{terminal.scenario.seed}/{page.now_s}")

    def _connect(self) -> PaymentPad:
        stream, clock = self.connected(), self.terminal.place.page.read_s
        match self.terminal.scenario.kind:
            case "mispos":
                return mispos_pad(stream, clock, self._echo.randrange, EMULATED)
            case "unionpay":
                return unionpay_pad(stream, clock, self._echo.randrange)
        return tcp_pad(stream, clock)


class CashStation(Station):
    """A banknote validator; looked at less often than in the field, for the drill's sake."""

    name = "cash"
    attend_busy_s = 0.8

    def __init__(self, terminal: Terminal) -> None:
        clock = terminal.place.page.read_s
        super().__init__(terminal, CashBoxDevice(self._connect, clock))

    def _connect(self, mark: int | None, escrowed_fen: int | None) -> BillValidator:
        clock = self.terminal.place.page.read_s
        return BillValidator(self.connected(), clock, mark=mark, escrowed_fen=escrowed_fen)


def order_name(order: Order) -> str:
    """As the marks call it."""
    match order:
        case AskHospital(_, request) | TellHospital(request):
            return f"{type(order).__name__} {type(request).__name__}"
    return type(order).__name__
