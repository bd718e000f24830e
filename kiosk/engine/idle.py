"""When a page that nobody touches is warned about, and when it is over (SCREENS U5).

Rule: pure; seconds since the last touch, card, scan or device activity are handed in.
"""

from __future__ import annotations

from kiosk.engine.session import Session

WARNING_S = 30.0
VOLUNTEER_S = 180.0
"""A volunteer's page is locked after this, without a warning."""


def quiet_s(session: Session) -> float:
    """How long somebody may stand there and do nothing before the warning comes."""
    if session.voice:
        return 180.0
    return 120.0 if session.elder else 60.0


def over(session: Session, idle_s: float) -> bool:
    """Warned, and nobody said that they are still here."""
    return idle_s >= quiet_s(session) + WARNING_S


def left_s(session: Session, idle_s: float) -> int | None:
    """What the warning counts down; None while it is not shown."""
    left = quiet_s(session) + WARNING_S - idle_s
    return max(1, round(left)) if left <= WARNING_S else None
