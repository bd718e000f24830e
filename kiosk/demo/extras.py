"""Walks beside the eleven journeys: what else a person may want, each from the first page.

Rule: an extra uses people whom no journey uses, so that either may be walked without the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from gateway.adapters.demo import people
from gateway.adapters.demo.bills import unpaid_on
from gateway.adapters.demo.crowd import everybody
from gateway.adapters.demo.insurance import split
from gateway.adapters.demo.people import EMPLOYEE, KNOWN, Person
from kiosk.demo.journeys import Plan, to_the_bill, until_payable
from kiosk.demo.observer import NotSeen
from kiosk.demo.tour import Walk
from kiosk.domain.identity import DocumentKind
from kiosk.views import (
    CallingHelp,
    CashBusy,
    ChooseDepartment,
    ChooseSlot,
    ConfirmRegistration,
    Finished,
    Home,
    Inquiry,
    Pay,
    PaymentResult,
    View,
)


def strangers(walk: Walk, insured: bool = True) -> Iterator[Person]:
    """People with an ID card and a bill of today, none of them in a journey.

    `insured`: only those whose insurance is through their work.
    """
    known = {person.id for person in KNOWN}
    for person in everybody():
        card = person.document is DocumentKind.RESIDENT
        card = card and (not insured or person.insurance == EMPLOYEE)
        if card and person.id not in known and unpaid_on(person, walk.world.now.date()):
            yield person


def _stranger(walk: Walk, at: int) -> Person:
    return list(strangers(walk))[at]


def _home(walk: Walk, person: Person) -> Home:
    walk.lay(person)
    return cast(Home, walk.until("home").page)


def _switch(walk: Walk, language: str) -> View:
    walk.tap(f"language:{language}")
    view = walk.until_true(lambda view: view.frame.language == language, language)
    walk.look()
    return view


def _same(before: object, after: object) -> None:
    if before != after:
        raise NotSeen(f"the language has changed more than words: {before}, then {after}")


def english(walk: Walk) -> str:
    """A bill paid in English; the language is switched on two pages, which keep what they show."""
    person = _stranger(walk, 0)
    home = _home(walk, person)
    _same(home, _switch(walk, "en").page)
    to_the_bill(walk)
    bill = until_payable(walk)
    _same(bill, cast(Pay, _switch(walk, "zh").page))
    _same(bill, cast(Pay, _switch(walk, "en").page))
    walk.show(walk.codes(person).wechat)
    view = walk.until("payment_result", slip="printed", timeout_s=40.0)
    return cast(PaymentResult, view.page).result


def typed_number(walk: Walk) -> str:
    """Nothing in the hand: the ID number, then four digits that only the phone's owner knows."""
    person = _stranger(walk, 1)
    walk.tap("no_credential")
    walk.until("identify")
    walk.tap("type_number")
    walk.until("type_in", what="id_number")
    walk.keys(person.number)
    walk.until("type_in", what="phone_last4")
    walk.keys(person.phone_last4)
    walk.until("home")
    return "known"


def go_to_window(walk: Walk) -> str:
    """去窗口 in the middle of a registration: the slip has what the clerk must know."""
    _home(walk, _stranger(walk, 2))
    walk.tap("tile:register")
    _departments(walk)
    walk.tap("window")
    view = walk.until("finished", slip="printed")
    return cast(Finished, view.page).what


def _departments(walk: Walk) -> ChooseDepartment:
    view = walk.until_true(
        lambda view: isinstance(view.page, ChooseDepartment) and bool(view.page.cards),
        "departments",
    )
    return cast(ChooseDepartment, view.page)


def self_pay(walk: Walk) -> str:
    """The same number with insurance and without: the price changes before anything is booked."""
    _home(walk, _stranger(walk, 3))
    walk.tap("tile:register")
    page = _departments(walk)
    walk.tap(f"department:{next(card for card in page.cards if card.left > 0).id}")
    view = walk.until_true(
        lambda view: isinstance(view.page, ChooseSlot) and bool(view.page.cards), "slots"
    )
    walk.tap(f"slot:{cast(ChooseSlot, view.page).cards[0].id}")
    with_insurance = _confirm(walk, True)
    walk.tap("insured:no")
    without = _confirm(walk, False)
    if with_insurance.own_fen >= without.own_fen:
        raise NotSeen("insurance that pays nothing")
    walk.tap("quit")
    walk.until("home")
    return "unlocked"


