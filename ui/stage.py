"""The root of the screen: bars, one page, what lies over it, and the finger on all of them.

Rule: a screen is built when it is shown and dropped when it is left. The newest view is the only
state; a touch leaves as the serial and target it was made on.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from kivy.app import App
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.widget import Widget

from kiosk.views import Starting, Touch, View
from ui.heading import aside, bar_keys, heading, notices
from ui.theme import SizeName, closer
from ui.touch import TouchRules
from ui.widgets import load_kv
from ui.widgets.bars import BottomBar, TopBar
from ui.widgets.cards import Touchable
from ui.widgets.notice import Notices, NoticeStrip
from ui.widgets.sheets import BusySheet, IdleSheet

GO_ON = "go_on"
"""What any touch means while the idle warning is shown."""

NOWHERE = ""
"""A touch on no target: it still says that somebody is here."""

SETTLED_AFTER_FRAMES = 3
"""Labels and layouts have found their size by then; only then can be said what fits."""

FORGET_AFTER_S = 0.3
"""A left page is out of memory within a second, and its collecting never delays the next one."""

BUSY_WORDS_AFTER_S = 1
BUSY_REASSURED_AFTER_S = 8
OTHER = {"zh": "en", "en": "zh"}


@dataclass(frozen=True)
class Press:
    """What a finger went down on: it acts on this, however often the page is drawn anew meanwhile.

    `settled`: the page had found its places; until then nobody can say what is under a finger.
    """

    target: str
    meaning: str
    serial: int
    settled: bool


class Stage(FloatLayout):
    """Draws a view; `on_send` is called with each touch that counts."""

    def __init__(
        self,
        on_send: Callable[[Touch], None],
        clock_s: Callable[[], float],
        rules: TouchRules,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._on_send, self._clock_s, self._rules = on_send, clock_s, rules
        self.view: View | None = None
        self.screen: Any = None
        self._screen_page = ""
        self._pressed: Press | None = None
        self._lit: Touchable | None = None
        self._asked: object = None
        self._size: SizeName = "normal"
        self._hints = True
        self._settling = 0
        self._build_frame()

    def _build_frame(self) -> None:
        """Everything but the page's screen; built anew when the look changes."""
        Window.clearcolor = App.get_running_app().look.bg
        self.clear_widgets()
        self.screen, self._screen_page = None, ""
        self._top, self._bottom = TopBar(), BottomBar()
        self._busy, self._idle = BusySheet(), IdleSheet()
        self._notices = Notices()
        self._column = BoxLayout(orientation="vertical")
        self._column.add_widget(self._notices)
        self._middle = FloatLayout()
        self._middle.add_widget(self._column)
        self._middle.bind(pos=self._fit_middle, size=self._fit_middle)
        frame = BoxLayout(orientation="vertical")
        for part in (self._top, self._middle, self._bottom):
            frame.add_widget(part)
        self.add_widget(frame)

    def rebuild(self) -> None:
        """The look changed under the widgets: make them again and draw the same view."""
        self._build_frame()
        if self.view is not None:
            self.show(self.view)

    def _fit_middle(self, *_: Any) -> None:
        for part in (self._column, self._busy):
            part.pos, part.size = self._middle.pos, self._middle.size

    def show(self, view: View) -> None:
        """Draw this view. Keeps the screen while the page stays the same."""
        app, frame = App.get_running_app(), view.frame
        if self._occasion(view) != self._asked:
            self._asked, self._size, self._hints = self._occasion(view), frame.size, True
        if app.look.wear(self._size, frame.theme, frame.tone, low=frame.low, hints=self._hints):
            self._build_frame()
        app.words.wear(frame.language)
        self.view = view
        self._show_bars(view)
        self._show_notices(view)
        self._show_page(view)
        self._show_busy(view)
        self._show_idle(view)
        self._show_pressed()
        self._settle()

    @staticmethod
    def _occasion(view: View) -> object:
        """What decides whether words fit; when it changes, the size asked for is tried again."""
        frame = view.frame
        return (view.page.page, frame.size, frame.language, frame.notice, frame.help is None)

    def _grew(self, screen: Any, _height: float) -> None:
        """A label found late that it needs another row: whether all fits is looked at anew."""
        if screen is self.screen:
            self._settle()

    def _settle(self) -> None:
        self._settling = SETTLED_AFTER_FRAMES
        Clock.unschedule(self._fit_page)
        Clock.schedule_interval(self._fit_page, 0)

    def _fit_page(self, *_: Any) -> bool:
        """Words that do not fit at the size asked for: the page is drawn one step closer."""
        self._settling -= 1
        if self._settling > 0:
            return True
        screen, view = self.screen, self.view
        too_high = screen is not None and screen.minimum_height > screen.height + 1
        tried = closer(self._size, self._hints) if too_high else None
        if view is not None and tried is not None:
            self._size, self._hints = tried
            self.show(view)
        return False

    @property
    def settling(self) -> bool:
        """Labels and layouts have not found their size yet."""
        return self._settling > 0

    def show_starting(self, frame: Any) -> None:
        """Core is not there: said in plain words, by the screen itself."""
        self.show(View(serial=-1, frame=frame, page=Starting()))

    def visible(self) -> Iterator[Widget]:
        """The parts a person sees now, those behind a sheet left out."""
        if self._idle.parent is not None:
            yield self._idle
            return
        yield self._top
        if self._busy.parent is not None:
            yield self._busy
        else:
            yield self._column
        yield self._bottom

    def targets(self) -> list[Touchable]:
        """Everything that hears a finger now."""
        if self._idle.parent is not None:
            return []
        found = (widget for part in self.visible() for widget in part.walk(restrict=True))
        return [widget for widget in found if isinstance(widget, Touchable) and widget.hears()]

    # --- what is shown ---------------------------------------------------------------------------

    def _show_bars(self, view: View) -> None:
        words, frame = App.get_running_app().words.catalogue, view.frame
        self._top.heading, self._top.aside = heading(words, view), aside(words, view)
        other = OTHER[frame.language]
        self._top.language_target = f"language:{other}"
        self._top.language_name = words.say(f"language.{other}")
        self._bottom.keys = bar_keys(words, view)
        if isinstance(view.page, Starting):  # nobody is there to hear a touch
            self._top.language_target = self._top.language_name = ""

    def _show_notices(self, view: View) -> None:
        said = notices(App.get_running_app().words.catalogue, view)
        strips = self._notices.children[::-1]
        if len(strips) != len(said):
            self._notices.clear_widgets()
            strips = [NoticeStrip() for _ in said]
            for strip in strips:
                self._notices.add_widget(strip)
        for strip, notice in zip(strips, said, strict=True):
            strip.message, strip.part = notice.message, notice.part
            strip.icon, strip.grave = notice.icon, notice.grave

    def _show_page(self, view: View) -> None:
        name = view.page.page
        if self._screen_page != name:
            if self.screen is not None:
                self._column.remove_widget(self.screen)
                Clock.schedule_once(_forget, FORGET_AFTER_S)
            self.screen = _build(name)
            self.screen.bind(minimum_height=self._grew)
            self._screen_page = name
            self._column.add_widget(self.screen)
        self.screen.show(view)

    def _show_busy(self, view: View) -> None:
        frame, words = view.frame, App.get_running_app().words.catalogue
        if frame.busy and frame.busy_s >= BUSY_WORDS_AFTER_S:
            self._busy.message = words.say(f"busy.{frame.busy}")
            long = frame.busy_s >= BUSY_REASSURED_AFTER_S
            self._busy.reassurance = words.say("busy.nothing_lost") if long else ""
            self._busy.beat = 0 if frame.elder else frame.busy_s
            if self._busy.parent is None:
                self._middle.add_widget(self._busy)
        elif self._busy.parent is not None:
            self._middle.remove_widget(self._busy)

    def _show_idle(self, view: View) -> None:
        left, words = view.frame.idle_left_s, App.get_running_app().words.catalogue
        if left is not None:
            self._idle.question = words.say("idle.question")
            self._idle.left, self._idle.advice = str(left), words.say("idle.advice")
            if self._idle.parent is None:
                self.add_widget(self._idle)
        elif self._idle.parent is not None:
            self.remove_widget(self._idle)

    # --- the finger ------------------------------------------------------------------------------

    def on_touch_down(self, touch: Any) -> bool:
        if self.view is not None and self._rules.press(touch.uid, touch.pos, self._clock_s()):
            self._pressed = self._press_at(*touch.pos)
            self._show_pressed()
        return True

    def on_touch_move(self, touch: Any) -> bool:
        return True

    def on_touch_up(self, touch: Any) -> bool:
        acts = self._rules.release(touch.uid, touch.pos, self._clock_s())
        pressed, self._pressed = self._pressed, None
        self._show_pressed()
        if acts and pressed is not None and self.view is not None:
            self._send(self._act(self._found(pressed, touch)))
        return True

    def _press_at(self, x: float, y: float) -> Press:
        assert self.view is not None
        hit, serial, settled = self._target_at(x, y), self.view.serial, not self.settling
        if hit is None:
            return Press(NOWHERE, "", serial, settled)
        return Press(hit.target, self._meaning(hit), serial, settled)

    def _found(self, pressed: Press, touch: Any) -> Press:
        """A press that met a page without its places yet is looked for again on release."""
        assert self.view is not None
        lost = pressed.target == NOWHERE and not pressed.settled
        return (
            self._press_at(*touch.pos) if lost and pressed.serial == self.view.serial else pressed
        )

    def _act(self, pressed: Press) -> Touch | None:
        """What a release says. None: what was pressed has gone or means something else now."""
        assert self.view is not None
        if self._idle.parent is not None:
            return Touch(serial=self.view.serial, target=GO_ON)
        if pressed.target != NOWHERE and self._still(pressed) is None:
            return None
        return Touch(serial=pressed.serial, target=pressed.target)

    def _still(self, pressed: Press) -> Touchable | None:
        """The key that was pressed, as it is drawn now."""
        for now in self.targets():
            if now.target == pressed.target and self._meaning(now) == pressed.meaning:
                return now
        return None

    def _send(self, touch: Touch | None) -> None:
        if touch is not None and touch.serial >= 0:
            self._on_send(touch)

    def _show_pressed(self) -> None:
        """The look of a key under the finger, also when it has just been drawn anew."""
        if self._lit is not None:
            self._lit.pressed = False
        self._lit = self._still(self._pressed) if self._pressed is not None else None
        if self._lit is not None:
            self._lit.pressed = True

    def _target_at(self, x: float, y: float) -> Touchable | None:
        """The nearest target whose area, half a gap larger than its picture, holds the point."""
        reach = App.get_running_app().look.gutter / 2
        near = [(target.distance(x, y), target) for target in self.targets()]
        near = [pair for pair in near if pair[0] <= reach]
        return min(near, key=lambda pair: pair[0])[1] if near else None

    @staticmethod
    def _meaning(widget: Touchable) -> str:
        """What the key says: the same target with other words is another key."""
        return "\n".join(part.text for part in widget.walk(restrict=True) if hasattr(part, "text"))


def _forget(*_: Any) -> None:
    """Widgets hold each other in circles: only the collector lets a left page's words go."""
    gc.collect()


def _build(page: str) -> Any:
    """The page's screen, from the module and the .kv file of its name."""
    module = import_module(f"ui.screens.{page}")
    assert module.__file__ is not None
    load_kv(Path(module.__file__).with_suffix(".kv"))
    return module.Screen()
