"""A social security card in the demo's own slot: through pcscd, core and gateway to a name."""

from __future__ import annotations

import pytest

from kiosk.views import Attract, Home
from tests.system.conftest import Terminal


def test_a_social_card_put_in_leads_home_and_taken_out_at_once_asks_again(
    terminal: Terminal,
) -> None:
    """Rows 2 and 6: another card, the same person, found by the ID number."""
    slot = terminal.world.devices.slot
    if slot.why_not:
        pytest.skip(slot.why_not)
    walk, person = terminal.walk(), terminal.debtor()
    view = walk.until("attract")
    assert isinstance(view.page, Attract) and view.page.card_slot
    assert terminal.status()["works"]["card_slot"]
    assert any("社保卡" in text for text in terminal.texts())
    slot.put(person)
    view = walk.until("home")
    assert isinstance(view.page, Home)
    assert view.page.name[0] == person.name[0]
    slot.pull()
