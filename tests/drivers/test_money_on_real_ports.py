"""MIS-POS and bill validator on a pty, the UnionPay library on a socket: pay, unplug, ask."""

from __future__ import annotations

import random
import time

import pytest

from drivers.cash import NoteEscrowed, NoteStacked
from drivers.cashbox.driver import BillValidator
from drivers.cashbox.emulator import BillValidatorEmulator, NoteLedger
from drivers.deadline import Deadline
from drivers.errors import DriverError, OutcomeUnknown
from drivers.mispos.driver import mispos_pad
from drivers.mispos.emulator import EMULATED, MisPosEmulator
from drivers.pad import Approved, Attempt, Finding, Released, find
from drivers.pad_ledger import PadLedger
from drivers.transports.serial_port import open_serial
from drivers.transports.tcp_port import open_tcp
from drivers.unionpay.driver import unionpay_pad
from drivers.unionpay.emulator import UnionPayEmulator
from tests.drivers.pads import MORNING
from tests.drivers.ports import Ports

clock = time.monotonic
draw = random.Random(7).randrange


def within(seconds: float) -> Deadline:
    return Deadline.after(clock, seconds)


def test_a_mispos_is_paid_unplugged_before_its_answer_and_asked(ports: Ports) -> None:
    emulator = MisPosEmulator(PadLedger(), lambda: MORNING)
    host = ports.pty(emulator, baud=115200)
    pad = mispos_pad(open_serial(host.path, 115200, clock), clock, draw, EMULATED)
    pad.prepare(within(5))
    host.with_emulator(MisPosEmulator.present_card)
    approved = pad.authorise("R-1", 700, within(5))
    assert isinstance(approved, Approved)
    host.with_emulator(lambda made: made.present_card())
    host.with_emulator(lambda made: made.misbehave("silent_after_charge"))
    with pytest.raises(OutcomeUnknown):
        pad.authorise("R-2", 1250, within(1))
    pad.close()
    host.unplug()
    host.plug()
    host.with_emulator(MisPosEmulator.wake)
    again = mispos_pad(open_serial(host.path, 115200, clock), clock, draw, EMULATED)
    attempt = Attempt(1250, MORNING, trace_before=approved.charged.trace)
    assert find(attempt, again.last_payment(within(5))) is Finding.TAKEN
    again.close()
    assert emulator.ledger.standing_fen() == 1950


def test_a_payment_by_the_unionpay_library_is_voided(ports: Ports) -> None:
    host = ports.tcp(UnionPayEmulator(PadLedger(), lambda: MORNING))
    pad = unionpay_pad(open_tcp("127.0.0.1", host.port, clock), clock, draw)
    pad.prepare(within(5))
    host.with_emulator(UnionPayEmulator.present_card)
    assert isinstance(pad.authorise("R-1", 1250, within(5)), Approved)
    assert pad.release(within(5)) == Released(by_pad=False)
    pad.close()


def test_a_note_is_stacked_and_a_pulled_cable_is_noticed(ports: Ports) -> None:
    ledger = NoteLedger()
    host = ports.pty(BillValidatorEmulator(ledger), baud=9600)
    validator = BillValidator(open_serial(host.path, 9600, clock), clock)
    assert 1000 in validator.prepare(within(10))
    validator.look(within(2))
    validator.accept(1250, within(2))
    host.with_emulator(lambda made: made.insert_note(10))
    assert validator.look(within(2)) == (NoteEscrowed(1000),)
    assert validator.stack(within(5)) == NoteStacked(1000)
    host.unplug()
    with pytest.raises(DriverError):
        validator.look(within(2))
    validator.close()
    assert ledger.stacked_fen() == 1000
