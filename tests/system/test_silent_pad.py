"""The pad takes the money and then says nothing: being checked, never failed, one charge."""

from __future__ import annotations

from drivers.pad_ledger import Fate
from kiosk.views import PaymentResult, View
from tests.system.conftest import CHARGE_S, Terminal
from tests.system.test_killed_programs import settled, to_the_pad


def test_a_pad_that_is_silent_after_a_real_charge_is_asked_and_the_screen_never_says_failed(
    terminal: Terminal,
) -> None:
    walk = terminal.walk()
    charges = len(terminal.charges())
    reference = to_the_pad(walk, terminal)
    results = terminal.results_from_now()

    def silence(pad: object) -> None:
        pad.knobs.silent_after_charge = True  # type: ignore[attr-defined]
        pad.knobs.silent_s = CHARGE_S + 6.0  # type: ignore[attr-defined]

    terminal.world.devices.pad.with_emulator(silence)
    terminal.world.devices.present_bank_card()
    terminal.until_charged(charges + 1)
    view = walk.until("payment_result", timeout_s=CHARGE_S + 10.0)
    assert isinstance(view.page, PaymentResult)
    assert view.page.result == "checking"
    texts = " ".join(terminal.texts())
    assert "正在核实" in texts and "请不要再付" in texts

    terminal.observer.wait(settled, "settled by asking the pad", 60)
    assert set(results()) == {"checking", "settled"}
    assert len(terminal.charges()) == charges + 1
    assert terminal.charges()[-1].fate is Fate.COMPLETED
    assert terminal.bookings(reference) == 1


def test_a_pad_that_is_silent_before_the_charge_took_nothing_and_says_so_once_it_is_asked(
    terminal: Terminal,
) -> None:
    walk = terminal.walk()
    charges = len(terminal.charges())
    terminal.world.devices.pad.with_emulator(
        lambda pad: setattr(pad.knobs, "silent_before_charge", True)
    )
    terminal.world.devices.pad.with_emulator(lambda pad: setattr(pad.knobs, "silent_s", 15.0))
    walk.lay(terminal.debtor())
    terminal.pay_by_card(walk)

    def not_charged(view: View) -> bool:
        return isinstance(view.page, PaymentResult) and view.page.result == "not_charged"

    terminal.observer.wait(not_charged, "the pad asked, nothing taken", 60)
    assert len(terminal.charges()) == charges
