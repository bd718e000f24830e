"""The eleven journeys of the tour, each with the taps it may take (SCREENS §6)."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.adapters.demo import people
from kiosk.demo.observer import NotSeen
from kiosk.demo.tour import Script, Walk
from kiosk.demo.world import PIN, VOLUNTEER
from kiosk.views import (
    ChooseDepartment,
    ChoosePerson,
    ChooseSlot,
    Finished,
    GreenDependants,
    Pay,
    PaymentResult,
)


@dataclass(frozen=True)
class Plan:
    """`green`: walked by a volunteer, after unlocking. `offline`: also with the gateway down.

    `at_pad`: takes one tap more where the pad does not tell of a card before it is asked for one.
    """

    name: str
    script: Script
    taps_max: int
    green: bool = False
    offline: bool = False
    at_pad: bool = False

    def budget(self, pad_shows_card: bool) -> int:
        """Taps allowed with this terminal's pad."""
        return self.taps_max + (1 if self.at_pad and not pad_shows_card else 0)


# --- patients ------------------------------------------------------------------------------------


def check_in(walk: Walk) -> str:
    walk.lay(people.ELDER)
    walk.until("home")
    walk.tap("next")
    view = walk.until("finished", slip="printed")
    assert isinstance(view.page, Finished)
    return "queued" if view.page.offline else view.page.what


def register_card(walk: Walk) -> str:
    """By ID card; the fee by the payer's own code."""
    walk.lay(people.BY_CARD)
    _choose_a_slot(walk)
    until_payable(walk)
    walk.show(walk.codes(people.BY_CARD).wechat)
    return _result(walk)


def register_code(walk: Walk) -> str:
    """By e-health code; the fee by a phone that scans the screen."""
    walk.show(walk.codes(people.BY_HEALTH_CODE).health_code)
    _choose_a_slot(walk)
    until_payable(walk)
    _pay_by_phone(walk)
    return _result(walk)


def _choose_a_slot(walk: Walk) -> None:
    walk.until("home")
    walk.tap("tile:register")
    view = walk.until_true(
        lambda view: isinstance(view.page, ChooseDepartment) and bool(view.page.cards),
        "departments",
    )
    assert isinstance(view.page, ChooseDepartment)
    card = next(card for card in view.page.cards if card.left > 0)
    walk.tap(f"department:{card.id}")
    view = walk.until_true(
        lambda view: isinstance(view.page, ChooseSlot) and bool(view.page.cards), "slots"
    )
    assert isinstance(view.page, ChooseSlot)
    walk.tap(f"slot:{next(slot.id for slot in view.page.cards if slot.left > 0)}")
    walk.until_true(
        lambda view: view.page.page == "confirm_registration" and not view.frame.busy,
        "a number that is held and quoted",
    )
    walk.tap("confirm")


def until_payable(walk: Walk) -> Pay:
    view = walk.until_true(
        lambda view: isinstance(view.page, Pay) and bool(view.page.url), "a code to pay"
    )
    assert isinstance(view.page, Pay)
    walk.look()  # nobody pays what cannot be read yet
    return view.page


def _pay_by_phone(walk: Walk) -> None:
    """Reads the code off the screen as a camera does, then pays what it names."""
    reference = walk.read_code().rpartition("/")[2]
    walk.world.pay_by_phone(reference)


def _result(walk: Walk) -> str:
    view = walk.until("payment_result", slip="printed", timeout_s=40.0)
    assert isinstance(view.page, PaymentResult)
    return view.page.result


def to_the_bill(walk: Walk) -> None:
    view = walk.until("home")
    task = view.page.next  # type: ignore[union-attr]
    walk.tap("next" if task is not None and task.kind == "pay" else "task:pay")


def pay_bill_card(walk: Walk) -> str:
    """By bank card at the pad: putting it in is choosing, where the pad tells of it."""
    walk.lay(people.PAYS_BY_PAD)
    to_the_bill(walk)
    until_payable(walk)
    if not walk.world.devices.pad_shows_card:
        walk.tap("card")
    walk.world.devices.present_bank_card()
    return _result(walk)


def pay_bill_code(walk: Walk) -> str:
    """By the payer's own code at the scanner."""
    walk.lay(people.PAYS_BY_CODE)
    to_the_bill(walk)
    until_payable(walk)
    walk.show(walk.codes(people.PAYS_BY_CODE).alipay)
    return _result(walk)


