"""Life on a cable, as core lives it: real ports, the real workers, what a technician is told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from drivers.escpos.emulator import ReceiptPrinterEmulator
from drivers.finding.finder import Look
from drivers.finding.lines import AUTO, Lines
from drivers.hosts.pty_host import PtyHost
from drivers.hosts.tcp_host import TcpHost
from drivers.idcard.driver import IdCardReader
from drivers.idcard.emulator import IdCardReaderEmulator
from drivers.ipp.emulator import IppPrinterEmulator
from drivers.pad_ledger import PadLedger
from drivers.scanner.emulator import ScannerEmulator
from drivers.scanner.models import NEWLAND
from drivers.transport import Emulator
from drivers.zvt.emulator import PadEmulator
from kiosk import logs
from kiosk.app import SOCKET_NAME, Core
from kiosk.clock import TerminalClock
from kiosk.devices.id_reader import IdReaderDevice
from kiosk.devices.recordings import CannotRecord, Recordings
from kiosk.engine.health import Health
from kiosk.engine.lost import Lost
from kiosk.engine.workers import DeviceWorker, Stop
from kiosk.link import LinkClient
from kiosk.ports import DeviceStood, Listen
from kiosk.profile import parse_profile
from tests.drivers.escpos.paper import glyphs
from tests.drivers.pads import MORNING
from tests.kiosk.test_profile import GOOD

CLOCK = TerminalClock(ZoneInfo("Asia/Shanghai"))
SOON_S = 15.0
ATTRACT, ELSEWHERE = Listen(True, "identity"), Listen(False, "")


def until(true: Callable[[], object], what: str) -> None:
    until_s = time.monotonic() + SOON_S
    rest = threading.Event()
    while not true():
        assert time.monotonic() < until_s, f"waited {SOON_S} s for {what}"
        rest.wait(0.02)


@dataclass
class Sockets:
    """USB sockets of one machine."""

    folder: Path
    stack: ExitStack

    def plug(self, number: int, emulator: Emulator) -> PtyHost[Emulator]:
        link = self.folder / f"ttyUSB{number}"
        return self.stack.enter_context(PtyHost(emulator, time.monotonic, link=link))

    @property
    def pattern(self) -> str:
        return str(self.folder / "ttyUSB*")


@pytest.fixture
def sockets(tmp_path: Path) -> Iterator[Sockets]:
    with ExitStack() as stack:
        yield Sockets(tmp_path, stack)


@dataclass
class Bench:
    """One reader's worker, looking for its device on every socket."""

    sockets: Sockets
    told: SimpleQueue[Any] = field(default_factory=SimpleQueue)
    logged: list[tuple[str, str]] = field(default_factory=list)
    stop: Stop = field(default_factory=Stop)

    def __post_init__(self) -> None:
        self.recordings = Recordings(self.sockets.folder, CLOCK, lambda event, facts: None)
        look = Look("id_reader", lambda stream: self._reader(stream).probe(0.3))
        lines = Lines(CLOCK.monotonic_s, self.recordings.tap, [look], [self.sockets.pattern])
        opened = lines.of("id_reader")
        device = IdReaderDevice(lambda: self._reader(opened(AUTO, 115200, CLOCK.monotonic_s)))
        self.worker = DeviceWorker(
            device,
            self.told.put,
            self.stop,
            lambda event, **fields: self.logged.append((event, fields["code"])),
            Health(CLOCK, lambda: lines.where("id_reader"), lambda: lines.heard_s("id_reader")),
        )

    def _reader(self, stream: Any) -> IdCardReader:
        return IdCardReader(stream, CLOCK.monotonic_s)

    def until_well(self, well: bool) -> None:
        until(lambda: self.worker.health.standing == ("well" if well else "away"), f"well={well}")

    def stood(self) -> list[DeviceStood]:
        heard = [self.told.get() for _ in range(self.told.qsize())]
        return [event for event in heard if isinstance(event, DeviceStood)]


@pytest.fixture
def bench(sockets: Sockets) -> Iterator[Bench]:
    bench = Bench(sockets)
    yield bench
    bench.stop.set()
    bench.worker.join(5)


