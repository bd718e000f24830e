"""Stories at the bill page: one page, one press, and four results, each with a slip."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from kiosk.domain.bill import BillLine, Split
from kiosk.flows import pay, pay_state
from kiosk.flows.effects import (
    BeginPayment,
    DropNote,
    EndSession,
    Go,
    HandOver,
    PayOrder,
    PrintSlip,
    Tell,
)
from kiosk.flows.events import (
    BankCardInserted,
    CodeHint,
    CodeRejected,
    CodeScanned,
    Failed,
    PadApproved,
    PadCompleted,
    PadDeclined,
    PadProgressed,
    PadRecalled,
    PadSilent,
    PaymentMoved,
    Replied,
    SlipFailed,
    SlipPrinted,
    Touched,
    Woke,
)
from kiosk.flows.payment import At
from kiosk.hospital.contract import QuoteRefused, ReleaseHold
from kiosk.views import Named, PadBusy, PaymentResult, Problem, Works
from kiosk.views import Pay as PayPage
from tests.flows.people import LI, TICKET, WANG, appointment
from tests.flows.people import quote as registration_quote
from tests.flows.till import PAYER_CODE, Till, bill_of, quote

LOCKED = PayOrder(quote=registration_quote(), hold_key="K03-H1")


def pad_of(till: Till) -> tuple[Any, ...]:
    """The pad's words about the open payment."""
    reference, fen = till.payment.reference, till.payment.amount_fen
    return (
        PadApproved(reference, fen, "trace 7"),
        PadCompleted(reference),
        PadDeclined(reference, "declined"),
        PadSilent(reference),
    )


def at_pad(**scene: Any) -> Till:
    """The shown code is closed, the card is asked for."""
    return Till.choosing(**scene).touch("card").charge("close", "closed")


def settled_by_card(**scene: Any) -> Till:
    till = at_pad(**scene)
    approved, completed, *_ = pad_of(till)
    return till.pay(approved).booked().pay(completed)


# --- the page ------------------------------------------------------------------------------------


def test_three_insurers_are_three_lines_and_the_sum_is_proven() -> None:
    """Row 62: basic, serious illness and medical aid, each by itself, and what is left to pay."""
    page = Till.choosing().page
    assert isinstance(page, PayPage)
    assert (page.basic_fen, page.serious_fen, page.aid_fen) == (7130, 1600, 0)
    parts = page.basic_fen + page.serious_fen + page.aid_fen + page.own_fen
    assert page.total_fen == parts == 12850
    assert page.total_fen == sum(line.amount_fen for line in page.lines)


def test_the_code_is_shown_and_the_scanner_is_lit_on_the_same_page() -> None:
    """Row 64: both directions at once, no page to choose a method."""
    till = Till.choosing()
    assert till.page.url.startswith("https://") and till.page.scanning and till.page.card
    assert till.shown.accepts.codes == "payment" and till.shown.accepts.bank_cards


def test_one_page_and_no_press_pays_by_phone() -> None:
    """Row 61: insurance first, the rest by the phone that scans the page."""
    till = Till.choosing().charge("query", "paid").booked()
    assert till.page.result == "settled"
    assert till.orders() == ["PreSettle", "OpenOrder", "Settle"]


def test_one_press_pays_by_card() -> None:
    """Rows 61 and 63: the bill was on the page already; one touch, then the pad."""
    till = settled_by_card()
    assert till.page.result == "settled"
    assert till.orders()[2:] == ["CloseOrder", "ChargePad", "Settle", "CompletePad"]


def test_a_card_put_into_the_pad_is_a_choice_without_a_touch() -> None:
    till = Till.choosing().tell(BankCardInserted()).charge("close", "closed")
    assert isinstance(till.page, PadBusy)


def test_a_payers_code_is_charged_once_however_often_it_is_read() -> None:
    """Row 63: the scanner reads the same code many times a second."""
    till = Till.choosing().tell(*[CodeScanned(PAYER_CODE)] * 3).charge("close", "closed")
    till.tell(CodeScanned(PAYER_CODE), CodeScanned(PAYER_CODE))
    till.charge("charge", "paid").booked()
    assert till.orders().count("PayByCode") == 1
    assert till.page.result == "settled"


