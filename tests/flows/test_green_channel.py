"""Stories at the entrance: an ID card, four substitutes, the list; with and without a network."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kiosk.domain.identity import Credential
from kiosk.flows.effects import Ask, FindOffline, KeepAudit, KeepNote, PrintSlip, Volunteer
from kiosk.flows.events import CardTrouble, Replied, SlipFailed, Touched
from kiosk.flows.slips import PassSlip
from kiosk.hospital.contract import (
    AskToday,
    HealthCode,
    Identify,
    Known,
    LookUpHealthCode,
    ScreeningRecord,
)
from kiosk.views import Green, GreenDependants, GreenPaper, GreenResult, Works
from tests.flows.people import (
    CHEN_CARD,
    CHEN_NUMBER,
    DAY,
    LI_CARD,
    LI_NUMBER,
    NOW,
    WANG,
    WANG_CARD,
    WANG_EXPECTED,
    WANG_NUMBER,
)
from tests.flows.walk import Walk

VOLUNTEER = Volunteer("张志愿", "3号门", who="volunteer_07")
AWAY = Works(hospital=False)
MASKED = f"****{WANG_NUMBER[-4:]}"


def opened(**scene: Any) -> Walk:
    return Walk.at("green_channel", VOLUNTEER, **scene)


def records(walk: Walk) -> list[ScreeningRecord]:
    assert {one.kind for one in walk.queued()} <= {"screening"}
    return [one.body for one in walk.queued()]


def slips(walk: Walk) -> list[PassSlip]:
    return [one.slip for one in walk.every(PrintSlip)]


def audits_of(walk: Walk, event: str) -> list[KeepAudit]:
    return [one for one in walk.every(KeepAudit) if one.event == event]


# --- substitute 1: the ID card -------------------------------------------------------------------


@pytest.mark.parametrize("works", [Works(), AWAY])
def test_a_card_and_one_touch_let_somebody_in(works: Works) -> None:
    """Rows 20, 24, 26, 107: two touches (K8), the second being 下一位; works offline."""
    walk = opened(works=works).lay(WANG_CARD)
    page = walk.page
    assert isinstance(page, Green)
    assert (page.stage, page.substitute, page.lookback_days) == (2, "id_card", 14)
    assert (page.current.name, page.current.age) == ("王*兰", 78)
    walk.later(42).touch("none")
    assert isinstance(walk.page, GreenResult)
    assert (walk.page.passed, walk.page.names, walk.page.took_s) == (True, ("王*兰",), 42)
    (record,) = records(walk)
    assert (record.number, record.name, record.route) == (WANG_NUMBER, "王秀兰", "pass")
    assert (record.questionnaire, record.substitute, record.yes) == ("2026-11", "id_card", ())
    (slip,) = slips(walk)
    assert (slip.who, slip.last4, slip.route) == ("王*兰", WANG_NUMBER[-4:], None)
    assert slip.number == record.slip == walk.page.slip_numbers[0]
    walk.touch("following")
    assert (walk.page.stage, walk.page.current, walk.taps) == (1, None, 2)
    assert walk.pending == []


@pytest.mark.parametrize("credential", [Credential.SOCIAL_CARD, Credential.HEALTH_CARD])
def test_another_card_stands_in_under_its_own_name(credential: Credential) -> None:
    """Row 20 by another card: record, slip and page say which; it is no other substitute."""
    walk = opened().lay(replace(WANG_CARD, credential=credential))
    assert walk.page.substitute == credential.value
    walk.touch("paper").touch("back")
    assert walk.page.substitute == credential.value, "as before the paper was thought of"
    walk.touch("none")
    (record,), (slip,) = records(walk), slips(walk)
    assert (record.substitute, slip.substitute) == (credential.value, credential.value)
    assert "substitute_used" not in [event for event, _ in walk.audits()]


def test_the_next_card_needs_no_following() -> None:
    """Row 27: a queue waits."""
    walk = opened().lay(WANG_CARD).touch("none").lay(LI_CARD)
    assert (walk.page.stage, walk.page.current.name) == (2, "李*国")
    assert walk.touch("none").taps == 2
    assert [record.number for record in records(walk)] == [WANG_NUMBER, LI_NUMBER]
    assert len({one.key for one in walk.queued()}) == 2


def test_the_result_goes_by_itself_unless_the_slip_did_not_come_out() -> None:
    walk = opened().lay(WANG_CARD).touch("none")
    assert walk.page.left_s == 8
    assert walk.slips_printed().page.slip == "printed"
    assert walk.wake("following").page.stage == 1
    stuck = opened().lay(WANG_CARD).touch("none")
    stuck.tell(SlipFailed(stuck.last(PrintSlip).job, "no_receipt_paper")).wake("following")
    assert (stuck.page.slip, stuck.notice) == ("failed", "no_receipt_paper")
    assert len(records(stuck)) == 1


@pytest.mark.parametrize(
    ("yes", "route", "where"),
    [
        (["fever"], "fever_clinic", "发热门诊，出门右转"),
        (["travel"], "desk", "预检分诊台"),
        (["contact", "travel"], "desk", "预检分诊台"),
    ],
)
def test_a_yes_leads_where_the_profile_says(yes: list[str], route: str, where: str) -> None:
    """Row 26: what a yes leads to is data; the first question of the form decides."""
    walk = opened().lay(WANG_CARD).touch(*(f"question:{id}" for id in yes), "yes_next")
    assert (walk.page.passed, walk.page.route.zh) == (False, where)
    (record,) = records(walk)
    assert (record.route, set(record.yes)) == (route, set(yes))
    assert slips(walk)[0].route.zh == where


def test_none_beside_a_yes_lets_nobody_in() -> None:
    walk = opened().lay(WANG_CARD).touch("question:fever").tell(Touched("none"))
    assert (walk.page.stage, walk.notice, records(walk)) == (2, "answers_contradict", [])
    assert walk.touch("question:fever", "none").page.passed


def test_a_second_tap_on_none_records_once() -> None:
    walk = opened().lay(WANG_CARD).touch("none").tell(Touched("none"))
    assert len(records(walk)) == len(slips(walk)) == 1


def test_a_question_that_is_not_on_the_form_is_no_answer() -> None:
    walk = opened().lay(WANG_CARD).tell(Touched("question:plague"))
    assert walk.touch("none").page.passed


def test_a_card_that_cannot_be_read_is_said() -> None:
    walk = opened().tell(CardTrouble("put_again"))
    assert (walk.notice, walk.shown.notice.part) == ("put_again", "id_reader")


# --- substitute 2: paper -------------------------------------------------------------------------


def test_a_paper_certificate_is_seen_and_noted() -> None:
    """Row 21: type and valid until; four touches and the number's keys (K9)."""
    walk = opened(works=AWAY).touch("paper", "kind:negative_test", "next")
    walk.keys(WANG_NUMBER).touch("none")
    assert walk.taps - len(WANG_NUMBER) - 1 == 4
    (record,) = records(walk)
    assert (record.paper, record.paper_valid_until) == ("negative_test", "2026-11-22")
    assert (record.substitute, record.number, record.name) == ("paper", WANG_NUMBER, "")
    slip = slips(walk)[0]
    assert (slip.who, slip.last4, slip.paper) == ("", WANG_NUMBER[-4:], "negative_test")


