"""A session without screen and devices: it does what flows ask, as the engine does, and keeps it.

Answers are given by the story; time stands still unless the story moves it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from kiosk.domain.bill import Quote
from kiosk.domain.identity import Identity
from kiosk.flows import (
    attract,
    call_help,
    check_in,
    green_channel,
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
from kiosk.flows.effects import (
    Ask,
    AskLent,
    AskTrail,
    DropNote,
    Effect,
    EndSession,
    FindOffline,
    GiveNumber,
    Go,
    KeepAudit,
    KeepNote,
    KeepQueued,
    PrintSlip,
    Return,
    SetActing,
    SetPerson,
    SetToday,
    Volunteer,
    Wake,
)
from kiosk.flows.events import (
    CardRead,
    CodeScanned,
    Event,
    Failed,
    FoundOffline,
    Replied,
    SlipPrinted,
    Touched,
    Woke,
)
from kiosk.flows.scene import Business, Scene, Shown
from kiosk.hospital.contract import Expected
from kiosk.views import Works
from tests.flows.people import NOW, RULES
from tests.flows.targets import targets as reachable

FLOWS: dict[str, Business] = {
    module.BUSINESS.name: module.BUSINESS
    for module in (
        attract,
        call_help,
        check_in,
        green_channel,
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
}
OVERLAYS = ("call_help", "hand_over")


@dataclass
class Walk:
    """One terminal. `done` holds every effect of every step, in order."""

    scene: Scene = field(default_factory=lambda: Scene(NOW, 1, RULES, Works()))
    flow: str = "attract"
    state: Any = None
    argument: Any = None
    below: list[tuple[str, Any, list[Effect]]] = field(default_factory=list)
    done: list[Effect] = field(default_factory=list)
    pending: list[Effect] = field(default_factory=list)
    wakes: set[str] = field(default_factory=set)
    notes: dict[str, str] = field(default_factory=dict)
    taps: int = 0
    sessions: int = 1
    seen: list[Shown] = field(default_factory=list)

    @classmethod
    def at(cls, flow: str, argument: Any = None, **scene: Any) -> Walk:
        """A walk that stands at the start of this flow."""
        walk = cls(scene=replace(Scene(NOW, 1, RULES, Works()), **scene))
        walk._enter(flow, argument)
        walk._look()
        return walk

    # --- what a story does

    def touch(self, *targets: str) -> Walk:
        for target in targets:
            # `end` is also what the engine says when nobody has touched anything for long
            can = target in reachable(self.shown) or target == "end"
            assert can, f"{target} is not on {self.shown.page.page}"
            self.taps += 1
            self.tell(Touched(target))
        return self

    def keys(self, text: str, then: str = "ok") -> Walk:
        return self.touch(*(f"key:{key}" for key in text), then)

    def lay(self, identity: Identity) -> Walk:
        return self.tell(CardRead(identity))

    def scan(self, text: str) -> Walk:
        return self.tell(CodeScanned(text))

    def reply(self, answer: Any) -> Walk:
        """The oldest open question is answered."""
        return self.tell(Replied(self._next(Ask, AskTrail, AskLent, GiveNumber).tag, answer))

    def fail(self, why: Any = "unreachable") -> Walk:
        return self.tell(Failed(self._next(Ask, AskTrail).tag, why))

    def found(self, expected: Expected | None, quote: Quote | None = None) -> Walk:
        return self.tell(FoundOffline(self._next(FindOffline).tag, expected, quote))

    def wake(self, name: str) -> Walk:
        assert name in self.wakes, f"nobody asked to be woken for {name}: {self.wakes}"
        return self.tell(Woke(name))

    def later(self, seconds: float) -> Walk:
        self.scene = replace(self.scene, now=self.scene.now + timedelta(seconds=seconds))
        return self

    def slips_printed(self) -> Walk:
        for slip in self.every(PrintSlip):
            self.tell(SlipPrinted(slip.job))
        return self

    def tell(self, event: Event) -> Walk:
        self.state, effects = self._business.step(self.state, event, self._fresh())
        self._perform(effects)
        self._look()
        return self

    def _look(self) -> None:
        if self.flow in FLOWS:
            self.seen.append(self.shown)

    # --- what a story asks about

    @property
    def shown(self) -> Shown:
        return self._business.view(self.state, self.scene)

    @property
    def page(self) -> Any:
        return self.shown.page

    @property
    def notice(self) -> str:
        notice = self.shown.notice
        return notice.code if notice else ""

    def screens(self) -> set[str]:
        """The kinds of pages that were seen."""
        return {shown.page.page for shown in self.seen}

    def every(self, kind: type) -> list[Any]:
        return [effect for effect in self.done if type(effect) is kind]

    def last(self, kind: type) -> Any:
        return self.every(kind)[-1]

    def asked(self) -> Any:
        """The request of the oldest open question."""
        return self.pending[0].request  # type: ignore[union-attr]

    def audits(self) -> list[tuple[str, str]]:
        """Each event with its disposition."""
        return [(one.event, str(dict(one.fields).get("disposition", ""))) for one in self._kept()]

    def queued(self) -> list[KeepQueued]:
        return self.every(KeepQueued)

    def _kept(self) -> Iterable[KeepAudit]:
        return self.every(KeepAudit)

    # --- what the engine does

    @property
    def _business(self) -> Business:
        return FLOWS[self.flow]

    def _fresh(self) -> Scene:
        self.scene = replace(self.scene, fresh=self.scene.fresh + 1)
        return self.scene

    def _next(self, *kinds: type) -> Any:
        effect = next(effect for effect in self.pending if type(effect) in kinds)
        self.pending.remove(effect)
        return effect

    def _enter(self, flow: str, argument: Any) -> None:
        self.flow, self.argument, self.pending, self.wakes = flow, argument, [], set()
        if flow not in FLOWS:  # another package's flow: the story ends here
            return
        self.state, effects = FLOWS[flow].start(self._fresh(), argument)
        self._perform(effects)

    def _perform(self, effects: tuple[Effect, ...]) -> None:
        self.done += effects
        for effect in effects:
            self._one(effect)

    def _one(self, effect: Effect) -> None:
        match effect:
            case Ask() | AskTrail() | FindOffline() | AskLent() | GiveNumber():
                self.pending.append(effect)
            case Wake(name):
                self.wakes.add(name)
            case KeepNote(name, body):
                self.notes[name] = body
            case DropNote(name):
                self.notes.pop(name, None)
            case SetPerson(patient, expired, by_card):
                self.scene = replace(
                    self.scene,
                    person=patient,
                    acting=None,
                    relation="",
                    today=None,
                    quote=None,
                    card_expired=expired,
                    by_card=by_card,
                )
            case SetActing(patient, relation):
                acting = self.scene.acting or self.scene.person
                self.scene = replace(
                    self.scene, person=patient, acting=acting, relation=relation, today=None
                )
            case SetToday(today, quote):
                self.scene = replace(self.scene, today=today, quote=quote)
            case Go(to, argument):
                self._go(to, argument)
            case Return():
                self.flow, self.state, self.pending = self.below.pop()
            case EndSession(shown):
                self._end(shown)
            case _:
                pass

    def _go(self, to: str, argument: Any) -> None:
        if to in OVERLAYS:
            self.below.append((self.flow, self.state, self.pending))
        elif to == "home" and self.scene.person is None:
            to = "attract"
        if isinstance(argument, Volunteer):
            argument = replace(argument, waiting=self.notes.get("waiting", ""))
        self._enter(to, argument)

    def _end(self, shown: Any) -> None:
        self.scene = replace(
            self.scene,
            person=None,
            acting=None,
            relation="",
            today=None,
            quote=None,
            card_expired=False,
            by_card=None,
        )
        self.below, self.sessions = [], self.sessions + 1
        self._enter("attract", None)
        if shown is not None:
            self.tell(shown)
