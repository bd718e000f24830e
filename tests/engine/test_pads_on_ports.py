"""Each kind of pad on a real port behind the whole engine: no card is charged for nothing.

The engine is on virtual time; the pad's bytes go over a pseudo-terminal or a socket, and what
became of the money is read from the pad's own ledger.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from drivers.deadline import Deadline
from drivers.errors import DriverError
from drivers.hosts.host import EmulatorHost
from drivers.pad import PaymentPad
from drivers.pad_ledger import Fate, PadLedger
from drivers.transports.serial_port import open_serial
from drivers.transports.tcp_port import open_tcp
from kiosk.devices.payment_pad import PadDevice
from kiosk.flows.effects import (
    CancelPad,
    ChargePad,
    CompletePad,
    KeepMove,
    RecallPad,
    ReleasePad,
)
from kiosk.hospital.contract import Settle, Settled
from kiosk.ports import DeviceFault, DeviceStood
from tests.drivers.pads import MISPOS, MORNING, UNIONPAY, ZVT_SERIAL, ZVT_TCP, Hands, PadKind
from tests.drivers.ports import Ports
from tests.engine.desk import Desk, HandClock
from tests.flows.people import NOW

PAD_ORDERS = (ChargePad, CompletePad, ReleasePad, RecallPad, CancelPad)
OWN_FEN = 4120
HURRY_S = 0.8
"""For a charge that is not answered: no test need wait longer."""

SOON_S = 10.0


class Person:
    """Someone before the pad who does things after a while; an Emulator around another."""

    def __init__(self, pad: Hands) -> None:
        self.pad, self._now_s = pad, 0.0
        self._later: tuple[float, Callable[[], None]] | None = None

    def receive(self, data: bytes) -> bytes:
        return self.pad.receive(data)

    def tick(self, now_s: float) -> bytes:
        self._now_s = now_s
        if self._later is not None and now_s >= self._later[0]:
            act, self._later = self._later[1], None
            act()
        return self.pad.tick(now_s)

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        self._later = (self._now_s + seconds, act)


@dataclass(frozen=True)
class Port:
    """One kind of pad, and how its port is made and opened."""

    kind: PadKind
    stopbits: int = 1

    def plug(self, ports: Ports, person: Person) -> tuple[EmulatorHost[Person], Any]:
        clock = time.monotonic
        if self.kind in (ZVT_TCP, UNIONPAY):
            tcp = ports.tcp(person)
            return tcp, lambda: self.kind.make_driver(open_tcp("127.0.0.1", tcp.port, clock), clock)
        pty = ports.pty(person, baud=115200)

        def opened() -> PaymentPad:
            stream = open_serial(pty.path, 115200, clock, stopbits=self.stopbits)
            return self.kind.make_driver(stream, clock)

        return pty, opened


PORTS = (Port(ZVT_SERIAL, stopbits=2), Port(ZVT_TCP), Port(MISPOS), Port(UNIONPAY))


class Terminal:
    """A desk; what it orders of the pad is carried out on the port, as the worker does it."""

    def __init__(self, folder: Path, port: Port, ports: Ports) -> None:
        person = Person(port.kind.make_emulator(PadLedger()))
        self.host, self._open = port.plug(ports, person)
        self.desk = Desk(folder, HandClock(MORNING.replace(tzinfo=NOW.tzinfo)))
        self._done = 0
        self._charge_s = SOON_S
        self._pay_before()
        self.connect()

    def hands(self, act: Callable[[Any], Any]) -> Any:
        return self.host.with_emulator(lambda person: act(person.pad))

    def _pay_before(self) -> None:
        """An earlier person's payment: what the pad remembers must not be taken for ours."""
        pad = self._open()
        within = Deadline.after(time.monotonic, SOON_S)
        pad.prepare(within)
        self.hands(lambda made: made.present_card(last4="9999"))
        pad.authorise("R-0", 700, within)
        pad.complete(within)
        pad.close()

    def connect(self) -> None:
        self.device = PadDevice(self._open, time.monotonic, self.desk.engine.tell, self._charge_s)
        until_s = time.monotonic() + SOON_S
        while True:
            try:
                self._tell(self.device.open())
                break
            except DeviceFault:
                self.device.close()
                assert time.monotonic() < until_s, "the pad never came back"
        self.desk.tell(DeviceStood("pad", True))

    def bad_day(self, name: str) -> None:
        """The pad misbehaves, and is not waited for so long."""
        self.device.close()
        self._charge_s = HURRY_S
        self.connect()
        self.hands(lambda made: made.misbehave(name))

    def run(self) -> None:
        """Everything that is ordered of the pad; after a fault the line is opened anew."""
        while (order := self._next()) is not None:
            if self.device.interrupt(order):
                continue
            try:
                self._tell(self.device.perform(order))
            except DeviceFault:
                self.device.close()
                self.host.unplug()
                self.host.plug()
                self.hands(lambda made: made.wake())
                self.connect()

    def until(self, reference: str, state: str) -> None:
        """Questions are asked again."""
        until_s = time.monotonic() + SOON_S
        while self.state(reference) != state:
            assert time.monotonic() < until_s, f"{self.state(reference)}, not {state}"
            self.desk.pass_s(2)
            self.run()

    def state(self, reference: str) -> str:
        return self.desk.records.payment_state(reference)

    def fates(self) -> list[Fate]:
        """Without the earlier person's."""
        return [one.fate for one in self.hands(lambda made: made.ledger.entries)[1:]]

    def _next(self) -> Any:
        while self._done < len(self.desk.log):
            order = self.desk.log[self._done]
            self._done += 1
            if isinstance(order, PAD_ORDERS):
                return order
        return None

    def _tell(self, told: Any) -> None:
        for event in told:
            self.desk.tell(event)


