"""Every page, in each language and size: nothing cut, nothing on top of another, all in reach."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import combinations
from typing import Any, get_args

import pytest

from kiosk.views import ChoosePerson, Identify, Language, Named, PayLine, View, page_names
from tests.ui.conftest import Screen
from ui.samples import GREEN, HOME, PAY, framed_samples, samples, view_of
from ui.theme import LENGTHS, TEXT_SIZES, SizeName

LANGUAGES: tuple[Language, ...] = get_args(Language)
SIZES: tuple[SizeName, ...] = get_args(SizeName)
SMALLEST_PITCH_MM = 0.2479

REACH_FREE = {"green": "the volunteer stands"}
"""Pages whose highest target may lie above the reach line, and why."""


def _all(language: Language, size: SizeName) -> dict[str, View]:
    pages = {name: view_of(page, language, size) for name, page in samples().items()}
    return pages | framed_samples(language, size)


def _rects_meet(one: Any, other: Any) -> bool:
    across = min(one.right, other.right) - max(one.x, other.x)
    upright = min(one.top, other.top) - max(one.y, other.y)
    return across > 1 and upright > 1


def _broken_words(label: Any) -> list[str]:
    """Latin words wider than their label: Kivy breaks them anywhere."""
    return [
        word
        for word in label.text.split()
        if word.isascii() and label._label.get_extents(word)[0] > label.width + 1
    ]


@dataclass
class Measured:
    """What is wrong on the pages of one language and size."""

    text: list[str] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    reach: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def measured(_kivy: Screen) -> Callable[[Language, SizeName], Measured]:
    """Drawing all pages takes seconds: done once a language and size, judged by several tests."""

    @cache
    def measure(language: Language, size: SizeName) -> Measured:
        found = Measured()
        for name, view in _all(language, size).items():
            _kivy.show(view)
            found.text += [f"{name}: {one}" for one in _text_offences(_kivy.shell.stage)]
            found.targets += [f"{name}: {one}" for one in _target_offences(_kivy.shell.stage)]
            if name.partition(".")[0] not in REACH_FREE:
                found.reach += [f"{name}: {one}" for one in _out_of_reach(_kivy.shell.stage)]
        return found

    return measure


def _text_offences(stage: Any) -> list[str]:
    from ui import walk

    offences = []
    labels = walk.labels(stage)
    for label in labels:
        if label.font_size < TEXT_SIZES["normal"]["body"]:
            offences.append(f"{label.text!r} is small")
        if label.texture_size[0] > label.width + 1 or label.texture_size[1] > label.height + 1:
            offences.append(f"{label.text!r} is clipped")
        if label.x < -1 or label.right > 1081 or label.y < -1 or label.top > 1921:
            offences.append(f"{label.text!r} is outside")
        offences += [f"{word!r} is broken" for word in _broken_words(label)]
    for one, other in combinations(labels, 2):
        if _rects_meet(one, other):
            offences.append(f"{one.text!r} lies on {other.text!r}")
    return offences


def _target_offences(stage: Any) -> list[str]:
    offences = []
    targets = stage.targets()
    for target in targets:
        side_mm = min(target.width, target.height) * SMALLEST_PITCH_MM
        if side_mm < 20 - 0.1:
            offences.append(f"{target.target} is {side_mm:.1f} mm")
    for one, other in combinations(targets, 2):
        gap = max(
            max(one.x, other.x) - min(one.right, other.right),
            max(one.y, other.y) - min(one.top, other.top),
        )
        if gap * SMALLEST_PITCH_MM < 3:
            offences.append(f"{one.target} and {other.target} are {gap:.0f} px apart")
    return offences


def _out_of_reach(stage: Any) -> list[str]:
    return [
        f"{target.target} ends at {target.top:.0f}"
        for target in stage.targets()
        if target.top > LENGTHS["reach"] and not target.target.startswith("language:")
    ]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_text_is_large_whole_and_nowhere_on_top_of_another(
    measured: Callable[[Language, SizeName], Measured], language: Language, size: SizeName
) -> None:
    """SCREENS V1 and V2."""
    assert measured(language, size).text == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_targets_are_20_mm_with_3_mm_between_them(
    measured: Callable[[Language, SizeName], Measured], language: Language, size: SizeName
) -> None:
    """SCREENS V3 on the smallest panel."""
    assert measured(language, size).targets == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_patients_touch_is_within_reach(
    measured: Callable[[Language, SizeName], Measured], language: Language
) -> None:
    """SCREENS U8: 27 inches, lower edge at 800 mm. The top bar's language key has a twin
    below on the first page."""
    assert measured(language, "normal").reach == []


def test_low_brings_the_next_thing_down_and_keeps_it_large_enough(screen: Screen) -> None:
    """SCREENS U8: 低位. Text stays as large, keys stay 20 mm."""
    view = view_of(HOME)
    screen.show(view)
    usual = max(t.top for t in screen.shell.stage.targets() if t.target == "next")
    screen.show(replace(view, serial=2, frame=replace(view.frame, low=True)))
    stage = screen.shell.stage
    lower = max(t.top for t in stage.targets() if t.target == "next")
    assert lower <= usual - 100
    assert _text_offences(stage) == [] and _target_offences(stage) == []


TARGETS = {
    "attract": "no_credential family emergency green language:zh language:en",
    "identify": "type_number volunteer",
    "type_in.id_number": " ".join(f"key:{key}" for key in "0123456789X") + " erase ok",
    "type_in.paper": "key:0 erase ok skip",
    "home": "next task:pay task:print_reports tile:register tile:inquire tile:family tile:more",
    "choose_department": "last department:im department:ey following",
    "choose_slot": "slot:1 slot:6 following day:2026-11-22 day:2026-11-25",
    "confirm_registration": "confirm insured:yes insured:no",
    "pay": "card",
    "pay.more": "card lines_previous lines_following",
    "payment_result.settled": "home end",
    "payment_result.not_charged": "again home end",
    "payment_result.reversed": "again home end",
    "payment_result.checking": "home end",
    "payment_result.refund_due": "home end",
    "finished.checked_in": "home end",
    "problem": "again window",
    "choose_person": "person:1 person:6 add following",
    "choose_relation": "relation:child relation:parent relation:spouse relation:grandchild "
    "relation:neighbour relation:other",
    "inquiry": "choose:account choose:trail choose:reports",
    "inquiry.closed": "curtain",
    "inquiry.open": "bill:b1 bill:b4 following",
    "green": "question:fever question:area question:contact none paper relative dependants "
    "by_hand arrive waiting:b waiting:c waiting:d hold nurse lock",
    "green.yes": "yes_next look_up",
    "green_paper": "kind:negative_test kind:other valid:today valid:unlimited next",
    "green_dependants": "person:1 person:6 by_number next",
    "green_result": "following",
    "calling_help": "emergency return",
}
"""Typed from the docstrings of kiosk/views.py."""


@pytest.mark.parametrize("name", TARGETS)
def test_a_page_offers_the_targets_its_docstring_names(screen: Screen, name: str) -> None:
    screen.show(view_of(samples()[name]))
    here = {target.target for target in screen.shell.stage.targets()}
    assert set(TARGETS[name].split()) - here == set()


@pytest.mark.parametrize("name", ["pad_busy", "paying", "printing_reports", "out_of_service"])
def test_a_page_without_targets_has_only_its_bars(screen: Screen, name: str) -> None:
    view = view_of(samples()[name])
    screen.show(view)
    here = {target.target for target in screen.shell.stage.targets()}
    assert here == {*view.frame.bar, "language:en"}


def test_only_what_was_not_charged_can_be_paid_again(screen: Screen) -> None:
    for result in ("settled", "checking", "refund_due"):
        screen.show(view_of(samples()[f"payment_result.{result}"]))
        assert "again" not in {target.target for target in screen.shell.stage.targets()}


def test_every_page_has_a_sample() -> None:
    assert {name.partition(".")[0] for name in samples()} == set(page_names())


def test_every_page_can_change_its_language_and_keeps_its_data(screen: Screen) -> None:
    """SCREENS U16."""
    for name in ("home", "pay", "green", "type_in.pin", "choose_slot", "inquiry.open"):
        page = samples()[name]
        screen.show(view_of(page))
        before = {t.target for t in screen.shell.stage.targets()} - {"language:en"}
        assert "language:en" in {t.target for t in screen.shell.stage.targets()}
        screen.show(view_of(page, "en", serial=2))
        after = {t.target for t in screen.shell.stage.targets()} - {"language:zh"}
        assert before - {"language:zh"} == after - {"language:en"}


def test_words_in_layout_files_change_with_the_language(screen: Screen) -> None:
    from ui import walk

    page = samples()["choose_department"]
    screen.show(view_of(page, "zh"))
    assert any("看哪个科" in label.text for label in walk.labels(screen.shell.stage))
    screen.show(view_of(page, "en", serial=2))
    said = [label.text for label in walk.labels(screen.shell.stage)]
    assert "Which department?" in said and not any("看哪个科" in text for text in said)


@pytest.mark.parametrize("theme", ["contrast", "dusk"])
def test_another_theme_keeps_every_page_whole(screen: Screen, theme: Any) -> None:
    from ui import walk

    for name in ("home", "pay", "green", "type_in.pin", "payment_result.checking"):
        screen.show(view_of(samples()[name], theme=theme))
        for label in walk.labels(screen.shell.stage):
            ground = _ground(label, screen.shell.look)
            assert list(label.color) != ground, f"{name}: {label.text!r} is invisible"


def _ground(label: Any, look: Any) -> list[float]:
    """The colour a label stands on: that of the nearest card, strip or bar around it."""
    from ui.widgets.bars import BottomBar, TopBar

    around = label.parent
    while around is not None and around.parent is not around:
        match around:
            case TopBar():
                return list(look.primary)
            case BottomBar():
                return list(look.surface)
        if hasattr(around, "fill"):
            return list(around.fill)
        around = around.parent
    return list(look.bg)


def test_a_page_is_there_within_300_ms(screen: Screen) -> None:
    """SCREENS U6; measured over all pages, p95."""
    screen.show(view_of(HOME))
    took_s = []
    gc.collect()
    gc.freeze()  # what thousands of other tests have left is not this screen's to look through
    for page in samples().values():
        began_s = time.process_time()
        screen.show(view_of(page))
        took_s.append(time.process_time() - began_s)
    gc.unfreeze()
    assert sorted(took_s)[int(len(took_s) * 0.95)] < 0.3


def test_a_page_that_was_left_is_out_of_memory(screen: Screen) -> None:
    """Row 114, SCREENS T2: no name stays in the widget tree."""
    import gc

    from kivy.uix.label import Label

    marked = replace(HOME, name="标*记")
    screen.show(view_of(marked))
    screen.show(view_of(samples()["attract"], serial=2))
    gc.collect()
    texts = [one.text for one in gc.get_objects() if issubclass(type(one), Label)]
    assert not [text for text in texts if "标*记" in text]


def _said(screen: Screen) -> list[str]:
    from ui import walk

    return [label.text for label in walk.labels(screen.shell.stage)]


def test_three_insurers_are_three_lines_and_the_sum_is_shown(screen: Screen) -> None:
    """Row 62."""
    screen.show(view_of(PAY))
    said = _said(screen)
    for line in ("合计", "基本医保付", "大病保险付", "医疗救助付", "您自己付"):
        assert said.count(line) == 1
    assert {"¥136.00", "−¥75.80", "−¥16.00", "−¥3.00", "¥41.20"} <= set(said)
    paid = PAY.basic_fen + PAY.serious_fen + PAY.aid_fen + PAY.own_fen
    assert PAY.total_fen == paid


def test_an_english_bill_has_english_items_where_the_hospital_has_them(screen: Screen) -> None:
    nameless = PayLine(Named("一次性采血针"), 1, 150)
    page = replace(PAY, lines=(PAY.lines[0], PAY.lines[1], nameless))
    screen.show(view_of(page, "en"))
    said = _said(screen)
    assert {"Blood count", "Aspirin tablets × 2", "一次性采血针"} <= set(said)


def test_the_next_thing_is_first_and_largest(screen: Screen) -> None:
    """Row 109."""
    screen.show(view_of(HOME))
    targets = [t for t in screen.shell.stage.targets() if t.target.partition(":")[0] != "language"]
    assert max(targets, key=lambda target: target.top).target == "next"
    assert max(targets, key=lambda target: target.width * target.height).target == "next"


def test_bills_stay_behind_the_curtain_until_it_is_opened(screen: Screen) -> None:
    """Row 114."""
    screen.show(view_of(samples()["inquiry.closed"]))
    assert not [text for text in _said(screen) if "¥" in text]
    screen.show(view_of(samples()["inquiry.open"], serial=2))
    assert [text for text in _said(screen) if "¥128.50" in text]


def test_a_pin_is_shown_as_core_shows_it(screen: Screen) -> None:
    screen.show(view_of(samples()["type_in.pin"]))
    assert "••••" in _said(screen)


@pytest.mark.parametrize("language", LANGUAGES)
def test_codes_nobody_knows_never_crash_a_page(screen: Screen, language: Language) -> None:
    from kiosk.views import Notice, OutOfService, PaymentResult, PersonCard, Problem, TypeIn

    unknown = "nobody_knows_this"
    pages: list[Any] = [
        Problem(unknown),
        OutOfService(unknown),
        TypeIn("pin", "", 6, error=unknown),
        PaymentResult("not_charged", 100, "8K42", "printed", reason=unknown),
        replace(GREEN, health_code=unknown, substitute=unknown),
        ChoosePerson((PersonCard("1", "王*", unknown),)),
        Identify(goal=unknown),
    ]
    for page in pages:
        view = view_of(page, language)
        strange = Notice(unknown, part=unknown, arguments=("1",))
        screen.show(replace(view, frame=replace(view.frame, notice=strange, busy=unknown)))
        assert all(_said(screen))


def test_the_default_face_is_ours(screen: Screen) -> None:
    """SCREENS V8: no label falls back to a face of Kivy's."""
    from ui import walk

    ours = {screen.shell.look.regular, screen.shell.look.bold}
    for name in ("home", "pay", "green", "type_in.id_number"):
        screen.show(view_of(samples()[name]))
        assert {label.font_name for label in walk.labels(screen.shell.stage)} <= ours


