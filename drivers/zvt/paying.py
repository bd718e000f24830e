"""What a ZVT payment carries along while it runs: the held question, the person's giving up."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.deadline import Deadline
from drivers.pad import Charged, Watch
from drivers.zvt.codec import Apdu
from drivers.zvt.talk import Talk

ASK_AGAIN_S = 1.0  # a pad that shows its first screen refuses 06 B0 and takes it a moment later
ABORT_QUIET_S = 5.0  # some pads send no 06 1E after they took 06 B0 (manual, history of 2.18)


@dataclass
class Hold:
    """An approved payment that waits for our decision."""

    charged: Charged
    asked_at_s: float | None
    """When the pad's question came that has no answer yet."""
    heard_at_s: float
    """When the pad last showed that it still holds."""


class Abort:
    """06 B0, once the person gave up; again when the pad refused, since it may be too early."""

    def __init__(self, talk: Talk, watch: Watch) -> None:
        self._talk = talk
        self._watch = watch
        self._ask_from_s = 0.0
        self._accepted_at_s: float | None = None
        self.asked = False

    def ask_if_given_up(self, now_s: float, deadline: Deadline) -> None:
        """The pad may be too far to stop: what counts is the result it tells in the end."""
        if now_s >= self._ask_from_s and self._watch.gives_up():
            self.asked = True
            self._ask_from_s = deadline.at_s
            self._talk.say(Apdu(0x06B0), deadline)

    def refused(self, now_s: float) -> None:
        """The pad said 84 xx to something."""
        self._ask_from_s = now_s + ASK_AGAIN_S

    def accepted(self, now_s: float) -> None:
        """The pad said 80 00 00 to something."""
        if self.asked:
            self._accepted_at_s = now_s

    def is_quiet(self, now_s: float) -> bool:
        """The pad took the abort and no 06 1E came; time to look. True once."""
        if self._accepted_at_s is None or now_s < self._accepted_at_s + ABORT_QUIET_S:
            return False
        self._accepted_at_s = None
        return True