def _confirm(walk: Walk, insured: bool) -> ConfirmRegistration:
    view = walk.until_true(
        lambda view: (
            isinstance(view.page, ConfirmRegistration)
            and view.page.insured is insured
            and not view.frame.busy
        ),
        "the price",
    )
    return cast(ConfirmRegistration, view.page)


def itemised_list(walk: Walk) -> str:
    """Behind a curtain on the screen, on paper when asked for."""
    _home(walk, people.TWO_REPORTS if not list(strangers(walk)) else _stranger(walk, 4))
    _inquire(walk, "account")
    view = walk.until_true(
        lambda view: isinstance(view.page, Inquiry) and bool(view.page.bills), "bills"
    )
    walk.tap("curtain")
    walk.until_true(
        lambda view: isinstance(view.page, Inquiry) and view.page.open_left_s > 0, "the bills"
    )
    walk.tap(f"bill:{cast(Inquiry, view.page).bills[0].id}")
    return cast(Finished, walk.until("finished", slip="printed").page).what


def own_trail(walk: Walk) -> str:
    """What was done in one's own name, on paper."""
    _home(walk, _stranger(walk, 4))
    _inquire(walk, "trail")
    return cast(Finished, walk.until("finished", slip="printed").page).what


def _inquire(walk: Walk, what: str) -> None:
    """Straight, or by 更多服务 where an elder's page has no room for 查询."""
    walk.tap("tile:inquire")
    walk.until("inquiry")
    walk.tap(f"choose:{what}")


def call_help(walk: Walk) -> str:
    """A person who is on duty answers at the console; the screen says who comes."""
    walk.tap("help")
    walk.until_true(lambda view: isinstance(view.page, CallingHelp) and view.page.reached, "a call")
    walk.world.answer_help("小张")
    walk.until_true(
        lambda view: isinstance(view.page, CallingHelp) and view.page.state.coming == "小张",
        "小张 on the way",
    )
    walk.tap("back")
    walk.until("attract")
    return "coming"


def pay_bill_cash(walk: Walk) -> str:
    """Notes, one by one, largest first: of the people who owe, one whose part notes make up."""
    whole = [one for one in strangers(walk, insured=False) if _own_fen(one, walk) % 100 == 0]
    person = whole[0] if whole else _stranger(walk, 5)  # there are days without such a bill
    _home(walk, person)
    to_the_bill(walk)
    bill = until_payable(walk)
    if bill.cash != "offered":
        return bill.cash
    walk.tap("cash")
    walk.until("cash_busy", stage="insert")
    notes = notes_for(bill.own_fen)
    for count, yuan in enumerate(notes):
        _until_taken(walk, 100 * sum(notes[:count]))
        walk.world.devices.insert_note(yuan)
    view = walk.until("payment_result", slip="printed", timeout_s=40.0)
    return cast(PaymentResult, view.page).result


def notes_for(fen: int) -> list[int]:
    """The fewest notes that make up a sum of whole yuan."""
    found, left = [], fen // 100
    for yuan in (100, 50, 20, 10, 5, 1):
        found += [yuan] * (left // yuan)
        left %= yuan
    return found


def _until_taken(walk: Walk, fen: int) -> None:
    def taken(view: View) -> bool:
        return isinstance(view.page, CashBusy) and view.page.taken_fen >= fen

    walk.until_true(taken, f"{fen} fen in the box")


def _own_fen(person: Person, walk: Walk) -> int:
    owed = unpaid_on(person, walk.world.now.date())
    shares = [share for account in owed for share in account.shares]
    return split(person.insurance, shares).own_fen


EXTRAS: tuple[Plan, ...] = (
    Plan("english", english, 5),
    Plan("typed_number", typed_number, 2),
    Plan("go_to_window", go_to_window, 2),
    Plan("self_pay", self_pay, 6),
    Plan("itemised_list", itemised_list, 4),
    Plan("own_trail", own_trail, 2),
    Plan("call_help", call_help, 2),
    Plan("pay_bill_cash", pay_bill_cash, 2),
)
