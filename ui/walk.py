"""What is on the screen, in words and rectangles: for the tour and for tests.

Rule: only what a person can see; rectangles are [left, top, width, height] from the upper left.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kivy.core.window import Window
from kivy.uix.label import Label
from kivy.uix.widget import Widget

from ui.stage import Stage
from ui.widgets.text import Icon

Rect = list[float]


def rect(widget: Widget) -> Rect:
    return [
        round(widget.x, 1),
        round(Window.height - widget.top, 1),
        round(widget.width, 1),
        round(widget.height, 1),
    ]


def shown(root: Widget) -> Iterator[Widget]:
    """The widget and what is in it, without what is transparent or has no size."""
    if root.opacity == 0 or root.width <= 0 or root.height <= 0:
        return
    yield root
    for child in root.children:
        yield from shown(child)


def labels(stage: Stage) -> list[Label]:
    """Every text that is seen; icons are no texts."""
    found = (widget for part in stage.visible() for widget in shown(part))
    return [
        widget
        for widget in found
        if isinstance(widget, Label) and not isinstance(widget, Icon) and widget.text
    ]


def describe(stage: Stage) -> dict[str, Any]:
    """Texts and targets as they are shown now."""
    texts = [
        {"text": label.text, "rect": rect(label), "font_size": label.font_size}
        for label in labels(stage)
    ]
    targets = [{"target": widget.target, "rect": rect(widget)} for widget in stage.targets()]
    return {"texts": texts, "targets": targets}
