"""Colours that can be read, text and targets that are large enough, faces that are Chinese."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fontTools.pens.recordingPen import RecordingPen
from fontTools.ttLib import TTCollection, TTFont

import ui
from ui import assets
from ui.theme import (
    FACTORS,
    LENGTHS,
    PALETTES,
    TEXT_SIZES,
    TIGHTER,
    ThemeName,
    canvas_scale,
    closer,
    contrast_ratio,
)
from ui.words import STRINGS, read_sentences

PITCH_MM = {"21.5": 0.2479, "27": 0.311, "32": 0.369}
CAPITAL_EM = 0.733  # height of a capital in Noto Sans SC
NOTO_CJK = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")

TEXT_PAIRS = [
    ("ink", "bg"),
    ("ink", "surface"),
    ("ink2", "bg"),
    ("ink2", "surface"),
    ("primary", "bg"),
    ("primary_ink", "primary"),
    ("tint_ink", "tint"),
    ("green", "bg"),
    ("green_ink", "green"),
    ("green_tint_ink", "green_tint"),
    ("warn", "warn_tint"),
    ("error", "error_tint"),
    ("error", "bg"),
    ("warn", "bg"),
]
EDGE_PAIRS = [("line", "bg"), ("line", "surface"), ("primary", "surface"), ("error", "surface")]


@pytest.mark.parametrize("theme", PALETTES)
@pytest.mark.parametrize(("ink", "ground"), TEXT_PAIRS)
def test_text_can_be_read(theme: ThemeName, ink: str, ground: str) -> None:
    """SCREENS U3: 7:1, in the contrast theme 10:1."""
    palette = vars(PALETTES[theme])
    floor = 10.0 if theme == "contrast" else 7.0
    assert contrast_ratio(palette[ink], palette[ground]) >= floor


@pytest.mark.parametrize("theme", PALETTES)
@pytest.mark.parametrize(("edge", "ground"), EDGE_PAIRS)
def test_edges_can_be_seen(theme: ThemeName, edge: str, ground: str) -> None:
    palette = vars(PALETTES[theme])
    assert contrast_ratio(palette[edge], palette[ground]) >= 3.0


def test_the_contrast_of_black_on_white_is_21() -> None:
    assert contrast_ratio("#000000", "#FFFFFF") == pytest.approx(21.0)


def test_no_text_is_smaller_than_40_pixels_and_reading_text_grows_by_the_whole_factor() -> None:
    for size, sizes in TEXT_SIZES.items():
        assert min(sizes.values()) == sizes["body"] == 40 * FACTORS[size]


@pytest.mark.parametrize("pitch_mm", PITCH_MM.values())
def test_the_smallest_capital_is_seven_millimetres_on_every_panel(pitch_mm: float) -> None:
    """0.70° at 595 mm are 7.27 mm; SCREENS U1."""
    unit = canvas_scale(1080, pitch_mm)
    assert 40 * unit * CAPITAL_EM * pitch_mm >= 7.26


@pytest.mark.parametrize("pitch_mm", PITCH_MM.values())
@pytest.mark.parametrize("size", TIGHTER)
def test_targets_and_gaps_are_wide_enough_in_millimetres(pitch_mm: float, size: str) -> None:
    """SCREENS U2: 20 mm, primary 40 mm, keypad 22 mm, gaps 3 mm."""
    lengths = LENGTHS | TIGHTER[size]  # type: ignore[index]
    mm = {name: value * canvas_scale(1080, pitch_mm) * pitch_mm for name, value in lengths.items()}
    assert min(mm["touch_min"], mm["row"], mm["tile"], mm["language_key"]) >= 20
    assert mm["primary_key"] >= 40
    assert mm["keypad_key"] >= 22
    assert min(mm["gap"], mm["gutter"]) >= 3


def test_the_face_is_the_simplified_chinese_one() -> None:
    """Of the collection Kivy would open face 0, the Japanese one: 骨 直 令 differ there."""
    faces = {font["name"].getDebugName(1): font for font in TTCollection(str(NOTO_CJK)).fonts}
    ours = TTFont(assets.font("NotoSansSC-Regular"))
    for char in "骨直令返画":
        assert _outline(ours, char) == _outline(faces["Noto Sans CJK SC"], char)
    assert _outline(ours, "骨") != _outline(faces["Noto Sans CJK JP"], "骨")


def _outline(font: TTFont, char: str) -> object:
    glyphs = font.getGlyphSet()
    pen = RecordingPen()
    glyphs[font.getBestCmap()[ord(char)]].draw(pen)
    return pen.value


@pytest.mark.parametrize("face", ["NotoSansSC-Regular", "NotoSansSC-Bold"])
def test_every_character_of_every_sentence_has_a_glyph(face: assets.Face) -> None:
    known = TTFont(assets.font(face)).getBestCmap()
    said = "".join(
        str(sentence)
        for language in ("zh", "en")
        for sentence in read_sentences(STRINGS / f"{language}.po").values()
    )
    missing = {char for char in said + "•¥−–×·" if char != "\n" and ord(char) not in known}
    assert missing == set()


def test_layout_files_hold_no_number_colour_or_sentence_of_their_own() -> None:
    """Lengths, colours and words stand in theme and catalogue; 0, 1, halves and shares may."""
    offences = []
    for path in Path(ui.__file__).parent.rglob("*.kv"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            code = re.sub(r"'[^']*'|\[\d\]", "''", line.partition("# ")[0])
            numbers = set(re.findall(r"(?<![\w.])\d*\.?\d+(?![\w.])", code)) - {"0", "1"}
            shares = {one for one in numbers if one.startswith(".")}
            counts = {"2", "3", "4"} & numbers if re.search(r"cols:|beat|block_x", code) else set()
            if numbers - shares - counts or "#" in code.replace("#:", ""):
                offences.append(f"{path.name}:{number} {line.strip()}")
    assert offences == []


def test_helping_words_go_before_words_get_smaller() -> None:
    """U1: as large as can be, whatever a person asked for."""
    tried = [("extra", True)]
    while (next_one := closer(*tried[-1])) is not None:  # type: ignore[arg-type]
        tried.append(next_one)
    assert [size for size, _ in tried] == ["extra", "extra", "large", "large", "normal", "normal"]
    assert [hints for _, hints in tried] == [True, False] * 3
