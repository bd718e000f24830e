"""Every Unicode character through every way to a printer: none acts, none is lost unseen.

    python -m tests.drills.unicode [--every N] --json

A character may end as text, as dots, as its number in a box, or reported as taken out. Whatever
else it does to the bytes counts as a control byte; whatever leaves neither ink nor a report counts
as lost. `--every N` takes each N-th character and all that are known to be dangerous.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import islice

from drivers.errors import ProtocolError
from drivers.escpos.commands import GENERIC_80
from drivers.escpos.decoder import Cut, Decoder, Item, MarkAsked, PrintedRaster, PrintedRow
from drivers.escpos.encoder import Job, encode
from drivers.escpos.glyphs import Glyphs, installed_faces
from drivers.ipp.codec import GroupTag, decode
from drivers.ipp.driver import A4Printer
from drivers.ipp.emulator import IppPrinterEmulator
from drivers.slip import Line, Pair, Size, Slip, Text
from tests.bench.report import Promise, report
from tests.drivers.cable import Cable

LINES_A_SLIP = 200
REAL_TIME = re.compile(rb"\x10[\x04\x05\x14]")
BECOMES = {0xA5: 0xFFE5, 0x2212: 0x2D, 0x2010: 0x2D, 0x2011: 0x2D}
"""Looks the same on paper; written down here a second time on purpose."""

ACTS = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs", "Mn", "Me", "Co"})
TITLES_A_PAGE = 50

Encode = Callable[[Slip], Job]


@dataclass
class Tally:
    """What became of the characters, summed over all ways."""

    characters: int = 0
    as_text: int = 0
    as_dots: int = 0
    reported: int = 0
    control_bytes: int = 0
    lost_silently: int = 0

    def add(self, other: Tally) -> None:
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))


def scalars(every: int) -> Iterator[str]:
    """All characters but surrogates; with `every`, a part of them and all that act."""
    for point in range(sys.maxunicode + 1):
        character = chr(point)
        if 0xD800 <= point < 0xE000:
            continue
        rare = point % every == 0 or point < 0x3000
        if rare or (unicodedata.category(character) in ACTS and point < 0xE000):
            yield character


def batches(characters: Iterable[str], size: int) -> Iterator[list[str]]:
    source = iter(characters)
    while batch := list(islice(source, size)):
        yield batch


# -- the ways: one line a character, so that line and character belong together

WAYS: dict[str, Callable[[str], Line]] = {
    "text": lambda character: Text(character),
    "double": lambda character: Text(character, Size.DOUBLE, bold=True),
    "name": lambda character: Pair("姓名", f"王{character}兰"),
}


def through(way: str, characters: list[str], encode_slip: Encode) -> Tally:
    """One slip: a line for each character."""
    line_of = WAYS[way]
    job = encode_slip(Slip(tuple(line_of(character) for character in characters)))
    reported = {(one.line, point) for one in job.stripped for point in one.code_points}
    tally = Tally(characters=len(characters))
    try:
        lines = printed_lines(job)
    except ProtocolError:
        lines = []
    if len(lines) != len(characters) or REAL_TIME.search(job.data):
        tally.control_bytes = len(characters) if len(characters) == 1 else 0
        if len(characters) > 1:  # one by one, to know which
            tally = Tally()
            for character in characters:
                tally.add(through(way, [character], encode_slip))
        return tally
    for number, (character, line) in enumerate(zip(characters, lines, strict=True)):
        judge(character, line, (number, ord(character)) in reported, tally)
    return tally


def printed_lines(job: Job) -> list[Item]:
    """The slip's lines, provided that it does nothing but print, mark and end with one cut."""
    decoder = Decoder(GENERIC_80.dots)
    decoder.feed(job.data)
    items = list(iter(decoder.next, None))
    lines = [item for item in items if isinstance(item, PrintedRow | PrintedRaster)]
    acts = [item for item in items if not isinstance(item, PrintedRow | PrintedRaster)]
    if acts[-2:] != [Cut(), MarkAsked(1)] or acts[:-2] != [MarkAsked(1)] * (len(job.parts) - 1):
        raise ProtocolError("a slip that does more than print")
    return lines


def judge(character: str, line: Item, reported: bool, tally: Tally) -> None:
    if reported:
        tally.reported += 1
    elif isinstance(line, PrintedRaster):
        tally.as_dots += bool(line.bitmap.bits)
        tally.lost_silently += not line.bitmap.bits
    elif isinstance(line, PrintedRow):
        words = "".join(span.text for span in line.spans)
        expected = chr(BECOMES.get(ord(character), ord(character)))
        blank = unicodedata.category(character) == "Zs"
        spelled = f"〔{ord(character):04X}〕"
        there = expected in words or spelled in words or blank
        tally.as_text += there
        tally.lost_silently += not there


# -- the A4 printer's way: a job's title


def through_titles(characters: list[str]) -> Tally:
    """Each character in the middle of a report's title, as the printer's display would show it."""
    emulator = IppPrinterEmulator()
    cable = Cable(emulator)

    def connect(_deadline: object) -> Cable:
        emulator.connected()
        return cable

    printer = A4Printer("ipp://printer.local/ipp/print", cable.clock, connect)
    tally = Tally(characters=len(characters))
    for character in characters:
        cable.sent.clear()
        printer.print_pdf(b"%PDF-", f"a{character}b")
        request = decode(bytes(cable.sent).split(b"\r\n\r\n", 1)[1])
        (title,) = request.group(GroupTag.OPERATION).words("job-name")
        acts = any(unicodedata.category(one) in ("Cc", "Cf") for one in title)
        tally.control_bytes += acts
        kept = title == f"a{character}b"
        tally.as_text += kept
        # A title is a reference, made by the terminal: what acts is left out without a word.
        invisible = unicodedata.category(character)[0] == "C"
        tally.reported += invisible and not kept
        tally.lost_silently += not kept and not invisible
    return tally


def run(characters: Callable[[], Iterable[str]], glyphs: Glyphs) -> Tally:
    """All characters through all ways; each way asks for them anew."""

    def with_dots(slip: Slip) -> Job:
        return encode(slip, GENERIC_80, glyphs)

    def spelled(slip: Slip) -> Job:
        return encode(slip, GENERIC_80, None)

    total = on_slips(characters(), WAYS, with_dots)
    total.add(on_slips(characters(), {"text": WAYS["text"]}, spelled))
    for batch in batches(characters(), TITLES_A_PAGE):
        total.add(through_titles(batch))
    return total


def on_slips(characters: Iterable[str], ways: Iterable[str], encode_slip: Encode) -> Tally:
    """The receipt printer's ways; a test hands in an encoder that is broken."""
    total = Tally()
    for batch in batches(characters, LINES_A_SLIP):
        for way in ways:
            total.add(through(way, batch, encode_slip))
    return total


PROMISES = (Promise("control_bytes", "==", 0), Promise("lost_silently", "==", 0))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0, help="nothing here is random")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    began_s = time.monotonic()
    tally = run(lambda: scalars(options.every), Glyphs(installed_faces()))
    results = {field.name: getattr(tally, field.name) for field in fields(tally)}
    results["seconds"] = round(time.monotonic() - began_s, 1)
    return report(results, PROMISES, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
