"""Stories of a MIS-POS beyond the contract of all pads."""

from __future__ import annotations

from contextlib import suppress

import pytest

from drivers.errors import DeviceRefused, OutcomeUnknown
from drivers.mispos.codec import FrameReader, Response, encode_frame, parse_request
from drivers.mispos.emulator import MISBEHAVIOURS, MisPosEmulator
from drivers.pad import Approved, Cancelled, Charged, Completed, Finding, LastPayment, PaymentState
from tests.drivers.pads import MISPOS, Rig


def emulator(rig: Rig) -> MisPosEmulator:
    assert isinstance(rig.hands, MisPosEmulator)
    return rig.hands


def test_an_answer_with_another_echo_is_not_ours() -> None:
    rig = Rig(MISPOS)
    foreign = Response(1, 9999, "00", Charged(1250, trace=77, receipt_no=3))

    def answer_for_another() -> None:
        rig.cable.inject(encode_frame(foreign.encode()))
        rig.hands.press_cancel()

    rig.later(2.0, answer_for_another)
    assert rig.charge() == Cancelled(by_host=False)


def test_an_approval_without_a_trace_is_not_believed() -> None:
    rig = Rig(MISPOS)

    def approve_barely() -> None:
        sale = parse_request(FrameReader().feed(bytes(rig.cable.sent))[-1])
        rig.cable.inject(encode_frame(Response(1, sale.echo, "00", Charged(0)).encode()))

    rig.later(2.0, approve_barely)
    with pytest.raises(OutcomeUnknown, match="without a trace"):
        rig.charge(within_s=10)


@pytest.mark.parametrize("code", ["68", "98", "Z1"])
def test_a_bank_that_does_not_know_itself_is_asked_about(code: str) -> None:
    rig = Rig(MISPOS)
    emulator(rig).decline(code)
    rig.hands.present_card()
    with pytest.raises(OutcomeUnknown):
        rig.charge()


def test_a_pad_not_signed_in_refuses_before_a_card_is_asked_for() -> None:
    rig = Rig(MISPOS)
    rig.hands.power_cut()
    rig.hands.power_up()
    with pytest.raises(DeviceRefused, match="00010014"):
        rig.charge()


def test_a_void_is_seen_in_the_reprint() -> None:
    rig = Rig(MISPOS)
    rig.pay_before()
    rig.hands.present_card()
    assert isinstance(rig.charge(), Approved)
    rig.pad.release(rig.within(10))
    answer = rig.pad.last_payment(rig.within(10))
    assert isinstance(answer, LastPayment) and answer.state is PaymentState.REVERSED
    assert rig.found(answer) is Finding.REVERSED


def test_the_success_notice_after_a_sale_disturbs_nothing() -> None:
    rig = Rig(MISPOS)
    rig.hands.present_card()
    assert isinstance(rig.charge(), Approved)
    rig.cable.pass_time(1.0)
    assert rig.pad.complete(rig.within(1)) == Completed()
    rig.hands.present_card()
    assert isinstance(rig.charge(), Approved)


@pytest.mark.parametrize("name", MISBEHAVIOURS)
def test_whatever_a_bench_makes_it_do_no_person_pays_twice(name: str) -> None:
    rig = Rig(MISPOS)
    rig.pay_before()
    emulator(rig).misbehave(name)
    rig.hands.present_card()
    with suppress(OutcomeUnknown, DeviceRefused):
        rig.charge(within_s=20)
    emulator(rig).behave()
    rig.ask_until_answered()
    assert rig.hands.ledger.standing_fen() in (700, 1950)
