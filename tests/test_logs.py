"""The debug log writes what is allowed, and no patient, whatever it is handed."""

from __future__ import annotations

import ast
import io
import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk import logs

ROOT = Path(__file__).resolve().parent.parent
NOON = datetime(2025, 3, 4, 12, 0, 0, 5000, tzinfo=UTC)
NAME = "欧阳小满"
ID_NUMBER = "11010519491231002X"  # the worked example of GB 11643


class Written:
    """A logger on a clock that stands still, and what it has written."""

    def __init__(self, level: int = logging.DEBUG) -> None:
        self.out = io.StringIO()
        self.log = logs.logger("core", lambda: NOON, self.out, level)

    @property
    def text(self) -> str:
        return self.out.getvalue()

    @property
    def line(self) -> dict[str, object]:
        (line,) = self.text.splitlines()
        fields: dict[str, object] = json.loads(line)
        return fields


def test_a_line_is_one_json_object_with_the_moment_that_was_handed_in() -> None:
    written = Written()
    written.log.warning("device_lost", device="id_card", fault="DeviceLost", attempt=3)
    assert written.line == {
        "at": "2025-03-04T12:00:00.005+00:00",
        "event": "device_lost",
        "program": "core",
        "device": "id_card",
        "fault": "DeviceLost",
        "attempt": 3,
        "level": "warning",
    }


def test_a_field_that_is_not_listed_is_withheld() -> None:
    written = Written()
    written.log.info("card_read", name="Li", holder=7)
    assert written.line["name"] == logs.WITHHELD
    assert written.line["holder"] == logs.WITHHELD


@pytest.mark.parametrize(
    "value",
    [
        *(NAME, ID_NUMBER, f"ref-{ID_NUMBER}", f"a{ID_NUMBER}", int("110105194912310021")),
        *("13800138000", "zhang san", "x" * 121, "a\nb", "620000000000000000"),
        *([NAME], {"name": NAME}, NAME.encode(), object()),
    ],
)
def test_a_personal_value_is_withheld_even_in_a_listed_field(value: object) -> None:
    written = Written()
    written.log.info("card_read", reference=value, state=value)
    assert written.line["reference"] == logs.WITHHELD
    assert written.line["state"] == logs.WITHHELD


@pytest.mark.parametrize(
    "value",
    [
        *(0, -9, 1.5, True, None, "", "T01-20250304-000123", "/dev/serial/by-id/usb-A_B-if00"),
        *("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "[::1]:8443", "/v1/slots/{slot}"),
        "123e4567-e89b-12d3-a456-426614174000",
    ],
)
def test_a_code_or_number_is_written_as_it_is(value: object) -> None:
    written = Written()
    written.log.info("looked", state=value)
    assert written.line["state"] == value


@pytest.mark.parametrize(
    "event", [NAME, f"read {NAME}", "Card read", ID_NUMBER, "", f"a_{ID_NUMBER}"]
)
def test_an_event_without_a_fixed_name_is_withheld(event: str) -> None:
    written = Written()
    written.log.info(event)
    assert written.line["event"] == logs.WITHHELD


def test_of_an_exception_only_class_and_place_are_written() -> None:
    written = Written()
    try:
        try:
            raise ValueError(f"no such person: {NAME} {ID_NUMBER}")
        except ValueError as error:
            raise KeyError(ID_NUMBER) from error
    except KeyError:
        written.log.exception("look_up_failed")
    assert written.line["exception"] == "KeyError < ValueError"
    assert re.match(r"\['test_logs.py:\d+ test_\w+'\]", str(written.line["places"]))
    assert "people" not in written.text
    assert NAME not in written.text and ID_NUMBER not in written.text


def test_a_caller_cannot_pass_words_as_an_exception() -> None:
    written = Written()
    written.log.info("looked", exception=NAME, places=[NAME], at=NAME, level=NAME)
    assert written.line["level"] == "info"
    assert written.line["at"] == "2025-03-04T12:00:00.005+00:00"
    assert not {"exception", "places"} & written.line.keys()


def test_what_is_bound_to_a_logger_is_held_to_the_same_list() -> None:
    written = Written()
    written.log.bind(patient=NAME, device="pad").info("looked")
    assert written.line["patient"] == logs.WITHHELD
    assert written.line["device"] == "pad"


def test_a_level_below_the_logger_s_is_not_written() -> None:
    written = Written(logging.INFO)
    written.log.debug("looked")
    assert written.text == ""


hanzi = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=2, max_size=4)
digits = st.from_regex(r"[1-9][0-9]{16}[0-9X]", fullmatch=True)
anything = st.recursive(
    hanzi | digits, lambda inner: st.lists(inner) | st.dictionaries(hanzi, inner), max_leaves=5
)
fields = st.dictionaries(
    st.sampled_from([*logs.FIELDS, "name", "at", "event2"]), anything, max_size=6
)