def test_nothing_left_to_pay_is_settled_without_a_choice() -> None:
    """Row 61: own part 0."""
    till = Till.open().quoted(quote(Split(12850, 0, 0, 0))).booked()
    assert till.page.result == "settled" and till.page.amount_fen == 0
    assert till.orders() == ["PreSettle", "Settle"]


def test_the_screen_learns_an_items_english_name_where_the_hospital_has_one() -> None:
    lines = (BillLine("血常规检查", 1, 3500, name_en="Blood count"), BillLine("床位费", 1, 100))
    till = Till.open().quoted(quote(Split(0, 0, 0, 3600), lines)).opened()
    named = [Named("血常规检查", "Blood count"), Named("床位费")]
    assert [line.name for line in till.page.lines] == named


def test_a_long_bill_is_turned_by_pages_of_four_lines() -> None:
    bill = bill_of(9)
    till = Till.open().quoted(quote(Split(0, 0, 0, 900), bill.lines)).opened()
    assert [line.name.zh for line in till.page.lines] == [f"项目{n}" for n in range(4)]
    till.touch("lines_following", "lines_following", "lines_following")
    assert [line.name.zh for line in till.page.lines] == ["项目8"]
    till.touch("lines_previous", "lines_previous", "lines_previous")
    assert till.page.lines[0].name.zh == "项目0"


@pytest.mark.parametrize(
    ("event", "notice"),
    [
        (CodeScanned("https://evil.invalid/"), "code_not_for_this"),
        (CodeScanned("11010519491231002X"), "code_not_for_this"),
        (CodeScanned("\x1b@" + PAYER_CODE), "code_not_for_this"),
        (CodeRejected(), "code_garbled"),
        (CodeHint("glare"), "code_glare"),
    ],
)
def test_a_code_that_pays_nothing_is_said_and_charged_nowhere(event: Any, notice: str) -> None:
    till = Till.choosing().tell(event)
    assert till.notice == notice
    assert till.page.url and till.orders() == ["PreSettle", "OpenOrder"]


def test_without_a_pad_the_card_is_not_taken() -> None:
    till = Till.choosing(works=Works(pad=False)).touch("card")
    assert till.notice == "pad_away" and not till.page.card
    till.tell(BankCardInserted())
    assert isinstance(till.page, PayPage) and "CloseOrder" not in till.orders()


def test_a_code_that_cannot_be_opened_leaves_card_and_scanner() -> None:
    till = Till.open().quoted().fails("order", "unreachable")
    assert isinstance(till.page, PayPage) and till.page.url == ""
    assert till.notice == "hospital_away"
    till.touch("card")
    assert till.orders()[-1] == "ChargePad", "nothing was open that had to be closed"


# --- before the bill -----------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["already_paid", "insurer_away", "insurer_refused"])
def test_a_refused_quote_says_why_and_where_to_go(reason: Any) -> None:
    till = Till.open().tell(Replied("quote", QuoteRefused(reason)))
    assert isinstance(till.page, Problem) and till.page.code == f"quote_{reason}"
    assert "window" in till.shown.bar


def test_a_bill_that_could_not_be_asked_for_can_be_asked_for_again() -> None:
    till = Till.open().tell(Failed("quote", "unreachable"))
    assert isinstance(till.page, Problem) and till.page.can_retry
    till.touch("again").quoted().opened()
    assert isinstance(till.page, PayPage)


def test_while_another_payment_is_in_doubt_nothing_is_begun() -> None:
    """One open payment a terminal (RELIABILITY §2.1)."""
    till = Till.open(payment_open=True)
    assert isinstance(till.page, Problem) and till.page.code == "payment_pending"
    assert till.every(BeginPayment) == [] and till.orders() == []


def test_beside_a_card_payment_long_in_doubt_people_pay_by_phone_and_the_pad_stays_cold() -> None:
    till = Till.choosing(ways_in_doubt=frozenset(("pad",)))
    assert till.page.url and not till.page.card
    till.touch("card")
    assert till.notice == "pad_in_doubt" and till.page.url, "the code stays open"
    till.tell(BankCardInserted())
    assert till.state.at == "choosing" and "ChargePad" not in till.orders()
    till.tell(CodeScanned(PAYER_CODE)).charge("close", "closed").charge("charge", "paid").booked()
    assert till.page.result == "settled"


