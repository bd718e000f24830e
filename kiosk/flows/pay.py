"""The bill page: insurance first, the person pays the rest, each way on one page.

The page only shows and chooses; whether money moved is the saga's word (payment.py). One attempt
is open at a time: before another way is tried, the one before has ended for certain.
"""

from __future__ import annotations

from dataclasses import replace

from kiosk.domain.bill import Quote
from kiosk.domain.codes import PayerCode, classify
from kiosk.flows.common import index_of, payable
from kiosk.flows.effects import (
    Ask,
    AskQuote,
    BeginPayment,
    Effect,
    EndSession,
    GiveUpPayment,
    HeldQuote,
    KeepQuote,
    PayOrder,
    SetToday,
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
from kiosk.flows.pay_pages import view
from kiosk.flows.pay_result import leave, print_slip, to_result
from kiosk.flows.pay_state import LINES_A_PAGE, RESULTS, Pay, Stepped, codes_closed, offered_cash
from kiosk.flows.scene import Business, Scene
from kiosk.hospital.contract import Method, PreSettle, Quoted, QuoteRefused
from kiosk.views import Notice

IGNORED: dict[tuple[str, str], str] = {
    ("charging", "CodeScanned"): "the pad has the floor; one attempt at a time",
    ("cash", "CodeScanned"): "the cash box has the floor; one attempt at a time",
    ("paying", "CodeScanned"): "one attempt at a time; the same code is often read twice",
    ("result", "CodeScanned"): "the payment has ended; a code here would be a second one",
    ("quoting", "CodeScanned"): "nobody knows the amount yet",
}


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
            return leave(pay, target, scene)
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
    if codes_closed(scene):  # another's payment by code is in doubt: no code is shown
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
    alone = replace(pay, quote=quote, alone=True, notice=notice, want="")
    alone = replace(alone, at="choosing", moved_to="DECLINED")
    if pay.want == "card" and quote == pay.quote:
        return _switch(alone, "card", scene)
    return alone, ()


def _by_card(pay: Pay, scene: Scene) -> Stepped:
    """Alone: only if the quote on the page is still good, since a page may lie open for long."""
    if not pay.alone:
        return _switch(pay, "card", scene)
    assert scene.person is not None
    return replace(pay, at="quoting", want="card"), (AskQuote("held", index_of(scene.person)),)


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
            return _by_card(pay, scene)
        case Touched("card"):
            return replace(pay, notice=Notice("pad_away", "pad")), ()
        case Touched("cash") if offered_cash(pay, scene) == "offered":
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
    if codes_closed(scene):
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
        case "cash" if offered_cash(pay, scene) == "offered":
            return _begin(replace(pay, at="cash", want=""), "cash", scene)
        case "cash":  # the box has gone meanwhile: the other ways are shown again
            return _choose(pay, scene)
    return leave(pay, pay.want, scene)


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
    return to_result(now, scene)


def _step_result(pay: Pay, event: Event, scene: Scene) -> Stepped:
    match event:
        case PaymentMoved(reference) if reference == pay.reference:
            if RESULTS.get(event.at, "checking") == RESULTS[pay.moved_to]:
                at = event.at if event.at in RESULTS else pay.moved_to
                settled = event.settled or pay.settled
                return replace(pay, reason=event.reason, moved_to=at, settled=settled), ()
            return _moved(pay, event, scene)
        case Woke("checking_slip") if not pay.slip_job:
            return print_slip(pay, scene)
        case SlipPrinted(job) if job == pay.slip_job:
            return replace(pay, slip="printed", notice=None), ()
        case SlipFailed(job, why) if job == pay.slip_job:
            return replace(pay, slip="failed", notice=Notice(why, "receipt_printer")), ()
        case Touched("again") if RESULTS[pay.moved_to] in ("not_charged", "reversed"):
            return start(scene, pay.order)
        case Touched("home"):
            return leave(pay, "home", scene)
        case Touched("end" | "quit" | "back" | "window" as target):
            return leave(pay, "back" if target == "back" else target, scene)
        case Woke("leave"):
            return leave(pay, "end", scene)
    return pay, ()


BUSINESS = Business("pay", start, step, view)