@settings(max_examples=40)
@given(fields, hanzi, digits)
def test_no_name_and_no_id_number_ever_comes_out(
    given_fields: dict[str, object], name: str, number: str
) -> None:
    written = Written()
    written.log.info("card_read", **given_fields)
    written.log.bind(**given_fields).error(name)
    written.log.error("failed", exc_info=ValueError(name, number))
    written.log.warning(number, source=number, **{number: name})
    assert written.text.isascii() and "\\u" not in written.text
    assert number not in written.text
    assert not logs._PERSONAL.search(written.text)


CRASHING = f"""
import logging, sys, threading
from datetime import UTC, datetime
from kiosk import logs
log = logs.start("core", lambda: datetime(2025, 3, 4, tzinfo=UTC), sys.stderr)
logging.getLogger("urllib3").warning("GET /people/{ID_NUMBER}")
def fail():
    raise ValueError("{NAME}")
thread = threading.Thread(target=fail, name="id_card")
thread.start(); thread.join()
raise RuntimeError("{ID_NUMBER}")
"""


def test_a_crash_and_a_library_are_heard_without_their_words() -> None:
    """What reaches the system's journal names nobody."""
    ended = subprocess.run(
        [sys.executable, "-c", CRASHING], capture_output=True, text=True, cwd=ROOT, timeout=30
    )
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [(line["event"], line["source"]) for line in lines] == [
        ("library_spoke", "urllib3"),
        ("crashed", "id_card"),
        ("crashed", "main"),
    ]
    assert [line.get("exception") for line in lines] == [None, "ValueError", "RuntimeError"]
    assert ended.returncode == 1
    assert ended.stdout == ""


LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


def logging_calls(tree: ast.AST) -> Iterator[ast.Call]:
    """Calls like log.info(…) and self._log.bind(…).warning(…)."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=attr, value=spoken_to)) if attr in LEVELS:
                names = {
                    getattr(part, "attr", getattr(part, "id", "")) for part in ast.walk(spoken_to)
                }
                if names & {"log", "_log"}:
                    yield node


def wrong_calls(source: str) -> list[str]:
    """Calls whose event is no literal name, or whose fields would be withheld."""
    wrong = []
    for call in logging_calls(ast.parse(source)):
        match call.args:
            case [ast.Constant(value=str() as event)] if logs._EVENT.fullmatch(event):
                pass
            case _:
                wrong.append(f"line {call.lineno}: the event is not one fixed name")
        unknown = {word.arg for word in call.keywords} - logs.FIELDS.keys() - {"exc_info"}
        wrong += [f"line {call.lineno}: {name} is no field of kiosk.logs" for name in unknown]
    return wrong


def test_every_call_in_the_product_uses_a_fixed_event_and_listed_fields() -> None:
    for package in ("kiosk", "ui", "provisioning"):
        for path in (ROOT / package).rglob("*.py"):
            assert wrong_calls(path.read_text("utf-8")) == [], path


@pytest.mark.parametrize(
    "source",
    [
        "log.info(f'read {name}')",
        "self._log.warning(event)",
        "log.error('card_read', name=name)",
        "log.bind(device='pad').info('Card read')",
        "log.info('read', **fields)",
    ],
)
def test_a_call_that_could_leak_is_found(source: str) -> None:
    assert len(wrong_calls(source)) == 1