def test_beside_a_code_long_in_doubt_people_pay_by_card_and_no_code_is_opened() -> None:
    till = Till.open(ways_in_doubt=frozenset(("codes",))).quoted()
    assert till.notice == "codes_in_doubt" and till.page.url == "" and not till.page.scanning
    till.tell(CodeScanned(PAYER_CODE))
    assert till.orders() == ["PreSettle"] and till.notice == "codes_in_doubt"
    till.touch("card").pay(PadApproved(till.payment.reference, 4120, "trace 7")).booked()
    till.pay(PadCompleted(till.payment.reference))
    assert till.page.result == "settled" and "OpenOrder" not in till.orders()


def test_with_codes_in_doubt_one_can_still_leave_and_what_insurers_pay_is_booked() -> None:
    till = Till.open(ways_in_doubt=frozenset(("codes",))).quoted().touch("back")
    assert till.left == [Go("home")]
    free = Till.open(ways_in_doubt=frozenset(("codes",))).quoted(quote(Split(12850, 0, 0, 0)))
    assert free.booked().page.result == "settled"


# --- one way at a time ---------------------------------------------------------------------------


def test_a_code_paid_at_the_moment_the_card_is_chosen_is_settled_and_the_pad_stays_cold() -> None:
    till = Till.choosing().touch("card").charge("close", "paid").booked()
    assert till.page.result == "settled"
    assert "ChargePad" not in till.orders()


def test_the_pad_is_armed_only_after_the_code_has_been_closed() -> None:
    till = Till.choosing().touch("card")
    assert "ChargePad" not in till.orders() and till.shown.busy == "asking"
    till.charge("close", "waiting")
    assert "ChargePad" not in till.orders()
    till.charge("close", "closed")
    assert till.orders()[-1] == "ChargePad"


def test_two_quick_touches_of_card_charge_once() -> None:
    till = Till.choosing().touch("card", "card").charge("close", "closed").touch("card")
    assert till.orders().count("ChargePad") == 1


def test_a_code_that_cannot_be_closed_is_a_doubt_and_not_a_dead_page() -> None:
    """The line breaks while switching: somebody may have paid; the person gets a slip."""
    till = Till.choosing().touch("card").fails("close").wake("checking_slip")
    assert till.page.result == "checking"
    assert till.slips()[-1].slip.result == "checking"  # type: ignore[union-attr]
    assert "ChargePad" not in till.orders()


def test_a_person_who_thinks_again_while_the_code_is_being_closed_is_led_there() -> None:
    till = Till.choosing().touch("card", "back").charge("close", "closed")
    assert till.left == [Go("home")]
    assert "ChargePad" not in till.orders()


def test_each_attempt_has_a_reference_of_its_own() -> None:
    till = at_pad()
    till.pay(pad_of(till)[2]).touch("again").quoted().opened()
    references = [begin.reference for begin in till.every(BeginPayment)]
    assert len(set(references)) == len(references) == 3


# --- the four results ----------------------------------------------------------------------------


def test_every_state_of_a_payment_has_its_page() -> None:
    """U11: UNKNOWN is never shown as not charged, nothing unpaid as settled."""
    shown = {at: pay_state.RESULTS.get(at, "") for at in get_args(At)}
    assert shown["SETTLED"] == "settled"
    assert [at for at, result in shown.items() if result == "not_charged"] == ["DECLINED"]
    assert [at for at, result in shown.items() if result == "reversed"] == ["REVERSED"]
    doubts = {"UNKNOWN", "HIS_UNKNOWN", "HIS_REJECTED", "REVERSING"}
    assert {at for at, result in shown.items() if result == "checking"} == doubts
    assert {at for at, result in shown.items() if result == "refund_due"} == {
        "REFUND_DUE",
        "MANUAL",
    }


def test_declined_says_that_nothing_was_taken_and_may_be_tried_again() -> None:
    till = at_pad()
    till.pay(pad_of(till)[2])
    assert (till.page.result, till.page.reason) == ("not_charged", "declined")
    assert till.slips()[-1].slip.result == "not_charged"  # type: ignore[union-attr]
    till.touch("again").quoted().opened()
    assert isinstance(till.page, PayPage) and till.page.url


