"""Who is it? Any credential does; nothing has to be chosen."""

from kivy.properties import BooleanProperty, StringProperty

from kiosk.views import Identify, View
from ui.formats import plain
from ui.widgets.page import Page


class IdentifyScreen(Page):
    question = StringProperty("")
    goal = StringProperty("")
    reading = BooleanProperty(False)
    card_only = BooleanProperty(False)
    card_slot = BooleanProperty(False)

    def on_kv_post(self, base_widget: object) -> None:
        super().on_kv_post(base_widget)
        self._parts = {
            name: self.ids[name].__self__ for name in ("type_number", "volunteer", "code")
        }

    def show(self, view: View) -> None:
        page, words = view.page, self.words
        assert isinstance(page, Identify)
        self.reading = page.reading
        self.card_only, self.card_slot = page.card_only, page.card_slot
        if page.card_only:
            for name in ("type_number", "volunteer", "code"):
                if (widget := self._parts.pop(name, None)) is not None:
                    widget.parent.remove_widget(widget)
        if page.goal in ("green_relative", "green_holder"):
            self.question = words.say(f"identify.{page.goal}")
            own = plain(page.own_read)
            self.goal = words.say("identify.relative_for", name=own) if own else ""
        elif page.relative:
            self.question = words.say("identify.relative")
            own = plain(page.own_read)
            self.goal = words.say("identify.relative_for", name=own) if own else ""
        else:
            self.question = words.say("identify.who")
            self.goal = words.either(f"identify.goal_{page.goal}", "identify.goal_general")


Screen = IdentifyScreen