@pytest.mark.parametrize(
    ("validity", "until"),
    [("tomorrow", "2026-11-23"), ("week", "2026-11-29"), ("unlimited", "unlimited")],
)
def test_how_long_it_is_valid_is_kept_as_a_day(validity: str, until: str) -> None:
    """Row 21."""
    walk = opened().touch("paper", "kind:vaccination", f"valid:{validity}", "next", "skip", "none")
    assert records(walk)[0].paper_valid_until == until


def test_without_a_number_paper_alone_lets_somebody_in() -> None:
    """Row 21; the record names nobody, the slip neither."""
    walk = opened().touch("paper", "kind:community", "next", "skip", "none")
    (record,) = records(walk)
    assert (record.number, record.name, slips(walk)[0].who) == ("", "", "")
    assert audits_of(walk, "screening_recorded")[0].person == ""


def test_which_paper_must_be_chosen() -> None:
    walk = opened().touch("paper", "next")
    assert isinstance(walk.page, GreenPaper)
    assert walk.notice == "choose_paper"


def test_a_card_beside_the_paper_spares_typing() -> None:
    walk = opened().touch("paper").lay(WANG_CARD).touch("kind:discharge", "next")
    assert (walk.page.stage, walk.page.substitute, walk.page.current.name) == (2, "paper", "王*兰")
    other = opened().touch("paper", "kind:discharge", "next").lay(WANG_CARD)
    assert other.page.current.name == "王*兰"


