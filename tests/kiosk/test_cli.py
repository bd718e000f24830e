"""What technicians type: clear words and an exit status, never a traceback with names in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from typer.testing import CliRunner

from kiosk.cli import PAYMENTS_OFF_WORDS, _device_line, app, store_lines
from kiosk.link import SOCKET_NAME, LinkServer
from offline.ballast import PaymentsOff
from tests.kiosk.test_profile import GOOD

RUN = CliRunner()
STATUS = {
    "page": "attract",
    "works": {"pad": False, "scanner": True},
    "numbers": 0,
    "queued": 3,
    "open_payments": ["K03-261122-8K42"],
}
DEVICES = {
    "pad": {
        "kind": "zvt",
        "state": "away",
        "port": "/dev/ttyUSB1",
        "since": "2026-11-22T08:42:00+08:00",
        "answered_s": 61.5,
        "tries": 4,
        "faults": {"DeadlineExceeded": 2, "DeviceAbsent": 4},
        "fault": "no such port",
        "recording": False,
        "name": "/dev/serial/by-id/usb-pad-0007",
        "alike": ["/dev/serial/by-id/usb-pad-0008"],
        "told_apart": True,
    },
    "a4_printer": {
        "kind": "ipp",
        "state": "well",
        "port": "",
        "since": "2026-11-22T08:42:00+08:00",
        "answered_s": 0.2,
        "tries": 0,
        "faults": {},
        "fault": "",
        "needs": "no_toner",
        "needs_words": "toner-empty-error",
        "recording": False,
        "name": "",
        "alike": [],
        "told_apart": True,
    },
}
EVENTS = [{"at": 1_795_300_000_000, "event": "print_begun", "slip": "8K42"}]


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "profile.toml"
    path.write_text(GOOD.replace("/var/lib/kiosk", str(tmp_path)), encoding="utf-8")
    return path


@pytest.fixture
def running(tmp_path: Path) -> Iterator[None]:
    """A core that answers at its socket."""

    def answer(what: str, asked: dict[str, Any]) -> dict[str, Any]:
        match what:
            case "status":
                return STATUS
            case "devices":
                return DEVICES
            case "record" if asked["device"] == "pad":
                assert (asked["minutes"], asked["who"]) == (2, "T07")
                return {"file": "/var/lib/kiosk/recordings/pad.jsonl"}
            case "record":
                return {"error": "there is no zork; there are pad"}
        return {"events": EVENTS if asked["name"] == "8K42" else []}

    server = LinkServer(tmp_path / SOCKET_NAME, lambda touch: None, answer)
    server.start()
    yield
    server.stop()


def test_a_good_profile_is_said_to_be_good(profile: Path) -> None:
    ran = RUN.invoke(app, ["check", "--profile", str(profile)])
    assert ran.exit_code == 0 and "version 2026-11 is good" in ran.output


def test_a_broken_profile_is_told_with_line_and_field(profile: Path) -> None:
    profile.write_text(GOOD.replace("lookback_days = 14", "lookback_days = 0"))
    for command in ("check", "core", "ui", "status", "devices"):
        ran = RUN.invoke(app, [command, "--profile", str(profile)])
        assert ran.exit_code == 1, command
        assert "screening.lookback_days" in ran.output and "line " in ran.output, command
        assert "Traceback" not in ran.output, command


@pytest.mark.parametrize("command", [["status"], ["devices"], ["audit", "find", "8K42"]])
def test_without_core_the_answer_is_one_clear_line(profile: Path, command: list[str]) -> None:
    ran = RUN.invoke(app, [*command, "--profile", str(profile)])
    assert ran.exit_code == 1
    assert "core is not at its socket" in ran.output and "Traceback" not in ran.output


def test_status_says_what_works_and_what_waits(profile: Path, running: None) -> None:
    ran = RUN.invoke(app, ["status", "--profile", str(profile)])
    assert ran.exit_code == 0
    assert "does not work: pad\n" in ran.output and "K03-261122-8K42" in ran.output
    assert "leased numbers at hand: 0\n" in ran.output, "none at hand is nothing broken"
    told = RUN.invoke(app, ["status", "--json", "--profile", str(profile)])
    assert json.loads(told.output) == STATUS


def test_status_says_why_nobody_can_pay_and_what_to_do() -> None:
    store = {"payments_off": "disk_full", "mended": "kiosk.db.damaged-1"}
    said = "\n".join(store_lines({"store": store, "in_doubt": ["K03-261122-8K42"]}))
    assert "PAYMENTS OFF: disk_full; make room on the disk" in said
    assert "IN DOUBT for more than 5 minutes: K03-261122-8K42; finance has been told" in said
    assert "mended; the damaged one is kept: kiosk.db.damaged-1" in said
    assert list(store_lines({"store": {"payments_off": ""}, "in_doubt": []})) == []


def test_every_reason_why_payments_are_off_has_a_sentence() -> None:
    causes = get_args(get_type_hints(PaymentsOff)["cause"])
    assert set(causes) == set(PAYMENTS_OFF_WORDS)


def test_devices_says_what_is_away_and_why(profile: Path, running: None) -> None:
    ran = RUN.invoke(app, ["devices", "--profile", str(profile)], env={"LANG": "C.UTF-8"})
    assert "AWAY (4 tries) no such port" in ran.output
    assert "heard 61.5 s ago" in ran.output and "DeadlineExceeded=2" in ran.output
    assert "well, NEEDS toner empty or waste full: change the cartridge (toner-" in ran.output
    zh = RUN.invoke(app, ["devices", "--profile", str(profile)], env={"LANG": "zh_CN.UTF-8"})
    assert "NEEDS 墨粉用完或废粉盒满：换墨盒 (toner-empty-error)" in zh.output
    told = RUN.invoke(app, ["devices", "--json", "--profile", str(profile)])
    assert json.loads(told.output) == DEVICES


@pytest.mark.parametrize(
    ("told_apart", "words"), [(True, "0008: it is not used"), (False, "CANNOT BE TOLD APART")]
)
def test_devices_names_a_port_for_good_and_tells_of_another_alike(
    told_apart: bool, words: str
) -> None:
    line = _device_line("pad", {**DEVICES["pad"], "told_apart": told_apart})
    assert "name /dev/serial/by-id/usb-pad-0007" in line
    assert "ANOTHER ANSWERS ALIKE at /dev/serial/by-id/usb-pad-0008" in line and words in line
    alone = _device_line("pad", {**DEVICES["pad"], "alike": []})
    assert "ALIKE" not in alone


def test_a_recording_is_ordered_by_somebody_for_some_minutes(profile: Path, running: None) -> None:
    words = ["devices", "record", "pad", "--profile", str(profile), "--minutes", "2"]
    ran = RUN.invoke(app, [*words, "--by", "T07"])
    assert ran.exit_code == 0 and ran.output.strip().endswith("pad.jsonl")
    words[2] = "zork"
    refused = RUN.invoke(app, [*words, "--by", "T07"])
    assert refused.exit_code == 1 and "there are pad" in refused.output
    assert RUN.invoke(app, words).exit_code == 2, "nobody records without a name"


def test_a_slip_is_found_by_its_number(profile: Path, running: None) -> None:
    """Row 112: `kiosk audit find SLIP`."""
    ran = RUN.invoke(app, ["audit", "find", "8K42", "--profile", str(profile)])
    assert "print_begun slip=8K42" in ran.output
    nothing = RUN.invoke(app, ["audit", "find", "9Z99", "--profile", str(profile)])
    assert nothing.exit_code == 1 and "nothing is known about 9Z99" in nothing.output


@pytest.mark.parametrize(
    ("number", "typed", "words"),
    [
        ("09", "4711\n4711\n", "no volunteer 09"),
        ("01", "47\n47\n", "a PIN has 4 digits"),
        ("01", "abcd\nabcd\n", "a PIN has 4 digits"),
    ],
)
def test_a_pin_that_cannot_be_one_is_refused(
    profile: Path, number: str, typed: str, words: str
) -> None:
    ran = RUN.invoke(app, ["pin", number, "--profile", str(profile)], input=typed)
    assert ran.exit_code == 1 and words in ran.output


def test_a_pin_is_set_and_shown_nowhere(profile: Path) -> None:
    command = ["pin", "01", "--profile", str(profile)]
    ran = RUN.invoke(app, command, input="4711\n4711\n")
    assert ran.exit_code == 0, ran.output
    assert "4711" not in ran.output


def test_a_traceback_shows_no_local_variables() -> None:
    """A bug's words may reach a log: no names, no numbers in it."""
    assert app.pretty_exceptions_enable is False
