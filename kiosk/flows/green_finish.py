"""The end of a turn: a slip, a sealed record and an audit entry for each person, in one step.

Rule: what the slip says and what the record says come from the same Case.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from kiosk.domain.identity import mask_name
from kiosk.domain.screening import Route, Substitute
from kiosk.flows.effects import Effect, KeepAudit, KeepQueued, PrintSlip, Wake
from kiosk.flows.green_people import BY_CARD, SERIALS_MAX, Case, Someone
from kiosk.flows.green_state import GreenState, Result, Stepped, at_rest, left
from kiosk.flows.scene import Scene
from kiosk.flows.slips import PassSlip
from kiosk.hospital.contract import ScreeningRecord
from kiosk.views import Named

FOLLOWING_S = 8.0
"""The volunteer tears the slip off and looks up; a queue waits behind."""

VALID_DAYS = {"today": 0, "tomorrow": 1, "week": 7, "month": 30}


def finish(state: GreenState, scene: Scene) -> Stepped:
    """Everybody of this turn is let in, or sent on, by the same answers."""
    case = state.current
    assert case is not None and case.substitute is not None
    route = route_of(case, scene)
    people = case.people or (Someone(),)
    effects: list[Effect] = []
    for at, someone in enumerate(people):
        effects += _one(state, case, someone, at, scene)
    slips = tuple(scene.number(at) for at in range(len(people)))
    result = Result(
        route=route,
        names=tuple(one.shown for one in people),
        slips=slips,
        printed=frozenset(),
        failed=frozenset(),
        took_s=case.waited_s(scene.now),
    )
    forms = (*state.forms, case.form)[-SERIALS_MAX:] if case.form else state.forms
    done = replace(at_rest(state), at="result", result=result, forms=forms)
    until = scene.now + timedelta(seconds=FOLLOWING_S)
    effects += [left(case, "done", scene), Wake("following", FOLLOWING_S)]
    return replace(done, until=until), tuple(effects)


def route_of(case: Case, scene: Scene) -> Route | None:
    """Where the answers lead; None: in."""
    return scene.rules.questionnaire.route_of(frozenset(case.yes))


def _one(
    state: GreenState, case: Case, someone: Someone, at: int, scene: Scene
) -> tuple[Effect, ...]:
    slip, key = scene.number(at), _key(case, at, scene)
    record = _record(state, case, someone, slip, scene)
    return (
        KeepQueued("screening", key, someone.index, record),
        _recorded(state, case, someone, (slip, key), scene),
        *_substituted(state, case, someone),
        PrintSlip(slip, _slip(state, case, someone, slip, scene), large=_large(someone, scene)),
    )


def _key(case: Case, at: int, scene: Scene) -> str:
    """A form filled in by hand counts once, at whatever terminal it is typed in (row 26)."""
    return f"form-{case.form}" if case.form else scene.key("screening", at)


def _record(
    state: GreenState, case: Case, someone: Someone, slip: str, scene: Scene
) -> ScreeningRecord:
    route = route_of(case, scene)
    relative = case.relative or Someone()
    assert case.substitute is not None
    return ScreeningRecord(
        slip=slip,
        at=scene.now,
        volunteer=state.volunteer,
        questionnaire=scene.rules.questionnaire.version,
        substitute=case.substitute.value,
        yes=case.yes,
        route=route.id if route else "pass",
        waited_s=case.waited_s(scene.now),
        name=someone.name,
        number=someone.number,
        paper=case.paper,
        paper_valid_until=valid_until(case, scene.now.date()),
        paper_serial=case.form,
        relative_name=relative.name,
        relative_number=relative.number,
        relation=someone.relation or case.relation,
        looked_up_because=case.looked_up_because,
    )


def valid_until(case: Case, today: date) -> str:
    """The day, as the certificate says; `unlimited` for one that does not end."""
    if not case.paper:
        return ""
    days = VALID_DAYS.get(case.paper_valid)
    return f"{today + timedelta(days=days)}" if days is not None else "unlimited"


def _slip(state: GreenState, case: Case, someone: Someone, slip: str, scene: Scene) -> PassSlip:
    assert case.substitute is not None
    relative, route = case.relative, route_of(case, scene)
    return PassSlip(
        number=slip,
        who=mask_name(someone.name),
        last4=someone.last4,
        substitute=case.substitute.value,
        route=Named(route.text, route.text_en) if route else None,
        volunteer=state.volunteer,
        gate=state.gate,
        questionnaire=scene.rules.questionnaire.version,
        acting=mask_name(relative.name) if relative else "",
        relation=(someone.relation or case.relation) if relative else "",
        paper=case.paper,
        paper_serial=case.form,
    )


def _recorded(
    state: GreenState, case: Case, someone: Someone, made: tuple[str, str], scene: Scene
) -> KeepAudit:
    route = route_of(case, scene)
    slip, key = made
    fields: tuple[tuple[str, str | int | bool], ...] = (
        ("key", key),
        ("version", scene.rules.questionnaire.version),
        ("outcome", route.id if route else "pass"),
        ("who", state.who),
        ("offline", not scene.works.hospital),
    )
    return KeepAudit("screening_recorded", someone.index, slip=slip, fields=fields)


def _substituted(state: GreenState, case: Case, someone: Someone) -> tuple[KeepAudit, ...]:
    """Both are named when one acts for the other (row 22): each finds it in their own trail."""
    assert case.substitute is not None
    if case.substitute in (Substitute.ID_CARD, *BY_CARD.values()):
        return ()
    fields = (("substitute", case.substitute.value), ("who", state.who))
    if case.relative is None:
        return (KeepAudit("substitute_used", someone.index, fields=fields),)
    acts, whom = case.relative.index, someone.index
    return (KeepAudit("substitute_used", acts, fields=fields, for_person=whom),)


def _large(someone: Someone, scene: Scene) -> bool:
    """Old eyes, or eyes of which nothing is known."""
    age = someone.age(scene.now.date())
    return age is None or age >= scene.rules.elder_age
