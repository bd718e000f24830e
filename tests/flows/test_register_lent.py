"""Stories of a registration without the hospital: from this terminal's own numbers, on its word."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given as tried
from hypothesis import strategies as st

from kiosk.flows.effects import (
    Ask,
    AskLent,
    EndSession,
    GiveNumber,
    Lent,
    NoNumber,
    PrintSlip,
    Tell,
)
from kiosk.flows.events import Replied, Touched, Woke
from kiosk.flows.slips import LentSlip
from kiosk.hospital.contract import DepartmentList, Held, HoldSlot, SlotList
from kiosk.views import (
    ChooseDepartment,
    ChooseSlot,
    ConfirmRegistration,
    Finished,
    Problem,
    Works,
)
from tests.flows.people import (
    DAY,
    DEPARTMENTS,
    LI_CARD,
    NOW,
    RULES,
    SLOTS,
    WANG,
    WANG_CARD,
    WANG_NUMBER,
    given,
    hold,
    lent,
)
from tests.flows.walk import Walk

AT_HAND = Works(hospital=False, numbers=5)
OURS = Lent((lent(SLOTS[0], 1), lent(SLOTS[1], 2), lent(SLOTS[2], 2, department=4)))


def listed(**scene: object) -> Walk:
    walk = Walk.at("home", **{"person": WANG, "today": DAY, "works": AT_HAND, **scene})
    return walk.touch("tile:register").reply(OURS)


def confirming(**scene: object) -> Walk:
    return listed(**scene).touch("department:D1", "slot:S10")


def finished(**scene: object) -> Walk:
    return confirming(**scene).touch("confirm").reply(given(OURS.slots[1]))


def test_four_touches_lead_from_home_to_a_slip_and_nobody_is_asked() -> None:
    """Rows 38, 123, T7: the same four taps, from the store alone."""
    walk = finished()
    assert (walk.flow, walk.taps, walk.every(Ask)) == ("register_lent", 4, [])
    give, slip = walk.last(GiveNumber), walk.last(PrintSlip)
    assert (give.slot_id, give.number, give.person) == ("S10", WANG_NUMBER, "P100")
    assert (give.slip, give.at) == (slip.slip.number, NOW)
    assert isinstance(walk.page, Finished)
    assert (walk.page.what, walk.page.offline, walk.page.task.number) == (
        "registered",
        True,
        "A003",
    )


def test_only_what_this_terminal_owns_is_shown() -> None:
    """A department of which it has no number is not on the page, nor is another day."""
    walk = listed()
    assert isinstance(walk.page, ChooseDepartment)
    assert [(card.id, card.left) for card in walk.page.cards] == [("D1", 3), ("D4", 2)]
    assert walk.notice == "numbers_at_hand"
    walk.touch("department:D1")
    assert isinstance(walk.page, ChooseSlot)
    assert [(card.id, card.left) for card in walk.page.cards] == [("S9", 1), ("S10", 2)]
    assert walk.page.days == (NOW.date(),)


@pytest.mark.parametrize(("treat_first", "pay_later"), [(True, "treat_first"), (False, "window")])
def test_page_and_slip_say_that_nothing_is_paid_and_where_it_will_be(
    treat_first: bool, pay_later: str
) -> None:
    """RELIABILITY §2.7: a leased number's fee only against a signed quote, and there is none."""
    rules = replace(RULES, treat_first=treat_first)
    page = confirming(rules=rules).page
    assert isinstance(page, ConfirmRegistration)
    assert (page.fee_fen, page.insurance_fen, page.insured) == (2500, 0, False)
    assert (page.pay_later, page.window) == (pay_later, "3")
    walk = finished(rules=rules)
    slip = walk.last(PrintSlip).slip
    assert isinstance(slip, LentSlip)
    assert (slip.fee_fen, slip.treat_first, slip.window) == (2500, treat_first, "3")
    assert (walk.page.treat_first, walk.page.window) == (treat_first, "3")
    assert (slip.ticket.ahead, slip.ticket.offline) == (None, True)


def test_a_second_tap_on_yes_gives_one_number() -> None:
    walk = confirming().touch("confirm")
    for target in ("confirm", "back", "quit", "window"):
        walk.tell(Touched(target))
    assert len(walk.every(GiveNumber)) == 1
    assert walk.flow == "register_lent", "who has said yes is not led away from the number"


def test_a_number_that_ran_out_meanwhile_is_said_and_the_rest_shown() -> None:
    """Its deadline came between the choice and the yes."""
    walk = confirming().touch("confirm").reply(NoNumber())
    assert (walk.state.at, walk.every(PrintSlip)) == ("looking", [])
    walk.reply(Lent(OURS.slots[2:]))
    assert (walk.notice, [card.id for card in walk.page.cards]) == ("slot_gone", ["D4"])


def test_who_comes_again_gets_the_same_number_as_a_copy() -> None:
    walk = confirming().touch("confirm").reply(given(OURS.slots[1], again=True))
    assert walk.last(PrintSlip).copy
    assert walk.page.task.number == "A003"


