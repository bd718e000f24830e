"""Stories of who somebody is: cards, codes, typed numbers, with and without the hospital."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from kiosk.domain.identity import Credential
from kiosk.flows.effects import Ask, FindOffline, Go, PayOrder, SetPerson
from kiosk.flows.events import CardTrouble, CodeHint, CodeScanned, Replied
from kiosk.hospital.contract import (
    AskToday,
    CodeExpired,
    Enter,
    Known,
    NotKnown,
    SecondFactorAsked,
)
from kiosk.views import Home, Problem, TypeIn, Works
from kiosk.views import Identify as IdentifyPage
from tests.flows.people import (
    DAY,
    LI,
    LI_CARD,
    NOTHING,
    WANG,
    WANG_CARD,
    WANG_EXPECTED,
    WANG_NUMBER,
)
from tests.flows.walk import Walk

HEALTH = "a" * 64 + ":1"
INSURANCE = "33000000000000000000001234AB"


def test_a_card_leads_home_without_a_touch() -> None:
    """Rows 2 and 107: the ID number is the index; nothing is typed and nothing is touched."""
    walk = Walk.at("attract").lay(WANG_CARD).reply(Known(WANG)).reply(DAY)
    assert (walk.flow, walk.taps) == ("home", 0)
    assert walk.scene.person == WANG
    assert walk.page.name == "王*兰"
    assert walk.audits() == [("person_identified", "")]


@pytest.mark.parametrize(
    ("text", "credential"),
    [
        (HEALTH, Credential.HEALTH_CODE),
        (INSURANCE, Credential.INSURANCE_CODE),
        (WANG_NUMBER, Credential.TYPED_NUMBER),
    ],
)
def test_any_code_resolves_to_one_person(text: str, credential: Credential) -> None:
    """Rows 1, 2: one window for every code, no question which kind it is."""
    walk = Walk.at("attract").scan(text)
    assert walk.asked().credential is credential
    assert walk.reply(Known(WANG)).reply(DAY).flow == "home"


@pytest.mark.parametrize("credential", [Credential.SOCIAL_CARD, Credential.HEALTH_CARD])
def test_a_social_or_health_card_finds_the_person_by_the_id_number(credential: Credential) -> None:
    """Rows 2 and 6: the ID number is the main index, whatever card said it."""
    card = replace(WANG_CARD, credential=credential, valid_to=None)
    walk = Walk.at("attract").lay(card)
    assert (walk.asked().credential, walk.asked().value) == (credential, WANG_NUMBER)
    assert walk.reply(Known(WANG)).reply(DAY).flow == "home"
    assert not walk.page.card_expired


def test_the_first_pages_offer_a_social_card_only_where_there_is_a_slot_for_it() -> None:
    for slot in (False, True):
        walk = Walk.at("attract")
        walk.scene = replace(walk.scene, rules=replace(walk.scene.rules, card_slot=slot))
        assert walk.page.card_slot is slot
        assert walk.touch("no_credential").page.card_slot is slot


def test_a_permits_number_is_asked_about_as_what_it_is() -> None:
    """Row 3: other documents are second indexes."""
    permit = replace(WANG_CARD, kind=LI_CARD.kind.HK_MACAU_TAIWAN, number="H12345678")
    walk = Walk.at("attract").lay(permit)
    assert (walk.asked().document, walk.asked().value) == (permit.kind, "H12345678")


def test_a_first_visit_is_entered_from_the_card_alone() -> None:
    """Rows 4 and 119: what the card knows is not typed."""
    walk = Walk.at("attract").lay(WANG_CARD).reply(NotKnown())
    assert isinstance(walk.asked(), Enter)
    assert walk.asked().identity == WANG_CARD
    assert walk.reply(Known(WANG)).reply(NOTHING).flow == "home"


def test_a_code_of_an_unknown_person_asks_for_a_card() -> None:
    """Row 4: nobody is registered without a name."""
    walk = Walk.at("attract").scan(HEALTH).reply(NotKnown())
    assert isinstance(walk.page, Problem)
    assert (walk.page.code, walk.page.can_retry) == ("not_known", True)
    assert isinstance(walk.lay(WANG_CARD).reply(Known(WANG)).reply(DAY).page, Home)


def test_an_expired_code_asks_for_a_fresh_one() -> None:
    walk = Walk.at("attract").scan(HEALTH).reply(CodeExpired())
    assert (walk.notice, walk.page.page) == ("code_expired", "identify")


def test_an_expired_card_is_warned_of_and_never_refused() -> None:
    old = replace(WANG_CARD, valid_to=date(2020, 1, 1))
    walk = Walk.at("attract").lay(old).reply(Known(WANG)).reply(DAY)
    assert walk.page.card_expired


def test_without_any_card_a_typed_number_and_four_digits_will_do() -> None:
    """Row 11: no card at all."""
    walk = Walk.at("attract").touch("no_credential", "type_number").keys(WANG_NUMBER)
    assert walk.asked().value == WANG_NUMBER
    walk.reply(SecondFactorAsked("phone_last4"))
    assert isinstance(walk.page, TypeIn)
    assert walk.page.what == "phone_last4"
    walk.keys("4321")
    assert walk.asked().second_factor == "4321"
    assert walk.reply(Known(WANG)).reply(DAY).flow == "home"


def test_four_wrong_digits_are_put_right_three_times_at_most() -> None:
    walk = Walk.at("identify", "start").touch("type_number").keys(WANG_NUMBER)
    walk.reply(SecondFactorAsked("phone_last4")).keys("1111")
    walk.reply(SecondFactorAsked("phone_last4"))
    assert (walk.page.error, walk.page.tries_left) == ("wrong", 2)
    walk.keys("2222").reply(SecondFactorAsked("phone_last4")).keys("3333")
    walk.reply(SecondFactorAsked("phone_last4"))
    assert walk.page.code == "second_factor"


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ("1101051948", "too_short"),
        ("991105194803120021", "wrong_region"),
        ("110105194813120021", "wrong_date"),
        (WANG_NUMBER[:17] + ("1" if WANG_NUMBER[17] != "1" else "2"), "wrong_digit"),
    ],
)
def test_a_wrong_number_is_explained_and_kept(typed: str, error: str) -> None:
    """Row 2, U18: input stays, what to do is said; nothing is asked of the hospital."""
    walk = Walk.at("identify", "start").touch("type_number").keys(typed)
    assert walk.page.error == error
    assert len(walk.page.shown) == len(typed)
    assert walk.touch("erase").page.error == ""
    assert walk.every(Ask) == []


def test_a_typed_number_shows_its_last_four_only() -> None:
    walk = Walk.at("identify", "start").touch("type_number").keys(WANG_NUMBER, then="erase")
    assert walk.page.shown == "•" * 13 + WANG_NUMBER[13:17]


def test_a_card_laid_while_typing_wins() -> None:
    """Row 7: card or code at any point."""
    walk = Walk.at("identify", "start").touch("type_number", "key:1").lay(WANG_CARD)
    assert walk.reply(Known(WANG)).reply(DAY).flow == "home"


def test_the_answer_about_the_card_before_never_names_the_card_that_lies_there() -> None:
    walk = Walk.at("attract").lay(WANG_CARD)
    first = walk.pending[0].tag  # type: ignore[union-attr]
    walk.lay(LI_CARD).tell(Replied(first, Known(WANG)))
    assert walk.scene.person is None
    walk.pending.pop(0)
    assert walk.reply(Known(LI)).scene.person == LI


def test_a_late_answer_after_going_back_names_nobody() -> None:
    walk = Walk.at("identify", "start").lay(WANG_CARD)
    tag = walk.pending[0].tag  # type: ignore[union-attr]
    walk.touch("back").tell(Replied(tag, Known(WANG)))
    assert walk.scene.person is None
    assert isinstance(walk.page, IdentifyPage)


@pytest.mark.parametrize("why", ["unreachable", "unknown"])
def test_without_the_hospital_a_card_is_found_in_todays_list(why: str) -> None:
    """DESIGN §5: check-in works offline, from what the terminal owns."""
    walk = Walk.at("identify", "start", works=Works(hospital=False))
    walk.lay(WANG_CARD).fail(why)
    assert walk.last(FindOffline).number == WANG_NUMBER
    walk.found(WANG_EXPECTED)
    assert walk.flow == "home"
    assert walk.page.next.kind == "check_in"
    assert walk.notice == "hospital_away"


def test_somebody_who_is_not_in_the_list_is_sent_to_the_desk() -> None:
    walk = Walk.at("attract").lay(LI_CARD).fail().found(None)
    assert (walk.page.code, walk.page.window) == ("not_listed_offline", "1")


@pytest.mark.parametrize("text", [HEALTH, INSURANCE, WANG_NUMBER])
def test_without_the_hospital_a_code_names_nobody(text: str) -> None:
    """Row 10's other side: codes expire, a printed number proves nothing; a card is asked for."""
    walk = Walk.at("attract").scan(text).fail()
    assert walk.notice == "needs_card_offline"
    assert walk.every(FindOffline) == []


