"""The gateway is gone: a number from a lease, a slip in the hand, and the hospital's book later."""

from __future__ import annotations

from typing import cast

from gateway.adapters.demo.crowd import everybody
from gateway.adapters.demo.people import KNOWN, Person
from kiosk.domain.identity import DocumentKind
from kiosk.views import ChooseDepartment, ChooseSlot, Finished, Home
from tests.system.conftest import Terminal


def stranger(terminal: Terminal) -> Person:
    """Somebody with a card and no appointment today: they are on no list of the terminal's."""
    listed = {
        entry["person"]
        for entry in terminal.world.ledgers()["hospital"]
        if entry["kind"] == "booked"
    }
    return next(
        person
        for person in everybody()
        if person.document is DocumentKind.RESIDENT
        and not person.ties
        and person not in KNOWN
        and person.id not in listed
    )


def book(terminal: Terminal, person: Person, kind: str) -> list[str]:
    """What the hospital's own book has of this person."""
    entries = terminal.world.ledgers()["hospital"]
    return [one["subject"] for one in entries if one["kind"] == kind and one["person"] == person.id]


def test_a_registration_without_the_hospital_is_printed_and_stands_in_its_book_once(
    terminal: Terminal,
) -> None:
    """Rows 38 and 123, issue 3: leased, given, printed, synced; one booking, its fee still owed."""
    world, walk = terminal.world, terminal.walk()
    terminal.observer.wait(lambda view: view.frame.works.numbers > 0, "numbers at hand", 20)
    person = stranger(terminal)
    world.stop_gateway()
    terminal.observer.wait(lambda view: not view.frame.works.hospital, "told honestly", 20)

    walk.lay(person)
    home = cast(Home, walk.until("home").page)
    assert home.next is not None and (home.next.kind, home.next.enabled) == ("register", True)
    walk.tap("next")
    departments = cast(ChooseDepartment, walk.until("choose_department").page)
    walk.tap(f"department:{departments.cards[0].id}")
    slots = cast(ChooseSlot, walk.until("choose_slot").page)
    walk.tap(f"slot:{slots.cards[0].id}")
    walk.until("confirm_registration", pay_later="treat_first")
    walk.tap("confirm")
    page = cast(Finished, walk.until("finished", slip="printed").page)
    assert page.task is not None and page.offline
    slip = terminal.slips()[-1]
    assert page.task.number in slip and "挂号费没有付" in slip and page.slip_number in slip
    queued = [key for key in terminal.waiting() if key.endswith("-lent")]
    assert len(queued) == 1
    walk.end()

    world.start_gateway()
    terminal.until(lambda: set(queued) <= world.arrived().keys, "the record at the hospital", 40)
    assert len(book(terminal, person, "booked")) == 1
    assert len(book(terminal, person, "checked_in")) == 1
    assert book(terminal, person, "settled") == [], "nothing was paid"
    assert not set(queued) & set(terminal.waiting())
