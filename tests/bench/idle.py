"""Ten devices on real ports and nobody there: what core costs, and whether it grows.

    python -m tests.bench.idle [--seconds N] [--hours N] [--json]

The emulators run in a process of their own, core in another: the real one, with a second reader,
scanner, slip printer and A4 printer beside the profile's six devices. `core_percent` is that
process's CPU time over the wall's. `growth_mb` is what an hour of the same devices' polling adds to
a process, on virtual time; the emulators are in it too.
"""

from __future__ import annotations

import argparse
import itertools
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from drivers.cashbox.driver import BillValidator
from drivers.cashbox.emulator import BillValidatorEmulator, NoteLedger
from drivers.escpos.driver import ReceiptPrinter
from drivers.escpos.emulator import ReceiptPrinterEmulator
from drivers.hosts.pty_host import PtyHost
from drivers.hosts.tcp_host import TcpHost
from drivers.idcard.driver import IdCardReader
from drivers.idcard.emulator import IdCardReaderEmulator
from drivers.ipp.driver import A4Printer
from drivers.ipp.emulator import IppPrinterEmulator
from drivers.pad_ledger import PadLedger
from drivers.scanner.driver import Scanner
from drivers.scanner.emulator import ScannerEmulator
from drivers.scanner.models import NEWLAND
from drivers.transport import ByteStream, Emulator
from drivers.transports.any_port import open_port
from drivers.zvt.driver import serial_pad
from drivers.zvt.emulator import PadEmulator
from kiosk import logs
from kiosk.app import Core
from kiosk.clock import TerminalClock
from kiosk.devices.cash_box import CashBoxDevice
from kiosk.devices.code_scanner import ScannerDevice
from kiosk.devices.id_reader import IdReaderDevice
from kiosk.devices.payment_pad import PadDevice
from kiosk.devices.receipt_printer import ReceiptPrinterDevice
from kiosk.devices.report_printer import ReportPrinterDevice
from kiosk.domain.document import Slip
from kiosk.engine.health import Health
from kiosk.engine.workers import DeviceWorker
from kiosk.flows.effects import PrintSlip
from kiosk.link import SOCKET_NAME, LinkClient, LinkLost
from kiosk.ports import Device, Listen
from kiosk.profile import parse_profile
from tests.bench.report import Promise, report
from tests.drivers.cable import Cable
from tests.drivers.escpos.paper import glyphs

PROMISES = (
    Promise("devices", "==", 10),
    Promise("core_percent", "<=", 2.0),
    Promise("growth_mb", "<=", 1.0),
)
CLOCK = TerminalClock(ZoneInfo("Asia/Shanghai"))
START_S = 30.0
SETTLE_S = 1.0
ATTRACT = Listen(True, "identity")
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
GROWTH_ROUNDS = 20
STEPS_COUNTED_ANEW = 300  # polls; the cable takes more steps than its limit for a driver that hangs

PROFILE = """version = "bench"
[hospital]
name = "市第一医院"
name_en = "First City Hospital"
[terminal]
id = "K03"
place = "3号门"
folder = "{folder}"
[gateway]
url = "http://127.0.0.1:9"
token_file = "{folder}/token"
[devices.id_reader]
port = "{folder}/reader"
[devices.scanner]
port = "{folder}/scanner"
baud = 9600
[devices.receipt_printer]
port = "{folder}/printer"
[devices.a4_printer]
uri = "ipp://127.0.0.1:{a4}/ipp/print"
[devices.payment_pad]
kind = "zvt"
link = "serial"
port = "{folder}/pad"
[devices.cash_box]
port = "{folder}/cash"
[screening]
version = "1"
lookback_days = 14
[[screening.questions]]
id = "fever"
text = "发热"
text_en = "Fever"
leads_to = "clinic"
[[screening.routes]]
id = "clinic"
text = "发热门诊"
text_en = "Fever clinic"
"""


# --- the processes -------------------------------------------------------------------------------


def emulate(folder: Path) -> None:
    """Ten emulators until standard input ends; the TCP ports of the last two on one line."""
    lines: dict[str, Emulator] = {
        "reader": IdCardReaderEmulator(),
        "reader2": IdCardReaderEmulator(),
        "scanner": ScannerEmulator(NEWLAND),
        "scanner2": ScannerEmulator(NEWLAND),
        "printer": ReceiptPrinterEmulator(glyphs()),
        "printer2": ReceiptPrinterEmulator(glyphs()),
        "pad": PadEmulator(PadLedger(), datetime.now),
        "cash": BillValidatorEmulator(NoteLedger()),
    }
    with ExitStack() as stack:
        for name, emulator in lines.items():
            stack.enter_context(PtyHost(emulator, time.monotonic, link=folder / name))
        trays = [
            stack.enter_context(TcpHost(IppPrinterEmulator(), time.monotonic)) for _ in range(2)
        ]
        print(*(tray.port for tray in trays), flush=True)
        sys.stdin.read()


def run_core(folder: Path, a4: str, second_a4: str) -> None:
    """The real core, and four devices more, until standard input ends."""
    (folder / "token").write_text("t")
    profile = parse_profile(PROFILE.replace("{folder}", str(folder)).replace("{a4}", a4))
    core = Core(profile, CLOCK, logs.start("core", CLOCK.now, sys.stderr))
    for device in second_devices(folder, second_a4):
        device_worker = DeviceWorker(
            *(device, core.loop.tell, core.stop, core.log.info), health=Health(CLOCK)
        )
        device_worker.listen(ATTRACT)
        core.workers = (*core.workers, device_worker)
    core.run()


