"""A sample of every page: what the previews draw and the tests measure.

Rule: pure; full pages, so that what fits here fits in a hospital. All people are invented.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Literal

from kiosk.views import (
    AccountCard,
    Attract,
    BarKey,
    CallingHelp,
    CashBusy,
    ChooseDepartment,
    ChoosePerson,
    ChooseRelation,
    ChooseSlot,
    ConfirmRegistration,
    DepartmentCard,
    Finished,
    Frame,
    Green,
    GreenDependants,
    GreenPaper,
    GreenResult,
    HelpState,
    Home,
    HomeTask,
    Identify,
    Inquiry,
    Language,
    Named,
    Notice,
    OnSite,
    OutOfService,
    PadBusy,
    Page,
    Pay,
    Paying,
    PayLine,
    PaymentResult,
    PersonCard,
    PrintingReports,
    Problem,
    QuestionCard,
    SlotCard,
    Starting,
    TypeIn,
    View,
    WaitingCard,
    Works,
)
from ui.theme import SizeName, ThemeName

NOW = datetime(2026, 11, 22, 8, 42)
TODAY = NOW.date()

HOME_BAR: tuple[BarKey, ...] = ("end", "help", "large", "voice")
FIRST_BAR: tuple[BarKey, ...] = ("help", "large", "voice", "low")
TASK_BAR: tuple[BarKey, ...] = ("back", "help", "window", "quit")
HELP_BAR: tuple[BarKey, ...] = ("help",)
GREEN_BAR: tuple[BarKey, ...] = ("hold", "nurse", "lock")
ResultName = Literal["settled", "not_charged", "reversed", "checking", "refund_due"]
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
    ),
    card_slot=True,
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
        PayLine(Named("血常规检查", "Blood count"), 1, 3500),
        PayLine(Named("阿司匹林肠溶片", "Aspirin tablets"), 2, 9350),
        PayLine(Named("静脉采血", "Blood drawing"), 1, 600),
        PayLine(Named("一次性采血针", "Blood needle"), 1, 150),
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


DEPARTMENTS = (
    DepartmentCard("im", Named("内科", "General medicine"), 12, "stethoscope", 2),
    DepartmentCard("su", Named("外科", "Surgery"), 6, "medical-bag", 2),
    DepartmentCard("or", Named("骨科", "Orthopaedics"), 3, "bone", 3),
    DepartmentCard("gy", Named("妇科", "Gynaecology"), 0, "human-female", 4),
    DepartmentCard("pe", Named("儿科", "Children"), 9, "baby-face-outline", 4),
    DepartmentCard("ey", Named("眼科", "Eyes"), 4, "eye", 5),
)
CARDIOLOGY_CARD = DepartmentCard("ca", CARDIOLOGY, 2, "heart-pulse", 3)


def _slot(number: int, doctor: str, title: str, hour: int, left: int) -> SlotCard:
    ends = _at(hour + 1)
    return SlotCard(str(number), doctor, title, _at(hour), ends, left, 2500 if number < 4 else 1000)


SLOTS = (
    _slot(1, "李医生", "主任医师", 9, 2),
    _slot(2, "李医生", "主任医师", 10, 5),
    _slot(3, "周医生", "副主任医师", 10, 0),
    _slot(4, "陈医生", "主治医师", 14, 8),
    _slot(5, "陈医生", "主治医师", 15, 8),
    _slot(6, "欧阳医生", "主治医师", 16, 1),
)

CONFIRM = ConfirmRegistration(
    department=CARDIOLOGY,
    doctor="李医生",
    title="主任医师",
    starts=_at(9),
    ends=_at(10),
    floor=3,
    room="6 诊室",
    fee_fen=2500,
    insurance_fen=2000,
    own_fen=500,
    insured=True,
    can_be_insured=True,
    held_left_s=271,
)

PEOPLE = (
    PersonCard("1", "王*兰", "parent", 78),
    PersonCard("2", "李*明", "child", 9, chosen=True),
    PersonCard("3", "陈*", "spouse", 52),
    PersonCard("4", "欧阳**", "neighbour", 81, chosen=True),
    PersonCard("5", "周*华", "grandchild", 4),
    PersonCard("6", "吴*", "other", None),
)

BILLS = (
    AccountCard("b1", "内科门诊", TODAY, 12850, False),
    AccountCard("b2", "血常规检查", date(2026, 11, 20), 3500, True),
    AccountCard("b3", "心电图", date(2026, 11, 12), 4200, True),
    AccountCard("b4", "门诊取药", date(2026, 10, 30), 128450, True),
)


def _result(result: ResultName, **more: object) -> PaymentResult:
    base = PaymentResult(result=result, amount_fen=4120, slip_number="8K42", slip="printed")
    return replace(base, **more)  # type: ignore[arg-type]


def _first_pages() -> dict[str, Page]:
    return {
        "attract": ATTRACT,
        "attract.empty": Attract(),
        "identify": Identify(),
        "identify.card_slot": Identify(card_slot=True),
        "identify.reading": Identify(goal="pay", reading=True),
        "identify.relative": Identify(goal="family", relative=True, own_read="王*兰"),
        "identify.card_only": Identify(goal="green_relative", card_only=True, own_read="王*兰"),
        "type_in.id_number": TypeIn("id_number", "11010119550101123", 18, letters=True),
        "type_in.pin": TypeIn("pin", "••••", 6, error="wrong", tries_left=3),
        "type_in.locked": TypeIn("pin", "", 6, error="locked", tries_left=0, wait_s=30),
        "type_in.paper": TypeIn("paper_serial", "2026", 12, optional=True),
        "type_in.phone": TypeIn("phone", "138001", 11, error="not_a_number"),
        "home": HOME,
        "home.nothing": replace(HOME, next=None, tasks=(), acting_for="李*明"),
        "home.off": replace(
            HOME, next=GO_TO, off=("inquire",), tasks=(replace(PAY_TASK, enabled=False),)
        ),
        "starting": Starting(),
        "out_of_service": OutOfService("maintenance"),
        "problem": Problem("quote_insurer_refused", True, "3 号窗口"),
        "problem.unknown": Problem("never_heard_of", False),
        "calling_help": CallingHelp(HelpState(), 12, "0571-0000 0120"),
        "calling_help.coming": CallingHelp(
            HelpState(coming="小张", emergency=True), 61, "0571-0000 0120"
        ),
        "calling_help.escalated": CallingHelp(HelpState(escalated=True, emergency=True), 75, "120"),
        "calling_help.unreached": CallingHelp(HelpState(), 5, "0571-0000 0120", reached=False),
    }


def _register_pages() -> dict[str, Page]:
    days = tuple(TODAY + timedelta(days=number) for number in range(4))
    return {
        "choose_department": ChooseDepartment(CARDIOLOGY_CARD, DEPARTMENTS, 1, 2),
        "choose_slot": ChooseSlot(CARDIOLOGY, TODAY, days, SLOTS, 1, 2),
        "choose_slot.none": ChooseSlot(CARDIOLOGY, days[2], days, (), 1, 1),
        "confirm_registration": CONFIRM,
        "confirm_registration.later": replace(
            CONFIRM,
            own_fen=2500,
            insurance_fen=0,
            insured=False,
            can_be_insured=False,
            held_left_s=None,
            pay_later="treat_first",
            window="3",
        ),
        "choose_person": ChoosePerson(PEOPLE, 1, 2),
        "choose_relation": ChooseRelation(
            "李*明", "王*兰", ("child", "parent", "spouse", "grandchild", "neighbour", "other")
        ),
        "inquiry": Inquiry(("account", "trail", "reports")),
        "inquiry.closed": Inquiry(("trail", "reports"), BILLS),
        "inquiry.open": Inquiry(("trail",), BILLS, open_left_s=20, of=2),
    }


def _money_pages() -> dict[str, Page]:
    return {
        "pay": PAY,
        "pay.own_money": replace(
            PAY, basic_fen=0, serious_fen=0, aid_fen=0, own_fen=13600, insured=False, card=False
        ),
        "pay.proxy": replace(PAY, for_whom="李*明", url="", scanning=False),
        "pay.more": replace(PAY, more_lines=7, aid_fen=0, basic_fen=7880),
        "pay.cash": replace(PAY, cash="no_coins"),
        "cash_busy": CashBusy(4100, 0, "insert", "3 号窗口", (100, 500, 1000, 2000, 5000)),
        "cash_busy.some": CashBusy(4100, 2000, "refused", "3 号窗口", (100, 500, 1000, 2000)),
        "payment_result.cash_short": _result(
            "refund_due", window="3 号窗口", reason="cash_given_up"
        ),
        "pad_busy": PadBusy(4120, "enter_pin"),
        "pad_busy.card": PadBusy(4120, "insert_card"),
        "paying": Paying(4120, "asking_payer"),
        "paying.returning": Paying(4120, "returning"),
        "payment_result.settled": _result("settled", registered=GO_TO),
        "payment_result.not_charged": _result("not_charged", reason="declined_funds"),
        "payment_result.reversed": _result("reversed", slip="printing"),
        "payment_result.checking": _result("checking", slip="failed"),
        "payment_result.unheard": _result("checking", unheard=True, window="3"),
        "payment_result.refund_due": _result("refund_due", window="3 号窗口"),
    }


def _paper_pages() -> dict[str, Page]:
    return {
        "printing_reports": PrintingReports(1, 2, "血常规", "printing", "胸片报告", _at(11, 30)),
        "printing_reports.paused": PrintingReports(2, 2, "血常规", "paused"),
        "finished.checked_in": Finished("checked_in", task=GO_TO, ahead=5, minutes=25),
        "finished.offline": Finished("checked_in", task=GO_TO, offline=True, slip="printed"),
        "finished.registered": Finished(
            "registered", "8K42", "printed", task=GO_TO, offline=True, window="3"
        ),
        "finished.treat_first": Finished(
            "registered", "8K42", "printed", task=GO_TO, offline=True, window="3", treat_first=True
        ),
        "finished.reports": Finished(
            "reports_printed", count=2, later_title="胸片报告", later_at=_at(11, 30)
        ),
        "finished.failed": Finished("reports_failed", count=1, window="3 号窗口"),
        "finished.handed_over": Finished(
            "handed_over", slip_number="8K42", slip="printed", window="3 号窗口"
        ),
        "finished.trail": Finished("trail_printed", slip_number="8K42", slip="printed"),
        "finished.list": Finished("list_printed", slip_number="8K42", slip="printing"),
    }


def _green_pages() -> dict[str, Page]:
    answered = tuple(replace(question, yes=question.id == "fever") for question in GREEN.questions)
    kinds = ("negative_test", "vaccination", "discharge", "community", "other")
    return {
        "green": GREEN,
        "green.yes": replace(
            GREEN, questions=answered, look_up=True, health_code="clear", others=2, queued=0
        ),
        "green.waiting": replace(
            GREEN, stage=1, current=None, substitute="", questions=(), waiting=GREEN.waiting[:1]
        ),
        "green_paper": GreenPaper(
            kinds, "negative_test", ("today", "tomorrow", "week", "month", "unlimited"), "week"
        ),
        "green_dependants": GreenDependants("王*兰", PEOPLE),
        "green_result": GreenResult(True, None, ("王*兰",), ("G3-0007",), "printed", 18),
        "green_result.routed": GreenResult(
            False,
            Named("发热门诊", "fever clinic"),
            ("王*兰", "李*明", "陈*"),
            ("G3-0007", "G3-0008", "G3-0009"),
            "printing",
            41,
        ),
    }


def samples() -> dict[str, Page]:
    """One or more samples a page: the page's key, or key.variant."""
    return _first_pages() | _register_pages() | _money_pages() | _paper_pages() | _green_pages()


