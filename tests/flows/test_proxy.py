"""Stories of acting for somebody else: both known, both in the audit."""

from __future__ import annotations

from dataclasses import replace

from kiosk.flows.effects import Ask, KeepAudit, SetActing
from kiosk.flows.events import Replied
from kiosk.hospital.contract import AskToday, BindRelative, Bound, Enter, Known, NotKnown
from kiosk.views import ChoosePerson, ChooseRelation
from tests.flows.people import (
    BILL,
    CHEN,
    CHEN_CARD,
    CHEN_NUMBER,
    CHILD,
    DAY,
    LI,
    LI_NUMBER,
    NOTHING,
    WANG,
    WANG_CARD,
    WANG_NUMBER,
)
from tests.flows.walk import Walk


def family(**scene: object) -> Walk:
    return Walk.at("home", **{"person": WANG, "today": DAY, **scene}).touch("tile:family")


def adding() -> Walk:
    today = replace(DAY, dependants=(CHILD,))
    return family(today=today).touch("add").lay(CHEN_CARD).reply(Known(CHEN))


def test_two_touches_and_the_relatives_bill_stands_first() -> None:
    """Rows 22, 37, 107: tile, person, pay (K6: three taps)."""
    walk = family()
    assert isinstance(walk.page, ChoosePerson)
    assert [(one.name, one.relation) for one in walk.page.people] == [
        ("李*国", "child"),
        ("陈*", "spouse"),
    ]
    walk.touch("person:0")
    assert walk.asked() == AskToday("P200", acting="P100")
    walk.reply(replace(NOTHING, bills=(BILL,)))
    assert (walk.flow, walk.page.name, walk.page.acting_for) == ("home", "王*兰", "李*国")
    assert walk.page.next.kind == "pay"
    assert (walk.touch("next").flow, walk.taps) == ("pay", 3)


def test_the_audit_names_both() -> None:
    """Rows 22, 111: who acted, for whom, in which relation."""
    walk = family().touch("person:0")
    (declared,) = walk.every(KeepAudit)
    assert (declared.event, declared.person, declared.for_person) == (
        "proxy_declared",
        WANG_NUMBER,
        LI_NUMBER,
    )
    assert dict(declared.fields) == {"relation": "child"}
    assert walk.scene.acting == WANG


def test_another_relative_is_bound_by_their_own_card() -> None:
    """Row 22: the relative's card, the relation, and both identities."""
    walk = adding()
    assert isinstance(walk.page, ChooseRelation)
    assert (walk.page.whom, walk.page.by) == ("陈*", "王*兰")
    request = walk.touch("relation:spouse").asked()
    assert isinstance(request, BindRelative)
    assert (request.person, request.acting.number, request.relation) == (
        "P300",
        WANG_NUMBER,
        "spouse",
    )
    walk.reply(Bound(CHILD)).reply(NOTHING)
    assert (walk.flow, walk.scene.person) == ("home", CHEN)
    assert walk.last(SetActing).relation == "spouse"
    assert walk.last(KeepAudit).for_person == CHEN_NUMBER


def test_a_relative_who_was_never_here_is_entered_from_the_card() -> None:
    """Row 119."""
    walk = family(today=replace(DAY, dependants=())).lay(CHEN_CARD).reply(NotKnown())
    assert isinstance(walk.asked(), Enter)
    assert isinstance(walk.reply(Known(CHEN)).page, ChooseRelation)


def test_with_nobody_bound_the_card_is_asked_for_at_once() -> None:
    walk = family(today=replace(DAY, dependants=()))
    assert (walk.page.page, walk.page.relative, walk.page.own_read) == ("identify", True, "王*兰")
    assert walk.page.card_only


def test_ones_own_card_is_no_relatives() -> None:
    walk = family().touch("add").lay(WANG_CARD)
    assert walk.notice == "same_persons_card"
    assert walk.lay(CHEN_CARD).pending


def test_somebody_bound_already_needs_no_relation() -> None:
    walk = family().touch("add").lay(CHEN_CARD).reply(Known(CHEN))
    assert (walk.scene.person, walk.scene.relation) == (CHEN, "spouse")


def test_a_second_tap_on_the_relation_binds_once() -> None:
    walk = adding().touch("relation:spouse", "relation:child")
    bound = [one.request for one in walk.every(Ask) if isinstance(one.request, BindRelative)]
    assert [request.relation for request in bound] == ["spouse"]


def test_a_late_answer_after_going_back_binds_nobody() -> None:
    walk = family().touch("add").lay(CHEN_CARD)
    tag = walk.pending[0].tag  # type: ignore[union-attr]
    walk.touch("back").tell(Replied(tag, Known(CHEN)))
    assert isinstance(walk.page, ChoosePerson)
    assert walk.scene.acting is None


def test_who_acts_can_choose_another_or_themselves_again() -> None:
    walk = Walk.at("proxy", None, person=LI, acting=WANG, today=NOTHING)
    assert walk.asked() == AskToday("P100")
    walk.reply(DAY)
    assert [one.key for one in walk.page.people] == ["self", "0", "1"]
    assert walk.page.people[1].chosen
    walk.touch("person:self").reply(DAY)
    assert (walk.scene.person, walk.scene.acting, walk.flow) == (WANG, None, "home")


def test_more_relatives_than_a_page_holds_are_turned_to() -> None:
    many = tuple(replace(CHILD, person=f"P{at}") for at in range(8))
    walk = family(today=replace(DAY, dependants=many))
    assert (len(walk.page.people), walk.page.of) == (6, 2)
    assert [one.key for one in walk.touch("following").page.people] == ["6", "7"]


def test_without_the_hospital_it_is_said() -> None:
    assert adding().touch("relation:other").fail().page.code == "hospital_away"


def test_a_holder_who_is_unknown_is_asked_first() -> None:
    walk = Walk.at("attract").touch("family")
    assert (walk.flow, walk.page.goal) == ("identify", "family")
    assert walk.lay(WANG_CARD).reply(Known(WANG)).reply(DAY).flow == "proxy"
