"""The device's side of a serial scanner: looks while triggered, reads what is held before it.

Knobs are what hands do: show a code, take it away. A misbehaviour is what a worn, wrongly set or
hostile scanner would send; faults of the line belong to the cable.
"""

from __future__ import annotations

import random
from types import MappingProxyType

from drivers.scanner.models import REPLY_BYTES_MAX, ScannerModel

COMMAND_BYTES_MAX = 256
AGAIN_S = 0.3
"""A code that stays in sight is read this often."""

MISBEHAVIOURS = MappingProxyType(
    {
        "silent": "neither answers nor reads",
        "no_reply": "reads, but does not confirm commands",
        "refuses": "refuses every command",
        "unarmed": "sends codes though nobody asked",
        "double": "sends every code twice",
        "half_code": "stops in the middle of a code, without an end",
        "endless": "sends 10 000 bytes without an end, then an end",
        "garbage": "sends random bytes instead of the code",
        "control_characters": "puts printer commands into the code",
        "babble": "sends random bytes all the time",
        "two_replies": "confirms every command twice",
    }
)

ENDLESS_BYTES = 10_000
BABBLE_BYTES = 8


class ScannerEmulator:
    """An Emulator of `model`. `prefix` and `suffix` are how its owner set it up."""

    def __init__(
        self,
        model: ScannerModel,
        *,
        prefix: bytes = b"",
        suffix: bytes = b"\r",
        seed: int = 0,
    ) -> None:
        self.model = model
        self.prefix = prefix
        self.suffix = suffix
        self.triggers = 0
        """How often it was told to look, so that a test can count."""
        self._chance = random.Random(seed)
        self._heard = bytearray()
        self._misbehaviour = ""
        self._in_sight: bytes | None = None
        self._stays = False
        self._now_s = 0.0
        self._looks_until_s = 0.0
        self._reads_from_s = 0.0

    # -- what hands do

    def show(self, code: str | bytes, *, stay: bool = False) -> None:
        """Hold a code before the scanner until it is read; stay: go on holding it there."""
        self._in_sight = code.encode() if isinstance(code, str) else code
        self._stays = stay
        self._reads_from_s = self._now_s

    def hide(self) -> None:
        """Take the code away."""
        self._in_sight = None

    def power_cycle(self) -> None:
        """The scanner loses power for a moment: its light is off until it is triggered again."""
        self._heard.clear()
        self._looks_until_s = self._now_s

    @property
    def looking(self) -> bool:
        """Whether its light is on."""
        return not self.model.has_trigger or self._now_s < self._looks_until_s

    @property
    def code_in_sight(self) -> bool:
        """Whether a code is still held before it."""
        return self._in_sight is not None

    def misbehave(self, name: str) -> None:
        """One of MISBEHAVIOURS from now on."""
        assert name in MISBEHAVIOURS, f"no misbehaviour {name}"
        self._misbehaviour = name

    def behave(self) -> None:
        """As the manual says again."""
        self._misbehaviour = ""

    # -- Emulator

    def receive(self, data: bytes) -> bytes:
        """Commands in any cut; their replies."""
        if not self.model.has_trigger:
            return b""
        self._heard += data
        replies = b""
        while (command := self._next_command()) is not None:
            replies += self._obey(command)
        del self._heard[:-COMMAND_BYTES_MAX]
        return replies

    def tick(self, now_s: float) -> bytes:
        """The code in sight, when it looks."""
        self._now_s = now_s
        if self._misbehaviour == "babble":
            return self._chance.randbytes(BABBLE_BYTES)
        armed = self.looking or self._misbehaviour == "unarmed"
        if self._in_sight is None or not armed or now_s < self._reads_from_s:
            return b""
        code = self._in_sight
        self._looks_until_s = now_s  # a trigger ends with the code it brought
        self._reads_from_s = now_s + AGAIN_S
        if not self._stays:
            self._in_sight = None
        return self._send(code)

    # -- the manual

    def _next_command(self) -> bytes | None:
        found = [
            (at, command)
            for command in (self.model.on, self.model.off)
            if (at := self._heard.find(command)) >= 0
        ]
        if not found:
            return None
        at, command = min(found)
        del self._heard[: at + len(command)]
        return command

    def _obey(self, command: bytes) -> bytes:
        if self._misbehaviour == "silent":
            return b""
        if self._misbehaviour == "refuses":
            return self._reply(command, self.model.reply.refused)
        if command == self.model.on:
            self.triggers += 1
            self._looks_until_s = self._now_s + self.model.looks_for_s
        else:
            self._looks_until_s = self._now_s
        if self._misbehaviour == "no_reply":
            return b""
        copies = 2 if self._misbehaviour == "two_replies" else 1
        return self._reply(command, self.model.reply.accepted) * copies

    def _reply(self, command: bytes, tail: bytes) -> bytes:
        head = self.model.reply.head
        if not head or not tail:
            return b""
        # Newland repeats the command's name between head and tail; GM65 has nothing there.
        name = command[6:-2] if command[1:6] == head[1:6] else b""
        return (head + name + tail)[:REPLY_BYTES_MAX]

    def _send(self, code: bytes) -> bytes:
        whole = self.prefix + code + self.suffix
        match self._misbehaviour:
            case "silent":
                return b""
            case "double":
                return whole + whole
            case "half_code":
                return self.prefix + code[: len(code) // 2]
            case "endless":
                return b"9" * ENDLESS_BYTES + self.suffix
            case "garbage":
                return self._chance.randbytes(len(code)) + self.suffix
            case "control_characters":
                return b"\x1b@\x1dV\x00" + code + self.suffix
        return whole
