"""One person in front of the screen: late answers, old touches, idle times, and nothing left."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from kiosk.app import businesses
from kiosk.domain.identity import Sex
from kiosk.engine.frame import Drawing, Drawn
from kiosk.engine.session import Layer, Session
from kiosk.flows.effects import ChargePad, PrintSlip
from kiosk.flows.events import (
    CardLaid,
    CardRead,
    CodeScanned,
    PadApproved,
    PadCompleted,
    PadProgressed,
    PadSilent,
    SlipPrinted,
)
from kiosk.flows.scene import Shown
from kiosk.hospital.contract import (
    AskToday,
    Charge,
    CloseOrder,
    Identify,
    Known,
    PreSettle,
    Quoted,
    Settle,
    Settled,
)
from kiosk.ports import Answered, AskHospital, Listen
from kiosk.views import Attract, CallingHelp, Home, TypeIn, Works
from kiosk.views import Touch as Finger
from tests.engine.desk import HOSPITAL, PLACE, Desk
from tests.engine.residue import residue
from tests.flows.people import (
    CHEN,
    CHEN_CARD,
    DAY,
    LI,
    LI_CARD,
    NOW,
    WANG,
    WANG_CARD,
    card,
    number,
)
from tests.flows.till import PAYER_CODE, quote

# --- whose answer, whose touch -------------------------------------------------------------------


def test_an_answer_that_comes_after_its_person_has_gone_is_dropped(desk: Desk) -> None:
    desk.tell(CardRead(WANG_CARD))
    late = desk.asked(Identify)
    desk.touch("back").lay(LI_CARD, LI)
    desk.tell(Answered(late.id, Known(WANG)))
    assert desk.page.name == "李*国"


def test_an_answer_counts_once(desk: Desk) -> None:
    desk.tell(CardRead(WANG_CARD))
    asked = desk.asked(Identify)
    desk.answer(Identify, Known(WANG)).answer(AskToday, DAY)
    shown = desk.page
    desk.tell(Answered(asked.id, Known(CHEN)))
    assert desk.page == shown


def test_a_touch_made_on_the_page_before_is_ignored(desk: Desk) -> None:
    desk.lay()
    stale = Finger(desk.view.serial - 1, "task:pay")
    desk.tell(stale)
    assert isinstance(desk.page, Home) and "PreSettle" not in desk.requests()


def test_the_second_touch_of_a_double_tap_reaches_no_other_page(desk: Desk) -> None:
    desk.lay()
    finger = Finger(desk.view.serial, "task:pay")
    desk.tell(finger, finger)
    assert desk.requests().count("PreSettle") == 1


def test_a_touch_that_comes_too_late_still_says_that_somebody_is_here(desk: Desk) -> None:
    desk.lay(LI_CARD, LI).pass_s(59)
    desk.tell(Finger(desk.view.serial - 1, "task:pay")).pass_s(59)
    assert desk.frame.idle_left_s is None


def test_the_same_page_from_a_flow_entered_anew_makes_no_touch_old() -> None:
    """What a finger saw is still what is shown; with anything else on it, the touch is old."""
    drawing = Drawing(HOSPITAL, PLACE)

    def drawn(token: int, typed: str, before: Drawn | None) -> Drawn:
        layer = Layer(token, businesses()["inquire"], None)
        session = Session("s1", [layer])
        shown = Shown(TypeIn("id_number", typed, 18))
        return drawing.draw(shown, session, works=Works(), now=NOW, idle_left_s=None, before=before)

    first = drawn(1, "1", None)
    again = drawn(2, "1", first)
    other = drawn(3, "11", again)
    assert [one.view.serial for one in (first, again, other)] == [1, 1, 2]


def test_a_clock_that_ticks_makes_no_touch_old(desk: Desk) -> None:
    desk.lay()
    serial = desk.view.serial
    desk.pass_s(3)
    assert desk.view.serial == serial


# --- idle ----------------------------------------------------------------------------------------


def old_card(desk: Desk) -> Desk:
    """Somebody of 78."""
    of = number("11010519480312002")
    return desk.lay(card(of, "王秀兰"), replace(WANG, born=date(1948, 3, 12)))


IDLE = {"normal": 60, "elder": 120, "voice": 180}


@pytest.mark.parametrize("mode", IDLE)
def test_idle_is_warned_of_counted_down_and_ended(desk: Desk, mode: str) -> None:
    """U5: 60 s, elders 120, speech 180; then 30 s; then nothing is left."""
    if mode == "elder":
        old_card(desk)
    else:
        desk.lay(LI_CARD, LI)
    if mode == "voice":
        desk.touch("voice")
    desk.pass_s(IDLE[mode] - 1)
    assert desk.frame.idle_left_s is None
    desk.pass_s(1)
    assert desk.frame.idle_left_s == 30
    desk.pass_s(10)
    assert desk.frame.idle_left_s == 20
    desk.pass_s(19)
    assert isinstance(desk.page, Home)
    desk.pass_s(1)
    assert isinstance(desk.page, Attract), "wiped within a second of the end"


def test_any_touch_ends_the_warning_and_does_nothing_else(desk: Desk) -> None:
    """U5: any number of times."""
    desk.lay(LI_CARD, LI)
    for _ in range(10):
        desk.pass_s(65)
        assert desk.frame.idle_left_s is not None
        desk.touch("task:pay")
        assert desk.frame.idle_left_s is None
    assert isinstance(desk.page, Home) and "PreSettle" not in desk.requests()


@pytest.mark.parametrize("event", [CardLaid(), CodeScanned("x"), PadProgressed("R", "starting")])
def test_a_device_that_does_something_is_somebody(desk: Desk, event: object) -> None:
    """U5: idle is no touch, card, scan or device activity."""
    desk.lay(LI_CARD, LI).pass_s(59).tell(event).pass_s(59)
    assert desk.frame.idle_left_s is None


def test_a_card_laid_down_under_the_warning_only_ends_the_warning(desk: Desk) -> None:
    desk.lay(LI_CARD, LI).pass_s(70).tell(CardRead(CHEN_CARD))
    assert desk.frame.idle_left_s is None and desk.page.name == "李*国"


def test_nobody_is_warned_while_money_moves(desk: Desk) -> None:
    reference = desk.at_pad()
    desk.pass_s(140, 1.0)
    assert desk.frame.idle_left_s is None and desk.page.page == "pad_busy"
    desk.tell(PadApproved(reference, 4120, "trace 7")).pass_s(140, 1.0)
    assert desk.frame.idle_left_s is None
    assert desk.frame.who == "王*兰"


def test_a_call_for_help_over_a_payment_is_no_idleness(desk: Desk) -> None:
    desk.at_pad()
    desk.touch("help").pass_s(120, 1.0)
    assert isinstance(desk.page, CallingHelp)
    desk.touch("back")
    assert desk.page.page == "pad_busy"


def test_the_attract_page_never_ends(desk: Desk) -> None:
    desk.pass_s(600, 5.0)
    assert isinstance(desk.page, Attract) and desk.frame.idle_left_s is None
    assert "session_begun" not in desk.events()


def test_a_volunteers_page_locks_after_three_minutes(desk: Desk) -> None:
    """Row 113's part here; U5: a volunteer's screen locks, and those who wait are not lost."""
    desk.records.set_pin("01", "4711")
    desk.touch("green").keys("014711")
    desk.touch("arrive").pass_s(179, 1.0)
    assert desk.page.page == "green"
    desk.pass_s(2)
    assert isinstance(desk.page, TypeIn) and desk.page.what == "pin"
    assert "volunteer_locked" in desk.events()
    desk.keys("014711")
    assert desk.page.waiting_count == 1


# --- keys that keep the page ---------------------------------------------------------------------


@pytest.mark.parametrize("target", ["language:en", "large", "voice", "low"])
def test_language_size_voice_and_height_keep_page_and_data(desk: Desk, target: str) -> None:
    """Row 2 and T9: switched on any page; the page and what is on it stay."""
    desk.bill()
    page, serial = desk.page, desk.view.serial
    desk.touch(target)
    assert (desk.page, desk.view.serial) == (page, serial)
    assert desk.frame != desk.views[-2].frame


def test_settings_end_with_the_session(desk: Desk) -> None:
    desk.lay().touch("language:en", "large", "voice", "low", "end")
    frame = desk.frame
    assert (frame.language, frame.size, frame.voice, frame.low) == ("zh", "normal", False, False)


@pytest.mark.parametrize("target", ["language:en", "large", "voice", "low"])
def test_who_changed_the_screen_and_began_nothing_leaves_it_as_it_was(
    desk: Desk, target: str
) -> None:
    """SCREENS: settings reset after each user. It stayed English for whoever came next."""
    as_it_was = desk.frame
    desk.touch(target).pass_s(55)
    assert desk.frame != as_it_was, "there is time to find the card"
    desk.pass_s(160, step_s=5)
    assert replace(desk.frame, clock=as_it_was.clock) == as_it_was
    assert desk.frame.idle_left_s is None and "session_ended" not in desk.events()


def test_a_call_for_help_before_anybody_was_known_is_a_session_of_its_own(desk: Desk) -> None:
    """Whoever came an hour later was in the trail under the same session."""
    desk.touch("emergency", "return").pass_s(100, step_s=5)
    assert desk.events()[-1] == "session_ended"


def test_the_slip_is_written_in_the_sessions_language(desk: Desk) -> None:
    reference = desk.at_pad()
    desk.touch("language:en").settle(reference)
    assert desk.last(PrintSlip).language == "en"


def test_large_goes_round(desk: Desk) -> None:
    sizes = [desk.touch("large").frame.size for _ in range(3)]
    assert sizes == ["large", "extra", "normal"]


def test_elders_are_known_by_their_card_and_may_say_no(desk: Desk) -> None:
    """U17: on at 60 from the card; one tap off. Row 105."""
    old_card(desk)
    assert desk.frame.elder and desk.frame.size == "large"
    assert desk.touch("large", "large").frame.size == "normal"
    desk.touch("end").lay(LI_CARD, LI)
    assert not desk.frame.elder and desk.frame.size == "normal"


def test_help_lies_on_top_and_gives_the_page_back(desk: Desk) -> None:
    """Row 104: the place and the page travel, nothing of the person."""
    desk.bill()
    page = desk.page
    desk.touch("help")
    call = desk.last(AskHospital).request
    assert (call.place, call.page) == ("3号门", "pay")
    assert WANG.number not in repr(vars(call)) and WANG.name not in repr(vars(call))
    desk.touch("back")
    assert desk.page == page


def test_devices_listen_only_to_what_the_page_asks_for(desk: Desk) -> None:
    """PROTOCOLS: nothing is taken when no screen asks."""
    assert desk.last(Listen) == Listen(True, "identity")
    desk.bill()
    assert desk.last(Listen) == Listen(False, "payment", True)
    desk.touch("card")
    assert desk.last(Listen) == Listen(False, "")


# --- wiped ---------------------------------------------------------------------------------------

MARKS = (WANG.name, WANG.number, WANG.number[6:14], PAYER_CODE, "https://pay.demo.invalid")


def left(desk: Desk) -> list[str]:
    """What of Wang can still be reached from the engine; the test's own notes do not count."""
    return residue(desk.engine, MARKS, besides=(desk, desk.log, desk.views, desk.open))


