"""The pads' contract is itself tried: drivers that are wrong about money must not get through."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from drivers.deadline import Clock, Deadline
from drivers.errors import DriverError, OutcomeUnknown
from drivers.pad import (
    UNWATCHED,
    Approved,
    Cancelled,
    Completed,
    Declined,
    DeclineReason,
    PaymentPad,
    Watch,
)
from drivers.transport import ByteStream
from drivers.zvt.driver import ZvtPad, ZvtSettings
from drivers.zvt.link import SerialLink
from tests.drivers.cable import GOOD
from tests.drivers.contract import FAULTS
from tests.drivers.pads import ZVT_SERIAL, PadKind, Rig
from tests.drivers.test_pad_contract import attempt, check_against_ledger, check_inquiry


class TakesSilenceForNo(ZvtPad):
    """A time-out becomes a refusal (mutant M4)."""

    def authorise(
        self, reference: str, amount_fen: int, deadline: Deadline, watch: Watch = UNWATCHED
    ) -> Approved | Declined | Cancelled:
        try:
            return super().authorise(reference, amount_fen, deadline, watch)
        except OutcomeUnknown:
            return Declined(DeclineReason.PAD_TROUBLE, "")


class ChargesAgain(ZvtPad):
    """A time-out is tried once more."""

    def authorise(
        self, reference: str, amount_fen: int, deadline: Deadline, watch: Watch = UNWATCHED
    ) -> Approved | Declined | Cancelled:
        try:
            half = Deadline.after(self._clock, deadline.remaining_s() / 2)
            return super().authorise(reference, amount_fen, half, watch)
        except OutcomeUnknown:
            self._talk.link.discard()
            return super().authorise(reference, amount_fen, deadline, watch)


class ForgetsUnknown(ZvtPad):
    """Says "line fault" where it should say "unknown"."""

    def authorise(
        self, reference: str, amount_fen: int, deadline: Deadline, watch: Watch = UNWATCHED
    ) -> Approved | Declined | Cancelled:
        try:
            return super().authorise(reference, amount_fen, deadline, watch)
        except OutcomeUnknown as fault:
            raise DriverError("line fault") from fault


class BelievesItself(ZvtPad):
    """Takes its own decision for the pad's confirmation."""

    def complete(self, deadline: Deadline) -> Completed:
        with suppress(DriverError):
            super().complete(deadline)
        return Completed()


def kind_of(driver: type[ZvtPad]) -> PadKind:
    def make(stream: ByteStream, clock: Clock) -> PaymentPad:
        return driver(SerialLink(stream, clock), clock, ZvtSettings(looks_first=False))

    return PadKind(driver.__name__, ZVT_SERIAL.make_emulator, make)


def charge_over(kind: PadKind, fault: str, seed: int) -> None:
    rig = Rig(kind, seed)
    rig.pay_before()
    rig.hands.present_card()
    rig.cable.faults = FAULTS[fault]
    # A person who is asked again holds the card to the pad again.
    rig.later(8.0, rig.hands.present_card)
    check_against_ledger(rig, attempt(rig), charges_before=1)
    rig.cable.plug(GOOD)
    check_inquiry(rig, charges_before=1)


def complete_over(kind: PadKind, fault: str, seed: int) -> None:
    rig = Rig(kind, seed)
    rig.hands.present_card()
    assert isinstance(rig.charge(), Approved)
    rig.cable.faults = FAULTS[fault]
    check_against_ledger(rig, rig.pad.complete(rig.within(8)), charges_before=0)


def is_caught(story: Callable[[PadKind, str, int], None], driver: type[ZvtPad]) -> bool:
    for fault in FAULTS:
        for seed in range(6):
            try:
                story(kind_of(driver), fault, seed)
            except AssertionError:
                return True
    return False


@pytest.mark.parametrize(
    ("driver", "story"),
    [
        (TakesSilenceForNo, charge_over),
        (ChargesAgain, charge_over),
        (ForgetsUnknown, charge_over),
        (BelievesItself, complete_over),
    ],
)
def test_a_driver_that_is_wrong_about_money_is_caught(
    driver: type[ZvtPad], story: Callable[[PadKind, str, int], None]
) -> None:
    assert is_caught(story, driver)


def test_the_right_driver_is_not() -> None:
    assert not is_caught(charge_over, ZvtPad)
