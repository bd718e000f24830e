"""The ZVT pad over a real pty and a real TCP port: pay, unplug while holding, come back."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from drivers.deadline import Deadline
from drivers.errors import DeviceAbsent, DriverError, OutcomeUnknown
from drivers.hosts.host import EmulatorHost
from drivers.pad import (
    Approved,
    Attempt,
    Completed,
    Finding,
    LastPayment,
    PaymentState,
    Released,
    StillHeld,
    Watch,
    find,
)
from drivers.pad_ledger import Fate, PadLedger, read_ledger
from drivers.transports.serial_port import open_serial
from drivers.transports.tcp_port import open_tcp
from drivers.zvt.driver import ZvtPad, serial_pad, tcp_pad
from drivers.zvt.emulator import PadEmulator, PadModel
from tests.drivers.pads import MORNING
from tests.drivers.ports import Ports

Open = Callable[[], ZvtPad]


def within(seconds: float) -> Deadline:
    return Deadline.after(time.monotonic, seconds)


@pytest.fixture(params=["pty", "tcp"])
def line(
    request: pytest.FixtureRequest, ports: Ports, tmp_path: Path
) -> tuple[EmulatorHost[PadEmulator], Open]:
    """A pad's host, and how to open a driver to it."""
    model = PadModel(serial_line=request.param == "pty")
    emulator = PadEmulator(PadLedger(tmp_path / "pad.jsonl"), lambda: MORNING, model)
    emulator.knobs.asks_again_s = emulator.knobs.reply_s = 0.3
    if request.param == "tcp":
        tcp = ports.tcp(emulator)
        return tcp, lambda: tcp_pad(open_tcp("127.0.0.1", tcp.port, time.monotonic), time.monotonic)
    pty = ports.pty(emulator, baud=115200)

    def open_pty() -> ZvtPad:
        return serial_pad(open_serial(pty.path, 115200, time.monotonic, stopbits=2), time.monotonic)

    return pty, open_pty


def test_a_payment_is_held_and_completed(
    line: tuple[EmulatorHost[PadEmulator], Open], tmp_path: Path
) -> None:
    """Row 63: the pad on a real cable, both ways it is sold."""
    host, open_pad = line
    pad = open_pad()
    assert pad.prepare(within(5)) == "52500038"

    def lay_card(_progress: object) -> None:
        host.with_emulator(PadEmulator.present_card)

    approved = pad.authorise("R-1", 1250, within(10), Watch(on_progress=lay_card))
    assert isinstance(approved, Approved) and approved.held
    assert pad.keep_holding(within(0.5)) == StillHeld()
    assert pad.complete(within(5)) == Completed()
    pad.close()
    assert [entry.fate for entry in read_ledger(tmp_path / "pad.jsonl")] == [Fate.COMPLETED]


def test_a_cable_pulled_while_holding_is_put_back_and_the_payment_released(
    line: tuple[EmulatorHost[PadEmulator], Open], tmp_path: Path
) -> None:
    host, open_pad = line
    pad = open_pad()
    pad.prepare(within(5))
    host.with_emulator(PadEmulator.present_card)
    assert isinstance(pad.authorise("R-1", 1250, within(10)), Approved)
    host.unplug()
    with pytest.raises(DriverError):
        pad.complete(within(1))
    pad.close()
    with pytest.raises(DeviceAbsent):
        open_pad()
    host.plug()
    again = open_pad()
    answer = again.last_payment(within(10))
    assert isinstance(answer, LastPayment) and answer.state is PaymentState.HELD
    assert find(Attempt(1250, MORNING, trace_before=0), answer) is Finding.HELD
    assert again.release(within(5)) == Released(by_pad=False)
    again.close()
    assert [entry.fate for entry in read_ledger(tmp_path / "pad.jsonl")] == [Fate.REVERSED]


def test_a_real_charge_that_was_not_answered_is_found(
    line: tuple[EmulatorHost[PadEmulator], Open], tmp_path: Path
) -> None:
    host, open_pad = line
    pad = open_pad()
    pad.prepare(within(5))

    def go_silent(emulator: PadEmulator) -> None:
        emulator.knobs.silent_after_charge = True
        emulator.present_card()

    host.with_emulator(go_silent)
    with pytest.raises(OutcomeUnknown):
        pad.authorise("R-1", 1250, within(1))
    pad.close()
    host.with_emulator(PadEmulator.wake)
    again = open_pad()
    answer = again.last_payment(within(10))
    again.close()
    assert find(Attempt(1250, MORNING, trace_before=0), answer) is Finding.TAKEN
    assert len(read_ledger(tmp_path / "pad.jsonl")) == 1
