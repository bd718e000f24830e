"""Layouts that know how high they want to be."""

from typing import Any

from kivy.properties import BooleanProperty, NumericProperty, VariableListProperty
from kivy.uix.layout import Layout


class Stack(Layout):
    """Children one under another. One without height takes no gap; flexible ones share the rest."""

    spacing = NumericProperty(0)
    padding = VariableListProperty(0)
    minimum_height = NumericProperty(0)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in ("children", "parent", "size", "pos", "spacing", "padding"):
            self.fbind(name, self._trigger_layout)

    def add_widget(self, widget: Any, *args: Any, **kwargs: Any) -> None:
        for name in ("height", "width", "size_hint_y"):
            widget.fbind(name, self._trigger_layout)
        super().add_widget(widget, *args, **kwargs)

    def remove_widget(self, widget: Any, *args: Any, **kwargs: Any) -> None:
        for name in ("height", "width", "size_hint_y"):
            widget.funbind(name, self._trigger_layout)
        super().remove_widget(widget, *args, **kwargs)

    def do_layout(self, *_: Any) -> None:
        shown = [c for c in self.children[::-1] if c.size_hint_y is not None or c.height > 0]
        fixed = sum(_needs(child) for child in shown)
        gaps = self.spacing * max(0, len(shown) - 1)
        self.minimum_height = fixed + gaps + self.padding[1] + self.padding[3]
        flexible = [child for child in shown if child.size_hint_y is not None]
        rest = max(0, self.height - self.minimum_height) / max(1, len(flexible))
        top, inner = self.top - self.padding[1], self.width - self.padding[0] - self.padding[2]
        for child in self.children:
            if child not in shown and child.size_hint_x is not None:
                child.width = inner  # ready for words that come later
        for child in shown:
            if child.size_hint_x is not None:
                child.width = inner
            if child.size_hint_y is not None:
                child.height = _needs(child) + rest
            centred = "center_x" in child.pos_hint
            aside = (inner - child.width) * child.pos_hint["center_x"] if centred else 0
            child.pos = (self.x + self.padding[0] + aside, top - child.height)
            top -= child.height + self.spacing


def _needs(child: Any) -> float:
    """The least height of a child; a flexible one may have what lies in it."""
    if child.size_hint_y is None:
        return float(child.height)
    return float(getattr(child, "minimum_height", 0))


class Column(Stack):
    """A stack as high as its children are together."""


class Cells(Layout):
    """Children in equal columns; every row as high as its highest child wants to be.

    Children have `natural_height`; they are stretched to their row. The last row of an odd count
    stays half empty, unless `fill_last`.
    """

    cols = NumericProperty(1)
    spacing = NumericProperty(0)
    padding = VariableListProperty(0)
    fill_last = BooleanProperty(False)
    equal = BooleanProperty(False)  # all rows as high as the highest

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(size_hint_y=None, **kwargs)
        again = self._trigger_layout
        for name in ("children", "parent", "size", "pos", "cols", "spacing", "padding"):
            self.fbind(name, again)

    def add_widget(self, widget: Any, *args: Any, **kwargs: Any) -> None:
        widget.fbind("natural_height", self._trigger_layout)
        super().add_widget(widget, *args, **kwargs)

    def remove_widget(self, widget: Any, *args: Any, **kwargs: Any) -> None:
        widget.funbind("natural_height", self._trigger_layout)
        super().remove_widget(widget, *args, **kwargs)

    def do_layout(self, *_: Any) -> None:
        cells = self.children[::-1]
        cols = max(1, int(self.cols))
        rows = [cells[at : at + cols] for at in range(0, len(cells), cols)]
        heights = [max(cell.natural_height for cell in row) for row in rows]
        if self.equal and heights:
            heights = [max(heights)] * len(heights)
        gaps = self.spacing * max(0, len(rows) - 1)
        self.height = sum(heights) + gaps + self.padding[1] + self.padding[3]
        top = self.top - self.padding[1]
        for row, height in zip(rows, heights, strict=True):
            self._place(row, cols, top, height)
            top -= height + self.spacing

    def _place(self, row: list[Any], cols: int, top: float, height: float) -> None:
        across = len(row) if self.fill_last else cols
        inner = self.width - self.padding[0] - self.padding[2]
        width = (inner - self.spacing * (across - 1)) / across
        for number, cell in enumerate(row):
            cell.size = (width, height)
            cell.pos = (self.x + self.padding[0] + number * (width + self.spacing), top - height)
