"""The local socket under friendly and hostile hands: who may say what, and core never waits."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from kiosk.link import LINE_BYTES_MAX, LinkClient, LinkLost, LinkServer
from kiosk.views import Attract, Frame, Named, Problem, Touch, View
from tests.flows.people import NOW

SOON_S = 5.0
VIEW = View(1, Frame(Named("市第一医院"), Named("3号门"), NOW, ("help",)), Attract())


@dataclass
class Core:
    """The server with what reached it."""

    path: Path
    touches: SimpleQueue[Touch] = field(default_factory=SimpleQueue)
    uis: SimpleQueue[bool] = field(default_factory=SimpleQueue)
    asked: SimpleQueue[tuple[str, dict[str, Any]]] = field(default_factory=SimpleQueue)
    may_connect: Callable[[int], bool] = field(default=lambda uid: True)

    def __post_init__(self) -> None:
        self.server = LinkServer(
            self.path, self.touches.put, self._answer, self.uis.put, self.may_connect
        )
        self.server.start()

    def _answer(self, what: str, asked: dict[str, Any]) -> dict[str, Any]:
        self.asked.put((what, asked))
        return {"page": "attract"}

    def connect(self, *lines: bytes) -> socket.socket:
        """A client that speaks bytes."""
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(SOON_S)
        client.connect(str(self.path))
        for line in lines:
            client.sendall(line + b"\n")
        return client


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    core = Core(tmp_path / "core.sock")
    yield core
    core.server.stop()


def ended(client: socket.socket) -> bool:
    """The other end has closed, whatever it had said before."""
    try:
        while client.recv(65536):
            pass
    except ConnectionResetError:
        return True
    return True


def test_a_ui_gets_the_view_that_is_shown_and_each_new_one(core: Core) -> None:
    core.server.show(VIEW)
    ui = LinkClient(core.path, "ui")
    assert ui.next_view() == VIEW
    other = replace(VIEW, serial=2, page=Problem("hospital_away"))
    core.server.show(other)
    assert ui.next_view() == other


def test_a_ui_that_comes_late_gets_only_the_newest_view(core: Core) -> None:
    """Row 15 of the screen's behaviour: killed on any page, back on the same one."""
    for serial in range(1, 50):
        core.server.show(replace(VIEW, serial=serial))
    assert LinkClient(core.path, "ui").next_view().serial == 49


def test_two_screens_see_the_same_and_both_may_touch(core: Core) -> None:
    core.server.show(VIEW)
    uis = [LinkClient(core.path, "ui") for _ in range(2)]
    assert [ui.next_view() for ui in uis] == [VIEW, VIEW]
    for number, ui in enumerate(uis):
        ui.touch(Touch(1, f"task:{number}"))
    assert {core.touches.get(timeout=SOON_S).target for _ in uis} == {"task:0", "task:1"}


def test_core_hears_of_a_screen_that_comes_and_goes(core: Core) -> None:
    ui = LinkClient(core.path, "ui")
    assert core.uis.get(timeout=SOON_S) is True
    ui.close()
    assert core.uis.get(timeout=SOON_S) is False


def test_the_command_line_asks_and_is_answered(core: Core) -> None:
    cli = LinkClient(core.path, "cli")
    assert cli.ask("audit_find", name="8K42") == {"page": "attract"}
    what, asked = core.asked.get(timeout=SOON_S)
    assert what == "audit_find" and asked["name"] == "8K42"


HOSTILE = {
    "no hello": (b'{"touch": {"serial": 1, "target": "end"}}',),
    "an unknown role": (b'{"hello": "admin"}',),
    "no JSON": (b"GET / HTTP/1.1",),
    "no text": (b"\xff\xfe\x00",),
    "a ui that asks": (b'{"hello": "ui"}', b'{"ask": "status"}'),
    "a command line that touches": (b'{"hello": "cli"}', b'{"touch": {}}'),
    "a touch of another shape": (b'{"hello": "ui"}', b'{"touch": {"serial": "x"}}'),
    "a question that is no word": (b'{"hello": "cli"}', b'{"ask": {"a": 1}}'),
    "nested without end": (b"[" * 100_000,),
    "a second hello": (b'{"hello": "ui"}', b'{"hello": "cli"}'),
}


@pytest.mark.parametrize("lines", HOSTILE.values(), ids=HOSTILE)
def test_a_client_that_says_what_it_may_not_is_dropped_and_core_goes_on(
    core: Core, lines: tuple[bytes, ...]
) -> None:
    """Bad input gets a clear end and loses nothing: the next client is served."""
    core.server.show(VIEW)
    assert ended(core.connect(*lines))
    assert core.touches.empty() and core.asked.empty()
    assert LinkClient(core.path, "ui").next_view() == VIEW


def test_a_line_without_end_is_cut_off_at_its_limit(core: Core) -> None:
    client = core.connect(b'{"hello": "ui"}')
    with pytest.raises(OSError):
        for _ in range(64):
            client.sendall(b"x" * (LINE_BYTES_MAX // 16))
        ended(client)
        client.sendall(b"x")
    core.server.show(VIEW)
    assert LinkClient(core.path, "ui").next_view() == VIEW


def test_a_stranger_is_not_let_in(tmp_path: Path) -> None:
    """The kernel says who is at the other end."""
    core = Core(tmp_path / "core.sock", may_connect=lambda uid: False)
    try:
        assert ended(core.connect())
        with pytest.raises(LinkLost):
            LinkClient(core.path, "ui").next_view()
    finally:
        core.server.stop()


def test_the_socket_belongs_to_its_user_alone(core: Core) -> None:
    assert core.path.stat().st_mode & 0o777 == 0o600


def test_a_screen_that_does_not_read_holds_nobody_up(core: Core) -> None:
    """Core shows thousands of views; one client sleeps, the other sees the last."""
    core.connect(b'{"hello": "ui"}')
    awake = LinkClient(core.path, "ui")
    wide = replace(VIEW, frame=replace(VIEW.frame, place=Named("门" * 2000)))
    for serial in range(1, 2000):
        core.server.show(replace(wide, serial=serial))
    core.server.show(replace(VIEW, serial=2000))
    seen = [awake.next_view().serial]
    while seen[-1] < 2000:
        seen.append(awake.next_view().serial)
    assert seen == sorted(seen)


def test_touches_cut_into_bytes_arrive_whole(core: Core) -> None:
    client = core.connect(b'{"hello": "ui"}')
    line = json.dumps({"touch": {"serial": 3, "target": "key:5"}}).encode() + b"\n"
    for byte in line:
        client.sendall(bytes([byte]))
    assert core.touches.get(timeout=SOON_S) == Touch(3, "key:5")


def test_without_core_a_client_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(LinkLost, match="core is not at its socket"):
        LinkClient(tmp_path / "nowhere.sock", "cli")


def test_a_client_is_told_when_core_goes(core: Core) -> None:
    ui = LinkClient(core.path, "ui")
    assert core.uis.get(timeout=SOON_S)
    core.server.stop()
    with pytest.raises(LinkLost):
        ui.next_view()
        ui.next_view()
