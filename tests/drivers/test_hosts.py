"""Real ports: what a driver opens, what a pulled cable does, and the speed of a line."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from drivers.deadline import Deadline
from drivers.errors import (
    DeadlineExceeded,
    DeviceAbsent,
    DeviceBusy,
    DeviceLost,
    TransportError,
)
from drivers.hosts.host import EmulatorHost
from drivers.hosts.pace import Pace
from drivers.hosts.pty_host import PtyHost
from drivers.hosts.tcp_host import TcpHost
from drivers.transport import ByteStream
from drivers.transports.serial_port import open_serial
from drivers.transports.tcp_port import open_tcp
from tests.drivers.ports import Ports

CLOCK = time.monotonic


class Echo:
    """Says what it hears; `greeting` goes out with the next tick."""

    def __init__(self) -> None:
        self.greeting = b""

    def receive(self, data: bytes) -> bytes:
        return data

    def tick(self, now_s: float) -> bytes:
        said, self.greeting = self.greeting, b""
        return said

    def greet(self, words: bytes) -> None:
        self.greeting = words


def soon(seconds: float = 2.0) -> Deadline:
    return Deadline.after(CLOCK, seconds)


def read_all(stream: ByteStream, count: int) -> bytes:
    got, deadline = b"", soon(5.0)
    while len(got) < count:
        got += stream.read(deadline)
    return got


def open_port(host: EmulatorHost[Echo]) -> ByteStream:
    match host:
        case PtyHost():
            return open_serial(host.path, 115200, CLOCK)
        case TcpHost():
            return open_tcp("127.0.0.1", host.port, CLOCK)
    raise AssertionError("a kind of host without a port")


@pytest.fixture(params=["pty", "tcp"])
def host(request: pytest.FixtureRequest, ports: Ports) -> EmulatorHost[Echo]:
    return ports.pty(Echo()) if request.param == "pty" else ports.tcp(Echo())


def test_bytes_go_there_and_back(host: EmulatorHost[Echo]) -> None:
    stream = open_port(host)
    everything = bytes(range(256)) * 8
    stream.write(everything, soon())
    assert read_all(stream, len(everything)) == everything


def test_what_the_emulator_says_unasked_arrives(host: EmulatorHost[Echo]) -> None:
    stream = open_port(host)
    stream.write(b"?", soon())
    assert stream.read(soon()) == b"?"
    host.with_emulator(lambda echo: echo.greet(b"hello"))
    assert read_all(stream, 5) == b"hello"


def test_nothing_by_the_deadline_is_said_so_in_time(host: EmulatorHost[Echo]) -> None:
    stream = open_port(host)
    began_s = CLOCK()
    with pytest.raises(DeadlineExceeded):
        stream.read(soon(0.1))
    assert 0.1 <= CLOCK() - began_s < 0.5


def test_old_input_can_be_dropped(host: EmulatorHost[Echo]) -> None:
    stream = open_port(host)
    stream.write(b"old", soon())
    assert stream.read(soon())
    stream.discard_input()
    stream.write(b"new", soon())
    assert read_all(stream, 3) == b"new"


def test_a_pulled_cable_is_noticed_while_waiting_and_comes_back(host: EmulatorHost[Echo]) -> None:
    stream = open_port(host)
    stream.write(b"?", soon())
    assert stream.read(soon()) == b"?"
    pull = threading.Timer(0.05, host.unplug)
    pull.start()
    with pytest.raises(DeviceLost):
        stream.read(soon(3.0))
    pull.join()
    with pytest.raises((DeviceLost, DeadlineExceeded)):
        stream.write(b"x" * 100_000, soon(0.2))
    stream.close()
    stream.close()
    with pytest.raises(DeviceAbsent):
        open_port(host)
    host.plug()
    again = open_port(host)
    again.write(b"back", soon())
    assert read_all(again, 4) == b"back"


def test_a_closed_port_is_lost_not_a_crash(host: EmulatorHost[Echo]) -> None:
    stream = open_port(host)
    stream.close()
    with pytest.raises(DeviceLost):
        stream.read(soon())
    with pytest.raises(DeviceLost):
        stream.write(b"?", soon())
    with pytest.raises(DeviceLost):
        stream.discard_input()


def test_the_next_driver_is_served_after_the_last_has_gone(host: EmulatorHost[Echo]) -> None:
    for words in (b"one", b"two"):
        stream = open_port(host)
        stream.write(words, soon())
        assert read_all(stream, 3) == words
        stream.close()


def test_a_serial_port_is_held_alone(ports: Ports) -> None:
    host = ports.pty(Echo())
    holder = open_serial(host.path, 115200, CLOCK)
    with pytest.raises(DeviceBusy):
        open_serial(host.path, 115200, CLOCK)
    holder.close()


def test_what_is_no_port_is_absent_or_unusable(tmp_path: Path) -> None:
    with pytest.raises(DeviceAbsent):
        open_serial(str(tmp_path / "none"), 9600, CLOCK)
    file = tmp_path / "file"
    file.write_text("no port")
    with pytest.raises(TransportError):
        open_serial(str(file), 9600, CLOCK)


def test_a_port_nobody_empties_is_stuck_not_for_ever() -> None:
    master, slave = os.openpty()
    stream = open_serial(os.ttyname(slave), 115200, CLOCK)
    with pytest.raises(DeadlineExceeded):
        stream.write(bytes(1_000_000), soon(0.2))
    stream.close()
    os.close(master)
    os.close(slave)


def test_a_link_leads_to_the_port_and_goes_with_it(tmp_path: Path) -> None:
    link = tmp_path / "idcard"
    with PtyHost(Echo(), CLOCK, link=link) as host:
        assert host.path == str(link)
        stream = open_serial(host.path, 9600, CLOCK)
        stream.write(b"?", soon())
        assert stream.read(soon()) == b"?"
        host.unplug()
        assert not link.is_symlink()
        host.plug()
        assert link.is_symlink()
    assert not link.is_symlink()


def test_a_driver_at_another_speed_hears_and_sends_rubbish() -> None:
    with PtyHost(Echo(), CLOCK, device_baud=9600) as host:
        wrong = open_serial(host.path, 115200, CLOCK)
        wrong.write(b"hello", soon())
        assert read_all(wrong, 5) != b"hello"
        wrong.close()
        right = open_serial(host.path, 9600, CLOCK)
        right.write(b"hello", soon())
        assert read_all(right, 5) == b"hello"


@pytest.mark.parametrize("baud", [9600, 115200])
def test_a_paced_line_takes_its_own_time(ports: Ports, baud: int) -> None:
    host = ports.pty(Echo(), baud=baud)
    stream = open_serial(host.path, baud, CLOCK)
    count = baud // 100
    began_s = CLOCK()
    stream.write(bytes(count), soon())
    read_all(stream, count)
    on_the_wire_s = count * 10 / baud
    assert on_the_wire_s <= CLOCK() - began_s <= on_the_wire_s * 1.5 + 0.1


def test_pace_is_an_absolute_schedule() -> None:
    pace = Pace(9600)
    assert pace.allowance(10.0, 100) == 0
    assert pace.allowance(10.0 + 0.0105, 100) == 10
    pace.carried(10)
    assert pace.allowance(10.0 + 0.0211, 100) == 10
    assert pace.allowance(10.0 + 0.0211, 3) == 3
    pace.rest()
    assert not pace.busy
    assert Pace(None).allowance(0.0, 77) == 77


def test_a_host_may_be_stopped_twice_and_started_again() -> None:
    host = PtyHost(Echo(), CLOCK)
    host.start()
    host.stop()
    host.stop()
    host.start()
    stream = open_serial(host.path, 9600, CLOCK)
    stream.write(b"?", soon())
    assert stream.read(soon()) == b"?"
    host.stop()
