"""The host's side of a serial scanner: armed only while a screen asks, dropped otherwise.

No thread, no retry, no sleep. What came before arm() is never taken: a code shown to one screen
must not answer the next.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from drivers.deadline import Clock, Deadline
from drivers.errors import DeadlineExceeded, DeviceRefused
from drivers.identity import DeviceIdentity
from drivers.scanner.codec import (
    CODE_BYTES_MAX,
    Framer,
    Garbage,
    GarbageReason,
    Scanned,
    clean,
    read_text,
)
from drivers.scanner.hints import Hint
from drivers.scanner.models import ScannerModel
from drivers.scanner.seen import JustSeen
from drivers.transport import ByteStream

KIND = "scanner"
CAPABILITIES = frozenset({"codes", "trigger"})
"""What this driver can be asked for; `trigger` only with a model that has one."""

REPLY_S = 1.0
"""Scanners answer a command within 100 ms; ten times that is a dead one."""

PROBE_CODE_S = 15.0
"""For models that answer no command: time for a technician to show any code."""

PENDING_CODES_MAX = 16


@dataclass(frozen=True)
class Nothing:
    """No code by the deadline."""


class Scanner:
    """A scanner of `model` on `stream`; `clock` is the one that the stream's waits follow."""

    hint = Hint.NONE
    """It brings its own light, and tells nothing of what it does not read."""

    def __init__(self, stream: ByteStream, clock: Clock, model: ScannerModel) -> None:
        self._stream = stream
        self.clock = clock
        self._model = model
        self._framer = Framer()
        self._pending: deque[Scanned | Garbage] = deque(maxlen=PENDING_CODES_MAX)
        self._armed = False
        self._renew_at_s = 0.0
        self._last_byte_s = 0.0
        self._seen = JustSeen(clock)

    def arm(self, timeout_s: float = REPLY_S) -> None:
        """Start looking. DeviceRefused: the scanner says no; DeadlineExceeded: nothing."""
        self._forget()
        deadline = Deadline.after(self.clock, timeout_s)
        first_bytes = self._command(self._model.on, deadline)
        self._armed = True
        self._looks_anew()
        self._take(first_bytes)

    def disarm(self, timeout_s: float = REPLY_S) -> None:
        """Stop looking and drop whatever was seen; may be called twice."""
        self._armed = False
        self._command(self._model.off, Deadline.after(self.clock, timeout_s))
        self._forget()

    def poll(self, deadline: Deadline) -> Scanned | Nothing | Garbage:
        """The next code. While disarmed everything is dropped; a lost device is still noticed."""
        while not self._pending:
            self._renew(deadline)
            try:
                self._take(self._stream.read(self._next_wait(deadline)))
            except DeadlineExceeded:
                self._end_by_pause()
            if not self._pending and deadline.remaining_s() <= 0:
                return Nothing()
        return self._pending.popleft()

    def probe(self, timeout_s: float | None = None) -> DeviceIdentity:
        """Who is there. A model that answers no command is known by the code one shows it."""
        if self._model.reply.head:
            self.disarm(timeout_s if timeout_s is not None else REPLY_S)
            return DeviceIdentity(KIND, self._model.name)
        self.arm()
        deadline = Deadline.after(self.clock, timeout_s if timeout_s is not None else PROBE_CODE_S)
        outcome = self.poll(deadline)
        self.disarm()
        if not isinstance(outcome, Scanned):
            raise DeadlineExceeded("no readable code was shown in time")
        return DeviceIdentity(KIND, self._model.name)

    def close(self) -> None:
        """Give the port back."""
        self._stream.close()

    # -- commands

    def _command(self, command: bytes, deadline: Deadline) -> bytes:
        """Send and await the reply, if the model gives one; what came after it."""
        self._stream.discard_input()
        if not command:
            return b""
        self._stream.write(command, deadline)
        heard = b""
        while self._model.reply.head:
            heard = heard[-CODE_BYTES_MAX:] + self._stream.read(deadline)
            found = self._model.reply.find(heard)
            if found is not None:
                _begin, end, is_yes = found
                if not is_yes:
                    raise DeviceRefused(f"{self._model.name} scanner refused a command")
                return heard[end:]
            deadline.check("reply of the scanner")
        return b""

    def _renew(self, deadline: Deadline) -> None:
        """A trigger ends after a while and with every code: pull it again while armed."""
        if self._armed and self._model.on and self.clock() >= self._renew_at_s:
            # Its reply is not awaited here: it comes among the codes and clean() takes it out.
            self._stream.write(self._model.on, deadline)
            self._looks_anew()

    def _looks_anew(self) -> None:
        self._renew_at_s = self.clock() + self._model.looks_for_s

    # -- codes

    def _take(self, data: bytes) -> None:
        if not self._armed:
            return
        if data:
            self._last_byte_s = self.clock()
        for code in self._framer.feed(data):
            self._judge(code)

    def _end_by_pause(self) -> None:
        if self._framer.in_code and self.clock() >= self._pause_at_s():
            for code in self._framer.end():
                self._judge(code)

    def _judge(self, code: bytes | None) -> None:
        cleaned = clean(code, self._model.reply) if code is not None else b""
        if code is not None and not cleaned:
            return  # a reply to our own command
        self._renew_at_s = self.clock()
        if code is None:
            self._pending.append(Garbage(GarbageReason.TOO_LONG))
        elif not self._seen.again(cleaned):
            self._pending.append(read_text(cleaned))

    def _next_wait(self, deadline: Deadline) -> Deadline:
        """Until the deadline, or until a pause would end the code under way."""
        moments = [deadline.at_s]
        if self._framer.in_code:
            moments.append(self._pause_at_s())
        if self._armed and self._model.on:
            moments.append(self._renew_at_s)
        return Deadline(self.clock, min(moments))

    def _pause_at_s(self) -> float:
        return self._last_byte_s + self._model.idle_gap_s

    def _forget(self) -> None:
        self._framer.reset()
        self._pending.clear()