def test_a_reader_that_moves_to_another_socket_is_lost_once_and_back_once(
    bench: Bench, sockets: Sockets
) -> None:
    """Pulled on a page that wants no card: noticed all the same; P9."""
    emulator = IdCardReaderEmulator()
    host = sockets.plug(0, emulator)
    bench.worker.listen(ELSEWHERE)
    bench.worker.start()
    bench.until_well(True)
    assert bench.worker.health.port.endswith("ttyUSB0")
    host.stop()
    bench.until_well(False)
    until(lambda: bench.worker.health.tries >= 2, "tries without a device")
    sockets.plug(1, emulator)
    pulled_s = time.monotonic()
    bench.worker.look_now()  # what udev's word does
    bench.until_well(True)
    assert time.monotonic() - pulled_s < 3.0
    health = bench.worker.health
    assert health.port.endswith("ttyUSB1") and health.tries == 0 and health.fault == ""
    assert health.faults["DeviceAbsent"] >= 1 and sum(health.faults.values()) >= 2
    assert [stood.well for stood in bench.stood()] == [True, False, True]
    assert [event for event, _ in bench.logged] == ["device_back", "device_lost", "device_back"]


def test_a_deaf_device_is_looked_at_before_it_is_well_again(bench: Bench, sockets: Sockets) -> None:
    """A port that opens is no device: after a fault the reader must have answered."""
    emulator = IdCardReaderEmulator()
    sockets.plug(0, emulator)
    bench.worker.listen(ATTRACT)
    bench.worker.start()
    bench.until_well(True)
    emulator.misbehave("silent")
    bench.until_well(False)
    until(lambda: bench.worker.health.tries >= 2, "looks that nobody answers")
    assert bench.worker.health.faults["DeadlineExceeded"] == 1, "and then none answers as reader"
    emulator.behave()
    bench.until_well(True)
    assert [stood.well for stood in bench.stood()] == [True, False, True]


# --- the switch ----------------------------------------------------------------------------------


def test_a_recording_says_who_and_how_long_and_ends_with_its_time_or_the_next(
    tmp_path: Path,
) -> None:
    told: list[tuple[str, dict[str, Any]]] = []
    recordings = Recordings(tmp_path, CLOCK, lambda event, facts: told.append((event, facts)))
    recordings.tap("pad")
    for wrong in (("printer", 5, "t07"), ("pad", 0, "t07"), ("pad", 61, "t07"), ("pad", 5, "T 7")):
        with pytest.raises(CannotRecord):
            recordings.begin(wrong[0], "zvt", wrong[1], wrong[2])
    assert told == [] and not (tmp_path / "recordings").exists()
    path = recordings.begin("pad", "zvt", 5, "t07")
    assert path.stat().st_mode & 0o777 == 0o600
    assert recordings.runs("pad")
    recordings.end("pad", "done")  # as the timer does
    recordings.end("pad", "done")
    assert not recordings.runs("pad")
    begun, ended = told
    assert begun == ("recording_begun", {"device": "pad", "who": "t07", "seconds": 300})
    assert ended == ("recording_ended", {"device": "pad", "who": "t07", "disposition": "done"})


def test_few_recordings_are_kept(tmp_path: Path) -> None:
    recordings = Recordings(tmp_path, CLOCK, lambda event, facts: None)
    recordings.tap("pad")
    (tmp_path / "recordings").mkdir()
    for number in range(30):
        (tmp_path / "recordings" / f"pad-{number}.jsonl").touch()
    recordings.begin("pad", "zvt", 1, "t07")
    recordings.end_all()
    assert len(list((tmp_path / "recordings").iterdir())) == 10


# --- a whole core --------------------------------------------------------------------------------


@dataclass
class Terminal:
    """A core on a thread, with all serial devices on `auto`, and its hospital away."""

    core: Core
    hosts: dict[str, PtyHost[Emulator]]
    socket: Path

    def ask(self, what: str, **more: Any) -> dict[str, Any]:
        client = LinkClient(self.socket, "cli")
        answer = client.ask(what, **more)
        client.close()
        return answer


