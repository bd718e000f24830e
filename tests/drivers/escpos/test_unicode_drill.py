"""The drill of all characters, small; and that it would notice a broken encoder."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drivers.escpos.commands import GENERIC_80
from drivers.escpos.encoder import Job, Part, encode
from drivers.slip import Pair, Slip, Text, in_printer_font
from tests.drills.unicode import Encode, on_slips, run
from tests.drivers.escpos.paper import glyphs

# Controls, what turns or hides, money, rare hanzi, five scripts, and what is no character.
DANGEROUS = [
    *map(chr, range(0x00, 0x100)),
    *map(chr, range(0x2000, 0x2070)),
    *"\u061c\u180e\ufeff\ufffc\ufe0f\u115f\u3164\u3000￥€−·…㐂𠮷𡈽䶮ئۇيغۇرབོད་ཡིགᠮᠣᠩᠭᠣᠯꆈꌠ",
    *"\ue000\U000f0000\U0010fffd\ufdd0\uffff\u0378\u0301\u20dd\U000e0041\U0001f600",
]


def test_no_dangerous_character_acts_or_is_lost() -> None:
    tally = run(lambda: DANGEROUS, glyphs())
    assert (tally.control_bytes, tally.lost_silently) == (0, 0)
    assert tally.as_text and tally.as_dots and tally.reported


def lets_act(slip: Slip) -> Job:
    """An encoder through which one control of a name reaches the printer."""
    job = encode(slip, GENERIC_80, glyphs())
    said = repr(slip)
    if r"\x0c" not in said:
        return job
    first = job.parts[0]
    return replace(
        job, parts=(Part(first.data[:-3] + b"\x1d\x56\x42\x00" + first.data[-3:], 1, 1),)
    )


def loses(slip: Slip) -> Job:
    """An encoder that leaves out what the printer's font lacks."""

    def known(text: str) -> str:
        return "".join(filter(in_printer_font, text))

    lines = tuple(
        Text(known(line.text)) if isinstance(line, Text) else Pair("姓名", known(line.right))
        for line in slip.lines
        if isinstance(line, Text | Pair)
    )
    return encode(Slip(lines), GENERIC_80, glyphs())


@pytest.mark.parametrize(
    ("broken", "finding"), [(lets_act, "control_bytes"), (loses, "lost_silently")]
)
def test_a_broken_encoder_is_caught(broken: Encode, finding: str) -> None:
    assert getattr(on_slips(DANGEROUS, ("text",), broken), finding) > 0
