"""A device is served by choosing it in the profile: what the profile says is what is opened."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from drivers.deadline import Deadline
from drivers.mispos.emulator import MisPosEmulator
from drivers.pad_ledger import PadLedger
from drivers.unionpay.emulator import UnionPayEmulator
from drivers.zvt.emulator import PadEmulator, PadModel
from kiosk.openers import open_pad
from kiosk.profile import PaymentPadPart, parse_profile
from tests.drivers.pads import MORNING
from tests.drivers.ports import Ports
from tests.kiosk.test_profile import GOOD

clock = time.monotonic


def zvt(serial_line: bool) -> PadEmulator:
    return PadEmulator(PadLedger(), lambda: MORNING, PadModel(serial_line=serial_line))


PADS: dict[str, tuple[Callable[[], Any], str, str, bool]] = {
    "zvt on serial": (lambda: zvt(True), "serial", 'kind = "zvt"', True),
    "zvt on tcp": (lambda: zvt(False), "tcp", 'kind = "zvt"', True),
    "zvt in one phase": (lambda: zvt(True), "serial", 'kind = "zvt"\ntwo_phases = false', False),
    "mispos": (
        lambda: MisPosEmulator(PadLedger(), lambda: MORNING),
        "serial",
        'kind = "mispos"\nmispos = { desk = "0001", operator = "81" }',
        False,
    ),
    "unionpay": (
        lambda: UnionPayEmulator(PadLedger(), lambda: MORNING),
        "tcp",
        'kind = "unionpay"\nunionpay = { counter = "K03" }',
        False,
    ),
}


@pytest.mark.parametrize("name", PADS)
def test_the_pad_that_the_profile_names_is_opened_and_answers(name: str, ports: Ports) -> None:
    make, link, kind, holds = PADS[name]
    emulator = make()
    line = f'link = "tcp"\nhost = "127.0.0.1"\ntcp_port = {ports.tcp(emulator).port}'
    if link == "serial":
        line = f'link = "serial"\nport = "{ports.pty(emulator).path}"'
    written = 'kind = "zvt"\nlink = "serial"\nport = "/dev/kiosk/pad"'
    assert written in GOOD
    part = parse_profile(GOOD.replace(written, f"{kind}\n{line}")).devices.payment_pad
    assert isinstance(part, PaymentPadPart)
    pad = open_pad(part, clock, Random(7).randrange)
    try:
        pad.prepare(Deadline.after(clock, 5))
        assert pad.capabilities.holds is holds
    finally:
        pad.close()