PORTS = ("/dev/kiosk/id_reader", "/dev/kiosk/scanner", "/dev/kiosk/receipt", "/dev/kiosk/pad")


@pytest.fixture
def terminal(sockets: Sockets) -> Iterator[Terminal]:
    printer = TcpHost(IppPrinterEmulator(), time.monotonic)
    sockets.stack.enter_context(printer)
    order: dict[str, Emulator] = {
        "pad": PadEmulator(PadLedger(), lambda: MORNING),
        "scanner": ScannerEmulator(NEWLAND),
        "receipt_printer": ReceiptPrinterEmulator(glyphs()),
        "id_reader": IdCardReaderEmulator(),
    }
    hosts = {name: sockets.plug(at, emulator) for at, (name, emulator) in enumerate(order.items())}
    text = GOOD.replace("/var/lib/kiosk", str(sockets.folder)).replace(
        "[devices.id_reader]", f'[devices]\nports = ["{sockets.pattern}"]\n\n[devices.id_reader]'
    )
    for port in PORTS:
        assert port in text
        text = text.replace(f'"{port}"', f'"{AUTO}"')
    text = text.replace("ipp://localhost/printers/a4", f"ipp://127.0.0.1:{printer.port}/ipp/print")
    (sockets.folder / "token").write_text("t")
    text = text.replace("/etc/kiosk/token", str(sockets.folder / "token"))
    with (sockets.folder / "core.log").open("w") as log:
        core = Core(parse_profile(text), CLOCK, logs.logger("core", CLOCK.now, log))
        thread = threading.Thread(target=core.run)
        thread.start()
        yield Terminal(core, hosts, sockets.folder / SOCKET_NAME)
        core.loop.stop()
        thread.join(20)
    assert not thread.is_alive()


def test_a_terminal_finds_its_devices_tells_of_each_and_records_one(
    terminal: Terminal, sockets: Sockets
) -> None:
    until(lambda: all(one["state"] == "well" for one in terminal.ask("devices").values()), "all")
    devices = terminal.ask("devices")
    assert {name: Path(devices[name]["port"]).name for name in terminal.hosts} == {
        "pad": "ttyUSB0",
        "scanner": "ttyUSB1",
        "receipt_printer": "ttyUSB2",
        "id_reader": "ttyUSB3",
    }
    assert {one["kind"] for one in devices.values()} == {
        "idcard",
        "scanner",
        "escpos",
        "ipp",
        "zvt",
    }
    assert all(0 <= one["answered_s"] < 60 for one in devices.values())
    json.dumps(devices)

    file = Path(terminal.ask("record", device="id_reader", minutes=5, who="T07")["file"])
    until(lambda: len(file.read_bytes().splitlines()) > 4, "some traffic")
    assert terminal.ask("devices")["id_reader"]["recording"]
    assert "there are" in terminal.ask("record", device="zork", minutes=5, who="T07")["error"]

    before = terminal.ask("audit_verify")["events"]
    terminal.hosts["id_reader"].stop()
    until(lambda: terminal.ask("devices")["id_reader"]["state"] == "away", "the reader away")
    sockets.plug(7, IdCardReaderEmulator())
    terminal.core.cable_moved()
    until(lambda: terminal.ask("devices")["id_reader"]["state"] == "well", "the reader back")
    assert terminal.ask("devices")["id_reader"]["port"].endswith("ttyUSB7")
    assert terminal.ask("audit_verify")["events"] == before + 2, "lost and back, once each"


def test_a_loss_and_a_return_go_on_record_once_and_a_first_word_does_not() -> None:
    lost = Lost()
    printer, pad = DeviceStood("receipt_printer", True), DeviceStood("pad", True)
    assert lost.noted(printer) == lost.noted(pad) == ()
    (gone,) = lost.noted(DeviceStood("pad", False, "away"))
    assert (gone.event, gone.fields) == ("device_lost", (("device", "pad"), ("cause", "away")))
    assert lost.noted(printer) == ()
    (back,) = lost.noted(pad)
    assert (back.event, back.fields) == ("device_back", (("device", "pad"),))
    assert lost.noted(pad) == ()
