"""The device's side reads any cut of the bytes and refuses what no manual explains."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import ProtocolError
from drivers.escpos.commands import KIOSK_80
from drivers.escpos.decoder import (
    Cut,
    Decoder,
    ExitMoved,
    Fed,
    Item,
    MarkAsked,
    PrintedBar,
    PrintedQr,
    PrintedRaster,
    PrintedRow,
    Span,
)
from drivers.escpos.encoder import encode
from drivers.escpos.glyphs import Bitmap
from drivers.slip import Align
from tests.drivers.escpos.paper import LONG, glyphs

WIRE = encode(LONG, KIOSK_80, glyphs()).data


def read(*pieces: bytes) -> list[Item]:
    decoder = Decoder(576)
    items: list[Item] = []
    for piece in pieces:
        decoder.feed(piece)
        items += iter(decoder.next, None)
    return items


# Typed from PROTOCOLS.md §5 and the manuals that PROTOCOL.md names.
VECTORS: list[tuple[str, list[Item]]] = [
    ("1B 40 41 42 0A", [PrintedRow((Span("AB"),), Align.LEFT, 34)]),
    ("1C 26 C4 FA 1C 2E 41 0A", [PrintedRow((Span("您A"),), Align.LEFT, 34)]),
    ("1C 26 A3 A4 31 0A", [PrintedRow((Span("￥1"),), Align.LEFT, 34)]),
    ("1C 26 95 34 B2 35 0A", [PrintedRow((Span("𠮷"),), Align.LEFT, 34)]),
    ("1D 21 11 41 0A", [PrintedRow((Span("A", 2, 2),), Align.LEFT, 48)]),
    (
        "1C 26 1C 21 0C C4 FA 41 0A",
        [PrintedRow((Span("您", 2, 2), Span("A")), Align.LEFT, 48)],
    ),
    ("1B 45 01 41 1B 45 00 42 0A", [PrintedRow((Span("A", bold=True), Span("B")), Align.LEFT, 34)]),
    ("1B 61 01 41 0A", [PrintedRow((Span("A"),), Align.CENTRE, 34)]),
    ("1B 33 20 0A", [PrintedRow((), Align.LEFT, 32)]),
    ("1B 4A 18", [Fed(24)]),
    ("1D 76 30 00 01 00 02 00 80 01", [PrintedRaster(Bitmap(8, 2, 0x8001), Align.LEFT)]),
    ("1D 56 42 00", [Cut()]),
    ("1D 72 01 1D 72 02", [MarkAsked(1), MarkAsked(2)]),
    ("1D 65 05", [ExitMoved(5)]),
    (
        "1D 28 6B 03 00 31 43 06 1D 28 6B 05 00 31 50 30 41 42 1D 28 6B 03 00 31 51 30",
        [PrintedQr(b"AB", 6, Align.LEFT)],
    ),
    (
        "1D 68 50 1D 77 02 1D 48 02 1D 6B 49 04 7B 42 41 31",
        [PrintedBar("A1", 80, 2, True, Align.LEFT)],
    ),
]


@pytest.mark.parametrize(("wire", "expected"), VECTORS, ids=[wire for wire, _ in VECTORS])
def test_commands_mean_what_the_manual_says(wire: str, expected: list[Item]) -> None:
    assert read(bytes.fromhex(wire)) == expected


@given(st.lists(st.integers(0, len(WIRE)), max_size=30))
@settings(max_examples=40, deadline=None)
def test_any_cut_reads_the_same(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(WIRE)]
    pieces = [WIRE[a:b] for a, b in pairwise(edges)]
    assert read(*pieces) == read(WIRE)


def test_byte_by_byte_reads_the_same() -> None:
    assert read(*(bytes([byte]) for byte in WIRE)) == read(WIRE)


@pytest.mark.parametrize(
    "wire",
    [
        "1B 7A",  # no such command
        "07",  # a bell
        "C4 FA",  # a hanzi outside Chinese mode
        "1C 26 81 20",  # not a character
        "1B 61 03",  # a fourth alignment
        "1D 76 30 00 49 00 01 00" + " FF" * 73,  # 584 dots on 576
        "1D 76 30 00 00 00 01 00",  # a picture of nothing
        "41 1D 56 42 00",  # a cut through a line
        "1D 28 6B 03 00 31 51 30",  # a QR code of nothing
        "1D 28 6B 02 00 31 51",  # a QR command without its function
        "1D 6B 49 03 7B 41 41",  # code set A
        "41 " * 49 + "0A",  # 49 columns
    ],
)
def test_what_no_manual_explains_is_refused_by_name(wire: str) -> None:
    with pytest.raises(ProtocolError):
        read(bytes.fromhex(wire))


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_noise_raises_nothing_but_driver_errors_and_always_ends(noise: bytes) -> None:
    decoder = Decoder(576)
    decoder.feed(noise)
    for _ in range(len(noise) + 1):
        try:
            if decoder.next() is None:
                return
        except ProtocolError:
            continue
    raise AssertionError("the decoder does not use up its bytes")


@given(st.integers(0, len(WIRE) - 1), st.integers(0, 7))
@settings(max_examples=150, deadline=None)
def test_a_flipped_bit_never_hangs_the_decoder(at: int, bit: int) -> None:
    flipped = WIRE[:at] + bytes([WIRE[at] ^ 1 << bit]) + WIRE[at + 1 :]
    decoder = Decoder(576)
    decoder.feed(flipped)
    for _ in range(len(WIRE) + 1):
        try:
            if decoder.next() is None:
                return
        except ProtocolError:
            continue
    raise AssertionError("the decoder does not use up its bytes")
