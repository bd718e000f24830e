"""Each emulator as a process of its own, as other projects use it; spoken to by our drivers."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from drivers.camera.driver import CameraScanner
from drivers.camera.frames import open_camera
from drivers.cashbox.driver import BillValidator
from drivers.deadline import Deadline
from drivers.emulate.catalogue import KINDS
from drivers.errors import DeadlineExceeded, DeviceAbsent, DeviceLost
from drivers.escpos.driver import ReceiptPrinter
from drivers.hosts.pcsc_daemon import READER, why_not
from drivers.idcard.driver import CardAbsent, CardRead, IdCardReader
from drivers.ipp.driver import A4Printer
from drivers.mispos.driver import mispos_pad
from drivers.mispos.emulator import EMULATED
from drivers.pad import PaymentPad
from drivers.pcsc.place import SOCKET_NAME_VARIABLE
from drivers.plugin.driver import Plugin, PluginCardRead
from drivers.scanner.codec import Scanned
from drivers.scanner.driver import Scanner
from drivers.scanner.models import NEWLAND
from drivers.slip import Slip, Text
from drivers.transport import ByteStream
from drivers.transports.descriptor import DescriptorStream
from drivers.transports.input_device import open_input
from drivers.transports.serial_port import open_serial
from drivers.transports.tcp_port import open_tcp
from drivers.unionpay.driver import unionpay_pad
from drivers.wedge.driver import KeyStream
from drivers.zvt.driver import serial_pad
from kiosk.cli import app

CLOCK = time.monotonic
SOON_S = 30.0  # thirteen programs start at once on two cores
CODE = "280012345678901234"
BAUD = 9600
RUN = CliRunner()
DIES_WITH_US = ("setpriv", "--pdeathsig", "TERM", "--")
"""A test run that is killed ends no fixture: the kernel ends what it started."""


def within(seconds: float = SOON_S) -> Deadline:
    return Deadline.after(CLOCK, seconds)


@dataclass
class Running:
    """An emulator's process; say() is one line in and its answer out."""

    process: subprocess.Popen[bytes]
    folder: Path
    port: str = ""
    heard: bytes = b""

    def line(self) -> str:
        out = self.process.stdout
        assert out is not None
        while b"\n" not in self.heard:
            assert select.select([out], [], [], SOON_S)[0], "no word from it"
            self.heard += os.read(out.fileno(), 4096)
        line, _, self.heard = self.heard.partition(b"\n")
        return line.decode()

    def say(self, words: str) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(words.encode() + b"\n")
        return self.line()

    def open(self) -> DescriptorStream:
        host, _, number = self.port.rpartition(":")
        if host:
            return open_tcp(host, int(number), CLOCK)
        return open_serial(self.port, BAUD, CLOCK)


def start(name: str, folder: Path, *options: str) -> Running:
    command = [sys.executable, "-m", "kiosk", "emulate", name, "--folder", str(folder), *options]
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        [*DIES_WITH_US, *command], bufsize=0, stdin=pipe, stdout=pipe, stderr=pipe
    )
    return Running(process, folder)


def end(running: Running) -> int:
    assert running.process.stdin is not None
    running.process.send_signal(signal.SIGTERM)
    code = running.process.wait(SOON_S)
    for pipe in (running.process.stdin, running.process.stdout, running.process.stderr):
        assert pipe is not None
        pipe.close()
    return code


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Running]]:
    """All of them at once, which is faster than one after the other."""
    with ExitStack() as stack:
        able = [name for name, kind in KINDS.items() if "pcsc" not in kind.ports or not why_not()]
        every = {name: start(name, tmp_path_factory.mktemp(name)) for name in able}
        for one in every.values():
            stack.callback(end, one)
            one.port = one.line()
        yield every


def one_of(running: dict[str, Running], name: str) -> Running:
    if name not in running:
        pytest.skip(why_not())
    return running[name]


def reads_a_card(one: Running) -> None:
    reader = IdCardReader(one.open(), CLOCK)
    assert one.say("card name=王小明 birth=1990-03-07 number=110101199003070046") == "ok"
    outcome = reader.read_card()
    assert isinstance(outcome, CardRead) and outcome.card.name == "王小明"
    assert one.say("lift") == "ok"
    assert reader.find() == CardAbsent(maybe_still_lying=True)
    reader.close()


