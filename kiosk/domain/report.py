"""Laboratory and examination reports: which are ready, which come when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Report:
    """One report. `ready_at` lies in the past when it can be printed, else it is the estimate."""

    id: str
    title: str
    ready_at: datetime
    ready: bool
    printed: bool = False
