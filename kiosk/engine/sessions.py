"""From one person to the next: the session that is on, and which flow lies on which in it.

Rule: what a flow orders is the engine's to carry out; here is only who is on the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kiosk.engine.session import Layer, Session
from kiosk.flows.effects import Effect, EndSession, Go, KeepAudit, Return, Volunteer
from kiosk.flows.events import Event, Touched
from kiosk.flows.scene import Business, Scene
from kiosk.ports import Records

ON_TOP = ("call_help", "hand_over")


@dataclass(frozen=True)
class Around:
    """What the engine does for a flow: `scene` for one step, records written together, effects
    carried out, and whatever was under way for a layer dropped with it."""

    scene: Callable[[], Scene]
    commit: Callable[[list[Effect]], None]
    perform: Callable[[Layer, tuple[Effect, ...]], None]
    forget: Callable[[Layer], None]


class Sessions:
    """`now` is the person in front of the screen, or nobody: attract alone."""

    def __init__(
        self, businesses: Mapping[str, Business], records: Records, around: Around
    ) -> None:
        self._businesses, self._records, self._around = businesses, records, around
        self._tokens = 0
        self.now = self._new()

    def _new(self) -> Session:
        return Session(f"s{self._records.fresh()}")

    def enter(self, name: str, argument: Any, instead_of: Layer | None) -> None:
        """Start a flow, in place of a layer, or on top when there is none to replace."""
        if name == "home" and self.now.person is None:
            name = "attract"
        if name != "attract" and not self.now.begun:
            self.now.begun = True
            self._around.commit([KeepAudit("session_begun")])
        if isinstance(argument, Volunteer):
            notes = self._records.notes("waiting")
            argument = replace(argument, waiting=notes.get("waiting", ""))
        self._tokens += 1
        layer = Layer(self._tokens, self._businesses[name], None)
        layers = self.now.layers
        if instead_of is None:
            layers.append(layer)
        else:
            self._around.forget(instead_of)
            layers[layers.index(instead_of)] = layer
        layer.state, effects = layer.business.start(self._around.scene(), argument)
        self._around.perform(layer, effects)

    def end(self, disposition: str) -> None:
        """Dropped whole: the old object is the only place where anything of the person was."""
        old = self.now
        for layer in old.layers:
            self._around.forget(layer)
        if old.begun:
            fields = (("disposition", disposition),)
            self._around.commit([KeepAudit("session_ended", fields=fields)])
        self.now = self._new()
        self.enter("attract", None, None)

    # --- what happened, to whom ------------------------------------------------------------------

    def step(self, layer: Layer, event: Event) -> None:
        layer.state, effects = layer.business.step(layer.state, event, self._around.scene())
        self._around.perform(layer, effects)

    def to_layer(self, token: int, event: Event) -> None:
        """Of nobody, when that layer has gone."""
        for layer in self.now.layers:
            if layer.token == token:
                self.step(layer, event)

    def broadcast(self, event: Event) -> None:
        for layer in list(self.now.layers):
            if layer in self.now.layers:
                self.step(layer, event)

    def tidy(self, besides: Layer | None) -> None:
        """What a flow locked or printed on leaving, it unlocks or prints now."""
        for layer in reversed(self.now.layers[:]):
            if layer is not besides:
                self.step(layer, Touched("end"))

    # --- where a flow leads ----------------------------------------------------------------------

    def go(self, layer: Layer | None, effect: Go | Return | EndSession, of: Session) -> None:
        if of is not self.now:
            return  # that person has gone; nobody is led anywhere
        layers = self.now.layers
        if layer is None or layer not in layers:
            # Another effect of the same step has replaced it: what follows goes on top of that.
            if isinstance(effect, Go) and effect.to in ON_TOP:
                self.enter(effect.to, effect.argument, None)
            return
        match effect:
            case Go(to, argument) if to in ON_TOP:
                self.enter(to, argument, None)
            case _ if layer is not self.now.top:  # nobody's page is taken away from above it
                layer.leads = (*layer.leads, effect)
            case EndSession(shown):
                self.tidy(besides=layer)
                self.end("done")
                if shown is not None:
                    self.step(self.now.top, shown)
            case Return() if len(layers) > 1:
                self._uncover(layer)
            case Return():
                self.enter("home", None, layer)
            case Go(to, argument):
                self.enter(to, argument, layer)

    def _uncover(self, top: Layer) -> None:
        """What lay below is shown again, and leads where it would have led meanwhile."""
        self._around.forget(top)
        self.now.layers.remove(top)
        below, of = self.now.top, self.now
        leads, below.leads = below.leads, ()
        for lead in leads:
            self.go(below, lead, of)