def test_paper_after_the_card_keeps_the_card() -> None:
    walk = opened().lay(WANG_CARD).touch("paper", "kind:other", "next", "none")
    assert (records(walk)[0].number, records(walk)[0].paper) == (WANG_NUMBER, "other")


@pytest.mark.parametrize("digit", ["0", "5"])
def test_a_wrong_number_lets_nobody_in(digit: str) -> None:
    wrong = WANG_NUMBER[:16] + digit + WANG_NUMBER[17]
    walk = opened().touch("paper", "kind:other", "next").keys(wrong)
    assert (walk.page.page, walk.page.error) == ("type_in", "wrong_digit")


# --- substitute 3: a relative, and a holder's dependants -----------------------------------------


def test_a_relative_acts_with_their_own_card() -> None:
    """Row 22: relative's card, patient's number, relation; both on slip, record and in audit."""
    walk = opened(works=AWAY).touch("relative")
    assert (walk.page.page, walk.page.relative, walk.page.card_only) == ("identify", True, True)
    walk.lay(LI_CARD).keys(WANG_NUMBER)
    assert (walk.page.whom, walk.page.by) == (MASKED, "李*国")
    walk.touch("relation:child", "none")
    assert walk.taps - len(WANG_NUMBER) - 1 == 3
    (record,) = records(walk)
    assert (record.number, record.relative_number, record.relative_name) == (
        WANG_NUMBER,
        LI_NUMBER,
        "李建国",
    )
    assert record.relation == "child"
    assert (slips(walk)[0].acting, slips(walk)[0].relation) == ("李*国", "child")
    (used,) = audits_of(walk, "substitute_used")
    assert (used.person, used.for_person) == (LI_NUMBER, WANG_NUMBER)


def test_a_relative_cannot_be_the_patient() -> None:
    walk = opened().touch("relative").lay(LI_CARD).keys(LI_NUMBER)
    assert walk.page.error == "same_person"
    assert walk.lay(LI_CARD).notice == "same_persons_card"
    again = opened().lay(WANG_CARD).touch("relative").lay(WANG_CARD)
    assert again.notice == "same_persons_card"


def test_the_patients_card_beside_the_relatives_spares_typing() -> None:
    walk = opened().touch("relative").lay(LI_CARD).lay(WANG_CARD)
    assert (walk.page.whom, walk.page.by) == ("王*兰", "李*国")


def test_a_holder_brings_several_from_todays_list_offline() -> None:
    """Row 23: own card, then pick; one form, one slip and one record each."""
    walk = opened(works=AWAY).touch("dependants").lay(WANG_CARD)
    assert walk.last(FindOffline).number == WANG_NUMBER
    walk.found(WANG_EXPECTED)
    assert isinstance(walk.page, GreenDependants)
    assert (walk.page.holder, [one.name for one in walk.page.people]) == (
        "王*兰",
        ["李*国", "陈*"],
    )
    walk.touch("person:0", "person:1", "next")
    assert walk.page.others == 1
    walk.touch("none")
    assert walk.taps == 5
    assert [record.number for record in records(walk)] == [LI_NUMBER, CHEN_NUMBER]
    assert {record.relative_number for record in records(walk)} == {WANG_NUMBER}
    assert [record.relation for record in records(walk)] == ["child", "spouse"]
    assert len({slip.number for slip in slips(walk)}) == 2
    assert len({one.key for one in walk.queued()}) == 2
    assert walk.page.names == ("李*国", "陈*")
    assert len(audits_of(walk, "substitute_used")) == 2


def test_one_dependant_takes_four_touches() -> None:
    """Row 23, K9."""
    walk = opened().touch("dependants").lay(WANG_CARD).found(WANG_EXPECTED)
    assert walk.touch("person:0", "next", "none").taps == 4


