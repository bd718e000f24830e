"""A sample of every page: what the previews draw and the tests measure.

Rule: pure; full pages, so that what fits here fits in a hospital. All people are invented.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from kiosk.views import (
    Attract,
    BarKey,
    Frame,
    Green,
    Home,
    HomeTask,
    Language,
    Named,
    OnSite,
    Page,
    Pay,
    PayLine,
    QuestionCard,
    Starting,
    View,
    WaitingCard,
)
from ui.theme import SizeName, ThemeName

NOW = datetime(2026, 11, 22, 8, 42)
TODAY = NOW.date()

HOME_BAR: tuple[BarKey, ...] = ("end", "help", "large", "voice")
FIRST_BAR: tuple[BarKey, ...] = ("help", "large", "voice", "low")
TASK_BAR: tuple[BarKey, ...] = ("back", "help", "window", "quit")
GREEN_BAR: tuple[BarKey, ...] = ("hold", "nurse", "lock")
CARDIOLOGY = Named("心内科", "Cardiology")


def _at(hour: int, minute: int = 0, days: int = 0) -> datetime:
    return datetime(2026, 11, 22, hour, minute) + timedelta(days=days)


ATTRACT = Attract(
    on_site=(
        OnSite(Named("内科", "General medicine"), 12),
        OnSite(Named("外科", "Surgery"), 6),
        OnSite(Named("骨科", "Orthopaedics"), 3),
        OnSite(Named("儿科", "Children"), 9),
        OnSite(Named("眼科", "Eyes"), 4),
        OnSite(CARDIOLOGY, 2),
    )
)

CHECK_IN = HomeTask(
    kind="check_in", department=CARDIOLOGY, doctor="李医生", starts=_at(9), ends=_at(10)
)
GO_TO = HomeTask(
    kind="go_to",
    department=CARDIOLOGY,
    doctor="李医生",
    starts=_at(9),
    ends=_at(10),
    floor=3,
    room="6 诊室",
    number="12",
)
PAY_TASK = HomeTask(kind="pay", amount_fen=12850, own_fen=4120, count=2)
PRINT_TASK = HomeTask(kind="print_reports", count=1, title="血常规", ready_at=_at(16, 5, days=-2))

HOME = Home(
    name="王*兰",
    next=CHECK_IN,
    tasks=(PAY_TASK, PRINT_TASK),
    tiles=("register", "inquire", "family", "more"),
)

PAY = Pay(
    lines=(
        PayLine("血常规检查", 1, 3500),
        PayLine("阿司匹林肠溶片", 2, 9350),
        PayLine("静脉采血", 1, 600),
        PayLine("一次性采血针", 1, 150),
    ),
    more_lines=0,
    total_fen=13600,
    basic_fen=7580,
    serious_fen=1600,
    aid_fen=300,
    own_fen=4120,
    insured=True,
    url="https://pay.example.org/q/8K42-0001-7F3A",
    scanning=True,
    card=True,
)

GREEN = Green(
    volunteer="张志愿",
    gate="3号门",
    stage=2,
    current=WaitingCard(key="a", number=1, name="王*兰", age=78, since_s=42, noted="id_read"),
    substitute="id_card",
    waiting=(
        WaitingCard(key="b", number=2, name="李*国", age=81, since_s=125, alarm=True),
        WaitingCard(key="c", number=3, name="陈*", age=None, since_s=40, noted="filled_in"),
        WaitingCard(key="d", number=4, name="", age=None, since_s=12),
    ),
    waiting_count=3,
    lookback_days=14,
    questions=(
        QuestionCard("fever", Named("发热、咳嗽", "Fever or cough"), "thermometer"),
        QuestionCard(
            "area", Named("去过中高风险地区", "Came from a risk area"), "map-marker-alert"
        ),
        QuestionCard("contact", Named("接触过确诊的人", "Met an infected person"), "account-alert"),
    ),
    queued=2,
)


def samples() -> dict[str, Page]:
    """One or more samples a page: the page's key, or key.variant."""
    return {"attract": ATTRACT, "home": HOME, "pay": PAY, "green": GREEN, "starting": Starting()}


def frame_of(
    page: Page,
    language: Language = "zh",
    size: SizeName = "normal",
    theme: ThemeName = "light",
) -> Frame:
    """The frame a page usually stands in."""
    green = page.page.startswith("green")
    bars = {"attract": FIRST_BAR, "identify": FIRST_BAR, "home": HOME_BAR}
    bar: tuple[BarKey, ...] = GREEN_BAR if green else bars.get(page.page, TASK_BAR)
    places = {"zh": "门诊自助", "en": "Outpatients"}
    return Frame(
        hospital=Named("市第一医院", "City First Hospital"),
        place=places[language],
        clock=NOW,
        bar=() if page.page == "starting" else bar,
        language=language,
        size=size,
        theme=theme,
        tone="green" if green else "teal",
        step=(2, 3) if page.page in ("pay", "type_in", "choose_slot") else None,
    )


def view_of(
    page: Page,
    language: Language = "zh",
    size: SizeName = "normal",
    theme: ThemeName = "light",
    serial: int = 1,
) -> View:
    return View(serial=serial, frame=frame_of(page, language, size, theme), page=page)
