"""What works without the hospital is said and works; what does not is said too (T7, row 123)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kiosk.domain.bill import Quote, Split
from kiosk.flows.effects import Ask, AskLent, Lent, PayOrder, SetPerson
from kiosk.hospital.contract import AskDepartments, DepartmentList, Identify
from kiosk.views import Attract, Home, Works
from tests.flows.people import (
    DAY,
    DEPARTMENTS,
    LI_CARD,
    NOTHING,
    NOW,
    RULES,
    SLOTS,
    WANG,
    WANG_CARD,
    WANG_EXPECTED,
    lent,
)
from tests.flows.till import quote
from tests.flows.walk import Walk

AWAY, AT_HAND = Works(hospital=False), Works(hospital=False, numbers=5)
QUOTED = replace(RULES, offline_bills="quoted")
HELD = replace(quote(), person="P100", terminal="K03")


# --- attract -------------------------------------------------------------------------------------


def test_the_first_page_shows_the_hospitals_numbers_or_the_terminals_own_never_both() -> None:
    """Row 38: an old number would be a promise; a leased one is."""
    walk = Walk.at("attract", works=Works(numbers=5)).reply(DepartmentList(DEPARTMENTS))
    walk.reply(Lent((lent(SLOTS[0], 1), lent(SLOTS[1], 2))))
    assert isinstance(walk.page, Attract)
    assert [one.left for one in walk.page.on_site] == [8, 7, 6, 5, 4, 3]
    walk.scene = replace(walk.scene, works=AT_HAND)
    assert [(one.department.zh, one.left) for one in walk.page.on_site] == [("1科", 3)]


def test_a_terminal_without_own_numbers_promises_none() -> None:
    walk = Walk.at("attract").reply(DepartmentList(DEPARTMENTS))
    walk.scene = replace(walk.scene, works=AWAY)
    assert walk.page.on_site == ()
    assert walk.every(AskLent) == []


# --- home ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("works", "off", "notice"),
    [
        (Works(), (), ""),
        (AT_HAND, ("family",), "away_numbers_left"),
        (AWAY, ("register", "family"), "hospital_away"),
    ],
)
def test_home_dims_what_does_not_work_now_and_says_why(
    works: Works, off: tuple[str, ...], notice: str
) -> None:
    walk = Walk.at("home", person=WANG, today=DAY, works=works)
    assert isinstance(walk.page, Home)
    assert (walk.page.off, walk.notice) == (off, notice)
    kinds = {task.kind: task.enabled for task in (walk.page.next, *walk.page.tasks)}
    assert kinds["check_in"] and kinds["pay"] is works.hospital


def test_registering_is_the_next_thing_of_somebody_who_has_nothing_else() -> None:
    page = Walk.at("home", person=WANG, today=NOTHING, works=AT_HAND).page
    assert (page.next.kind, page.next.enabled) == ("register", True)
    assert not Walk.at("home", person=WANG, today=NOTHING, works=AWAY).page.next.enabled


@pytest.mark.parametrize(
    ("allowed", "held", "works", "enabled"),
    [
        ("quoted", HELD, AWAY, True),
        ("self_pay", HELD, AWAY, False),
        ("never", HELD, AWAY, False),
        ("quoted", None, AWAY, False),
        ("quoted", HELD, replace(AWAY, pad=False), False),
        ("quoted", replace(HELD, split=Split(8730, 4120, 0, 0)), AWAY, False),
    ],
)
def test_a_bill_is_payable_alone_only_where_quote_profile_and_pad_allow_it(
    allowed: str, held: Quote | None, works: Works, enabled: bool
) -> None:
    """RELIABILITY §2.7: never an insurer's part alone, never without a quote."""
    rules = replace(RULES, offline_bills=allowed)  # type: ignore[arg-type]
    walk = Walk.at("home", person=WANG, today=DAY, quote=held, works=works, rules=rules)
    pay = next(task for task in walk.page.tasks if task.kind == "pay")
    assert pay.enabled is enabled
    walk.touch("task:pay")
    if enabled:
        assert (walk.flow, walk.argument) == ("pay", PayOrder(("B1",)))
    else:
        assert (walk.flow, walk.notice) == ("home", "needs_hospital")


# --- who -----------------------------------------------------------------------------------------


def laid(card: object = LI_CARD, **scene: object) -> Walk:
    walk = Walk.at("attract", **{"works": AT_HAND, "rules": QUOTED, **scene})
    return walk.lay(card).fail("unreachable")  # type: ignore[arg-type]


def test_a_card_that_is_on_no_list_may_register_while_there_are_numbers() -> None:
    """Whoever comes without an appointment is the one who needs an on-site number."""
    walk = laid().found(None)
    known = walk.last(SetPerson)
    assert (known.patient.person, known.by_card) == ("", LI_CARD)
    assert (walk.flow, walk.page.next.kind, walk.page.off) == ("home", "register", ("family",))
    assert ("person_identified", "") in walk.audits()
    assert walk.touch("next").flow == "register_lent"


def test_without_numbers_it_is_sent_to_the_window_as_before() -> None:
    walk = laid(works=AWAY).found(None)
    assert (walk.flow, walk.page.code) == ("identify", "not_listed_offline")


def test_who_is_on_the_list_keeps_the_hospitals_id() -> None:
    known = laid(WANG_CARD).found(WANG_EXPECTED).last(SetPerson)
    assert (known.patient.person, known.by_card) == ("P100", None)


def test_a_held_quote_names_the_person_and_the_bill() -> None:
    """Not on today's list, but priced here a moment ago: the quote was made for this number."""
    walk = laid(WANG_CARD, works=AWAY).found(None, HELD)
    assert walk.last(SetPerson).patient.person == "P100"
    assert (walk.page.next.kind, walk.page.next.own_fen) == ("pay", 4120)
    assert walk.page.next.amount_fen == HELD.split.total_fen


def test_a_quote_of_another_person_is_not_shown() -> None:
    """Two ids under one number: the list is believed, the quote is not."""
    walk = laid(WANG_CARD).found(WANG_EXPECTED, replace(HELD, person="P999"))
    assert walk.scene.quote is None
    assert walk.page.next.kind == "check_in"


@pytest.mark.parametrize("target", ["next", "tile:inquire", "tile:family"])
def test_when_the_hospital_is_back_it_is_asked_who_a_card_alone_has_named(target: str) -> None:
    """An answer about nobody would be none; the card needs no second laying down."""
    walk = laid().found(None)
    walk.scene = replace(walk.scene, works=Works(numbers=5))
    walk.touch(target)
    asked = [one.request for one in walk.every(Ask) if isinstance(one.request, Identify)]
    assert (walk.flow, asked[-1].value) == ("identify", LI_CARD.number)


def test_the_walks_own_questions_are_the_first_pages() -> None:
    """A check of this file: the first page asks for numbers, and nothing of a person."""
    first = Walk.at("attract", works=AT_HAND)
    assert [type(one) for one in first.pending] == [Ask, AskLent]
    assert first.asked() == AskDepartments(NOW.date())
