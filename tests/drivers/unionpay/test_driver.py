"""Stories of the UnionPay library beyond the contract of all pads."""

from __future__ import annotations

from contextlib import suppress

import pytest

from drivers.errors import DeviceRefused, OutcomeUnknown
from drivers.pad import (
    Approved,
    Cancelled,
    Charged,
    Declined,
    DeclineReason,
    Finding,
    LastPayment,
    PaymentState,
)
from drivers.unionpay.codec import FrameReader, Response, encode_frame, parse_request
from drivers.unionpay.emulator import MISBEHAVIOURS, UnionPayEmulator
from tests.drivers.pads import UNIONPAY, Rig


def emulator(rig: Rig) -> UnionPayEmulator:
    assert isinstance(rig.hands, UnionPayEmulator)
    return rig.hands


def test_an_answer_with_another_lrc_is_not_ours() -> None:
    rig = Rig(UNIONPAY)

    def answer_for_another() -> None:
        sale = parse_request(FrameReader().feed(bytes(rig.cable.sent))[-1])
        foreign = f"{(int(sale.lrc) + 500) % 1000:03d}"
        rig.cable.inject(encode_frame(Response("00", foreign, Charged(1250, trace=9)).encode()))
        rig.hands.press_cancel()

    rig.later(2.0, answer_for_another)
    assert rig.charge() == Cancelled(by_host=False)


def test_an_approval_without_trace_or_amount_is_not_believed() -> None:
    rig = Rig(UNIONPAY)

    def approve_barely() -> None:
        sale = parse_request(FrameReader().feed(bytes(rig.cable.sent))[-1])
        rig.cable.inject(encode_frame(Response("00", sale.lrc, Charged(0)).encode()))

    rig.later(2.0, approve_barely)
    with pytest.raises(OutcomeUnknown):
        rig.charge(within_s=10)


@pytest.mark.parametrize("code", ["68", "98", "Z1", "1F", "A0"])
def test_a_library_that_stumbled_after_the_bank_is_asked_about(code: str) -> None:
    rig = Rig(UNIONPAY)
    emulator(rig).decline(code)
    rig.hands.present_card()
    with pytest.raises(OutcomeUnknown):
        rig.charge()


def test_a_bank_that_says_no_gives_a_reason() -> None:
    rig = Rig(UNIONPAY)
    emulator(rig).decline("55")
    rig.hands.present_card()
    assert rig.charge() == Declined(DeclineReason.WRONG_PIN, "55")


def test_a_library_that_is_not_signed_in_refuses() -> None:
    rig = Rig(UNIONPAY)
    rig.hands.power_cut()
    rig.hands.power_up()
    with pytest.raises(DeviceRefused, match="A4"):
        rig.charge()


def test_a_void_is_seen_when_the_last_payment_is_asked_for() -> None:
    rig = Rig(UNIONPAY)
    rig.pay_before()
    rig.hands.present_card()
    assert isinstance(rig.charge(), Approved)
    rig.pad.release(rig.within(10))
    answer = rig.pad.last_payment(rig.within(10))
    assert isinstance(answer, LastPayment) and answer.state is PaymentState.REVERSED
    assert rig.found(answer) is Finding.REVERSED


@pytest.mark.parametrize("name", MISBEHAVIOURS)
def test_whatever_a_bench_makes_it_do_no_person_pays_twice(name: str) -> None:
    rig = Rig(UNIONPAY)
    rig.pay_before()
    emulator(rig).misbehave(name)
    rig.hands.present_card()
    with suppress(OutcomeUnknown, DeviceRefused):
        rig.charge(within_s=20)
    emulator(rig).behave()
    rig.ask_until_answered()
    assert rig.hands.ledger.standing_fen() in (700, 1950)
