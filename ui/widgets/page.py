"""What every page of ui.screens is: a column between the bars."""

from collections.abc import Callable
from typing import Any

from kivy.app import App

from ui.look import Look
from ui.widgets.layout import Stack
from ui.words import Catalogue


class Page(Stack):
    """Reading above, targets below: what is touched stays under the reach line."""

    @property
    def words(self) -> Catalogue:
        catalogue: Catalogue = App.get_running_app().words.catalogue
        return catalogue

    @property
    def look(self) -> Look:
        look: Look = App.get_running_app().look
        return look

    @property
    def roomy(self) -> bool:
        """Words at their normal size: there is room for icons and headings."""
        return bool(self.look.size_name == "normal")

    @property
    def hints(self) -> bool:
        """Headings and helping words are shown; without them more fits."""
        return self.look.hints

    def joined(self, *parts: str) -> str:
        """The parts that say something, with a dot between."""
        return self.words.say("dot").join(part for part in parts if part)


def refill(box: Any, count: int, make: Callable[[], Any]) -> list[Any]:
    """The box's children in order, made anew only when their number changed."""
    children = box.children[::-1]
    if len(children) != count:
        box.clear_widgets()
        children = [make() for _ in range(count)]
        for child in children:
            box.add_widget(child)
    return children
