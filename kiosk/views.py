"""One frozen view model a page: all that the screen ever learns.

The engine makes a View, the ui draws it and sends Touches back. A view carries data and keys,
never sentences: words are the ui's. Names of people arrive masked. Everything that can be touched
has a target, named in the docstring of its page; the bottom bar's targets stand in Frame.bar.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

Language = Literal["zh", "en"]


@dataclass(frozen=True)
class Named:
    """A name that comes from data in both languages; `en` empty: `zh` serves for both."""

    zh: str
    en: str = ""


# --- the frame around every page -----------------------------------------------------------------

BarKey = Literal[
    "back",  # one step back, nothing lost
    "end",  # 结束退出
    "quit",  # 不挂了 / 不付了: leaves this business, back to home
    "help",  # 叫人帮忙
    "window",  # 去窗口: prints a hand-over slip
    "large",  # 大字
    "voice",  # 语音
    "low",  # 低位
    "hold",  # green channel: 先放一放
    "nurse",  # green channel: 请护士来
    "lock",  # green channel: 锁屏
]


@dataclass(frozen=True)
class Notice:
    """Something is wrong or new, said on top of the page; `code` is a key of the ui's words.

    `part` names the device's picture (id_reader, scanner, receipt_printer, a4_printer, pad);
    `arguments` fill the sentence. `grave` notices are errors, the others are hints.
    """

    code: str
    part: str = ""
    grave: bool = True
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class HelpState:
    """`coming` empty: called, nobody has answered yet."""

    coming: str = ""
    escalated: bool = False
    emergency: bool = False


@dataclass(frozen=True)
class Works:
    """What is true right now, said honestly on home and attract pages."""

    hospital: bool = True
    id_reader: bool = True
    card_slot: bool = True
    scanner: bool = True
    receipt_printer: bool = True
    a4_printer: bool = True
    pad: bool = True
    numbers: int = 0  # on-site numbers that this terminal may give out without the hospital
    payments: bool = True  # False: no record could be promised, so nothing is charged
    a4_needs: str = ""  # a notice's code: what the A4 printer waits for, while it answers


@dataclass(frozen=True)
class Frame:
    """Top bar, bottom bar and what lies over the page. `clock` is the terminal's local time.

    `idle_left_s` set: the full-screen warning counts down; any touch anywhere goes on.
    `busy` set: the engine waits for something (a key of the ui's words), `busy_s` seconds so far:
    over 1 s a moving sign with words, over 8 s what is going on and that nothing is lost.
    The language key (`language:zh`, `language:en`) is on every page.
    """

    hospital: Named
    place: Named
    clock: datetime
    bar: tuple[BarKey, ...]
    language: Language = "zh"
    size: Literal["normal", "large", "extra"] = "normal"
    theme: Literal["light", "contrast", "dusk"] = "light"
    tone: Literal["teal", "green"] = "teal"
    who: str = ""
    step: tuple[int, int] | None = None
    notice: Notice | None = None
    help: HelpState | None = None
    works: Works = field(default_factory=Works)
    idle_left_s: int | None = None
    busy: str = ""
    busy_s: int = 0
    voice: bool = False
    low: bool = False
    elder: bool = False


# --- first pages ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class OnSite:
    department: Named
    left: int


@dataclass(frozen=True)
class Attract:
    """Nobody is here. Targets: no_credential, family, emergency, green (volunteer's entrance).

    `card_slot` True: a social security card may be put in.
    """

    on_site: tuple[OnSite, ...] = ()  # ≤ 6
    card_slot: bool = False
    page: Literal["attract"] = "attract"


@dataclass(frozen=True)
class Identify:
    """Put down anything; no choosing. Targets: type_number, volunteer.

    `goal` is what it is for (start, register, pay, …: a key). `relative` True: it is the other
    person's card that is wanted now, `own_read` the holder's masked name. `card_only` True: no
    other way is offered, and there are no targets but the bar's. `card_slot` True: a social
    security card may be put in.
    """

    goal: str = "start"
    reading: bool = False
    relative: bool = False
    own_read: str = ""
    card_only: bool = False
    card_slot: bool = False
    page: Literal["identify"] = "identify"


TypedWhat = Literal[
    "id_number", "phone_last4", "number_last4", "pin", "paper_serial", "patient_number", "phone"
]


@dataclass(frozen=True)
class TypeIn:
    """A keypad. Targets: key:0 … key:9, key:X, erase, ok, skip (when `optional`).

    `shown` is what may be seen of the entry (dots for a PIN). `wait_s` > 0: locked that long.
    """

    what: TypedWhat
    shown: str
    length: int  # of a whole entry
    error: str = ""  # key: wrong, not_a_number, locked …
    tries_left: int | None = None
    wait_s: int = 0
    optional: bool = False
    letters: bool = False  # key:X offered
    page: Literal["type_in"] = "type_in"


@dataclass(frozen=True)
class HomeTask:
    """One thing to do. `kind` chooses words and icon; the fields it does not need stay empty.

    check_in: department, doctor, starts, ends · go_to: the same and `floor`, `room`, `number`
    (already checked in) · pay: amount_fen (all), own_fen (estimate), count
    print_reports: count, title, ready_at · wait_reports: title, ready_at · register: nothing.
    """

    kind: Literal["check_in", "go_to", "pay", "print_reports", "wait_reports", "register"]
    enabled: bool = True  # False: does not work now, and the page says why
    department: Named | None = None
    doctor: str = ""
    starts: datetime | None = None
    ends: datetime | None = None
    floor: int = 0
    room: str = ""
    number: str = ""
    amount_fen: int = 0
    own_fen: int = 0
    count: int = 0
    title: str = ""
    ready_at: datetime | None = None


@dataclass(frozen=True)
class Home:
    """The next thing first. Targets: next (the first task), task:<kind>, tile:<name>.

    Tiles: register, inquire, family, more. `acting_for` is the other person's masked name.
    """

    name: str
    next: HomeTask | None
    tasks: tuple[HomeTask, ...]  # ≤ 2 besides `next`
    tiles: tuple[Literal["register", "inquire", "family", "more"], ...]
    off: tuple[str, ...] = ()  # tiles that do not work now; touched, the page says why
    acting_for: str = ""
    card_expired: bool = False
    page: Literal["home"] = "home"


# --- registration --------------------------------------------------------------------------------


@dataclass(frozen=True)
class DepartmentCard:
    id: str
    name: Named
    left: int
    icon: str
    floor: int


@dataclass(frozen=True)
class ChooseDepartment:
    """Targets: last (the department of last time), department:<id>, previous, following."""

    last: DepartmentCard | None
    cards: tuple[DepartmentCard, ...]  # ≤ 6
    number: int
    of: int
    page: Literal["choose_department"] = "choose_department"


@dataclass(frozen=True)
class SlotCard:
    id: str
    doctor: str
    title: str
    starts: datetime
    ends: datetime
    left: int
    fee_fen: int


@dataclass(frozen=True)
class ChooseSlot:
    """Targets: slot:<id>, previous, following, day:<YYYY-MM-DD>."""

    department: Named
    day: date
    days: tuple[date, ...]  # today first, ≤ 4
    cards: tuple[SlotCard, ...]  # ≤ 6
    number: int
    of: int
    page: Literal["choose_slot"] = "choose_slot"


@dataclass(frozen=True)
class ConfirmRegistration:
    """Targets: confirm, insured:yes, insured:no.

    `pay_later` set: a number without the hospital. Nothing is settled: the fee is paid at `window`,
    before the visit (window) or after it (treat_first), and own and insurers' parts are not known.
    """

    department: Named
    doctor: str
    title: str
    starts: datetime
    ends: datetime
    floor: int
    room: str
    fee_fen: int
    insurance_fen: int  # what the insurers pay together
    own_fen: int
    insured: bool
    can_be_insured: bool
    held_left_s: int | None
    pay_later: Literal["", "treat_first", "window"] = ""
    window: str = ""
    page: Literal["confirm_registration"] = "confirm_registration"


# --- money ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PayLine:
    name: Named
    quantity: int
    amount_fen: int


@dataclass(frozen=True)
class Pay:
    """One bill page, both directions. Targets: card, cash, lines_previous, lines_following.

    `url` is drawn as a QR code for the phone; empty while it is being made or cannot be had.
    `scanning`: the scanner is lit for the payer's code. Insurers' parts are three lines, the sum
    is proven: total = basic + serious + aid + own. `cash`: "" no box here · offered · no_coins
    (no notes make up this sum, and no change is given).
    """

    lines: tuple[PayLine, ...]  # ≤ 4 of them on a page
    more_lines: int
    total_fen: int
    basic_fen: int
    serious_fen: int
    aid_fen: int
    own_fen: int
    insured: bool
    url: str
    scanning: bool
    card: bool
    for_whom: str = ""
    cash: Literal["", "offered", "no_coins"] = ""
    page: Literal["pay"] = "pay"


@dataclass(frozen=True)
class PadBusy:
    """The person is at the payment pad. No targets but the bar's back (cancels at the pad)."""

    amount_fen: int
    progress: Literal["starting", "insert_card", "enter_pin", "authorising", "remove_card"]
    page: Literal["pad_busy"] = "pad_busy"


@dataclass(frozen=True)
class CashBusy:
    """Notes go in, one by one. No targets but the bar's back (nothing more is put in).

    Said before the first note: no change is given; what is in the box and not enough is paid back
    at `window`; only notes of `notes_fen` are taken, those that are not above what is left.
    """

    amount_fen: int
    taken_fen: int
    stage: Literal["insert", "moving", "returned", "refused", "stopping"]
    window: str
    notes_fen: tuple[int, ...] = ()
    page: Literal["cash_busy"] = "cash_busy"


@dataclass(frozen=True)
class Paying:
    """Money moves or is being booked. No targets; no idle timer."""

    amount_fen: int
    stage: Literal["asking_payer", "booking", "returning"]
    page: Literal["paying"] = "paying"


@dataclass(frozen=True)
class PaymentResult:
    """Four results, never two (U11). Targets: again (only not_charged and reversed), home, end.

    settled · not_charged, reversed · checking · refund_due (window: where to go).
    `unheard`, of checking: the card was charged, and the hospital has not been told yet.
    """

    result: Literal["settled", "not_charged", "reversed", "checking", "refund_due"]
    amount_fen: int
    slip_number: str
    slip: Literal["printing", "printed", "failed"]
    window: str = ""
    reason: str = ""
    registered: HomeTask | None = None  # go_to, after a paid registration
    unheard: bool = False
    left_s: int = 15
    page: Literal["payment_result"] = "payment_result"


# --- reports and other results -------------------------------------------------------------------


@dataclass(frozen=True)
class PrintingReports:
    """Progress of all new reports. No targets but the bar's."""

    number: int  # the one being printed, from 1
    of: int
    title: str
    stage: Literal["fetching", "sending", "printing", "paused"]
    later_title: str = ""
    later_at: datetime | None = None
    page: Literal["printing_reports"] = "printing_reports"


@dataclass(frozen=True)
class Finished:
    """A task is done. Targets: home (还要办别的), end. `left_s` counts down to the end.

    checked_in: task = go_to with number, `ahead`, `minutes` (None: offline, not said)
    registered: task = go_to with number; the fee is unpaid: window, `treat_first`
    reports_printed: count, later_title, later_at · handed_over: slip_number, window
    trail_printed, list_printed: slip_number · reports_failed: count done, window
    """

    what: Literal[
        "checked_in",
        "registered",
        "reports_printed",
        "reports_failed",
        "handed_over",
        "trail_printed",
        "list_printed",
    ]
    slip_number: str = ""
    slip: Literal["none", "printing", "printed", "failed"] = "none"
    task: HomeTask | None = None
    ahead: int | None = None
    minutes: int | None = None
    offline: bool = False
    count: int = 0
    later_title: str = ""
    later_at: datetime | None = None
    window: str = ""
    treat_first: bool = False
    left_s: int = 15
    page: Literal["finished"] = "finished"


@dataclass(frozen=True)
class Problem:
    """It cannot be done here and now; says what to do. Targets: again (if `can_retry`), window."""

    code: str  # a key of the ui's words
    can_retry: bool = True
    window: str = ""
    page: Literal["problem"] = "problem"


@dataclass(frozen=True)
class PersonCard:
    key: str
    name: str  # masked
    relation: str = ""
    age: int | None = None
    chosen: bool = False


@dataclass(frozen=True)
class ChoosePerson:
    """For whom. Targets: person:<key>, add (lay the other person's card), previous, following."""

    people: tuple[PersonCard, ...]  # ≤ 6
    number: int = 1
    of: int = 1
    page: Literal["choose_person"] = "choose_person"


@dataclass(frozen=True)
class ChooseRelation:
    """Targets: relation:<key>. Keys: child, parent, spouse, grandchild, neighbour, other."""

    whom: str
    by: str
    choices: tuple[str, ...]
    page: Literal["choose_relation"] = "choose_relation"


@dataclass(frozen=True)
class AccountCard:
    id: str
    title: str
    day: date | None
    total_fen: int
    paid: bool


@dataclass(frozen=True)
class Inquiry:
    """查询, 更多服务. Targets: choose:<name> (account, trail, reports), bill:<id>, curtain, and
    previous, following when there are more bills than one page holds.

    Records lie behind a curtain: `open_left_s` 0 means closed; target curtain opens it for 20 s.
    """

    choices: tuple[Literal["account", "trail", "reports"], ...]
    bills: tuple[AccountCard, ...] = ()  # ≤ 4
    open_left_s: int = 0
    number: int = 1
    of: int = 1
    page: Literal["inquiry"] = "inquiry"


# --- green channel -------------------------------------------------------------------------------


@dataclass(frozen=True)
class WaitingCard:
    """One person in the volunteer's list; target waiting:<key> takes them up again."""

    key: str
    number: int
    name: str  # masked; empty while nothing is known
    age: int | None
    since_s: int
    alarm: bool = False  # waits longer than the profile's threshold
    noted: str = ""  # key: id_read, filled_in, put_aside


@dataclass(frozen=True)
class QuestionCard:
    id: str
    text: Named
    icon: str
    yes: bool = False


@dataclass(frozen=True)
class Green:
    """The volunteer's page. Stage 1: waiting for a card; stage 2: the questions.

    Targets: question:<id> (toggles), none (都没有，下一步), yes_next (有，下一步),
    paper, relative, dependants, by_hand (the substitutes), look_up (only if a policy is on),
    arrive (somebody joins the list), waiting:<key>.
    """

    volunteer: str
    gate: str
    stage: Literal[1, 2]
    current: WaitingCard | None
    substitute: str  # key: a Substitute (domain/screening.py); empty in stage 1
    waiting: tuple[WaitingCard, ...]  # ≤ 3
    waiting_count: int
    lookback_days: int
    questions: tuple[QuestionCard, ...] = ()
    look_up: bool = False
    health_code: str = ""  # key of the result, after a look-up: word and icon, no colour
    queued: int = 0  # records that wait for the gateway
    others: int = 0  # further people screened together (dependants)
    page: Literal["green"] = "green"


@dataclass(frozen=True)
class GreenPaper:
    """Which certificate was seen, valid how long. Targets: kind:<key>, valid:<key>, next.

    Kinds: negative_test, vaccination, discharge, community, other; validity: today, tomorrow,
    week, month, unlimited.
    """

    kinds: tuple[str, ...]
    kind: str
    validities: tuple[str, ...]
    validity: str
    page: Literal["green_paper"] = "green_paper"


@dataclass(frozen=True)
class GreenDependants:
    """One holder, several dependants. Targets: person:<key> (toggles), by_number, next."""

    holder: str
    people: tuple[PersonCard, ...]  # ≤ 6
    page: Literal["green_dependants"] = "green_dependants"


@dataclass(frozen=True)
class GreenResult:
    """Pass, or where to go. Targets: following (下一位). `slips` one a person."""

    passed: bool
    route: Named | None
    names: tuple[str, ...]  # masked
    slip_numbers: tuple[str, ...]
    slip: Literal["printing", "printed", "failed"]
    took_s: int
    left_s: int = 8
    page: Literal["green_result"] = "green_result"


# --- the rest ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CallingHelp:
    """Help was called: who comes, or that it was passed on. Targets: emergency, return."""

    state: HelpState
    since_s: int
    hotline: str
    reached: bool = True  # False: the call could not be sent; says so and names the desk
    page: Literal["calling_help"] = "calling_help"


@dataclass(frozen=True)
class OutOfService:
    """Nothing can be done here; says where to go. No targets but help."""

    reason: str
    page: Literal["out_of_service"] = "out_of_service"


@dataclass(frozen=True)
class Starting:
    """Core is not there (yet). Drawn by the ui itself while the link is down."""

    page: Literal["starting"] = "starting"


Page = (
    Attract
    | Identify
    | TypeIn
    | Home
    | ChooseDepartment
    | ChooseSlot
    | ConfirmRegistration
    | Pay
    | PadBusy
    | CashBusy
    | Paying
    | PaymentResult
    | PrintingReports
    | Finished
    | Problem
    | ChoosePerson
    | ChooseRelation
    | Inquiry
    | Green
    | GreenPaper
    | GreenDependants
    | GreenResult
    | CallingHelp
    | OutOfService
    | Starting
)


@dataclass(frozen=True)
class View:
    """What is drawn now. A touch names the serial it was made on; old ones are ignored."""

    serial: int
    frame: Frame
    page: Annotated[Page, Field(discriminator="page")]


@dataclass(frozen=True)
class Touch:
    """One finger, released on one target of one view."""

    serial: int
    target: str


@cache
def _views() -> TypeAdapter[View]:
    """Made when the first view crosses the socket: it takes longer than all our other imports."""
    return TypeAdapter(View)


@cache
def _touches() -> TypeAdapter[Touch]:
    return TypeAdapter(Touch)


def view_to_json(view: View) -> bytes:
    return _views().dump_json(view)


def view_from_json(data: bytes | str) -> View:
    return _views().validate_json(data)


def touch_to_json(touch: Touch) -> bytes:
    return _touches().dump_json(touch)


def touch_from_json(data: bytes | str) -> Touch:
    return _touches().validate_json(data)


def screen_name(view: View) -> str:
    """What a person would call one screen: the green channel's stages and the keypad's questions
    are screens of their own, a countdown on the same page is not."""
    match view.page:
        case Green(stage=stage):
            return f"green_{stage}"
        case TypeIn(what=what):
            return f"type_{what}"
    return view.page.page


def page_names() -> tuple[str, ...]:
    """Every page's key, in the order of Page."""
    from typing import get_args

    shapes: tuple[Any, ...] = get_args(Page)
    return tuple(shape.page for shape in shapes)
