"""The page says that somebody was called to the printer: somebody was."""

from __future__ import annotations

import pytest

from kiosk.engine.hands import AGAIN_AFTER_S
from kiosk.hospital.contract import CallHelp
from kiosk.ports import DeviceNeeds, DeviceStood, TellHospital
from tests.engine.desk import Desk

OUT = DeviceStood("receipt_printer", False, "no_receipt_paper")
BACK = DeviceStood("receipt_printer", True)
TONER = DeviceNeeds("a4_printer", "no_toner")


def calls(desk: Desk) -> list[CallHelp]:
    told = [order.request for order in desk.orders(TellHospital)]
    return [request for request in told if isinstance(request, CallHelp)]


@pytest.mark.parametrize(("trouble", "part"), [(OUT, "receipt_printer"), (TONER, "a4_printer")])
def test_staff_are_called_to_a_device_that_waits_for_a_hand(
    desk: Desk, trouble: object, part: str
) -> None:
    [call] = calls(desk.tell(trouble))
    assert (call.page, call.place, call.sort) == (part, "3号门", "volunteer")


@pytest.mark.parametrize(
    "told",
    [
        DeviceStood("receipt_printer", False, "receipt_printer_away"),
        DeviceNeeds("a4_printer", "a4_printer_busy"),
        DeviceNeeds("a4_printer"),
        BACK,
    ],
)
def test_nobody_is_called_to_what_no_volunteer_can_mend(desk: Desk, told: object) -> None:
    assert not calls(desk.tell(told))


def test_a_printer_whose_paper_sticks_again_and_again_calls_every_ten_minutes(desk: Desk) -> None:
    desk.tell(OUT, BACK, OUT, BACK, OUT, TONER)
    assert [call.page for call in calls(desk)] == ["receipt_printer", "a4_printer"]
    desk.clock.pass_s(AGAIN_AFTER_S)
    assert len(calls(desk.tell(BACK, OUT))) == 3
    assert len({call.key for call in calls(desk)}) == 3
