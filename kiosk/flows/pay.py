"""The bill page: insurance first, the person pays the rest, each way on one page.

The page only shows and chooses; whether money moved is the saga's word (payment.py). One attempt
is open at a time: before another way is tried, the one before has ended for certain.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from kiosk.domain.bill import Quote
from kiosk.domain.codes import PayerCode, classify
from kiosk.domain.identity import mask_name
from kiosk.flows.common import index_of, payable, registration_ended
from kiosk.flows.effects import (
    Ask,
    AskQuote,
    BeginPayment,
    DropNote,
    Effect,
    EndSession,
    GiveUpPayment,
    Go,
    HandOver,
    HeldQuote,
    KeepQuote,
    PayOrder,
    PrintSlip,
    SetToday,
    Tell,
    Wake,
)
from kiosk.flows.events import (
    BankCardInserted,
    CodeHint,
    CodeRejected,
    CodeScanned,
    Event,
    Failed,
    PaymentMoved,
    Replied,
    SlipFailed,
    SlipPrinted,
    Touched,
    Woke,
)
from kiosk.flows.pay_cash import CashOffer, cash_offer, notes_page
from kiosk.flows.scene import Accepts, Business, Scene, Shown
from kiosk.flows.slips import PaymentSlip
from kiosk.hospital.contract import (
    Method,
    PreSettle,
    Quoted,
    QuoteRefused,
    ReleaseHold,
    Settled,
)
from kiosk.views import (
    BarKey,
    HomeTask,
    Named,
    Notice,
    PadBusy,
    Page,
    Paying,
    PayLine,
    PaymentResult,
    Problem,
)
from kiosk.views import Pay as PayPage

LINES_A_PAGE = 4

DELAYS_S = {
    "checking_slip": 8.0,  # most doubts end sooner; later the person needs paper in the hand
    "leave": 15.0,  # U5: after a finished task
    "leave_elder": 30.0,
    "leave_checking": 60.0,  # resolves or hands over within a minute (T6)
    "retry_print": 3.0,
}

Result = Literal["settled", "not_charged", "reversed", "checking", "refund_due"]

_RESULTS: dict[str, Result] = {
    "SETTLED": "settled",
    "DECLINED": "not_charged",
    "REVERSED": "reversed",
    "REFUND_DUE": "refund_due",
    "MANUAL": "refund_due",
    "UNKNOWN": "checking",
    "HIS_UNKNOWN": "checking",
    "HIS_REJECTED": "checking",
    "REVERSING": "checking",
}

IGNORED: dict[tuple[str, str], str] = {
    ("charging", "CodeScanned"): "the pad has the floor; one attempt at a time",
    ("cash", "CodeScanned"): "the cash box has the floor; one attempt at a time",
    ("paying", "CodeScanned"): "one attempt at a time; the same code is often read twice",
    ("result", "CodeScanned"): "the payment has ended; a code here would be a second one",
    ("quoting", "CodeScanned"): "nobody knows the amount yet",
}


@dataclass(frozen=True)
class Pay:
    """At: quoting, problem, choosing (the code is shown), switching (that one is being closed),
    charging (the pad), cash (notes go in), paying (asking or booking), result."""

    at: str
    order: PayOrder
    quote: Quote | None = None
    reference: str = ""
    method: Method = "shown_code"
    attempts: int = 0
    want: str = ""  # while switching: card, code, cash, or where to leave to
    payer_code: str = ""
    url: str = ""
    progress: str = "starting"
    moved_to: str = ""
    reason: str = ""
    taken_fen: int = 0  # notes in the box
    settled: Settled | None = None
    slip_number: str = ""
    slip_job: str = ""
    slip: Literal["printing", "printed", "failed"] = "printing"
    notice: Notice | None = None
    problem: str = ""
    alone: bool = False  # against a held quote: the hospital cannot be asked
    first_line: int = 0
    leave_at: datetime | None = None

    def __repr__(self) -> str:  # a payer's code must not reach a traceback
        return f"Pay(at={self.at!r}, reference={self.reference!r})"


Stepped = tuple[Pay, tuple[Effect, ...]]


def start(scene: Scene, argument: PayOrder) -> Stepped:
    if scene.payment_open:
        return Pay("problem", argument, problem="payment_pending"), ()
    if not scene.works.payments:
        return Pay("problem", argument, problem="payments_off"), ()
    if argument.quote is not None:
        return _choose(Pay("quoting", argument, quote=argument.quote), scene)
    assert scene.person is not None, "paying is for a known person"
    if not scene.works.hospital:
        return Pay("quoting", argument), (AskQuote("held", index_of(scene.person)),)
    request = PreSettle(scene.person.person, bill_ids=argument.bill_ids)
    return Pay("quoting", argument), (Ask("quote", request),)


def step(pay: Pay, event: Event, scene: Scene) -> Stepped:
    match pay.at, event:
        case "quoting", Replied("quote", Quoted(quote)):
            chosen, effects = _choose(replace(pay, quote=quote), scene)
            return chosen, (*_keep(quote, scene), *effects)
        case "quoting", Replied("held", HeldQuote(quote)):
            return _choose_alone(pay, quote, scene)
        case "quoting", Replied("quote", QuoteRefused(reason)):
            return replace(pay, at="problem", problem=f"quote_{reason}"), ()
        case "quoting", Failed("quote", "unreachable"):
            assert scene.person is not None
            return pay, (AskQuote("held", index_of(scene.person)),)
        case "quoting", Failed("quote"):
            return replace(pay, at="problem", problem="hospital_away"), ()
        case "problem", Touched("again"):
            return start(scene, pay.order)
        case "quoting" | "problem", Touched(target):
            return _leave(pay, target, scene)
        case "choosing", _:
            return _step_choosing(pay, event, scene)
        case "result", _:
            return _step_result(pay, event, scene)
        case "charging" | "cash", Touched("back" | "quit" | "window" | "end" as target):
            return replace(pay, want=target), (GiveUpPayment(pay.reference),)
        case "switching", Touched("back" | "quit" | "window" as target):
            return replace(pay, want=target), ()  # it is being closed already
        case _, PaymentMoved(reference) if reference == pay.reference:
            return _moved(pay, event, scene)
        case "paying" | "switching", Touched("end"):
            # Idle never runs out here, but a page may be wiped: the saga goes on alone.
            return pay, (GiveUpPayment(pay.reference), EndSession())
    return pay, ()


# --- choosing a way ------------------------------------------------------------------------------


def _choose(pay: Pay, scene: Scene) -> Stepped:
    """Show the code at once: most people pay with the phone that is in their hand."""
    assert pay.quote is not None
    if pay.quote.split.own_fen == 0:
        return _begin(replace(pay, at="paying"), "shown_code", scene)
    if _codes_closed(scene):  # another's payment by code is in doubt: no code is shown
        notice = Notice("codes_in_doubt", grave=False)
        return replace(pay, at="choosing", url="", moved_to="DECLINED", notice=notice), ()
    return _begin(replace(pay, at="choosing", url="", want=""), "shown_code", scene)


def _keep(quote: Quote, scene: Scene) -> tuple[Effect, ...]:
    """For later, when the hospital may be away; how it may be used is decided then."""
    assert scene.person is not None
    if not quote.bill_ids or scene.rules.offline_bills == "never":
        return ()
    today = (SetToday(scene.today, quote),) if scene.today else ()
    return (KeepQuote(index_of(scene.person), quote), *today)


def _choose_alone(pay: Pay, quote: Quote | None, scene: Scene) -> Stepped:
    """Without the hospital: by card alone, and only what it has signed for these very bills.

    No code is opened, since the provider is asked through the gateway: the page begins where a
    code that could not be opened has left it.
    """
    ours = quote is not None and set(quote.bill_ids) == set(pay.order.bill_ids)
    if not ours or not payable(quote, scene):
        return replace(pay, at="problem", problem="hospital_away"), ()
    notice = Notice("card_only_away", grave=False)
    alone = replace(pay, quote=quote, alone=True, notice=notice)
    return replace(alone, at="choosing", moved_to="DECLINED"), ()


def _begin(pay: Pay, method: Method, scene: Scene) -> Stepped:
    assert pay.quote is not None
    reference = f"{scene.reference()}"
    begin = BeginPayment(
        reference,
        method,
        pay.quote.split.own_fen,
        pay.quote,
        pay.order.hold_key,
        pay.payer_code if method == "payer_code" else "",
    )
    begun = replace(
        pay,
        reference=reference,
        method=method,
        attempts=pay.attempts + 1,
        payer_code="",
        moved_to="",
        reason="",
        taken_fen=0,
        progress="starting",
        url="",
    )
    return begun, (begin,)


def _step_choosing(pay: Pay, event: Event, scene: Scene) -> Stepped:
    match event:
        case Touched("card") | BankCardInserted() if "pad" in scene.ways_in_doubt:
            return replace(pay, notice=Notice("pad_in_doubt", "pad", grave=False)), ()
        case Touched("card") | BankCardInserted() if scene.works.pad:
            return _switch(pay, "card", scene)
        case Touched("card"):
            return replace(pay, notice=Notice("pad_away", "pad")), ()
        case Touched("cash") if _cash(pay, scene) == "offered":
            return _switch(pay, "cash", scene)
        case Touched("lines_previous" | "lines_following" as way):
            return _turn(pay, way), ()
        case Touched("back" | "quit" | "window" | "end" as target):
            return _switch(pay, target, scene)
        case CodeScanned() if pay.alone:
            return replace(pay, notice=Notice("card_only_away", grave=False)), ()
        case CodeScanned(text):
            return _scanned(pay, text, scene)
        case CodeHint(code):
            return replace(pay, notice=Notice(f"code_{code}", "scanner", grave=False)), ()
        case CodeRejected():
            return replace(pay, notice=Notice("code_garbled", "scanner")), ()
        case PaymentMoved(reference) if reference == pay.reference:
            return _moved(pay, event, scene)
    return pay, ()


def _scanned(pay: Pay, text: str, scene: Scene) -> Stepped:
    if _codes_closed(scene):
        return replace(pay, notice=Notice("codes_in_doubt", grave=False)), ()
    code = classify(text, "payment")
    if not isinstance(code, PayerCode):
        return replace(pay, notice=Notice("code_not_for_this", "scanner")), ()
    return _switch(replace(pay, payer_code=text), "code", scene)


def _switch(pay: Pay, want: str, scene: Scene) -> Stepped:
    """The shown code must have ended, unpaid, before anything else may be tried."""
    switching = replace(pay, at="switching", want=want, notice=None)
    if pay.moved_to == "DECLINED":  # it could not be opened: nothing to close
        return _closed(switching, scene)
    return switching, (GiveUpPayment(pay.reference),)


def _closed(pay: Pay, scene: Scene) -> Stepped:
    match pay.want:
        case "card":
            return _begin(replace(pay, at="charging", want=""), "card", scene)
        case "code":
            return _begin(replace(pay, at="paying", want=""), "payer_code", scene)
        case "cash" if _cash(pay, scene) == "offered":
            return _begin(replace(pay, at="cash", want=""), "cash", scene)
        case "cash":  # the box has gone meanwhile: the other ways are shown again
            return _choose(pay, scene)
    return _leave(pay, pay.want, scene)


def _codes_closed(scene: Scene) -> bool:
    return "codes" in scene.ways_in_doubt


def _turn(pay: Pay, way: str) -> Pay:
    assert pay.quote is not None
    first = pay.first_line + (LINES_A_PAGE if way == "lines_following" else -LINES_A_PAGE)
    return replace(pay, first_line=first) if 0 <= first < len(pay.quote.lines) else pay


# --- what became of it ---------------------------------------------------------------------------


def _moved(pay: Pay, moved: PaymentMoved, scene: Scene) -> Stepped:
    now = replace(
        pay,
        moved_to=moved.at,
        reason=moved.reason,
        url=moved.url,
        progress=moved.progress if pay.method == "cash" else moved.progress or pay.progress,
        settled=moved.settled or pay.settled,
        taken_fen=moved.taken_fen,
    )
    match pay.at, moved.at:
        case _, "DECLINED" if moved.reason == "payments_off":
            return replace(now, at="problem", problem="payments_off"), ()
        case "choosing", "DECLINED":
            # The code could not be shown; card and payer's code are still offered.
            return replace(now, url="", notice=Notice("hospital_away", grave=False)), ()
        case "switching", "DECLINED":
            return _closed(now, scene)
        case "choosing", "SENT" | "UNKNOWN":
            return now, ()
        case "switching" | "charging" | "cash" | "paying", "SENT":
            return now, ()
        case "charging" | "cash" | "paying", "DECLINED" if pay.want:
            return _closed(now, scene)
        case _, "PAID" | "BOOKING":
            return replace(now, at="paying"), ()
    return _to_result(now, scene)


def _to_result(pay: Pay, scene: Scene) -> Stepped:
    result = _RESULTS[pay.moved_to]
    shown = replace(pay, at="result", slip_job="", slip_number="", slip="printing")
    if _unheard(pay):  # nothing will be known soon: the paper comes at once
        printed, effects = _print(shown, scene)
        later = scene.now + timedelta(seconds=DELAYS_S["leave_checking"])
        return replace(printed, leave_at=later), (
            *effects,
            Wake("leave", DELAYS_S["leave_checking"]),
        )
    if result == "checking":
        later = scene.now + timedelta(seconds=DELAYS_S["leave_checking"])
        wakes = (
            Wake("checking_slip", DELAYS_S["checking_slip"]),
            Wake("leave", DELAYS_S["leave_checking"]),
        )
        return replace(shown, leave_at=later), wakes
    printed, effects = _print(shown, scene)
    if result == "settled":
        notes = (DropNote(f"hold:{pay.order.hold_key}"),) if pay.order.hold_key else ()
        effects = (*effects, *notes)
    return _leave_later(printed, effects, scene)


def _leave_later(pay: Pay, effects: tuple[Effect, ...], scene: Scene) -> Stepped:
    left_s = DELAYS_S["leave_elder" if scene.elder else "leave"]
    leaving = replace(pay, leave_at=scene.now + timedelta(seconds=left_s))
    return leaving, (*effects, Wake("leave", left_s))


def _print(pay: Pay, scene: Scene) -> Stepped:
    assert pay.quote is not None
    result = _RESULTS[pay.moved_to]
    number = scene.number()
    settled = pay.settled
    slip = PaymentSlip(
        number=number,
        who=scene.who,
        reference=pay.reference,
        result=result,
        method=pay.method,
        amount_fen=_moved_fen(pay),
        lines=pay.quote.lines,
        split=pay.quote.split,
        receipt_number=settled.receipt_number if settled else "",
        window=scene.rules.cashier_window if result in ("refund_due", "checking") else "",
        acting=mask_name(scene.acting.name) if scene.acting else "",
        ticket=settled.ticket if settled else None,
        unheard=_unheard(pay),
    )
    job = f"{pay.reference}-{result}"
    printing = replace(pay, slip_number=number, slip_job=job, slip="printing")
    return printing, (PrintSlip(job, slip, large=scene.elder),)


def _step_result(pay: Pay, event: Event, scene: Scene) -> Stepped:
    match event:
        case PaymentMoved(reference) if reference == pay.reference:
            if _RESULTS.get(event.at, "checking") == _RESULTS[pay.moved_to]:
                at = event.at if event.at in _RESULTS else pay.moved_to
                return replace(pay, reason=event.reason, moved_to=at), ()
            if event.at in ("PAID", "BOOKING"):
                return replace(pay, settled=event.settled), ()
            return _moved(pay, event, scene)
        case Woke("checking_slip") if not pay.slip_job:
            return _print(pay, scene)
        case SlipPrinted(job) if job == pay.slip_job:
            return replace(pay, slip="printed", notice=None), ()
        case SlipFailed(job, why) if job == pay.slip_job:
            return replace(pay, slip="failed", notice=Notice(why, "receipt_printer")), ()
        case Touched("again") if _RESULTS[pay.moved_to] in ("not_charged", "reversed"):
            return start(scene, pay.order)
        case Touched("home"):
            return _leave(pay, "home", scene)
        case Touched("end" | "quit" | "back" | "window" as target):
            return _leave(pay, "back" if target == "back" else target, scene)
        case Woke("leave"):
            return _leave(pay, "end", scene)
    return pay, ()


def _leave(pay: Pay, target: str, scene: Scene) -> Stepped:
    """Leaving unpaid unlocks the number; leaving in doubt leaves a slip in the hand first."""
    if target not in ("back", "quit", "window", "end", "home"):
        return pay, ()
    effects: tuple[Effect, ...] = ()
    if pay.order.hold_key and (_unpaid(pay) or pay.moved_to == "REFUND_DUE"):
        note = f"hold:{pay.order.hold_key}"
        release = ReleaseHold(f"{pay.order.hold_key}-release", pay.order.hold_key)
        why = "failed" if pay.moved_to == "REFUND_DUE" else "cancelled"
        ended = registration_ended(pay.order.hold_key, why)
        effects = (ended, DropNote(note), Tell(release))
    if _in_doubt(pay) and not pay.slip_job:
        pay, more = _print(pay, scene)
        effects = (*effects, *more)
    match target:
        case "window":  # nothing is left here to come back to: the slip lies on top of home
            return pay, (*effects, Go("home"), Go("hand_over", _hand_over(pay)))
        case "end":
            return pay, (*effects, EndSession())
    return pay, (*effects, Go("home"))


def _unheard(pay: Pay) -> bool:
    """The pad has the money, and nobody has told the hospital yet."""
    return pay.alone and pay.moved_to == "HIS_UNKNOWN"


def _unpaid(pay: Pay) -> bool:
    return pay.moved_to in ("", "DECLINED", "REVERSED")


def _in_doubt(pay: Pay) -> bool:
    return pay.at == "result" and _RESULTS[pay.moved_to] == "checking"


def _hand_over(pay: Pay) -> HandOver:
    own_fen = pay.quote.split.own_fen if pay.quote else 0
    return HandOver("pay", own_fen, "" if _unpaid(pay) else pay.reference)


# --- what is drawn -------------------------------------------------------------------------------


def view(pay: Pay, scene: Scene) -> Shown:
    notice = pay.notice
    match pay.at:
        case "problem":
            problem = Problem(pay.problem, pay.problem == "hospital_away", _window(scene))
            return Shown(problem, ("back", "help", "window", "end"))
        case "quoting":
            bar: tuple[BarKey, ...] = ("back", "help", "window", "quit")
            return Shown(_bill(pay, scene), bar, _step(pay), busy="quoting")
        case "choosing":
            accepts = Accepts(codes="" if pay.alone else "payment", bank_cards=True)
            shown = Shown(_bill(pay, scene), ("back", "help", "window", "quit"), _step(pay))
            return replace(shown, accepts=accepts, notice=notice)
        case "switching":
            bill = _bill(pay, scene)
            return Shown(bill, ("back", "help"), _step(pay), busy="asking", idle="never")
        case "charging":
            return Shown(_pad(pay), ("back", "help"), _step(pay), idle="never")
        case "cash":
            at = "stopping" if pay.want else pay.progress
            notes = notes_page(_own_fen(pay), pay.taken_fen, at, _window(scene))
            return Shown(notes, ("back", "help"), _step(pay), idle="never")
        case "paying":
            stage: Any = "booking" if pay.moved_to in ("PAID", "BOOKING") else "asking_payer"
            at_machine = pay.method in ("card", "cash")
            page: Page = Paying(_own_fen(pay), stage) if at_machine else _bill(pay, scene)
            busy = "booking" if stage == "booking" else "asking"
            return Shown(page, ("help",), _step(pay), busy=busy, idle="never")
    shown = Shown(_result(pay, scene), ("end", "help", "large", "voice"), (3, 3), notice=notice)
    return replace(shown, idle="never")  # its own clock ends this page


def _cash(pay: Pay, scene: Scene) -> CashOffer:
    return "" if pay.alone else cash_offer(_own_fen(pay), scene)


def _moved_fen(pay: Pay) -> int:
    """What the result speaks of: of notes that were not enough, what is in the box."""
    short = pay.method == "cash" and pay.moved_to in ("REFUND_DUE", "MANUAL")
    return pay.taken_fen if short else _own_fen(pay)


def _step(pay: Pay) -> tuple[int, int]:
    """Who has just said yes to an hour (3 of 3) is not sent back to 2 of 3."""
    return (3, 3) if pay.order.hold_key else (2, 3)


def _window(scene: Scene) -> str:
    return scene.rules.cashier_window


def _own_fen(pay: Pay) -> int:
    return pay.quote.split.own_fen if pay.quote else 0


def _bill(pay: Pay, scene: Scene) -> PayPage:
    lines = pay.quote.lines if pay.quote else ()
    page = lines[pay.first_line : pay.first_line + LINES_A_PAGE]
    split = pay.quote.split if pay.quote else None
    return PayPage(
        lines=tuple(PayLine(line.name, line.quantity, line.amount_fen) for line in page),
        more_lines=max(0, len(lines) - len(page)),
        total_fen=split.total_fen if split else 0,
        basic_fen=split.basic_fen if split else 0,
        serious_fen=split.serious_fen if split else 0,
        aid_fen=split.aid_fen if split else 0,
        own_fen=split.own_fen if split else 0,
        insured=pay.quote.insured if pay.quote else False,
        url=pay.url if pay.at == "choosing" else "",
        scanning=_takes_codes(pay, scene) and scene.works.scanner,
        card=scene.works.pad and "pad" not in scene.ways_in_doubt,
        for_whom=scene.who if scene.acting else "",
        cash=_cash(pay, scene),
    )


def _takes_codes(pay: Pay, scene: Scene) -> bool:
    return pay.at == "choosing" and not pay.alone and not _codes_closed(scene)


def _pad(pay: Pay) -> PadBusy:
    progress: Any = pay.progress
    return PadBusy(_own_fen(pay), progress)


def _result(pay: Pay, scene: Scene) -> PaymentResult:
    result = _RESULTS[pay.moved_to]
    left = pay.leave_at - scene.now if pay.leave_at else timedelta(0)
    window = scene.rules.cashier_window if result in ("refund_due", "checking") else ""
    return PaymentResult(
        result=result,
        amount_fen=_moved_fen(pay),
        slip_number=pay.slip_number or pay.reference.rpartition("-")[2],
        slip=pay.slip,
        window=window,
        reason=pay.reason if result == "not_charged" or pay.method == "cash" else "",
        registered=_registered(pay),
        unheard=_unheard(pay),
        left_s=max(0, round(left.total_seconds())),
    )


def _registered(pay: Pay) -> HomeTask | None:
    if pay.settled is None or pay.settled.appointment is None:
        return None
    appointment = pay.settled.appointment
    return HomeTask(
        kind="go_to",
        department=Named(appointment.department, appointment.department_en),
        doctor=appointment.doctor,
        starts=appointment.starts,
        ends=appointment.ends,
        floor=appointment.floor,
        room=appointment.room,
        number=pay.settled.ticket.number if pay.settled.ticket else "",
    )


BUSINESS = Business("pay", start, step, view)
