"""When and with whom: at most four days, six hours to a page."""

from datetime import date

from kivy.properties import NumericProperty, StringProperty

from kiosk.views import ChooseSlot, SlotCard, View
from ui.formats import day, money, name_of, plain, time_range
from ui.widgets.cards import Card, Tile
from ui.widgets.page import Page, refill


class ChooseSlotScreen(Page):
    department = StringProperty("")
    none = StringProperty("")
    asked = StringProperty("")
    day_cols = NumericProperty(4)

    def show(self, view: View) -> None:
        page, words = view.page, self.words
        assert isinstance(page, ChooseSlot)
        self.asked = words.say("register.when") if self.hints else ""
        narrow = not self.roomy and view.frame.language != "zh"
        self.day_cols = 2 if narrow else 4
        self.department = name_of(words, page.department)
        self.none = "" if page.cards else words.say("register.no_slots_shown")
        self._show_days(page, view.frame.clock.date())
        cards = refill(self.ids.cards, len(page.cards), Card)
        for card, slot in zip(cards, page.cards, strict=True):
            self._dress(card, slot)
        self.ids.pager.show(words, page.number, page.of)

    def _show_days(self, page: ChooseSlot, today: date) -> None:
        tiles = refill(self.ids.days, len(page.days), Tile)
        for tile, of in zip(tiles, page.days, strict=True):
            tile.target = f"day:{of.isoformat()}"
            tile.title = day(self.words, of, today)
            tile.chosen = of == page.day
            tile.icon_size, tile.floor = 0, self.look.touch_min
            tile.title_size = self.look.body

    def _dress(self, card: Card, slot: SlotCard) -> None:
        words = self.words
        card.target = f"slot:{slot.id}"
        card.title = time_range(slot.starts, slot.ends)
        left = words.say("register.none_left")
        if slot.left:
            left = self.joined(words.count("register.left", slot.left), money(slot.fee_fen))
        who = " ".join(part for part in (plain(slot.doctor), plain(slot.title)) if part)
        card.detail = f"{who}\n{left}"
        card.enabled = slot.left > 0


Screen = ChooseSlotScreen
