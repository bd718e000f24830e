"""Slips as bytes, held against bytes typed from the manuals that PROTOCOL.md names."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.escpos.commands import GENERIC_80, KIOSK_80, Model
from drivers.escpos.decoder import Decoder, Item, PrintedRaster, PrintedRow
from drivers.escpos.encoder import encode, raster
from drivers.escpos.glyphs import Bitmap
from drivers.slip import Code128, Pair, Qr, Size, Slip, Space, Text, enlarged
from tests.drivers.escpos.paper import LONG, glyphs

HEAD = "1B 40 1D 61 00"
TAIL = "1C 2E 1D 56 42 00 1D 72 01"


def sent(*lines: Text | Pair | Qr | Space | Code128, model: Model = GENERIC_80) -> bytes:
    return encode(Slip(lines), model, glyphs()).data


def decoded(data: bytes) -> list[Item]:
    decoder = Decoder(576)
    decoder.feed(data)
    return list(iter(decoder.next, None))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        # GB18030 of 您好, then of ￥1 (A3 A4 31): python-escpos PR 356, WHATWG index gb18030.
        (Text("您好"), "1C 26 1B 33 20 C4 FA BA C3 0A"),
        (Text("¥1"), "1C 26 1B 33 20 A3 A4 31 0A"),
        # FS ! 0C and GS ! 11: twice as wide and as high (Epson TM-T88 series).
        (Text("A", Size.DOUBLE), "1C 26 1B 33 3E 1C 21 0C 1D 21 11 41 0A"),
        (Text("A", bold=True), "1C 26 1B 33 20 1B 45 01 41 0A"),
        (Space(24), "1B 4A 18"),
    ],
)
def test_lines_are_sent_as_the_manual_says(line: Text | Space, expected: str) -> None:
    tail = TAIL if isinstance(line, Text) else TAIL.removeprefix("1C 2E ")
    assert sent(line).hex(" ").upper() == f"{HEAD} {expected} {tail}"


def test_a_qr_code_is_drawn_by_the_printer_itself() -> None:
    """GS ( k functions 165, 167, 169, 180, 181: Bixolon SRP-F310, HPRT TP809, Epson TM-L90."""
    expected = (
        "1B 61 01 1D 28 6B 04 00 31 41 32 00 1D 28 6B 03 00 31 43 08 1D 28 6B 03 00 31 45 31 "
        "1D 28 6B 07 00 31 50 30 38 4B 34 32 1D 28 6B 03 00 31 51 30"
    )
    assert expected in sent(Qr("8K42")).hex(" ").upper()


def test_a_code_128_is_drawn_by_the_printer_itself() -> None:
    """GS h, GS w, GS H, GS k 73 with code set B."""
    expected = "1D 68 50 1D 77 02 1D 48 02 1D 6B 49 06 7B 42 38 4B 34 32"
    assert expected in sent(Code128("8K42")).hex(" ").upper()


def test_the_last_bytes_are_cut_and_mark() -> None:
    assert encode(LONG, KIOSK_80, glyphs()).data.endswith(bytes.fromhex("1D564200 1D7201"))


def test_only_the_line_that_needs_it_is_sent_as_dots() -> None:
    items = decoded(sent(Text("姓名"), Text("𠮷野"), Text("科室")))
    kinds = [type(item) for item in items if isinstance(item, PrintedRow | PrintedRaster)]
    assert kinds == [PrintedRow, PrintedRaster, PrintedRow]


def test_text_costs_a_fraction_of_dots() -> None:
    assert len(encode(LONG, KIOSK_80, glyphs()).data) < 2500


@pytest.mark.parametrize("name", ["𠮷", "㐂", "ئۇيغۇر", "བོད་ཡིག", "ᠮᠣᠩᠭᠣᠯ", "ñ", "\U000f0000"])
def test_what_the_printer_lacks_leaves_ink_on_the_paper(name: str) -> None:
    (picture,) = (item for item in decoded(sent(Text(name))) if isinstance(item, PrintedRaster))
    assert picture.bitmap.bits.bit_count() > 20


def test_a_character_of_no_font_stands_as_its_number_and_is_reported() -> None:
    job = encode(Slip((Text("王\U000f0000"),)), GENERIC_80, glyphs())
    assert job.boxed == (0xF0000,)


def test_without_fonts_a_rare_character_is_spelled() -> None:
    job = encode(Slip((Text("𠮷野"),)), GENERIC_80, None)
    assert "〔20BB7〕野".encode("gb18030") in job.data
    assert job.boxed == (0x20BB7,)


def test_a_printer_without_qr_gets_the_code_as_dots() -> None:
    items = decoded(sent(Qr("8K42"), model=Model("plain", native_qr=False)))
    assert any(isinstance(item, PrintedRaster) for item in items)


@given(st.text(max_size=40), st.sampled_from(Size))
@settings(max_examples=150, deadline=None)
def test_no_name_ever_becomes_a_command(name: str, size: Size) -> None:
    """Row: a name with control characters never reaches the printer as a command."""
    slip = Slip((Text("姓名"), Text(name, size), Pair(name, "¥1.00")))
    harmless = encode(Slip((Text("姓名"),)), GENERIC_80, glyphs())
    job = encode(slip, GENERIC_80, glyphs())
    acts = [item for item in decoded(job.data) if not isinstance(item, PrintedRow | PrintedRaster)]
    assert acts[-2:] == [
        item for item in decoded(harmless.data) if not isinstance(item, PrintedRow)
    ]
    assert len(acts) == 2  # one cut, one mark


@given(st.integers(1, 9), st.integers(1, 40), st.randoms(use_true_random=False))
def test_dots_never_look_like_a_real_time_command(width: int, height: int, chance) -> None:  # type: ignore[no-untyped-def]
    data = bytes(chance.choice((0x10, 0x04, 0x05, 0x14, 0x00)) for _ in range(width * height))
    sent_dots = raster(Bitmap(width * 8, height, int.from_bytes(data, "big")))
    assert not re.search(rb"\x10[\x04\x05\x14]", sent_dots)


def test_a_tall_picture_is_sent_in_bands() -> None:
    bits = (1 << 8 * 600) - 1
    items = decoded(raster(Bitmap(8, 600, bits)))
    heights = [item.bitmap.height for item in items if isinstance(item, PrintedRaster)]
    assert heights == [255, 255, 90]


def test_elder_slips_fit_the_paper_too() -> None:
    assert decoded(encode(enlarged(LONG), KIOSK_80, glyphs()).data)
