"""Walks the journeys by real touches and real bytes, and writes down what was seen.

A journey is a function of a Walk: it does what hands do and waits for what eyes see. Nothing in it
calls the terminal; the screen is touched at pixels, cards and codes go over their cables.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

from gateway.adapters.demo.codes import DemoCodes, demo_codes
from gateway.adapters.demo.people import Person
from kiosk.demo.observer import NotSeen, Observer
from kiosk.demo.world import DemoWorld
from kiosk.views import View
from ui.hands import HandsClient, HandsRefused

TOUCH_S = 5.0
PAPER_S = 20.0


@dataclass(frozen=True)
class Journey:
    """One walk as it stands in summary.json."""

    name: str
    outcome: str
    taps: int
    screens: int
    seconds: float
    pictures: tuple[str, ...]
    papers: tuple[str, ...]
    pages: tuple[str, ...]


class Walk:
    """Hands and eyes for one journey."""

    def __init__(self, world: DemoWorld, observer: Observer, hands: HandsClient) -> None:
        self.world, self.observer, self._hands = world, observer, hands
        self.taps = 0

    # --- eyes ------------------------------------------------------------------------------------

    def until(self, page: str, timeout_s: float = 15.0, **facts: Any) -> View:
        """Wait for a page whose fields have these values, until the screen shows it too."""

        def wanted(view: View) -> bool:
            return view.page.page == page and all(
                getattr(view.page, name) == value for name, value in facts.items()
            )

        return self.until_true(wanted, f"{page} {facts or ''}".strip(), timeout_s)

    def until_true(
        self, wanted: Callable[[View], bool], what: str, timeout_s: float = 15.0
    ) -> View:
        view = self.observer.wait(wanted, what, timeout_s)
        self._hands.wait_page(view.page.page, serial_after=view.serial - 1)
        return view

    def look(self) -> None:
        """Wait until what is shown now has been drawn."""
        self._hands.tree()

    def read_code(self) -> str:
        """What a phone's camera reads off the screen: the picture's QR code, decoded."""
        import zxingcpp
        from PIL import Image

        path = self.world.folder / "camera.png"
        self._hands.screenshot(path)
        found = zxingcpp.read_barcodes(Image.open(path))
        if not found:
            raise NotSeen("no code can be read off the screen")
        return str(found[0].text)

    # --- hands -----------------------------------------------------------------------------------

    def tap(self, target: str) -> None:
        """One finger on one target, as soon as it is there."""
        until_s = monotonic() + TOUCH_S
        while True:
            try:
                self._hands.touch(target)
                break
            except HandsRefused:
                if monotonic() > until_s:
                    raise
                self.world.rest(0.05)
        self.taps += 1

    def keys(self, digits: str) -> None:
        """A keypad entry; keys are counted apart from taps (SCREENS §6)."""
        taps = self.taps
        for digit in digits:
            self.tap(f"key:{digit}")
        self.tap("ok")
        self.taps = taps

    def lay(self, person: Person) -> None:
        self.world.devices.lay_card(person)

    def lift(self) -> None:
        self.world.devices.lift_card()

    def codes(self, person: Person) -> DemoCodes:
        return demo_codes(person, self.world.clock.now())

    def show(self, code: str) -> None:
        self.world.devices.show_code(code)

    def end(self) -> None:
        """Leave the terminal to the next person; not part of the journey."""
        view = self.observer.view
        if view is not None and view.page.page != "attract":
            taps = self.taps
            self.tap("end")
            self.until("attract")
            self.taps = taps


Script = Callable[[Walk], str]
"""What a journey does; its outcome in one word."""


class Tour:
    """All journeys, one after the other, at one world that stays up."""

    def __init__(self, world: DemoWorld, out: Path) -> None:
        self.world, self.out = world, out
        out.mkdir(parents=True, exist_ok=True)
        self.observer = Observer(world.socket_path)
        self._seen_papers: set[Path] = set()
        self.journeys: list[Journey] = []
        self.extras: list[Journey] = []

    def start(self) -> None:
        self.observer.start()
        self.hands = HandsClient(self.world.hands_path)
        self.observer.wait(everything_works, "all devices and the hospital", 30.0)
        self.hands.wait_page("attract", 30.0)
        self.hands.tree()  # answered once the page is laid out

    def stop(self) -> None:
        self.observer.stop()
        self.hands.close()

    def before(self, script: Script) -> None:
        """Something that must be done and is no journey (a volunteer unlocks)."""
        script(Walk(self.world, self.observer, self.hands))

    def walk(self, name: str, script: Script, after: Script, extra: bool = False) -> Journey:
        """One journey from the page that is shown; `after` clears up, and is not counted."""
        walk = Walk(self.world, self.observer, self.hands)
        self.hands.record(self.out, f"{name}-")
        self.hands.tree()  # the first page has been drawn
        self._new_papers()
        began_s = monotonic()
        outcome = script(walk)
        seconds = monotonic() - began_s
        screens, pictures = self.hands.recorded()
        journey = Journey(
            name=name,
            outcome=outcome,
            taps=walk.taps,
            screens=len(screens),
            seconds=round(seconds, 2),
            pictures=tuple(pictures),
            papers=self._keep_papers(name),
            pages=tuple(screens),
        )
        (self.extras if extra else self.journeys).append(journey)
        after(walk)
        return journey

    def _new_papers(self) -> list[Path]:
        new = [path for path in self.world.devices.papers() if path not in self._seen_papers]
        self._seen_papers.update(new)
        return new

    def _keep_papers(self, name: str) -> tuple[str, ...]:
        kept = []
        for number, path in enumerate(self._new_papers(), 1):
            paper = self.out / f"{name}-paper-{number}{path.suffix}"
            shutil.copyfile(path, paper)
            kept.append(paper.name)
        return tuple(kept)

    def write_summary(self, more: dict[str, Any]) -> Path:
        path = self.out / "summary.json"
        found: dict[str, Any] = {"journeys": [asdict(journey) for journey in self.journeys]}
        found |= {"extras": [asdict(extra) for extra in self.extras], **more}
        path.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        return path


def everything_works(view: View) -> bool:
    """The terminal says that all devices and the hospital are there."""
    works = view.frame.works
    return all(vars(replace(works, a4_needs="-")).values()) and not works.a4_needs


def report(journeys: Sequence[Journey]) -> str:
    """A line a journey, for the person who started the tour."""
    return "\n".join(
        f"{one.name:18} {one.outcome:14} {one.taps} taps  {one.screens} screens  "
        f"{one.seconds:5.1f} s  {len(one.pictures)} pictures  {len(one.papers)} papers"
        for one in journeys
    )
