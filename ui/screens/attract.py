"""Nobody is here: what to lay down where, what is left today, and the ways without a card."""

from typing import get_args

from kivy.properties import BooleanProperty, NumericProperty, StringProperty

from kiosk.views import Attract, Language, View
from ui.formats import name_of
from ui.widgets.cards import Card, Tile
from ui.widgets.money import MoneyRow
from ui.widgets.page import Page, refill

TILES = {
    "no_credential": "card-account-details-outline",
    "family": "account-group",
    "emergency": "ambulance",
    "green": "hand-heart",
}


LANGUAGES: tuple[Language, ...] = get_args(Language)


class AttractScreen(Page):
    places_heading = StringProperty("")
    tile_cols = NumericProperty(4)
    places_cols = NumericProperty(3)
    card_slot = BooleanProperty(False)

    def show(self, view: View) -> None:
        assert isinstance(view.page, Attract)
        self.card_slot = view.page.card_slot
        large = self.look.size_name != "normal"
        self.tile_cols = 2 if large else 4
        self.places_cols = 2 if large or view.frame.language != "zh" else 3
        make = Tile if self.roomy else Card
        for tile, name in zip(refill(self.ids.tiles, len(TILES), make), TILES, strict=True):
            tile.target, tile.icon = name, TILES[name]
            tile.title = self.words.say(f"attract.{name}")
        self._show_on_site(view.page)
        shown = LANGUAGES if self.roomy else ()  # the top bar's key is always there
        for key, code in zip(refill(self.ids.languages, len(shown), Card), shown, strict=True):
            key.target, key.title, key.icon = (
                f"language:{code}",
                self.words.say(f"language.{code}"),
                "translate",
            )
            key.chosen = code == view.frame.language
            key.floor, key.title_size = self.look.touch_min, self.look.button
            key.icon_size = self.look.icon_small

    def _show_on_site(self, page: Attract) -> None:
        self.places_heading = self.words.say("attract.on_site") if page.on_site else ""
        self.ids.on_site_panel.opacity = 1 if page.on_site else 0
        rows = refill(self.ids.on_site, len(page.on_site), MoneyRow)
        for row, place in zip(rows, page.on_site, strict=True):
            row.what, row.amount = name_of(self.words, place.department), str(place.left)


Screen = AttractScreen