def test_without_numbers_the_way_to_the_window_is_said_and_the_hospital_asked_again() -> None:
    walk = Walk.at("register_lent", "", person=WANG, works=AT_HAND).reply(Lent(()))
    assert isinstance(walk.page, Problem) and walk.page.code == "hospital_away"
    walk.scene = replace(walk.scene, works=Works())
    assert walk.touch("again").flow == "register"


def test_a_paper_that_did_not_come_is_said_and_the_number_stays_on_the_page() -> None:
    walk = finished()
    job = walk.last(PrintSlip).job
    assert walk.slips_printed().page.slip == "printed"
    assert job == walk.last(GiveNumber).slip


@pytest.mark.parametrize("target", ["back", "quit", "end", "window"])
def test_every_way_out_before_the_yes_gives_nothing(target: str) -> None:
    walk = confirming().touch(target)
    assert walk.every(GiveNumber) == walk.every(Tell) == []
    assert "registration" not in {one.kind for one in walk.queued()}


def test_back_goes_one_step_at_a_time() -> None:
    walk = confirming()
    pages = [walk.touch("back").page.page for _ in range(3)]
    assert pages == ["choose_slot", "choose_department", "home"]


def test_a_card_says_who_it_is_where_no_list_does() -> None:
    """Somebody new today: the record carries what the card said, and no id."""
    somebody = replace(WANG, person="")
    give = finished(person=somebody, by_card=WANG_CARD, today=None).last(GiveNumber)
    assert (give.person, give.identity, give.number) == ("", WANG_CARD, WANG_NUMBER)


def test_another_persons_card_is_explained_before_and_begins_anew_after() -> None:
    assert confirming().lay(LI_CARD).notice == "other_persons_card"
    assert finished().lay(LI_CARD).sessions == 2


# --- how one gets here ---------------------------------------------------------------------------


def test_a_hospital_that_goes_away_in_mid_registration_leads_here_and_unlocks() -> None:
    """DESIGN §5: what was asked to be locked is unlocked; then the own numbers."""
    walk = Walk.at("register", "", person=WANG, today=DAY, works=Works(numbers=5))
    walk.reply(DepartmentList(DEPARTMENTS)).touch("department:D2").reply(SlotList(SLOTS))
    assert isinstance(walk.touch("slot:S9").asked(), HoldSlot)
    walk.fail("unknown")
    assert (walk.flow, walk.notes, len(walk.every(Tell))) == ("register_lent", {}, 1)
    assert isinstance(walk.pending[0], AskLent)


def test_without_own_numbers_a_registration_says_that_it_cannot() -> None:
    walk = Walk.at("register", "", person=WANG, today=DAY).fail()
    assert (walk.flow, walk.page.code) == ("register", "hospital_away")


def test_while_the_hospital_answers_its_own_numbers_are_used() -> None:
    walk = Walk.at("register", "", person=WANG, today=DAY, works=Works(numbers=5))
    assert walk.flow == "register"
    walk.reply(DepartmentList(DEPARTMENTS)).touch("department:D2").reply(SlotList(SLOTS))
    walk.touch("slot:S9").reply(Held(hold(SLOTS[0])))
    assert walk.every(AskLent) == []


def test_somebody_known_by_card_alone_is_asked_about_when_the_hospital_is_back() -> None:
    scene = {"person": replace(WANG, person=""), "by_card": WANG_CARD, "works": Works(numbers=5)}
    walk = Walk.at("register", "", **scene)
    assert (walk.flow, walk.asked().value) == ("identify", WANG_NUMBER)


MOVES = st.sampled_from(
    [
        *map(Touched, ("department:D1", "slot:S9", "slot:S10", "back", "confirm", "again")),
        *map(Touched, ("quit", "end", "window", "previous", "following", "slot:S99", "home")),
        Woke("over"),
        OURS,
        Lent(()),
        given(OURS.slots[0]),
        NoNumber(),
    ]
)


@tried(st.lists(MOVES, max_size=40))
def test_no_story_gives_two_numbers_or_a_slip_without_one(moves: list[object]) -> None:
    """Never twice, and nothing on paper that was not written down before."""
    walk = Walk.at("register_lent", "", person=WANG, works=AT_HAND)
    written = 0
    for move in moves:
        if walk.flow != "register_lent":
            break
        match move:
            case Touched() | Woke():
                walk.tell(move)
            case _ if walk.pending:
                asked = walk.pending.pop(0)
                fits = isinstance(asked, AskLent) == isinstance(move, Lent)
                answer = move if fits else (OURS if isinstance(asked, AskLent) else NoNumber())
                written += not isinstance(answer, Lent | NoNumber)
                walk.tell(Replied(asked.tag, answer))  # type: ignore[union-attr]
        assert len(walk.pending) <= 1 or walk.flow != "register_lent"
    slips = [one for one in walk.every(PrintSlip) if isinstance(one.slip, LentSlip)]
    assert len(slips) == written <= 1
    assert walk.flow != "attract" or walk.every(EndSession)
