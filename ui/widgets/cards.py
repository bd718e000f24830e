"""What can be touched: cards, tiles and big keys are one widget with different words and sizes."""

from kivy.app import App
from kivy.properties import BooleanProperty, ColorProperty, NumericProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from ui.widgets.layout import Stack
from ui.words import Catalogue


class Touchable(BoxLayout):
    """Anything with a target. The stage finds it under the finger and shows it pressed."""

    target = StringProperty("")
    enabled = BooleanProperty(True)
    pressed = BooleanProperty(False)
    natural_height = NumericProperty(0)

    def hears(self) -> bool:
        return bool(self.target) and self.enabled and not self.disabled

    def distance(self, x: float, y: float) -> float:
        """How far outside the point is; 0 within."""
        aside = max(self.x - x, 0, x - self.right)
        above = max(self.y - y, 0, y - self.top)
        return max(aside, above)


class Card(Touchable):
    """Icon left, title and detail right of it, something short at the far end.

    `strong` is the one thing to do on this page; `chosen` a choice that was made. In a card that
    is not `enabled` the detail says why.
    """

    icon = StringProperty("")
    title = StringProperty("")
    detail = StringProperty("")
    trail = StringProperty("")
    trail_icon = StringProperty("")
    strong = BooleanProperty(False)
    chosen = BooleanProperty(False)
    dim = BooleanProperty(False)  # does not work now, but says why when it is touched
    floor = NumericProperty(0)
    title_size = NumericProperty(0)
    detail_size = NumericProperty(0)
    icon_size = NumericProperty(0)
    fill = ColorProperty("#FFFFFF")
    edge = ColorProperty("#000000")
    ink = ColorProperty("#000000")
    soft_ink = ColorProperty("#000000")


class Tile(Touchable):
    """Icon over a word, centred."""

    icon = StringProperty("")
    title = StringProperty("")
    chosen = BooleanProperty(False)
    floor = NumericProperty(0)
    title_size = NumericProperty(0)
    icon_size = NumericProperty(0)
    fill = ColorProperty("#FFFFFF")
    edge = ColorProperty("#000000")
    ink = ColorProperty("#000000")


class BigKey(Card):
    """The page's one filled key."""


class PersonRow(Card):
    """One person: masked name, relation or age; chosen ones carry a tick."""


class Panel(Stack):
    """A surface to read, with an edge; not touchable."""

    fill = ColorProperty("#FFFFFF")
    edge = ColorProperty("#000000")
    natural_height = NumericProperty(0)


class Verdict(Stack):
    """How something ended: a large icon, a headline, what to do."""

    icon = StringProperty("")
    headline = StringProperty("")
    said = StringProperty("")
    icon_ink = ColorProperty("#000000")


class Pager(BoxLayout):
    """‹ which page ›; not there when there is only one."""

    said = StringProperty("")
    previous_word = StringProperty("")
    following_word = StringProperty("")
    more_before = BooleanProperty(False)
    more_after = BooleanProperty(False)
    needed = BooleanProperty(False)

    def show(self, words: Catalogue, number: int, of: int) -> None:
        self.needed = of > 1
        roomy = App.get_running_app().look.size_name == "normal"
        key = "register.page" if roomy else "register.page_short"
        self.said = words.say(key, number=number, of=of) if of > 1 else ""
        self.previous_word = words.say("register.previous") if of > 1 else ""
        self.following_word = words.say("register.following") if of > 1 else ""
        self.more_before, self.more_after = number > 1, number < of
