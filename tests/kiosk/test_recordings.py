"""Recording what has no line of ours, and recording whole: sealed to a key, or not at all."""

from __future__ import annotations

import json
import sys
import time
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from drivers.camera.emulator import CameraEmulator
from drivers.deadline import Deadline
from drivers.recording import Recording, Tap, read_recording
from drivers.scanner.codec import Scanned
from kiosk.app import seal_recording
from kiosk.cli import app
from kiosk.clock import TerminalClock
from kiosk.devices.recordings import CannotRecord, Recordings
from kiosk.making import DeviceMaker
from kiosk.profile import parse_profile
from offline.errors import StoreError
from offline.gates import read_export
from tests.drivers.ports import Ports
from tests.kiosk.test_profile import GOOD

CLOCK = TerminalClock(ZoneInfo("Asia/Shanghai"))
NOW = time.monotonic
KEY = bytes(range(32))
CODE = "280012345678901234"
SECRET = "王小明".encode("utf-16-le")
SCANNER = '[devices.scanner]\nport = "/dev/kiosk/scanner"\n'


def maker_of(recordings: Recordings, scanner: str) -> DeviceMaker:
    assert SCANNER in GOOD
    return DeviceMaker(parse_profile(GOOD.replace(SCANNER, scanner)).devices, NOW, recordings.tap)


def test_what_a_camera_decodes_is_recorded_by_its_length(ports: Ports, tmp_path: Path) -> None:
    host = ports.tcp(CameraEmulator())
    recordings = Recordings(tmp_path, CLOCK, lambda event, facts: None)
    part = f'[devices.scanner]\nkind = "camera"\nport = "http://127.0.0.1:{host.port}/"\n'
    scanner = maker_of(recordings, part).scanner()
    path = recordings.begin("scanner", "camera", 5, "t07")
    scanner.arm()
    host.with_emulator(lambda camera: camera.show(CODE))
    assert scanner.poll(Deadline.after(NOW, 10.0)) == Scanned(CODE)
    recordings.end_all()
    scanner.close()
    told = [json.loads(line) for line in path.read_text().splitlines()[1:]]
    scanned = next(one for one in told if one["event"] == "scanned")
    assert (scanned["bytes"], scanned["kind"]) == (18, "digits")
    assert CODE not in path.read_text()


def test_what_a_vendors_process_says_is_recorded_by_its_shape(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "drivers.plugin.example", "--desk", str(tmp_path / "desk")]
    slot = f'[devices.card_slot]\nkind = "plugin"\ncommand = {json.dumps(command)}\n'
    recordings = Recordings(tmp_path, CLOCK, lambda event, facts: None)
    (open_slot,) = maker_of(recordings, f"{slot}{SCANNER}").card_slot()
    path = recordings.begin("card_slot", "plugin", 5, "t07")
    plugin = open_slot()
    plugin.probe()
    plugin.close()
    recordings.end_all()
    pieces = read_recording(path).pieces
    assert pieces[0].data == b'{"id":1,"ask":"hello"}\n'
    assert pieces[1].count > 0 and pieces[1].data == b"", "a vendor's words are not ours to keep"


def test_a_whole_recording_is_sealed_and_never_open_on_the_disk(tmp_path: Path) -> None:
    told: list[tuple[str, dict[str, Any]]] = []
    recordings = Recordings(
        tmp_path, CLOCK, lambda event, facts: told.append((event, facts)), seal_recording
    )
    tap = recordings.tap("id_reader")
    path = recordings.begin("id_reader", "idcard", 5, "t07", key=KEY)
    assert told == [
        (
            "recording_begun",
            {"device": "id_reader", "who": "t07", "seconds": 300, "kind": "sealed"},
        )
    ]
    tap.note("device", b"\x30\x01")
    tap.note("host", SECRET)
    assert not path.exists(), "until its end it is in memory alone"
    recordings.end("id_reader", "done")
    assert SECRET not in path.read_bytes() and SECRET.hex().encode() not in path.read_bytes()
    with pytest.raises(StoreError):
        read_export(path, bytes(32))
    key_file = tmp_path / "key"
    key_file.write_bytes(b64encode(KEY))
    words = ["outbox", "import", str(path), "--into", str(tmp_path / "open")]
    ran = CliRunner().invoke(app, [*words, "--key-file", str(key_file)])
    assert ran.exit_code == 0, ran.output
    (found,) = (tmp_path / "open").iterdir()
    assert [piece.data for piece in read_recording(found).pieces] == [b"\x30\x01", SECRET]


def test_no_key_no_whole_recording(tmp_path: Path) -> None:
    told: list[str] = []
    recordings = Recordings(tmp_path, CLOCK, lambda event, facts: told.append(event))
    recordings.tap("pad")
    with pytest.raises(CannotRecord, match="not 32 bytes"):
        recordings.begin("pad", "zvt", 5, "t07", key=KEY)  # nobody here can seal
    sealing = Recordings(tmp_path, CLOCK, lambda event, facts: told.append(event), seal_recording)
    sealing.tap("pad")
    with pytest.raises(CannotRecord, match="not 32 bytes"):
        sealing.begin("pad", "zvt", 5, "t07", key=b"short")
    assert told == []


def test_a_sealed_recording_too_ends_with_its_time(tmp_path: Path) -> None:
    now_s = [100.0]
    sealed: list[bytes] = []
    begun = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
    recording = Recording(tmp_path / "a", "idcard", begun, lambda: now_s[0], 60, seal=sealed.append)
    tap = Tap(lambda: now_s[0])
    tap.begin(recording)
    tap.note("host", b"before")
    now_s[0] = 160.0
    tap.note("host", b"after")
    tap.end()
    assert len(sealed) == 1
    assert b"before".hex().encode() in sealed[0] and b"after".hex().encode() not in sealed[0]
