"""A line of a bill, and how far something has come."""

from kivy.properties import BooleanProperty, NumericProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget


class MoneyRow(BoxLayout):
    """What left, how much right; `grand` is the line that matters."""

    what = StringProperty("")
    amount = StringProperty("")
    grand = BooleanProperty(False)
    natural_height = NumericProperty(0)


class ProgressStrip(Widget):
    """`done` from 0 to 1."""

    done = NumericProperty(0.0)
