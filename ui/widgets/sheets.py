"""What lies over the page: the idle warning, and the sign that something is being waited for."""

from typing import Any

from kivy.properties import NumericProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget


class IdleSheet(BoxLayout):
    """The whole screen: how many seconds are left, and that any touch goes on."""

    left = StringProperty("")
    question = StringProperty("")
    advice = StringProperty("")


class BusySheet(BoxLayout):
    """Over the page's middle; the bars stay. `beat` moves the sign, a step a second."""

    message = StringProperty("")
    reassurance = StringProperty("")
    beat = NumericProperty(0)


class Beat(Widget):
    """Four blocks, one of them lit: moves with the view, never by itself."""

    beat = NumericProperty(0)

    def block_x(self, number: int, side: float, gap: float, *_: Any) -> float:
        return self.center_x - 2 * side - 1.5 * gap + number * (side + gap)