@pytest.fixture(params=PORTS, ids=lambda port: port.kind.name)
def terminal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Terminal]:
    with ExitStack() as stack:
        made = Terminal(tmp_path / "terminal", request.param, Ports(stack))
        yield made
        with suppress(DriverError):
            made.device.close()
        made.desk.records.close()


def test_a_declined_card_is_charged_nothing_and_told_so(terminal: Terminal) -> None:
    """Row 63."""
    terminal.hands(lambda made: made.decline())
    reference = terminal.desk.at_pad()
    terminal.hands(lambda made: made.present_card())
    terminal.run()
    assert terminal.state(reference) == "DECLINED" and terminal.fates() == []
    page = terminal.desk.page
    assert page.result == "not_charged"
    assert page.reason in ("declined", "declined_funds"), "as the bank's code says"


def test_whoever_presses_the_red_key_is_charged_nothing_and_told_so(terminal: Terminal) -> None:
    reference = terminal.desk.at_pad()
    terminal.host.with_emulator(lambda person: person.later(0.2, person.pad.press_cancel))
    terminal.run()
    assert terminal.state(reference) == "DECLINED" and terminal.fates() == []
    page = terminal.desk.page
    assert (page.result, page.reason) == ("not_charged", "cancelled_at_pad")


def test_a_charge_whose_answer_never_came_is_found_and_booked_once(terminal: Terminal) -> None:
    """P3: silent, the line opened anew, asked, and no second charge."""
    terminal.bad_day("silent_after_charge")
    reference = terminal.desk.at_pad()
    terminal.hands(lambda made: made.present_card())
    terminal.run()
    assert "UNKNOWN" in moves(terminal, reference), "the silence is a doubt, not a failure"
    assert terminal.desk.orders(RecallPad), "and is asked about"
    terminal.desk.answer(Settle, Settled(reference, "R1"))
    terminal.run()
    terminal.until(reference, "SETTLED")
    assert terminal.fates() == [Fate.COMPLETED]
    assert len(terminal.desk.orders(ChargePad)) == 1


def test_a_pad_that_fell_silent_before_it_took_anything_is_asked_and_costs_nothing(
    terminal: Terminal,
) -> None:
    terminal.bad_day("silent_before_charge")
    reference = terminal.desk.at_pad()
    terminal.hands(lambda made: made.present_card())
    terminal.run()
    assert "UNKNOWN" in moves(terminal, reference)
    terminal.until(reference, "DECLINED")
    assert terminal.fates() == []


def moves(terminal: Terminal, reference: str) -> list[str]:
    """Every state of it that is on disk."""
    kept = (one for one in terminal.desk.keeps() if getattr(one, "reference", "") == reference)
    return [one.state for one in kept if isinstance(one, KeepMove)]
