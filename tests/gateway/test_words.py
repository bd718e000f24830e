"""Staff read Chinese: every name that the console can meet has its words."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

import gateway
from gateway import words
from gateway.daily_file import Channel
from kiosk import ports, views
from kiosk.hospital import contract as c
from offline.journal import State

SOURCE = "\n".join(file.read_text() for file in Path(gateway.__file__).parent.glob("*.py"))


def pages() -> set[str]:
    shapes = (shape for shape in vars(views).values() if isinstance(shape, type))
    hints = (get_type_hints(shape).get("page") for shape in shapes)
    return {name for hint in hints for name in get_args(hint) if isinstance(name, str)}


@pytest.mark.parametrize(
    ("table", "names"),
    [
        (words.PAGES, pages()),
        (words.HELPERS, set(get_args(get_type_hints(c.CallHelp)["sort"]))),
        (words.PARTS, set(get_args(ports.Part))),
        (words.KINDS, set(c.RECORD_BODIES)),
        (words.JOURNAL, {"", *(state.value for state in State)}),
        (words.CHANNELS, {channel.value for channel in Channel}),
    ],
)
def test_nothing_lacks_words_and_no_word_lacks_its_thing(
    table: dict[str, str], names: set[str]
) -> None:
    assert set(table) == names
    assert all(table.values())


def test_every_alarm_that_is_raised_says_what_to_do() -> None:
    raised = set(re.findall(r'alarm\(work, "(\w+)"', SOURCE)) | {"key_reused", "sequence_reused"}
    assert len(raised) >= 8
    assert set(words.ALARMS) == raised


def test_every_reason_to_refuse_a_check_in_or_a_record_has_words() -> None:
    check_in = set(get_args(get_type_hints(c.CheckInRefused)["reason"]))
    ingest = set(re.findall(r'(?:reason = |return _Fresh\(record, None, )"(\w+)"', SOURCE))
    assert check_in | ingest <= set(words.REASONS)
    assert "body_not_understood" in ingest
