"""People before the screen: in a hurry, in doubt, with two phones, or gone already."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kiosk.flows.events import BankCardInserted, CardRead, CodeScanned
from kiosk.flows.scene import Shown
from kiosk.views import Touch
from tests.flows.people import LI_CARD, WANG_CARD
from tests.flows.targets import targets
from tests.simulation.world import World

WAYS = ("shown", "shown", "card", "card", "card", "card", "payer", "payer", "leave", "both", "cash")
PURSE = (100, 100, 500, 1000, 2000, 2000, 2000, 5000)
PHONES = ("paid", "paid", "paid", "typing", "typing", "declined", "never")


@dataclass
class Crowd:
    """One person after the other; act() is called whenever somebody could do something."""

    world: World
    way: str = "card"
    patience: int = 0
    persons: int = 0
    codes: int = field(default=0)

    def act(self) -> None:
        """One thing that this person does now, or nothing."""
        chance, page = self.world.chance, self.world.view.page.page
        if page == "attract":
            self._next_person()
        elif self.patience <= 0:
            return  # walked away: the terminal ends by itself
        elif chance.random() < 0.06:
            self._fumble()
        else:
            self._go_on(page)
        self.patience -= 1

    def _next_person(self) -> None:
        chance = self.world.chance
        self.persons += 1
        again = self.way == "cash" and chance.random() < 0.7  # pensions are paid out today
        self.way = "cash" if again else chance.choice(WAYS)
        self.patience = chance.choice((3, 6, 10, 30))
        # Notes make up whole yuan only; and some bring no notes, though they could pay so.
        self.world.hospital.own_fen = 4100 if self.way == "cash" else 4120
        self.world.hospital.payer = chance.choice(PHONES)
        self.world.hospital.new_patient()
        self.world.tell(CardRead(WANG_CARD if chance.random() < 0.8 else LI_CARD))

    def _go_on(self, page: str) -> None:
        chance = self.world.chance
        match page:
            case "home":
                self._choose_task()
            case "pay":
                self._pay()
            case "cash_busy" if chance.random() < 0.1:
                self._touch("back")
            case "cash_busy":
                self.world.box.insert(chance.choice(PURSE))
            case "pad_busy" if chance.random() < 0.15:
                self._touch("back")
            case "payment_result":
                self._touch(chance.choice(("again", "again", "end", "home")))
            case "choose_department":
                self._touch("department:D1")
            case "choose_slot":
                self._touch("slot:S9")
            case "confirm_registration":
                self._touch("confirm")
            case "problem":
                self._touch(chance.choice(("again", "back", "end")))
            case "finished" | "calling_help":
                self._touch(chance.choice(("back", "return", "end")))

    def _choose_task(self) -> None:
        page: Any = self.world.view.page
        kinds = [task.kind for task in page.tasks] + ([page.next.kind] if page.next else [])
        if "pay" in kinds and self.world.chance.random() < 0.8:
            self._touch("next" if page.next.kind == "pay" else "task:pay")
        else:
            self._touch(self.world.chance.choice(("tile:register", "end")))

    def _pay(self) -> None:
        page: Any = self.world.view.page
        world, chance = self.world, self.world.chance
        if self.way in ("shown", "both") and page.url:
            reference = page.url.rpartition("/")[2]
            world.later(chance.uniform(0.1, 20), lambda: world.provider.scan(reference))
        if self.way == "card" or (self.way == "both" and chance.random() < 0.7):
            self._touch(*["card"] * chance.choice((1, 1, 2)))
        elif self.way == "cash":
            self._touch("cash")
        elif self.way == "payer":
            self.codes += 1
            code = f"13{self.codes:016d}"
            for _ in range(chance.choice((1, 3))):
                world.tell(CodeScanned(code))
        elif self.way == "leave":
            self._touch(chance.choice(("back", "quit", "window")))
        elif chance.random() < 0.1:
            world.tell(BankCardInserted())

    def _fumble(self) -> None:
        """Any target of this page, or a key of the bar."""
        view = self.world.view
        here = targets(Shown(view.page, view.frame.bar))
        self._touch(self.world.chance.choice((*here, "help", "large", "voice")))

    def _touch(self, *names: str) -> None:
        serial = self.world.view.serial
        for name in names:
            self.world.tell(Touch(serial, name))