def frame_of(
    page: Page,
    language: Language = "zh",
    size: SizeName = "normal",
    theme: ThemeName = "light",
) -> Frame:
    """The frame a page usually stands in."""
    green = page.page.startswith("green")
    bars = {"attract": FIRST_BAR, "identify": FIRST_BAR, "out_of_service": HELP_BAR}
    bars |= dict.fromkeys(("home", "finished", "payment_result", "inquiry"), HOME_BAR)
    bar: tuple[BarKey, ...] = GREEN_BAR if green else bars.get(page.page, TASK_BAR)
    return Frame(
        hospital=Named("市第一医院", "City First Hospital"),
        place=Named("门诊自助", "Outpatients"),
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


def framed_samples(language: Language = "zh", size: SizeName = "normal") -> dict[str, View]:
    """What lies over or around a page: warnings, waiting, notices, an offline house."""
    home = frame_of(HOME, language, size)
    attract = frame_of(ATTRACT, language, size)
    identify = frame_of(Identify(), language, size)
    reversed_card = Notice("card_reversed", "id_reader")
    offline = Works(hospital=False, a4_printer=False, pad=False)
    return {
        "over.idle": View(1, replace(home, idle_left_s=23), HOME),
        "over.busy": View(1, replace(home, busy="quoting", busy_s=2), HOME),
        "over.busy_long": View(1, replace(home, busy="asking", busy_s=9), HOME),
        "over.notice": View(1, replace(identify, notice=reversed_card), Identify()),
        "over.hint": View(
            1, replace(identify, notice=Notice("second_factor", grave=False)), Identify()
        ),
        "over.help": View(1, replace(home, help=HelpState(coming="小张")), HOME),
        "over.offline": View(1, replace(attract, works=offline), ATTRACT),
        "over.offline_numbers": View(
            1, replace(attract, works=Works(hospital=False, numbers=9)), ATTRACT
        ),
    }
