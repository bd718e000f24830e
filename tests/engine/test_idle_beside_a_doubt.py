"""One person's payment is in doubt while the next one stands here, and walks away."""

from __future__ import annotations

from kiosk.flows.effects import RecallPad
from kiosk.flows.events import PadSilent, PadUnreachable
from kiosk.views import Attract, Home
from tests.engine.desk import Desk
from tests.flows.people import LI, LI_CARD, NOTHING


def test_a_pad_that_is_asked_about_another_is_no_sign_of_life(desk: Desk) -> None:
    """U5: its answers came more often than a page may lie open, so the page never closed."""
    reference = desk.at_pad()
    desk.tell(PadSilent(reference), PadUnreachable(reference)).touch("end")
    desk.lay(LI_CARD, LI, NOTHING)
    assert isinstance(desk.page, Home)
    asked = len(desk.orders(RecallPad))
    for _ in range(4):
        desk.pass_s(25).tell(PadUnreachable(reference))
    assert isinstance(desk.page, Attract)
    assert len(desk.orders(RecallPad)) > asked, "it goes on being asked about"