def test_long_names_from_data_shrink_or_wrap_but_are_never_cut(screen: Screen) -> None:
    from ui import walk

    long = Named("神经内科与脑血管病联合门诊", "Neurology and Cerebrovascular Disease Clinic")
    assert HOME.next is not None
    page = replace(HOME, next=replace(HOME.next, department=long, doctor="欧阳上官医生"))
    for size in SIZES:
        screen.show(view_of(page, size=size))
        for label in walk.labels(screen.shell.stage):
            assert label.texture_size[0] <= label.width + 1
            assert label.texture_size[1] <= label.height + 1
        bottom = screen.shell.stage._bottom
        lowest = min(t.y for t in screen.shell.stage.targets() if t.target == "tile:more")
        assert lowest >= bottom.top - 1


def test_the_qr_code_on_screen_is_the_one_that_was_sent(screen: Screen) -> None:
    """Row 64."""
    import zxingcpp
    from kivy.core.window import Window
    from PIL import Image

    from ui.picture import screenshot

    view = view_of(samples()["pay"])
    screen.show(view)
    Window.canvas.ask_update()
    with _temporary_png() as path:
        screenshot(path)
        found = zxingcpp.read_barcodes(Image.open(path))
    assert [code.text for code in found] == [samples()["pay"].url]  # type: ignore[union-attr]


def _temporary_png() -> Any:
    import tempfile
    from contextlib import contextmanager
    from pathlib import Path

    @contextmanager
    def inside() -> Any:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder) / "a.png"

    return inside()