def test_the_search_finds_what_is_there(desk: Desk) -> None:
    """The residue walker sees a person who stands there: a harness that never failed proves
    nothing."""
    desk.bill()
    assert set(left(desk)) == {WANG.name, WANG.number, WANG.number[6:14], MARKS[-1]}


@pytest.mark.parametrize("way", ["end", "idle", "paid", "doubt", "given_up"])
def test_nothing_of_a_person_is_left_in_memory(desk: Desk, way: str) -> None:
    """Row 114, A1: the session is one object, dropped whole."""
    match way:
        case "end":
            desk.lay().touch("end")
        case "idle":
            desk.lay(today=DAY).pass_s(160, 1.0)
        case "paid":
            desk.settle(desk.at_pad())
            desk.touch("end")
        case "doubt":
            reference = desk.at_pad()
            desk.tell(PadSilent(reference)).pass_s(61, 1.0)
            desk.tell(SlipPrinted(desk.last(PrintSlip).job))
            desk.tell(PadCompleted(reference))
        case "given_up":
            desk.bill().pass_s(155, 1.0)
            shown = desk.asked(CloseOrder).request.reference
            desk.answer(CloseOrder, Charge(shown, "closed"))
    assert isinstance(desk.page, Attract)
    assert left(desk) == []


def test_an_open_payment_keeps_only_what_settles_it(desk: Desk) -> None:
    """A doubt outlives its session: the number that the journal has too, and no name."""
    reference = desk.at_pad()
    desk.tell(PadSilent(reference)).pass_s(61, 1.0)
    assert isinstance(desk.page, Attract)
    assert WANG.name not in left(desk) and PAYER_CODE not in left(desk)


