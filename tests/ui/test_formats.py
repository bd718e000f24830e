"""Money, times and names as people of each language write them."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from kiosk.views import HomeTask, Named
from ui import formats, tasks
from ui.words import Catalogue

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("fen", "said"),
    [(0, "¥0.00"), (5, "¥0.05"), (12850, "¥128.50"), (128450, "¥1,284.50"), (-7130, "−¥71.30")],
)
def test_money_is_written_in_yuan(fen: int, said: str) -> None:
    assert formats.money(fen) == said


def test_what_others_pay_is_taken_away_and_nothing_is_nothing() -> None:
    assert formats.minus(7130) == "−¥71.30"
    assert formats.minus(0) == "¥0.00"


@pytest.mark.parametrize(
    ("language", "days", "said"),
    [
        ("zh", 0, "今天 9:00–10:00"),
        ("zh", 1, "明天 9:00–10:00"),
        ("zh", 2, "11月24日 周二 9:00–10:00"),
        ("en", 0, "Today 9:00–10:00"),
        ("en", 1, "Tomorrow 9:00–10:00"),
        ("en", 2, "Tue 24 Nov 9:00–10:00"),
    ],
)
def test_days_are_named_from_today(language: str, days: int, said: str) -> None:
    words = Catalogue(language=language)  # type: ignore[arg-type]
    starts = datetime(2026, 11, 22 + days, 9)
    assert formats.day_range(words, starts, starts.replace(hour=10), TODAY) == said


def test_a_moment_today_leaves_the_day_out() -> None:
    words = Catalogue(language="en")
    assert formats.moment(words, datetime(2026, 11, 22, 11, 30), TODAY) == "11:30"
    assert formats.moment(words, datetime(2026, 11, 20, 16, 5), TODAY) == "Fri 20 Nov 16:05"


def test_a_hostile_name_cannot_turn_or_break_a_line() -> None:
    assert formats.plain("王\n\x1b[2J\u202e兰") == "王  [2J 兰"


def test_a_name_without_english_stays_as_it_is() -> None:
    english = Catalogue(language="en")
    assert formats.name_of(english, Named("心内科", "Cardiology")) == "Cardiology"
    assert formats.name_of(english, Named("心内科")) == "心内科"


def test_a_window_keeps_its_distance_from_hanzi() -> None:
    words = Catalogue(language="zh")
    assert words.say("problem.window", window=formats.place(words, "3 号窗口")) == "去 3 号窗口"
    assert words.say("problem.window", window=formats.place(words, "")) == "去人工窗口"


@pytest.mark.parametrize(
    ("task", "title", "detail"),
    [
        (
            HomeTask("pay", amount_fen=12850, own_fen=4120, count=2),
            "缴费 ¥128.50",
            "2 项 · 医保后自付 ¥41.20",
        ),
        (HomeTask("pay", amount_fen=12850, count=1), "缴费 ¥128.50", "1 项"),
        (HomeTask("pay", enabled=False, amount_fen=100), "缴费 ¥1.00", "现在办不了，请去窗口"),
        (HomeTask("go_to", floor=3, room="6 诊室", number="12"), "去 3 楼 6 诊室", "您是 12 号"),
    ],
)
def test_a_task_says_what_it_is_and_what_it_costs(task: HomeTask, title: str, detail: str) -> None:
    words = Catalogue(language="zh")
    assert tasks.title(words, task) == title
    assert tasks.detail(words, task, TODAY) == detail
