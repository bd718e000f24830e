"""查询, 更多服务: itemised accounts behind a curtain, one's own trail on paper, all reports.

Rule: records are on the screen for twenty seconds after a touch, never longer, and on paper only
when asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from kiosk.domain.bill import Bill
from kiosk.flows.common import (
    OTHER_CARD,
    ignore,
    ignoring,
    index_of,
    is_stranger,
    leave_later,
    left_s,
    pages,
    turned,
)
from kiosk.flows.effects import (
    Ask,
    AskTrail,
    Effect,
    EndSession,
    Go,
    HandOver,
    KeepAudit,
    PrintSlip,
    Wake,
)
from kiosk.flows.events import (
    CardLaid,
    CardRead,
    Event,
    Failed,
    Replied,
    SlipFailed,
    SlipPrinted,
    Touched,
    Woke,
)
from kiosk.flows.scene import Accepts, Business, Scene, Shown
from kiosk.flows.slips import AccountSlip, TrailLine, TrailSlip
from kiosk.hospital.contract import Account, AskAccount
from kiosk.views import AccountCard, Finished, Inquiry, Notice, Problem

CURTAIN_S = 20.0
"""U13: long enough to read four lines, short enough for the next in the queue."""
BILLS_A_PAGE = 4
TRAIL_LINES_MAX = 60
"""The newest; an arm's length of paper."""

ATS = ("choosing", "accounts", "listed", "trail", "finished", "problem")
IGNORED = ignoring(
    ATS,
    {
        CardRead: "the card of the person whose records these are",
        CardLaid: "it is told apart from the card before once it is read",
        Woke: "the curtain is closed already",
    },
)


@dataclass(frozen=True)
class InquireState:
    """At: choosing, accounts (asked for), listed (behind the curtain), trail (asked for), finished,
    problem."""

    at: str = "choosing"
    serial: int = 0
    bills: tuple[Bill, ...] = field(default=(), repr=False)
    first: int = 0
    open_until: datetime | None = None
    done: Literal["trail_printed", "list_printed"] = "list_printed"
    slip_number: str = ""
    slip: Literal["printing", "printed", "failed"] = "printing"
    notice: Notice | None = None
    leave_at: datetime | None = None

    @property
    def tag(self) -> str:
        return f"{self.at}:{self.serial}"


Stepped = tuple[InquireState, tuple[Effect, ...]]


def start(scene: Scene, argument: Any) -> Stepped:
    if scene.person is None:
        return InquireState(), (Go("identify", "inquire"),)
    return InquireState(), ()


def step(state: InquireState, event: Event, scene: Scene) -> Stepped:
    match state.at, event:
        case _, Touched(target):
            return _touched(state, target, scene)
        case "accounts", Replied(state.tag, Account(bills)):
            return _listed(state, bills), ()
        case "trail", Replied(state.tag, tuple() as lines):
            return _print_trail(state, lines, scene)
        case "accounts" | "trail", Failed(state.tag):
            return replace(state, at="problem"), ()
        case "listed", Woke("curtain"):
            return replace(state, open_until=None), ()
        case "finished", SlipPrinted(state.slip_number):
            return replace(state, slip="printed", notice=None), ()
        case "finished", SlipFailed(state.slip_number, why):
            return replace(state, slip="failed", notice=Notice(why, "receipt_printer")), ()
        case "finished", Woke("over"):
            return state, (EndSession(),)
        case _, CardRead(identity) if is_stranger(identity, scene):
            return replace(state, notice=OTHER_CARD, open_until=None), ()
    return state, ignore(state.at, event, IGNORED)


def _touched(state: InquireState, target: str, scene: Scene) -> Stepped:
    what, _, name = target.partition(":")
    match state.at, what:
        case _, "end":
            return state, (EndSession(),)
        case _, "window":
            return state, (Go("hand_over", HandOver("other")),)
        case "listed" | "accounts" | "trail" | "problem", "back":
            return InquireState(serial=state.serial + 1), ()
        case _, "back" | "quit" | "home":
            return state, (Go("home"),)
        case "problem", "again":
            return InquireState(serial=state.serial + 1), ()
        case "choosing" | "listed", "choose":
            return _choose(state, name, scene)
        case "listed", "curtain":
            open_until = scene.now + timedelta(seconds=CURTAIN_S)
            return replace(state, open_until=open_until), (Wake("curtain", CURTAIN_S),)
        case "listed", "previous" | "following" if state.open_until:
            first = turned(state.first, what, len(state.bills), BILLS_A_PAGE)
            return replace(state, first=first), ()
        case "listed", "bill" if state.open_until:
            return _print_bill(state, name, scene)
    return state, ignore(state.at, Touched(target), IGNORED)


