"""Whoever stands before the screen: comes, does one errand in the scenario's way, and leaves."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Protocol

from kiosk.flows.events import CardRead, CodeScanned
from kiosk.ports import Told
from kiosk.views import Touch, View
from tests.crash.scenario import Scenario
from tests.flows.people import WANG_CARD

NOTES_YUAN = (50, 20, 10, 5, 1)
PATIENCE = 60
"""So many things a person does before walking away; the terminal then ends by itself."""


class Before(Protocol):
    """The terminal, as far as a person reaches it."""

    view: View

    def later(self, seconds: float, what: Callable[[], None]) -> None: ...

    def tell(self, told: Told) -> None: ...

    def insert(self, yuan: int) -> None: ...


class Person:
    """One after the other, `visits` of them."""

    def __init__(
        self,
        terminal: Before,
        scenario: Scenario,
        scan: Callable[[str], None],
        chance: Random,
        visits: int,
    ) -> None:
        self._terminal, self._scenario, self._scan = terminal, scenario, scan
        self._chance, self._visits, self._patience = chance, visits, 0
        self._codes, self._inside = 0, False
        self._tried: set[str] = set()

    @property
    def busy(self) -> bool:
        """Somebody will come yet, or is doing something."""
        return self._visits > 0 or self._patience > 0

    def begin(self) -> None:
        if self._visits:
            self._terminal.later(self._chance.uniform(0.5, 10), self._act)

    def _act(self) -> None:
        page: Any = self._terminal.view.page
        if page.page != "attract":
            self._inside = True
            self._patience = max(0, self._patience - 1)
            self._on(page)
        elif self._inside:
            self._inside, self._patience = False, 0  # the errand is over
        elif self._patience == 0 and self._visits:
            self._visits, self._patience = self._visits - 1, PATIENCE
            self._terminal.tell(CardRead(WANG_CARD))
        if self.busy:
            self._terminal.later(self._chance.uniform(0.3, 2.0), self._act)

    def _on(self, page: Any) -> None:
        match page.page:
            case "home":
                self._choose_errand(page)
            case "choose_department":
                self._touch("department:D1")
            case "choose_slot":
                self._touch("slot:S9")
            case "confirm_registration":
                self._touch("confirm")
            case "pay":
                self._pay(page)
            case "pad_busy":
                if self._scenario.hand == "back" and self._chance.random() < 0.5:
                    self._touch("back")
            case "cash_busy":
                self._insert(page)
            case "payment_result":
                if page.result != "checking" or self._chance.random() < 0.05:
                    self._touch("end")
            case "problem":
                self._touch(self._chance.choice(("again", "again", "again", "end")))
            case _:
                self._touch(self._chance.choice(("end", "home", "back", "return", "window")))

    def _choose_errand(self, page: Any) -> None:
        kinds = [task.kind for task in page.tasks]
        if self._scenario.errand == "number" and "number" not in self._tried:
            self._tried.add("number")
            self._touch("tile:register")
        elif page.next is not None and page.next.kind == "pay":
            self._touch("next")
        elif "pay" in kinds:
            self._touch("task:pay")
        else:
            self._touch("end")

    def _pay(self, page: Any) -> None:
        match self._scenario.way:
            case "shown" if page.url:
                reference = page.url.rpartition("/")[2]
                if reference not in self._tried:
                    self._tried.add(reference)
                    self._scan(reference)
            case "card":
                self._touch("card")
            case "cash" if page.cash == "offered":
                self._touch("cash")
            case "cash":  # the box is being looked at, or is in doubt
                self._touch("back" if self._chance.random() < 0.05 else "lines_following")
            case "payer":
                self._codes += 1
                self._terminal.tell(CodeScanned(f"13{self._codes:016d}"))
            case "leave":
                self._touch(self._chance.choice(("back", "quit", "window")))

    def _insert(self, page: Any) -> None:
        """No change is given: mostly notes that fit, the largest first."""
        left_fen, notes = page.amount_fen - page.taken_fen, self._scenario.notes
        if notes == "back" and page.taken_fen and self._chance.random() < 0.5:
            self._touch("back")
        elif notes == "large" and self._chance.random() < 0.5:
            self._terminal.insert(100)
        elif notes != "short" or not page.taken_fen:
            fitting = [yuan for yuan in NOTES_YUAN if yuan * 100 <= left_fen]
            if fitting and page.stage != "moving":
                self._terminal.insert(fitting[0 if self._chance.random() < 0.8 else -1])

    def _touch(self, name: str) -> None:
        self._terminal.tell(Touch(self._terminal.view.serial, name))
