"""A cable's recording: what a person shows is not in it, and what is in it plays again."""

from __future__ import annotations

import json
import resource
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drivers.deadline import Clock, Deadline
from drivers.errors import DeadlineExceeded, DriverError
from drivers.escpos.driver import ReceiptPrinter
from drivers.escpos.emulator import ReceiptPrinterEmulator
from drivers.idcard.driver import CardAbsent, CardRead, IdCardReader
from drivers.idcard.emulator import IdCardReaderEmulator
from drivers.identity import DeviceIdentity
from drivers.pad_ledger import PadLedger
from drivers.recording import FILE_BYTES_MAX, Recording, Replay, Tap, read_recording
from drivers.scanner.codec import Scanned
from drivers.scanner.driver import Scanner
from drivers.scanner.emulator import ScannerEmulator
from drivers.scanner.models import NEWLAND
from drivers.slip import Slip, Text
from drivers.transport import ByteStream, Emulator
from drivers.zvt.driver import serial_pad
from drivers.zvt.emulator import PadEmulator
from tests.drivers.cable import Cable
from tests.drivers.escpos.paper import glyphs
from tests.drivers.idcard.people import RESIDENT
from tests.drivers.pads import MORNING

BEGUN = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
CODE = "280012345678901234"


def recorded(
    path: Path, kind: str, emulator: Emulator, seconds: float = 300.0
) -> tuple[Tap, ByteStream, Clock]:
    """An emulator on a cable whose tap is on."""
    cable = Cable(emulator)
    tap = Tap(cable.clock)
    tap.begin(Recording(path, kind, BEGUN, cable.clock, seconds))
    return tap, tap.on(cable), cable.clock


def test_a_card_is_read_and_nothing_of_it_is_in_the_file(tmp_path: Path) -> None:
    reader = IdCardReaderEmulator()
    tap, stream, clock = recorded(tmp_path / "a", "idcard", reader)
    reader.lay(RESIDENT, newest_address="示例路9号")
    driver = IdCardReader(stream, clock)
    assert isinstance(driver.read_card(), CardRead)
    driver.read_newest_address()
    tap.end()
    file = (tmp_path / "a").read_text()
    for private in (RESIDENT.name, RESIDENT.number, RESIDENT.address, "示例路9号"):
        assert private.encode("utf-16-le").hex() not in file
    pieces = read_recording(tmp_path / "a").pieces
    assert max(piece.count for piece in pieces) > 256, "its length is told"
    assert all(len(piece.data) <= 27 for piece in pieces)
    assert "aaaaaa96690003300132" in file, "the request is, whole (typed from PROTOCOLS §1.2)"


def test_a_card_that_comes_in_pieces_is_withheld_in_every_piece(tmp_path: Path) -> None:
    tap = Tap(time.monotonic)
    tap.begin(Recording(tmp_path / "a", "idcard", BEGUN, time.monotonic, 60))
    answer = bytes.fromhex("AAAAAA9669050800009001000400") + "王小明".encode("utf-16-le") * 60
    tap.note("device", b"\x20\x01")
    for at in range(0, len(answer), 7):
        tap.note("host", answer[at : at + 7])
    tap.note("device", b"\x20\x01")
    tap.note("host", answer[50:70])  # the rest of something late
    tap.end()
    assert "王".encode("utf-16-le").hex() not in (tmp_path / "a").read_text()


def test_a_code_a_slip_and_a_pads_card_are_not_in_the_file(tmp_path: Path) -> None:
    scanner = ScannerEmulator(NEWLAND)
    tap, stream, clock = recorded(tmp_path / "scanner", "scanner", scanner)
    driver = Scanner(stream, clock, NEWLAND)
    driver.arm()
    scanner.show(CODE)
    assert driver.poll(Deadline.after(clock, 2)) == Scanned(CODE)
    tap.end()
    printer = ReceiptPrinterEmulator(glyphs())
    tap, stream, clock = recorded(tmp_path / "escpos", "escpos", printer)
    ReceiptPrinter(stream, clock).print_slip(Slip((Text("王小明 13800138000"),)))
    tap.end()
    pad = PadEmulator(PadLedger(), lambda: MORNING)
    tap, stream, clock = recorded(tmp_path / "zvt", "zvt", pad)
    money = serial_pad(stream, clock)
    money.prepare(Deadline.after(clock, 5))
    pad.present_card(last4="9876")
    money.authorise("K03-1", 100, Deadline.after(clock, 60))
    tap.end()
    private = (CODE.encode(), "王小明".encode("gb18030"), b"13800138000", b"9876", b"\x98\x76")
    for name in ("scanner", "escpos", "zvt"):
        whole = b"".join(piece.data for piece in read_recording(tmp_path / name).pieces)
        assert whole, name
        assert not [word for word in private if word in whole], name


