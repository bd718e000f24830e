"""What a technician may know of a device: where it is, how it stands, when it last answered.

Rule: no personal data. The words of a fault come from drivers, which never quote a card or a code.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kiosk.ports import Clock

Standing = Literal["starting", "well", "away"]


@dataclass(frozen=True)
class DeviceHealth:
    """One device at one moment. `answered_s`: seconds since its last answer; None: never yet."""

    standing: Standing
    port: str
    since: datetime
    answered_s: float | None
    tries: int
    """Failed attempts in a row."""
    faults: Mapping[str, int]
    """Faults since core started, by the kind of fault."""
    fault: str
    """The last fault's words while it is away."""
    needs: str = ""
    """What it waits for while it answers: a notice's code."""
    needs_words: str = ""
    """The same in the device's own words."""

    def as_json(self) -> dict[str, object]:
        """For `kiosk devices --json`."""
        return {
            "state": self.standing,
            "port": self.port,
            "since": self.since.isoformat(timespec="seconds"),
            "answered_s": None if self.answered_s is None else round(self.answered_s, 1),
            "tries": self.tries,
            "faults": dict(self.faults),
            "fault": self.fault,
            "needs": self.needs,
            "needs_words": self.needs_words,
        }


class Health:
    """Written by the device's worker, read by whoever asks.

    `where` names the port of the hour; `heard` tells when bytes last came from it (monotonic),
    which is truer than the end of a verb: not every verb asks the device. None: no cable of ours.
    """

    def __init__(
        self,
        clock: Clock,
        where: Callable[[], str] = lambda: "",
        heard: Callable[[], float | None] | None = None,
    ) -> None:
        self._clock, self._where, self._heard = clock, where, heard
        self._lock = threading.Lock()
        self._standing: Standing = "starting"
        self._since = clock.now()
        self._answered_s: float | None = None
        self._tries = 0
        self._faults: Counter[str] = Counter()
        self._fault = ""
        self._needs = ("", "")

    def answered(self) -> None:
        """It did what it was asked, or said that there is nothing."""
        with self._lock:
            self._stand("well")
            self._answered_s = self._clock.monotonic_s()
            self._tries, self._fault = 0, ""

    def failed(self, kind: str, words: str) -> None:
        """The connection was given up, or there was none."""
        with self._lock:
            self._stand("away")
            self._tries += 1
            self._faults[kind] += 1
            self._fault = words

    def waits_for(self, code: str, words: str) -> None:
        """A person's hand is needed; an empty code: no longer."""
        with self._lock:
            self._needs = (code, words)

    def look(self) -> DeviceHealth:
        with self._lock:
            heard_s = self._heard() if self._heard else None
            at_s = self._answered_s if heard_s is None else heard_s
            age_s = None if at_s is None else self._clock.monotonic_s() - at_s
            return DeviceHealth(
                *(self._standing, self._where(), self._since, age_s, self._tries),
                faults=dict(self._faults),
                fault=self._fault,
                needs=self._needs[0],
                needs_words=self._needs[1],
            )

    def _stand(self, standing: Standing) -> None:
        if standing != self._standing:
            self._standing, self._since = standing, self._clock.now()
