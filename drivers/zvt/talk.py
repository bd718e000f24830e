"""One command's conversation with a ZVT pad: who may speak, and what is answered at once.

Between a command and its end (06 0F or 06 1E) the pad is master: all that it sends gets an
answer, and only the answer to a status information may say more than "received".
"""

from __future__ import annotations

from dataclasses import dataclass

from drivers.deadline import Clock, Deadline
from drivers.errors import DeadlineExceeded, DeviceRefused, ProtocolError
from drivers.pad import PadProgress, Watch
from drivers.zvt.codec import NOT_POSSIBLE, POSITIVE, Apdu
from drivers.zvt.fields import StatusInfo, parse_status_info
from drivers.zvt.link import NO_WAIT, Link

COMPLETION = 0x060F
PAD_CLASSES = (0x04, 0x06)
"""Commands that a pad may send to a host."""
PLEASE_WAIT = 0x9C

ANSWER_S = 5.0  # T3: the pad's first answer to a command; Portalum.Zvt and ecrterm use the same
REPEATED_S = 0.5  # the same APDU sooner than this came twice over the line; a pad waits 2 s
SLICE_S = 0.2  # how often a payment asks whether the person gave up


@dataclass(frozen=True)
class Told:
    """A status information."""

    info: StatusInfo


@dataclass(frozen=True)
class Ended:
    """06 0F, or 06 1E with its code: the host may give commands again. Answered already."""

    completed: bool
    code: int
    data: bytes


@dataclass(frozen=True)
class Accepted:
    """80 00 00: the pad began to work on a command, or took an answer."""


@dataclass(frozen=True)
class Refused:
    """84 xx: the pad will not."""

    code: int


Said = Told | Ended | Accepted | Refused

PROGRESS = {
    0x00: PadProgress.PLEASE_WAIT,
    0x01: PadProgress.ENTER_PIN,
    0x02: PadProgress.ENTER_PIN,
    0x04: PadProgress.AUTHORISING,
    0x05: PadProgress.REVERSING,
    0x0A: PadProgress.INSERT_CARD,
    0x0B: PadProgress.REMOVE_CARD,
    0x0E: PadProgress.PLEASE_WAIT,
    0x15: PadProgress.ENTER_PIN,
    0x17: PadProgress.PLEASE_WAIT,
    0x4B: PadProgress.REMOVE_CARD,
}
"""04 FF codes; 0x40 added means "and remove the card"."""

REMOVE_CARD_TOO = range(0x41, 0x68)


class Talk:
    """Reads what the pad says and gives the answers that need no thought."""

    def __init__(self, link: Link, clock: Clock) -> None:
        self.link = link
        self._clock = clock
        self._newest: Apdu | None = None
        self._newest_at_s = 0.0

    def say(self, apdu: Apdu, deadline: Deadline) -> None:
        """Send a command or an answer."""
        self.link.send(apdu, deadline)

    def listen(self, deadline: Deadline, watch: Watch, *, answering: bool = True) -> Said:
        """The next thing that matters. Progress and printing are answered and passed on.

        Not `answering`: while a question about money may be open at the pad, 80 00 00 to anything
        else could be taken for the answer to it. The pad goes on without, after its T3.
        """
        while True:
            apdu = self._receive(deadline)
            match apdu.control:
                case 0x8000 | 0x8400 if not apdu.data:
                    return Accepted()
                case control if control >> 8 == 0x84 and not apdu.data:
                    return Refused(control & 0xFF)
                case 0x040F:
                    return Told(parse_status_info(apdu.data))
                case 0x060F | 0x061E:
                    self.say(POSITIVE, deadline)
                    code = apdu.data[0] if apdu.data else 0
                    return Ended(apdu.control == COMPLETION, code, apdu.data)
                case 0x04FF:
                    if answering:
                        self.say(POSITIVE, deadline)
                    watch.on_progress(_progress(apdu.data))
                case 0x06D1 | 0x06D3:
                    if answering:
                        self.say(POSITIVE, deadline)
                case control if control >> 8 in PAD_CLASSES:
                    if answering:
                        self.say(NOT_POSSIBLE, deadline)
                case control:
                    raise ProtocolError(f"no pad sends {control:04X}")

    def _receive(self, deadline: Deadline) -> Apdu:
        """The next APDU that is not the line's repetition of the one before.

        A second answer to the same question could be taken for the answer to the next one, and
        80 00 00 to a held payment's question means that the money is kept.
        """
        while True:
            apdu = self.link.receive(deadline)
            again = apdu == self._newest and self._clock() < self._newest_at_s + REPEATED_S
            self._newest, self._newest_at_s = apdu, self._clock()
            if not again or apdu.control >> 8 in (0x80, 0x84):
                return apdu

    def listen_now(self) -> Said | None:
        """What has come already, answered by nothing; None when there is nothing (whole) there."""
        try:
            return self.listen(NO_WAIT, Watch(), answering=False)
        except DeadlineExceeded:
            return None

    def command(self, command: Apdu, deadline: Deadline) -> tuple[tuple[StatusInfo, ...], Ended]:
        """A command that moves no money: its status informations, and how it ended.

        DeviceRefused when the pad answers 84 xx.
        """
        self.link.discard()
        self.say(command, deadline)
        self.await_acceptance(deadline)
        infos: list[StatusInfo] = []
        while True:
            match self.listen(deadline, Watch()):
                case Told(info):
                    self.say(POSITIVE, deadline)
                    infos = [*infos[-INFOS_MAX:], info]
                case Ended() as end:
                    return tuple(infos), end
                case Accepted() | Refused():
                    pass  # a repeated or late answer of the line

    def await_acceptance(self, deadline: Deadline) -> None:
        """Until the pad took the command. DeviceRefused: it will not, DeviceHolding: it cannot."""
        soon = self.within(ANSWER_S, deadline)
        while True:
            match self.listen(soon, Watch(), answering=False):
                case Accepted():
                    return
                case Refused(code):
                    raise CommandRefused(code)
                case Told(info) if info.result == 0:
                    raise HoldingAnother(info)
                case Told() | Ended():
                    pass  # of an earlier command, late

    def within(self, seconds: float, deadline: Deadline) -> Deadline:
        """The nearer of `seconds` from now and the deadline."""
        return Deadline(self._clock, min(deadline.at_s, self._clock() + seconds))


INFOS_MAX = 31  # status informations of one command that are kept; the newest count


class CommandRefused(DeviceRefused):
    """The pad answered 84 with this code: it did not begin."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the pad refused the command, code {code:02X}")
        self.code = code


class HoldingAnother(ProtocolError):
    """Instead of taking a command the pad asks what to do with a payment it holds."""

    def __init__(self, info: StatusInfo) -> None:
        super().__init__("the pad holds a payment")
        self.info = info


def _progress(data: bytes) -> PadProgress:
    code = data[0] if data else 0x0E
    if code in REMOVE_CARD_TOO:
        return PadProgress.REMOVE_CARD
    return PROGRESS.get(code, PadProgress.PLEASE_WAIT)
