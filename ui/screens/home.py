"""The next thing first, today's others under it, everything else as tiles."""

from kivy.properties import StringProperty

from kiosk.views import Home, HomeTask, View
from ui import tasks
from ui.formats import plain
from ui.widgets.cards import Card
from ui.widgets.page import Page, refill

TILE_ICONS = {
    "register": "clipboard-plus",
    "inquire": "magnify",
    "family": "account-group",
    "more": "dots-grid",
}


class HomeScreen(Page):
    hello = StringProperty("")
    acting = StringProperty("")
    said = StringProperty("")
    also = StringProperty("")

    def show(self, view: View) -> None:
        page = view.page
        assert isinstance(page, Home)
        words, today = self.words, view.frame.clock.date()
        self.hello = words.say("home.hello", name=plain(page.name))
        self.acting = (
            words.say("home.acting_for", name=plain(page.acting_for)) if page.acting_for else ""
        )
        self.said = self._said(page) if self.hints or page.next is None else ""
        self.also = words.say("home.card_expired") if page.card_expired else ""
        self._show_next(page.next, today)
        rows = refill(self.ids.tasks, len(page.tasks), Card)
        for card, task in zip(rows, page.tasks, strict=True):
            self._dress(card, task, today)
            card.target = f"task:{task.kind}"
        self._show_tiles(page)

    def _said(self, page: Home) -> str:
        if page.next is None:
            return self.words.say("home.nothing") + self.words.say("stop")
        return self.words.say(f"home.read_{page.next.kind}")

    def _show_next(self, task: HomeTask | None, today: object) -> None:
        self.ids.first.text = self.words.say("home.first") if task and self.hints else ""
        cards = refill(self.ids.next, 1 if task else 0, lambda: Card(strong=True))
        for card in cards:
            assert task is not None
            self._dress(card, task, today)
            card.target = "next"
            card.floor = self.look.next_card
            card.title_size, card.icon_size = self.look.next_step, self.look.icon_big

    def _dress(self, card: Card, task: HomeTask, today: object) -> None:
        card.icon, card.dim = tasks.ICONS[task.kind], not task.enabled
        card.title = tasks.title(self.words, task)
        card.detail = tasks.detail(self.words, task, today)

    def _show_tiles(self, page: Home) -> None:
        self.ids.today_too.text = (
            self.words.say("home.today_too") if page.tasks and self.hints else ""
        )
        self.ids.other.text = self.words.say("home.other") if page.tiles and self.hints else ""
        tiles = refill(self.ids.tiles, len(page.tiles), Card)
        for tile, name in zip(tiles, page.tiles, strict=True):
            tile.target, tile.icon = f"tile:{name}", TILE_ICONS[name]
            tile.title = self.words.say(f"home.tile_{name}")
            tile.dim = name in page.off
            tile.floor = self.look.tile if page.next else self.look.next_card
            tile.title_size = self.look.card if self.roomy else self.look.section


Screen = HomeScreen
