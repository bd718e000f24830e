"""Device side of a ZVT pad: a card slot, three keys, a bank behind it, and a ledger of its own.

It refuses what the manual does not allow. Knobs are what a hand, a bank or a bad day would do;
faults of the line belong to the cable. What goes on inside one command is in `scripts`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from drivers.pad_ledger import PadLedger
from drivers.zvt.codec import Apdu, bcd
from drivers.zvt.device_link import DeviceLink, SerialDeviceLink, TcpDeviceLink
from drivers.zvt.fields import CURRENCY, STATUS_BYTE, TERMINAL_ID, Bmp, encode_all
from drivers.zvt.scripts import (
    COMMANDS,
    Abandoned,
    AbortStyle,
    BankAnswer,
    Card,
    PadKnobs,
    Script,
    Slot,
    Wait,
)

MISBEHAVIOURS = MappingProxyType(
    {
        "silent_before_charge": "swallows the next payment command, then says nothing for a while",
        "silent_after_charge": "takes the next payment for good, then says nothing for a while",
        "busy": "refuses every command with 84 9C",
        "answers_twice": "says everything twice",
        "slow": "answers two seconds late",
        "naks": "refuses the next two frames with NAK",
        "refuses_abort": "takes no 06 B0: only the red key cancels",
        "quiet_abort": "takes 06 B0 and closes the payment without a word",
        "forgets_last": "shows no last payment",
        "reverses_last_only": "reverses no payment but its last",
        "keeps_abandoned": "keeps the money when the host goes away (else it reverses)",
    }
)
"""What a bench may ask of `misbehave`; each is told by users of real pads (PROTOCOL.md)."""

__all__ = ["MISBEHAVIOURS", "Abandoned", "AbortStyle", "Card", "PadEmulator", "PadModel"]

BUSY, NOT_POSSIBLE, NOT_REGISTERED = 0x9C, 0x83, 0x6B
QUEUE_MAX = 256


@dataclass(frozen=True)
class PadModel:
    """What differs between pads."""

    terminal_id: str = "52500038"
    password: int = 123456
    currency: int = 156
    version: str = "2.14.15"
    serial_line: bool = True


class PadEmulator:
    """An Emulator (drivers/transport.py). `wall` gives the pad's own local time."""

    def __init__(
        self,
        ledger: PadLedger,
        wall: Callable[[], datetime],
        model: PadModel | None = None,
    ) -> None:
        self.model = model or PadModel()
        self.ledger = ledger
        self.knobs = PadKnobs()
        self.slot = Slot()
        self.wall = wall
        self.now_s = 0.0
        self.registered = False
        self.refusals: list[int] = []
        """Control fields that the manual does not allow at that moment; tests look here."""
        self._link: DeviceLink = SerialDeviceLink() if self.model.serial_line else TcpDeviceLink()
        self._script: Script | None = None
        self._wait: Wait | None = None
        self._outgoing: deque[tuple[float, bytes]] = deque()
        self._powered = True
        self._deaf_until_s = 0.0

    # -- hands

    def present_card(self, card_name: str = "UnionPay", last4: str = "1234") -> None:
        """Hold a card to the pad; it waits there until a payment asks for one."""
        self.slot.card = Card(card_name, last4)

    def approve(self) -> None:
        """The bank will say yes from now on."""
        self.slot.bank = BankAnswer(0)

    def decline(self, code: int = 0x05) -> None:
        """The bank will say no, with this result code, from now on."""
        self.slot.bank = BankAnswer(code)

    def press_cancel(self) -> None:
        """The red key."""
        self.slot.cancel_pressed = True

    def walk_away(self) -> None:
        """Take the card along and leave; the pad gives up by itself after a while."""
        self.slot.card = None

    def power_cut(self) -> None:
        """Everything but the ledger is gone, in the middle of whatever it was."""
        self._powered = False
        self._script = self._wait = None
        self._outgoing.clear()
        self._link.reset()
        self.slot = Slot(bank=self.slot.bank)
        self.registered = False

    def power_up(self) -> None:
        """Power is back; what was held is settled as the pad is set to do."""
        if self._powered:
            return
        self._powered = True
        self._deaf_until_s = 0.0
        for entry in self.ledger.held():
            self.knobs.abandon(self.ledger, entry.trace, "power was cut")

    def wake(self) -> None:
        """End a silence early."""
        self._deaf_until_s = 0.0

    def behave(self) -> None:
        """As the manual says again."""
        self.knobs = PadKnobs()

    def misbehave(self, name: str) -> None:
        """One of MISBEHAVIOURS from now on. Finer: turn the `knobs`."""
        assert name in MISBEHAVIOURS, f"no misbehaviour {name}"
        self.behave()
        match name:
            case "slow":
                self.knobs.slow_s = 2.0
            case "naks":
                self.nak_next(2)
            case "refuses_abort":
                self.knobs.abort_style = AbortStyle.REFUSES
            case "quiet_abort":
                self.knobs.abort_style = AbortStyle.QUIET
            case "keeps_abandoned":
                self.knobs.when_abandoned = Abandoned.KEEPS
            case _:
                setattr(self.knobs, name, True)

    @property
    def holding(self) -> bool:
        """Whether a payment waits for the host's decision."""
        return bool(self.ledger.held())

    @property
    def waits_for_card(self) -> bool:
        """Whether the pad asks for a card now."""
        return self.slot.wanted

    def nak_next(self, frames: int = 1) -> None:
        """Refuse the next frames with NAK, as if they had come damaged."""
        self._link.nak_next = frames

    # -- the cable

    def connected(self) -> None:
        """A new TCP connection: half an APDU of the one before died with it."""
        self._link.connected()

    def receive(self, data: bytes) -> bytes:
        """Bytes from the host."""
        if not self._powered or self._is_deaf():
            return b""
        apdus, answer = self._link.take(data, self.now_s)
        for apdu in apdus:
            self._hear(apdu)
        return answer + self._due()

    def tick(self, now_s: float) -> bytes:
        """Time goes on; a script that waited for this moment goes on too."""
        self.now_s = now_s
        if not self._powered:
            return b""
        if self._script is not None:
            self._go_on(None)
        if self._is_deaf():
            return b""
        return self._link.tick(now_s) + self._due()

    # -- for scripts

    def send(self, apdu: Apdu) -> None:
        """Queue an APDU to the host: late by the knob, twice by the knob."""
        if self._is_deaf() or len(self._outgoing) >= QUEUE_MAX:
            return
        data = self._link.wrap(apdu, self.now_s)
        at_s = self.now_s + self.knobs.slow_s
        self._outgoing.extend([(at_s, data)] * (2 if self.knobs.answers_twice else 1))

    def be_silent(self) -> None:
        """Hear and say nothing for as long as the knob says."""
        self._deaf_until_s = self.now_s + self.knobs.silent_s
        self._outgoing.clear()

    def identity_fields(self) -> bytes:
        """What 06 0F says after a registration."""
        return encode_all(
            (
                Bmp(STATUS_BYTE, b"\x00"),
                Bmp(TERMINAL_ID, bytes.fromhex(self.model.terminal_id)),
                Bmp(CURRENCY, bcd(self.model.currency, 2)),
            )
        )

    # -- inside

    def _is_deaf(self) -> bool:
        return self.now_s < self._deaf_until_s

    def _due(self) -> bytes:
        due = b""
        while self._outgoing and self._outgoing[0][0] <= self.now_s:
            due += self._outgoing.popleft()[1]
        return due

    def _hear(self, apdu: Apdu) -> None:
        if apdu.control >> 8 in (0x80, 0x84):
            if self._wait is not None and self._wait.for_reply:
                self._go_on(apdu)
            return  # an answer to nothing: the line repeated it
        if self._script is not None:
            self._interrupt(apdu)
            return
        self._begin(apdu)

    def _begin(self, apdu: Apdu) -> None:
        script = COMMANDS.get(apdu.control)
        if script is None:
            self._refuse(apdu, NOT_POSSIBLE)
        elif self.knobs.busy and apdu.control != 0x0501:
            self._refuse(apdu, BUSY)
        elif apdu.control in (0x0601, 0x0630, 0x0631, 0x0650) and not self.registered:
            self._refuse(apdu, NOT_REGISTERED)
        elif apdu.control == 0x0601 and self.knobs.silent_before_charge:
            self.knobs.silent_before_charge = False
            self.be_silent()
        else:
            self.slot.cancel_pressed = self.slot.abort_asked = False
            self._script = script(self, apdu.data)
            self._wait = next(self._script, None)
            self._drop_finished()

    def _interrupt(self, apdu: Apdu) -> None:
        """A command while another runs: only 06 B0 has a place here, and only before the bank."""
        if apdu.control != 0x06B0:
            self._refuse(apdu, BUSY)
        elif not self.slot.wanted or self.knobs.abort_style is AbortStyle.REFUSES:
            self._refuse(apdu, NOT_POSSIBLE)
        else:
            self.send(Apdu(0x8000))
            self.slot.abort_asked = True

    def _refuse(self, apdu: Apdu, code: int) -> None:
        self.refusals.append(apdu.control)
        self.send(Apdu(0x8400 | code))

    def _go_on(self, reply: Apdu | None) -> None:
        while self._script is not None and self._wait is not None:
            if reply is None and self.now_s < self._wait.until_s and not self._wait.met():
                return
            try:
                self._wait = self._script.send(reply)
            except StopIteration:
                self._wait = None
            reply = None
            self._drop_finished()

    def _drop_finished(self) -> None:
        if self._wait is None:
            self._script = None
            self.slot.wanted = False
