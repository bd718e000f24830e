"""Codes in frames: each trouble it was built for, names in every encoding, and no false finds."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
import zxingcpp

from drivers.camera.cascade import BUDGET_S, QUICK, TRIES, TRIES_IN, TRY_AT, Cascade, Reading
from drivers.camera.frames import Gray
from drivers.scanner.codec import Scanned, read_text
from tests.bench.code_frames import CLASSES, again, empty, frame

FRAMES = 2


def first_find(kind: str, seed: int) -> tuple[int, bytes] | None:
    """After how many frames of a scene a code was found, and its bytes."""
    picture, _ = frame(kind, seed)
    cascade = Cascade(time.thread_time)
    for count in range(FRAMES):
        if found := cascade.look(again(picture, count) if count else picture):
            return count + 1, found[0].content
    return None


@pytest.mark.parametrize(
    ("kind", "least"),
    [
        ("plain", 4),
        ("low light", 4),
        ("moire", 4),
        ("inverted", 4),
        ("bloom", 4),
        ("glare", 3),
        ("perspective", 3),
        ("small", 3),
        ("blur", 2),
        ("defocus", 1),
    ],
)
def test_codes_are_found_within_two_frames_in_every_kind_of_trouble(kind: str, least: int) -> None:
    finds = [first_find(kind, seed) for seed in range(4)]
    assert sum(find is not None and find[0] <= 2 for find in finds) >= least


def test_names_arrive_whole_in_every_encoding() -> None:
    encodings = set()
    for seed in range(24):
        picture, said = frame("plain", seed)
        (reading,) = Cascade(time.monotonic).look(picture)
        assert read_text(reading.content) == Scanned(said.text)
        encodings.add((said.encoding, said.eci))
    assert {("gb18030", False), ("utf-8", False), ("utf-8", True)} <= encodings


def test_nothing_is_found_where_there_is_nothing() -> None:
    cascade = Cascade(time.monotonic)
    for seed in range(15):
        assert cascade.look(empty(seed)) == []


class Tally:
    """Counts what is tried; each look takes `cost_s` on a clock of its own."""

    def __init__(self, cost_s: float) -> None:
        self.now_s = 0.0
        self.cost_s = cost_s
        self.calls: list[float] = []

    def clock(self) -> float:
        self.now_s += self.cost_s
        return self.now_s


def test_an_empty_scene_gets_costly_tries_in_three_of_seven_frames_and_within_the_budget() -> None:
    tally = Tally(cost_s=0.004)
    cascade = Cascade(tally.clock)
    picture = empty(3)
    took = []
    for _ in range(TRIES_IN * 2):
        began_s = tally.now_s
        cascade.look(picture)
        took.append(tally.now_s - began_s)
    costly = [index % TRIES_IN for index, took_s in enumerate(took) if took_s > 0.008]
    assert set(costly) == set(TRY_AT)
    assert max(took) <= BUDGET_S + 4 * tally.cost_s


def test_every_try_gets_its_turn_however_slow_the_machine() -> None:
    tally = Tally(cost_s=0.5)  # one try is all that fits into a frame
    cascade = Cascade(tally.clock)
    picture = empty(4)[:180, :320]
    seen = [cascade._next_try for _ in range(TRIES_IN * len(TRIES)) if not cascade.look(picture)]
    assert {next_try for next_try, _ in itertools.groupby(seen)} == set(range(len(TRIES)))


@pytest.mark.parametrize("look", [*QUICK, *TRIES], ids=lambda look: str(look.__name__))
def test_every_look_reads_a_plain_code_by_itself(look: object) -> None:
    assert callable(look)
    picture, said = next(
        (picture, said)
        for picture, said in (frame("plain", seed) for seed in range(20))
        if said.text.isascii()
    )
    found: list[Reading] = look(picture)
    assert [reading.content for reading in found] == [said.text.encode()]
    assert found[0].area > 1000


def test_a_micro_qr_without_error_correction_is_no_code() -> None:
    made = zxingcpp.create_barcode("313645", zxingcpp.BarcodeFormat.MicroQRCode)
    symbol = np.asarray(zxingcpp.write_barcode_to_image(made, scale=8), np.uint8)
    picture = np.full((720, 1280), 230, np.uint8)
    picture[200 : 200 + symbol.shape[0], 400 : 400 + symbol.shape[1]] = symbol
    assert zxingcpp.read_barcodes(picture), "the symbol itself is good"
    assert [look for look in (*QUICK, *TRIES) if look(picture)] == []


def test_moire_does_not_turn_a_code_into_another() -> None:
    picture, said = frame("moire", 5013)
    for count in range(4):
        for look in (*QUICK, *TRIES):
            for reading in look(again(picture, count) if count else picture):
                assert reading.content == said.text.encode()


def test_a_repr_hides_the_code() -> None:
    assert "2800" not in repr(Reading(b"2800123", 1.0))


def test_all_kinds_of_trouble_make_frames_of_one_size() -> None:
    shapes: set[Gray] = {frame(kind, 0)[0].shape for kind in CLASSES}  # type: ignore[misc]
    assert shapes == {(720, 1280)}
