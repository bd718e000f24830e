"""SIGKILL to the screen, to core and to the gateway, in the middle of a payment."""

from __future__ import annotations

from time import monotonic

from drivers.pad_ledger import Fate
from kiosk.demo.journeys import to_the_bill, until_payable
from kiosk.demo.tour import Walk
from kiosk.views import PaymentResult, View
from tests.system.conftest import Terminal

BACK_S = 3.0
"""The issue's promise: a killed screen is back on the same view within this time."""


def to_the_pad(walk: Walk, terminal: Terminal) -> str:
    """A debtor at the payment pad; the reference of the attempt."""
    walk.lay(terminal.debtor())
    to_the_bill(walk)
    until_payable(walk)
    walk.tap("card")
    walk.until("pad_busy", progress="insert_card")
    return terminal.open_payment()


def settled(view: View) -> bool:
    return isinstance(view.page, PaymentResult) and view.page.result == "settled"


def test_a_killed_screen_is_back_on_the_same_page_and_the_payment_never_noticed(
    terminal: Terminal,
) -> None:
    walk = terminal.walk()
    charges = len(terminal.charges())
    to_the_pad(walk, terminal)
    starts = terminal.world.ui.starts
    terminal.world.ui.kill()
    began_s = monotonic()
    terminal.hands_again()
    terminal.tour.hands.wait_page("pad_busy", timeout_s=10)
    back_s = monotonic() - began_s
    assert terminal.world.ui.starts == starts + 1
    assert back_s <= BACK_S, f"the screen was back after {back_s:.1f} s"

    terminal.world.devices.present_bank_card()
    terminal.observer.wait(settled, "the payment settled", 30)
    assert len(terminal.charges()) == charges + 1
    assert terminal.charges()[-1].fate is Fate.COMPLETED


def test_a_killed_core_settles_what_the_pad_took_by_asking_and_charges_nobody_again(
    terminal: Terminal,
) -> None:
    walk = terminal.walk()
    charges = len(terminal.charges())
    reference = to_the_pad(walk, terminal)
    terminal.world.control("hospital", {"mode": "slow", "seconds": 4})
    terminal.world.devices.present_bank_card()
    terminal.until_charged(charges + 1)
    walk.until("paying")
    terminal.world.core.kill()
    terminal.world.control("hospital", {"mode": "normal"})
    terminal.until_payment(reference, "SETTLED")

    assert len(terminal.charges()) == charges + 1
    assert terminal.charges()[-1].fate is Fate.COMPLETED
    assert terminal.bookings(reference) == 1
    killed, started, ended = terminal.runs()[-3:]
    assert (killed["event"], killed["cause"]) == ("terminal_stopped", "killed")
    assert started["event"] == "terminal_started", "the trail tells of both, in this order"
    assert (ended["event"], ended["cause"]) == ("terminal_stopped", "clean")


def test_a_core_killed_while_the_pad_waits_for_a_card_charges_nobody(terminal: Terminal) -> None:
    walk = terminal.walk()
    # Until the pad itself gives up waiting for a card it answers nobody else.
    terminal.world.devices.pad.with_emulator(lambda pad: setattr(pad.knobs, "card_timeout_s", 8.0))
    charges = len(terminal.charges())
    reference = to_the_pad(walk, terminal)
    terminal.world.core.kill()
    terminal.until_payment(reference, "DECLINED")

    assert len(terminal.charges()) == charges
    assert terminal.bookings(reference) == 0


def test_a_gateway_killed_while_booking_is_asked_again_until_it_has_booked_once(
    terminal: Terminal,
) -> None:
    walk = terminal.walk()
    charges = len(terminal.charges())
    reference = to_the_pad(walk, terminal)
    terminal.world.control("hospital", {"mode": "slow", "seconds": 3})
    terminal.world.devices.present_bank_card()
    terminal.until_charged(charges + 1)
    walk.until("paying")
    terminal.world.gateway.halt()
    walk.until("payment_result", result="checking", timeout_s=20)
    terminal.world.start_gateway()
    terminal.observer.wait(settled, "the payment settled", 40)

    assert len(terminal.charges()) == charges + 1
    assert terminal.bookings(reference) == 1