def test_a_kind_that_nobody_has_thought_of_keeps_length_and_time_alone(tmp_path: Path) -> None:
    tap = Tap(time.monotonic)
    tap.begin(Recording(tmp_path / "a", "novelty", BEGUN, time.monotonic, 60))
    tap.note("host", b"who knows")
    tap.end()
    (piece,) = read_recording(tmp_path / "a").pieces
    assert (piece.count, piece.data) == (9, b"")


def test_it_ends_by_itself_and_its_file_is_its_owners_alone(tmp_path: Path) -> None:
    now_s = [100.0]
    recording = Recording(tmp_path / "a", "cashbox", BEGUN, lambda: now_s[0], 60)
    tap = Tap(lambda: now_s[0])
    tap.begin(recording)
    tap.note("device", b"before")
    now_s[0] = 160.0
    tap.note("device", b"after")
    assert recording.over
    assert [piece.data for piece in read_recording(tmp_path / "a").pieces] == [b"before"]
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        Recording(tmp_path / "a", "cashbox", BEGUN, lambda: now_s[0], 60)


def test_a_babbling_device_cannot_fill_the_disk(tmp_path: Path) -> None:
    tap = Tap(time.monotonic)
    tap.begin(Recording(tmp_path / "a", "cashbox", BEGUN, time.monotonic, 600))
    for _ in range(FILE_BYTES_MAX // 8192 + 200):
        tap.note("host", bytes(4096))
        tap.note("device", b"?")
    tap.end()
    assert (tmp_path / "a").stat().st_size <= FILE_BYTES_MAX + 200


def test_a_full_disk_ends_the_recording_and_not_the_device(tmp_path: Path) -> None:
    reader = IdCardReaderEmulator()
    cable = Cable(reader)
    tap = Tap(cable.clock)
    recording = Recording(tmp_path / "a", "idcard", BEGUN, cable.clock, 60)
    tap.begin(recording)
    driver = IdCardReader(tap.on(cable), cable.clock)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))  # every write fails, as on a full disk
    try:
        assert driver.find() == driver.find() == CardAbsent()
        assert recording.over
        tap.end()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_was_recorded_plays_again_and_nothing_else_does(tmp_path: Path) -> None:
    reader = IdCardReaderEmulator()
    tap, stream, clock = recorded(tmp_path / "a", "idcard", reader)
    driver = IdCardReader(stream, clock)
    identity = driver.probe()
    assert isinstance(identity, DeviceIdentity)
    driver.find()
    reader.misbehave("silent")
    with pytest.raises(DeadlineExceeded):
        driver.find(0.1)
    tap.end()
    again = IdCardReader(Replay(read_recording(tmp_path / "a")), clock)
    assert again.probe() == identity
    assert again.find() == CardAbsent()
    with pytest.raises(DeadlineExceeded):
        again.find(0.1)
    other = IdCardReader(Replay(read_recording(tmp_path / "a")), clock)
    with pytest.raises(ValueError, match="did not say then"):
        other.find()


def test_a_withheld_answer_is_said_to_be_so(tmp_path: Path) -> None:
    reader = IdCardReaderEmulator()
    tap, stream, clock = recorded(tmp_path / "a", "idcard", reader)
    reader.lay(RESIDENT)
    IdCardReader(stream, clock).read_card()
    tap.end()
    with pytest.raises((ValueError, DriverError), match="withheld"):
        IdCardReader(Replay(read_recording(tmp_path / "a")), clock).read_card()


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    head = json.dumps({"kind": "cashbox", "begun": "", "seconds": 1})
    line = json.dumps({"t": 0.5, "to": "host", "bytes": 1, "hex": "06"})
    (tmp_path / "a").write_text(f'{head}\n{line}\n{{"t": 0.6, "to"')
    assert [piece.data for piece in read_recording(tmp_path / "a").pieces] == [b"\x06"]
