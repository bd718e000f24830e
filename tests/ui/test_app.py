"""The whole screen as a process: views down, touches up, core away and back, killed and again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from queue import Queue

import pytest
from PIL import Image

from kiosk.link import LinkServer
from kiosk.views import Touch
from ui.core_line import CoreLine
from ui.hands import HandsClient, HandsRefused
from ui.samples import HOME, PAY, samples, view_of

ANSWER_S = 20.0

Start = Callable[[], "subprocess.Popen[bytes]"]


class Core:
    """A link server that keeps what it was sent: the other end of the screen."""

    def __init__(self, path: Path) -> None:
        self.touches: Queue[Touch] = Queue()
        self.link = LinkServer(path, self.touches.put, lambda what, asked: {})
        self.link.start()


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    started = Core(tmp_path / "core.sock")
    yield started
    started.link.stop()


@pytest.fixture
def start_ui(tmp_path: Path) -> Iterator[Start]:
    """Starts the screen; whatever still runs at the end is killed."""
    running: list[subprocess.Popen[bytes]] = []
    code = (
        "import sys; from ui.app import run; "
        "run(sys.argv[1], hands_path=sys.argv[2], size=(1080, 1920))"
    )
    surroundings = {key: value for key, value in os.environ.items() if key != "DISPLAY"}

    def start() -> subprocess.Popen[bytes]:
        paths = [str(tmp_path / "core.sock"), str(tmp_path / "hands.sock")]
        command = [sys.executable, "-c", code, *paths]
        running.append(subprocess.Popen(command, env=surroundings))
        return running[-1]

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.wait(10)


@pytest.fixture
def screen_process(start_ui: Start, core: Core) -> subprocess.Popen[bytes]:
    core.link.show(view_of(HOME, serial=1))
    return start_ui()


@pytest.fixture
def hands(screen_process: subprocess.Popen[bytes], tmp_path: Path) -> Iterator[HandsClient]:
    client = HandsClient(tmp_path / "hands.sock", ANSWER_S)
    client.wait_page("home", ANSWER_S)
    yield client
    client.close()


def test_a_finger_on_a_key_reaches_core(core: Core, hands: HandsClient) -> None:
    hands.touch("next")
    assert core.touches.get(timeout=ANSWER_S) == Touch(1, "next")


def test_the_newest_view_wins(core: Core, hands: HandsClient) -> None:
    for serial in range(2, 60):
        core.link.show(view_of(PAY if serial % 2 else HOME, serial=serial))
    core.link.show(view_of(PAY, serial=60))
    assert hands.wait_page("pay", ANSWER_S, serial_after=59) == 60
    assert hands.tree()["serial"] == 60


def test_core_away_is_said_in_plain_words_and_core_back_is_seen(
    core: Core, hands: HandsClient, tmp_path: Path
) -> None:
    core.link.stop()
    hands.wait_page("starting", ANSWER_S)
    tree = hands.tree()
    said = " ".join(text["text"] for text in tree["texts"])
    assert "正在准备" in said and "Getting ready" in said
    assert "王*兰" not in said  # nobody's name is kept while nobody is there
    assert tree["targets"] == []
    again = Core(tmp_path / "core.sock")
    again.link.show(view_of(PAY, serial=9))
    assert hands.wait_page("pay", ANSWER_S) == 9
    again.link.stop()


def test_a_killed_screen_comes_back_to_the_same_view(
    core: Core,
    hands: HandsClient,
    screen_process: subprocess.Popen[bytes],
    start_ui: Start,
    tmp_path: Path,
) -> None:
    """SCREENS T15."""
    core.link.show(view_of(samples()["payment_result.checking"], serial=5))
    hands.wait_page("payment_result", ANSWER_S)
    before = [text["text"] for text in hands.tree()["texts"]]
    screen_process.kill()
    screen_process.wait(ANSWER_S)
    (tmp_path / "hands.sock").unlink()
    start_ui()
    again = HandsClient(tmp_path / "hands.sock", ANSWER_S)
    assert again.wait_page("payment_result", ANSWER_S) == 5
    assert [text["text"] for text in again.tree()["texts"]] == before
    assert core.touches.empty()
    again.close()


def test_sigterm_ends_the_screen_cleanly_and_leaves_nothing(
    hands: HandsClient, screen_process: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    screen_process.send_signal(signal.SIGTERM)
    assert screen_process.wait(ANSWER_S) == 0
    assert not (tmp_path / "hands.sock").exists()


def test_a_screenshot_has_exactly_the_name_and_size_asked_for(
    hands: HandsClient, tmp_path: Path
) -> None:
    hands.screenshot(tmp_path / "home.png")
    picture = Image.open(tmp_path / "home.png")
    assert picture.size == (1080, 1920)
    assert picture.getpixel((10, 10)) == (0, 79, 99)  # the top bar's teal
    colours = picture.getcolors(1 << 20)
    assert colours is not None and len(colours) > 50  # words are drawn


def test_hands_say_what_is_on_the_page_and_what_is_not(hands: HandsClient) -> None:
    tree = hands.tree()
    assert tree["page"] == "home"
    tops = {one["target"]: one["rect"][1] for one in tree["targets"]}
    assert tops["next"] < tops["task:pay"] < tops["tile:more"] < tops["help"]
    assert any(one["text"] == "签到候诊" and one["font_size"] == 76 for one in tree["texts"])
    with pytest.raises(HandsRefused, match="no 'elsewhere' on page home"):
        hands.touch("elsewhere")
    with pytest.raises(HandsRefused, match="did not come"):
        hands.wait_page("pay", timeout_s=0.05)


def test_the_language_key_keeps_the_page(core: Core, hands: HandsClient) -> None:
    hands.touch("language:en")
    assert core.touches.get(timeout=ANSWER_S).target == "language:en"
    view = view_of(HOME, "en", serial=2)
    core.link.show(replace(view, frame=replace(view.frame, elder=True)))
    hands.wait_page("home", ANSWER_S, serial_after=1)
    said = [text["text"] for text in hands.tree()["texts"]]
    assert "Check in" in said and "Hello, 王*兰" in said


def test_a_line_keeps_only_the_newest_view(core: Core, tmp_path: Path) -> None:
    news: Queue[None] = Queue()
    line = CoreLine(tmp_path / "core.sock", lambda: news.put(None))
    core.link.show(view_of(HOME, serial=1))
    line.start()
    news.get(timeout=ANSWER_S)
    core.link.show(view_of(PAY, serial=2))
    news.get(timeout=ANSWER_S)
    taken = line.take()
    assert taken is not None and taken.serial == 2
    assert line.take() is None
    line.stop()
    core.link.stop()
    news.get(timeout=ANSWER_S)
    assert not line.connected