def test_an_answer_that_cannot_be_used_is_no_outage() -> None:
    assert Walk.at("attract").lay(WANG_CARD).fail("bad").page.code == "cannot_identify"


def test_a_day_that_cannot_be_fetched_is_no_reason_to_turn_somebody_away() -> None:
    walk = Walk.at("attract").lay(WANG_CARD).reply(Known(WANG)).fail().found(None)
    assert (walk.flow, walk.notice) == ("home", "day_unknown")


@pytest.mark.parametrize(
    ("goal", "go"),
    [
        ("start", Go("home")),
        ("register", Go("register", "")),
        ("family", Go("proxy")),
        ("print_reports", Go("print_reports")),
        ("inquire", Go("inquire")),
        ("pay", Go("pay", PayOrder(("B1",)))),
    ],
)
def test_who_came_for_something_gets_there(goal: str, go: Go) -> None:
    walk = Walk.at("identify", goal).lay(WANG_CARD).reply(Known(WANG)).reply(DAY)
    assert walk.every(Go)[0] == go


def test_who_came_to_pay_and_owes_nothing_gets_home() -> None:
    walk = Walk.at("identify", "pay").lay(WANG_CARD).reply(Known(WANG)).reply(NOTHING)
    assert walk.flow == "home"


def test_nothing_is_asked_about_the_day_before_somebody_is_known() -> None:
    walk = Walk.at("attract").lay(WANG_CARD)
    assert not [one for one in walk.every(Ask) if isinstance(one.request, AskToday)]
    assert walk.every(SetPerson) == []


@pytest.mark.parametrize("code", ["put_again", "card_unreadable", "card_removed"])
def test_a_card_that_cannot_be_read_is_said(code: str) -> None:
    assert Walk.at("identify", "start").tell(CardTrouble(code)).notice == code


def test_a_hostile_code_is_told_from_a_person() -> None:
    walk = Walk.at("identify", "start").tell(CodeScanned("\x1b@\x00" * 9))
    assert (walk.notice, walk.every(Ask)) == ("code_unknown", [])


def test_who_does_not_know_how_gets_a_volunteer() -> None:
    """Row 104."""
    assert Walk.at("identify", "start").touch("volunteer").flow == "call_help"


def test_a_camera_that_is_dazzled_says_what_to_do() -> None:
    """Row 1: no word of it where nobody need hold a code (the first page)."""
    walk = Walk.at("identify", "start").tell(CodeHint("too_dark"))
    assert (walk.notice, walk.shown.notice.part) == ("code_too_dark", "scanner")
    assert Walk.at("attract").tell(CodeHint("too_dark")).notice == ""
