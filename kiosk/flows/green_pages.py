"""The green channel's pages; every name on them is masked."""

from __future__ import annotations

from dataclasses import replace

from kiosk.domain.screening import Substitute
from kiosk.flows.common import left_s
from kiosk.flows.green_people import Case, card_of
from kiosk.flows.green_state import GreenState
from kiosk.flows.green_substitutes import FORM_LENGTH, PICKS_SHOWN, VALIDITIES
from kiosk.flows.scene import Accepts, Scene, Shown
from kiosk.views import (
    BarKey,
    ChooseRelation,
    Green,
    GreenDependants,
    GreenPaper,
    GreenResult,
    Identify,
    Named,
    Page,
    PersonCard,
    QuestionCard,
    TypeIn,
)

WAITING_SHOWN = 3
_NO_CARDS = ("form", "relation", "listing")


def view(state: GreenState, scene: Scene) -> Shown:
    return Shown(
        _page(state, scene),
        bar=_bar(state),
        step=_step(state),
        tone="green",
        accepts=Accepts(cards=state.at not in _NO_CARDS),
        notice=state.notice,
        busy=_busy(state),
        title=f"{state.volunteer} · {state.gate}",
        idle="volunteer",
    )


def _bar(state: GreenState) -> tuple[BarKey, ...]:
    if state.current is None:
        return ("hold", "nurse", "lock") if state.at == "card" else ("nurse", "lock")
    return ("back", "hold", "nurse", "lock")


def _step(state: GreenState) -> tuple[int, int]:
    return {"questions": (2, 3), "result": (3, 3)}.get(state.at, (1, 3))


def _busy(state: GreenState) -> str:
    if state.looking_up or state.at == "listing":
        return "looking_up"
    return "identifying" if state.reading else ""


def _page(state: GreenState, scene: Scene) -> Page:
    match state.at:
        case "card" | "questions":
            return _green(state, scene)
        case "result":
            return _result(state, scene)
    case = state.current
    assert case is not None
    return _substitute(state, case, scene)


def _substitute(state: GreenState, case: Case, scene: Scene) -> Page:
    entry = state.entry
    match state.at:
        case "paper":
            kinds = scene.rules.paper_kinds
            return GreenPaper(kinds, case.paper, VALIDITIES, case.paper_valid)
        case "patient":
            optional = case.substitute is Substitute.PAPER
            shown = entry.last_shown
            return TypeIn("patient_number", shown, 18, entry.error, optional=optional, letters=True)
        case "form":
            return TypeIn("paper_serial", entry.text, FORM_LENGTH, entry.error)
        case "relation":
            by = case.relative.shown if case.relative else ""
            return ChooseRelation(case.people[0].shown, by, scene.rules.relations)
        case "picking":
            return _picking(state, case, scene)
    known = case.people[0].shown if case.people else ""
    if state.at == "relative":
        goal = "green_relative"
        return Identify(goal, state.reading, relative=True, own_read=known, card_only=True)
    return Identify("green_holder", state.reading, card_only=True)


def _picking(state: GreenState, case: Case, scene: Scene) -> GreenDependants:
    today = scene.now.date()
    people = tuple(
        PersonCard(
            str(at),
            pick.someone.shown,
            pick.someone.relation,
            pick.someone.age(today),
            pick.chosen,
        )
        for at, pick in enumerate(state.picks[:PICKS_SHOWN])
    )
    return GreenDependants(case.relative.shown if case.relative else "", people)


def _green(state: GreenState, scene: Scene) -> Green:
    case, form = state.current, scene.rules.questionnaire
    page = Green(
        volunteer=state.volunteer,
        gate=state.gate,
        stage=2 if state.at == "questions" else 1,
        current=card_of(case, scene) if case else None,
        substitute=case.substitute.value if case and case.substitute else "",
        waiting=tuple(card_of(one, scene) for one in state.waiting[:WAITING_SHOWN]),
        waiting_count=len(state.waiting),
        lookback_days=form.lookback_days,
        queued=scene.queued,
    )
    if state.at != "questions" or case is None:
        return page
    questions = tuple(
        QuestionCard(one.id, Named(one.text, one.text_en), one.icon, one.id in case.yes)
        for one in form.questions
    )
    return replace(
        page,
        questions=questions,
        look_up=scene.look_up and can_look_up(case),
        health_code=case.health_code,
        others=max(0, len(case.people) - 1),
    )


def can_look_up(case: Case) -> bool:
    """A health code is one person's, by their number."""
    return len(case.people) == 1 and bool(case.people[0].number)


def _result(state: GreenState, scene: Scene) -> GreenResult:
    result = state.result
    assert result is not None
    route = result.route
    return GreenResult(
        passed=route is None,
        route=Named(route.text, route.text_en) if route else None,
        names=result.names,
        slip_numbers=result.slips,
        slip=result.slip,
        took_s=result.took_s,
        left_s=left_s(state.until, scene.now),
    )
