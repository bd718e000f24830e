"""The Kivy application around the stage: theme, words, window.

Rule: everything here runs on Kivy's thread, but `soon`, `later` and `leave`, which may be called
from any.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import count
from typing import Any

from kivy.app import App
from kivy.base import stopTouchApp
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.lang import Observable
from kivy.lang.parser import global_idmap

from kiosk.views import Frame, Language, Named, Touch, View
from ui.look import Look
from ui.stage import Stage
from ui.theme import canvas_scale
from ui.touch import TouchRules
from ui.words import Catalogue

USUAL_PITCH_MM = 0.311
"""27 inches at 1080×1920; used where the profile does not say."""


class Words(Observable):
    """The catalogue for `.kv` files: `tr._('key')` changes while it is shown."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__()
        self.catalogue = catalogue
        self._bound: dict[int, tuple[Any, Any]] = {}
        self._uids = count(1)

    def _(self, key: str) -> str:
        return self.catalogue.say(key)

    def both(self, key: str) -> str:
        return self.catalogue.both(key)

    def fbind(self, name: str, func: Any, *args: Any, **kwargs: Any) -> Any:
        if name != "_":
            return super().fbind(name, func, *args, **kwargs)
        uid = next(self._uids)
        self._bound[uid] = (func, args[0])
        return uid

    def unbind_uid(self, name: str, uid: int) -> None:
        """Called when a label is gone; kept, they would add up to a leak."""
        self._bound.pop(uid, None)

    def wear(self, language: Language) -> None:
        if language != self.catalogue.language:
            self.catalogue.language = language
            for func, args in list(self._bound.values()):
                func(args, None, None)


class Shell(App):
    """`on_send` gets every touch; `clock_s` is monotonic seconds."""

    def __init__(
        self,
        on_send: Callable[[Touch], None],
        clock_s: Callable[[], float],
        pitch_mm: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._pitch_mm = pitch_mm
        self.look = Look(canvas_scale(Window.width, pitch_mm))
        self.words = Words(Catalogue())
        global_idmap["look"], global_idmap["tr"] = self.look, self.words  # names for `.kv` files
        rules = TouchRules(pitch_mm or USUAL_PITCH_MM)
        self.stage = Stage(on_send, clock_s, rules)
        self._up: Callable[[], None] = lambda: None
        self.on_shown: Callable[[View], None] = lambda view: None
        self.on_leaving: Callable[[View, View], None] = lambda old, new: None

    def when_up(self, call: Callable[[], None]) -> None:
        self._up = call

    def build(self) -> Stage:
        Window.bind(width=lambda _, width: self._rescale(width))
        return self.stage

    def _rescale(self, width: float) -> None:
        unit = canvas_scale(width, self._pitch_mm)
        if unit != self.look.unit:
            self.look.rescale(unit)
            self.stage.rebuild()

    def on_start(self) -> None:
        self._up()

    def open_settings(self, *_: Any) -> bool:
        """Kivy's own panel is for developers; F1 does nothing here."""
        return False

    def show(self, view: View) -> None:
        if self.stage.view is not None:
            self.on_leaving(self.stage.view, view)
        self.stage.show(view)
        self.on_shown(view)

    def show_starting(self) -> None:
        frame = self.stage.view.frame if self.stage.view else None
        self.stage.show_starting(_plain_frame(frame))
        assert self.stage.view is not None
        self.on_shown(self.stage.view)

    def soon(self, call: Callable[[], None]) -> None:
        """Before the next frame, on Kivy's thread."""
        Clock.schedule_once(lambda _: call(), -1)

    def later(self, call: Callable[[], None], after_s: float) -> None:
        Clock.schedule_once(lambda _: call(), after_s)

    def leave(self) -> None:
        """End the loop; the application is taken apart once it has ended, not in its midst."""
        self.soon(stopTouchApp)


def _plain_frame(last: Frame | None) -> Frame:
    """The frame while core is away: the house's name is kept, nobody's name is."""
    if last is None:
        return Frame(hospital=Named(""), place=Named(""), clock=datetime(1970, 1, 1), bar=())
    return Frame(
        hospital=last.hospital, place=last.place, clock=last.clock, bar=(), language=last.language
    )
