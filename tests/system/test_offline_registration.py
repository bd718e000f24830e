"""A morning without the gateway: a leased number, a card charged on a quote, each booked once.

The judges are the pad's and the hospital's own books.
"""

from __future__ import annotations

from typing import cast

from drivers.pad_ledger import Fate
from gateway.adapters.demo.crowd import everybody
from gateway.adapters.demo.people import KNOWN, Person
from kiosk.demo.journeys import to_the_bill, until_payable
from kiosk.demo.tour import Walk
from kiosk.domain.identity import DocumentKind
from kiosk.views import ChooseDepartment, ChooseSlot, Finished, Home, Pay
from tests.system.conftest import Terminal


def stranger(terminal: Terminal) -> Person:
    """Somebody with a card and no appointment today: they are on no list of the terminal's."""
    book = terminal.world.ledgers()["hospital"]
    listed = {entry["person"] for entry in book if entry["kind"] == "booked"}
    return next(
        person
        for person in everybody()
        if person.document is DocumentKind.RESIDENT
        and not (person.ties or person in KNOWN or person.id in listed)
    )


def book(terminal: Terminal, person: Person, kind: str) -> list[str]:
    """What the hospital's own book has of this person."""
    entries = terminal.world.ledgers()["hospital"]
    return [one["subject"] for one in entries if one["kind"] == kind and one["person"] == person.id]


def register(walk: Walk, terminal: Terminal, person: Person) -> str:
    """Four touches without a hospital; the key of the record that waits."""
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
    [queued] = [key for key in terminal.waiting() if key.endswith("-lent")]
    return queued


def price(walk: Walk, person: Person) -> None:
    """The bill is looked at and left, while the hospital is there."""
    walk.lay(person)
    to_the_bill(walk)
    until_payable(walk)
    walk.tap("back")
    walk.until("home")
    walk.lift()
    walk.end()


def pay(walk: Walk, terminal: Terminal, person: Person) -> str:
    """The card is charged as quoted, and the page says that the hospital does not know yet."""
    walk.lay(person)
    home = cast(Home, walk.until("home").page)
    task = next(task for task in (home.next, *home.tasks) if task and task.kind == "pay")
    assert task.enabled
    walk.tap("next" if home.next == task else "task:pay")
    bill = cast(Pay, walk.until("pay", url="").page)
    assert bill.own_fen == task.own_fen and not bill.scanning
    walk.tap("card")
    walk.until("pad_busy", progress="insert_card")
    reference = terminal.open_payment()
    terminal.world.devices.present_bank_card()
    walk.until("payment_result", result="checking", unheard=True, slip="printed", timeout_s=30)
    assert "网络通了会自动登记" in "".join(terminal.slips()[-1].split())
    walk.lift()
    walk.end()
    return reference


def test_what_was_promised_without_the_hospital_stands_in_its_book_once(
    terminal: Terminal,
) -> None:
    """Rows 38 and 123, issue 3: leased and given, quoted and charged; printed, synced, booked."""
    world, walk = terminal.world, terminal.walk()
    terminal.observer.wait(lambda view: view.frame.works.numbers > 0, "numbers at hand", 20)
    owes, comes, charges = terminal.debtor(), stranger(terminal), len(terminal.charges())
    price(walk, owes)
    world.stop_gateway()
    terminal.observer.wait(lambda view: not view.frame.works.hospital, "told honestly", 20)
    reference = pay(walk, terminal, owes)
    queued = register(walk, terminal, comes)
    walk.end()

    world.start_gateway()
    terminal.until(lambda: queued in world.arrived().keys, "the record at the hospital", 40)
    assert [len(book(terminal, comes, kind)) for kind in ("booked", "checked_in")] == [1, 1]
    assert book(terminal, comes, "settled") == [], "nothing was paid"
    assert queued not in terminal.waiting()
    terminal.until_payment(reference, "SETTLED")
    assert (len(terminal.charges()) - charges, terminal.bookings(reference)) == (1, 1)
    assert terminal.charges()[-1].fate is Fate.COMPLETED