def test_a_silent_pad_is_never_called_a_failure() -> None:
    """P4: the page says being checked; touching "again" there does nothing."""
    till = at_pad()
    till.pay(pad_of(till)[3])
    assert till.page.result == "checking" and till.page.reason == ""
    begun = len(till.every(BeginPayment))
    till.touch("again", "card").tell(CodeScanned(PAYER_CODE))
    assert till.page.result == "checking" and len(till.every(BeginPayment)) == begun


def test_a_doubt_prints_its_slip_after_eight_seconds_and_leaves_after_a_minute() -> None:
    till = at_pad()
    till.pay(pad_of(till)[3])
    assert till.slips() == [] and till.waits()["checking_slip"] == 8
    till.wake("checking_slip")
    [slip] = till.slips()
    assert slip.slip.result == "checking" and slip.slip.reference == till.payment.reference  # type: ignore[union-attr]
    till.wake("leave")
    assert till.left == [EndSession()] and till.slips() == [slip]


def test_a_doubt_that_ends_well_prints_the_receipt_after_the_first_slip() -> None:
    till = at_pad()
    till.pay(pad_of(till)[3]).wake("checking_slip")
    reference, fen = till.payment.reference, till.payment.amount_fen
    till.pay(PadRecalled(reference, "completed", fen, "trace 7")).booked()
    assert till.page.result == "settled"
    assert [slip.slip.result for slip in till.slips()] == ["checking", "settled"]  # type: ignore[union-attr]
    assert len({slip.job for slip in till.slips()}) == 2


def test_leaving_in_doubt_puts_the_slip_into_the_hand_first() -> None:
    till = at_pad()
    till.pay(pad_of(till)[3]).touch("end")
    assert [slip.slip.result for slip in till.slips()] == ["checking"]  # type: ignore[union-attr]
    assert till.left == [EndSession()]


def test_refused_by_the_hospital_and_given_back() -> None:
    till = Till.choosing().charge("query", "paid").refused()
    assert till.page.result == "checking"
    till.charge("reverse", "reversed")
    assert till.page.result == "reversed"
    assert till.slips()[-1].slip.result == "reversed"  # type: ignore[union-attr]


def test_money_that_cannot_be_given_back_names_the_window() -> None:
    till = Till.choosing().charge("query", "paid").refused().charge("reverse", "paid")
    assert (till.page.result, till.page.window) == ("refund_due", "3")
    assert till.slips()[-1].slip.window == "3"  # type: ignore[union-attr]


def test_the_hospital_silent_after_payment_is_a_doubt_until_it_has_booked() -> None:
    till = Till.choosing().charge("query", "paid").fails("settle")
    assert till.page.result == "checking"
    till.booked()
    assert till.page.result == "settled"


# --- paper ---------------------------------------------------------------------------------------


def test_a_receipt_that_does_not_come_out_is_said_and_comes_when_paper_is_back() -> None:
    till = settled_by_card()
    job = till.slips()[-1].job
    till.tell(SlipFailed(job, "no_receipt_paper", maybe=True))
    assert till.page.slip == "failed" and till.notice == "no_receipt_paper"
    till.printed()
    assert till.page.slip == "printed" and till.notice == ""


def test_the_printer_speaks_of_this_slip_only() -> None:
    till = settled_by_card().tell(SlipFailed("another", "printer_jam"))
    assert till.page.slip == "printing"


def test_elders_get_a_large_slip_and_twice_the_time() -> None:
    """Row 105's part here: 16 pt, and 30 s instead of 15."""
    assert settled_by_card().waits()["leave"] == 15
    elder = settled_by_card(elder=True)
    assert elder.waits()["leave"] == 30
    assert all(slip.large for slip in elder.slips())


def test_a_slip_for_a_relative_names_both_masked() -> None:
    """Rows 22 and 37: who it is for, and who paid."""
    till = settled_by_card(person=LI, acting=WANG)
    slip = till.slips()[-1].slip
    assert (slip.who, slip.acting) == ("李*国", "王*兰")  # type: ignore[union-attr]


