"""What is wrong or new, on top of the page: the part's picture with an arrow, and what to do."""

from kivy.properties import BooleanProperty, ColorProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from ui.widgets.layout import Stack


class NoticeStrip(BoxLayout):
    """`part` draws the machine with an arrow to it; without one there is an icon."""

    message = StringProperty("")
    part = StringProperty("")
    icon = StringProperty("information")
    grave = BooleanProperty(False)
    fill = ColorProperty("#FFFFFF")
    ink = ColorProperty("#000000")


class Notices(Stack):
    """The strips, one under another; without any it has no height."""
