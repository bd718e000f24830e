"""Stories of a registration: four touches, a locked number, and every way out of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.flows.effects import Ask, DropNote, EndSession, KeepNote, PayOrder, Tell
from kiosk.flows.events import Failed, Replied, Touched, Woke
from kiosk.hospital.contract import (
    AskSlots,
    DepartmentList,
    Held,
    HoldSlot,
    PreSettle,
    Quoted,
    QuoteRefused,
    ReleaseHold,
    SlotGone,
    SlotList,
)
from kiosk.views import ChooseSlot, ConfirmRegistration, Problem
from tests.flows.people import (
    DAY,
    DEPARTMENTS,
    LI_CARD,
    NOTHING,
    NOW,
    SLOTS,
    WANG,
    WANG_CARD,
    hold,
    quote,
    slot,
)
from tests.flows.walk import Walk

TOMORROW = NOW.date() + timedelta(days=1)


def listed(**scene: object) -> Walk:
    walk = Walk.at("home", **{"person": WANG, "today": DAY, **scene}).touch("tile:register")
    return walk.reply(DepartmentList(DEPARTMENTS))


def choosing(**scene: object) -> Walk:
    return listed(**scene).touch("last").reply(SlotList(SLOTS))


def holding() -> Walk:
    return choosing().touch("slot:S9")


def confirming() -> Walk:
    return holding().reply(Held(hold(SLOTS[0]))).reply(Quoted(quote()))


def test_four_touches_lead_from_home_to_paying() -> None:
    """Rows 36, 107: tile, department, hour, confirm (K3: four taps, the payment's included)."""
    walk = confirming().touch("confirm")
    key = walk.every(KeepNote)[0].body
    assert (walk.flow, walk.argument) == ("pay", PayOrder(quote=quote(), hold_key=key))
    assert walk.taps == 4


def test_the_number_is_locked_before_the_price_is_asked_and_noted_before_the_lock() -> None:
    """Row 41's hold, DESIGN §5: locked before payment; the note is on disk first."""
    walk = holding()
    note, lock = walk.every(KeepNote)[-1], walk.asked()
    assert isinstance(lock, HoldSlot)
    assert (note.name, note.body) == (f"hold:{lock.key}", lock.key)
    walk.reply(Held(hold(SLOTS[0])))
    assert walk.asked() == PreSettle("P100", hold_key=lock.key, insured=True)


def test_last_times_department_stands_first_and_is_one_touch() -> None:
    """Row 119: nothing known is asked again."""
    walk = listed()
    assert walk.page.last.id == "D1"
    assert walk.touch("last").asked() == AskSlots("D1", NOW.date())


def test_on_site_numbers_are_shown_and_six_departments_stand_on_a_page() -> None:
    """Row 38, U4: last time's stands above them, and not a second time among them."""
    walk = listed()
    assert walk.page.last.left == 1
    assert [card.left for card in walk.page.cards] == [0, 2, 3, 4, 5, 6]
    assert (walk.page.number, walk.page.of) == (1, 2)
    assert [card.id for card in walk.touch("following").page.cards] == ["D7", "D8"]
    assert walk.touch("following").page.number == 2
    assert walk.touch("previous").page.number == 1


def test_where_todays_numbers_are_gone_tomorrows_are_shown() -> None:
    """Row 36: future registration, 余0 约明天."""
    walk = listed().touch("department:D0")
    assert walk.asked() == AskSlots("D0", TOMORROW)


def test_any_of_four_days_can_be_chosen() -> None:
    """Row 36."""
    walk = choosing()
    assert len(walk.page.days) == 4
    assert walk.touch(f"day:{TOMORROW}").asked() == AskSlots("D1", TOMORROW)
    walk.reply(SlotList((slot("S9", 9, day=1),)))
    assert walk.page.day == TOMORROW


def test_hours_are_never_coarser_than_one_and_full_or_past_ones_are_not_offered() -> None:
    """Rows 39, 40."""
    slots = (slot("S7", 7), slot("S8", 8), slot("S15", 15, left=0), slot("S10", 10))
    walk = listed().touch("last").reply(SlotList(slots))
    assert [card.id for card in walk.page.cards] == ["S8", "S10"]
    assert all(card.ends - card.starts <= timedelta(hours=1) for card in walk.page.cards)


def test_a_day_without_numbers_says_so() -> None:
    walk = listed().touch("last").reply(SlotList(()))
    assert (walk.notice, walk.page.cards) == ("no_numbers_this_day", ())


def test_the_confirm_page_shows_who_pays_what_before_anything_is_booked() -> None:
    page = confirming().page
    assert isinstance(page, ConfirmRegistration)
    assert (page.fee_fen, page.insurance_fen, page.own_fen) == (2500, 2000, 500)
    assert (page.insured, page.can_be_insured, page.held_left_s) == (True, True, 300)


def test_without_insurance_is_one_touch_and_back_again() -> None:
    """The complaint: a card made an insured patient pay all."""
    walk = confirming().touch("insured:no")
    assert walk.asked().insured is False
    walk.reply(Quoted(quote(insured=False)))
    assert (walk.page.own_fen, walk.page.insured, walk.page.can_be_insured) == (2500, False, True)
    assert walk.touch("insured:yes").reply(Quoted(quote())).page.own_fen == 500


def test_the_price_of_the_other_choice_cannot_be_confirmed() -> None:
    walk = confirming().touch("insured:no")
    walk.tell(Touched("confirm"))
    assert walk.flow == "register"


@pytest.mark.parametrize("reason", ["insurer_away", "insurer_refused"])
def test_without_the_insurer_it_costs_more_and_says_why(reason: str) -> None:
    walk = holding().reply(Held(hold(SLOTS[0]))).reply(QuoteRefused(reason))  # type: ignore[arg-type]
    walk.reply(Quoted(quote(insured=False)))
    assert (walk.notice, walk.page.own_fen, walk.page.can_be_insured) == (reason, 2500, False)


@pytest.mark.parametrize(
    ("reason", "notice"),
    [
        ("none_left", "slot_gone"),
        ("closed", "slot_gone"),
        ("already_registered", "already_registered"),
    ],
)
def test_a_number_that_is_gone_is_said_and_the_hours_asked_again(reason: str, notice: str) -> None:
    walk = holding().reply(SlotGone(reason))  # type: ignore[arg-type]
    assert walk.asked() == AskSlots("D1", NOW.date())
    walk.reply(SlotList(SLOTS[1:]))
    assert isinstance(walk.page, ChooseSlot)
    assert walk.notice == notice
    assert walk.notes == {}
    assert walk.every(Tell) == [], "what was never locked is not unlocked"


@pytest.mark.parametrize("target", ["back", "quit", "end"])
@pytest.mark.parametrize("story", [holding, confirming])
def test_every_way_out_unlocks_the_number(story: object, target: str) -> None:
    """DESIGN §5: unlocked on leaving."""
    walk = story()  # type: ignore[operator]
    key = walk.every(KeepNote)[-1].body
    walk.touch(target)
    assert walk.every(Tell) == [Tell(ReleaseHold(f"{key}-release", key))]
    assert walk.notes == {}
    assert walk.audits()[-1] == ("registration_ended", "cancelled")


def test_back_from_the_confirm_page_shows_the_hours_afresh() -> None:
    walk = confirming().touch("back")
    assert walk.asked() == AskSlots("D1", NOW.date())


def test_a_late_lock_after_going_back_is_not_taken_for_the_next_one() -> None:
    walk = holding()
    late = walk.pending[0].tag  # type: ignore[union-attr]
    walk.touch("back").tell(Replied(late, Held(hold(SLOTS[0]))))
    assert walk.state.at == "slots"


def test_when_the_locks_time_is_over_the_person_is_told() -> None:
    walk = confirming().wake("hold_ends").reply(SlotList(SLOTS))
    assert (walk.page.page, walk.notice, walk.notes) == ("choose_slot", "hold_ended", {})
    assert len(walk.every(Tell)) == 1


def test_a_lock_that_was_never_sent_is_not_unlocked_and_one_in_doubt_is() -> None:
    assert holding().fail("unreachable").every(Tell) == []
    assert len(holding().fail("unknown").every(Tell)) == 1


@pytest.mark.parametrize(
    ("why", "code"), [("unreachable", "hospital_away"), ("bad", "cannot_register")]
)
def test_without_the_hospital_the_way_on_is_said(why: str, code: str) -> None:
    walk = Walk.at("register", "", person=WANG, today=NOTHING).fail(why)
    assert isinstance(walk.page, Problem)
    assert (walk.page.code, walk.page.can_retry) == (code, True)
    assert walk.touch("again").reply(DepartmentList(DEPARTMENTS)).page.cards


def test_a_second_tap_on_an_hour_locks_once() -> None:
    walk = holding()
    walk.tell(Touched("slot:S9")).tell(Touched("slot:S10"))
    assert len([one for one in walk.every(Ask) if isinstance(one.request, HoldSlot)]) == 1


def test_going_to_the_window_keeps_the_number_meanwhile() -> None:
    """Row 103."""
    walk = confirming().touch("window")
    assert walk.flow == "hand_over"
    assert walk.notes


def test_ones_own_card_changes_nothing_and_anothers_is_explained() -> None:
    """Row 7: no progress lost."""
    walk = confirming().lay(WANG_CARD)
    assert (walk.notice, walk.page.page) == ("", "confirm_registration")
    assert walk.lay(LI_CARD).notice == "other_persons_card"
    assert walk.page.page == "confirm_registration"


def test_registering_for_a_relative_locks_for_the_relative() -> None:
    """Row 37."""
    walk = Walk.at("register", "", person=WANG, acting=replace(WANG, person="P9"), today=DAY)
    walk.reply(DepartmentList(DEPARTMENTS)).touch("last").reply(SlotList(SLOTS))
    assert walk.touch("slot:S9").asked().person == "P100"


def test_nobody_known_is_asked_who_they_are() -> None:
    """Row 4."""
    walk = Walk.at("register", "")
    assert (walk.flow, walk.argument) == ("identify", "register")


MOVES = st.sampled_from(
    [
        *map(Touched, ("last", "department:D1", "slot:S9", "slot:S10", "back", "confirm")),
        *map(Touched, ("insured:no", "insured:yes", "quit", "end", "again", "window")),
        Woke("hold_ends"),
        DepartmentList(DEPARTMENTS),
        SlotList(SLOTS),
        Held(hold(SLOTS[0])),
        SlotGone("none_left"),
        Quoted(quote()),
        QuoteRefused("hold_ended"),
        QuoteRefused("insurer_away"),
        "unreachable",
        "unknown",
    ]
)


@given(st.lists(MOVES, max_size=40))
def test_no_story_leaves_a_number_locked(moves: list[object]) -> None:
    """Whatever happens, outside this flow nothing is locked that the payment does not hold."""
    walk = Walk.at("register", "", person=WANG, today=DAY)
    for move in moves:
        if walk.flow != "register":
            break
        match move:
            case Touched() | Woke():
                walk.tell(move)
            case str() if walk.pending:
                walk.tell(Failed(walk.pending[0].tag, move))  # type: ignore[union-attr, arg-type]
            case _ if walk.pending:
                walk.tell(Replied(walk.pending[-1].tag, move))  # type: ignore[union-attr]
        assert len(walk.notes) <= 1
    locked = {effect.name for effect in walk.every(KeepNote)}
    dropped = {effect.name for effect in walk.every(DropNote)}
    if walk.flow in ("register", "hand_over"):
        return
    kept = {f"hold:{walk.argument.hold_key}"} if walk.flow == "pay" else set()
    assert locked - dropped == kept
    assert walk.every(EndSession) or walk.flow in ("home", "pay")


def test_the_steps_are_counted_forwards_while_the_number_is_locked() -> None:
    """An hour that is being locked and priced is still the second step."""
    walk = holding()
    assert walk.shown.step == (2, 3)
    walk.reply(Held(hold(SLOTS[0])))
    assert (walk.page.page, walk.shown.step) == ("choose_slot", (2, 3))
    walk.reply(Quoted(quote()))
    assert (walk.page.page, walk.shown.step) == ("confirm_registration", (3, 3))
