"""A cable's recording: what a person shows is not in it, and what is in it plays again."""

from __future__ import annotations

import json
import resource
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drivers.deadline import Clock, Deadline
from drivers.errors import DeadlineExceeded, DeviceLost, DriverError
from drivers.escpos.driver import ReceiptPrinter
from drivers.escpos.emulator import ReceiptPrinterEmulator
from drivers.idcard.driver import CardAbsent, CardRead, IdCardReader
from drivers.idcard.emulator import IdCardReaderEmulator
from drivers.identity import DeviceIdentity
from drivers.pad_ledger import PadLedger
from drivers.pcsc.port import CardPutIn
from drivers.plugin.driver import Plugin, PluginCardRead
from drivers.plugin.emulator import HealthCardPlugin
from drivers.recording import FILE_BYTES_MAX, KEEPS, Recording, Replay, Tap, read_recording
from drivers.scanner.codec import Scanned
from drivers.scanner.driver import Scanner
from drivers.scanner.emulator import ScannerEmulator
from drivers.scanner.models import NEWLAND
from drivers.slip import Slip, Text
from drivers.socialcard.driver import SocialCardRead, SocialCardReader
from drivers.socialcard.emulator import SocialCardEmulator
from drivers.transport import ByteStream, Emulator
from drivers.watching import WatchedCodes, WatchedSlot, kind_of
from drivers.zvt.driver import serial_pad
from drivers.zvt.emulator import PadEmulator
from tests.drivers.cable import Cable
from tests.drivers.card_line import CardLine
from tests.drivers.escpos.paper import glyphs
from tests.drivers.idcard.people import RESIDENT
from tests.drivers.pads import MORNING
from tests.drivers.plugin.people import ON_CARD, READ
from tests.drivers.socialcard.people import WANG

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


def events_of(path: Path) -> list[str]:
    return [event for _, event in read_recording(path).events]


def test_a_card_in_a_slot_is_told_by_its_commands_and_statuses(tmp_path: Path) -> None:
    line = CardLine(SocialCardEmulator(WANG))
    tap = Tap(line.clock)
    tap.begin(Recording(tmp_path / "a", "social_card", BEGUN, line.clock, 300))
    reader = SocialCardReader(WatchedSlot(line, tap), line.clock)
    line.put()
    assert reader.look() == CardPutIn()
    assert reader.read_card() == SocialCardRead(WANG)
    line.pull()
    reader.look()
    tap.end()
    whole = b"".join(piece.data for piece in read_recording(tmp_path / "a").pieces)
    for private in (WANG.name.encode("gb18030"), WANG.number.encode(), WANG.number[:8].encode()):
        assert private not in whole
    assert bytes.fromhex("00A404000F7378312E73682EC9E7BBE1B1A3D5CF") in whole, "typed from §2"
    told = events_of(tmp_path / "a")
    assert told[:2] == ["card_put_in", "card_reset"] and told[-1] == "card_taken_out"
    assert "status" in told and tap.heard_s is not None


def test_a_secret_in_a_command_is_withheld_and_so_is_a_card_that_tells_of_no_data(
    tmp_path: Path,
) -> None:
    tap = Tap(time.monotonic)
    tap.begin(Recording(tmp_path / "a", "idcard_pcsc", BEGUN, time.monotonic, 60))
    tap.note("device", bytes.fromhex("0020000003123456"))
    tap.note("host", bytes.fromhex("63C2"))
    tap.note("device", bytes.fromhex("FFB0000000"))
    tap.note("host", bytes(260))
    tap.end()
    kept = [piece.data.hex() for piece in read_recording(tmp_path / "a").pieces]
    assert kept == ["00200000", "63c2", "ffb0000000", ""]


def test_a_fault_of_a_slot_is_told_by_its_kind(tmp_path: Path) -> None:
    line = CardLine(SocialCardEmulator(WANG))
    tap = Tap(line.clock)
    tap.begin(Recording(tmp_path / "a", "social_card", BEGUN, line.clock, 300))
    line.gone = True
    with pytest.raises(DeviceLost):
        SocialCardReader(WatchedSlot(line, tap), line.clock).look()
    tap.end()
    assert '"event": "look_failed", "fault": "DeviceLost"' in (tmp_path / "a").read_text()


def test_a_vendors_answers_are_told_by_their_length(tmp_path: Path) -> None:
    emulator = HealthCardPlugin()
    tap, stream, clock = recorded(tmp_path / "a", "plugin", emulator)
    plugin = Plugin(stream, clock)
    plugin.hello()
    emulator.put(ON_CARD)
    assert plugin.look() == CardPutIn()
    assert plugin.read_card() == PluginCardRead(READ)
    plugin.decode_code("280012345678901234", "01101")
    tap.end()
    file = (tmp_path / "a").read_text()
    whole = b"".join(piece.data for piece in read_recording(tmp_path / "a").pieces)
    for private in (READ.name.encode(), READ.number.encode(), CODE.encode()):
        assert private not in whole and private.hex() not in file
    assert b'"ask":"read"' in whole and b'"card":true' in whole


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (b'{"id":1,"ask":"read"}', True),
        (b'{"id":1,"ok":{"card":true,"put":3}}', True),
        (b'{"id":1,"ok":{"card":110101199003070046}}', False),
        (b'{"id":1,"ok":{"card":{"name":"x"}}}', False),
        (b'{"id":1,"fault":"no_psam","text":"x"}', False),
        (b'{"id":1,"ask":"decode","code":"28"}', False),
        (b'{"id":1,"ask":"x"}', False),
        (b"a library that prints", False),
    ],
)
def test_a_plugins_line_is_kept_whole_or_not_at_all(line: bytes, kept: bool) -> None:
    assert KEEPS["plugin"]("host", line + b"\n") == (len(line) + 1 if kept else 0)


def test_a_code_without_a_line_is_told_by_length_and_kind(tmp_path: Path) -> None:
    """A camera's or a keyboard's: through the same face as a serial scanner's."""
    emulator = ScannerEmulator(NEWLAND)
    cable = Cable(emulator)
    tap = Tap(cable.clock)
    tap.begin(Recording(tmp_path / "a", "camera", BEGUN, cable.clock, 300))
    source = WatchedCodes(Scanner(cable, cable.clock, NEWLAND), tap)
    source.arm()
    emulator.show(CODE)
    assert source.poll(Deadline.after(cable.clock, 2)) == Scanned(CODE)
    source.disarm()
    tap.end()
    file = (tmp_path / "a").read_text()
    assert CODE not in file and read_recording(tmp_path / "a").pieces == ()
    assert events_of(tmp_path / "a") == ["armed", "scanned", "disarmed"]
    assert '"bytes": 18, "kind": "digits"' in file
    told = [kind_of(text) for text in ("12", "https://h/1", "A1", "王")]
    assert told == ["digits", "address", "ascii", "text"]


def test_an_event_after_the_end_is_not_told(tmp_path: Path) -> None:
    now_s = [100.0]
    tap = Tap(lambda: now_s[0])
    tap.begin(Recording(tmp_path / "a", "camera", BEGUN, lambda: now_s[0], 60))
    tap.tell("armed")
    now_s[0] = 160.0
    tap.tell("scanned", bytes=18)
    tap.end()
    assert events_of(tmp_path / "a") == ["armed"]


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
