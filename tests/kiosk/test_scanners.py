"""Scanners by the profile: each kind is opened, lit only while a page asks, and says a code once.

/dev/input is not on every machine: a wedge's events come through a FIFO, as they would from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from drivers.camera.emulator import CameraEmulator
from drivers.hosts.fifo_host import FifoHost
from drivers.scanner.emulator import ScannerEmulator
from drivers.scanner.hints import Hint
from drivers.scanner.models import MODELS
from drivers.wedge.emulator import WedgeEmulator
from kiosk.devices.code_scanner import ScannerDevice
from kiosk.flows.events import CodeHint, CodeScanned
from kiosk.openers import open_scanner
from kiosk.ports import Listen
from kiosk.profile import ProfileError, ScannerPart, parse_profile
from tests.drivers.ports import Ports
from tests.kiosk.test_profile import GOOD

CODE = "280012345678901234"
CODES = Listen(False, "identity")
NOTHING = Listen(False, "")
clock = time.monotonic

Held = tuple[ScannerPart, Callable[[], None]]
"""The profile's part, and a hand that holds a code up."""


@contextmanager
def serial(ports: Ports, _folder: Path, model: Any) -> Iterator[Held]:
    host = ports.pty(ScannerEmulator(MODELS[model]))
    part = ScannerPart(port=str(host.path), model=model)
    yield part, lambda: host.with_emulator(lambda scanner: scanner.show(CODE))


@contextmanager
def wedge(_ports: Ports, folder: Path, _model: Any) -> Iterator[Held]:
    with FifoHost(WedgeEmulator(), clock, folder / "event0") as host:
        part = ScannerPart(port=str(folder / "event0"), kind="wedge")
        yield part, lambda: host.with_emulator(lambda scanner: scanner.show(CODE))


@contextmanager
def camera(ports: Ports, _folder: Path, _model: Any) -> Iterator[Held]:
    host = ports.tcp(CameraEmulator())
    part = ScannerPart(port=f"http://127.0.0.1:{host.port}/", kind="camera")
    yield part, lambda: host.with_emulator(lambda scanner: scanner.show(CODE))


KINDS: dict[str, tuple[Any, str]] = {
    "newland": (serial, "newland"),
    "gm65": (serial, "gm65"),
    "honeywell": (serial, "honeywell"),
    "wedge": (wedge, ""),
    "camera": (camera, ""),
}


def heard(device: ScannerDevice, listen: Listen, seconds: float) -> list[Any]:
    until_s = clock() + seconds
    told: list[Any] = []
    while clock() < until_s and not told:
        told += device.attend(listen)
    return told


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_says_a_code_once_and_only_to_a_page_that_asks(
    kind: str, ports: Ports, tmp_path: Path
) -> None:
    """Row 1: one scan window for every code, whatever reads it."""
    make, model = KINDS[kind]
    with make(ports, tmp_path, model) as (part, hold):
        device = ScannerDevice(lambda: open_scanner(part, clock))
        list(device.open())
        try:
            if kind == "wedge":
                hold()
            assert heard(device, NOTHING, 0.3) == []
            assert heard(device, CODES, 0.3) == [], "what was typed before nobody asked for"
            hold()
            assert heard(device, CODES, 5.0) == [CodeScanned(CODE)]
            assert heard(device, CODES, 0.4) == [], "the same code, held on, counts once"
        finally:
            device.close()


def test_a_camera_that_is_dazzled_says_so_once_a_page(ports: Ports) -> None:
    host = ports.tcp(CameraEmulator())
    part = ScannerPart(port=f"http://127.0.0.1:{host.port}/", kind="camera")
    device = ScannerDevice(lambda: open_scanner(part, clock))
    device.HINT_S = 0.3
    list(device.open())
    try:
        host.with_emulator(lambda scanner: scanner.misbehave("dark"))
        assert heard(device, NOTHING, 0.5) == []
        assert heard(device, CODES, 3.0) == [CodeHint(Hint.TOO_DARK.value)]
        assert heard(device, CODES, 0.8) == []
        heard(device, NOTHING, 0.1)
        assert heard(device, CODES, 3.0) == [CodeHint(Hint.TOO_DARK.value)]
    finally:
        device.close()


@pytest.mark.parametrize(
    ("settings", "field", "reason"),
    [
        ('kind = "laser"', "kind", "camera"),
        ('kind = "wedge"', "port", "/dev/input/"),
        ('kind = "camera"', "port", "/dev/video0"),
        ("linear = true", "linear", "kind serial"),
        ('model = "zebra"', "model", "newland"),
        ('kind = "camera"\nmodel = "gm65"', "model", "kind camera"),
    ],
)
def test_a_mistake_about_the_scanner_names_its_line_and_its_field(
    settings: str, field: str, reason: str
) -> None:
    written = 'port = "/dev/kiosk/scanner"'
    text = GOOD.replace(written, f"{written}\n{settings}")
    line = next(n for n, one in enumerate(text.splitlines(), 1) if one == written)
    at = line if field == "port" else line + 1 + (field == "model" and "camera" in settings)
    with pytest.raises(ProfileError) as told:
        parse_profile(text, "profile.toml")
    assert f"profile.toml: line {at}: devices.scanner.{field}: " in str(told.value)
    assert reason in str(told.value)


@pytest.mark.parametrize("model", MODELS)
def test_a_scanner_that_answers_nothing_is_not_to_be_found_by_asking(model: str) -> None:
    """Said before anything starts, with what to write instead."""
    written = 'port = "/dev/kiosk/scanner"'
    text = GOOD.replace(written, f'port = "auto"\nmodel = "{model}"')
    if MODELS[model].reply.head:
        assert parse_profile(text).devices.scanner.port == "auto"
        return
    with pytest.raises(ProfileError) as told:
        parse_profile(text, "profile.toml")
    line = 1 + GOOD.splitlines().index(written)
    assert str(told.value).startswith(
        f"profile.toml: line {line}: devices.scanner.port: auto cannot find a {model} scanner"
    )
    assert "/dev/serial/by-id/" in str(told.value)