def reads_a_code(one: Running) -> None:
    scanner = Scanner(one.open(), CLOCK, NEWLAND)
    scanner.arm()
    assert one.say(f"code {CODE}") == "ok"
    assert scanner.poll(within()) == Scanned(CODE)
    scanner.close()


def types_a_code(one: Running) -> None:
    keys: ByteStream = KeyStream(open_input(one.port, CLOCK))
    assert one.say(f"code {CODE}") == "ok"
    typed = b""
    while not typed.endswith((b"\r", b"\n")):
        typed += keys.read(within())
    assert typed.strip().decode() == CODE
    keys.close()


def sees_a_code(one: Running) -> None:
    scanner = CameraScanner(open_camera(f"http://{one.port}/", CLOCK), CLOCK)
    scanner.arm()
    assert one.say(f"code {CODE}") == "ok"
    assert scanner.poll(within()) == Scanned(CODE)
    scanner.close()


def prints_a_slip(one: Running) -> None:
    printer = ReceiptPrinter(one.open(), CLOCK)
    printer.print_slip(Slip((Text("挂号凭条"),)))
    printer.close()
    assert one.say("slip") == "1"
    assert any("挂号凭条" in path.read_text() for path in one.folder.glob("*.txt"))


def takes_a_document(one: Running) -> None:
    printer = A4Printer(f"ipp://{one.port}/ipp/print", CLOCK)
    job = printer.print_pdf(b"%PDF-1.4 example", "K03-1")
    deadline = within()
    while not printer.job(job).printed:
        deadline.check("the document")
    assert one.say("paper") == "1"


def charges(make: Callable[[ByteStream], PaymentPad]) -> Callable[[Running], None]:
    def charge(one: Running) -> None:
        pad = make(one.open())
        pad.prepare(within())
        assert one.say("present") == "ok"
        approved = pad.authorise("K03-1", 100, within())
        assert getattr(approved, "charged", None) is not None, approved
        pad.complete(within())
        pad.close()
        assert (one.folder / "pad-ledger.jsonl").read_bytes()

    return charge


def takes_a_note(one: Running) -> None:
    box = BillValidator(one.open(), CLOCK)
    assert 1000 in box.prepare(within())
    assert one.say("note 10") == "not taken", "nobody asked for money"
    box.accept(10_000, within())
    assert one.say("note 10") == "drawn in"
    box.close()


READ_A_SLOT = """
import sys, time
from drivers.{module}.driver import {driver}
from drivers.pcsc.service import PcscPorts
reader = {driver}(PcscPorts(time.monotonic).open(sys.argv[1]), time.monotonic)
while "Unchanged" in (told := repr(reader.{look}(2.0))) or "Absent" in told:
    pass
print(reader.read_card().card.name)
reader.close()
"""


def reads_a_slot(**names: str) -> Callable[[Running], None]:
    """In a process of its own: the PC/SC library knows one pcscd a process."""

    def read(one: Running) -> None:
        assert one.say("card name=王小明") == "ok"
        script = READ_A_SLOT.format(**names)
        found = subprocess.run(
            [sys.executable, "-c", script, f"{READER} 00 00"],
            env={**os.environ, SOCKET_NAME_VARIABLE: one.port},
            capture_output=True,
            text=True,
            timeout=SOON_S,
        )
        assert found.stdout.strip() == "王小明", found.stderr

    return read


def asks_a_vendor(one: Running) -> None:
    vendor = Plugin(one.open(), CLOCK)
    assert one.say("card name=王小明") == "ok"
    found = vendor.read_card()
    assert isinstance(found, PluginCardRead) and found.card.name == "王小明"
    vendor.close()


STORIES: dict[str, Callable[[Running], None]] = {
    "idcard": reads_a_card,
    "socialcard": reads_a_slot(module="socialcard", driver="SocialCardReader", look="look"),
    "idcard_pcsc": reads_a_slot(module="idcard_pcsc", driver="PcscIdCardReader", look="find"),
    "plugin": asks_a_vendor,
    "scanner": reads_a_code,
    "wedge": types_a_code,
    "camera": sees_a_code,
    "escpos": prints_a_slip,
    "ipp": takes_a_document,
    "zvt": charges(lambda stream: serial_pad(stream, CLOCK)),
    "mispos": charges(lambda stream: mispos_pad(stream, CLOCK, lambda below: 7, EMULATED)),
    "unionpay": charges(lambda stream: unionpay_pad(stream, CLOCK, lambda below: 7)),
    "cashbox": takes_a_note,
}