def test_a_holder_who_is_not_in_the_list_is_asked_about() -> None:
    walk = opened().touch("dependants").lay(WANG_CARD).found(None)
    assert walk.asked() == Identify(Credential.ID_CARD, WANG_NUMBER, name="王秀兰")
    walk.reply(Known(WANG))
    assert walk.asked() == AskToday("P100")
    assert len(walk.reply(DAY).page.people) == 2


@pytest.mark.parametrize("works", [Works(), AWAY])
def test_a_dependant_nobody_has_bound_is_added_by_number(works: Works) -> None:
    walk = opened(works=works).touch("dependants").lay(WANG_CARD).found(None)
    if works.hospital:
        walk.fail()
    assert (walk.notice, walk.page.people) == ("no_dependants", ())
    walk.touch("by_number").keys(LI_NUMBER)
    assert [(one.chosen, one.relation) for one in walk.page.people] == [(True, "other")]
    assert records(walk.touch("next", "none"))[0].number == LI_NUMBER


def test_a_dependants_own_card_adds_them() -> None:
    walk = opened().touch("dependants").lay(WANG_CARD).found(WANG_EXPECTED).lay(LI_CARD)
    assert [one.chosen for one in walk.page.people] == [True, False]
    assert walk.lay(WANG_CARD).notice == "same_persons_card"


def test_somebody_must_be_chosen() -> None:
    walk = opened().touch("dependants").lay(WANG_CARD).found(WANG_EXPECTED).touch("next")
    assert (walk.notice, walk.page.page) == ("choose_somebody", "green_dependants")


def test_the_holders_card_that_was_read_already_is_enough() -> None:
    walk = opened().lay(WANG_CARD).touch("dependants").found(WANG_EXPECTED)
    assert walk.page.holder == "王*兰"
    assert walk.touch("back").page.current.name == "王*兰"


# --- substitute 4: by hand -----------------------------------------------------------------------


def test_a_form_filled_by_hand_counts_once_by_its_serial_number() -> None:
    """Row 26: the paper form's serial number is kept, so that nothing counts twice."""
    walk = opened(works=AWAY).touch("by_hand").keys("00451").keys(WANG_NUMBER).touch("none")
    (queued,) = walk.queued()
    assert (queued.key, queued.body.paper_serial) == ("form-00451", "00451")
    assert slips(walk)[0].paper_serial == "00451"
    walk.touch("following", "by_hand").keys("00451")
    assert walk.page.error == "already_counted"
    assert walk.touch("erase").keys("2").page.what == "patient_number"


def test_a_counted_form_is_remembered_after_a_crash() -> None:
    """Row 26."""
    walk = opened().touch("by_hand").keys("451").keys(WANG_NUMBER).touch("none", "following")
    again = Walk.at("green_channel", replace(VOLUNTEER, waiting=walk.notes["waiting"]))
    assert again.touch("by_hand").keys("451").page.error == "already_counted"


def test_a_form_of_somebody_who_waits_is_counted_too() -> None:
    walk = opened().touch("by_hand").keys("451").keys(WANG_NUMBER).touch("hold", "by_hand")
    assert walk.keys("451").page.error == "already_counted"


# --- the list ------------------------------------------------------------------------------------


def test_everybody_who_waits_has_a_clock_and_an_alarm() -> None:
    """Row 27."""
    walk = opened().touch("arrive").later(125).touch("arrive")
    assert [(one.number, one.since_s, one.alarm) for one in walk.page.waiting] == [
        (1, 125, False),
        (2, 0, False),
    ]
    assert [one.alarm for one in walk.later(180).page.waiting] == [True, False]
    assert walk.page.waiting_count == 2


def test_put_aside_and_taken_up_again_nothing_is_lost() -> None:
    """Row 27: 先放一放."""
    walk = opened().lay(WANG_CARD).touch("question:fever", "hold")
    (waiting,) = walk.page.waiting
    assert (walk.page.stage, waiting.name) == (1, "王*兰")
    walk.later(60).touch(f"waiting:{waiting.key}")
    assert (walk.page.stage, walk.page.current.since_s) == (2, 60)
    assert [card.id for card in walk.page.questions if card.yes] == ["fever"]


