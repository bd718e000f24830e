"""A vendor's library as a real process: it crashes, hangs and ends, and nothing else does."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from drivers.errors import DeadlineExceeded, DeviceAbsent, DeviceLost, TransportError
from drivers.plugin.driver import Plugin, PluginCardRead
from drivers.plugin.example import write_desk
from drivers.plugin.process import REST_S, PluginProcess, PluginStarter
from drivers.socialcard.driver import CardAbsent
from tests.drivers.plugin.people import ON_CARD, READ

CLOCK = time.monotonic
ROOT = Path(__file__).resolve().parents[3]


def command(desk: Path) -> tuple[str, ...]:
    return (sys.executable, "-m", "drivers.plugin.example", "--desk", str(desk))


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as open_ones:
        yield open_ones


def started(stack: ExitStack, *argv: str) -> tuple[PluginProcess, Plugin]:
    process = PluginProcess(argv, CLOCK)
    stack.callback(process.close)
    return process, Plugin(process, CLOCK)


def test_a_real_segmentation_fault_in_mid_read_is_a_lost_device_and_no_more(
    stack: ExitStack, tmp_path: Path
) -> None:
    desk = tmp_path / "desk"
    process, plugin = started(stack, *command(desk))
    assert plugin.read_card() == CardAbsent()
    write_desk(desk, ON_CARD, 1)
    assert plugin.read_card() == PluginCardRead(READ)
    write_desk(desk, ON_CARD, 1, "crash_in_read")
    with pytest.raises(DeviceLost, match="ended by SIGSEGV"):
        plugin.read_card()
    with pytest.raises(DeviceLost):
        plugin.read_card()
    process.close()
    assert process.broke and not Path(f"/proc/{process.pid}").exists()
    write_desk(desk, ON_CARD, 2)
    _, again = started(stack, *command(desk))
    assert again.read_card() == PluginCardRead(READ)


def test_a_library_that_never_comes_back_is_left_by_the_deadline_and_killed(
    stack: ExitStack, tmp_path: Path
) -> None:
    desk = tmp_path / "desk"
    process, plugin = started(stack, *command(desk))
    plugin.hello()
    write_desk(desk, ON_CARD, 1, "hang_in_read")
    began_s = CLOCK()
    with pytest.raises(DeadlineExceeded):
        plugin.read_card(0.2)
    assert CLOCK() - began_s < 1.0
    plugin.close()
    assert not Path(f"/proc/{process.pid}").exists()


def test_what_ends_or_was_never_there_is_told_in_one_line(stack: ExitStack, tmp_path: Path) -> None:
    with pytest.raises(DeviceAbsent, match=r"plug-in vendor: No such file"):
        PluginProcess((str(tmp_path / "vendor"),), CLOCK)
    _, plugin = started(stack, "sh", "-c", "exit 3")
    with pytest.raises(DeviceLost, match="ended with code 3"):
        plugin.hello()


def test_a_library_gets_nothing_of_ours_and_leaves_no_memory_image(stack: ExitStack) -> None:
    os.environ["KIOSK_SECRET"] = "ours"
    try:
        process, _ = started(stack, "cat")
    finally:
        del os.environ["KIOSK_SECRET"]
    assert b"KIOSK_SECRET" not in Path(f"/proc/{process.pid}/environ").read_bytes()
    limits = Path(f"/proc/{process.pid}/limits").read_text()
    assert re.search(r"Max core file size +0 +0 ", limits)


def test_children_of_a_library_end_with_it(stack: ExitStack, tmp_path: Path) -> None:
    note = tmp_path / "child"
    process, plugin = started(stack, "sh", "-c", f"sleep 60 & echo $! > {note}; kill -SEGV $$")
    with pytest.raises(TransportError):  # late, if its child holds the pipe open
        plugin.hello(0.3)
    child = os.pidfd_open(int(note.read_text()))
    stack.callback(os.close, child)
    assert select.select([child], [], [], 0.0)[0] == []
    process.close()
    assert select.select([child], [], [], 2.0)[0] == [child]  # readable: it has ended


class Hand:
    """A clock under the test's hand."""

    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_a_library_that_keeps_crashing_rests_longer_and_longer(stack: ExitStack) -> None:
    clock = Hand()
    starter = PluginStarter(("sh", "-c", "exit 3"), clock)
    for crashes in range(1, 10):
        plugin = starter.start()
        with pytest.raises(DeviceLost):
            Plugin(plugin._stream, CLOCK).hello()
        plugin.close()
        rest_s = REST_S[min(crashes, len(REST_S) - 1)]
        with pytest.raises(DeviceAbsent, match=f"rests {rest_s:.1f} s after {crashes} crash"):
            starter.start()
        clock.now_s += rest_s
    assert rest_s == 60.0


def test_the_c_program_of_the_protocols_page_speaks_the_protocol(
    stack: ExitStack, tmp_path: Path
) -> None:
    page = (ROOT / "drivers/plugin/PROTOCOL.md").read_text("utf-8")
    source = re.search(r"```c\n(.*?)```", page, re.DOTALL)
    assert source is not None
    (tmp_path / "vendor.c").write_text(source[1], "utf-8")
    build = ("cc", "-Wall", "-Werror", "-o", str(tmp_path / "vendor"), str(tmp_path / "vendor.c"))
    subprocess.run(build, check=True, timeout=60)
    _, plugin = started(stack, str(tmp_path / "vendor"))
    assert plugin.probe().model == "vendor-example"
    found = plugin.read_card()
    assert isinstance(found, PluginCardRead) and found.card.name == "王测试"
