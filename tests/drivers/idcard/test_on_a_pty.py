"""The ID card reader on a real serial port: read, lift, unplug while waiting, plug in again."""

from __future__ import annotations

import threading
import time

import pytest

from drivers.errors import DeviceAbsent, DeviceBusy, DeviceLost, DriverError
from drivers.hosts.pty_host import PtyHost
from drivers.idcard.driver import CardAbsent, CardRead, IdCardReader, PutAgain
from drivers.idcard.emulator import Delays, IdCardReaderEmulator
from drivers.transports.serial_port import open_serial
from tests.drivers.idcard.people import RESIDENT
from tests.drivers.ports import Ports


def open_reader(host: PtyHost[IdCardReaderEmulator]) -> IdCardReader:
    return IdCardReader(open_serial(host.path, 115200, time.monotonic), time.monotonic)


def test_a_card_is_read_at_the_lines_own_speed(ports: Ports) -> None:
    host = ports.pty(IdCardReaderEmulator(), baud=115200)
    reader = open_reader(host)
    assert reader.read_card() == CardAbsent()
    host.with_emulator(lambda emulator: emulator.lay(RESIDENT))
    began_s = time.monotonic()
    assert reader.read_card() == CardRead(RESIDENT)
    on_the_wire_s = (30 + 15 + 19 + 1295) * 10 / 115200
    assert on_the_wire_s <= time.monotonic() - began_s < on_the_wire_s + 0.5


def test_a_card_lifted_in_mid_read_is_asked_for_again(ports: Ports) -> None:
    host = ports.pty(IdCardReaderEmulator())
    reader = open_reader(host)
    host.with_emulator(lambda emulator: emulator.lay(RESIDENT))
    host.with_emulator(lambda emulator: emulator.misbehave("lifted_mid_read"))
    assert isinstance(reader.read_card(), PutAgain)
    assert reader.read_card() == CardAbsent()


def test_the_cable_pulled_while_waiting_is_noticed_and_the_reader_comes_back(ports: Ports) -> None:
    host = ports.pty(IdCardReaderEmulator(delays=Delays(find_s=3.0)))
    reader = open_reader(host)
    pull = threading.Timer(0.1, host.unplug)
    pull.start()
    with pytest.raises(DeviceLost):
        reader.read_card()
    pull.join()
    with pytest.raises(DeviceAbsent):
        open_reader(host)
    reader.close()
    host.plug()
    host.with_emulator(lambda emulator: setattr(emulator, "delays", Delays()))
    assert open_reader(host).read_card() == CardAbsent()


def test_a_reader_in_use_is_busy_for_a_second_program(ports: Ports) -> None:
    host = ports.pty(IdCardReaderEmulator())
    reader = open_reader(host)
    with pytest.raises(DeviceBusy):
        open_reader(host)
    reader.close()
    assert open_reader(host).probe().kind == "idcard"


def test_a_reader_that_says_nothing_ends_by_the_deadline(ports: Ports) -> None:
    host = ports.pty(IdCardReaderEmulator())
    host.with_emulator(lambda emulator: emulator.misbehave("silent"))
    began_s = time.monotonic()
    with pytest.raises(DriverError):
        open_reader(host).find(timeout_s=0.2)
    assert 0.2 <= time.monotonic() - began_s < 1.0