def test_every_emulator_of_the_drivers_can_be_started_alone() -> None:
    drivers = Path(__file__).parents[2] / "drivers"
    assert set(KINDS) >= {path.parent.name for path in drivers.glob("*/emulator.py")}
    assert set(STORIES) == set(KINDS)


@pytest.mark.parametrize("name", STORIES)
def test_each_emulator_answers_its_driver_from_a_process_of_its_own(
    name: str, running: dict[str, Running]
) -> None:
    STORIES[name](one_of(running, name))


@pytest.mark.parametrize("name", KINDS)
def test_each_tells_its_words_and_refuses_others(name: str, running: dict[str, Running]) -> None:
    one = one_of(running, name)
    assert one.say("misbehave nonsense").startswith("error: no misbehaviour")
    assert one.say("nonsense").startswith("error: no word")
    lines = [one.say("help")]
    while lines[-1] != "ok":
        lines.append(one.line())
    assert any(line.startswith("misbehave ") for line in lines)
    assert any(line.startswith("unplug") for line in lines)


def test_a_reader_is_silent_and_unplugged_on_command(running: dict[str, Running]) -> None:
    one = running["idcard"]
    reader = IdCardReader(one.open(), CLOCK)
    assert one.say("misbehave silent") == "ok"
    with pytest.raises(DeadlineExceeded):
        reader.find(0.2)
    assert one.say("behave") == "ok"
    assert reader.find() == CardAbsent()
    assert one.say("unplug") == "ok"
    with pytest.raises(DeviceLost):
        reader.find()
    reader.close()
    with pytest.raises(DeviceAbsent):
        one.open()
    assert one.say("plug") == one.port, "the port's name stays"
    again = IdCardReader(one.open(), CLOCK)
    assert again.find() == CardAbsent()
    again.close()


def test_a_paced_line_takes_the_time_of_its_bytes(tmp_path: Path) -> None:
    """At 9600 baud 20 bytes of request and answer take 21 ms; a pty alone takes a tenth of one."""
    one = start("scanner", tmp_path, "--paced", "--pty")
    one.port = one.line()
    scanner = Scanner(one.open(), CLOCK, NEWLAND)
    scanner.disarm()
    begun_s = CLOCK()
    scanner.disarm()
    taken_s = CLOCK() - begun_s
    scanner.close()
    wire_s = (len(NEWLAND.off) + len(NEWLAND.reply.head)) * 10 / BAUD
    assert wire_s <= taken_s < wire_s + 1.0
    assert end(one) == 0


START_AND_WAIT = """
import sys
from pathlib import Path
from tests.drivers.test_emulate import start
one = start("cashbox", Path(sys.argv[1]))
print(one.process.pid, one.line(), flush=True)
sys.stdin.read()
"""


def test_a_killed_test_run_leaves_no_emulator_behind(tmp_path: Path) -> None:
    pipe = subprocess.PIPE
    script = [sys.executable, "-c", START_AND_WAIT, str(tmp_path)]
    with subprocess.Popen(script, stdin=pipe, stdout=pipe) as starter:
        assert starter.stdout is not None
        number, port = starter.stdout.readline().split()
        emulator = os.pidfd_open(int(number))
        assert Path(port.decode()).exists()
        starter.kill()
        ended, _, _ = select.select([emulator], [], [], SOON_S)
        os.close(emulator)
        assert ended and not Path(port.decode()).exists()


def test_sigterm_ends_each_cleanly_and_its_port_is_gone(running: dict[str, Running]) -> None:
    for one in running.values():
        errors = one.process.stderr
        assert errors is not None
        one.process.send_signal(signal.SIGTERM)
        assert one.process.wait(SOON_S) == 0
        assert errors.read() == b""
        assert not Path(one.port).exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("zork",), "there are idcard"),
        (("wedge", "--pty"), "has no pty port"),
        (("escpos", "--model", "zork"), "kiosk-80"),
        (("ipp", "--paced"), "no line speed"),
        (("zvt", "--misbehave", "zork"), "answers_twice"),
        (("zvt", "--pty", "--tcp", "0"), "one port"),
    ],
)
def test_what_does_not_exist_is_answered_by_what_does(options: tuple[str, ...], words: str) -> None:
    ran = RUN.invoke(app, ["emulate", *options])
    assert ran.exit_code == 1 and words in ran.output and "Traceback" not in ran.output
