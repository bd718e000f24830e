"""What a hand may turn at the demo hospital, to see what a terminal makes of it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum


class ProviderMode(StrEnum):
    NORMAL = "normal"
    SLOW = "slow"  # charges at once, answers after `seconds`
    SILENT = "silent"  # charges, never answers; says nothing to queries either
    LATE = "late"  # charges only after `seconds`, says `waiting` until then
    DECLINING = "declining"


class HospitalMode(StrEnum):
    NORMAL = "normal"
    REFUSING = "refusing"  # refuses to settle: the split has changed
    SLOW = "slow"  # answers everything after `seconds`
    SILENT = "silent"  # does everything, its answers are lost
    AWAY = "away"


@dataclass(frozen=True)
class Settings:
    provider: ProviderMode = ProviderMode.NORMAL
    provider_seconds: float = 5.0
    hospital: HospitalMode = HospitalMode.NORMAL
    hospital_seconds: float = 5.0


class Knobs:
    """The settings of now; read by requests, turned by /demo/… and by tests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._settings = Settings()

    @property
    def now(self) -> Settings:
        with self._lock:
            return self._settings

    def turn(self, settings: Settings) -> None:
        with self._lock:
            self._settings = settings