def test_a_paid_registration_shows_where_to_go() -> None:
    till = Till.open(LOCKED).opened().charge("query", "paid")
    till.booked(appointment=appointment(), ticket=TICKET)
    assert till.page.registered.room == "305" and till.page.registered.number == "A012"
    assert till.slips()[-1].slip.ticket == TICKET  # type: ignore[union-attr]


# --- leaving -------------------------------------------------------------------------------------


def held(till: Till) -> list[str]:
    """Holds that were given back."""
    tells = [effect.request for effect in till.every(Tell)]
    return [tell.hold_key for tell in tells if isinstance(tell, ReleaseHold)]


LEAVING = {
    "back": (Go("home"),),
    "quit": (Go("home"),),
    "end": (EndSession(),),
    "window": (Go("home"), Go("hand_over", HandOver("pay", 500))),
}
STANDS: dict[str, Any] = {
    "the code is shown": lambda: Till.open(LOCKED).opened(),
    "the code is not there yet": lambda: Till.open(LOCKED),
    "the card is asked for": lambda: (
        Till.open(LOCKED).opened().touch("card").charge("close", "closed")
    ),
}


@pytest.mark.parametrize("target", LEAVING)
@pytest.mark.parametrize("stands", STANDS)
def test_turning_away_closes_the_attempt_unlocks_the_number_and_goes(
    stands: str, target: str
) -> None:
    """Row 103: 去窗口 on every page; DESIGN §5: a number is unlocked on leaving."""
    till = STANDS[stands]().touch(target)
    assert till.left == [] and held(till) == [], "not before the attempt has ended"
    if till.payment.method == "card":
        till.pay(PadDeclined(till.payment.reference, "cancelled_at_pad"))
    else:
        till.charge("close", "closed")
    assert tuple(till.left) == LEAVING[target]
    assert held(till) == ["K03-H1"] and DropNote("hold:K03-H1") in till.done


def test_a_wipe_does_not_wait_for_the_attempt_to_end() -> None:
    """Nobody stands there any more: the payment goes on alone, its number with it."""
    till = Till.open(LOCKED).opened().touch("card", "end")
    assert till.left == [EndSession()] and held(till) == []
    assert till.orders()[-1] == "CloseOrder"


@pytest.mark.parametrize("target", LEAVING)
def test_turning_away_too_late_ends_in_the_result(target: str) -> None:
    till = Till.open(LOCKED).opened().touch(target).charge("close", "paid").booked()
    assert till.page.result == "settled" and till.left == []
    assert held(till) == []


@pytest.mark.parametrize("target", ["back", "quit", "end", "window"])
@pytest.mark.parametrize(
    ("why", "code"),
    [
        ({"payment_open": True}, "payment_pending"),
        ({"works": Works(payments=False)}, "payments_off"),
    ],
)
def test_turning_away_from_a_problem_unlocks_the_number(
    target: str, why: dict[str, Any], code: str
) -> None:
    till = Till.open(LOCKED, **why)
    assert till.page.code == code and till.orders() == []
    assert held(till.touch(target)) == ["K03-H1"]
    assert till.left


def test_a_number_that_could_not_be_booked_is_unlocked_when_money_is_owed() -> None:
    till = Till.open(LOCKED).opened().charge("query", "paid").refused().charge("reverse", "paid")
    assert held(till.touch("end")) == ["K03-H1"]


@pytest.mark.parametrize("end", ["REFUND_DUE", "MANUAL"])
def test_a_number_whose_payment_a_person_must_see_to_is_unlocked(end: Any) -> None:
    till = Till.open(LOCKED).opened()
    till.tell(PaymentMoved(till.payment.reference, end))
    assert held(till.touch("end")) == ["K03-H1"] and DropNote("hold:K03-H1") in till.done


def test_a_settled_number_is_not_unlocked() -> None:
    till = Till.open(LOCKED).opened().charge("query", "paid").booked().touch("end")
    assert held(till) == [] and DropNote("hold:K03-H1") in till.done