def test_taking_somebody_up_puts_the_other_aside() -> None:
    walk = opened().lay(WANG_CARD).touch("hold").lay(LI_CARD)
    key = walk.page.waiting[0].key
    walk.touch(f"waiting:{key}")
    assert walk.page.current.name == "王*兰"
    assert [one.name for one in walk.page.waiting] == ["李*国"]


def test_the_next_persons_card_during_the_questions_joins_the_list() -> None:
    walk = opened().lay(WANG_CARD).lay(LI_CARD)
    assert (walk.page.current.name, walk.notice) == ("王*兰", "put_on_list")
    assert [(one.name, one.noted) for one in walk.page.waiting] == [("李*国", "id_read")]
    assert walk.lay(LI_CARD).lay(WANG_CARD).page.waiting_count == 1


def test_the_card_of_somebody_who_waits_takes_them_up_with_their_clock() -> None:
    walk = opened().lay(WANG_CARD).touch("hold").later(90).lay(WANG_CARD)
    assert (walk.page.current.since_s, walk.page.waiting_count) == (90, 0)


def test_who_arrived_first_keeps_the_clock_when_the_card_is_read() -> None:
    walk = opened().touch("arrive").later(30)
    walk.touch(f"waiting:{walk.page.waiting[0].key}").lay(WANG_CARD)
    assert walk.page.current.since_s == 30
    assert records(walk.touch("none"))[0].waited_s == 30


def test_somebody_who_left_is_taken_off_the_list() -> None:
    walk = opened().touch("arrive")
    walk.touch(f"waiting:{walk.page.waiting[0].key}", "back")
    assert (walk.page.current, walk.page.waiting_count) == (None, 0)
    assert [disposition for _, disposition in walk.audits()] == ["", "cancelled"]


def test_back_from_the_questions_forgets_the_card_and_keeps_the_clock() -> None:
    walk = opened().lay(WANG_CARD).later(10).touch("question:fever", "back")
    assert (walk.page.stage, walk.page.current.name, walk.page.current.since_s) == (1, "", 10)
    assert walk.lay(LI_CARD).page.current.name == "李*国"
    assert not any(card.yes for card in walk.page.questions)


def test_the_list_is_on_disk_after_every_step_and_back_after_a_crash() -> None:
    """Row 27: each turn's clock survives; whoever was in hand waits again."""
    walk = opened().lay(WANG_CARD).touch("hold", "arrive").lay(LI_CARD)
    note = walk.notes["waiting"]
    later = NOW + timedelta(seconds=200)
    again = Walk.at("green_channel", replace(VOLUNTEER, waiting=note), now=later)
    assert (again.page.stage, again.page.current) == (1, None)
    assert sorted(one.name for one in again.page.waiting) == ["", "李*国", "王*兰"]
    assert {one.since_s for one in again.page.waiting} == {200}


def test_nobodys_name_stays_on_disk_when_everybody_has_gone() -> None:
    """Row 28."""
    walk = opened().lay(WANG_CARD).touch("none")
    assert WANG_NUMBER not in walk.notes["waiting"]
    assert "王" not in walk.notes["waiting"]


@pytest.mark.parametrize("note", ["", "{", "[]", '{"cases": 3}'])
def test_a_note_that_cannot_be_read_is_an_empty_list(note: str) -> None:
    assert Walk.at("green_channel", replace(VOLUNTEER, waiting=note)).page.waiting == ()


def test_yesterdays_list_is_dropped() -> None:
    note = opened().lay(WANG_CARD).notes["waiting"]
    walk = Walk.at("green_channel", replace(VOLUNTEER, waiting=note), now=NOW + timedelta(days=1))
    assert walk.page.waiting == ()
    assert WANG_NUMBER not in walk.notes["waiting"]


def test_locking_puts_whoever_is_in_hand_on_the_list() -> None:
    walk = opened().lay(WANG_CARD).touch("lock")
    assert walk.flow == "unlock"
    assert "王秀兰" in walk.notes["waiting"]
    assert walk.audits()[-1] == ("volunteer_locked", "done")


def test_a_long_list_does_not_grow_without_end() -> None:
    walk = opened().touch(*["arrive"] * 35)
    assert (walk.page.waiting_count, walk.notice) == (30, "list_full")
    assert len(walk.page.waiting) == 3