def test_the_next_person_sees_nothing_of_the_one_before(desk: Desk) -> None:
    desk.bill().touch("end")
    shown = desk.asked(CloseOrder).request.reference
    desk.answer(CloseOrder, Charge(shown, "closed"))
    of = replace(LI, sex=Sex.MALE)
    desk.lay(LI_CARD, of)
    assert "王" not in repr(desk.view)


def test_a_session_is_begun_and_ended_in_the_audit_once(desk: Desk) -> None:
    """Row 111: begun and ended, with how."""
    desk.lay().touch("end").lay().pass_s(160, 1.0)
    kept = [keep for keep in desk.keeps() if getattr(keep, "event", "").startswith("session_")]
    ends = [dict(keep.fields).get("disposition") for keep in kept]  # type: ignore[union-attr]
    assert ends == [None, "done", None, "timed_out"]


def test_the_trail_names_a_person_by_pseudonym_only(desk: Desk) -> None:
    """Rows 111 and 114."""
    reference = desk.at_pad()
    desk.settle(reference)
    found = repr(desk.records.find(reference))
    assert reference in found
    assert WANG.number not in found and WANG.name not in found


def test_a_quote_that_comes_late_begins_no_payment_for_another(desk: Desk) -> None:
    desk.lay().touch("task:pay")
    asked = desk.asked(PreSettle)
    desk.touch("quit", "end").lay(LI_CARD, LI)
    desk.tell(Answered(asked.id, Quoted(quote())))
    assert desk.orders(ChargePad) == [] and "OpenOrder" not in desk.requests()


def test_what_is_booked_after_the_person_left_is_settled_all_the_same(desk: Desk) -> None:
    reference = desk.at_pad()
    desk.tell(PadApproved(reference, 4120, "trace 7")).answer(Settle, why="unknown")
    desk.pass_s(61, 1.0)
    assert isinstance(desk.page, Attract)
    desk.pass_s(10).answer(Settle, Settled(reference, "R1")).tell(PadCompleted(reference))
    assert desk.engine.status()["open_payments"] == []
