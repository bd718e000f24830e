"""A camera behind a real socket: codes only while asked, hints, frozen and lost cameras.

Row 1: one scan window for every code. Row 64: the payer's code is read where the screen asks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
import zxingcpp

from drivers.camera.driver import FROZEN_S, CameraScanner, Hint
from drivers.camera.emulator import MISBEHAVIOURS, CameraEmulator
from drivers.camera.frames import Gray, grey, open_camera
from drivers.deadline import Deadline
from drivers.errors import DeadlineExceeded, DeviceAbsent, DeviceLost
from drivers.hosts.tcp_host import TcpHost
from drivers.identity import DeviceIdentity
from drivers.scanner.codec import Garbage, GarbageReason, Scanned
from drivers.scanner.driver import Nothing
from tests.drivers.ports import Ports

CODE = "280012345678901234"
CLOCK = time.monotonic


def within(seconds: float) -> Deadline:
    return Deadline.after(CLOCK, seconds)


@pytest.fixture
def host(ports: Ports) -> TcpHost[CameraEmulator]:
    return ports.tcp(CameraEmulator())


def open_scanner(host: TcpHost[CameraEmulator]) -> CameraScanner:
    return CameraScanner(open_camera(f"http://127.0.0.1:{host.port}/", CLOCK), CLOCK)


@pytest.fixture
def scanner(host: TcpHost[CameraEmulator]) -> Iterator[CameraScanner]:
    opened = open_scanner(host)
    yield opened
    opened.close()


def test_a_code_is_read_only_while_a_screen_asks(
    host: TcpHost[CameraEmulator], scanner: CameraScanner
) -> None:
    host.with_emulator(lambda camera: camera.show(CODE))
    assert scanner.poll(within(0.2)) == Nothing()
    scanner.arm()
    assert scanner.poll(within(3.0)) == Scanned(CODE)
    assert scanner.poll(within(0.3)) == Nothing()
    scanner.disarm()
    host.with_emulator(lambda camera: camera.show("another"))
    assert scanner.poll(within(0.2)) == Nothing()


def test_a_chinese_name_in_bytes_of_gb18030_is_read_right(
    host: TcpHost[CameraEmulator], scanner: CameraScanner
) -> None:
    scanner.arm()
    host.with_emulator(lambda camera: camera.show("就诊:张示例".encode("gb18030")))
    assert scanner.poll(within(3.0)) == Scanned("就诊:张示例")


def test_a_hostile_code_is_garbage(host: TcpHost[CameraEmulator], scanner: CameraScanner) -> None:
    scanner.arm()
    host.with_emulator(lambda camera: camera.show(b"12\x1b@\x1dV0"))
    assert scanner.poll(within(3.0)) == Garbage(GarbageReason.CONTROL_CHARACTER)


HINTS = {
    "dark": Hint.TOO_DARK,
    "glare": Hint.GLARE,
    "blurred": Hint.NONE,
    "frozen": Hint.NONE,
}


@pytest.mark.parametrize("name", HINTS)
def test_every_misbehaviour_has_its_hint_and_is_forgotten_afterwards(
    host: TcpHost[CameraEmulator], scanner: CameraScanner, name: str
) -> None:
    scanner.arm()
    host.with_emulator(lambda camera: camera.misbehave(name))
    assert scanner.poll(within(0.5)) == Nothing()
    assert scanner.hint is HINTS[name]
    host.with_emulator(lambda camera: camera.behave())
    host.with_emulator(lambda camera: camera.show("next"))
    assert scanner.poll(within(3.0)) == Scanned("next")
    assert scanner.hint is Hint.NONE


def test_a_camera_of_broken_pictures_is_lost_and_reads_again_when_opened_anew(
    host: TcpHost[CameraEmulator], scanner: CameraScanner
) -> None:
    assert HINTS.keys() | {"torn"} == MISBEHAVIOURS.keys()
    scanner.arm()
    host.with_emulator(lambda camera: camera.misbehave("torn"))
    with pytest.raises(DeviceLost):
        while True:
            assert scanner.poll(within(1.0)) == Nothing()
    scanner.close()
    host.with_emulator(lambda camera: camera.behave())
    host.with_emulator(lambda camera: camera.show(CODE))
    again = open_scanner(host)
    again.arm()
    assert again.poll(within(3.0)) == Scanned(CODE)
    again.close()


def test_a_camera_says_how_large_its_frames_are(scanner: CameraScanner) -> None:
    assert scanner.probe() == DeviceIdentity("camera", "1280x720")


def test_a_camera_pulled_while_waiting_is_noticed_and_comes_back(
    host: TcpHost[CameraEmulator], scanner: CameraScanner
) -> None:
    scanner.arm()
    pull = threading.Timer(0.1, host.unplug)
    pull.start()
    with pytest.raises(DeviceLost):
        scanner.poll(within(5.0))
    pull.join()
    with pytest.raises(DeviceAbsent):
        open_scanner(host)
    host.plug()
    again = open_scanner(host)
    again.arm()
    host.with_emulator(lambda camera: camera.show(CODE))
    assert again.poll(within(3.0)) == Scanned(CODE)
    again.close()


class GivenFrames:
    """A FrameSource on virtual time: a frame each 40 ms, until there are no more."""

    def __init__(self, frames: list[Gray]) -> None:
        self.frames = frames
        self.now_s = 100.0

    def clock(self) -> float:
        return self.now_s

    def read(self, deadline: Deadline) -> Gray:
        if not self.frames or deadline.remaining_s() < 0.04:
            self.now_s = max(self.now_s, deadline.at_s)
            raise DeadlineExceeded("no frame in time")
        self.now_s += 0.04
        return self.frames.pop(0)

    def close(self) -> None:
        self.frames.clear()


def test_a_frozen_camera_is_lost_after_a_while_and_not_before() -> None:
    source = GivenFrames([np.zeros((720, 1280), np.uint8)] * 3)
    scanner = CameraScanner(source, source.clock)
    scanner.arm()
    assert scanner.poll(Deadline.after(source.clock, FROZEN_S - 1)) == Nothing()
    with pytest.raises(DeviceLost):
        scanner.poll(Deadline.after(source.clock, 2.0))


def test_the_frame_from_before_arming_is_not_taken() -> None:
    emulator = CameraEmulator()
    emulator.show(CODE)
    before = emulator.frame()
    emulator.hide()
    source = GivenFrames([before, emulator.frame(), emulator.frame()])
    scanner = CameraScanner(source, source.clock)
    scanner.arm()
    assert scanner.poll(Deadline.after(source.clock, 1.0)) == Nothing()


def linear_frame(content: str) -> Gray:
    made = zxingcpp.create_barcode(content, zxingcpp.BarcodeFormat.Code128)
    bars = np.asarray(zxingcpp.write_barcode_to_image(made, scale=3), np.uint8)
    picture = np.full((720, 1280), 200, np.uint8)
    high = np.asarray(cv2.resize(bars, (bars.shape[1], 160), interpolation=cv2.INTER_NEAREST))
    picture[200:360, 200 : 200 + high.shape[1]] = high
    return picture


@pytest.mark.parametrize(
    ("shown", "taken"),
    [(["H0012345"], None), (["H0012345", "H0012345"], "H0012345"), (["H1", "H2"], None)],
)
def test_a_one_dimensional_code_counts_when_two_frames_agree(
    shown: list[str], taken: str | None
) -> None:
    frames = [linear_frame(content) for content in (shown[0], *shown)]
    source = GivenFrames(frames)
    scanner = CameraScanner(source, source.clock, linear=True)
    scanner.arm()
    outcome = scanner.poll(Deadline.after(source.clock, 1.0))
    assert outcome == (Nothing() if taken is None else Scanned(taken))


def test_colours_become_luminance() -> None:
    assert grey(np.full((4, 4, 3), 200, np.uint8)).shape == (4, 4)
    assert grey(np.full((4, 4), 7, np.uint8)).tolist() == [[7] * 4] * 4