def test_begun_and_ended_turns_pair_up() -> None:
    """Row 111."""
    walk = opened().lay(WANG_CARD).lay(LI_CARD).touch("none").lay(LI_CARD).touch("none")
    joined = {one.reference for one in audits_of(walk, "waiting_joined")}
    left = {one.reference for one in audits_of(walk, "waiting_left")}
    assert (joined, len(joined)) == (left, 2)


# --- people and policy ---------------------------------------------------------------------------


def test_a_nurse_is_one_touch_and_the_page_waits() -> None:
    """Row 104."""
    walk = opened().lay(WANG_CARD).touch("nurse")
    assert walk.asked().sort == "nurse"
    assert walk.touch("return").page.current.name == "王*兰"


def test_no_health_code_is_looked_up_without_a_policy() -> None:
    """Row 19: off by default."""
    walk = opened().lay(WANG_CARD)
    assert not walk.page.look_up
    assert walk.tell(Touched("look_up")).every(Ask) == []


def test_under_a_policy_staff_look_up_and_the_reason_is_kept() -> None:
    """Rows 19, 25: asked of the gateway, reason recorded, policy's version in the audit."""
    walk = opened(look_up=True, look_up_version="7").lay(WANG_CARD).touch("look_up")
    assert walk.asked() == LookUpHealthCode(WANG_NUMBER, "volunteer_07", "no_phone")
    walk.tell(Touched("look_up"))
    assert len(walk.every(Ask)) == 1
    walk.reply(HealthCode("attention", NOW))
    assert walk.page.health_code == "attention"
    (asked,) = audits_of(walk, "health_code_asked")
    assert dict(asked.fields)["version"] == "7"
    assert records(walk.touch("none"))[0].looked_up_because == "no_phone"


def test_a_look_up_that_fails_leaves_the_substitutes() -> None:
    """Row 19: offline it falls to the substitutes."""
    walk = opened(look_up=True, works=AWAY).lay(WANG_CARD).touch("look_up").fail()
    assert (walk.page.health_code, walk.notice) == ("away", "look_up_away")
    assert walk.touch("none").page.passed


def test_an_answer_about_the_person_before_is_not_about_this_one() -> None:
    walk = opened(look_up=True).lay(WANG_CARD).touch("look_up")
    tag = walk.pending[0].tag  # type: ignore[union-attr]
    walk.touch("hold").lay(LI_CARD).tell(Replied(tag, HealthCode("restricted", NOW)))
    assert walk.page.health_code == ""


# --- privacy -------------------------------------------------------------------------------------

STORIES = {
    "card": lambda walk: walk.lay(WANG_CARD),
    "paper": lambda walk: walk.touch("paper", "kind:other", "next").keys(WANG_NUMBER),
    "relative": lambda walk: (
        walk.touch("relative").lay(LI_CARD).keys(WANG_NUMBER).touch("relation:child")
    ),
    "dependants": lambda walk: (
        walk.touch("dependants").lay(WANG_CARD).found(WANG_EXPECTED).touch("person:0", "next")
    ),
    "by_hand": lambda walk: walk.touch("by_hand").keys("9").keys(WANG_NUMBER),
}


@pytest.mark.parametrize("name", STORIES)
def test_no_whole_number_or_name_stands_on_a_page_a_slip_or_in_a_repr(name: str) -> None:
    """Row 114, U13."""
    walk = opened()
    STORIES[name](walk)
    walk.touch("none")
    assert walk.page.page == "green_result"
    seen = [repr(walk.seen), repr(walk.state), repr(slips(walk)), repr(walk.done)]
    for text in seen:
        for secret in (WANG_NUMBER, LI_NUMBER, CHEN_NUMBER, "王秀兰", "李建国"):
            assert secret not in text


@pytest.mark.parametrize("name", STORIES)
def test_every_substitute_ends_in_a_slip_and_one_record_with_the_network_down(name: str) -> None:
    """Rows 20–23, 26, T10."""
    walk = opened(works=AWAY)
    STORIES[name](walk)
    walk.touch("none")
    assert len(records(walk)) == len(slips(walk)) == 1
    assert walk.every(Ask) == []
    assert CHEN_CARD.number not in repr(walk.notes)
    assert walk.every(KeepNote)