def test_the_hand_over_after_a_doubt_carries_the_reference() -> None:
    """Row 103: the clerk goes on where the terminal stopped."""
    till = at_pad()
    till.pay(pad_of(till)[3]).touch("window")
    assert till.left[-1] == Go("hand_over", HandOver("pay", 4120, till.payment.reference))


def test_nothing_needs_a_phone() -> None:
    """Row 102: the card, and the window's slip, are on the page that shows the code."""
    till = Till.choosing()
    assert till.page.card and "window" in till.shown.bar


def test_the_pads_progress_is_shown() -> None:
    till = at_pad()
    till.pay(PadProgressed(till.payment.reference, "enter_pin"))
    assert till.page.progress == "enter_pin"


def test_an_answer_about_another_payment_moves_nothing() -> None:
    till = Till.choosing()
    before = till.state
    till.tell(PaymentMoved("K03-261122-OTHER", "SETTLED"))
    assert till.state == before


def test_no_page_with_money_on_its_way_counts_idle_seconds() -> None:
    """U5: no idle timer while paying."""
    switching = Till.choosing().touch("card")
    paying = Till.choosing().tell(CodeScanned(PAYER_CODE)).charge("close", "closed")
    booking = Till.choosing().charge("query", "paid")
    assert {till.shown.idle for till in (switching, at_pad(), paying, booking)} == {"never"}
    assert Till.choosing().shown.idle == "count"


def test_a_payers_code_is_in_no_repr_and_on_no_slip() -> None:
    till = Till.choosing().tell(CodeScanned(PAYER_CODE))
    assert PAYER_CODE not in repr(till.state)
    till.charge("close", "closed").charge("charge", "paid").booked()
    assert PAYER_CODE not in repr(till.every(PrintSlip)) + repr(till.payment)


# --- the whole product ---------------------------------------------------------------------------


TOLD = [at for at in get_args(At) if at not in ("INTENT", "REFUNDED")]
"""What the engine says of a payment: its intent is never at rest, a refund is made elsewhere."""


def everywhere() -> dict[str, Till]:
    """The page in each of its states."""
    silent, declined = at_pad(), at_pad()
    silent.pay(pad_of(silent)[3])
    declined.pay(pad_of(declined)[2])
    return {
        "quoting": Till.open(),
        "problem": Till.open().tell(Failed("quote", "unknown")),
        "choosing": Till.choosing(),
        "switching": Till.choosing().touch("card"),
        "charging": at_pad(),
        "paying": Till.choosing().charge("query", "paid"),
        "result": settled_by_card(),
        "checking": silent,
        "not_charged": declined,
    }


def anything(reference: str) -> tuple[Any, ...]:
    return (
        *(Touched(t) for t in ("card", "again", "home", "back", "quit", "window", "end", "x")),
        *(Woke(name) for name in ("leave", "checking_slip", "quote")),
        *(PaymentMoved(reference, at) for at in TOLD),
        *(CodeScanned(PAYER_CODE), CodeScanned("x"), CodeRejected(), BankCardInserted()),
        *(Replied("quote", QuoteRefused("already_paid")), Failed("quote", "bad")),
        *(SlipFailed("j", "printer_jam"), SlipPrinted("j")),
    )


def test_every_event_in_every_state_of_the_page_is_taken_or_ignored() -> None:
    """The whole product: nothing raises, every state can be drawn, nothing is charged by noise."""
    for name, till in everywhere().items():
        reference = till.state.reference or "K03-261122-8K42"
        for event in anything(reference):
            if till.state.at == "result" and event == PaymentMoved(reference, "SENT"):
                continue  # impossible: an attempt with a result is never merely sent again
            state, effects = pay.step(till.state, event, till.scene)
            assert pay.view(state, till.scene), (name, event)
            begun = any(isinstance(effect, BeginPayment) for effect in effects)
            ended = event in (PaymentMoved(reference, "DECLINED"), Touched("card"))
            assert not begun or (ended and name in ("switching", "choosing")), (name, event)


def test_a_result_page_of_a_person_who_walked_off_ends_by_itself() -> None:
    till = settled_by_card()
    assert isinstance(till.page, PaymentResult) and till.page.left_s == 15
    assert till.later(5).page.left_s == 10
    assert till.wake("leave").left == [EndSession()]
