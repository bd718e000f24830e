"""The gateway's clock: aware, in the hospital's own zone; nothing else reads the time of day."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Now, in the zone this machine is set to."""
    return datetime.now().astimezone()


def started_at(instant: datetime) -> Clock:
    """A clock that shows `instant` now and runs on from there; for demonstrations."""
    aware = instant.astimezone() if instant.tzinfo is None else instant
    began = time.monotonic()
    return lambda: aware + timedelta(seconds=time.monotonic() - began)
