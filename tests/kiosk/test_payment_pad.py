"""The pad as a port: what core decides about money reaches every kind of pad."""

from __future__ import annotations

import pytest

from kiosk.devices.payment_pad import PadDevice
from kiosk.flows.effects import ChargePad, CompletePad, ReleasePad
from kiosk.flows.events import PadApproved, PadCompleted, PadReleased, PadUnreachable
from tests.drivers.pads import PAD_KINDS, PadKind, Rig


def opened(kind: PadKind) -> tuple[Rig, PadDevice]:
    """A pad on its cable that has taken 12.50 by card, or holds it."""
    rig = Rig(kind)

    def connect() -> object:
        rig.connect()
        return rig.pad

    device = PadDevice(connect, rig.cable.clock, lambda told: None)  # type: ignore[arg-type]
    list(device.open())
    rig.hands.present_card()
    told = list(device.perform(ChargePad("R-1", 1250)))
    assert any(isinstance(one, PadApproved) for one in told), told
    return rig, device


@pytest.mark.parametrize("kind", PAD_KINDS, ids=lambda kind: kind.name)
def test_an_approved_payment_is_completed_on_our_word_in_one_phase_or_two(kind: PadKind) -> None:
    """Row 63: a pad that has taken the money at once is told like one that still holds it."""
    _, device = opened(kind)
    assert list(device.perform(CompletePad("R-1"))) == [PadCompleted("R-1")]


@pytest.mark.parametrize("kind", PAD_KINDS, ids=lambda kind: kind.name)
def test_an_approved_payment_is_given_back_on_our_word_in_one_phase_or_two(kind: PadKind) -> None:
    _, device = opened(kind)
    assert list(device.perform(ReleasePad("R-1"))) == [PadReleased("R-1")]


def test_a_decision_about_another_payment_is_not_passed_on() -> None:
    _, device = opened(PAD_KINDS[0])
    assert list(device.perform(CompletePad("R-2"))) == [PadUnreachable("R-2")]
