"""Receipt printer: each failure in each state of printing a slip; no cell is empty.

Every cell ends the same way: the fault is put right, the worker connects anew, and the next slip
comes out whole and alone, without a line of the one before it.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from drivers.errors import (
    CoverOpen,
    DeadlineExceeded,
    DeviceLost,
    PaperJammed,
    PaperOut,
)
from drivers.escpos.commands import GENERIC_80, KIOSK_80, Model
from drivers.escpos.driver import (
    CoverOpenMidSlip,
    CutterStuck,
    JammedMidSlip,
    PaperOutMidSlip,
    Printed,
    PrinterOffline,
    ReceiptPrinter,
    SlipUnknown,
)
from drivers.escpos.emulator import ReceiptPrinterEmulator
from tests.drivers.cable import Cable
from tests.drivers.escpos.paper import LONG, SHORT, fault_of, glyphs

SLOW_ROWS_PER_S = 60.0
LONG_ITEMS_MIN = 25


class AtMoment:
    """The printer, and a hand that does something to it once, when `moment` has come."""

    def __init__(self, inner: ReceiptPrinterEmulator, moment: Callable[[Wire], bool]) -> None:
        self.inner = inner
        self.happened = False
        self.hand: Callable[[], None] = lambda: None
        self._moment = moment
        self._wire = Wire(inner)

    def receive(self, data: bytes) -> bytes:
        self._wire.heard += data
        self._look()
        return self.inner.receive(data)

    def tick(self, now_s: float) -> bytes:
        self._look()
        return self.inner.tick(now_s)

    def _look(self) -> None:
        if not self.happened and self._moment(self._wire):
            self.happened = True
            self.hand()


class Wire:
    """What the printer has heard and done so far."""

    def __init__(self, emulator: ReceiptPrinterEmulator) -> None:
        self.emulator = emulator
        self.heard = bytearray()

    def count(self, hexadecimal: str) -> int:
        return self.heard.count(bytes.fromhex(hexadecimal))


# In the order of a slip's life. 1D 61 00 begins a slip; 1B 40 1D 56 is tidying.
STATES: dict[str, Callable[[Wire], bool]] = {
    "idle": lambda wire: True,
    "asked for its state": lambda wire: wire.count("100402") > 0,
    "being tidied": lambda wire: wire.count("1B401D56") > 0,
    "first bytes came": lambda wire: wire.count("1D6100") > 0,
    "printing": lambda wire: len(wire.emulator.standing) >= 5,
    "last line printed": lambda wire: len(wire.emulator.standing) >= LONG_ITEMS_MIN,
    "cut, asked again": lambda wire: bool(wire.emulator.slips) and wire.heard[-1:] == b"\x01",
}
BEFORE = ("idle", "asked for its state", "being tidied")


def out(e: ReceiptPrinterEmulator, _: Cable) -> None:
    e.paper_out_after(0)


def cover(e: ReceiptPrinterEmulator, _: Cable) -> None:
    e.cover_open = True


def jam(e: ReceiptPrinterEmulator, _: Cable) -> None:
    e.jammed = True


def knife(e: ReceiptPrinterEmulator, _: Cable) -> None:
    e.cutter_stuck = True


def heat(e: ReceiptPrinterEmulator, _: Cable) -> None:
    e.too_hot = True


def power(e: ReceiptPrinterEmulator, _: Cable) -> None:
    e.cut_power()


def mute(e: ReceiptPrinterEmulator, _: Cable) -> None:
    e.silent = True


def unplug(_: ReceiptPrinterEmulator, cable: Cable) -> None:
    cable.unplug()


def near_end(e: ReceiptPrinterEmulator, _: Cable) -> None:
    e.near_end = True


def exit_full(e: ReceiptPrinterEmulator, _: Cable) -> None:
    e.ticket_in_exit = True


def slower(e: ReceiptPrinterEmulator, _: Cable) -> None:
    e.rows_per_s = 15.0


Hand = Callable[[ReceiptPrinterEmulator, Cable], None]
Outcome = type[Exception] | type[Printed]

# failure → the hand that makes it, then the outcome: before anything is asked, while being tidied
# (the mark on empty paper does not come back), and once the slip was begun.
FAILURES: dict[str, tuple[Hand, Outcome, Outcome, Outcome]] = {
    "paper out": (out, PaperOut, DeadlineExceeded, PaperOutMidSlip),
    "cover open": (cover, CoverOpen, DeadlineExceeded, CoverOpenMidSlip),
    "jam": (jam, PaperJammed, DeadlineExceeded, JammedMidSlip),
    "knife stuck": (knife, CutterStuck, DeadlineExceeded, JammedMidSlip),
    "head too hot": (heat, PrinterOffline, DeadlineExceeded, JammedMidSlip),
    "power cut": (power, DeadlineExceeded, DeadlineExceeded, SlipUnknown),
    "silent": (mute, DeadlineExceeded, DeadlineExceeded, SlipUnknown),
    "unplugged": (unplug, DeviceLost, DeviceLost, SlipUnknown),
    "roll near its end": (near_end, Printed, Printed, Printed),
    "slip still in the exit": (exit_full, Printed, Printed, Printed),
    "slow": (slower, Printed, Printed, Printed),
}


def expected(failure: str, state: str) -> Outcome:
    _, before, tidying, begun = FAILURES[failure]
    if state == "being tidied":
        return tidying
    return before if state in BEFORE else begun


@pytest.mark.parametrize("model", [GENERIC_80, KIOSK_80], ids=lambda model: model.name)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("failure", FAILURES)
def test_each_failure_in_each_state(failure: str, state: str, model: Model) -> None:
    emulator = ReceiptPrinterEmulator(glyphs(), model, strict=False)
    emulator.rows_per_s = SLOW_ROWS_PER_S
    trap = AtMoment(emulator, STATES[state])
    cable = Cable(trap)
    trap.hand = lambda: FAILURES[failure][0](emulator, cable)
    printer = ReceiptPrinter(cable, cable.clock, model, glyphs())

    outcomes: list[object] = []
    fault = fault_of(lambda: outcomes.append(printer.print_slip(LONG)))
    outcome = outcomes[0] if outcomes else fault

    assert trap.happened, "the moment never came"
    assert type(outcome) is expected(failure, state), repr(outcome)
    if isinstance(outcome, Printed):
        assert [slip.whole for slip in emulator.slips] == [True]
    assert emulator.refused == []

    emulator.behave()
    cable.plug()
    on_tape = len(emulator.slips)
    cable.pass_time(5)
    if failure != "unplugged":  # nobody could tell the printer to forget it
        assert len(emulator.slips) == on_tape, "a broken slip came out later by itself"
    again = ReceiptPrinter(cable, cable.clock, model, glyphs())
    assert isinstance(again.print_slip(SHORT), Printed)
    last = emulator.slips[-1]
    assert last.whole
    assert last.text.startswith("您好\n合计")
    assert sum(slip.whole for slip in emulator.slips) <= 2


def test_every_failure_that_stops_a_slip_is_a_fault_in_every_state() -> None:
    for failure, (_, *outcomes) in FAILURES.items():
        kinds = {issubclass(outcome, Exception) for outcome in outcomes}
        assert len(kinds) == 1, failure