def second_devices(folder: Path, a4: str) -> list[Device]:
    clock = CLOCK.monotonic_s

    def line(name: str, baud: int) -> Callable[[], ByteStream]:
        return lambda: open_port(str(folder / name), baud, clock)

    reader, scanner, printer = (
        line("reader2", 115200),
        line("scanner2", 9600),
        line("printer2", 115200),
    )
    return [
        IdReaderDevice(lambda: IdCardReader(reader(), clock)),
        ScannerDevice(lambda: Scanner(scanner(), clock, NEWLAND)),
        ReceiptPrinterDevice(lambda: ReceiptPrinter(printer(), clock), no_slip),
        ReportPrinterDevice(lambda: A4Printer(f"ipp://127.0.0.1:{a4}/ipp/print", clock)),
    ]


def no_slip(_effect: PrintSlip) -> Slip:
    raise AssertionError("nobody is there to print for")


# --- what it costs -------------------------------------------------------------------------------


def core_percent(seconds: float) -> tuple[int, float]:
    """Devices that were well all the time, and core's share of one core."""
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        folder = Path(place)
        devices = started(stack, "--emulate", place)
        ports = first_line(devices)
        core = started(stack, "--core", place, *ports.split())
        until_well(folder, 6)
        rest(SETTLE_S)
        before_s, begun_s = cpu_s(core.pid), time.monotonic()
        rest(seconds)
        used = (cpu_s(core.pid) - before_s) / (time.monotonic() - begun_s)
        until_well(folder, 6)
        log = (folder / "core.log").read_text()
        lost = sum('"device_lost"' in line for line in log.splitlines())
        back = sum('"device_back"' in line for line in log.splitlines())
        return back - 2 * lost, round(100 * used, 2)


def started(stack: ExitStack, *words: str) -> subprocess.Popen[bytes]:
    log = stack.enter_context((Path(words[1]) / f"{words[0].strip('-')}.log").open("wb"))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.idle", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
    )
    stack.callback(ended, process)
    return process


def ended(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.close()
    process.terminate()
    process.wait(START_S)
    process.stdout.close()


def first_line(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], START_S)[0], "no emulators"
    return process.stdout.readline().decode()


def until_well(folder: Path, count: int) -> None:
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s:
        try:
            client = LinkClient(folder / SOCKET_NAME, "cli")
            devices = client.ask("devices")
            client.close()
        except LinkLost:
            devices = {}
        if sum(one["state"] == "well" for one in devices.values()) == count:
            return
        rest(0.1)
    raise AssertionError(f"not all devices are well: {devices}")


def rest(seconds: float) -> None:
    """Without touching a CPU."""
    select.select([], [], [], seconds)


def cpu_s(pid: int) -> float:
    """User and system time of all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


# --- whether it grows ----------------------------------------------------------------------------


def growth_mb(hours: float) -> float:
    """What polling for so long adds to this process, after everything has been used once."""
    devices = [polled(name) for name in EMULATED]
    for poll in devices:
        poll(3600 * hours / GROWTH_ROUNDS)
    before = resident_bytes()
    for poll in devices:
        poll(3600 * hours)
    return round((resident_bytes() - before) / 1e6, 2)


EMULATED: dict[str, Callable[[], Emulator]] = {
    "reader": IdCardReaderEmulator,
    "scanner": lambda: ScannerEmulator(NEWLAND),
    "printer": lambda: ReceiptPrinterEmulator(glyphs()),
    "a4": IppPrinterEmulator,
    "pad": lambda: PadEmulator(PadLedger(), datetime.now),
    "cash": lambda: BillValidatorEmulator(NoteLedger()),
}


def polled(name: str) -> Callable[[float], None]:
    """One device on a cable of virtual time; how to let so many seconds pass."""
    cable = Cable(EMULATED[name]())
    device = device_on(name, cable)
    list(device.open())

    def poll(seconds: float) -> None:
        end_s = cable.clock() + seconds
        for number in itertools.count():
            if cable.clock() >= end_s:
                return
            if number % STEPS_COUNTED_ANEW == 0:
                cable.plug()
            for _told in device.attend(ATTRACT):
                raise AssertionError("somebody is there")
            cable.pass_time(device.pause_s)

    return poll


def device_on(name: str, cable: Cable) -> Device:
    clock = cable.clock
    match name:
        case "reader":
            return IdReaderDevice(lambda: IdCardReader(cable, clock))
        case "scanner":
            return ScannerDevice(lambda: Scanner(cable, clock, NEWLAND))
        case "printer":
            return ReceiptPrinterDevice(lambda: ReceiptPrinter(cable, clock), no_slip)
        case "a4":
            address = "ipp://a4/ipp/print"
            return ReportPrinterDevice(lambda: A4Printer(address, clock, lambda _deadline: cable))
        case "pad":
            return PadDevice(lambda: serial_pad(cable, clock), clock, lambda told: None)
    return CashBoxDevice(
        lambda mark, fen: BillValidator(cable, clock, mark=mark, escrowed_fen=fen), clock
    )


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES


def main(arguments: list[str] | None = None) -> int:
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == ["--emulate"]:
        emulate(Path(words[1]))
        return 0
    if words[:1] == ["--core"]:
        run_core(Path(words[1]), words[2], words[3])
        return 0
    parser = argparse.ArgumentParser(prog="python -m tests.bench.idle", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of watching core")
    parser.add_argument("--hours", type=float, default=1.0, help="of virtual polling")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(words)
    devices, percent = core_percent(asked.seconds)
    results = {
        "devices": devices,
        "core_percent": percent,
        "seconds": asked.seconds,
        "growth_mb": growth_mb(asked.hours),
        "hours": asked.hours,
    }
    return report(results, PROMISES, as_json=asked.json)


if __name__ == "__main__":
    sys.exit(main())
