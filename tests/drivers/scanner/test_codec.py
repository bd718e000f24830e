"""A scanner's bytes: where a code ends, what is the scanner's own, and what no code may hold."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.scanner.codec import (
    BUFFER_BYTES_MAX,
    CODE_BYTES_MAX,
    Framer,
    Garbage,
    GarbageReason,
    Scanned,
    clean,
    read_text,
)
from drivers.scanner.models import GM65, HONEYWELL, NEWLAND, Reply

# PROTOCOLS §3, typed by hand.
COMMANDS = {
    "newland on": (NEWLAND.on, "7E 01 30 30 30 30 23 53 43 4E 54 52 47 31 3B 03"),
    "newland off": (NEWLAND.off, "7E 01 30 30 30 30 23 53 43 4E 54 52 47 30 3B 03"),
    "gm65 on": (GM65.on, "7E 00 08 01 00 02 01 AB CD"),
    "honeywell on": (HONEYWELL.on, "16 54 0D"),
    "honeywell off": (HONEYWELL.off, "16 55 0D"),
}
REPLIES = {
    "newland yes": (NEWLAND.reply, "02 01 30 30 30 30 23 53 43 4E 54 52 47 31 06 3B 03", True),
    "newland no": (NEWLAND.reply, "02 01 30 30 30 30 23 53 43 4E 54 52 47 31 15 3B 03", False),
    "gm65 yes": (GM65.reply, "02 00 00 01 00 33 31", True),
}


@pytest.mark.parametrize(("command", "manual"), COMMANDS.values(), ids=COMMANDS)
def test_triggers_are_as_in_the_manual(command: bytes, manual: str) -> None:
    assert command == bytes.fromhex(manual)


@pytest.mark.parametrize(("reply", "manual", "is_yes"), REPLIES.values(), ids=REPLIES)
def test_replies_are_as_in_the_manual(reply: Reply, manual: str, is_yes: bool) -> None:
    wire = bytes.fromhex(manual)
    assert reply.find(wire) == (0, len(wire), is_yes)
    assert reply.find(b"9" + wire + b"code\r") == (1, 1 + len(wire), is_yes)
    for cut in range(len(wire)):
        assert reply.find(wire[:cut]) is None


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\r\r\n"])
def test_a_code_ends_with_cr_lf_or_both(end: bytes) -> None:
    assert Framer().feed(b"123" + end + b"456" + end) == [b"123", b"456"]


def test_a_pause_ends_a_code_too() -> None:
    framer = Framer()
    assert framer.feed(b"123") == []
    assert framer.in_code
    assert framer.end() == [b"123"]
    assert framer.end() == []
    assert not framer.in_code


codes = st.binary(min_size=1, max_size=80).map(lambda code: code.translate(None, b"\r\n") or b"x")


@given(st.lists(codes, max_size=5), st.lists(st.integers(0, 400), max_size=9))
def test_any_cut_of_the_bytes_gives_the_same_codes(sent: list[bytes], cuts: list[int]) -> None:
    wire = b"".join(code + b"\r\n" for code in sent)
    marks = [0, *sorted(cut for cut in cuts if cut < len(wire)), len(wire)]
    framer = Framer()
    got = [code for a, b in pairwise(marks) for code in framer.feed(wire[a:b])]
    assert got == sent


@pytest.mark.parametrize("cut", [1, 7, 4096, 5000, 20_000])
def test_a_code_too_long_is_dropped_whole_up_to_its_end(cut: int) -> None:
    wire = b"9" * (CODE_BYTES_MAX + 1) + b"tail\r" + b"next\r"
    framer, got = Framer(), []
    for at in range(0, len(wire), cut):
        got += framer.feed(wire[at : at + cut])
        assert framer.buffered_bytes <= BUFFER_BYTES_MAX <= 65536
    assert got == [None, b"next"]


def test_a_code_of_exactly_the_limit_is_one() -> None:
    assert Framer().feed(b"9" * CODE_BYTES_MAX + b"\r") == [b"9" * CODE_BYTES_MAX]


def test_a_code_too_long_ended_by_a_pause_is_reported_once() -> None:
    framer = Framer()
    framer.feed(b"9" * 5000)
    assert framer.end() == [None]
    assert framer.feed(b"12\r") == [b"12"]


CLEANED = {
    "nothing to clean": (b"6212345", b"6212345"),
    "STX and ETX": (b"\x0212345\x03", b"12345"),
    "AIM identifier of a QR code": (b"]Q112345", b"12345"),
    "both": (b"\x02]Q112345\x03", b"12345"),
    "only at the beginning": (b"12]Q1345", b"12]Q1345"),
    "once": (b"]Q1]Q1", b"]Q1"),
    "a reply before the code": (bytes.fromhex("02013030303006 3B03") + b"12345", b"12345"),
    "a reply alone": (bytes.fromhex("02013030303006 3B03") * 2, b""),
}


@pytest.mark.parametrize(("code", "cleaned"), CLEANED.values(), ids=CLEANED)
def test_the_scanners_own_words_are_taken_away(code: bytes, cleaned: bytes) -> None:
    assert clean(code, NEWLAND.reply) == cleaned


TEXTS = {
    "digits": (b"280012345678901234", "280012345678901234"),
    "UTF-8": ("就诊码·张示例".encode(), "就诊码·张示例"),
    "GB18030": ("就诊码·张示例".encode("gb18030"), "就诊码·张示例"),
    "a rare character in GB18030": ("𠮷".encode("gb18030"), "𠮷"),
    "a link": (b"https://example.invalid/r?id=1", "https://example.invalid/r?id=1"),
    "a name that is valid in both, meant as GB2312": ("尹海".encode("gb2312"), "尹海"),
    "the same after digits": (b"12:" + "尹海".encode("gb2312"), "12:尹海"),
    "an accent": ("RENÉ".encode(), "RENÉ"),
    "Cyrillic": ("вода".encode(), "вода"),
    "right-to-left letters": ("ئۇيغۇر".encode(), "ئۇيغۇر"),
}


@pytest.mark.parametrize(("code", "text"), TEXTS.values(), ids=TEXTS)
def test_a_code_is_read_as_utf8_or_else_gb18030(code: bytes, text: str) -> None:
    assert read_text(code) == Scanned(text)


REFUSED = {
    "a printer command": (b"12\x1b@34", GarbageReason.CONTROL_CHARACTER),
    "a NUL": (b"12\x00", GarbageReason.CONTROL_CHARACTER),
    "a DEL": (b"12\x7f", GarbageReason.CONTROL_CHARACTER),
    "a C1 control": ("12\x9b34".encode(), GarbageReason.CONTROL_CHARACTER),
    "a line separator": ("12\u2028".encode(), GarbageReason.CONTROL_CHARACTER),
    "an override": ("12\u202e34".encode(), GarbageReason.BIDI_CONTROL),
    "an isolate": ("12\u206634".encode(), GarbageReason.BIDI_CONTROL),
    "a mark": ("12\u200f34".encode(), GarbageReason.BIDI_CONTROL),
    "an Arabic letter mark": ("12\u061c34".encode(), GarbageReason.BIDI_CONTROL),
    "a zero-width space": ("12\u200b34".encode(), GarbageReason.INVISIBLE_CHARACTER),
    "a zero-width joiner": ("12\u200d34".encode(), GarbageReason.INVISIBLE_CHARACTER),
    "a byte order mark": ("\ufeff12".encode(), GarbageReason.INVISIBLE_CHARACTER),
    "a soft hyphen": ("张\u00ad34".encode(), GarbageReason.INVISIBLE_CHARACTER),
    "a tag": ("12\U000e004134".encode(), GarbageReason.INVISIBLE_CHARACTER),
    "a variation selector": ("12\ufe0f".encode(), GarbageReason.INVISIBLE_CHARACTER),
    "a Hangul filler": ("12\u3164".encode(), GarbageReason.INVISIBLE_CHARACTER),
    "a private character": ("\ue000".encode(), GarbageReason.NOT_TEXT),
    "an unassigned one": ("张\u0378".encode(), GarbageReason.NOT_TEXT),
    "neither encoding": (b"\xff\xff\xff", GarbageReason.NOT_TEXT),
    "half a character": (b"12\xe5", GarbageReason.NOT_TEXT),
    "a zero-width space in GB18030": (
        "张\u200b".encode("gb18030"),
        GarbageReason.INVISIBLE_CHARACTER,
    ),
}


@pytest.mark.parametrize(("code", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_could_hide_or_act_is_refused_with_its_reason(
    code: bytes, reason: GarbageReason
) -> None:
    assert read_text(code) == Garbage(reason)


@given(st.binary(max_size=300))
def test_whatever_is_shown_gives_printable_text_or_garbage(code: bytes) -> None:
    outcome = read_text(clean(code, NEWLAND.reply))
    if isinstance(outcome, Scanned):
        assert all(sign.isprintable() or sign.isspace() for sign in outcome.text)
        assert "\x1b" not in outcome.text


def test_a_repr_does_not_show_the_code() -> None:
    assert "2800" not in repr(Scanned("280012345678901234"))
