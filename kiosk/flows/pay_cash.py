"""What the bill page says of cash: whether it is offered, and the page where the notes go in.

Rule: no change is given, so cash is offered only for a sum that notes make up; and that is said
before the first note.
"""

from __future__ import annotations

from typing import Any, Literal

from kiosk.flows.payment_cash import can_be_paid
from kiosk.flows.scene import Scene
from kiosk.views import CashBusy

CashOffer = Literal["", "offered", "no_coins"]
_STAGES = ("moving", "returned", "refused", "stopping")


def cash_offer(own_fen: int, scene: Scene) -> CashOffer:
    """Nothing is said where there is no box, or where one is in doubt about another's notes."""
    if not scene.notes_fen or "cash" in scene.ways_in_doubt:
        return ""
    return "offered" if can_be_paid(own_fen, scene.notes_fen) else "no_coins"


def notes_page(own_fen: int, taken_fen: int, progress: str, scene: Scene) -> CashBusy:
    """Which notes the slot takes now, and the window that pays back what was not enough."""
    stage: Any = progress if progress in _STAGES else "insert"
    notes_fen = tuple(fen for fen in scene.notes_fen if fen <= own_fen - taken_fen)
    return CashBusy(own_fen, taken_fen, stage, scene.rules.cashier_window, notes_fen)