def print_reports(walk: Walk) -> str:
    walk.lay(people.TWO_REPORTS)
    view = walk.until("home")
    task = view.page.next  # type: ignore[union-attr]
    walk.tap("next" if task is not None and task.kind == "print_reports" else "task:print_reports")
    found = walk.until("finished", timeout_s=60.0)
    assert isinstance(found.page, Finished)
    return "printed" if found.page.what == "reports_printed" else found.page.what


def proxy_pay(walk: Walk) -> str:
    """A daughter pays her mother's bill; both stand on the slip."""
    walk.lay(people.DAUGHTER)
    walk.until("home")
    walk.tap("tile:family")
    view = walk.until("choose_person")
    assert isinstance(view.page, ChoosePerson)
    walk.tap(f"person:{view.page.people[0].key}")
    walk.until_true(
        lambda view: view.page.page == "home" and bool(getattr(view.page, "acting_for", "")),
        "the mother's home page",
    )
    to_the_bill(walk)
    until_payable(walk)
    walk.show(walk.codes(people.DAUGHTER).wechat)
    return _result(walk)


# --- green channel -------------------------------------------------------------------------------


def unlock(walk: Walk) -> str:
    """Number and PIN, once; then the lane is the volunteer's until it is locked."""
    walk.tap("green")
    walk.until("type_in", what="pin")
    for digit in f"{VOLUNTEER}{PIN}":
        walk.tap(f"key:{digit}")
    try:
        walk.until("green", stage=1, timeout_s=2.0)
    except NotSeen:
        walk.tap("ok")
        walk.until("green", stage=1)
    return "unlocked"


def lock(walk: Walk) -> str:
    walk.tap("lock")
    return "locked"


def next_person(walk: Walk) -> None:
    view = walk.observer.view
    if view is not None and view.page.page == "green_result":
        walk.tap("following")
    walk.lift()
    walk.until("green", stage=1)


def green_id(walk: Walk) -> str:
    walk.lay(people.GREEN_ELDER)
    walk.until("green", stage=2)
    walk.tap("none")
    return _passed(walk)


def _passed(walk: Walk) -> str:
    view = walk.until("green_result", slip="printed")
    return "passed" if view.page.passed else "sent_on"  # type: ignore[union-attr]


def green_paper(walk: Walk) -> str:
    walk.tap("paper")
    walk.until("green_paper")
    walk.tap("kind:negative_test")
    walk.tap("valid:today")
    walk.tap("next")
    _type_number(walk, people.GREEN_PAPER.number)
    walk.until("green", stage=2)
    walk.tap("none")
    return _passed(walk)


def _type_number(walk: Walk, number: str) -> None:
    walk.until("type_in")
    walk.keys(number)


def green_relative(walk: Walk) -> str:
    walk.tap("relative")
    walk.until_true(lambda view: view.page.page == "identify", "the relative's card asked for")
    walk.lay(people.HOLDER)
    _type_number(walk, people.GREEN_RELATIVE.number)
    walk.until("choose_relation")
    walk.tap("relation:parent")
    walk.until("green", stage=2)
    walk.tap("none")
    return _passed(walk)


def green_dependants(walk: Walk) -> str:
    walk.tap("dependants")
    walk.until_true(lambda view: view.page.page == "identify", "the holder's card asked for")
    walk.lay(people.HOLDER)
    view = walk.until("green_dependants")
    assert isinstance(view.page, GreenDependants)
    for person in view.page.people[:2]:
        if not person.chosen:
            walk.tap(f"person:{person.key}")
    walk.tap("next")
    walk.until("green", stage=2)
    walk.tap("none")
    return _passed(walk)


PLANS: tuple[Plan, ...] = (
    Plan("check_in", check_in, 1, offline=True),
    Plan("register_card", register_card, 4),
    Plan("register_code", register_code, 4),
    Plan("pay_bill_card", pay_bill_card, 1, at_pad=True),
    Plan("pay_bill_code", pay_bill_code, 1),
    Plan("print_reports", print_reports, 1),
    Plan("proxy_pay", proxy_pay, 3),
    Plan("green_id", green_id, 2, green=True, offline=True),
    Plan("green_paper", green_paper, 6, green=True, offline=True),
    Plan("green_relative", green_relative, 4, green=True, offline=True),
    Plan("green_dependants", green_dependants, 6, green=True, offline=True),
)
