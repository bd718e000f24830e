"""Row 107: the budgets K of shared screens rules, counted on the flows: touches and screens.

A registration and a relative's bill end in the payment's own pages, which have their own test:
here they are counted up to its first page, which needs no touch by phone or code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kiosk.flows.events import ReportPrinted
from kiosk.hospital.contract import (
    CheckedIn,
    DepartmentList,
    Held,
    Known,
    Quoted,
    ReportFile,
    SlotList,
    Today,
)
from tests.flows.people import (
    BILL,
    DAY,
    DEPARTMENTS,
    LI_CARD,
    NOTHING,
    READY,
    SLOTS,
    TICKET,
    WANG,
    WANG_CARD,
    WANG_EXPECTED,
    WANG_NUMBER,
    hold,
    quote,
)
from tests.flows.test_green_channel import opened
from tests.flows.walk import Walk


def known(today: Any) -> Walk:
    return Walk.at("attract").lay(WANG_CARD).reply(Known(WANG)).reply(today)


def check_in() -> Walk:
    return known(DAY).touch("next").reply(CheckedIn(TICKET))


def register() -> Walk:
    walk = known(NOTHING).touch("tile:register").reply(DepartmentList(DEPARTMENTS))
    walk.touch("department:D1").reply(SlotList(SLOTS)).touch("slot:S9")
    return walk.reply(Held(hold(SLOTS[0]))).reply(Quoted(quote())).touch("confirm")


def reports() -> Walk:
    walk = known(Today((), (), 0, READY, ())).touch("next")
    for _ in READY:
        job = walk.reply(ReportFile("R1", b"JVBERi0=", 1)).state.job
        walk.tell(ReportPrinted(job))
    return walk


def relative() -> Walk:
    walk = known(DAY).touch("tile:family", "person:0")
    return walk.reply(Today((), (BILL,), 0, (), ())).touch("next")


def pay() -> Walk:
    return known(Today((), (BILL,), 0, (), ())).touch("next")


def first_visit() -> Walk:
    return known(NOTHING)


def green_card() -> Walk:
    return opened().lay(WANG_CARD).touch("none", "following")


def green_paper() -> Walk:
    walk = opened().touch("paper", "kind:other", "next").keys(WANG_NUMBER)
    return walk.touch("none")


def green_relative() -> Walk:
    walk = opened().touch("relative").lay(LI_CARD).keys(WANG_NUMBER)
    return walk.touch("relation:child", "none")


def green_dependants() -> Walk:
    walk = opened().touch("dependants").lay(WANG_CARD).found(WANG_EXPECTED)
    return walk.touch("person:0", "next", "none")


BUDGETS: list[tuple[str, Callable[[], Walk], int, int]] = [
    ("K1", check_in, 1, 3),
    ("K2", pay, 1, 4),
    ("K3", register, 4, 6),
    ("K5", reports, 1, 3),
    ("K6", relative, 3, 6),
    ("K7", first_visit, 3, 6),
    ("K8", green_card, 2, 3),
    ("K9 paper", green_paper, 4 + 20, 4),
    ("K9 relative", green_relative, 4 + 20, 5),  # row 22 asks for the relation: a page more
    ("K9 dependants", green_dependants, 4 + 20, 4),
]


@pytest.mark.parametrize(("name", "story", "taps", "screens"), BUDGETS, ids=lambda one: str(one))
def test_touches_and_screens_stay_in_the_budget(
    name: str, story: Callable[[], Walk], taps: int, screens: int
) -> None:
    """Row 107. The attract page is nobody's screen."""
    walk = story()
    assert walk.taps <= taps
    assert len(walk.screens() - {"attract"}) <= screens, walk.screens()