def _choose(state: InquireState, name: str, scene: Scene) -> Stepped:
    assert scene.person is not None
    match name:
        case "account":
            asking = replace(state, at="accounts", serial=state.serial + 1, notice=None)
            return asking, (Ask(asking.tag, AskAccount(scene.person.person)),)
        case "trail":
            asking = replace(state, at="trail", serial=state.serial + 1, notice=None)
            return asking, (AskTrail(asking.tag, index_of(scene.person)),)
        case "reports":
            return state, (Go("print_reports"),)
    return state, ignore(state.at, Touched(f"choose:{name}"), IGNORED)


def _listed(state: InquireState, bills: tuple[Bill, ...]) -> InquireState:
    """The newest first; behind the curtain until it is touched."""
    newest = sorted(bills, key=_day, reverse=True)
    notice = None if bills else Notice("no_accounts", grave=False)
    listed = replace(state, at="listed", bills=tuple(newest), first=0, notice=notice)
    return replace(listed, open_until=None)


def _day(bill: Bill) -> str:
    return max((f"{line.day}" for line in bill.lines if line.day), default="")


# --- paper ---------------------------------------------------------------------------------------


def _print_bill(state: InquireState, id: str, scene: Scene) -> Stepped:
    """Row 73: itemised, inpatients' by day."""
    bill = next((one for one in state.bills if one.id == id), None)
    if bill is None:
        return state, ignore(state.at, Touched(f"bill:{id}"), IGNORED)
    assert scene.person is not None
    number = scene.number()
    printed = KeepAudit("list_printed", index_of(scene.person), slip=number)
    slip = PrintSlip(number, AccountSlip(number, scene.who, bill), large=scene.elder)
    done, wake = _finish(replace(state, done="list_printed"), number, scene)
    return done, (printed, slip, wake)


def _print_trail(state: InquireState, lines: tuple[TrailLine, ...], scene: Scene) -> Stepped:
    """Row 112: what was done here in this person's name, for themselves to read."""
    assert scene.person is not None
    number = scene.number()
    slip = TrailSlip(number, scene.who, lines[-TRAIL_LINES_MAX:])
    printed = KeepAudit("trail_printed", index_of(scene.person), slip=number)
    done, wake = _finish(replace(state, done="trail_printed"), number, scene)
    return done, (printed, PrintSlip(number, slip, large=scene.elder), wake)


def _finish(state: InquireState, number: str, scene: Scene) -> tuple[InquireState, Effect]:
    leave_at, wake = leave_later(scene)
    done = replace(state, at="finished", slip_number=number, slip="printing", bills=())
    return replace(done, leave_at=leave_at, open_until=None, notice=None), wake


# --- what is drawn -------------------------------------------------------------------------------


def view(state: InquireState, scene: Scene) -> Shown:
    match state.at:
        case "problem":
            problem = Problem("hospital_away", True, scene.rules.desk_window)
            return Shown(problem, ("back", "help", "window", "end"))
        case "finished":
            seconds = left_s(state.leave_at, scene.now)
            page = Finished(state.done, state.slip_number, state.slip, left_s=seconds)
            return Shown(page, notice=state.notice, idle="never")
    busy = "looking_up" if state.at in ("accounts", "trail") else ""
    shown = Shown(_inquiry(state, scene), ("back", "help", "large", "end"), busy=busy)
    return replace(shown, accepts=Accepts(cards=True), notice=state.notice)


def _inquiry(state: InquireState, scene: Scene) -> Inquiry:
    open_left_s = left_s(state.open_until, scene.now)
    here = state.bills[state.first : state.first + BILLS_A_PAGE]
    return Inquiry(
        choices=("account", "trail", "reports"),
        bills=tuple(_card(bill) for bill in here),
        open_left_s=open_left_s,
        number=state.first // BILLS_A_PAGE + 1,
        of=pages(state.bills, BILLS_A_PAGE),
    )


def _card(bill: Bill) -> AccountCard:
    days = [line.day for line in bill.lines if line.day]
    return AccountCard(bill.id, bill.title, max(days, default=None), bill.total_fen, bill.paid)


BUSINESS = Business("inquire", start, step, view)
