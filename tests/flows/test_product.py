"""The whole product of states and events of every flow: a transition, or a written reason.

Random walks find the states, so that none is left out because no story came by; each flow names
its states, and all of them must be met. Then every event is told to every state that was met.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.flows import (
    attract,
    call_help,
    check_in,
    green_channel,
    green_substitutes,
    hand_over,
    home,
    identify,
    inquire,
    print_reports,
    proxy,
    register,
    register_lent,
    unlock,
)
from kiosk.flows.common import EVENT_TYPES, Ignored
from kiosk.flows.effects import EndSession, Go, KeepAudit, Return
from kiosk.flows.events import Touched
from offline.catalogue import Catalogue
from tests.flows.explore import Explorer
from tests.flows.people import CHEN_NUMBER, LI_NUMBER, WANG_NUMBER
from tests.flows.targets import targets
from tests.flows.walk import FLOWS

STEPS = 2500
STATES_OF_ONE_KIND = 3

TABLES: dict[str, tuple[tuple[str, ...], Ignored]] = {
    "attract": (attract.ATS, attract.IGNORED),
    "identify": (identify.ATS, identify.IGNORED),
    "home": (home.ATS, home.IGNORED),
    "check_in": (check_in.ATS, check_in.IGNORED),
    "register": (register.ATS, register.IGNORED),
    "register_lent": (register_lent.ATS, register_lent.IGNORED),
    "print_reports": (print_reports.ATS, print_reports.IGNORED),
    "proxy": (proxy.ATS, proxy.IGNORED),
    "inquire": (inquire.ATS, inquire.IGNORED),
    "hand_over": (hand_over.ATS, hand_over.IGNORED),
    "call_help": (call_help.ATS, call_help.IGNORED),
    "unlock": (unlock.ATS, unlock.IGNORED),
    "green_channel": (
        green_channel.ATS,
        {**green_substitutes.IGNORED, **green_channel.IGNORED},
    ),
}

Met = list[tuple[Explorer, Any]]


@cache
def met(flow: str) -> dict[str, Met]:
    """Some states of each kind, each with the explorer as it stood there."""
    explorer = Explorer(FLOWS[flow], Random(f"{flow} 1"))
    found: dict[str, Met] = {}
    for _ in range(STEPS):
        if not explorer.begun:
            explorer.restart()
        else:
            explorer.step(explorer.event())
        kind = found.setdefault(explorer.state.at, [])
        if explorer.begun and len(kind) < STATES_OF_ONE_KIND:
            kind.append((frozen(explorer), explorer.state))
    return {at: kind for at, kind in found.items() if kind}


def frozen(explorer: Explorer) -> Explorer:
    """A copy that stays where this one is now."""
    asked, jobs = list(explorer.asked), list(explorer.jobs)
    return replace(explorer, asked=asked, jobs=jobs, wakes=set(explorer.wakes))


def states(flow: str) -> Iterator[tuple[Explorer, Any]]:
    for kind in met(flow).values():
        yield from kind


def test_every_flow_has_its_table() -> None:
    assert set(TABLES) == set(FLOWS)


@pytest.mark.parametrize("flow", FLOWS)
def test_every_state_is_met(flow: str) -> None:
    """A state that nobody can reach is a defect, or this test is."""
    assert set(met(flow)) == set(TABLES[flow][0])


@pytest.mark.parametrize("flow", FLOWS)
def test_every_pair_is_a_transition_or_has_a_reason(flow: str) -> None:
    """Fingers, devices and servers may say anything at any time."""
    ats, table = TABLES[flow]
    for explorer, state in states(flow):
        told: set[type] = set()
        for event in explorer.anything():
            after, effects = FLOWS[flow].step(state, event, explorer.scene)
            told.add(type(event))
            assert after.at in ats
            moved = after != state or effects
            assert moved or (state.at, type(event)) in table
        assert told == set(EVENT_TYPES)


@pytest.mark.parametrize("flow", FLOWS)
def test_every_reason_is_a_sentence_about_a_pair_that_exists(flow: str) -> None:
    ats, table = TABLES[flow]
    for (at, kind), reason in table.items():
        assert at in ats
        assert kind in EVENT_TYPES
        assert len(reason.split()) > 3


@pytest.mark.parametrize("flow", [flow for flow in FLOWS if flow != "attract"])
def test_from_every_state_the_session_can_be_ended(flow: str) -> None:
    """U19 and the idle time: whatever is under way, `end` ends it."""
    for explorer, state in states(flow):
        _, effects = FLOWS[flow].step(state, Touched("end"), explorer.scene)
        assert any(isinstance(effect, EndSession) for effect in effects), state.at


@pytest.mark.parametrize("flow", FLOWS)
def test_no_page_is_a_dead_end(flow: str) -> None:
    """T13: a finger always finds something, or the page waits for an answer or a clock."""
    for explorer, state in states(flow):
        shown = FLOWS[flow].view(state, explorer.scene)
        assert targets(shown), state.at
        leaving = {"back", "end", "lock", "home", "return"} & set(targets(shown))
        assert leaving or flow == "attract" or "nurse" in shown.bar, state.at


@pytest.mark.parametrize("flow", FLOWS)
def test_help_is_on_every_page(flow: str) -> None:
    """Row 104, U12; on the page of the call itself it is there already."""
    for explorer, state in states(flow):
        bar = FLOWS[flow].view(state, explorer.scene).bar
        assert {"help", "nurse"} & {*bar} or flow == "call_help"
        assert len(bar) <= 4


def check_audit(catalogue: Catalogue, audit: KeepAudit) -> None:
    """As the records write it down: session and pseudonyms are added, then the catalogue looks."""
    kind = catalogue.events[audit.event]
    known = {field.name for field in kind.required + kind.optional}
    facts: dict[str, Any] = dict(audit.fields)
    facts |= {"slip": audit.slip} if audit.slip else {}
    facts |= {"reference": audit.reference} if audit.reference else {}
    facts |= {"person": "0" * 32} if audit.person else {}
    facts |= {"for_person": "1" * 32} if audit.for_person else {}
    facts |= {"session": "s-1"} if "session" in known else {}
    kind.check(facts)


@pytest.mark.parametrize("flow", FLOWS)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=15, deadline=None)
def test_any_walk_stays_within_the_rules(flow: str, seed: int) -> None:
    """Rows 111, 114: audit by the catalogue, no whole number on a page, one way out a step."""
    catalogue = CATALOGUE
    explorer = Explorer(FLOWS[flow], Random(seed))
    for _ in range(60):
        event = explorer.event() if explorer.begun else None
        effects = explorer.step(event) if event else explorer.restart()
        for effect in effects:
            if isinstance(effect, KeepAudit):
                check_audit(catalogue, effect)
        leaving = [effect for effect in effects if isinstance(effect, EndSession | Return)]
        assert len(leaving) <= 1
        assert len([one for one in effects if isinstance(one, Go)]) <= 2
        shown = repr(FLOWS[flow].view(explorer.state, explorer.scene))
        for secret in (WANG_NUMBER, LI_NUMBER, CHEN_NUMBER, "王秀兰", "李建国"):
            assert secret not in shown


CATALOGUE = Catalogue.read()


def test_the_audit_check_finds_what_the_catalogue_does_not_know() -> None:
    """A check that cannot fail would prove nothing."""
    with pytest.raises(AssertionError):
        check_audit(CATALOGUE, KeepAudit("check_in_ended", reference="K03-1"))
    with pytest.raises(AssertionError):
        check_audit(CATALOGUE, KeepAudit("help_called", fields=(("cause", "x"),)))
